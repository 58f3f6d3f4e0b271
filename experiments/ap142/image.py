"""The image of AP 142, and what its own sky says of noise and exposure time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filar.instruments.bandimage import BandImage, BandOptions, read_band_image
from filar.robust import MAD_TO_SIGMA, robust_rms
from filar.simulate.clusters.profiles import EFF

FloatArray = NDArray[np.float64]

FILE = "ap142_F475W.fits"
EXPOSURE_TIME = 1710.0
"""Seconds: the survey's long exposures (Dalcanton et al. 2012); the piece's header has none."""
READ_NOISE = 8.4
"""Electrons, of the survey's four long exposures together."""
DARKEST = 0.1
"""Part of the image whose noise is measured: where there are fewest stars."""
WINDOW = 7
"""Pixels on the side of the squares by whose mean the darkest places are found."""
SMOOTHED = 4.0 / 9.0
"""Rms of second differences in both directions after drizzling over that of white noise. A drop
as large as the pixel, at any phase, shares a pixel's light out between two: the power spectrum is
(2 + cos w) / 3 in each direction, and the mean of (2 - 2 cos w)^2 times it is 8/3, not 6."""
EDGES = np.array(
    [0, 2, 4, 6, 8, 10, 12, 15, 18, 22, 26, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100, 120, 140.0]
)
"""Of the rings, pixels."""
LEAST_ERROR = 0.02
"""Of a ring's brightness, relative: the cluster is no smooth profile."""


@dataclass(frozen=True)
class SkyNoise:
    """Noise of the darkest places.

    Parameters
    ----------
    level : float
        Electrons per second and pixel: sky, and stars that are too faint to be seen.
    sigma : float
        Of the image's native pixels, before drizzling smoothed it; electrons per second.
    as_seen : float
        The same, of the second differences as they are, normalised for white noise.
    exposure_time : float
        Seconds in which such a level has such a noise, read noise included.
    """

    level: float
    sigma: float
    as_seen: float
    exposure_time: float


def read_image(folder: Path) -> BandImage:
    """Read the piece of PHAT's image.

    Parameters
    ----------
    folder : Path
        Where it is.

    Returns
    -------
    BandImage
        Electrons per second.
    """
    return read_band_image(folder / FILE, BandOptions(exposure_time=EXPOSURE_TIME))


def sky_noise(rate: NDArray[np.float32], read_noise: float = READ_NOISE) -> SkyNoise:
    """Measure the noise where an image is darkest.

    Second differences in both directions at once (Immerkaer 1996, CVIU 64, 300) leave little of
    the faint stars' light, which is smooth on the scale of a pixel.

    Parameters
    ----------
    rate : (ny, nx) array
        A drizzled image, electrons per second.
    read_noise : float
        Electrons, of all exposures together.

    Returns
    -------
    SkyNoise
    """
    from scipy.ndimage import convolve, uniform_filter

    image = rate.astype(np.float64)
    line = np.array([1.0, -2.0, 1.0])
    rough = convolve(image, np.outer(line, line) / 6.0)[1:-1, 1:-1]
    smooth = uniform_filter(image, WINDOW)[1:-1, 1:-1]
    dark = smooth < np.quantile(smooth, DARKEST)
    level = float(np.mean(smooth[dark]))
    as_seen = robust_rms(rough[dark])
    variance = (as_seen / SMOOTHED) ** 2
    # variance = level / t + (read noise / t)^2
    time = (level + np.sqrt(level**2 + 4 * variance * read_noise**2)) / (2 * variance)
    return SkyNoise(level, float(np.sqrt(variance)), as_seen, float(time))


def binned(image: BandImage, factor: int) -> BandImage:
    """Add up squares of pixels; what is left over at the upper edges is cut off.

    Parameters
    ----------
    image : BandImage
        Electrons per second.
    factor : int
        Pixels on the side of a square.

    Returns
    -------
    BandImage
        Its pixel (0, 0) is the square at the origin; without a WCS.
    """
    ny, nx = (side // factor for side in image.shape)
    squares = image.rate[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor)
    return replace(
        image, rate=squares.sum(axis=(1, 3), dtype=np.float64).astype(np.float32),
        pixel_scale=factor * image.pixel_scale, wcs=None,
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Rings:
    """Brightness in rings.

    Parameters
    ----------
    radius : (k,) array
        Middles, pixels.
    mean, error : (k,) arrays
        Electrons per second and pixel, and what the scatter between eight sectors says of it.
    """

    radius: FloatArray
    mean: FloatArray
    error: FloatArray


def rings(rate: NDArray[np.float32], x: float, y: float, edges: FloatArray) -> Rings:
    """Measure an image in rings about a centre.

    Parameters
    ----------
    rate : (ny, nx) array
        The image.
    x, y : float
        Centre, pixels.
    edges : (k + 1,) array
        Of the rings, pixels.

    Returns
    -------
    Rings
    """
    rows, columns = np.indices(rate.shape)
    radius = np.hypot(columns - x, rows - y)
    sector = ((np.arctan2(rows - y, columns - x) + np.pi) / (2 * np.pi) * 8).astype(int) % 8
    ring = np.digitize(radius, edges) - 1
    mean, error = [], []
    for k in range(len(edges) - 1):
        inside = ring == k
        mean.append(float(rate[inside].mean()))
        parts = [rate[inside & (sector == s)] for s in range(8)]
        means = np.array([part.mean() for part in parts if part.size])
        spread = MAD_TO_SIGMA * np.median(np.abs(means - np.median(means)))
        error.append(float(max(spread, means.std() / 2) / np.sqrt(len(means))))
    middles = (edges[1:] + edges[:-1]) / 2
    return Rings(middles, np.array(mean), np.array(error))


def fitted_radii(
    rate: NDArray[np.float32], x: float, y: float, slopes: Sequence[float]
) -> dict[float, float]:
    """Half-light radii of EFF profiles fitted to the brightness in rings.

    Parameters
    ----------
    rate : (ny, nx) array
        The image.
    x, y : float
        Centre, pixels.
    slopes : sequence of float
        Of the profiles: faint stars and the field leave them open.

    Returns
    -------
    dict
        From slope to radius, pixels.
    """
    from scipy.optimize import least_squares

    measured = rings(rate, x, y, EDGES)
    error = np.maximum(measured.error, LEAST_ERROR * measured.mean)

    def missed(p: FloatArray, slope: float) -> FloatArray:
        radius = np.exp(p[1])
        light = EFF(slope).brightness(measured.radius / radius) / radius**2
        return np.asarray((np.exp(p[0]) * light + p[2] - measured.mean) / error)

    start = np.array([6.0, 2.5, measured.mean[-1]])
    found = {slope: least_squares(missed, start, args=(slope,)).x for slope in slopes}
    return {slope: float(np.exp(p[1])) for slope, p in found.items()}
