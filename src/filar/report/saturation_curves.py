"""Figures of light curves of constant stars, and of misses against chip, camera and image."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.report.frames_panels import (
    BLACK,
    Cells,
    Figure,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
    style,
    thinned,
)
from filar.report.saturation_facts import (
    PSF,
    SaturationFacts,
    chip_medians,
    group_median,
)
from filar.report.saturation_figures import MAG, MISS, limit_level, mag_range, pairs
from filar.saturation.criteria import DISPERSION, EXCESS
from filar.saturation.dispersion import Dispersions
from filar.saturation.evaluate import Judgement
from filar.saturation.judged import FloatArray

MMAG = 1000.0
_MOST = 1900  # marks of a method
_CHIP = 50.0  # mmag, of the colours
_BIN = 0.5
_LEAST = 5  # light curves of a bin


def curve_figures(facts: SaturationFacts) -> list[Figure]:
    """The dispersion-magnitude diagram, and the ratio to PSF photometry.

    Parameters
    ----------
    facts : SaturationFacts
        What was judged.

    Returns
    -------
    list of Figure
        Empty without light curves.
    """
    curves = facts.curves
    if curves is None:
        return []
    names = [one.name for one in facts.learnt]
    classic = [one.name for one in facts.methods if one.name not in names]
    panels = [_dispersion_panel(facts, curves, [*names, *classic[:1]], "models and PSF photometry")]
    if classic:
        panels.append(
            _dispersion_panel(facts, curves, [*names[:1], *classic], "classic estimators")
        )
    panels.append(_median_panel(facts, curves))
    if PSF in curves.values:
        panels.append(_ratio_panel(facts, curves, names))
    note = (
        "As W24's figure 4: half of the 15-85% range of the epochs' medians, one mark per constant "
        "star, camera and filter; all methods from the same stamps. W24 has 0.037 mag for "
        "saturated stars (its standard pipeline 0.22) and 0.048 for others (0.016)."
    )
    return [Figure("light_curves", "Light curves of constant stars", note, pairs(panels))]


def _dispersion_panel(
    facts: SaturationFacts, curves: Dispersions, names: list[str], title: str
) -> Panel:
    layers: list[Layer] = [*limit_level(facts), Level(DISPERSION, label=f"{DISPERSION:g} mag")]
    for name in names:
        values = curves.values[name]
        rows = np.flatnonzero(values > 0)
        some = rows[thinned(len(rows), _MOST)]
        stars = tuple(f"star {n}" for n in curves.star[some])
        layers.append(Marks(curves.mag[some], values[some], name, facts.number(name), names=stars,
                            size=3.0, alpha=0.6))  # fmt: skip
    return Panel(title, MAG, "dispersion (mag)", tuple(layers), mag_range(facts), log=True)


def _median_panel(facts: SaturationFacts, curves: Dispersions) -> Panel:
    layers: list[Layer] = [*limit_level(facts), Level(DISPERSION)]
    edges = (
        np.arange(np.floor(curves.mag.min() / _BIN), np.ceil(curves.mag.max() / _BIN) + 1) * _BIN
    )
    for name, values in curves.values.items():
        x, y = _medians(curves.mag, values, edges)
        number = facts.number(name)
        layers += [Line(x, y, "", style(number)[0], width=1.0), Marks(x, y, name, number)]
    return Panel("medians in half magnitudes", MAG, "median dispersion (mag)", tuple(layers),
                 mag_range(facts), log=True)  # fmt: skip


def _ratio_panel(facts: SaturationFacts, curves: Dispersions, names: list[str]) -> Panel:
    layers: list[Layer] = [
        *limit_level(facts), Level(1.0, dash="solid", colour=BLACK),
        Level(EXCESS, label=f"{EXCESS:g} times PSF photometry's"),
    ]  # fmt: skip
    for name in names:
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = curves.values[name] / curves.values[PSF]
        rows = np.flatnonzero(np.isfinite(ratio))
        some = rows[thinned(len(rows), _MOST)]
        layers.append(Marks(curves.mag[some], ratio[some], name, facts.number(name), size=3.0,
                            alpha=0.6))  # fmt: skip
    return Panel("over PSF photometry", MAG, "ratio of dispersions", tuple(layers),
                 mag_range(facts), log=True)  # fmt: skip


def _medians(
    mag: FloatArray, values: FloatArray, edges: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Medians in bins with enough light curves."""
    found = np.full(len(edges) - 1, np.nan)
    for k in range(len(found)):
        own = values[(mag >= edges[k]) & (mag < edges[k + 1])]
        own = own[np.isfinite(own)]
        if len(own) >= _LEAST:
            found[k] = np.median(own)
    return (edges[:-1] + edges[1:]) / 2, found


def place_figures(facts: SaturationFacts) -> list[Figure]:
    """Misses against the place on the chip, the camera and the image.

    Parameters
    ----------
    facts : SaturationFacts
        What was judged.

    Returns
    -------
    list of Figure
    """
    panels = []
    for one in facts.learnt:
        x, y, values = chip_medians(facts, one)
        cells = Cells(x, y, MMAG * values, "median miss (mmag)", -_CHIP, _CHIP, True)
        panels.append(Panel(one.name, "x (pixels)", "y (pixels)", (cells,)))
    chip = Figure(
        "chip", "Place on the chip",
        "Median of predicted minus true in cells of the chip, all cameras together; cells with few "
        "stamps are left out.", pairs(panels),
    )  # fmt: skip
    groups = Figure(
        "groups", "Camera and image",
        "Median of predicted minus true of each camera and filter, and of each image in the order "
        "of the data. What all stars of an image share is in the scatter of its place.",
        ((_camera_panel(facts), _image_panel(facts)),),
    )  # fmt: skip
    return [chip, groups]


def _camera_panel(facts: SaturationFacts) -> Panel:
    judged = facts.judged
    own = [f"{c} {f}".strip() for c, f in zip(judged.cameras, judged.filters, strict=True)]
    kinds = list(dict.fromkeys(own))
    group = np.array([kinds.index(name) for name in own])[judged.image]
    layers: list[Layer] = [Level(0.0, dash="solid", colour=BLACK)]
    for k, one in enumerate(facts.learnt):
        x = np.array([j + 0.1 * (k - (len(facts.learnt) - 1) / 2) for j in range(len(kinds))])
        layers.append(Marks(x, _by(facts, one, group, len(kinds)), one.name,
                            facts.number(one.name), size=8))  # fmt: skip
    return Panel("by camera and filter", "camera", MISS, tuple(layers),
                 (-0.5, len(kinds) - 0.5), ticks=tuple(kinds))  # fmt: skip


def _image_panel(facts: SaturationFacts) -> Panel:
    judged = facts.judged
    layers: list[Layer] = [Level(0.0, dash="solid", colour=BLACK)]
    x = np.arange(float(len(judged.images)))
    for one in facts.learnt:
        y = _by(facts, one, judged.image, len(judged.images))
        layers.append(Marks(x, y, one.name, facts.number(one.name), names=judged.images, size=3.0))
    return Panel("by image", "image", MISS, tuple(layers))


def _by(
    facts: SaturationFacts, one: Judgement, group: NDArray[np.integer[Any]], number: int
) -> FloatArray:
    return group_median(group, facts.judged.miss(one.answer.log_n), number)
