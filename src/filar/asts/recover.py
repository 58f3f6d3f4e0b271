"""Artificial stars of one image: put in one by one, found or lost, measured, matched.

Each star is alone in its own patch of the chip. Detection, fit and flags are those of the pipeline,
run on a mosaic of patches; real stars near the artificial one are found and fitted anew with it in
place, those farther away stay as they were measured.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.asts.band import SAME, Band, FoundStars
from filar.asts.mosaic import MosaicPSF, Patches
from filar.completeness.covariates import NOISE_ANNULUS, annulus_pixels, sky_noise
from filar.detect import Detections, find_stars, joined
from filar.exposure import Exposure
from filar.fit import NEIGHBOUR_NODES, StarFits, fit_stars
from filar.flags import Flag
from filar.matchedfilter import sky_reach
from filar.measure.judge import duplicates, outside, select_fits, shape_flags
from filar.psf.model import ANNULUS, FieldPSF
from filar.psf.render import drawn_boxes, star_images

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

FINEST = 2.0**-20
"""Pixels to which detections are rounded."""
WANDER = 2.0
"""Pixels that a fit may end from where its star was detected."""
REACH = 6.0
"""Pixels around an artificial star within which all stars are found and fitted anew."""
LOOKS = 512
"""Patches looked through at once: larger mosaics leave the cache."""
MOST_NEAR = 32
"""Stars within that reach: two detections are never closer than a pixel or so."""
SEEN = int(np.ceil(REACH + SAME)) + 1
"""Pixels around the central one of a patch within which stars are looked for."""
HALF = int(np.ceil(REACH + ANNULUS[1])) + 2
"""Half size of a patch: the sky annulus of the farthest star fitted anew lies in it."""


@dataclass(frozen=True, eq=False)
class Recovered:
    """What became of n artificial stars in one image.

    Parameters
    ----------
    found : (n,) bool array
        Whether a detection is theirs.
    stars : FoundStars
        n rows; NaN and 0 where nothing was found.
    sky_noise : (n,) float array
        Electrons, with the star in place.
    """

    found: BoolArray
    stars: FoundStars
    sky_noise: FloatArray


def star_light(
    band: Band, x: FloatArray, y: FloatArray, flux: FloatArray, rng: np.random.Generator,
    half: int = HALF,
) -> FloatArray:  # fmt: skip
    """Draw images of artificial stars with their photon noise.

    Parameters
    ----------
    band : Band
        The image.
    x, y, flux : (n,) arrays
        Pixels of the chip and electrons.
    rng : Generator
        Source of randomness; depends on nothing but the stars.
    half : int
        Half size of the images.

    Returns
    -------
    (n, 2 half + 1, 2 half + 1) float array
        Electrons, centred on the pixel nearest to the star.
    """
    size = 2 * half + 1
    light = np.zeros((len(x), size, size))
    boxes = np.minimum(drawn_boxes(band.psf, flux), 2 * HALF + 1)
    for box in np.unique(boxes):
        chosen = np.flatnonzero(boxes == box)
        mean = star_images(band.psf, x[chosen], y[chosen], int(box)) * flux[chosen, None, None]
        # a PSF that was fitted may be slightly negative in its wings
        noisy = rng.poisson(np.maximum(mean, 0.0)) + np.minimum(mean, 0.0)
        rim = half - int(box) // 2
        inner = slice(rim, size - rim) if rim > 0 else slice(None)
        light[chosen, inner, inner] = noisy
    return light


def recover(
    band: Band, x: FloatArray, y: FloatArray, flux: FloatArray, light: FloatArray,
    *, match: float = 1.5, claims: str = "light",
) -> Recovered:  # fmt: skip
    """Put artificial stars into an image, each alone, and look for them.

    Parameters
    ----------
    band : Band
        The image.
    x, y, flux : (n,) arrays
        Pixels of the chip and electrons.
    light : (n, size, size) array
        From `star_light`.
    match : float
        Pixels within which a detection may be the star's.
    claims : {"light", "list"}
        When a brighter real star has the detection: if more than half of its light is not the
        artificial star's; or if a star that was found without it, and is brighter, lies within that
        distance of the detection.

    Returns
    -------
    Recovered
    """
    looks = [
        _look(band, x[k : k + LOOKS], y[k : k + LOOKS], light[k : k + LOOKS], match)
        for k in range(0, len(x), LOOKS)
    ]
    found = joined([look[0] for look in looks])
    patch = np.concatenate([k * LOOKS + look[1] for k, look in enumerate(looks)])
    result = _empty(len(x), np.concatenate([look[2] for look in looks]))
    # where nothing is that could be the artificial star, there is nothing to fit
    hopeful, patch = np.unique(patch, return_inverse=True)
    if not len(hopeful):
        return result
    patches = Patches.around(x[hopeful], y[hopeful], light.shape[1] // 2)
    at_x, at_y = patches.to_mosaic(patch, found.x, found.y)
    image = _insert(band, patches, light[hopeful])
    psf = MosaicPSF.of(band.psf, patches)
    others = _other_light(band, patches, psf, x[hopeful], y[hopeful])
    found, fits = _fit(band, patches, image, psf, others, replace(found, x=at_x, y=at_y))
    which, row = _matched(band, patches, fits, x[hopeful], y[hopeful], flux[hopeful], match, claims)
    stars = _found(patches, image, psf, found.select(row), select_fits(fits, row))
    for one in fields(FoundStars):
        getattr(result.stars, one.name)[hopeful[which]] = getattr(stars, one.name)
    result.found[hopeful[which]] = True
    return result


def _empty(number: int, noise: FloatArray) -> Recovered:
    """Nothing found yet."""
    columns: dict[str, Any] = {one.name: np.full(number, np.nan) for one in fields(FoundStars)}
    columns["flags"] = np.zeros(number, np.int32)
    return Recovered(np.zeros(number, bool), FoundStars(**columns), noise)


def _look(
    band: Band, x: FloatArray, y: FloatArray, light: FloatArray, match: float
) -> tuple[Detections, IntArray, FloatArray]:
    """Detect what is around the artificial stars.

    Returns
    -------
    found : Detections
        Those to be fitted, in pixels of the chip: around artificial stars that may be among them,
        and not of real stars that stay as they were measured.
    patch : int array
        The artificial star that each is near to.
    noise : (n,) array
        Sky noise with the star in place, electrons.
    """
    half = light.shape[1] // 2
    rim = max(half - SEEN - int(np.ceil(sky_reach(band.ground.sigma))) - 1, 0)
    patches = Patches.around(x, y, half - rim)
    image = _insert(band, patches, light[:, rim : 2 * half + 1 - rim, rim : 2 * half + 1 - rim])
    found = find_stars(
        image, patches.ground(band.ground), threshold=band.settings.threshold,
        region=patches.inner(SEEN),
    )  # fmt: skip
    noise = _sky_noise(image, patches, x, y)
    patch = patches.patch_of(found.x, found.y)
    # the place in the mosaic must not show, not even in the last bit
    chip_x, chip_y = (np.rint(p / FINEST) * FINEST for p in patches.to_chip(found.x, found.y))
    away = np.hypot(chip_x - x[patch], chip_y - y[patch])
    hopeful = np.zeros(len(x), bool)
    hopeful[patch[away < match + WANDER]] = True
    keep = hopeful[patch] & (away < REACH + SAME)
    found, patch = replace(found, x=chip_x, y=chip_y).select(keep), patch[keep]
    keep = ~_stays(band, found, x[patch], y[patch])
    return found.select(keep), patch[keep], noise


def _stays(band: Band, found: Detections, x: FloatArray, y: FloatArray) -> BoolArray:
    """Detections of real stars that are too far from the artificial one at (x, y)."""
    real = band.stars
    distance, star = real.tree.query(np.c_[found.x, found.y], distance_upper_bound=SAME)
    known = np.isfinite(distance)
    star = np.where(known, star, 0)
    far = np.hypot(real.x[star] - x, real.y[star] - y) >= REACH
    return np.asarray(known & far)


def _insert(band: Band, patches: Patches, light: FloatArray) -> Exposure:
    """The mosaic of patches with the stars in them."""
    exposure = band.exposure
    data = patches.cut(exposure.data, 0.0).astype(np.float64) + light
    mask, saturated, edge = (
        patches.cut(image, outside)
        for image, outside in (
            (exposure.mask, True), (exposure.saturated, False), (exposure.edge, True)
        )
    )  # fmt: skip
    full = (data > exposure.saturation) & ~saturated & ~mask
    data = np.where(full, exposure.saturation, data)
    data[mask] = 0.0
    return exposure.replace(
        data=patches.join(data, 0.0),
        mask=patches.join(mask, True),
        saturated=patches.join(saturated | full, False),
        edge=patches.join(edge, True),
        wcs=None,
    )


def _other_light(
    band: Band, patches: Patches, psf: MosaicPSF, x: FloatArray, y: FloatArray
) -> FloatArray:
    """Light of the real stars that stay as they were measured, in the mosaic."""
    distance, near = band.stars.tree.query(np.c_[x, y], k=MOST_NEAR, distance_upper_bound=REACH)
    patch, column = np.nonzero(np.isfinite(distance))
    star = near[patch, column]
    known = band.known
    drawn = np.isfinite(known.flux[star])
    patch, star = patch[drawn], star[drawn]
    at = patches.to_mosaic(patch, known.x[star], known.y[star])
    light = patches.join(patches.cut(known.image, 0.0), 0.0)
    return light + patches.draw(psf.thinned(NEIGHBOUR_NODES), *at, -known.flux[star])


def _fit(
    band: Band, patches: Patches, image: Exposure, psf: MosaicPSF, others: FloatArray,
    found: Detections,
) -> tuple[Detections, StarFits]:  # fmt: skip
    """Fit in as many passes as the real stars were."""

    def draw(psf: FieldPSF, x: FloatArray, y: FloatArray, flux: FloatArray) -> FloatArray:
        return others + patches.draw(psf, x, y, flux)

    fits: StarFits | None = None
    for _ in range(band.settings.passes):
        fits = fit_stars(
            image, psf, found.x, found.y, box=band.box, sky=band.settings.sky, previous=fits,
            model_error=band.model_error, saturated=(found.flags & Flag.SATURATED) != 0, draw=draw,
        )  # fmt: skip
        keep = ~(duplicates(found, fits) | outside(image, fits))
        found, fits = found.select(keep), select_fits(fits, keep)
    assert fits is not None
    return found, fits


def _matched(
    band: Band, patches: Patches, fits: StarFits, x: FloatArray, y: FloatArray,
    flux: FloatArray, match: float, claims: str,
) -> tuple[IntArray, IntArray]:  # fmt: skip
    """Artificial stars that are found, and the row of the fit that is each one's."""
    patch = patches.patch_of(fits.x, fits.y)
    at = np.stack(patches.to_chip(fits.x, fits.y), axis=1)
    distance = np.hypot(at[:, 0] - x[patch], at[:, 1] - y[patch])
    row = np.full(len(x), -1)
    order = np.argsort(-distance, kind="stable")
    order = order[distance[order] <= match]
    row[patch[order]] = order  # the nearest is written last
    has = np.flatnonzero(row >= 0)
    if claims == "light":
        claimed = fits.flux[row[has]] > 2.0 * flux[has]
    else:
        real = band.stars
        _, near = real.tree.query(at[row[has]], k=MOST_NEAR, distance_upper_bound=match)
        # what the tree finds none for is one beyond the last
        claimed = np.append(np.nan_to_num(real.flux), -np.inf)[near].max(axis=1) > flux[has]
    row[has[claimed]] = -1
    which = np.flatnonzero(row >= 0)
    return which, row[which]


def _found(
    patches: Patches, image: Exposure, psf: MosaicPSF, found: Detections, fits: StarFits
) -> FoundStars:
    """What the catalogue would say of them; positions are those on the chip."""
    flags = found.flags | fits.flags | shape_flags(image, psf, found, fits)
    flags |= np.where(fits.flux <= 0, int(Flag.NON_POSITIVE), 0).astype(np.int32)
    return FoundStars(
        *patches.to_chip(fits.x, fits.y), fits.flux, fits.flux_err, fits.qfit, fits.chi2,
        found.sharpness, flags,
    )  # fmt: skip


def _sky_noise(image: Exposure, patches: Patches, x: FloatArray, y: FloatArray) -> FloatArray:
    """Local sky noise with the star in place, electrons."""
    at = patches.to_mosaic(np.arange(len(x)), x, y)
    return sky_noise(annulus_pixels(image.data, image.unusable, *at, *NOISE_ANNULUS))
