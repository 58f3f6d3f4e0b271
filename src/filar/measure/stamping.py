"""Stamps of measured stars: the same for training and for prediction."""

from __future__ import annotations

from typing import Any

import numpy as np

from filar.fit import MIN_SNR
from filar.flags import Flag
from filar.measure.chip import Measurement, psf_facts
from filar.psf.samples import sample_psf
from filar.stamps.cut import corner, cut_stamps
from filar.stamps.neighbours import neighbour_light
from filar.stamps.stamps import Stamps

PSF_MARGIN = 1.0
"""Pixels by which the samples of the PSF reach beyond half of a raster."""


def stamps_of(
    measurement: Measurement, size: int = 6, *, subtract_neighbours: bool = True
) -> Stamps:
    """Cut the stamps of all stars of a measured chip.

    Parameters
    ----------
    measurement : Measurement
        One chip.
    size : int
        Side of the rasters, 4 to 12 pixels.
    subtract_neighbours : bool
        Whether the light of other stars, as the classic fit found it, is taken off.

    Returns
    -------
    Stamps
        One per row of the catalogue, around the fitted place, with the PSF of the fit.

    Raises
    ------
    ParameterError
        If the size is none of these.
    """
    exposure, table, psf = measurement.exposure, measurement.catalog, measurement.psf
    columns: dict[str, Any] = {
        name: np.asarray(table[name].value, float)
        for name in ("x_init", "y_init", "x_fit", "y_fit", "flux_fit", "flux_err", "local_bkg")
    }
    # around the fit, which lies nearer to the middle than a detection; if it failed, around that
    x, y = (np.where(np.isfinite(columns[f"{a}_fit"]), columns[f"{a}_fit"], columns[f"{a}_init"])
            for a in "xy")  # fmt: skip
    flux = columns["flux_fit"]
    others = None
    if subtract_neighbours and len(x):
        ill = (np.asarray(table["flags"]) & int(Flag.NOT_CONVERGED | Flag.NO_FIT)) != 0
        with np.errstate(invalid="ignore"):
            known = ~ill & (flux > MIN_SNR * columns["flux_err"])
        others = neighbour_light(
            exposure, psf, columns["x_fit"], columns["y_fit"], np.where(known, flux, 0.0),
            corner(x, size), corner(y, size), size,
        )  # fmt: skip
    return cut_stamps(
        exposure, x, y, size, flux=flux, sky=columns["local_bkg"], others=others,
        psf=sample_psf(psf, size / 2 + PSF_MARGIN), facts=psf_facts(psf, measurement.psf_fit),
    )  # fmt: skip
