"""The way to the best member of a family: from nothing, or from another exposure's solution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.psf.boxes import Boxes, cut_boxes
from filar.psf.family import Family
from filar.psf.familyfit import SLOPE_NODES, VALUE_NODES, FamilyFit, Solution, fit_family
from filar.psf.leastsq import BoxFits

FloatArray = NDArray[np.float64]
FIRST_MODEL_ERROR = 0.01
LATER_MODEL_ERROR = 0.003
NEAR_ITERATIONS = 2  # with one set of slopes; two more follow without the outliers
OUTLIER = 3.0  # times the median chi-square: a neighbour or a cosmic ray, not a star alone


@dataclass(frozen=True)
class Problem:
    """Stars of one exposure to which a family is to be fitted.

    Parameters
    ----------
    exposure : Exposure
        The image.
    family : Family
        What is fitted.
    box : int
        Size of the stars' boxes.
    x, y, flux : (n,) array
        The stars as they were found, pixels and electrons.
    """

    exposure: Exposure
    family: Family
    box: int
    x: FloatArray
    y: FloatArray
    flux: FloatArray

    @cached_property
    def boxes(self) -> Boxes:
        """The stars' pixels."""
        return cut_boxes(self.exposure, self.x, self.y, self.box)

    @cached_property
    def sky(self) -> FloatArray:
        """(n,) sky to start from: the fainter pixels of each box."""
        pixels = np.where(self.boxes.good, self.boxes.pixels, np.nan)
        return np.asarray(np.nan_to_num(np.nanquantile(pixels, 0.2, axis=1)))

    @property
    def stars(self) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Start values of x, y, flux and sky."""
        return self.x, self.y, self.flux, self.sky

    def fit_to(
        self, boxes: Boxes, model_error: float, *, coarse: bool = False, nodes: int = VALUE_NODES
    ) -> FamilyFit:
        """The least-squares problem of some of the stars."""
        family = self.family.coarse() if coarse else self.family
        return FamilyFit(family, boxes, self.box, self.exposure.shape, model_error, nodes=nodes)


def solve_cold(problem: Problem) -> tuple[FamilyFit, Solution]:
    """Coarse fits from several starts, the full fit from the best, outliers dropped on the way.

    Parameters
    ----------
    problem : Problem

    Returns
    -------
    fit : FamilyFit
        Of the stars that are left.
    solution : Solution
    """
    coarse = problem.fit_to(problem.boxes, FIRST_MODEL_ERROR, coarse=True)
    tries = [
        fit_family(coarse, coarse.vector(values), *problem.stars, iterations=4)
        for values in problem.family.starts()
    ]
    tries.sort(key=lambda s: s.cost)
    kept = _without_outliers(tries[0].fits, problem.boxes, FIRST_MODEL_ERROR)
    fit = problem.fit_to(problem.boxes[kept], LATER_MODEL_ERROR)
    stars = _values(tries[0].fits[kept])
    # both sides of focus look alike to the low orders alone
    finer = [
        fit_family(fit, fit.vector(coarse.named(s.unknowns)), *stars, iterations=2)
        for s in tries[:2]
    ]
    best = min(finer, key=lambda s: s.cost)
    return _finish(problem, fit, best, iterations=4)


def solve_near(problem: Problem, unknowns: Mapping[str, float]) -> tuple[FamilyFit, Solution]:
    """The full fit from another exposure's solution, at the best of a few changes of it.

    Parameters
    ----------
    problem : Problem
    unknowns : mapping
        The other's unknowns, as `FamilyFit.named` names them.

    Returns
    -------
    fit : FamilyFit
        Of the stars that are left.
    solution : Solution
    """
    # which change is best shows on few nodes too
    look = problem.fit_to(problem.boxes, FIRST_MODEL_ERROR, nodes=SLOPE_NODES)
    tries = [
        look.evaluate(
            look.vector({**unknowns, **{k: unknowns.get(k, 0.0) + v for k, v in change.items()}}),
            *problem.stars,
        )
        for change in problem.family.nearby()
    ]
    best = min(tries, key=lambda s: s.cost)
    kept = _without_outliers(best.fits, problem.boxes, FIRST_MODEL_ERROR)
    fit = problem.fit_to(problem.boxes[kept], LATER_MODEL_ERROR)
    first = fit_family(fit, best.unknowns, *_values(best.fits[kept]), iterations=NEAR_ITERATIONS)
    return _finish(problem, fit, first, iterations=0)


def _finish(
    problem: Problem, fit: FamilyFit, now: Solution, iterations: int
) -> tuple[FamilyFit, Solution]:
    """More iterations, the outliers dropped, and the last two iterations."""
    if iterations:
        now = fit_family(fit, now.unknowns, *_values(now.fits), iterations=iterations)
    kept = _without_outliers(now.fits, fit.boxes, LATER_MODEL_ERROR)
    last = problem.fit_to(fit.boxes[kept], LATER_MODEL_ERROR)
    return last, fit_family(last, now.unknowns, *_values(now.fits[kept]), iterations=2)


def _values(fits: BoxFits) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    return fits.x, fits.y, fits.flux, fits.sky


def _without_outliers(fits: BoxFits, boxes: Boxes, error: float) -> NDArray[np.intp]:
    return np.flatnonzero(~outliers(fits, boxes, error))


def outliers(fits: BoxFits, boxes: Boxes, error: float) -> NDArray[np.bool_]:
    """Stars whose chi-square is far above that of the others of their brightness."""
    variance = np.maximum(fits.expected, 0) + boxes.read_noise**2 + (error * fits.star) ** 2
    chi2 = np.where(boxes.good, fits.residual**2 / variance, 0).sum(axis=1)
    chi2 /= np.maximum(boxes.good.sum(axis=1) - 4, 1)
    order = np.argsort(fits.flux)
    # a running median in brightness: a common misfit of bright stars is not theirs alone
    width = max(len(order) // 8, 10)
    typical = np.empty(len(order))
    for start in range(0, len(order), width):
        group = order[start : start + width]
        typical[group] = np.median(chi2[group])
    ill = (fits.flux <= 0) | ~np.isfinite(fits.flux)
    return np.asarray(ill | (chi2 > OUTLIER * np.maximum(typical, 0.5)))
