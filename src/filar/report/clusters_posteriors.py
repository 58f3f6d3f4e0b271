"""Figures of posteriors of clusters: coverage, ranks, pulls."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from filar.clusters.evaluate import QUANTITIES, Judgement
from filar.clusters.evaluate_posterior import (
    INTERVALS,
    LEVELS,
    RANK_BINS,
    Uniformity,
    coverage_error,
)
from filar.clusters.evaluate_scatter import Scatter
from filar.clusters.posterior import PARAMETERS
from filar.report.clusters_facts import WORDS, ClustersFacts
from filar.report.clusters_figures import DASHES
from filar.report.frames_panels import (
    BLACK,
    GREY,
    Figure,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
    steps,
    style,
)

_CHANCE = 1.96  # standard errors of bands in which 95% lie by chance
_SHORT = ("age", "A_V", "mass", "r_h", "S/N")  # of QUANTITIES, below the axis
_PULL_BINS, _PULL = 40, 5.0
_LEAST_SPAN = 5.0  # percent, of the axis of coverage


def posterior_figures(facts: ClustersFacts) -> list[Figure]:
    """Coverage, ranks and pulls, of the methods that have them.

    Parameters
    ----------
    facts : ClustersFacts
        What was judged.

    Returns
    -------
    list of Figure
    """
    figures = []
    if facts.posteriors:
        figures.append(_coverage(facts))
    if any(np.isfinite(one.whole.inside68).any() for one in facts.methods):
        figures.append(_quarters(facts))
    if facts.posteriors:
        figures.append(_ranks(facts))
    if any(np.isfinite(one.whole.pull).any() for one in facts.methods):
        figures.append(_pulls(facts))
    return figures


def _coverage(facts: ClustersFacts) -> Figure:
    number = facts.posteriors[0].whole.number
    chance = 100 * _CHANCE * coverage_error(LEVELS, number)
    more = {one.name: 100 * (one.curve - LEVELS[:, None]) for one in facts.posteriors}
    largest = max((float(np.nanmax(np.abs(v))) for v in more.values()), default=0.0)
    top = max(_LEAST_SPAN, 1.1 * largest)
    panels = []
    for k, parameter in enumerate(PARAMETERS):
        layers: list[Layer] = [
            Level(0.0, dash="solid", colour=BLACK),
            Line(100 * LEVELS, chance, "95% by chance", GREY, "dotted", 1.0),
            Line(100 * LEVELS, -chance, "", GREY, "dotted", 1.0),
        ]
        for j, one in enumerate(facts.posteriors):
            style_number = facts.number(one.name)
            colour, dash = style(style_number)[0], DASHES[j % len(DASHES)]
            layers.append(Line(100 * LEVELS, more[one.name][:, k], "", colour, dash, 1.2))
            layers.append(Marks(100 * LEVELS, more[one.name][:, k], one.name, style_number, size=4))
        panels.append(
            Panel(WORDS[parameter][0], "nominal coverage (percent)", "found - nominal (percent)",
                  tuple(layers), (0.0, 100.0), (-top, top))
        )  # fmt: skip
    note = (
        "How many more of the true values lie within central intervals than should, for intervals "
        "of all widths. Below zero: posteriors too narrow; above: too wide."
    )
    return Figure("coverage", "Coverage of all intervals", note, (tuple(panels),))


def _quarters(facts: ClustersFacts) -> Figure:
    known = [one for one in facts.methods if np.isfinite(one.whole.inside68).any()]
    rows = []
    for name, level in zip(("inside68", "inside95"), INTERVALS, strict=True):
        panels = []
        for k, parameter in enumerate(PARAMETERS):
            layers: list[Layer] = [Level(100 * level, dash="solid", colour=BLACK)]
            layers += [Level(5 * q + 4.5, "x", "dotted") for q in range(len(QUANTITIES) - 1)]
            for j, one in enumerate(known):
                layers.append(_quarter_marks(facts, one, name, level, k, j - (len(known) - 1) / 2))
            title = f"{WORDS[parameter][0]}: {100 * level:.3g}% intervals"
            panels.append(
                Panel(title, "quarters of what was inferred", "true values inside (percent)",
                      tuple(layers), (-0.7, 5 * len(QUANTITIES) - 1.3), None,
                      ticks=_quarter_ticks())
            )  # fmt: skip
        rows.append(tuple(panels))
    note = (
        "Part of the true values inside of the intervals in each quarter, lowest first, of the "
        "inferred age, extinction, mass, size and visibility; with errors by chance. The quarters "
        "are those of inferred values: in quarters of the truth the best of posteriors cover more "
        "or less (the tables give both)."
    )
    return Figure("quarters", "Coverage in quarters", note, tuple(rows))


def _quarter_ticks() -> tuple[str, ...]:
    """Each quantity's name below the third of its quarters."""
    names = [["", "", short, "", ""] for short in _SHORT]
    return tuple(chain.from_iterable(names))[:-1]


def _quarter_marks(
    facts: ClustersFacts, one: Judgement, name: str, level: float, k: int, aside: float
) -> Marks:
    x, y, error = [], [], []
    for q, quantity in enumerate(QUANTITIES):
        parts: Sequence[Scatter] = one.told_quarters.get(quantity, ())
        for place, part in enumerate(parts):
            x.append(5 * q + place + 0.2 * aside)
            y.append(100 * float(getattr(part, name)[k]))
            error.append(100 * float(coverage_error(level, max(part.number, 1))))
    return Marks(
        np.array(x, float), np.array(y, float), one.name, facts.number(one.name),
        np.array(error, float), size=4,
    )  # fmt: skip


def _ranks(facts: ClustersFacts) -> Figure:
    rows = []
    for one in facts.posteriors:
        panels = []
        for name, test in one.uniform.items():
            words = WORDS[name][0] if name in WORDS else "all four together"
            panels.append(_rank_panel(facts, one, words, test))
        rows.append(tuple(panels))
    note = (
        "Rank of the truth among the draws of its posterior, 0 below all of them and 1 above: "
        "uniform if the posterior is honest, high at the ends if it is too narrow, in the middle "
        "if too wide, tilted if it is biased. The last panel ranks the truth's distance from a "
        "point chosen at random, in all four parameters together, which a wrong correlation "
        "spoils as well. Dotted: 95% of the bins by chance."
    )
    return Figure("ranks", "Ranks of the truth", note, tuple(rows))


def _rank_panel(facts: ClustersFacts, one: Judgement, words: str, test: Uniformity) -> Panel:
    expected = test.number / RANK_BINS
    x, y = steps(test.counts, 0.0, 1.0)
    chance = _CHANCE * np.sqrt(expected * (1 - 1 / RANK_BINS))
    layers: tuple[Layer, ...] = (
        Level(expected, dash="solid", colour=BLACK),
        Level(expected + chance, dash="dotted"),
        Level(expected - chance, dash="dotted"),
        Line(x, y, one.name, style(facts.number(one.name))[0], "solid", 1.8),
    )
    top = 1.1 * max(float(test.counts.max()), expected + 2 * chance)
    title = f"{words}: p {test.p:.2g}, off {test.deviation:.3f}"
    return Panel(title, "rank", "clusters", layers, (0.0, 1.0), (0.0, top))


def _pulls(facts: ClustersFacts) -> Figure:
    centre = np.linspace(-_PULL, _PULL, 201)
    gauss = np.exp(-(centre**2) / 2) / np.sqrt(2 * np.pi)
    known = [one for one in facts.methods if np.isfinite(one.whole.pull).any()]
    panels = []
    for k, parameter in enumerate(PARAMETERS):
        layers: list[Layer] = [Line(centre, gauss, "Gaussian", GREY, "solid", 1.0)]
        widths = []
        for j, one in enumerate(known):
            pull = one.misses.pull[:, k]
            pull = pull[np.isfinite(pull)]
            counts = np.histogram(np.clip(pull, -_PULL, _PULL), _PULL_BINS, (-_PULL, _PULL))[0]
            height = counts / max(len(pull), 1) / (2 * _PULL / _PULL_BINS)
            colour, dash = style(facts.number(one.name))[0], DASHES[j % len(DASHES)]
            layers.append(Line(*steps(height, -_PULL, _PULL), one.name, colour, dash, 1.4))
            widths.append(f"{one.whole.pull[k]:.2f}")
        title = f"{WORDS[parameter][0]}: width {', '.join(widths)}"
        panels.append(
            Panel(title, "(inferred - true) / predicted error", "density", tuple(layers),
                  (-_PULL, _PULL), (0.0, 0.65))
        )  # fmt: skip
    note = (
        "Posterior mean minus truth over the posterior's standard deviation (of intervals, half "
        "of the 68% one). The standard deviation of the pulls is 1 if errors are honest, whatever "
        "the posteriors' shape; that they follow the Gaussian is not asked for. Pulls beyond the "
        "ends are counted in the outermost bins."
    )
    return Figure("pulls", "Pulls", note, (tuple(panels),))
