"""What was found, as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.b20.plan import ABOUT, PAPERS
from experiments.w24.table import markdown, value
from filar.clusters.evaluate import Judgement
from filar.clusters.evaluate_criteria import Verdict
from filar.clusters.posterior import PARAMETERS

UNITS = {"log_age": "dex", "a_v": "mag", "log_mass": "dex", "log_r_h": "dex"}

MOST = 6
"""Misses of a criterion that are told one by one."""

PAPER = (
    "The paper (B20) calls its network reliable for ages up to 100 Myr, A_V of 0-3 mag, masses of "
    "3e3-3e5 Msun and sizes of 0.04-0.4 arcsec, which are the ranges here; its own figures of "
    "scatter are not at hand."
)


def parameters(methods: Sequence[Judgement]) -> str:
    """Rms, bias and coverage of every parameter.

    Parameters
    ----------
    methods : sequence of Judgement
        Of the same cutouts.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for one in methods:
        whole = one.whole
        for k, name in enumerate(PARAMETERS):
            rows.append([
                one.name if not k else "", f"{name} ({UNITS[name]})",
                value(whole.rms[k], ".3f", whole.rms_err[k]),
                value(whole.bias[k], "+.3f", whole.bias_err[k]),
                value(whole.half68[k], ".3f"), value(100 * whole.inside68[k], ".1f"),
                value(100 * whole.inside95[k], ".1f"), _p(one, name),
            ])  # fmt: skip
    header = ["method", "parameter", "rms", "bias", "half of the middle 68%", "in 68% (%)",
              "in 95% (%)", "ranks: p"]  # fmt: skip
    return markdown(header, rows)


def _p(one: Judgement, name: str) -> str:
    test = one.uniform.get(name)
    return "" if test is None or not np.isfinite(test.p) else f"{test.p:.2g}"


def quarters(methods: Sequence[Judgement], by: str) -> str:
    """Rms of every parameter in quarters.

    Parameters
    ----------
    methods : sequence of Judgement
        Of the same cutouts.
    by : str
        Whose true value chooses the quarter.

    Returns
    -------
    str
        Markdown.
    """
    rows = [
        [one.name if not k else "", f"{part.low:.2f} to {part.high:.2f}",
         *(value(part.rms[j], ".3f", part.rms_err[j]) for j in range(len(PARAMETERS)))]
        for one in methods for k, part in enumerate(one.quarters[by])
    ]  # fmt: skip
    return markdown(["method", by, *(f"rms {name}" for name in PARAMETERS)], rows)


def detection(methods: Sequence[Judgement]) -> str:
    """How well clusters are told from backgrounds.

    Parameters
    ----------
    methods : sequence of Judgement
        Of the same cutouts.

    Returns
    -------
    str
        Markdown.
    """
    rows = []
    for one in methods:
        found = one.detection
        if found is None:
            continue
        rows.append([
            one.name, value(found.auc, ".4f"), value(found.accuracy, ".4f", found.accuracy_err),
            value(100 * found.completeness, ".1f"), value(100 * found.false_alarms, ".1f"),
            value(found.half_found, ".2f"), value(float(np.nanstd(one.snr_miss)), ".3f"),
        ])  # fmt: skip
    header = ["method", "area below the ROC", "accuracy", "clusters found (%)",
              "backgrounds taken for clusters (%)", "half found from log S/N",
              "scatter of log S/N (dex)"]  # fmt: skip
    return markdown(header, rows)


def criteria(verdicts: Mapping[str, Sequence[Verdict]]) -> str:
    """What had to be shown, and whether it is.

    Parameters
    ----------
    verdicts : mapping of str to sequence of Verdict
        By method.

    Returns
    -------
    str
        Markdown; below it what misses by more than two standard errors, and how many others do.
    """
    rows, below = [], []
    for name, own in verdicts.items():
        for one in own:
            rows.append([name, one.what, one.word, one.found])
            if one.missed:
                sure = [text for text in one.missed if not text.startswith("(")]
                told = "; ".join([*sure[:MOST], *(["..."] if len(sure) > MOST else [])])
                others = f"by less than two standard errors: {len(one.missed) - len(sure)}"
                below.append(f"- {name}, {one.what}: {len(sure)} ({told or 'none'}); {others}")
    text = markdown(["method", "criterion", "", "found"], rows)
    return text + ("\n\nMissed:\n\n" + "\n".join(below) if below else "")


def times(training: Mapping[str, float], telling: Mapping[str, float], cutouts: int) -> str:
    """How long each method took.

    Parameters
    ----------
    training, telling : mapping of str to float
        Seconds, by method.
    cutouts : int
        Told.

    Returns
    -------
    str
        Markdown.
    """
    rows = [
        [name, ABOUT.get(name, ""), value(training[name] / 60, ".1f"),
         value(cutouts / telling[name], ".0f") if telling.get(name) else ""]
        for name in training
    ]  # fmt: skip
    return markdown(["method", "what", "training (min)", "cutouts told per s"], rows)


def missing(names: Sequence[str]) -> str:
    """What was not trained."""
    if PAPERS in names:
        return ""
    return "The paper's network in its full width was not trained (see --full): it needs a GPU."
