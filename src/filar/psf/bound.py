"""The Cramer-Rao bound of a star's position, flux and sky."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.psf.leastsq import invert_scaled, jacobian, normal_equations
from filar.psf.model import BATCH, FieldPSF
from filar.threads import one_blas_thread

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Bound:
    """Smallest possible standard deviations.

    Parameters
    ----------
    x, y : (n,) float array
        Pixels.
    flux, sky : (n,) float array
        Electrons; `sky` is 0 where it is taken as known.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    sky: FloatArray


@one_blas_thread
def cramer_rao(
    psf: FieldPSF,
    x: FloatArray,
    y: FloatArray,
    flux: FloatArray,
    *,
    sky: float | FloatArray,
    read_noise: float,
    box: int = 5,
    good: NDArray[np.bool_] | None = None,
    fit_sky: bool = False,
) -> Bound:
    """Cramer-Rao bound of unbiased measurements within a box of pixels.

    Parameters
    ----------
    psf : FieldPSF
        The true PSF.
    x, y : (n,) array
        Star positions, pixels.
    flux : (n,) array
        Electrons.
    sky : float or (n,) array
        Electrons per pixel.
    read_noise : float
        Electrons.
    box : int
        Odd size of the box around (rint(x), rint(y)) whose pixels are used.
    good : (n, box, box) bool array or None
        Pixels that may be used, all by default.
    fit_sky : bool
        Whether the sky is unknown too.

    Returns
    -------
    Bound
        NaN where the pixels do not determine the parameters.

    Notes
    -----
    Poisson noise is taken as Gaussian of the same variance, and the information in the variance's
    own dependence on the parameters (below 1% above 50 electrons per pixel) is left out.
    """
    x, y, flux, level = (np.array(a, float).ravel() for a in np.broadcast_arrays(x, y, flux, sky))
    table = psf.table(box)
    sigma = np.zeros((len(x), 4))
    free = 4 if fit_sky else 3
    for start in range(0, len(x), BATCH):
        part = slice(start, start + BATCH)
        px, py = x[part] - np.rint(x[part]), y[part] - np.rint(y[part])
        value, rows = jacobian(table, table.local(x[part], y[part]), px, py, flux[part], fit_sky)
        weight = 1 / (np.maximum(flux[part, None] * value + level[part, None], 0) + read_noise**2)
        usable = np.full(len(px), True)
        if good is not None:
            mask = good[part].reshape(len(px), -1)
            weight, usable = np.where(mask, weight, 0), mask.sum(axis=1) >= free
        matrix, _ = normal_equations(rows, weight, np.zeros_like(weight))
        variance = np.einsum("nii->ni", invert_scaled(matrix))
        sigma[part, :free] = np.where(usable[:, None], np.sqrt(variance), np.nan)
    return Bound(*sigma.T)
