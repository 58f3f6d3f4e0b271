"""Tables of what is true of a dither set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from filar.simulate.dithers import (
    ChipView,
    DitherSettings,
    draw_pointing,
    exposure_name,
    on_chip,
)

if TYPE_CHECKING:
    from astropy.table import QTable

BOUND_BOX = 9


def dither_truth(views: Sequence[ChipView]) -> QTable:
    """Table of what is true of one exposure.

    Parameters
    ----------
    views : sequence of ChipView
        Its chips.

    Returns
    -------
    QTable
        One row per star on the usable part of its chip: exposure, chip, id (from 1 within a
        chip, the same in all exposures), x, y (pixels of this exposure), flux, mag, x_bound,
        y_bound (Cramer-Rao bound of a 9x9 box with the true PSF and known sky), x_ref, y_ref
        (pixels of the first exposure). ``meta``: ``settings``, and ``exposures`` with what
        differs between them.
    """
    from astropy.table import QTable, vstack

    from filar import __version__

    table = vstack([_chip_truth(view) for view in views])
    assert isinstance(table, QTable)
    settings = views[0].settings
    table.meta = {
        "filar_version": __version__,
        "settings": settings.plain(),
        "exposures": [_facts(settings, views[0].number)],
    }
    return table


def _chip_truth(view: ChipView) -> QTable:
    from astropy import units as u
    from astropy.table import QTable

    from filar.psf.bound import cramer_rao
    from filar.simulate.detector import wfpc2_detector

    seen = np.flatnonzero(on_chip(view.chip, view.stars.x, view.stars.y))
    x, y, flux = (getattr(view.stars, name)[seen] for name in ("x", "y", "flux"))
    detector = wfpc2_detector(view.chip, gain_setting=view.settings.gain)
    sky = view.settings.sky * view.settings.effects.sky
    bound = cramer_rao(view.psf, x, y, flux, sky=sky, read_noise=detector.read_noise, box=BOUND_BOX)
    table = QTable()
    table["exposure"] = np.full(len(x), view.name)
    table["chip"] = np.full(len(x), view.chip)
    table["id"] = (seen + 1).astype(np.int64)
    table["x"], table["y"] = x * u.pix, y * u.pix
    table["flux"] = flux * u.electron
    table["mag"] = -2.5 * np.log10(flux) * u.mag
    table["x_bound"], table["y_bound"] = bound.x * u.pix, bound.y * u.pix
    table["x_ref"] = view.reference.x[seen] * u.pix
    table["y_ref"] = view.reference.y[seen] * u.pix
    for name, text in _DESCRIPTIONS.items():
        table[name].info.description = text
    return table


_DESCRIPTIONS = {
    "id": "number of the star within its chip, the same in all exposures",
    "x": "true column in this exposure, 0-based, integer = pixel centre",
    "y": "true row in this exposure, 0-based, integer = pixel centre",
    "flux": "true electrons of the whole star image",
    "mag": "-2.5 log10(flux)",
    "x_bound": "Cramer-Rao bound, true PSF, known sky, 9x9 pixels",
    "y_bound": "Cramer-Rao bound, true PSF, known sky, 9x9 pixels",
    "x_ref": "column in the first exposure",
    "y_ref": "row in the first exposure",
}


def exposure_table(settings: DitherSettings) -> QTable:
    """Table of what each exposure of a set is.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.

    Returns
    -------
    QTable
        One row per exposure, see `Pointing`; and for every chip its offset in its own pixels and
        axes at the middle of the chip.
    """
    from astropy import units as u
    from astropy.table import QTable

    facts = [_facts(settings, number) for number in range(1, settings.exposures + 1)]
    units = {"dx": u.pix, "dy": u.pix, "roll": u.deg, "focus": u.um, "jitter": u.mas,
             "jitter_angle": u.deg, "time": u.s}  # fmt: skip
    digits = {"roll": 6, "scale": 8, "time": 1}
    table = QTable()
    for name in facts[0]:
        table[name] = [fact[name] for fact in facts]
        unit = u.pix if name.startswith(("dx_", "dy_")) else units.get(name)
        if unit is not None:
            table[name] = table[name] * unit
        if table[name].dtype.kind == "f":
            table[name].info.format = f".{digits.get(name, 4)}f"
    table.meta = {"settings": settings.plain()}
    return table


def _facts(settings: DitherSettings, number: int) -> dict[str, Any]:
    """What is told about an exposure, as plain values."""
    pointing, name = draw_pointing(settings, number), exposure_name(number)
    facts: dict[str, Any] = {"exposure": name, "file": f"{name}_c0m.fits", **asdict(pointing)}
    for chip in settings.chips:
        facts[f"dx_{chip}"], facts[f"dy_{chip}"] = pointing.middle_offset(chip)
    return facts
