"""The tables of artificial and real stars, as `filar.completeness.table` reads them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.asts.field import Field
from filar.asts.settings import ASTSettings
from filar.catalog import MAG_SYSTEMS, exposure_facts, versions

if TYPE_CHECKING:
    from astropy.table import QTable

Columns = dict[str, NDArray[Any]]

# name without the band: unit, description, format
_KINDS = {
    "x": ("pix", "column in the first image, from 0", ".3f"),
    "y": ("pix", "row in the first image, from 0", ".3f"),
    "chip": ("", "detector chip", ""),
    "mag_in": ("mag", "magnitude given to the artificial star", ".4f"),
    "mag_out": ("mag", "magnitude found; NaN where lost or cut", ".4f"),
    "mag_detected": ("mag", "magnitude found, before cuts", ".4f"),
    "detected": ("", "a detection is the star's, before cuts", ""),
    "found": ("", "detected, and passing the cuts of the band", ""),
    "x_out": ("pix", "column found, in the band's image", ".3f"),
    "y_out": ("pix", "row found, in the band's image", ".3f"),
    "mag": ("mag", "measured magnitude", ".4f"),
    "mag_err": ("mag", "1-sigma error of the magnitude", ".4f"),
    "snr": ("", "signal-to-noise ratio of the flux", ".2f"),
    "qfit": ("", "hst1pass's q: summed absolute residual over flux", ".4f"),
    "flags": ("", "bit field, see filar.flags", ""),
    "recovered": ("", "found in the bands that the cuts ask for", ""),
    "sky_noise": ("electron", "noise of the sky 4 to 9 pixels around, per pixel", ".3f"),
    "surface_brightness": ("mag", "light 4 to 40 pixels around, per square arcsec", ".3f"),
    "crowding": ("", "other detections within 60 pixels per resolution element", ".6f"),
}


def artificial_table(columns: Columns, fields: Sequence[Field], settings: ASTSettings) -> QTable:
    """Put artificial stars into a table.

    Parameters
    ----------
    columns : dict of str to (n,) array
        From `filar.asts.chunk.run_chunk`, and ``chip``.
    fields : sequence of Field
        The chips.
    settings : ASTSettings
        What was asked for.

    Returns
    -------
    QTable
        For each band B ``mag_in_B, mag_out_B, found_B`` and what was measured; ``recovered``,
        covariates; ``meta`` has the cuts, magnitude system, seed and images.
    """
    found = {f"found_{b}": np.isfinite(columns[f"mag_out_{b}"]) for b in fields[0].names}
    meta = {"kind": "artificial stars"} | _meta(columns, fields, settings)
    return _table(columns | found, fields[0].names, meta | {"asts": settings.facts()})


def stars_table(columns: Columns, fields: Sequence[Field], settings: ASTSettings) -> QTable:
    """Put real stars into a table.

    Parameters
    ----------
    columns : dict of str to (n,) array
        From `filar.asts.realstars.real_stars`, and ``chip``.
    fields, settings
        As in `artificial_table`.

    Returns
    -------
    QTable
        For each band B ``mag_B, mag_err_B, snr_B, qfit_B, flags_B``; covariates; ``meta``.
    """
    return _table(columns, fields[0].names, {"kind": "stars"} | _meta(columns, fields, settings))


def _meta(columns: Columns, fields: Sequence[Field], settings: ASTSettings) -> dict[str, Any]:
    around = ("sky_noise_", "surface_brightness_", "crowding")
    bands = fields[0].bands
    return {
        "bands": list(fields[0].names),
        "covariates": [name for name in columns if name.startswith(around)],
        "cuts": settings.cuts.facts() | {"threshold": float(bands[0].settings.threshold)},
        "mag_system": fields[0].mag_system,
        "parameters": bands[0].settings.facts(),
        "exposures": [
            exposure_facts(band.exposure)
            | band.facts
            | {"band": band.name, "zero_point": band.zero}
            for field in fields
            for band in field.bands
        ],
        "fields": [
            {
                "chip": field.chip,
                "crowding_limit_electrons": field.surroundings.limit,
                "fwhm_pixels": field.surroundings.fwhm,
                "shape": list(field.bands[0].exposure.shape),
            }
            for field in fields
        ],
        "versions": versions(),
    }


def _table(columns: Columns, bands: Sequence[str], meta: dict[str, Any]) -> QTable:
    from astropy.table import Column, QTable
    from astropy.units import Quantity

    table = QTable(meta=meta)
    table["id"] = Column(np.arange(1, len(columns["x"]) + 1), description="number of the star")
    system = MAG_SYSTEMS.get(str(meta["mag_system"]), "by the zero point given")
    for name, values in columns.items():
        band = next((b for b in sorted(bands, key=len)[::-1] if name.endswith(f"_{b}")), "")
        unit, text, form = _KINDS[name.removesuffix(f"_{band}") if band else name]
        table[name] = Quantity(values, unit) if unit else Column(values)
        info = table[name].info
        info.description = f"{text}, {band}" if band else text
        if name.startswith(("mag_in", "mag_out")):
            info.description += f" ({system})"
        info.format = form or None
    return table
