"""Lists that come with catalogues: the stars that are asked for, and reference magnitudes."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from filar.errors import InputFileError
from filar.flags import Flag
from filar.frames.clipping import group_median
from filar.frames.matching import mutual_nearest_points
from filar.frames.starlist import DOUBTFUL, BoolArray
from filar.lightcurve.chipmap import ZeroPoints, n_terms, terms
from filar.lightcurve.images import FloatArray, Images, Measures
from filar.lightcurve.match import Stars, unit_vectors
from filar.robust import robust_rms
from filar.saturation.catalogs import CatalogStars, read_star_catalog
from filar.saturation.starcolumns import read_table
from filar.tablefile import numbers, sky_positions

_NEAR = 5.0  # arcsec: how far a reference star may be in any case
_FEWEST = 3
_DEGREE, _PER_TERM, _MOST = 4, 10, 600
_CLIP, _CLIPPINGS = 3.0, 6


def read_wanted(path: str | os.PathLike[str]) -> Stars:
    """Read the list of stars that are asked for.

    Parameters
    ----------
    path : path-like
        A table (``.ecsv``, ``.fits``, ``.csv``, ``.parquet``, VOTable, text with a line of names)
        with ``ra``, ``dec``, and perhaps ``id`` (whole numbers) and ``period`` (days).

    Returns
    -------
    Stars

    Raises
    ------
    InputFileError
        If it cannot be read, lacks positions or one of them, or an id is there twice.
    """
    path = Path(path)
    table = read_table(path)
    ra, dec, where = sky_positions(path, table)
    if not (np.isfinite(ra) & (np.abs(dec) <= 90)).all():
        raise InputFileError(path, f"a star has no position in {where}", "positions of all stars")
    number = np.arange(1, len(ra) + 1)
    if "id" in table.colnames:
        values = numbers(path, table, "id")
        if not (np.isfinite(values) & (values == np.rint(values))).all():
            raise InputFileError(path, "an id is no whole number", "one for each star")
        # Long numbers, as Gaia's, are not exact as floating-point ones.
        number = np.asarray(table["id"]).astype(np.int64)
    if len(np.unique(number)) < len(number):
        raise InputFileError(path, "an id is there twice", "one for each star")
    none = np.full(len(ra), np.nan)
    period = numbers(path, table, "period") if "period" in table.colnames else none
    return Stars(number, ra, dec, none, none, np.ones(len(ra), bool), period)


def with_period(stars: Stars, period: float) -> Stars:
    """Give a period (days) to the stars that have none."""
    return replace(stars, period=np.where(np.isfinite(stars.period), stars.period, period))


@dataclass(frozen=True, eq=False)
class Reference:
    """Magnitudes that zero points are tied to.

    Parameters
    ----------
    bands : dict of str to CatalogStars
        Filter to the stars of the catalogue with magnitudes in it.
    """

    bands: dict[str, CatalogStars]

    def magnitudes(self, images: Images, stars: Stars) -> FloatArray:
        """Reference magnitudes of stars in each camera and filter.

        Parameters
        ----------
        images : Images
            The images.
        stars : Stars
            With positions on the sky.

        Returns
        -------
        (s, g) array
            NaN where the reference has none.
        """
        known = images.scale[np.isfinite(images.scale)]
        radius = max(_NEAR, 2 * float(np.median(known)) if len(known) else 0.0)
        year = 2000 + (float(np.median(images.mjd)) - 51544.5) / 365.25
        one = unit_vectors(stars.ra, stars.dec)
        found = np.full((len(stars), len(images.groups)), np.nan)
        for k, (_, band) in enumerate(images.groups):
            if band in self.bands:
                theirs = self.bands[band].at(year)
                theirs = theirs.select(~theirs.variable)
                i, j = mutual_nearest_points(one, unit_vectors(theirs.ra, theirs.dec), radius)
                found[i, k] = theirs.mag[j]
        return found


def reference_shifts(
    expected: FloatArray, images: Images, measures: Measures, zero: ZeroPoints
) -> tuple[FloatArray, list[str]]:
    """What to subtract from the magnitudes of each camera and filter to agree with a reference.

    A polynomial over the chip, of degree up to 4 where stars are enough: what all images of a
    camera have in common, as its vignetting, their own stars cannot tell.

    Parameters
    ----------
    expected : (s, g) array
        See `Reference.magnitudes`.
    images : Images
        The images.
    measures : Measures
        Magnitudes, zero points of the images subtracted.
    zero : ZeroPoints
        These zero points.

    Returns
    -------
    shift : (g, t) array
        Coefficients, magnitudes; NaN for groups that the reference says nothing about.
    remarks : list of str
        What was found.
    """
    shift, remarks = np.full((expected.shape[1], n_terms(_DEGREE)), np.nan), []
    reject = int(DOUBTFUL) | int(Flag.SATURATED)
    good = (measures.star >= 0) & ((measures.flags & reject) == 0) & np.isfinite(measures.mag)
    group = images.group[measures.image]
    for k, (camera, band) in enumerate(images.groups):
        name = " ".join(filter(None, (camera, band))) or "the images"
        rows = np.flatnonzero(good & (group == k))
        star, image = measures.star[rows], measures.image[rows]
        place = [
            (group_median(star, (values[rows] - zero.centre[image, axis]) / zero.half[image, axis],
                          len(expected)))
            for axis, values in enumerate((measures.x, measures.y))
        ]  # fmt: skip
        difference = group_median(star, measures.mag[rows], len(expected)) - expected[:, k]
        known = _brightest(np.isfinite(difference), expected[:, k])
        if np.count_nonzero(known) < _FEWEST:
            remarks.append(f"{name}: fewer than {_FEWEST} stars in common with the reference")
            continue
        found, width = _robust_map(place[0][known], place[1][known], difference[known])
        shift[k] = 0.0
        shift[k, : len(found)] = found
        remarks.append(
            f"{name}: tied to {known.sum()} reference stars, which scatter {width:.3f} mag"
        )
    return shift, remarks


def _brightest(known: BoolArray, mag: FloatArray) -> BoolArray:
    """The brightest of the stars that are known: faint ones suffer from neighbours."""
    rows = np.flatnonzero(known)
    rows = rows[np.argsort(mag[rows], kind="stable")[:_MOST]]
    chosen = np.zeros(len(known), bool)
    chosen[rows] = True
    return chosen


def _robust_map(u: FloatArray, v: FloatArray, values: FloatArray) -> tuple[FloatArray, float]:
    """Coefficients of a polynomial over the chip, outliers clipped, and the scatter about it."""
    degree = max(d for d in range(_DEGREE + 1) if d == 0 or len(values) >= _PER_TERM * n_terms(d))
    rows = terms(u, v, n_terms(degree))
    found: FloatArray = np.zeros(rows.shape[1])
    found[0] = np.median(values)
    for _ in range(_CLIPPINGS):
        left = values - rows @ found
        kept = np.abs(left) <= _CLIP * max(robust_rms(left), 1e-9)
        found = np.asarray(np.linalg.lstsq(rows[kept], values[kept], rcond=None)[0], float)
    return found, robust_rms(values - rows @ found)


def read_reference(
    path: str | os.PathLike[str], filters: tuple[str, ...], mag: str | None = None
) -> Reference:
    """Read reference magnitudes.

    Parameters
    ----------
    path : path-like
        See `filar.saturation.catalogs.read_star_catalog`.
    filters : tuple of str
        Filters of the images.
    mag : str, optional
        Name of the column, for all filters.

    Returns
    -------
    Reference
        Of the filters that it has.

    Raises
    ------
    InputFileError
        If it cannot be read or has none of the filters.
    """
    bands: dict[str, CatalogStars] = {}
    failed: InputFileError | None = None
    for band in filters:
        try:
            bands[band] = read_star_catalog(path, mag=mag, filter=band, fewest=_FEWEST)
        except InputFileError as error:
            failed = error
    if not bands and failed is not None:
        raise failed
    return Reference(bands)
