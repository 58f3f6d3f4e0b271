"""How wide a camera's stars are, and cameras with wider or sharper ones."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from filar.simulate.clusters.camera import BandCamera, ClusterCamera
from filar.simulate.clusters.optics import BandOptics

FloatArray = NDArray[np.float64]

FINER = 16
"""Points to which a sample of the kernel is divided."""
TRIED = np.linspace(0.0, 3.0, 9)
"""Squared blurs, in units of the band's own, at which widths are measured."""


def star_width(optics: BandOptics) -> float:
    """Full width at half maximum of a star along x.

    Parameters
    ----------
    optics : BandOptics
        Of a band; the kernel is sampled finely enough to be interpolated exactly.

    Returns
    -------
    float
        Pixels.
    """
    from scipy.signal import resample

    row = np.asarray(optics.kernel[0], np.float64)
    fine = resample(row, FINER * len(row))
    step = optics.grid.period / len(fine)
    first = int(np.argmax(fine < fine[0] / 2))
    above, below = fine[first - 1], fine[first]
    return float(2 * step * (first - 1 + (above - fine[0] / 2) / (above - below)))


def wider(camera: ClusterCamera, factor: float) -> ClusterCamera:
    """Make a camera whose stars are wider, or sharper, by the blur in every band.

    Parameters
    ----------
    camera : ClusterCamera
        As trained on.
    factor : float
        Of the full widths at half maximum. Diffraction, drops and pixels cannot be taken away:
        where the blur is not enough, there is none left.

    Returns
    -------
    ClusterCamera
    """
    bands = []
    for band in camera.bands:
        squares, widths = _widths(replace(camera, bands=(band,)))
        square = float(np.interp(factor * widths[0], widths[1:], squares))
        bands.append(replace(band, blur=round(square**0.5, 5)))
    return replace(camera, bands=tuple(bands))


def changes(camera: ClusterCamera, other: ClusterCamera) -> dict[str, float]:
    """By how much another camera's stars are wider.

    Parameters
    ----------
    camera, other : ClusterCamera
        Of the same bands.

    Returns
    -------
    dict of str to float
        By filter; 0.05 for stars 5% wider.
    """
    return {
        band.filter: star_width(other.optics(k)) / star_width(camera.optics(k)) - 1
        for k, band in enumerate(camera.bands)
    }


@lru_cache(maxsize=8)
def _widths(camera: ClusterCamera) -> tuple[FloatArray, FloatArray]:
    """Squared blurs of one band and the widths that they make, its own width before them."""
    (band,) = camera.bands
    own = _blur(band)
    squares = TRIED * own**2
    tried = [replace(camera, bands=(replace(band, blur=float(s**0.5)),)) for s in squares]
    return squares, np.array([star_width(one.optics(0)) for one in (camera, *tried)])


def _blur(band: BandCamera) -> float:
    # without a blur of its own a band has the telescope's jitter, 7 milliarcsec
    return 0.007 if band.blur is None else band.blur
