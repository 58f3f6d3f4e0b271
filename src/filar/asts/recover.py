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
from scipy.spatial import cKDTree

from filar.asts.band import Band, FoundStars, trusted
from filar.asts.mosaic import MosaicPSF, Patches
from filar.detect import Detections, find_stars
from filar.exposure import Exposure
from filar.fit import NEIGHBOUR_NODES, StarFits, fit_stars
from filar.flags import Flag
from filar.measure.judge import duplicates, outside, select_fits, shape_flags
from filar.psf.model import ANNULUS, FieldPSF
from filar.psf.render import drawn_boxes, star_images

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

SAME = 1.0
"""Pixels within which a detection is of a star that was known before."""
REACH = 6.0
"""Pixels around an artificial star within which all stars are found and fitted anew."""
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
    *, match: float = 1.5,
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
        Pixels within which a detection may be the star's. It is not if a real star that is brighter
        than the artificial one lies within that distance of the detection.

    Returns
    -------
    Recovered
    """
    patches = Patches.around(x, y, light.shape[1] // 2)
    image = _insert(band, patches, light)
    psf = MosaicPSF.of(band.psf, patches)
    detections = find_stars(image, patches.ground(band.ground), threshold=band.settings.threshold)
    near = _Near.of(band, patches, x, y)
    detections = detections.select(near.concerned(detections, x, y))
    detections, fits = _fit(band, image, psf, near, detections)
    flags = detections.flags | fits.flags | shape_flags(image, psf, detections, fits)
    flags |= np.where(fits.flux <= 0, int(Flag.NON_POSITIVE), 0)
    stars = FoundStars(
        fits.x, fits.y, fits.flux, fits.flux_err, fits.qfit, fits.chi2, detections.sharpness,
        flags.astype(np.int32),
    )  # fmt: skip
    row = _matched(band, patches, stars, x, y, flux, match)
    return _result(patches, stars, row, _sky_noise(image, patches, x, y))


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


@dataclass(frozen=True, eq=False)
class _Near:
    """The real stars near each artificial one, and the light of all others in the mosaic.

    Parameters
    ----------
    patches : Patches
        The patches.
    tree : cKDTree
        Of all real stars, chip positions.
    far : (rows, columns) float array
        Light of the real stars that stay as they were measured, electrons.
    is_near : set of (patch, star)
        As sorted keys, patch * number of stars + star.
    """

    patches: Patches
    tree: cKDTree
    far: FloatArray
    is_near: IntArray

    @classmethod
    def of(cls, band: Band, patches: Patches, x: FloatArray, y: FloatArray) -> _Near:
        stars = band.stars
        tree = cKDTree(np.c_[np.nan_to_num(stars.x, nan=-1e9), np.nan_to_num(stars.y, nan=-1e9)])
        lists = tree.query_ball_point(np.c_[x, y], REACH)
        patch = np.repeat(np.arange(len(x)), [len(one) for one in lists])
        star = np.array([k for one in lists for k in one], np.int64)
        far = patches.join(patches.cut(band.model, 0.0), 0.0)
        use = trusted(stars)[star]
        at = patches.to_mosaic(patch[use], stars.x[star[use]], stars.y[star[use]])
        thin = MosaicPSF.of(band.psf, patches).thinned(NEIGHBOUR_NODES)
        far = far + patches.draw(thin, *at, -stars.flux[star[use]])
        return cls(patches, tree, far, np.sort(patch * len(stars) + star))

    def concerned(self, found: Detections, x: FloatArray, y: FloatArray) -> BoolArray:
        """Detections near the artificial star, but not of stars that stay as they were."""
        patch = self.patches.patch_of(found.x, found.y)
        chip_x, chip_y = self.patches.to_chip(found.x, found.y)
        close = np.hypot(chip_x - x[patch], chip_y - y[patch]) < REACH + SAME
        distance, star = self.tree.query(np.c_[chip_x, chip_y], distance_upper_bound=SAME)
        keys = patch * self.tree.n + star
        near = np.isin(keys, self.is_near)
        return np.asarray(close & (near | ~np.isfinite(distance)))

    def draw(self, psf: FieldPSF, x: FloatArray, y: FloatArray, flux: FloatArray) -> FloatArray:
        """Light of those that stay and of stars fitted anew."""
        return self.far + self.patches.draw(psf, x, y, flux)


def _fit(
    band: Band, image: Exposure, psf: MosaicPSF, near: _Near, detections: Detections
) -> tuple[Detections, StarFits]:
    """Fit in as many passes as the real stars were."""
    fits: StarFits | None = None
    for _ in range(band.settings.passes):
        fits = fit_stars(
            image, psf, detections.x, detections.y, box=band.box, sky=band.settings.sky,
            previous=fits, model_error=band.model_error,
            saturated=(detections.flags & Flag.SATURATED) != 0, draw=near.draw,
        )  # fmt: skip
        keep = ~(duplicates(detections, fits) | outside(image, fits))
        detections, fits = detections.select(keep), select_fits(fits, keep)
    assert fits is not None
    return detections, fits


def _matched(
    band: Band, patches: Patches, stars: FoundStars, x: FloatArray, y: FloatArray,
    flux: FloatArray, match: float,
) -> IntArray:  # fmt: skip
    """Row of the detection that is each artificial star's; -1 for lost ones."""
    patch = patches.patch_of(stars.x, stars.y)
    chip_x, chip_y = patches.to_chip(stars.x, stars.y)
    distance = np.hypot(chip_x - x[patch], chip_y - y[patch])
    row = np.full(len(x), -1)
    order = np.argsort(-distance, kind="stable")
    order = order[distance[order] <= match]
    row[patch[order]] = order  # the nearest is written last
    has = np.flatnonzero(row >= 0)
    real = band.stars
    bright = np.isfinite(real.x + real.y) & (real.flux > 0)
    tree = cKDTree(np.c_[real.x[bright], real.y[bright]])
    at = np.c_[chip_x[row[has]], chip_y[row[has]]]
    for one, claims in zip(has, tree.query_ball_point(at, match), strict=True):
        if claims and real.flux[bright][claims].max() > flux[one]:
            row[one] = -1
    return row


def _result(patches: Patches, stars: FoundStars, row: IntArray, sky_noise: FloatArray) -> Recovered:
    """One row per artificial star, on the chip."""
    found = row >= 0
    chip_x, chip_y = patches.to_chip(stars.x, stars.y)
    stars = replace(stars, x=chip_x, y=chip_y)
    columns: dict[str, Any] = {}
    for one in fields(FoundStars):
        column = getattr(stars, one.name)
        empty = np.zeros(len(row), np.int32) if one.name == "flags" else np.full(len(row), np.nan)
        empty[found] = column[row[found]]
        columns[one.name] = empty
    return Recovered(found, FoundStars(**columns), sky_noise)


def _sky_noise(image: Exposure, patches: Patches, x: FloatArray, y: FloatArray) -> FloatArray:
    """Local sky noise with the star in place, electrons."""
    from filar.completeness.covariates import annulus_pixels, sky_noise

    at = patches.to_mosaic(np.arange(len(x)), x, y)
    return sky_noise(annulus_pixels(image.data, image.unusable, *at, 4.0, 9.0))
