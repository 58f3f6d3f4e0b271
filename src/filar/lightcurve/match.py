"""Which measures are of the same star: on the sky, or on the chip where there is no WCS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from filar.frames.matching import mutual_nearest_points
from filar.frames.settings import FrameSettings
from filar.frames.starlist import SPOILT, StarList
from filar.frames.tie import GoodStars, tie_to_reference
from filar.lightcurve.images import FloatArray, Images, IntArray, Measures

ARCSEC = 180 * 3600 / np.pi
_SHIFTED = 0.1  # of the radius: a smaller shift of an image does no harm
_FEWEST = 10  # pairs that tell a shift
Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class Stars:
    """The stars of a set of images.

    Parameters
    ----------
    id : (s,) int64 array
        Numbers: those of a list that was given, or from 1.
    ra, dec : (s,) arrays
        Degrees; NaN where there is no WCS.
    x, y : (s,) arrays
        Pixels of the reference image where there is no WCS; else NaN.
    asked : (s,) bool array
        Whether the star is of a list that was given.
    period : (s,) array
        Days, as the list says; NaN where it does not.
    """

    id: IntArray
    ra: FloatArray
    dec: FloatArray
    x: FloatArray
    y: FloatArray
    asked: NDArray[np.bool_]
    period: FloatArray

    def __len__(self) -> int:
        return len(self.id)


@dataclass(frozen=True, eq=False)
class Matched:
    """Stars and the measures of each.

    Parameters
    ----------
    stars : Stars
        The stars.
    measures : Measures
        ``star`` is a row of `stars`, or -1.
    errors : tuple of str
        A line for each image that could not be tied to the others.
    """

    stars: Stars
    measures: Measures
    errors: tuple[str, ...] = ()


def unit_vectors(ra: FloatArray, dec: FloatArray) -> FloatArray:
    """Directions on the sky, so long that short distances are arcsec: (n, 3) array."""
    a, d = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=1) * ARCSEC


def match_stars(
    images: Images,
    measures: Measures,
    *,
    wanted: Stars | None = None,
    radius: float = 2.0,
    min_images: int = 3,
    progress: Progress | None = None,
) -> Matched:
    """Find the stars of a set of images and say which measures are theirs.

    Images with positions on the sky are matched there; if none has any, on the chip, after the
    shift and rotation between images were found from the stars themselves.

    Parameters
    ----------
    images : Images
        m images.
    measures : Measures
        n rows.
    wanted : Stars, optional
        Stars that are asked for; they keep their places, and others are added.
    radius : float
        Largest distance, pixels.
    min_images : int
        Images in which a star must be found, unless it is asked for.
    progress : callable, optional
        Called with the part done, 0 to 1, and a text.

    Returns
    -------
    Matched
        Of the stars found often enough, with those wanted first.
    """
    rows = _rows_by_image(measures, len(images))
    on_sky = np.isfinite(measures.ra) & np.isfinite(measures.dec)
    errors: list[str] = []
    if on_sky.any():
        places = unit_vectors(measures.ra, measures.dec)
        limits = radius * _scales(images, measures, rows, places)
        for name, mine in zip(images.name, rows, strict=True):
            if len(mine) and not on_sky[mine].any():
                errors.append(f"exposure {name}: no positions on the sky, as the others have")
    else:
        places, errors = _chip_places(images, measures, rows)
        limits = np.full(len(images), radius)
    seeds = np.zeros((0, places.shape[1]))
    if wanted is not None:
        seeds = unit_vectors(wanted.ra, wanted.dec)
    founding = (measures.flags & int(SPOILT)) == 0
    star, centre = _grow(places, rows, founding, limits, seeds, progress)
    number = _images_of(star, measures.image, len(centre))
    keep = number >= min(min_images, max(len(images), 1))
    keep[: len(seeds)] = True
    new = np.full(len(centre) + 1, -1, np.int64)
    new[:-1][keep] = np.arange(np.count_nonzero(keep))
    stars = _stars(centre[keep], wanted)
    return Matched(stars, replace(measures, star=new[star]), tuple(errors))


def _rows_by_image(measures: Measures, m: int) -> list[IntArray]:
    order = np.argsort(measures.image, kind="stable")
    borders = np.searchsorted(measures.image[order], np.arange(m + 1))
    return [order[a:b] for a, b in pairwise(borders)]


def _images_of(star: IntArray, image: NDArray[np.int32], n: int) -> IntArray:
    """In how many images each star is: (n,) array."""
    known = star >= 0
    pairs = np.unique(np.stack([star[known], image[known]]), axis=1)
    return np.bincount(pairs[0], minlength=n)


def _scales(
    images: Images, measures: Measures, rows: list[IntArray], places: FloatArray
) -> FloatArray:
    """Arcsec per pixel of each image, from its stars where the catalogue does not tell."""
    scale = images.scale.copy()
    for i in np.flatnonzero(~(scale > 0)):
        mine = rows[i][np.isfinite(places[rows[i], 0])]
        pixels = np.stack([measures.x[mine], measures.y[mine]]).astype(float)
        if len(mine) > 1 and (spread := np.var(pixels, axis=1).sum()) > 0:
            scale[i] = np.sqrt(np.var(places[mine], axis=0).sum() / spread)
    known = scale[scale > 0]
    return np.where(scale > 0, scale, np.median(known) if len(known) else 1.0)


def _chip_places(
    images: Images, measures: Measures, rows: list[IntArray]
) -> tuple[FloatArray, list[str]]:
    """Positions in the system of the image with most stars: (n, 2) array, NaN where untied."""
    settings = FrameSettings(order=1, max_offset=np.inf)
    x, y = measures.x.astype(float), measures.y.astype(float)
    lists = [
        StarList.build(x[r], y[r], exposure=n, mag=measures.mag[r], flags=measures.flags[r])
        for n, r in zip(images.name, rows, strict=True)
    ]
    good = [GoodStars.of(one, settings) for one in lists]
    first = int(np.argmax([len(one) for one in good]))
    places = np.full((len(measures), 2), np.nan)
    errors = []
    for i, mine in enumerate(rows):
        if i == first:
            places[mine] = np.stack([measures.x[mine], measures.y[mine]], axis=1)
            continue
        tie = tie_to_reference(good[i], good[first], settings)
        if tie.to_frame is None:
            errors.append(f"exposure {images.name[i]}: left out: {tie.reason}")
        else:
            places[mine] = np.stack(tie.to_frame(x[mine], y[mine]), axis=1)
    return places, errors


def _grow(
    places: FloatArray,
    rows: Sequence[IntArray],
    founding: NDArray[np.bool_],
    limits: FloatArray,
    seeds: FloatArray,
    progress: Progress | None,
) -> tuple[IntArray, FloatArray]:
    """Match image after image with a list that grows, deepest first: star of each row, places."""
    star = np.full(len(places), -1, np.int64)
    total, number = seeds.copy(), np.ones(len(seeds))
    order = np.argsort([-len(mine) for mine in rows], kind="stable")
    for step, i in enumerate(order):
        if progress is not None and step % 20 == 0:
            progress(step / len(order), "matching stars")
        mine = rows[i][np.isfinite(places[rows[i]]).all(axis=1)]
        here, limit = places[mine], float(limits[i])
        centre = total / number[:, None]
        own, theirs = mutual_nearest_points(here, centre, limit)
        if len(own) >= _FEWEST:
            shift = np.median(centre[theirs] - here[own], axis=0)
            if np.linalg.norm(shift) > _SHIFTED * limit:
                own, theirs = mutual_nearest_points(here + shift, centre, limit)
        star[mine[own]] = theirs
        later = theirs >= len(seeds)
        total[theirs[later]] += here[own[later]]
        number[theirs[later]] += 1
        fresh = founding[mine] & (star[mine] < 0)
        star[mine[fresh]] = len(total) + np.arange(np.count_nonzero(fresh))
        total = np.concatenate([total, here[fresh]])
        number = np.concatenate([number, np.ones(np.count_nonzero(fresh))])
    return star, total / number[:, None]


def _stars(centre: FloatArray, wanted: Stars | None) -> Stars:
    n, none = len(centre), np.full(len(centre), np.nan)
    ra, dec, x, y = none, none.copy(), none.copy(), none.copy()
    if centre.shape[1] == 3:
        ra = np.degrees(np.arctan2(centre[:, 1], centre[:, 0])) % 360
        dec = np.degrees(np.arctan2(centre[:, 2], np.hypot(centre[:, 0], centre[:, 1])))
    else:
        x, y = centre[:, 0], centre[:, 1]
    asked, period, number = np.zeros(n, bool), np.full(n, np.nan), np.arange(1, n + 1)
    if wanted is not None:
        k = len(wanted)
        asked[:k], period[:k], number[:k] = True, wanted.period, wanted.id
        ra[:k], dec[:k] = wanted.ra, wanted.dec
        number[k:] = max(int(wanted.id.max(initial=0)), 0) + np.arange(1, n - k + 1)
    return Stars(number.astype(np.int64), ra, dec, x, y, asked, period)
