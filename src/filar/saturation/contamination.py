"""The light of other stars in a star's aperture, by a catalogue: W24's f_c and b_c.

f_c is the light of all other catalogued stars in the aperture over the target's own. b_c is what
of it a sky estimated around the target takes away again: the median of the starlight in apertures
of the same size laid at random around the target, over the target's light. The light that counts
as the target's is then N (1 + f_c - b_c).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
IndexArray = NDArray[np.int64]

RADIUS = 8.0
"""Of the aperture, arcsec (W24: half of the FWHM)."""
FIELD = 60.0
"""Of the field around the target whose stars make the background, arcsec (W24)."""
FAINTEST = 20.0
"""Fainter stars do not count, magnitude (W24)."""
_APERTURES = 64
_BATCH = 2000  # targets at a time, which bounds the memory


@dataclass(frozen=True, eq=False)
class Contamination:
    """Other stars' light around n targets.

    Parameters
    ----------
    f_c : (n,) float64 array
        Light of the other stars in the aperture, in units of the target's.
    b_c : (n,) float64 array
        Median starlight in such an aperture around the target, in the same units.
    """

    f_c: FloatArray
    b_c: FloatArray

    def __len__(self) -> int:
        return len(self.f_c)


def sky_contamination(
    ra: ArrayLike,
    dec: ArrayLike,
    mag: ArrayLike,
    targets: ArrayLike,
    *,
    radius: float = RADIUS,
    field: float = FIELD,
    faintest: float = FAINTEST,
    seed: int = 0,
) -> Contamination:
    """Compute f_c and b_c in the sky, for one aperture in arcsec.

    Parameters
    ----------
    ra, dec : (m,) arrays
        Positions of all stars of the catalogue, degrees.
    mag : (m,) array
        Their magnitudes, best in the band of the images; stars without one do not count.
    targets : (n,) int array
        Rows of the targets.
    radius : float
        Of the aperture, arcsec.
    field : float
        Random apertures lie within this distance of the target, arcsec, and do not touch its own.
    faintest : float
        Fainter stars do not count.
    seed : int
        Of the places of the random apertures.

    Returns
    -------
    Contamination
        NaN for targets without a magnitude or a position.

    Raises
    ------
    ParameterError
        If arrays differ in length, a row is none, or the radius or the field makes no sense.
    """
    ra, dec = np.asarray(ra, float), np.asarray(dec, float)
    to_angle = np.pi / 180 / 3600

    def around(rows: IndexArray, east: FloatArray, north: FloatArray) -> FloatArray:
        latitude = np.radians(dec[rows])[:, None] + north * to_angle
        longitude = np.radians(ra[rows])[:, None] + east * to_angle / np.cos(latitude)
        return _unit_vectors(longitude, latitude)

    places = _unit_vectors(np.radians(ra), np.radians(dec))
    return _contamination(
        places, mag, targets, around, radius, field, faintest, seed,
        scale=to_angle,
    )  # fmt: skip


def _unit_vectors(longitude: FloatArray, latitude: FloatArray) -> FloatArray:
    across = np.cos(latitude)
    parts = (across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude))
    return np.stack(parts, axis=-1)


def _contamination(
    places: FloatArray,
    mag: ArrayLike,
    targets: ArrayLike,
    around: Callable[[IndexArray, FloatArray, FloatArray], FloatArray],
    radius: float,
    field: float,
    faintest: float,
    seed: int,
    *,
    scale: float,
) -> Contamination:
    """Do the work in any space: `scale` times a distance is a distance between `places`."""
    from scipy.spatial import cKDTree

    mag = np.asarray(mag, float)
    rows = np.asarray(targets, np.int64)
    _check(places, mag, rows, radius, field)
    with np.errstate(invalid="ignore"):
        counted = np.flatnonzero(np.isfinite(places).all(axis=1) & (mag <= faintest))
    light = 10 ** (-0.4 * mag[counted])
    tree = cKDTree(places[counted])
    rng = np.random.default_rng(seed)
    f_c, b_c = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    good = np.flatnonzero(np.isfinite(places[rows]).all(axis=1) & np.isfinite(mag[rows]))
    for start in range(0, len(good), _BATCH):
        index = good[start : start + _BATCH]
        batch = rows[index]
        own = 10 ** (-0.4 * mag[batch])

        def summed(at: FloatArray, without: IndexArray | None) -> FloatArray:
            pairs = cKDTree(at).sparse_distance_matrix(tree, radius * scale, output_type="ndarray")
            part = light[pairs["j"]]
            if without is not None:
                part[counted[pairs["j"]] == without[pairs["i"]]] = 0
            return np.asarray(np.bincount(pairs["i"], part, minlength=len(at)), float)

        f_c[index] = summed(places[batch], batch) / own
        random = around(batch, *_offsets(rng, len(batch), 2 * radius, field))
        lights = summed(random.reshape(-1, places.shape[1]), np.repeat(batch, _APERTURES))
        b_c[index] = np.median(lights.reshape(len(batch), _APERTURES), axis=1) / own
    return Contamination(f_c, b_c)


def _offsets(
    rng: np.random.Generator, number: int, inner: float, outer: float
) -> tuple[FloatArray, FloatArray]:
    """Places spread evenly over rings: two (number, apertures) arrays."""
    distance = np.sqrt(rng.uniform(inner**2, outer**2, (number, _APERTURES)))
    angle = rng.uniform(0, 2 * np.pi, (number, _APERTURES))
    return distance * np.cos(angle), distance * np.sin(angle)


def _check(
    places: FloatArray, mag: FloatArray, rows: IndexArray, radius: float, field: float
) -> None:
    if len(mag) != len(places):
        raise ParameterError("mag", len(mag), f"one magnitude for each of {len(places)} stars")
    if len(rows) and not (rows.min() >= 0 and rows.max() < len(places)):
        raise ParameterError("targets", rows, f"rows of the catalogue, 0 to {len(places) - 1}")
    if not radius > 0:
        raise ParameterError("radius", radius, "a positive number")
    if not field > 2 * radius:
        raise ParameterError("field", field, f"more than twice the aperture's radius of {radius}")
