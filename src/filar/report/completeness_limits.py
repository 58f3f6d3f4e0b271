"""Figures of what follows from completeness: limits, bin jumping, luminosity functions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from filar.completeness.curves import CompletenessCurves
from filar.report.completeness_figures import PERCENT, axis_label, dash, pairs
from filar.report.completeness_products import (
    LEAST_WEIGHTED,
    CorrectedCounts,
    LimitCurve,
    LimitMap,
    Products,
)
from filar.report.frames_panels import (
    BLACK,
    GREY,
    TRUTH,
    Cells,
    Figure,
    FloatArray,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
    style,
)

_INPUT, _MEASURED = 1, 3  # numbers of styles, other colours than the models' first
_LEAST_SPREAD = 0.05  # magnitudes, of a map's bar
_FEWEST = 0.5  # stars, on a logarithmic axis


def product_figures(products: Products, numbers: Mapping[str, int]) -> list[Figure]:
    """All figures of products.

    Parameters
    ----------
    products : Products
        What was worked out.
    numbers : mapping of str to int
        From the models' names to the numbers of their styles.

    Returns
    -------
    list of Figure
        Those for which there is something to show.
    """
    figures = [_jumping_figure(products.curves)]
    if products.along:
        figures.append(_along_figure(products, numbers))
    if products.maps:
        figures.append(_map_figure(products))
    if products.counts:
        figures.append(_counts_figure(products, numbers))
    return figures


def _jumping_figure(curves: tuple[CompletenessCurves, ...]) -> Figure:
    rows = []
    for one in curves:
        layers: list[Layer] = [Level(0.5, dash="dotted")]
        for against, number in (("measured", _MEASURED), ("input", _INPUT)):
            y, error = getattr(one, f"against_{against}"), getattr(one, f"against_{against}_err")
            limit = one.limit(0.5, against=against)
            layers.append(Line(one.centres, y, "", style(number)[0], width=1.0))
            layers.append(Marks(one.centres, y, f"against {against} magnitude", number, error,
                                size=4))  # fmt: skip
            if np.isfinite(limit):
                layers.append(Level(limit, "x", "dotted", colour=style(number)[0]))
        excess: list[Layer] = [
            Level(0.0, dash="solid", colour=BLACK),
            Line(one.centres, PERCENT * one.excess, "", style(_MEASURED)[0], width=1.0),
            Marks(one.centres, PERCENT * one.excess, "", _MEASURED,
                  PERCENT * one.against_measured_err, size=4),
        ]  # fmt: skip
        span = float(one.edges[0]), float(one.edges[-1])
        top = max(1.05, float(np.nanmax(one.against_measured, initial=0.0)) + 0.05)
        rows.append((
            Panel(_limit_title(one), f"{one.band} (mag)", "recovered / put in", tuple(layers),
                  span, (-0.03, min(top, 2.0))),
            Panel("gained less lost by changes of bin", f"{one.band} (mag)",
                  "fractional excess (percent)", tuple(excess), span),
        ))  # fmt: skip
    note = (
        "As H24's figure 11. Against input magnitude: stars put into a bin that were recovered, "
        "wherever. Against measured magnitude: stars recovered in a bin over those put into it. "
        "Stars that scatter to brighter magnitudes are found, those that scatter to fainter ones "
        "are lost, so that this curve falls asymmetrically and reaches fainter. It holds for the "
        "luminosity function of the artificial stars. Dotted: the magnitudes of 50%."
    )
    return Figure("bin_jumping", "Against input and measured magnitude", note, tuple(rows))


def _limit_title(one: CompletenessCurves) -> str:
    texts = [
        f"{one.limit(0.5, against=against):.2f} ({against})" for against in ("input", "measured")
    ]
    return f"50% at {', '.join(texts)}"


def _along_figure(products: Products, numbers: Mapping[str, int]) -> Figure:
    groups: dict[tuple[str, str], list[LimitCurve]] = {}
    for one in products.along:
        groups.setdefault((one.along, one.limits.band), []).append(one)
    panels = [
        _along_panel(along, band, curves, products, numbers)
        for (along, band), curves in groups.items()
    ]
    note = (
        "Magnitudes at which the probability falls through 50% (lines) and 80% (thin lines), at "
        "the typical place of the faint artificial stars, one thing varied. With two bands the "
        "limit in each is a broken line against colour: where the other band is the shallower one "
        "it follows that. No line where the probability does not fall through the level."
    )
    return Figure("limits", "Limiting magnitudes", note, pairs(panels))


def _along_panel(
    along: str, band: str, curves: list[LimitCurve], products: Products, numbers: Mapping[str, int]
) -> Panel:
    layers: list[Layer] = []
    for one in curves:
        first = one.limits.level == curves[0].limits.level
        number = numbers[one.model]
        colour, x = style(number)[0], one.values
        if along.startswith("sky_noise"):
            x = np.log10(np.maximum(x, 1e-9))
        layers.append(Line(x, one.limits.mag, one.model if first else "", colour, dash(number),
                           1.8 if first else 0.7))  # fmt: skip
    name = f"log10 {along}" if along.startswith("sky_noise") else along
    is_colour = " - " in along
    kinds = {(products.kinds or {}).get(one.model, "input") for one in curves}
    kind = kinds.pop() if len(kinds) == 1 else "input or measured"
    every = np.concatenate([one.limits.mag for one in curves])
    every = every[np.isfinite(every)]
    span = None
    if len(every):
        # A tree that gives one probability for all bright stars may say anything.
        low, high = np.quantile(every, (0.03, 0.99))
        span = float(high) + 0.15, float(low) - 0.15
    return Panel(f"limit in {band}", axis_label(name, kind if is_colour else ""),
                 f"{kind} {band} (mag)", tuple(layers), y_range=span)  # fmt: skip


def _map_figure(products: Products) -> Figure:
    groups: dict[float, list[LimitMap]] = {}
    for one in products.maps:
        groups.setdefault(one.limits.level, []).append(one)
    rows = tuple(tuple(_map_panel(one) for one in maps) for maps in groups.values())
    note = (
        f"By {products.maps[0].model}, at the median colour, with the covariates of the nearest "
        "faint artificial stars. Grey: the probability does not fall through the level there. "
        "The bars differ."
    )
    return Figure("limit_maps", "Limiting magnitudes over the image", note, rows)


def _map_panel(one: LimitMap) -> Panel:
    x, y = one.edges
    mag = one.limits.mag.reshape(len(y) - 1, len(x) - 1)
    good = mag[np.isfinite(mag)]
    low, high = np.quantile(good, (0.01, 0.99)) if len(good) else (0.0, 1.0)
    if high - low < _LEAST_SPREAD:
        low, high = low - _LEAST_SPREAD, high + _LEAST_SPREAD
    cells = Cells(x, y, mag, f"{one.limits.band} (mag)", float(low), float(high))
    return Panel(f"{one.limits.band}, {PERCENT * one.limits.level:.0f}%", "x (pixels)",
                 "y (pixels)", (cells,), (float(x[0]), float(x[-1])),
                 (float(y[0]), float(y[-1])))  # fmt: skip


def _counts_figure(products: Products, numbers: Mapping[str, int]) -> Figure:
    panels = [_counts_panel(one, numbers) for one in products.counts]
    note = (
        "Real stars. Black: corrected by maximum likelihood for lost stars and for changes of "
        "bin, told apart by colour, with errors of the numbers to expect in such a field (open: "
        "less than a tenth is recovered). Grey steps: as observed. Lines: counts weighted by one "
        f"over each star's probability (of {LEAST_WEIGHTED:g} or more), which leaves changes of "
        "bin as they are."
    )
    return Figure("luminosity", "Corrected luminosity functions", note, pairs(panels))


def _counts_panel(one: CorrectedCounts, numbers: Mapping[str, int]) -> Panel:
    found = one.corrected
    edges = np.repeat(found.edges, 2)[1:-1]
    layers: list[Layer] = [
        Line(edges, np.repeat(_positive(found.observed), 2), "observed", GREY, width=1.2)
    ]
    for name, (number, _) in one.weighted.items():
        own = numbers[name]
        layers.append(Line(found.centres, _positive(number), f"1/p by {name}", style(own)[0],
                           dash(own), 1.2))  # fmt: skip
    for some, hollow in ((found.reliable, False), (~found.reliable, True)):
        y = np.where(some, found.number, np.nan)
        layers.append(Marks(found.centres, _positive(y), "" if hollow else "corrected", TRUTH,
                            None if hollow else found.number_err, hollow=hollow))  # fmt: skip
    top = np.nanmax(np.r_[np.where(found.reliable, found.number, np.nan), found.observed, 10.0])
    return Panel(found.band, f"{found.band} (mag)", f"stars per {np.diff(found.edges)[0]:.2g} mag",
                 tuple(layers), y_range=(_FEWEST, 4 * float(top)), log=True)  # fmt: skip


def _positive(values: FloatArray) -> FloatArray:
    """Numbers that a logarithmic axis can show."""
    with np.errstate(invalid="ignore"):
        return np.where(np.asarray(values, float) > 0, values, np.nan)
