"""AP 142's size in what is published: PHAT's photometry of its stars, star by star."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError

if TYPE_CHECKING:
    from astropy.wcs import WCS

FloatArray = NDArray[np.float64]

CENTRE = (150.5, 150.5)
"""Of the circle and the ring in which the stars were listed, pixels of the cutout."""
CIRCLE, RING = 40.0, (50.0, 139.0)
"""Their radii, pixels: what lies between them is in neither list."""
BRIGHT, FAINT = 22.5, 27.0
"""Magnitudes of the stars that are taken: brighter ones are not the cluster's, fainter ones were
not all found."""
SLOPES = (2.2, 3.5)
"""Of the EFF profiles that are fitted: those of the mocks."""
FAR = 10.0
"""Half-light radii at which a profile ends."""
_UNIT = 25.0


@dataclass(frozen=True, eq=False)
class Stars:
    """Stars of the circle and of the ring.

    Parameters
    ----------
    x, y : (n,) arrays
        Pixels of the cutout, from 0.
    mag : (n,) array
        F475W, Vega.
    """

    x: FloatArray
    y: FloatArray
    mag: FloatArray

    @property
    def flux(self) -> FloatArray:
        """In units of a star of magnitude 25."""
        return np.asarray(10 ** (-0.4 * (self.mag - _UNIT)))

    def select(self, rows: NDArray[Any]) -> Stars:
        """Some of them."""
        return Stars(self.x[rows], self.y[rows], self.mag[rows])


@dataclass(frozen=True)
class Profile:
    """An EFF profile above an even field.

    Parameters
    ----------
    x, y : float
        Centre, pixels.
    r_h : float
        Half-light radius of the profile, which ends at 10 of them; pixels.
    gamma : float
        Slope far out of the surface brightness, ``(1 + r^2 / a^2)**(-gamma / 2)``.
    field : float
        Light of the field per pixel over that of the whole cluster.
    """

    x: float
    y: float
    r_h: float
    gamma: float
    field: float


def read_stars(folder: Path, wcs: WCS) -> Stars:
    """Read both lists, and where their stars are on the cutout.

    Parameters
    ----------
    folder : Path
        Where ``ap142_phot.fits`` and ``ap142_sky.fits`` are.
    wcs : WCS
        The cutout's.

    Returns
    -------
    Stars
        Those with a magnitude of `BRIGHT` to `FAINT`.

    Raises
    ------
    InputFileError
        If a file is missing or has other columns.
    """
    from astropy.table import Table, vstack

    tables = []
    for name in ("ap142_phot.fits", "ap142_sky.fits"):
        try:
            tables.append(Table.read(folder / name)["RA", "DEC", "F475W_VEGA"])
        except (OSError, KeyError, ValueError) as error:
            expected = "PHAT's photometry with RA, DEC, F475W_VEGA"
            raise InputFileError(folder / name, f"cannot be read: {error}", expected) from error
    table = vstack(tables, metadata_conflicts="silent")
    x, y = wcs.all_world2pix(table["RA"], table["DEC"], 0)
    mag = np.asarray(table["F475W_VEGA"], dtype=np.float64)
    stars = Stars(np.asarray(x), np.asarray(y), mag)
    return stars.select((mag > BRIGHT) & (mag < FAINT))


def growth_radius(stars: Stars, x: float, y: float) -> float:
    """Radius that holds half of the light within the circle, above the ring's.

    Parameters
    ----------
    stars : Stars
        Of circle and ring.
    x, y : float
        Centre of the cluster, pixels.

    Returns
    -------
    float
        Pixels. A lower limit: the cluster does not end at the circle's edge.
    """
    away = np.hypot(stars.x - CENTRE[0], stars.y - CENTRE[1])
    ring = (away > RING[0]) & (away < RING[1])
    field = stars.flux[ring].sum() / (np.pi * (RING[1] ** 2 - RING[0] ** 2))
    radius = np.hypot(stars.x - x, stars.y - y)
    order = np.argsort(radius)
    order = order[radius[order] < CIRCLE]
    light = np.cumsum(stars.flux[order]) - field * np.pi * radius[order] ** 2
    whole = stars.flux[order].sum() - field * np.pi * CIRCLE**2
    return float(radius[order][np.argmax(light > whole / 2)])


def fit_profile(stars: Stars, start: Profile | None = None) -> Profile:
    """Fit a profile to the places of the stars, each counted as much as it shines.

    Parameters
    ----------
    stars : Stars
        Of circle and ring.
    start : Profile, optional
        Where to begin.

    Returns
    -------
    Profile
        The most likely one, with a slope within `SLOPES`.
    """
    from scipy.optimize import minimize

    start = start or Profile(*CENTRE, 14.0, 2.8, 1e-4)
    area = _Area()
    middle, half = np.mean(SLOPES), np.ptp(SLOPES) / 2

    def profile(p: FloatArray) -> Profile:
        slope = middle + half * np.sin(p[3])
        return Profile(p[0], p[1], np.exp(p[2]), float(slope), np.exp(p[4]))

    def unlikeliness(p: FloatArray) -> float:
        now = profile(p)
        density = _eff(now, stars.x, stars.y) + now.field
        whole = float(_eff(now, area.x, area.y).sum()) + now.field * len(area.x)
        return float(-np.average(np.log(density / whole), weights=stars.flux))

    angle = np.arcsin(np.clip((start.gamma - middle) / half, -0.95, 0.95))
    begin = np.array([start.x, start.y, np.log(start.r_h), angle, np.log(start.field)])
    steps = np.diag([2.0, 2.0, 0.2, 0.4, 0.3])
    simplex = np.concatenate([begin[None], begin + steps])
    found = minimize(
        unlikeliness, begin, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 3e-3, "fatol": 1e-8, "maxiter": 3000},
    )  # fmt: skip
    return profile(found.x)


def resampled(
    stars: Stars, measure: Callable[[Stars], FloatArray], number: int, seed: int
) -> FloatArray:
    """Measure stars drawn with replacement.

    Parameters
    ----------
    stars : Stars
        The list.
    measure : callable
        Gives numbers of a list.
    number, seed : int
        How often, and of which random numbers.

    Returns
    -------
    (number, k) array
    """
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(stars.x), size=(number, len(stars.x)))
    return np.array([measure(stars.select(chosen)) for chosen in rows])


class _Area:
    """The pixels of circle and ring."""

    @cached_property
    def _inside(self) -> tuple[FloatArray, FloatArray]:
        y, x = np.mgrid[:301, :301].astype(np.float64)
        away = np.hypot(x - CENTRE[0], y - CENTRE[1])
        inside = (away < CIRCLE) | ((away > RING[0]) & (away < RING[1]))
        return x[inside], y[inside]

    @property
    def x(self) -> FloatArray:
        """Their columns."""
        return self._inside[0]

    @property
    def y(self) -> FloatArray:
        """Their rows."""
        return self._inside[1]


def _eff(profile: Profile, x: FloatArray, y: FloatArray) -> FloatArray:
    from filar.simulate.clusters.profiles import EFF

    radius = np.hypot(x - profile.x, y - profile.y) / profile.r_h
    return EFF(profile.gamma, FAR).brightness(radius) / profile.r_h**2
