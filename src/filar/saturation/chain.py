"""Wings, sky and the light of saturated stars of an exposure: each follows from the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.psf.model import FieldPSF
from filar.psf.wings import WingedPSF
from filar.saturation.blobs import Blobs, find_blobs, measure_trails
from filar.saturation.centres import step_centres
from filar.saturation.rings import Rings, measure_rings, ring_edges
from filar.saturation.scene import Scene, star_width
from filar.saturation.wingfit import ENOUGH, fit_wings, quiet_stars
from filar.sky import background

FloatArray = NDArray[np.float64]
ROUNDS = 4
FIELD_NODES = 4
"""Of the PSF along each axis: its last per mille does not matter here."""
SATURATED_STARS = 400
"""Whose light is followed, at most: the brightest."""
STEADY_STARS = 150
"""Unsaturated stars that are looked at beside them, at most."""
RING_ERROR = 0.05
"""Relative, of one ring of one star: the wings are not quite round, nor the same everywhere."""
KNOWN_ERROR, TRAIL_ERROR = 0.01, 0.1
"""Relative, of the light of unsaturated stars, and of that from a blob's charge."""
PRIOR_CORE, PRIOR_WINGS = 0.003, 0.5
"""How far the PSF may be wrong in a ring, natural logarithm: near the centre and outside."""
TRUSTED_RADIUS = 2.6
"""Pixels: within, the fitted PSF is right."""
LEAST_SNR, MOST_OTHERS, LEAST_PIXELS, LEAST_PART = 8.0, 0.3, 0.1, 0.1
"""Of a ring that counts: significance, light of others over the star's own, part of it seen, and
its estimate over the star's light."""
LEAST_GUESS, MOST_GUESS = 0.5, 3.0
"""Of what rings or blob say: a star's light is not taken for less or more."""
HUBER = 1.5
"""Standard deviations from which an equation counts less."""
CENTRE_RADIUS = 10
"""Half widths within which light tells of a star's centre."""


@dataclass(frozen=True, eq=False)
class Stars:
    """The stars of an exposure as a fit of the PSF left them.

    Parameters
    ----------
    x, y : (n,) float64 arrays
        Pixels.
    flux, error : (n,) float64 arrays
        Of the fit, electrons.
    saturated : (n,) bool array
        Whether saturated pixels are among those of the star.
    reliable : (n,) bool array
        Unsaturated, alone and well fitted.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    error: FloatArray
    saturated: NDArray[np.bool_]
    reliable: NDArray[np.bool_]


def measure_scene(exposure: Exposure, psf: FieldPSF, stars: Stars) -> Scene:
    """Measure the wings of the PSF, the light of saturated stars, and the sky between them.

    Parameters
    ----------
    exposure : Exposure
        The image.
    psf : FieldPSF
        Fitted to its stars.
    stars : Stars
        All of them.

    Returns
    -------
    Scene
        With saturated stars' light from the wings; see `filar.saturation.evidence`.
    """
    ny, nx = exposure.shape
    winged = WingedPSF.unmeasured(psf.thinned(FIELD_NODES))
    edges = ring_edges(float(star_width(winged, np.array([nx / 2]), np.array([ny / 2]))[0]))[:-1]
    sky, noise = background(exposure)
    flux = np.where(np.isfinite(stars.flux), np.maximum(stars.flux, 0), 0)
    scene = Scene(exposure, sky, noise, winged, stars.x, stars.y, flux)
    blobs = find_blobs(exposure)
    some = np.flatnonzero(stars.saturated)
    some = some[np.argsort(-flux[some], kind="stable")][:SATURATED_STARS]
    steady = _steady(scene, np.flatnonzero(stars.reliable & (flux > 0)))
    for number in range(ROUNDS):
        if number:
            scene = scene.changed(psf=fit_wings(scene, np.concatenate([steady, some])))
        scene = scene.changed(flux=_relit(scene, blobs, steady, some, edges))
        if len(some) and number < ROUNDS - 1:
            scene = _recentred(scene, stars, some, int(CENTRE_RADIUS * edges[1]))
        rest = (exposure.data - scene.light).astype(np.float32)
        sky, noise = background(exposure.replace(data=rest, mask=exposure.mask | scene.spoilt))
        scene = scene.changed(sky=sky, noise=noise)
    return scene


def _steady(scene: Scene, reliable: NDArray[np.intp]) -> NDArray[np.intp]:
    """The brightest reliable stars: away from crowds, whose unresolved light lifts their rings."""
    reliable = reliable[np.argsort(-scene.flux[reliable], kind="stable")]
    if len(reliable):
        quiet = reliable[quiet_stars(scene, reliable)]
        reliable = quiet if len(quiet) >= ENOUGH else reliable
    return reliable[:STEADY_STARS]


def _recentred(scene: Scene, stars: Stars, some: NDArray[np.intp], half: int) -> Scene:
    """The scene with saturated stars where the light about them says."""
    x, y = scene.x.copy(), scene.y.copy()
    start = stars.x[some], stars.y[some]
    x[some], y[some] = step_centres(scene, x[some], y[some], scene.flux[some], half, start)
    return scene.changed(x=x, y=y)


def _relit(
    scene: Scene,
    blobs: Blobs,
    steady: NDArray[np.intp],
    some: NDArray[np.intp],
    edges: FloatArray,
) -> FloatArray:
    """Light of all stars, that of the saturated ones solved for together with the wings' error."""
    flux = scene.flux
    if not len(some):
        return flux
    chosen = np.concatenate([steady, some])
    rings = measure_rings(scene, scene.x[chosen], scene.y[chosen], flux[chosen], edges)
    half = int(np.ceil(edges[-1]))
    trails = measure_trails(scene, blobs, scene.x[some], scene.y[some], flux[some], half)
    alone = (trails.others < MOST_OTHERS) & (trails.flux > 0)
    known = np.concatenate([flux[steady], np.where(alone, trails.flux, np.nan)])
    error = np.concatenate([np.full(len(steady), KNOWN_ERROR), np.full(len(some), TRAIL_ERROR)])
    middles = np.sqrt((edges[1:] ** 2 + edges[:-1] ** 2) / 2)
    # a fit that ran away says nothing of which rings are significant
    told = np.fmax(combined(rings, RING_ERROR)[0], known)
    most = np.where(told > 0, MOST_GUESS * told, np.inf)
    guess = np.fmin(np.fmax(flux[chosen], LEAST_GUESS * told), most)
    light = solve(rings, guess, known, error, middles <= TRUSTED_RADIUS)[len(steady) :]
    flux = flux.copy()
    flux[some] = np.where(np.isfinite(light), np.exp(light), flux[some])
    return flux


def solve(
    rings: Rings,
    guess: FloatArray,
    known: FloatArray,
    known_error: FloatArray,
    trusted: NDArray[np.bool_],
) -> FloatArray:
    """Solve for the light of stars when the PSF may be wrong by a factor in each ring.

    The light that ring k gives star i is N_i exp(d_k). Stars of known light and the middle of the
    PSF, which is right, fix the scale; ever brighter stars carry it outwards. Robust least squares.

    Parameters
    ----------
    rings : Rings
        n stars, k rings.
    guess : (n,) array
        Their light as far as it is known, electrons. It says which rings are significant: judged by
        their own light, those that happen to be bright would be preferred.
    known, known_error : (n,) array
        Light that is known otherwise, electrons (NaN: is not), and its relative error.
    trusted : (k,) bool array
        Rings in which the PSF is right.

    Returns
    -------
    (n,) array
        Natural logarithm of the light; NaN for stars without a usable ring.
    """
    n, k = rings.flux.shape
    with np.errstate(invalid="ignore"):
        usable = (guess[:, None] > LEAST_SNR * rings.error) & (rings.others < MOST_OTHERS)
    usable &= (rings.pixels > LEAST_PIXELS) & (rings.flux > LEAST_PART * guess[:, None])
    star, ring = np.nonzero(usable)
    relative = rings.error[star, ring] / guess[star]
    sigma = np.sqrt(relative**2 + RING_ERROR**2 + (0.3 * rings.others[star, ring]) ** 2)
    given = np.flatnonzero(np.isfinite(known))
    rows = np.arange(len(star))
    design = np.zeros((len(star) + len(given) + k, n + k))
    design[rows, star] = design[rows, n + ring] = 1
    design[len(star) + np.arange(len(given)), given] = 1
    design[len(star) + len(given) + np.arange(k), n + np.arange(k)] = 1
    target = np.concatenate([np.log(rings.flux[star, ring]), np.log(known[given]), np.zeros(k)])
    prior = np.where(trusted, PRIOR_CORE, PRIOR_WINGS)
    error = np.concatenate([sigma, known_error[given], prior])
    return np.where(usable.any(axis=1), _robust(design, target, error)[:n], np.nan)


def _robust(design: FloatArray, target: FloatArray, error: FloatArray) -> FloatArray:
    """Least squares with Huber's weights."""
    weight = 1 / error
    for _ in range(10):
        scaled = design * weight[:, None]
        normal = scaled.T @ scaled + 1e-9 * np.eye(design.shape[1])
        solution = np.linalg.solve(normal, scaled.T @ (target * weight))
        pull = np.abs(target - design @ solution) / error
        weight = np.sqrt(np.minimum(1, HUBER / np.maximum(pull, 1e-9))) / error
    return np.asarray(solution, float)


def combined(rings: Rings, floor: float) -> tuple[FloatArray, FloatArray]:
    """Weighted mean of the rings' estimates.

    Parameters
    ----------
    rings : Rings
        n stars.
    floor : float
        Relative error of every ring beside its noise.

    Returns
    -------
    flux, error : (n,) arrays
        Electrons; NaN without a usable ring.
    """
    variance = rings.error**2 + (floor * rings.flux) ** 2
    usable = np.isfinite(rings.flux) & (rings.pixels > 0.1)
    weight = np.where(usable, 1 / np.maximum(variance, 1e-9), 0)
    total = weight.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.sum(weight * np.where(usable, rings.flux, 0), axis=1) / total
        return mean, np.where(total > 0, 1 / np.sqrt(total), np.nan)
