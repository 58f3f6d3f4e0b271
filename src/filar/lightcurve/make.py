"""From catalogues to light curves: the steps in their order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.frames.clipping import group_median
from filar.lightcurve.chipmap import ZeroPoints, no_zero_points, shifted
from filar.lightcurve.epochs import Epochs, epoch_numbers, gather_epochs
from filar.lightcurve.errormodel import with_common_scatter
from filar.lightcurve.images import FloatArray, Images, IntArray, Measures
from filar.lightcurve.lists import Reference, reference_shifts
from filar.lightcurve.many import solve_many
from filar.lightcurve.match import Matched, Stars, match_stars
from filar.lightcurve.read import Observed
from filar.lightcurve.settings import LightCurveSettings
from filar.lightcurve.solve import Curve, Solution
from filar.lightcurve.statistics import Statistics, dispersions, statistics
from filar.lightcurve.times import barycentric
from filar.lightcurve.zeropoints import solve_zero_points

Progress = Callable[[float, str], None]
_SIGNIFICANT = 1e-6
"""Chance that a constant star's chi-square makes it variable."""
_EXCESS = 1.5  # and by how much its scatter must exceed its errors
DEFAULTS = LightCurveSettings()


@dataclass(frozen=True, eq=False)
class LightCurves:
    """Light curves of s stars: k epochs, sorted by star and time.

    Parameters
    ----------
    stars : Stars
        The stars.
    images : Images
        The images.
    zero : ZeroPoints
        Their zero points.
    epochs : Epochs
        ``mag`` as each camera and filter gives it.
    time : (k,) array
        BJD (TDB); where stars have no positions JD (UTC).
    mag : (k,) array
        Inter-calibrated magnitudes.
    rejected : (k,) bool array
        Outlying epochs.
    solutions : tuple of Solution or None
        Of each star; None for stars without epochs.
    statistics : Statistics
        Of the epochs that were not rejected.
    variable : (s,) bool array
        Whether a star scatters more than its errors allow.
    barycentric : bool
        Which of both `time` is.
    plain_dispersion : (s,) array
        Half of the range from the 15th to the 85th percentile of epochs of ordinary photometry
        (``flux_fit``), each camera and filter less its median, nothing rejected.
    expected : (s, g) array
        Reference magnitudes of the stars in each camera and filter; NaN where there are none.
    absolute : tuple of bool
        For each camera and filter, whether its magnitudes are tied to a reference.
    errors, remarks : tuple of str
        What could not be done, and what the user should know.
    """

    stars: Stars
    images: Images
    zero: ZeroPoints
    epochs: Epochs
    time: FloatArray
    mag: FloatArray
    rejected: NDArray[np.bool_]
    solutions: tuple[Solution | None, ...]
    statistics: Statistics
    variable: NDArray[np.bool_]
    barycentric: bool
    plain_dispersion: FloatArray
    expected: FloatArray
    absolute: tuple[bool, ...] = ()
    errors: tuple[str, ...] = field(default=())
    remarks: tuple[str, ...] = field(default=())

    def rows(self, star: int) -> slice:
        """Epochs of a star."""
        first, last = np.searchsorted(self.epochs.star, [star, star + 1])
        return slice(int(first), int(last))


def make_light_curves(
    observed: Observed,
    settings: LightCurveSettings = DEFAULTS,
    *,
    wanted: Stars | None = None,
    reference: Reference | None = None,
    progress: Progress | None = None,
) -> LightCurves:
    """Make light curves of all stars, or of those that are wanted.

    Parameters
    ----------
    observed : Observed
        See `filar.lightcurve.read.read_observed`.
    settings : LightCurveSettings
        How.
    wanted : Stars, optional
        Only these; all others still help with the zero points.
    reference : Reference, optional
        Magnitudes that zero points are tied to; otherwise magnitudes are relative to the median
        image of each camera and filter.
    progress : callable, optional
        Called with the part done, 0 to 1, and a text.

    Returns
    -------
    LightCurves

    Raises
    ------
    ParameterError
        If there is no image.
    """
    if not len(observed.images):
        raise ParameterError("observed", observed.errors, "one image or more whose time is known")
    step = _steps(progress, 0.1, 0.3, 0.6)
    matched = match_stars(
        observed.images, observed.measures, wanted=wanted, radius=settings.radius,
        min_images=settings.min_images, progress=step(0),
    )  # fmt: skip
    images = observed.images
    if settings.zero_points:
        zero = solve_zero_points(images, matched.measures, degree=settings.degree, progress=step(1))
    else:
        zero = no_zero_points(images)
    measures = _calibrated(matched.measures, zero)
    expected = np.full((len(matched.stars), len(images.groups)), np.nan)
    shift, remarks = np.full((len(images.groups), 1), np.nan), list(zero.remarks)
    if reference is not None:
        expected = reference.magnitudes(images, matched.stars)
        shift, told = reference_shifts(expected, images, measures, zero)
        zero = shifted(zero, images, shift)
        measures = _calibrated(matched.measures, zero)
        remarks += told
    made = _Made(
        images, replace(matched, measures=measures), zero, expected,
        tuple(bool(value) for value in np.isfinite(shift[:, 0])),
        (*observed.errors, *matched.errors, *zero.errors), tuple(remarks),
    )  # fmt: skip
    return _curves(made, settings, wanted is not None, step(2))


def _steps(progress: Progress | None, *starts: float) -> Callable[[int], Progress | None]:
    """Progress of each of several steps as parts of the whole."""
    stops = [*starts[1:], 1.0]

    def of(number: int) -> Progress | None:
        if progress is None:
            return None
        low, high = starts[number], stops[number]
        return lambda done, text: progress(low + done * (high - low), text)

    return of


def _calibrated(measures: Measures, zero: ZeroPoints) -> Measures:
    """Magnitudes less the zero points, whose errors join the stars'."""
    value, error = zero.at(measures.image, measures.x, measures.y)
    return replace(
        measures,
        mag=measures.mag - value,
        mag_err=np.hypot(measures.mag_err, error),
        plain=measures.plain - value,
    )


@dataclass(frozen=True, eq=False)
class _Made:
    """What the steps up to the zero points gave."""

    images: Images
    matched: Matched
    zero: ZeroPoints
    expected: FloatArray
    absolute: tuple[bool, ...]
    errors: tuple[str, ...]
    remarks: tuple[str, ...]


def _curves(
    made: _Made, settings: LightCurveSettings, only_asked: bool, progress: Progress | None
) -> LightCurves:
    """Epochs and what follows from them."""
    images, stars, measures = made.images, made.matched.stars, made.matched.measures
    epochs = _epochs(images, measures, settings, len(stars))
    plain = epochs
    if _differ(measures):
        plain = _epochs(images, replace(measures, mag=measures.plain), settings, len(stars))
    errors, expected = made.errors, made.expected
    if only_asked:
        stars, epochs, lost = _asked(stars, epochs)
        plain = _first(plain, len(stars))
        errors, expected = (*errors, *lost), expected[: len(stars)]
    n = len(stars)
    variable = _variable(statistics(epochs.star, _levelled(epochs, n), epochs.mag_err, n))
    time, at_barycentre = _times(epochs, stars)
    curves = _by_star(stars, epochs, time, [band for _, band in images.groups])
    chosen = _chosen(settings, stars, variable)
    solutions = solve_many(curves, chosen, chosen & (variable | stars.asked), settings, progress)
    mag, rejected = _applied(epochs, curves, solutions)
    kept = ~rejected
    found = statistics(epochs.star[kept], mag[kept], epochs.mag_err[kept], n)
    variable &= _variable(found)  # and not by what was rejected alone
    return LightCurves(
        stars, images, made.zero, epochs, time, mag, rejected, tuple(solutions),
        found, variable,
        at_barycentre, dispersions(plain.star, _levelled(plain, n), n), expected,
        made.absolute, errors, made.remarks,
    )  # fmt: skip


def _differ(measures: Measures) -> bool:
    """Whether magnitudes are not those of ordinary photometry alone."""
    away = measures.mag - measures.plain
    return bool((~(np.abs(away[np.isfinite(measures.mag)]) < 1e-3)).any())


def _epochs(images: Images, measures: Measures, settings: LightCurveSettings, n: int) -> Epochs:
    group = images.group
    epoch = epoch_numbers(images.mjd, group, settings.epoch_gap)
    epochs = gather_epochs(
        measures.star, measures.image, measures.mag, measures.mag_err, measures.flags,
        mjd=images.mjd, group=group, epoch=epoch,
    )  # fmt: skip
    return _with_errors(with_common_scatter(epochs, n))


def _applied(
    epochs: Epochs, curves: Sequence[Curve | None], solutions: Sequence[Solution | None]
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Magnitudes with the offsets of every star's cameras, and what was rejected."""
    mag, rejected = epochs.mag.copy(), np.zeros(len(epochs), bool)
    starts = np.searchsorted(epochs.star, np.arange(len(curves) + 1))
    for i, (curve, solution) in enumerate(zip(curves, solutions, strict=True)):
        if curve is not None and solution is not None:
            rows = slice(starts[i], starts[i + 1])
            mag[rows], rejected[rows] = solution.calibrated(curve), solution.rejected
    return mag, rejected


def _with_errors(epochs: Epochs) -> Epochs:
    """Errors that nothing tells are the median of the others."""
    known = np.isfinite(epochs.mag_err) & (epochs.mag_err > 0)
    typical = float(np.median(epochs.mag_err[known])) if known.any() else 0.05
    return replace(epochs, mag_err=np.where(known, epochs.mag_err, typical))


def _asked(stars: Stars, epochs: Epochs) -> tuple[Stars, Epochs, list[str]]:
    """Only the stars that were asked for, which come first in the list."""
    n = int(np.count_nonzero(stars.asked))
    names = ("id", "ra", "dec", "x", "y", "asked", "period")
    fewer = Stars(*(getattr(stars, name)[:n] for name in names))
    part = _first(epochs, n)
    seen = np.bincount(part.star, minlength=n)
    lost = [f"star {one}: in none of the images" for one in fewer.id[seen == 0]]
    return fewer, part, lost


def _first(epochs: Epochs, n: int) -> Epochs:
    """Epochs of the first stars."""
    stop = int(np.searchsorted(epochs.star, n))
    return Epochs(*(getattr(epochs, name)[:stop] for name in Epochs.__dataclass_fields__))


def _levelled(epochs: Epochs, n: int) -> FloatArray:
    """Magnitudes less the medians of each star's cameras and filters: (k,) array."""
    if not len(epochs):
        return np.zeros(0)
    width = int(epochs.group.max()) + 1
    pair = epochs.star * width + epochs.group
    return np.asarray(epochs.mag - group_median(pair, epochs.mag, n * width)[pair])


def _variable(found: Statistics) -> NDArray[np.bool_]:
    """Stars that scatter more than their errors allow, not by a few outliers alone."""
    from scipy.stats import chi2

    chance = chi2.sf(found.chi2, np.maximum(found.number - 1, 1))
    wide = np.maximum(found.dispersion, found.spread / 6) > _EXCESS * found.error
    return np.asarray((found.number > 4) & (chance < _SIGNIFICANT) & wide)


def _times(epochs: Epochs, stars: Stars) -> tuple[FloatArray, bool]:
    if np.isfinite(stars.ra).any():
        rows = np.arange(len(epochs))
        return barycentric(epochs.mjd, stars.ra, stars.dec, rows, epochs.star), True
    return epochs.mjd + 2400000.5, False


def _by_star(
    stars: Stars, epochs: Epochs, time: FloatArray, bands: Sequence[str]
) -> list[Curve | None]:
    borders: IntArray = np.searchsorted(epochs.star, np.arange(len(stars) + 1))
    band = np.unique(np.array([*bands, ""], dtype=str), return_inverse=True)[1][epochs.group]
    curves: list[Curve | None] = []
    for period, (a, b) in zip(stars.period, pairwise(borders), strict=True):
        rows = slice(a, b)
        one = Curve(time[rows], epochs.mag[rows], epochs.mag_err[rows], epochs.group[rows],
                    band[rows], float(period))  # fmt: skip
        curves.append(one if b > a else None)
    return curves


def _chosen(
    settings: LightCurveSettings, stars: Stars, variable: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Stars that a Gaussian process is for."""
    if settings.processes == "none":
        return np.zeros(len(stars), bool)
    if settings.processes == "all":
        return np.ones(len(stars), bool)
    return np.asarray(variable | stars.asked)
