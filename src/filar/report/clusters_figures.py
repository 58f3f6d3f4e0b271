"""Figures of cluster parameters: inferred against true, rms and bias, age against extinction."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from filar.clusters.evaluate import QUANTITIES, Judgement
from filar.clusters.evaluate_posterior import correlations
from filar.clusters.evaluate_scatter import Scatter
from filar.clusters.posterior import PARAMETERS
from filar.report.clusters_facts import (
    AGE,
    AXES,
    EXTINCTION,
    WORDS,
    ClustersFacts,
    confusion,
    own_samples,
)
from filar.report.frames_panels import (
    BLACK,
    GREY,
    Cells,
    Dash,
    Figure,
    FloatArray,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
    style,
    thinned,
)

DASHES: tuple[Dash, ...] = ("solid", "dashed", "dotted")
_SIDES: tuple[tuple[int, Dash, str], ...] = (
    (1, "solid", "median"), (0, "dashed", "68%"), (2, "dashed", ""),
)  # fmt: skip
_CLOUD = 2100  # more than figures as numbers hold
_BINS = 12
_LEAST = 10  # clusters in a bin of a running median


def parameter_figures(facts: ClustersFacts) -> list[Figure]:
    """Inferred against true values, and errors in bins of everything.

    Parameters
    ----------
    facts : ClustersFacts
        What was judged.

    Returns
    -------
    list of Figure
    """
    figures = [_inferred(facts)]
    figures += [_errors(facts, name) for name in QUANTITIES if _binned(facts, name)]
    figures += [_told(facts), *_confusions(facts)]
    return figures


def span(values: FloatArray, margin: float = 0.04) -> tuple[float, float]:
    """Ends of an axis that holds all values."""
    good = values[np.isfinite(values)]
    low, high = (float(good.min()), float(good.max())) if len(good) else (0.0, 1.0)
    away = margin * (high - low) if high > low else 0.5
    return low - away, high + away


def unit(parameter: str) -> str:
    """Of a parameter's errors."""
    return WORDS[parameter][1]


def _inferred(facts: ClustersFacts) -> Figure:
    rows = [
        tuple(_inferred_panel(facts, one, k) for k in range(len(PARAMETERS)))
        for one in facts.methods
    ]
    note = (
        "Posterior means (or the method's values) of single clusters against the truth, with the "
        "median and the range that holds 68% in bins of the truth. That they bend away from the "
        "diagonal at the ends is no fault: where light tells little, the mean of an honest "
        "posterior is drawn to the middle of what is possible."
    )
    return Figure("inferred", "Inferred against true", note, tuple(rows))


def _inferred_panel(facts: ClustersFacts, one: Judgement, k: int) -> Panel:
    true, told = facts.values[:, k], one.point[:, k]
    some = thinned(len(true), _CLOUD)
    ends = span(true)
    number = facts.number(one.name)
    layers: list[Layer] = [
        Marks(true[some], told[some], one.name if k == 0 else "", number, size=2, alpha=0.35,
              dot=True),
        Line(np.array(ends), np.array(ends), "truth", GREY, "solid", 1.0),
    ]  # fmt: skip
    centre, sides = running(true, told)
    for row, dash, label in _SIDES:
        layers.append(Line(centre, sides[row], label, BLACK, dash))
    rms = one.whole.rms[k]
    title = f"{one.name}: {WORDS[PARAMETERS[k]][0]}, rms {rms:.2f}"
    axis = AXES[PARAMETERS[k]]
    return Panel(title, f"true {axis}", f"inferred {axis}", tuple(layers), ends, ends)


def running(true: FloatArray, told: FloatArray, bins: int = _BINS) -> tuple[FloatArray, FloatArray]:
    """Quantiles 16%, 50% and 84% of one quantity in bins of another.

    Parameters
    ----------
    true, told : (n,) arrays
        The binned quantity and the other one.
    bins : int
        Equally wide.

    Returns
    -------
    centre : (bins,) array
        Of the bins.
    sides : (3, bins) array
        NaN where there are few.
    """
    good = np.isfinite(true) & np.isfinite(told)
    sides = np.full((3, bins), np.nan)
    if not good.any():
        return np.full(bins, np.nan), sides
    edges = np.linspace(true[good].min(), np.nextafter(true[good].max(), np.inf), bins + 1)
    place = np.searchsorted(edges, true[good], side="right") - 1
    for k in range(bins):
        own = told[good][place == k]
        if len(own) >= _LEAST:
            sides[:, k] = np.quantile(own, (0.16, 0.5, 0.84))
    return (edges[1:] + edges[:-1]) / 2, sides


def _binned(facts: ClustersFacts, quantity: str) -> bool:
    return any(part.enough for one in facts.methods for part in one.bins.get(quantity, ()))


def _errors(facts: ClustersFacts, quantity: str) -> Figure:
    axis = AXES[quantity]
    rms, bias = [], []
    for k, parameter in enumerate(PARAMETERS):
        word = WORDS[parameter][0]
        ends = span(np.concatenate([_centres(one.bins.get(quantity, ())) for one in facts.methods]))
        rms.append(
            Panel(f"{word}: rms and scatter", f"true {axis}", f"error ({unit(parameter)})",
                  tuple(_bin_layers(facts, quantity, k, "rms")), ends,
                  (0.0, _top(facts, quantity, k)))
        )  # fmt: skip
        side = _top(facts, quantity, k) * 0.75
        bias.append(
            Panel(f"{word}: bias", f"true {axis}", f"mean miss ({unit(parameter)})",
                  (Level(0.0, dash="solid", colour=BLACK),
                   *_bin_layers(facts, quantity, k, "bias")), ends, (-side, side))
        )  # fmt: skip
    note = (
        "Inferred minus true in bins of the true value of a quantity. Marks: rms about zero and "
        "mean miss, with standard errors; dashed lines: half of the range that holds 68% of the "
        "misses, which few gross errors do not raise."
    )
    name = WORDS[quantity][0]
    return Figure(f"errors_{quantity}", f"Errors against {name}", note, (tuple(rms), tuple(bias)))


def _bin_layers(facts: ClustersFacts, quantity: str, k: int, name: str) -> list[Layer]:
    """One figure of all methods in bins of a quantity's true value."""
    layers: list[Layer] = []
    for one in facts.methods:
        parts = one.bins.get(quantity, ())
        colour, number = style(facts.number(one.name))[0], facts.number(one.name)
        x, y = _centres(parts), _values(parts, name, k)
        layers.append(Line(x, y, "", colour, "solid", 1.2))
        layers.append(Marks(x, y, one.name, number, _values(parts, f"{name}_err", k)))
        if name == "rms":
            scatter = _values(parts, "half68", k)
            layers.append(Line(x, scatter, f"{one.name}: half of 68%", colour, "dashed", 1.2))
    return layers


def _centres(parts: Sequence[Scatter]) -> FloatArray:
    return np.array([part.centre for part in parts], float)


def _values(parts: Sequence[Scatter], name: str, k: int) -> FloatArray:
    return np.array([getattr(part, name)[k] for part in parts], float)


def _top(facts: ClustersFacts, quantity: str, k: int) -> float:
    """End of the axis of errors: nothing is cut off."""
    parts = [part for one in facts.methods for part in one.bins.get(quantity, ())]
    ends = np.concatenate(
        [_values(parts, "rms", k) + _values(parts, "rms_err", k), _values(parts, "half68", k)]
    )
    ends = ends[np.isfinite(ends)]
    return 1.08 * float(ends.max()) if len(ends) and ends.max() > 0 else 1.0


def _told(facts: ClustersFacts) -> Figure:
    panels = []
    for k, parameter in enumerate(PARAMETERS):
        layers: list[Layer] = [Level(0.0, dash="solid", colour=BLACK)]
        for one in facts.methods:
            parts = one.told_bins.get(parameter, ())
            x, y = _centres(parts), _values(parts, "bias", k)
            number = facts.number(one.name)
            layers.append(Line(x, y, "", style(number)[0], "solid", 1.2))
            layers.append(Marks(x, y, one.name, number, _values(parts, "bias_err", k)))
        axis = AXES[parameter]
        panels.append(
            Panel(WORDS[parameter][0], f"inferred {axis}", f"mean miss ({unit(parameter)})",
                  tuple(layers))
        )  # fmt: skip
    note = (
        "Mean of inferred minus true in bins of the inferred value. Here, unlike in bins of the "
        "truth, an honest posterior's mean has no bias anywhere."
    )
    return Figure("told", "Bias against the inferred value", note, (tuple(panels),))


def _confusions(facts: ClustersFacts) -> list[Figure]:
    """Age against extinction: misses, correlations, and where posteriors put true values."""
    rows = [(_together(facts, one), *_correlation(facts, one)) for one in facts.methods]
    cells = [
        tuple(
            _confusion(facts, one, k)
            for k in (AGE, EXTINCTION)
            if np.isfinite(one.point[:, k]).any()
        )
        for one in facts.methods
    ]
    together = (
        "Left: misses of age and extinction of the same clusters, as means of the posteriors. An "
        "older and a redder cluster look alike, so that both miss together. Right: the correlation "
        "of the two within each posterior, which tells that it may be so; the line is that of the "
        "misses, all clusters together."
    )
    where = (
        "Columns: clusters of some true age or extinction; rows: how much of their posteriors, on "
        "average, lies in each range. Columns add up to 1; beside the diagonal is what is taken "
        "for something else."
    )
    return [
        Figure("age_extinction", "Age and extinction together", together, tuple(rows)),
        Figure("confusion", "Age and extinction taken for others", where, _shown(cells)),
    ]


def _shown(rows: Sequence[tuple[Panel, ...]]) -> tuple[tuple[Panel, ...], ...]:
    """Rows in which there is something; an empty panel if there are none."""
    return tuple(row for row in rows if row) or ((Panel("nothing told", "", "", ()),),)


def _together(facts: ClustersFacts, one: Judgement) -> Panel:
    age, extinction = one.misses.miss[:, AGE], one.misses.miss[:, EXTINCTION]
    some = thinned(len(age), _CLOUD)
    number = facts.number(one.name)
    layers: tuple[Layer, ...] = (
        Level(0.0, dash="solid"),
        Level(0.0, "x", "solid"),
        Marks(age[some], extinction[some], one.name, number, size=2.5, alpha=0.4, dot=True),
    )
    title = f"{one.name}: correlation of the misses {_tied(one):+.2f}"
    return Panel(title, "miss of log age (dex)", "miss of A_V (mag)", layers)


def _tied(one: Judgement) -> float:
    """Correlation of the misses of age and extinction; NaN if there is none."""
    age, extinction = one.misses.miss[:, AGE], one.misses.miss[:, EXTINCTION]
    known = np.isfinite(age) & np.isfinite(extinction)
    if known.sum() < 2 or not (np.ptp(age[known]) > 0 and np.ptp(extinction[known]) > 0):
        return float("nan")
    return float(np.corrcoef(age[known], extinction[known])[0, 1])


def _correlation(facts: ClustersFacts, one: Judgement) -> list[Panel]:
    """Nothing without posteriors."""
    samples = own_samples(one, facts.truth)
    if samples is None:
        return []
    layers: list[Layer] = [Level(0.0, dash="solid")]
    tied = _tied(one)
    if np.isfinite(tied):
        layers.append(Level(tied, dash="dashed", label="of the misses"))
    age, inside = facts.values[:, AGE], correlations(samples, AGE, EXTINCTION)
    some = thinned(len(age), _CLOUD)
    number = facts.number(one.name)
    layers.append(Marks(age[some], inside[some], "", number, size=2.5, alpha=0.4, dot=True))
    centre, sides = running(age, inside)
    for row, dash, label in _SIDES:
        layers.append(Line(centre, sides[row], label, BLACK, dash))
    middle = np.nanmedian(inside) if np.isfinite(inside).any() else np.nan
    title = f"{one.name}: within posteriors, median {middle:+.2f}"
    label = "correlation of age and A_V"
    return [Panel(title, f"true {AXES['log_age']}", label, tuple(layers), span(age), (-1.05, 1.05))]


def _confusion(facts: ClustersFacts, one: Judgement, parameter: int) -> Panel:
    edges, values = confusion(one, facts.truth, parameter)
    axis = AXES[PARAMETERS[parameter]]
    cells = Cells(edges, edges, values, "mean probability", 0.0, float(np.nanmax(values)))
    diagonal = Line(edges[[0, -1]], edges[[0, -1]], "", "#FFFFFF", "dotted", 1.0)
    ends = (float(edges[0]), float(edges[-1]))
    return Panel(one.name, f"true {axis}", f"inferred {axis}", (cells, diagonal), ends, ends)
