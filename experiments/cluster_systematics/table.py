"""The table of all variants, and which of them matter."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.cluster_systematics.judge import FloatArray, Judged, harm
from experiments.w24.table import markdown, value
from filar.clusters.posterior import PARAMETERS

SURE = 3.0
"""Standard errors of a change that is told."""
NAMES = {"log_age": "age", "a_v": "A_V", "log_mass": "mass", "log_r_h": "r_h"}


def whole_table(judged: Sequence[Judged]) -> str:
    """Every variant, a row each.

    Parameters
    ----------
    judged : sequence of Judged
        What was trained on first.

    Returns
    -------
    str
        Markdown.
    """
    header = ["variant"]
    for name in PARAMETERS:
        header += [f"{NAMES[name]}: bias", "rms", "in 68% (%)"]
    header += ["class right (%)", "clusters found (%)", "backgrounds taken (%)", "in domain (%)"]
    return markdown(header, [_row(one) for one in judged])


def _row(one: Judged) -> list[str]:
    cells = [one.name]
    for k in range(len(PARAMETERS)):
        sure = abs(one.change[k]) > SURE * one.change_err[k]
        cells += [
            value(one.bias[k], "+.3f") + ("*" if sure else ""), value(one.rms[k], ".3f"),
            value(100 * one.inside68[k], ".0f"),
        ]  # fmt: skip
    parts = (one.accuracy, one.completeness, one.false_alarms, one.in_domain)
    return cells + [value(100 * part, ".1f") for part in parts]


def notes(judged: Sequence[Judged]) -> str:
    """What the numbers are, how sure they are, and what exactly was changed."""
    first = judged[0]
    errors = ", ".join(
        f"{NAMES[name]} {first.bias_err[k]:.3f}, {first.rms_err[k]:.3f} and "
        f"{100 * first.inside68_err[k]:.1f}"
        for k, name in enumerate(PARAMETERS)
    )
    lines = [
        f"{first.clusters} clusters of each, the same as far as can be. Age, mass and radius in "
        f"dex, A_V in mag; answers are posterior means. Standard errors of bias, rms and coverage: "
        f"{errors}; of the class {100 * first.accuracy_err:.1f}. *: the bias differs from that as "
        f"trained by more than {SURE:g} standard errors of the paired difference.",
        "",
        *(f"- {one.name}: {one.about}" for one in judged),
    ]
    return "\n".join(lines)


def ranking(judged: Sequence[Judged]) -> str:
    """Variants by what they do, worst first.

    Parameters
    ----------
    judged : sequence of Judged
        What was trained on first.

    Returns
    -------
    str
        Markdown; the first row is what was trained on.
    """
    first = judged[0]
    order = [first, *sorted(judged[1:], key=lambda one: -harm(one, first))]
    rows = []
    for one in order:
        changes = [
            value(one.change[k], "+.3f", one.change_err[k]) for k in range(len(PARAMETERS))
        ]  # fmt: skip
        rows.append([
            one.name, value(harm(one, first), ".2f"), *changes,
            _least(one.inside68), _least(one.bright_inside68),
        ])  # fmt: skip
    header = ["variant", "largest change over the told error",
              *(f"{NAMES[name]}: change of bias" for name in PARAMETERS),
              "least coverage of 68% (%)", "of the better seen half"]  # fmt: skip
    return markdown(header, rows)


def _least(inside: FloatArray) -> str:
    part, name = min(zip(inside.tolist(), PARAMETERS, strict=True))
    return f"{100 * part:.0f} ({NAMES[name]})"
