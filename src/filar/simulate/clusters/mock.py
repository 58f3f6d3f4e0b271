"""Mock clusters: parameters, stars, places and dust, drawn into cutouts without noise or sky."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.populations import Extinction, IsochroneSet, draw_stars
from filar.simulate.clusters.canvas import Canvas, Glow, canvas_for
from filar.simulate.clusters.settings import MockSettings, uniform
from filar.threads import one_blas_thread

FloatArray = NDArray[np.float64]
Images = NDArray[np.float32]
COLUMNS = ("log_age", "a_v", "log_mass", "log_r_h", "shape", "z", "x", "y", "stars")
"""What is true of each cluster beside its magnitudes."""


@dataclass(frozen=True, eq=False)
class Mocks:
    """Mock clusters and what is true of them.

    Parameters
    ----------
    rate : (n, bands, size, size) float32 array
        Electrons per second of the clusters alone, without noise; 0 or more.
    log_age, a_v, log_mass, log_r_h : (n,) arrays
        log10 of years, mag, log10 of initial suns, log10 of arcsec.
    shape : (n,) array
        Slope of EFF profiles or concentration of King profiles.
    z : (n,) array
        Mass fraction of metals.
    x, y : (n,) arrays
        Middle of the cluster, pixels of the cutout.
    mag : (n, bands) array
        Apparent Vega magnitude of all its light, dust included.
    stars : (n,) array
        Stars drawn one by one.
    """

    rate: Images
    log_age: FloatArray
    a_v: FloatArray
    log_mass: FloatArray
    log_r_h: FloatArray
    shape: FloatArray
    z: FloatArray
    x: FloatArray
    y: FloatArray
    mag: FloatArray
    stars: FloatArray

    def __len__(self) -> int:
        return len(self.rate)

    @property
    def values(self) -> FloatArray:
        """(n, 4) log age, A_V, log mass and log half-light radius."""
        return np.stack([self.log_age, self.a_v, self.log_mass, self.log_r_h], axis=1)

    @classmethod
    def join(cls, parts: list[Self]) -> Self:
        """Put several together."""
        names = [one.name for one in fields(cls)]
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


@dataclass(frozen=True, eq=False)
class MockCluster:
    """One mock cluster before it is drawn.

    Parameters
    ----------
    log_age, a_v, log_mass, log_r_h, shape, z : float
        As in `Mocks`.
    x, y : (n,) arrays
        Places of its stars about its middle, pixels.
    flux : (n, bands) array
        Electrons per second of its stars.
    glow : Glow
        The light of all other stars, about the same middle.
    """

    log_age: float
    a_v: float
    log_mass: float
    log_r_h: float
    shape: float
    z: float
    x: FloatArray
    y: FloatArray
    flux: FloatArray
    glow: Glow

    @property
    def total(self) -> FloatArray:
        """All its light (bands,), electrons per second."""
        return np.asarray(self.flux.sum(axis=0) + self.glow.flux)

    def image(self, canvas: Canvas, x: float, y: float) -> Images:
        """Draw it alone with its middle at (x, y): (bands, ny, nx), 0 or more."""
        glow = Glow(self.glow.profile, self.glow.half_light, x, y, self.glow.flux)
        drawn = canvas.draw(self.x + x, self.y + y, self.flux, [glow])
        return np.maximum(drawn, 0.0, out=drawn)


def draw_cluster(
    settings: MockSettings, isochrones: IsochroneSet, rng: np.random.Generator
) -> MockCluster:
    """Draw the parameters and the stars of one cluster.

    Parameters
    ----------
    settings : MockSettings
        What clusters are like.
    isochrones : IsochroneSet
        Stars, in the camera's bands (`check_isochrones` sees to that).
    rng : Generator
        Random numbers.

    Returns
    -------
    MockCluster
    """
    camera, known = settings.camera, settings.metallicities
    ranges = (settings.log_age, settings.a_v, settings.log_mass, settings.log_r_h)
    log_age, a_v, log_mass, log_r_h = (uniform(one, rng) for one in ranges)
    shape = uniform(settings.shape_range, rng)
    z = float(known[rng.integers(len(known))]) if known else None
    profile = settings.make_profile(shape)
    isochrone = isochrones.at(log_age, z)
    reddened = _dust(isochrones.bands, settings.r_v).redden(isochrone, a_v)
    stars = draw_stars(reddened, 10.0**log_mass, rng, scatter=settings.scatter)
    half_light = 10.0**log_r_h / camera.pixel_scale
    x, y = profile.draw(len(stars.flux), rng)
    glow = Glow(profile, half_light, 0.0, 0.0, stars.unresolved * camera.rate_of_unit)
    return MockCluster(
        log_age, a_v, log_mass, log_r_h, shape, isochrone.z,
        half_light * x, half_light * y, stars.flux * camera.rate_of_unit, glow,
    )  # fmt: skip


@one_blas_thread
def draw_mocks(
    settings: MockSettings, isochrones: IsochroneSet, n: int, seed: int, *, first: int = 0
) -> Mocks:
    """Draw mock clusters.

    Parameters
    ----------
    settings : MockSettings
        What they are like.
    isochrones : IsochroneSet
        Stars; it must have the camera's bands.
    n : int
        Clusters.
    seed : int
        The same seed gives the same clusters.
    first : int
        Number of the first: two calls for 0 to 9 and 10 to 19 give the same as one for 0 to 19.

    Returns
    -------
    Mocks

    Raises
    ------
    ParameterError
        If the isochrones lack a band, an age or a metallicity, or `n` is less than 1.
    """
    if n < 1:
        raise ParameterError("n", n, "1 or more clusters")
    isochrones = check_isochrones(settings, isochrones)
    size, bands = settings.size, len(settings.camera.bands)
    canvas = canvas_for(settings.camera, (size, size))
    rate = np.empty((n, bands, size, size), np.float32)
    columns, total = np.empty((len(COLUMNS), n)), np.empty((n, bands))
    for row in range(n):
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(first + row,)))
        cluster = draw_cluster(settings, isochrones, rng)
        x, y = (size - 1) / 2 + settings.offset * np.clip(rng.normal(size=2), -3.0, 3.0)
        rate[row] = cluster.image(canvas, x, y)
        total[row] = cluster.total
        columns[:, row] = (
            cluster.log_age, cluster.a_v, cluster.log_mass, cluster.log_r_h, cluster.shape,
            cluster.z, x, y, len(cluster.x),
        )  # fmt: skip
    truth = dict(zip(COLUMNS, columns, strict=True))
    return Mocks(rate=rate, mag=settings.camera.mags(total), **truth)


def check_isochrones(settings: MockSettings, isochrones: IsochroneSet) -> IsochroneSet:
    """Take the camera's bands of a set and see that it has what the settings ask for.

    Parameters
    ----------
    settings : MockSettings
        What clusters are like.
    isochrones : IsochroneSet
        Stars.

    Returns
    -------
    IsochroneSet
        With the camera's bands in its order.

    Raises
    ------
    ParameterError
        If the isochrones lack a band, an age or a metallicity.
    """
    filters = settings.camera.filters
    if isochrones.bands != filters:
        isochrones = isochrones.with_bands(filters)
    for z in settings.metallicities or (None,):
        for log_age in settings.log_age:
            isochrones.at(log_age, z)
    return isochrones


@lru_cache(maxsize=8)
def _dust(bands: tuple[str, ...], r_v: float) -> Extinction:
    return Extinction(bands, r_v)
