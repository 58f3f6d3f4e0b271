"""Dust in a galaxy's disc: clouds with the power spectrum of turbulence, and lanes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
THICKEST = 6.0  # mag of A_V through the whole disc
LN_FLUX = 0.4 * np.log(10.0)


def turbulence(
    shape: tuple[int, int],
    slope: float,
    rng: np.random.Generator,
    *,
    outer: float,
    inner: float = 4.0,
) -> FloatArray:
    """A Gaussian random field of power spectrum (k^2 + k0^2)^(-slope/2).

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    slope : float
        Projected interstellar clouds have 2.5 to 3.2 (Elmegreen & Scalo 2004).
    rng : Generator
        Random numbers.
    outer, inner : float
        Largest and smallest structures, pixels: 1 / k0, and twice the step of the grid on which
        the field is made.

    Returns
    -------
    shape float array
        Mean 0 and variance 1 in the long run.

    Raises
    ------
    ParameterError
        If a scale is not positive.
    """
    from scipy.fft import irfft2, next_fast_len
    from scipy.ndimage import zoom

    if not 0 < inner <= outer:
        raise ParameterError("outer, inner", (outer, inner), "positive, the outer scale larger")
    step = max(1, int(inner / 2))
    rows, columns = (-(-n // step) + 2 for n in shape)
    # the far end of a periodic field is like its beginning: make more than is used
    padded = [next_fast_len(n + max(n // 4, 8), real=True) for n in (rows, columns)]
    ky, kx = np.fft.fftfreq(padded[0], step)[:, None], np.fft.rfftfreq(padded[1], step)[None, :]
    amplitude = (kx**2 + ky**2 + outer**-2.0) ** (-slope / 4.0)
    amplitude[0, 0] = 0.0
    noise = rng.standard_normal((2, *amplitude.shape))
    modes = amplitude * (noise[0] + 1j * noise[1])
    weight = np.full(amplitude.shape[1], 2.0)
    weight[[0, -1]] = 0.5  # of these columns the Hermitian part counts alone
    variance = 2.0 * np.sum(weight * amplitude**2)
    field = irfft2(modes, s=padded, norm="forward")[:rows, :columns] / np.sqrt(variance)
    if step > 1:
        field = zoom(field, step, order=3)
    return np.asarray(field[: shape[0], : shape[1]], np.float64)


def dust_map(
    shape: tuple[int, int],
    mean: float,
    rng: np.random.Generator,
    *,
    contrast: float,
    slope: float,
    outer: float,
    lane: FloatArray | None = None,
    lane_depth: float = 0.0,
) -> FloatArray:
    """A_V through the whole disc: log-normal clouds, denser along a lane.

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    mean : float
        Mean A_V away from the lane, mag.
    rng : Generator
        Random numbers.
    contrast : float
        Standard deviation of ln A_V.
    slope, outer : float
        Of the clouds, see `turbulence`; pixels.
    lane : shape array, optional
        Profile of a dust lane, 0 to 1.
    lane_depth : float
        What the middle of the lane adds to A_V, mag; its clouds are those of the disc.

    Returns
    -------
    shape float array
        Magnitudes, at most `THICKEST`.
    """
    clouds = np.exp(contrast * turbulence(shape, slope, rng, outer=outer) - 0.5 * contrast**2)
    level = mean if lane is None else mean + lane_depth * lane
    return np.minimum(level * clouds, THICKEST)


def behind_sheet(a_band: FloatArray) -> FloatArray:
    """Light of a thick disc that leaves it, with all dust in a thin sheet in its middle.

    Parameters
    ----------
    a_band : array
        Extinction by the sheet in a band, mag.

    Returns
    -------
    array
        0.5 (1 + 10^(-0.4 A)): one half of the stars is in front of the sheet.
    """
    return np.asarray(0.5 * (1.0 + np.exp(-LN_FLUX * a_band)))


def mixed_in(a_band: FloatArray) -> FloatArray:
    """Light of stars that leaves a layer in which stars and dust are mixed evenly.

    Parameters
    ----------
    a_band : array
        Extinction by the whole layer in a band, mag.

    Returns
    -------
    array
        (1 - exp(-tau)) / tau.
    """
    tau = LN_FLUX * np.maximum(a_band, 1e-9)
    return np.asarray(-np.expm1(-tau) / tau)
