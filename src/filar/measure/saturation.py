"""Saturated stars of a measured exposure: what its image tells of them, as samples for a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.flags import Flag

if TYPE_CHECKING:
    from filar.measure.chip import Measurement
    from filar.saturation.chain import Stars
    from filar.saturation.data import Samples

SPOILT = (
    Flag.SATURATED | Flag.MASKED | Flag.NEIGHBOUR | Flag.EDGE | Flag.NOT_CONVERGED | Flag.NO_FIT
    | Flag.EXTENDED | Flag.COSMIC_RAY | Flag.HOT_PIXEL | Flag.NON_POSITIVE
)  # fmt: skip
"""Stars with one of these flags say nothing of the PSF's wings or the zero point."""
BELOW = 3.0
"""Magnitudes below saturation down to which a model for saturated stars is asked too."""
STAMP = 21
DAMAGED_COUNT = 1.0
"""Counts to which some pipelines set pixels that overflowed (Winecki & Kochanek 2024)."""


def without_damage(exposure: Exposure) -> Exposure:
    """Mask pixels of exactly one count far below the sky: overflow damaged them.

    Parameters
    ----------
    exposure : Exposure
        The image.

    Returns
    -------
    Exposure
        The same if there are none.
    """
    level = float(np.median(exposure.data[~exposure.mask])) if (~exposure.mask).any() else 0.0
    if level < 20 * exposure.gain:
        return exposure
    damaged = np.abs(exposure.data - DAMAGED_COUNT * exposure.gain) < 1e-3 * exposure.gain
    damaged &= ~exposure.edge
    if not damaged.any():
        return exposure
    return exposure.replace(
        mask=exposure.mask | damaged, saturated=exposure.saturated & ~damaged,
        data=np.where(damaged, 0, exposure.data).astype(np.float32),
    )  # fmt: skip


def stars_of(measured: Measurement) -> Stars:
    """Give the stars of a measurement as the evidence needs them.

    Parameters
    ----------
    measured : Measurement
        Of one chip.

    Returns
    -------
    Stars
        Row by row of the catalogue.
    """
    from filar.saturation.chain import Stars
    from filar.saturation.windows import cut

    catalog = measured.catalog
    flags = np.asarray(catalog["flags"])

    def column(name: str) -> NDArray[np.float64]:
        return np.asarray(getattr(catalog[name], "value", catalog[name]), float)

    x, y = column("x_fit"), column("y_fit")
    # a fit of the wings may run away; saturated stars stay where their pixels are
    found = measured.detections
    centre = cut(measured.exposure.saturated, found.x, found.y, 1, False)
    saturated = np.asarray(centre.any(axis=(1, 2)))
    lost = saturated | ~np.isfinite(x + y)
    x, y = np.where(lost, found.x, x), np.where(lost, found.y, y)
    reliable = (flags & int(SPOILT)) == 0
    return Stars(x, y, column("flux_fit"), column("flux_err"), saturated, reliable)


def candidates(measured: Measurement, stars: Stars) -> NDArray[np.intp]:
    """Rows of the stars that are saturated or not far below.

    Parameters
    ----------
    measured : Measurement
        Of one chip.
    stars : Stars
        Its stars.

    Returns
    -------
    (n,) int array
    """
    from filar.saturation.blobs import held_charge

    exposure = measured.exposure
    ny, nx = exposure.shape
    peak = float(measured.psf.stamps(np.array([nx // 2]), np.array([ny // 2]), 1)[0, 0, 0])
    level = held_charge(exposure)
    bright = stars.flux * peak > level * 10 ** (-0.4 * BELOW)
    return np.flatnonzero(stars.saturated | bright)


def samples_of(measured: Measurement, stars: Stars, chosen: NDArray[np.intp]) -> Samples:
    """Cut stamps of some stars and measure all there is to know of them.

    Parameters
    ----------
    measured : Measurement
        Of one chip.
    stars : Stars
        Its stars.
    chosen : (n,) int array
        Rows of those wanted.

    Returns
    -------
    Samples
        Without labels; `star` is the row in the catalogue.
    """
    from filar.saturation.data import Samples
    from filar.saturation.evidence import COLUMNS, gather
    from filar.saturation.windows import cut

    exposure = measured.exposure
    model_error = 0.0 if measured.psf_fit is None else measured.psf_fit.model_error
    evidence = gather(exposure, measured.psf, stars, chosen, model_error)
    half, x, y = STAMP // 2, evidence.x, evidence.y
    data = np.where(exposure.mask & ~exposure.saturated, np.nan, exposure.data)
    mid = exposure.time
    if mid is not None and np.isfinite(exposure.exposure_time):
        mjd = float(mid.utc.mjd) + exposure.exposure_time / 2 / 86400
    else:
        mjd = None
    return Samples.build(
        cut(data, x, y, half, np.nan),
        star=chosen, x=x, y=y,
        saturated=cut(exposure.saturated, x, y, half, False),
        sky=evidence.sky, noise=evidence.noise,
        level=np.full(len(x), exposure.saturation),
        evidence=evidence.values, columns=COLUMNS,
        flags=np.asarray(measured.catalog["flags"])[chosen],
        images=(exposure.label,), cameras=(camera_of(exposure),), filters=(exposure.filter,),
        meta={"mjd": [mjd], "fwhm": [evidence.width], "count": [exposure.gain]},
    )  # fmt: skip


def camera_of(exposure: Exposure) -> str:
    """Name of the camera: instrument and chip."""
    return " ".join(part for part in (exposure.instrument, exposure.chip) if part)
