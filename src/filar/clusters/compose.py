"""Cutouts composed of mock clusters, pieces of galaxies and noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.clusters.cutouts import Cutouts
from filar.clusters.data import Facts, IntArray, SetFolder, Truth, check_rows
from filar.clusters.posterior import PARAMETERS
from filar.errors import ParameterError

if TYPE_CHECKING:
    from filar.learn.settings import Limits, MixtureSettings

FloatArray = NDArray[np.float64]
Images = NDArray[np.float32]

SMOOTHED = 3
"""Pixels on the side of the box over which light is averaged before its peaks are looked for."""
APART = 9
"""Peaks are the brightest within so many pixels."""
PEAK = 5.0
"""Standard deviations by which a peak stands out."""
BRIGHT_FIRST = 2
"""A peak's rank is a uniform number to this power: half are of the brightest quarter."""
PATCH = 64
"""Side of the box whose mean light a peak stands out from, pixels."""


class Composer:
    """Composes cutouts of some of a set's clusters and scenes.

    Parameters
    ----------
    data : SetFolder
        The set.
    rows : (n,) int array
        Clusters to choose from.
    scenes : (s,) int array
        Scenes to choose from.
    mixture : MixtureSettings
        Of what.

    Raises
    ------
    ParameterError
        If there is nothing to choose from.
    """

    def __init__(
        self, data: SetFolder, rows: IntArray, scenes: IntArray, mixture: MixtureSettings
    ) -> None:
        check_rows(rows, len(data))
        if not len(rows) or not len(scenes):
            found = f"{len(rows)} clusters, {len(scenes)} scenes"
            raise ParameterError("rows, scenes", found, "at least one of each")
        self.data, self.rows = data, np.asarray(rows)
        self.mixture = mixture
        self.scenes = [np.asarray(data.scenes[k]) for k in scenes]
        self._peaks = [find_peaks(electrons(scene), data.facts.size) for scene in self.scenes]

    def compose(self, rows: IntArray, rng: np.random.Generator) -> tuple[Cutouts, Truth]:
        """One cutout for each row; some are backgrounds, as the mixture says.

        Parameters
        ----------
        rows : (n,) int array
            Numbers of clusters in the set; those of backgrounds only serve if put aside.
        rng : Generator
            Of all randomness.

        Returns
        -------
        cutouts : Cutouts
            n of them.
        truth : Truth
            Of each.
        """
        facts, mixture, n = self.data.facts, self.mixture, len(rows)
        kinds = rng.random((3, n))
        empty = kinds[0] < mixture.backgrounds
        aside = empty & (kinds[1] < mixture.aside)
        peaked = empty & ~aside & (kinds[2] < mixture.peaks)
        order = np.argsort(rows, kind="stable")
        light = np.empty((n, *self.data.clusters.shape[1:]), np.float32)
        light[order] = electrons(self.data.clusters[np.asarray(rows)[order]])
        light[empty & ~aside] = 0
        for row in np.flatnonzero(aside):
            light[row] = _moved(light[row], *_offset(mixture.away, facts.size, rng))
        low, high = np.log(mixture.depth)
        depth = np.exp(rng.uniform(low, high, n)).astype(np.float32)
        behind, noisy = self._backgrounds(peaked, rng)
        return _exposed(facts, light, behind, noisy, depth, rng), Truth(
            values=np.where(empty[:, None], np.nan, self.data.values[rows]),
            cluster=~empty,
            log_snr=np.where(
                empty, np.nan, log_visibility(facts, light, behind, self.data.values[rows], depth)
            ),
        )

    def sample(self, n: int, rng: np.random.Generator) -> tuple[Cutouts, Truth]:
        """Compose n cutouts, or as many as there are clusters, of clusters chosen by chance."""
        return self.compose(rng.permutation(self.rows)[:n], rng)

    def _backgrounds(
        self, peaked: NDArray[np.bool_], rng: np.random.Generator
    ) -> tuple[Images, NDArray[np.bool_]]:
        """Pieces of scenes, electrons: (n, bands, size, size), and which have noise already."""
        size, n = self.data.facts.size, len(peaked)
        found = np.empty((n, len(self.data.bands), size, size), np.float32)
        noisy = np.empty(n, bool)
        for row, k in enumerate(rng.integers(len(self.scenes), size=n)):
            scene, peaks = self.scenes[k], self._peaks[k]
            if peaked[row] and len(peaks):
                # The brightest are the likeliest to be taken for clusters.
                y, x = peaks[int(len(peaks) * rng.random() ** BRIGHT_FIRST)]
            else:
                y, x = (rng.integers(extent - size + 1) for extent in scene.shape[1:])
            found[row] = electrons(scene[:, y : y + size, x : x + size])
            noisy[row] = scene.dtype != np.float16
        return found, noisy


def electrons(stored: NDArray[np.floating]) -> Images:
    """Electrons of images as a set keeps them: roots if of half precision."""
    values = np.asarray(stored, np.float32)
    return np.square(values) if stored.dtype == np.float16 else values


def find_peaks(scene: Images, size: int) -> NDArray[np.int64]:
    """Corners of the pieces of a scene that are centred on something bright.

    Parameters
    ----------
    scene : (bands, ny, nx) array
        Electrons.
    size : int
        Pixels on a piece's side.

    Returns
    -------
    (k, 2) int array
        First row and column of each, those of the brightest first.
    """
    from scipy.ndimage import maximum_filter, uniform_filter

    smooth = uniform_filter(scene, (0, SMOOTHED, SMOOTHED))
    broad = uniform_filter(scene, (0, PATCH, PATCH))
    sigma = np.sqrt(np.maximum(broad, 1)) / SMOOTHED
    height = ((smooth - broad) / sigma).sum(axis=0) / np.sqrt(len(scene))
    spots = (height == maximum_filter(height, APART)) & (height > PEAK)
    corners = np.argwhere(spots)[np.argsort(-height[spots], kind="stable")] - size // 2
    inside = (corners >= 0) & (corners <= np.array(scene.shape[1:]) - size)
    return np.asarray(corners[inside.all(axis=1)])


def _offset(away: Limits, size: int, rng: np.random.Generator) -> tuple[int, int]:
    distance, angle = size * rng.uniform(*away), rng.uniform(0, 2 * np.pi)
    return round(distance * np.sin(angle)), round(distance * np.cos(angle))


def _moved(image: Images, dy: int, dx: int) -> Images:
    """An image moved by whole pixels; what enters is dark."""
    size = image.shape[-1]
    found = np.zeros_like(image)
    to_y, to_x = slice(max(dy, 0), size + min(dy, 0)), slice(max(dx, 0), size + min(dx, 0))
    from_y, from_x = slice(max(-dy, 0), size - max(dy, 0)), slice(max(-dx, 0), size - max(dx, 0))
    found[:, to_y, to_x] = image[:, from_y, from_x]
    return found


def _exposed(
    facts: Facts,
    light: Images,
    behind: Images,
    noisy: NDArray[np.bool_],
    depth: NDArray[np.float32],
    rng: np.random.Generator,
) -> Cutouts:
    """Noise, and the unit of flux.

    Poisson's noise is taken as normal: pixels have ten electrons or more, and read noise.
    """
    # A real image's noise cannot be taken out again: its depth stays.
    depth = np.where(noisy, np.float32(1), depth)[:, None]
    read = facts.read_noise.astype(np.float32) ** 2
    mean = (light + behind) * depth[:, :, None, None]
    variance = np.where(noisy[:, None, None, None], light, mean + read[:, None, None])
    image = rng.standard_normal(mean.shape, np.float32)
    image *= np.sqrt(np.maximum(variance, 0))
    image += mean
    gain = facts.gain.astype(np.float32) * depth
    image /= gain[:, :, None, None]
    background = behind.mean(axis=(2, 3)) * depth
    noise = np.sqrt(np.maximum(background + read, 0)) / gain
    return Cutouts(
        image, noise, gain, facts.bands, facts.pixel_scale, np.zeros(len(image), np.int32)
    )


def log_visibility(
    facts: Facts,
    light: Images,
    behind: Images,
    values: FloatArray,
    depth: NDArray[np.float32] | float = 1.0,
) -> FloatArray:
    """How well clusters are seen, see `filar.simulate.clusters.noise.visibility`.

    Parameters
    ----------
    facts : Facts
        Of the images.
    light, behind : (n, bands, size, size) arrays
        Electrons of the clusters, and of all else.
    values : (n, 4) array
        `PARAMETERS`.
    depth : (n,) array or float
        Factor of the exposure times.

    Returns
    -------
    (n,) float array
        log10 of the signal-to-noise ratio.
    """
    from filar.simulate.clusters.noise import visibility

    half_light = 10 ** values[:, PARAMETERS.index("log_r_h")] / facts.pixel_scale
    away = np.arange(facts.size) - (facts.size - 1) / 2
    apart = np.hypot(away[:, None], away).ravel()
    inside = (apart <= np.maximum(half_light, 2)[:, None]).astype(np.float32)
    n, bands = light.shape[:2]
    pixel = np.einsum("nbp,np->nb", behind.reshape(n, bands, -1), inside)
    pixel /= inside.sum(axis=1)[:, None]
    total = light.sum(axis=(2, 3), dtype=np.float64)
    args = (total, pixel.astype(np.float64), half_light, facts.psf_half_light, facts.read_noise)
    return np.asarray(np.log10(np.maximum(visibility(*args, depth=depth)[0], 1e-3)))
