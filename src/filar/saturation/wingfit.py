"""The wings of an exposure's PSF, from stars of all brightnesses: each tells of some radii."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from filar.psf.wings import KNOTS, WingedPSF
from filar.saturation.rings import NEIGHBOURS_ERROR
from filar.saturation.scene import REACHES, Scene, at_pixels
from filar.saturation.windows import cut, distances

FloatArray = NDArray[np.float64]
EDGES = np.sqrt(np.array([2.0, *KNOTS]) * np.array([*KNOTS, 1.4 * KNOTS[-1]]))
"""Of the ring about each knot, pixels."""
LEAST_SNR, MOST_OTHERS = 2.0, 0.5
"""Of a star's light in a ring that counts: over its error, and others' light over it."""
STAR_ERROR = 0.1
"""Relative: no star tells more, so that no single one decides."""
FEWEST, ENOUGH = 3, 10
"""Stars that tell of a ring, at least; and those away from the crowd, for the others to be left."""
QUIET, NEIGHBOURHOOD, MESH = 1.5, 50.0, 25
"""Density of stars away from the crowd over the median over the image; the radius in which stars
are counted, and the distance of places where they are, pixels."""
CHUNK = 2_000_000


def fit_wings(scene: Scene, chosen: NDArray[np.intp]) -> WingedPSF:
    """Measure the profile of the wings.

    In each ring the median pixel of each star, without its core, its sky and all other stars, over
    the star's whole light; of all stars the weighted median, which does not mind those that stand
    on something else. Stars away from the crowd are preferred: in a cluster, light of stars that
    were not found lies about all of them.

    Parameters
    ----------
    scene : Scene
        With the light of its stars as well as it is known.
    chosen : (n,) int array
        Stars that tell: bright, their light known.

    Returns
    -------
    WingedPSF
        The scene's core with these wings; where too few stars tell, the scene's own wings, scaled
        to the last that was measured.
    """
    flux = scene.flux[chosen]
    reach = scene.reach(flux)
    value = np.full((len(chosen), len(KNOTS)), np.nan)
    error = np.full_like(value, np.nan)
    others = np.full_like(value, np.nan)
    for half in REACHES:
        some = np.flatnonzero((reach == half) & (flux > 0))
        step = max(1, CHUNK // (2 * half + 1) ** 2)
        for start in range(0, len(some), step):
            part = some[start : start + step]
            value[part], error[part], others[part] = _profiles(scene, chosen[part], half)
    expected = scene.psf.profile(np.array(KNOTS)) + _core_profile(scene)
    with np.errstate(invalid="ignore"):
        counts = (expected > LEAST_SNR * error) & (others < MOST_OTHERS * expected)
    quiet = quiet_stars(scene, chosen)
    enough = (counts & quiet[:, None]).sum(axis=0) >= ENOUGH
    counts &= quiet[:, None] | ~enough
    weight = np.where(counts, 1 / (error**2 + (STAR_ERROR * expected) ** 2), 0)
    light, scale = scene.psf.light.copy(), 1.0
    for k in range(len(KNOTS)):
        if counts[:, k].sum() < FEWEST:
            light[k] *= scale
            continue
        measured = _weighted_median(value[counts[:, k], k], weight[counts[:, k], k])
        scale = float(np.clip(measured / light[k], 0.1, 10)) if light[k] > 0 else 1.0
        light[k] = measured
    return scene.psf.with_light(light)


def _profiles(
    scene: Scene, stars: NDArray[np.intp], half: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Median light in the rings over the star's own without its core, its error, others' light."""
    x, y, flux = scene.x[stars], scene.y[stars], scene.flux[stars]
    n, k = len(stars), len(KNOTS)
    own = scene.psf.stamps(x, y, half)
    light = cut(scene.light, x, y, half)
    others = np.maximum(light - flux[:, None, None] * own, 0)
    sky = cut(scene.sky, x, y, half)
    rest = cut(scene.exposure.data - scene.sky, x, y, half) - others
    inner = min(half, 7)
    at = (slice(None), *[slice(half - inner, half + inner + 1)] * 2)
    rest[at] -= flux[:, None, None] * scene.psf.core_stamps(x, y, inner)
    good = ~cut(scene.spoilt, x, y, half, True)
    r = distances(x, y, half)
    ring = np.searchsorted(EDGES, r, side="right") - 1
    inside = good & (ring >= 0) & (ring < k)
    index = (np.arange(n)[:, None, None] * k + np.clip(ring, 0, k - 1)).ravel()
    noise2 = np.maximum(light + sky, 0) + scene.exposure.read_noise**2
    weight = np.where(inside, 1 / (noise2 + (NEIGHBOURS_ERROR * others) ** 2), 0)

    def total(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(index, values.ravel(), n * k).reshape(n, k), float)

    norm = total(weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        near = total(weight * others) / norm
        sky_error = scene.sky_error[at_pixels(scene, x, y)][:, None]
        spread = np.sqrt(np.pi / 2 / norm + sky_error**2 + (NEIGHBOURS_ERROR * near) ** 2)
    # As the profile goes between its knots, what is seen at a radius is brought to the knot's.
    rest *= (r / np.array(KNOTS)[np.clip(ring, 0, k - 1)]) ** 2
    middle = _medians(rest.ravel()[inside.ravel()], index[inside.ravel()], n * k).reshape(n, k)
    return middle / flux[:, None], spread / flux[:, None], near / flux[:, None]


def _medians(values: FloatArray, group: NDArray[np.intp], count: int) -> FloatArray:
    """Median of each group, NaN for those without a member: (count,)."""
    order = np.lexsort((values, group))
    number = np.bincount(group, minlength=count)
    first = np.cumsum(number) - number
    middle = np.full(count, np.nan)
    some = number > 0
    ordered = values[order]
    low = ordered[(first + (number - 1) // 2)[some]]
    middle[some] = (low + ordered[(first + number // 2)[some]]) / 2
    return middle


def quiet_stars(scene: Scene, chosen: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Mark stars about which no more stars were found than usual in the image.

    Parameters
    ----------
    scene : Scene
        With all stars.
    chosen : (n,) int array
        Those in question.

    Returns
    -------
    (n,) bool array
    """
    ny, nx = scene.exposure.shape
    known = np.isfinite(scene.x + scene.y)
    tree = cKDTree(np.stack([scene.x[known], scene.y[known]], axis=1))
    rows, columns = np.mgrid[MESH // 2 : ny : MESH, MESH // 2 : nx : MESH]
    places = np.stack([columns.ravel(), rows.ravel()], axis=1).astype(float)
    stars = np.stack([scene.x[chosen], scene.y[chosen]], axis=1)
    usual = np.median(_density(tree, places, (ny, nx)))
    return np.asarray(_density(tree, np.nan_to_num(stars), (ny, nx)) <= QUIET * usual)


def _density(tree: Any, places: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Stars near some places over the part of the neighbourhood that lies in the image."""
    count = tree.query_ball_point(places, NEIGHBOURHOOD, return_length=True)
    limits = np.array(shape[::-1])
    high = np.minimum(places + NEIGHBOURHOOD, limits - 0.5)
    low = np.maximum(places - NEIGHBOURHOOD, -0.5)
    part = np.prod(np.maximum(high - low, 1.0), axis=1) / (2 * NEIGHBOURHOOD) ** 2
    return np.asarray(count / part)


def _core_profile(scene: Scene) -> FloatArray:
    """Light of the fitted core at the knots, in the middle of the chip."""
    ny, nx = scene.exposure.shape
    half = 7
    stamp = scene.psf.core_stamps(np.array([nx // 2]), np.array([ny // 2]), half)[0]
    return np.asarray(np.interp(KNOTS, np.arange(half + 1), stamp[half, half:], right=0.0))


def _weighted_median(values: FloatArray, weight: FloatArray) -> float:
    order = np.argsort(values)
    share = np.cumsum(weight[order])
    return float(values[order][np.searchsorted(share, 0.5 * share[-1])])
