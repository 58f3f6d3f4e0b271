"""The paper's numbers and ours, and what had to be shown, as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.w24.models import OURS, PAPERS
from experiments.w24.results import Result
from filar.report.saturation_facts import PSF
from filar.saturation.bins import Scatter
from filar.saturation.criteria import Verdict
from filar.saturation.dispersion import MedianDispersion

PAPER = {
    "bias": -0.004, "half68": 0.12, "half95": 0.34, "rms": 0.168,
    "network": {"saturated": 0.037, "unsaturated": 0.048},
    "pipeline": {"saturated": 0.22, "unsaturated": 0.016},
}  # fmt: skip
"""Winecki & Kochanek 2024: figures 3 and 4, section 3."""


PARTIAL = ("test", "camera")
"""Surveys of which only networks are told: all methods are of both together."""


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def value(number: float, form: str = ".3f", error: float = float("nan")) -> str:
    """A number with its error, or a dash."""
    if not np.isfinite(number):
        return "–"
    text = f"{number:{form}}"
    return f"{text} ± {error:{form.removeprefix('+')}}" if np.isfinite(error) else text


def summary(results: Sequence[Result]) -> str:
    """Bias, ranges, rms and pulls of every method on every survey, the paper's first.

    Parameters
    ----------
    results : sequence of Result
        Of surveys without light curves, or with.

    Returns
    -------
    str
        Markdown.
    """
    rows = [["W24's camera", "its network", "about 66,000", "", *(
        value(float(PAPER[name]), form)  # type: ignore[arg-type]
        for name, form in (("bias", "+.3f"), ("half68", ".2f"), ("half95", ".2f"), ("rms", ".3f"))
    ), "", ""]]  # fmt: skip
    for one in results:
        for method in one.facts.methods:
            known = one.facts.models.get(method.name)
            domain = f"{100 * known.in_domain:.1f}" if known else ""
            own = [("all", method.whole)] if known else []
            own += [(n, p) for n, p in method.parts.items() if n.endswith("saturated")]
            for part, found in own if known or one.name not in PARTIAL else ():
                if not found.enough and not known:
                    continue
                rows.append([
                    f"{one.name}: {one.about}", f"{method.name}, {part}",
                    f"{found.stamps} of {found.stars} stars", f"{100 * found.told:.1f}",
                    *_cells(found), domain if part == "all" else "",
                ])  # fmt: skip
    text = markdown(
        ["survey", "method", "stamps", "told (%)", "bias", "68%", "95%", "rms", "pulls MAD / 68%",
         "in domain (%)"], rows,
    )  # fmt: skip
    shares = "; ".join(
        f"{one.name}: " + ", ".join(f"{100 * p:.1f}% of the {w}" for w, p in one.found.items())
        for one in results if one.found
    )  # fmt: skip
    return text + (f"\n\nTargets that there are stamps of: {shares}." if shares else "")


def _cells(one: Scatter) -> list[str]:
    return [
        value(one.bias, "+.4f", one.bias_err), value(one.half68, ".4f", one.half68_err),
        value(one.half95, ".3f", one.half95_err), value(one.rms, ".3f"),
        f"{value(one.pull, '.2f', one.pull_err)} / {value(one.pull68, '.2f')}",
    ]  # fmt: skip


def bins(result: Result, names: Sequence[str] = (OURS, PAPERS)) -> str:
    """Bias, scatter and pulls in bins of half a magnitude.

    Parameters
    ----------
    result : Result
        Of one survey.
    names : sequence of str
        Methods.

    Returns
    -------
    str
        Markdown.
    """
    methods = [one for one in result.facts.methods if one.name in names]
    header = ["magnitude", "stars (stamps)"]
    for one in methods:
        header += [f"{one.name}: bias", "68%", "95%", "pulls MAD / 68%"]
    rows = []
    for k, first in enumerate(methods[0].coarse):
        row = [f"{first.low:g} to {first.high:g}", f"{first.stars} ({first.stamps})"]
        for one in methods:
            found = one.coarse[k]
            if not found.enough:
                row += ["too few", "", "", ""]
                continue
            row += [cell for j, cell in enumerate(_cells(found)) if j != 3]
        rows.append(row)
    return markdown(header, rows)


def dispersions(results: Sequence[Result]) -> str:
    """Light curves of constant stars: typical dispersions beside the paper's.

    Parameters
    ----------
    results : sequence of Result
        Those with light curves.

    Returns
    -------
    str
        Markdown.
    """
    rows = [
        ["W24", name, *(
            cell for part in ("saturated", "unsaturated") for cell in (
                "", f"{values[part]:.3f}",  # type: ignore[index]
                f"{values[part] / PAPER['pipeline'][part]:.2f}")  # type: ignore[index]
        )]
        for name, values in (("its network", PAPER["network"]),
                             ("its standard pipeline", PAPER["pipeline"]))
    ]  # fmt: skip
    for one in results:
        by_part = {
            part: {row.method: row for row in own} for part, own in one.facts.medians.items()
        }
        for method in one.facts.methods if by_part else ():
            row = [one.name, method.name]
            for part in ("saturated", "unsaturated"):
                row += _dispersion(by_part[part][method.name])
            rows.append(row)
    header = ["survey", "method"]
    for part in ("saturated", "unsaturated"):
        header += [f"{part}: light curves", "median dispersion", f"over {PSF}"]
    return markdown(header, rows)


def _dispersion(one: MedianDispersion) -> list[str]:
    return [str(one.curves), value(one.median, ".4f", one.median_err),
            value(one.ratio, ".2f", one.ratio_err)]  # fmt: skip


def criteria(verdicts: Mapping[str, Sequence[Verdict]]) -> str:
    """What had to be shown, and whether it is.

    Parameters
    ----------
    verdicts : mapping of str to sequence of Verdict
        By what was judged.

    Returns
    -------
    str
        Markdown; below it the bins that miss.
    """
    rows, below = [], []
    for name, own in verdicts.items():
        for one in own:
            rows.append([name, one.what, one.word, one.found])
            if one.missed:
                bins = "; ".join(
                    f"{b.low:g} to {b.high:g}: {value(b.value, '.3f', b.error)}"
                    + ("*" if b.by_chance else "")
                    for b in one.missed
                )
                below.append(f"- {name}, {one.what}: missed at {bins}")
            if one.unknown:
                spans = ", ".join(f"{low:g} to {high:g}" for low, high in one.unknown)
                below.append(f"- {name}, {one.what}: too few stars at {spans}")
    text = markdown(["by", "criterion", "", "found"], rows)
    note = "\n\n(*: by less than two of its errors.)" if below else ""
    return text + ("\n\n" + "\n".join(below) + note if below else "")
