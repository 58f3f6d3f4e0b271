"""The Cramer-Rao bound of stars in rasters, with the PSF that is kept with them."""

from __future__ import annotations

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from filar.centering.rasterpsf import DEGREE, REACH, RasterPSF
from filar.psf.leastsq import invert_scaled, normal_equations
from filar.stamps.stamps import Stamps
from filar.threads import one_blas_thread

FloatArray = NDArray[np.float64]
_BATCH = 4096


@one_blas_thread
def raster_bound(stamps: Stamps, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Smallest possible errors of unbiased centres from the good pixels of rasters.

    Flux and position are unknown, sky and noise are known. The PSF, flux and sky are those of the
    classic measurement that came with the stamps, so that the bound is as good as they are.

    Parameters
    ----------
    stamps : Stamps
        n rasters.
    x, y : (n,) arrays
        Where the stars are, in the rasters' coordinates; off the middle by a pixel at most.

    Returns
    -------
    x_bound, y_bound : (n,) arrays
        Pixels; NaN where no PSF, flux or sky is known, the star is too far from the middle, or
        its good pixels do not determine it.
    """
    found = np.full((2, len(stamps)), np.nan)
    middle = (stamps.size - 1) / 2
    px, py = np.asarray(x, float) - middle, np.asarray(y, float) - middle
    known = (np.abs(px) <= 1) & (np.abs(py) <= 1) & (stamps.flux > 0) & np.isfinite(stamps.sky)
    order = np.argsort(stamps.group, kind="stable")
    starts = np.searchsorted(stamps.group[order], np.arange(len(stamps.groups) + 1))
    for group, start, end in zip(stamps.groups, starts[:-1], starts[1:], strict=True):
        if group.psf is None or start == end:
            continue
        psf = RasterPSF.from_samples(group.psf, stamps.size)
        rows = order[start:end][known[order[start:end]]]
        for at in range(0, len(rows), _BATCH):
            some = rows[at : at + _BATCH]
            found[:, some] = _bound(psf, stamps[some], px[some], py[some])
    return found[0], found[1]


def _bound(psf: RasterPSF, stamps: Stamps, px: FloatArray, py: FloatArray) -> FloatArray:
    """Bounds of stars of one group: (2, n)."""
    n = len(stamps)
    local = psf.local(stamps.corner_x + px, stamps.corner_y + py)
    # The series end there, and the bound hardly changes over a few tenths of a pixel.
    (tx, dtx), (ty, dty) = (_terms(np.clip(phase, -REACH, REACH)) for phase in (px, py))
    along_x = local @ np.stack([tx, dtx], axis=2)[:, None]
    table = (np.stack([ty, dty], axis=1)[:, None] @ along_x).astype(float)
    flux = stamps.flux[:, None].astype(float)
    value = table[..., 0, 0]
    rows = np.stack([flux * table[..., 0, 1], flux * table[..., 1, 0], value], axis=1)
    noise = (stamps.sky.astype(float)[:, None], stamps.read_noise.astype(float)[:, None])
    variance = np.maximum(flux * value + noise[0], 0) + noise[1] ** 2
    good = ~stamps.bad.reshape(n, -1)
    weight = np.where(good, 1 / np.maximum(variance, 1e-6), 0.0)
    matrix, _ = normal_equations(rows, weight, np.zeros_like(weight))
    squares = np.einsum("nii->ni", invert_scaled(matrix))[:, :2]
    usable = (good.sum(axis=1) >= 3)[:, None] & (squares > 0)
    return np.asarray(np.sqrt(np.where(usable, squares, np.nan)).T)


def _terms(phase: FloatArray) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Chebyshev polynomials at phases and their derivatives by the phase: (n, degree) each."""
    scaled = phase / REACH
    slopes = np.stack(
        [chebyshev.chebval(scaled, chebyshev.chebder(row)) for row in np.eye(DEGREE)], axis=1
    )
    value = chebyshev.chebvander(scaled, DEGREE - 1)
    return value.astype(np.float32), (slopes / REACH).astype(np.float32)
