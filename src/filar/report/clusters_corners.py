"""Corner plots of single clusters: posteriors with their correlations, and the truth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.clusters.evaluate import Judgement
from filar.clusters.posterior import PARAMETERS
from filar.report.clusters_facts import AXES, WORDS, Chosen, ClustersFacts, own_samples
from filar.report.frames_panels import (
    BLACK,
    Figure,
    FloatArray,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
    steps,
    style,
    thinned,
)

HELD = (0.68, 0.95)
"""Parts of the posterior that the contours enclose."""

METHODS = 2
"""Posteriors drawn over each other, at most."""

_GRID = 44
_SMOOTH = 2.0  # cells, of the density whose contours are drawn
_DRAWS = 400
_HISTOGRAM = 30


def corner_figures(facts: ClustersFacts) -> list[Figure]:
    """A corner plot for each chosen cluster.

    Parameters
    ----------
    facts : ClustersFacts
        What was judged.

    Returns
    -------
    list of Figure
        None without posteriors.
    """
    shown = facts.posteriors[:METHODS]
    return [_corner(facts, chosen, shown) for chosen in facts.chosen] if shown else []


def contour_levels(density: FloatArray, held: tuple[float, ...] = HELD) -> list[float]:
    """Densities above which given parts of the whole lie.

    Parameters
    ----------
    density : array
        Of any shape, not negative.
    held : tuple of float
        The parts.

    Returns
    -------
    list of float
        One per part.
    """
    ordered = np.sort(density, axis=None)[::-1]
    whole = np.cumsum(ordered)
    places = [int(np.searchsorted(whole, part * whole[-1])) for part in held]
    return [float(ordered[min(place, len(ordered) - 1)]) for place in places]


def contours(
    x: NDArray[np.floating], y: NDArray[np.floating], ends: tuple[tuple[float, float], ...]
) -> list[tuple[FloatArray, FloatArray]]:
    """Lines that enclose parts of a cloud of draws.

    Parameters
    ----------
    x, y : (n,) arrays
        The draws.
    ends : two pairs of float
        Ranges of x and y.

    Returns
    -------
    list of (x, y) arrays
        One line per part of `HELD`, gaps are NaN.
    """
    from bokeh.plotting.contour import contour_data
    from scipy.ndimage import gaussian_filter

    counts, x_edges, y_edges = np.histogram2d(x, y, _GRID, list(ends))
    if not counts.any():
        return []
    # Beyond the edges there is nothing: a ring of empty cells closes the lines.
    density = np.pad(gaussian_filter(counts.T, _SMOOTH, mode="constant"), 1)
    x_at, y_at = (_padded((edges[1:] + edges[:-1]) / 2) for edges in (x_edges, y_edges))
    found = []
    for level in contour_levels(density):
        drawn = contour_data(x_at, y_at, density, [level], want_fill=False).line_data
        if drawn is not None and drawn.xs:
            found.append((np.asarray(drawn.xs[0], float), np.asarray(drawn.ys[0], float)))
    return found


def _padded(centres: FloatArray) -> FloatArray:
    step = centres[1] - centres[0]
    return np.concatenate([[centres[0] - step], centres, [centres[-1] + step]])


def _corner(facts: ClustersFacts, chosen: Chosen, shown: tuple[Judgement, ...]) -> Figure:
    truth = facts.values[chosen.row]
    draws = {one.name: _own(facts, one, chosen.row) for one in shown}
    ends = [_ends(np.concatenate([d[:, k] for d in draws.values()]), truth[k])
            for k in range(len(PARAMETERS))]  # fmt: skip
    rows = [
        tuple(
            _alone(facts, draws, truth, k, ends)
            if j == k
            else _pair(facts, draws, truth, (j, k), ends)
            for j in range(k + 1)
        )
        for k in range(len(PARAMETERS))
    ]
    snr = facts.true["log_snr"][chosen.row]
    seen = f"; S/N {10**snr:.0f}" if np.isfinite(snr) else ""
    told = ", ".join(
        f"{WORDS[name][0]} {value:.2f}" for name, value in zip(PARAMETERS, truth, strict=True)
    )
    note = (
        f"Truth (black lines): {told}{seen}. Draws from the posterior, and the contours that "
        "enclose 68% and 95% of them."
    )
    title = f"Posterior: {chosen.why}"
    return Figure(f"corner_{chosen.name}", title, note, tuple(rows))


def _own(facts: ClustersFacts, one: Judgement, row: int) -> NDArray[np.float32]:
    samples = own_samples(one, facts.truth)
    assert samples is not None  # only methods with posteriors are shown
    return np.asarray(samples[row], np.float32)


def _ends(values: NDArray[np.floating], truth: float) -> tuple[float, float]:
    low, high = (float(end) for end in np.quantile(values, (0.002, 0.998)))
    low, high = min(low, truth), max(high, truth)
    away = 0.08 * (high - low) if high > low else 0.1
    return low - away, high + away


def _alone(
    facts: ClustersFacts,
    draws: dict[str, NDArray[np.float32]],
    truth: FloatArray,
    k: int,
    ends: list[tuple[float, float]],
) -> Panel:
    layers: list[Layer] = [Level(float(truth[k]), "x", "solid", colour=BLACK)]
    titles = []
    for name, own in draws.items():
        counts = np.histogram(own[:, k], _HISTOGRAM, ends[k])[0]
        height = counts / max(counts.max(), 1)
        layers.append(
            Line(*steps(height, *ends[k]), "", style(facts.number(name))[0], "solid", 1.5)
        )
        low, middle, high = np.quantile(own[:, k], (0.16, 0.5, 0.84))
        titles.append(f"{middle:.2f} (+{high - middle:.2f} -{middle - low:.2f})")
    title = f"{WORDS[PARAMETERS[k]][0]}: {' / '.join(titles)}"
    return Panel(title, AXES[PARAMETERS[k]], "density", tuple(layers), ends[k], (0.0, 1.1))


def _pair(
    facts: ClustersFacts,
    draws: dict[str, NDArray[np.float32]],
    truth: FloatArray,
    pair: tuple[int, int],
    ends: list[tuple[float, float]],
) -> Panel:
    j, k = pair
    layers: list[Layer] = []
    for name, own in draws.items():
        number = facts.number(name)
        some = own[thinned(len(own), _DRAWS)].astype(float)
        # Without the label of marks, whose letter would be the methods' different shape.
        layers.append(Marks(some[:, j], some[:, k], "", number, size=1.5, alpha=0.3, dot=True))
        for i, (x, y) in enumerate(contours(own[:, j], own[:, k], (ends[j], ends[k]))):
            label = name if i == 0 else ""
            layers.append(Line(x, y, label, style(number)[0], "solid", 1.8 - 0.6 * i))
    layers += [
        Level(float(truth[j]), "x", "solid", colour=BLACK),
        Level(float(truth[k]), "y", "solid", colour=BLACK),
    ]
    return Panel("", AXES[PARAMETERS[j]], AXES[PARAMETERS[k]], tuple(layers), ends[j], ends[k])
