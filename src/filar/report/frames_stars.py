"""Figures of the stars' fit quality, pixel phases and scatter: C23's 3 and 19."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from filar.frames.curves import AXES
from filar.frames.spread import WIDTH, summed_gaussians
from filar.frames.starlist import StarList
from filar.report.frames_facts import FrameFacts, Groups
from filar.report.frames_panels import (
    GREY,
    MPIX,
    Figure,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
    steps,
    style,
    thinned,
)

MOST = 3000
_GRID = 500


def quality_figure(groups: Groups) -> Figure | None:
    """Draw q against magnitude in the reference exposure, as in C23's figure 3.

    Parameters
    ----------
    groups : dict
        See `gather`.

    Returns
    -------
    Figure or None
        None if no list has q and magnitudes.
    """
    panels = []
    for label, methods in groups.items():
        layers: list[Layer] = []
        shown = []
        for facts in methods:
            stars = _reference(facts)
            good = np.isfinite(stars.q) & np.isfinite(stars.mag) & (stars.q > 0)
            if good.any():
                some = np.flatnonzero(good)[thinned(int(good.sum()), MOST)]
                shown.append(stars.q[some])
                layers.append(Marks(stars.mag[some], stars.q[some], facts.method, facts.number,
                                    size=3, alpha=0.5))  # fmt: skip
        if layers:
            title = f"{label}, {methods[0].frame.reference}"
            every = np.concatenate(shown)
            low, high = np.quantile(every, (0.001, 0.99)).tolist()
            panels.append(Panel(title, "instrumental magnitude", "q", tuple(layers),
                                y_range=(0.7 * low, 1.5 * high), log=True))  # fmt: skip
    if not panels:
        return None
    note = (
        "How well the PSF fits each star of the reference exposure: summed absolute residuals over "
        "flux. It falls with brightness until what is left is the PSF's own error; saturated stars "
        "and blends lie high."
    )
    rows = tuple(tuple(panels[i : i + 2]) for i in range(0, len(panels), 2))
    return Figure("quality", "Quality of fit", note, rows)


def _reference(facts: FrameFacts) -> StarList:
    frame = facts.frame
    own = [tie.stars for tie in frame.ties if tie.stars.exposure == frame.reference]
    return own[0] if own else StarList.build(np.zeros(0), np.zeros(0))


def phases_figure(groups: Groups) -> Figure:
    """Draw the histograms of pixel phases of all selected measures, clipped ones included."""
    rows = []
    for label, methods in groups.items():
        panels = []
        for axis in AXES:
            layers: list[Layer] = [Level(1.0, dash="solid")]
            for facts in methods:
                counts = facts.phases[axis].counts
                mean = counts.sum() / len(counts)
                if mean:
                    x, y = steps(counts / mean, -0.5, 0.5)
                    colour = style(facts.number)[0]
                    layers.append(Line(x, y, f"{facts.method}", colour))
            first = methods[0].phases[axis]
            noise = 1 / np.sqrt(max(first.counts.sum() / len(first.counts), 1))
            layers[1:1] = [Level(1 + noise, dash="dotted"), Level(1 - noise, dash="dotted")]
            chi2 = ", ".join(f"{f.phases[axis].chi2:.1f}" for f in methods)
            title = f"{label}, {axis}: reduced chi2 {chi2}"
            panels.append(
                Panel(
                    title,
                    f"pixel phase of {axis} (pixels)",
                    "measures over their mean",
                    tuple(layers),
                    x_range=(-0.5, 0.5),
                )
            )
        rows.append(tuple(panels))
    note = (
        "Where in their pixels the well-measured stars are found, all exposures together. Stars "
        "fall anywhere, so true positions give a flat histogram; heaps at the centre or the edges "
        "are the bias. Dotted lines are the counting noise of a bin; reduced chi-square in the "
        "order of the legend. It grows with the number of measures."
    )
    return Figure("phases", "Pixel phases", note, tuple(rows))


def rms_figure(groups: Groups) -> Figure:
    """Draw the distributions of per-star rms, as in C23's figure 19."""
    rows = []
    for label, methods in groups.items():
        panels = []
        for axis in AXES:
            values = [getattr(f.frame, f"{axis}_rms")[f.known] for f in methods]
            every = np.concatenate(values)
            every = every[np.isfinite(every)]
            top = float(np.quantile(every, 0.97)) * 1.25 if len(every) else 0.05
            grid = np.linspace(0, max(top, 8 * WIDTH), _GRID)
            layers = tuple(
                Line(grid * MPIX, summed_gaussians(v, grid) / MPIX, f.method, style(f.number)[0])
                for f, v in zip(methods, values, strict=True)
                if np.isfinite(v).any()
            )
            found = [getattr(f.ratio, axis) for f in methods if f.ratio is not None]
            ratios = [f"{r:.2f}" if np.isfinite(r) else "–" for r in found]
            title = f"{label}, {axis}" + (f": ratio {', '.join(ratios)}" if ratios else "")
            panels.append(Panel(title, f"rms about the mean, {axis} (mpix)", "stars per mpix",
                                layers, x_range=(0, float(grid[-1]) * MPIX)))  # fmt: skip
        rows.append(tuple(panels))
    note = (
        "Scatter of each star's measures about its mean position, as summed Gaussians of unit area "
        "1.3 mpix wide: stars with signal to noise 30 or more in at least half of the exposures. "
        "Further left is better. The ratio is the median over stars of the first method's rms over "
        "the others', in the order of the legend."
    )
    return Figure("rms", "Scatter about the means", note, tuple(rows))


def rms_magnitude_figure(groups: Groups) -> Figure:
    """Draw per-star rms against magnitude."""
    rows = tuple(
        tuple(_rms_magnitude(methods, axis) for axis in AXES) for methods in groups.values()
    )
    note = (
        "The same scatter against magnitude, every star with three measures or more. Faint stars "
        "are limited by photons, bright ones by the centres themselves."
    )
    return Figure("rms_magnitude", "Scatter against magnitude", note, rows)


def _rms_magnitude(methods: Sequence[FrameFacts], axis: str) -> Panel:
    layers: list[Layer] = []
    highest, lowest = [], []
    for facts in methods:
        frame = facts.frame
        rms = getattr(frame, f"{axis}_rms") * MPIX
        good = np.flatnonzero(np.isfinite(rms) & np.isfinite(frame.mag) & (frame.n_used >= 3)
                              & (rms > 0))  # fmt: skip
        if len(good):
            highest.append(float(np.quantile(rms[good], 0.995)))
            lowest.append(float(np.quantile(rms[good], 0.005)))
        some = good[thinned(len(good), MOST)]
        layers.append(Marks(frame.mag[some], rms[some], facts.method, facts.number, size=2.5,
                            alpha=0.4))  # fmt: skip
    if highest:
        limits = (0.7 * min(lowest), 1.5 * max(highest))
    return Panel(
        f"{methods[0].label}, {axis}",
        "instrumental magnitude",
        f"rms of {axis} (mpix)",
        (Level(20.0, dash="dotted", colour=GREY), *layers),
        y_range=limits if highest else (1.0, 100.0),
        log=True,
    )
