"""The PSF of this exposure, from this exposure's own stars."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.psf.boxes import Boxes
from filar.psf.family import Family
from filar.psf.familyfit import CLIP, FamilyFit, Solution
from filar.psf.leastsq import BoxFits, fit_boxes, inverse_variance, own_directions
from filar.psf.library import FIELD_NODES, default_psf, family_for
from filar.psf.model import FieldGrid, FieldPSF
from filar.psf.moffat import MoffatFamily
from filar.psf.residual import fit_correction
from filar.psf.solve import LATER_MODEL_ERROR, Problem, solve_cold, solve_near
from filar.psf.stars import Candidates, select_stars
from filar.threads import one_blas_thread

FloatArray = NDArray[np.float64]
MIN_STARS = 20
MAX_STARS = 400
SEEING_BOXES = (15, 11, 7)
ENOUGH_STARS = 60  # to prefer a larger box
LARGEST_MODEL_ERROR = 0.2
CORE_LIGHT = 0.1  # of the brightest pixel: where the star's own light rules
GAUSSIAN_MEDIAN_SQUARE = 0.455
WORSE_FACTOR, WORSE_BY = 1.5, 0.01  # of the model error, beyond which a near start failed


@dataclass(frozen=True)
class NearFit:
    """What the fit of one exposure tells that of another with the same chip and filter.

    Parameters
    ----------
    instrument, chip, filter : str
        What it belongs to.
    unknowns : dict
        The solution by name, field terms as ``name:term``.
    model_error : float
        Of the fit, see `PSFFit`.
    label : str
        The exposure.
    """

    instrument: str
    chip: str
    filter: str
    unknowns: dict[str, float]
    model_error: float
    label: str = ""

    def check(self, exposure: Exposure) -> None:
        """Refuse an exposure of another chip or filter.

        Raises
        ------
        ParameterError
            If instrument, chip or filter are not the same.
        """
        own = (self.instrument, self.chip, self.filter)
        other = (exposure.instrument, exposure.chip, exposure.filter)
        if own != other:
            expected = f"a fit of {' '.join(other)}, as the exposure is"
            raise ParameterError("near", " ".join(own), expected)


@dataclass(frozen=True, eq=False)
class PSFFit:
    """A PSF and how it was come by.

    Parameters
    ----------
    psf : FieldPSF
        The exposure's PSF, or the default where it could not be fitted.
    n_stars : int
        Stars that were used.
    fallback : bool
        Whether `psf` is the default.
    message : str
        One line for the user.
    parameters : dict
        Mean parameters of the fit over the chip.
    star_x, star_y : (n,) array
        The stars, pixels.
    model_error : float
        Relative error of the PSF that the stars' scatter beyond their noise calls for.
    residual_mean, default_residual_mean : (box, box) array
        Mean of (data - model) / flux of the stars with this PSF and with the default.
    solved : NearFit or None
        For `fit_psf` of similar exposures; None where the PSF could not be fitted.
    """

    psf: FieldPSF
    n_stars: int
    fallback: bool
    message: str
    parameters: dict[str, float] = field(default_factory=dict)
    star_x: FloatArray = field(default_factory=lambda: np.empty(0))
    star_y: FloatArray = field(default_factory=lambda: np.empty(0))
    model_error: float = 0.0
    residual_mean: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    default_residual_mean: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))
    solved: NearFit | None = None


@one_blas_thread
def fit_psf(
    exposure: Exposure,
    stars: Candidates,
    *,
    start: FieldPSF | None = None,
    near: NearFit | None = None,
) -> PSFFit:
    """Fit the PSF of an exposure to its own bright, isolated, unsaturated stars.

    Parameters
    ----------
    exposure : Exposure
        The image.
    stars : Detections
        Stars found in it.
    start : FieldPSF or None
        What to fall back to; the camera's default PSF by default.
    near : NearFit or None
        `PSFFit.solved` of an exposure of the same chip and filter taken about the same time:
        where to begin, which takes a third of the time. Where that does not end as well as there,
        the fit is made as without.

    Returns
    -------
    PSFFit
        With fewer than 20 usable stars, `start`.

    Raises
    ------
    ParameterError
        For a filter or chip that the camera does not have, or if `near` is of another one.
    """
    if near is not None:
        near.check(exposure)
    fallback = start or default_psf(exposure)
    family = family_for(exposure.instrument, exposure.chip, exposure.filter)
    box, chosen = _choose_stars(exposure, stars, fit_boxes_for(family))
    if len(chosen) < MIN_STARS:
        message = (
            f"only {len(chosen)} bright isolated unsaturated stars, {MIN_STARS} are needed: "
            f"the {fallback.name or 'given'} PSF is used"
        )
        return PSFFit(fallback, len(chosen), True, message)
    problem = Problem(
        exposure, family, box, stars.x[chosen], stars.y[chosen], stars.flux[chosen]
    )  # fmt: skip
    result = None
    if near is not None:
        result = _conclude(problem, *solve_near(problem, near.unknowns), fallback)
        message = f"{result.message}, from the solution of {near.label or 'another exposure'}"
        result = replace(result, message=message)
    if near is None or result is None or _worse(result, near):
        cold = _conclude(problem, *solve_cold(problem), fallback)
        if result is None or cold.model_error <= result.model_error:
            result = cold
    return result


def _worse(result: PSFFit, near: NearFit) -> bool:
    return result.model_error > WORSE_FACTOR * near.model_error + WORSE_BY


def _conclude(
    problem: Problem, fit: FamilyFit, solution: Solution, fallback: FieldPSF
) -> PSFFit:  # fmt: skip
    """The empirical correction, and what there is to tell about a solution."""
    exposure, box = problem.exposure, problem.box
    nodes = FieldGrid.chebyshev(exposure.shape, FIELD_NODES)
    optical = fit.psf(solution.unknowns, nodes, f"fitted {exposure.label}")
    psf = _correct(optical, fit, solution.fits, box)
    fits = _refit(psf, fit.boxes, solution.fits, box)
    default_fits = _refit(fallback, fit.boxes, solution.fits, box)
    error = estimate_model_error(psf, fit.boxes, fits, box)
    solved = NearFit(
        exposure.instrument, exposure.chip, exposure.filter, fit.named(solution.unknowns), error,
        exposure.label,
    )  # fmt: skip
    return PSFFit(
        psf=psf, n_stars=len(fits.x), fallback=False,
        message=f"fitted to {len(fits.x)} stars", parameters=psf.parameters,
        star_x=fits.x, star_y=fits.y, model_error=error,
        residual_mean=mean_residual(fits, fit.boxes.good, box),
        default_residual_mean=mean_residual(default_fits, fit.boxes.good, box), solved=solved,
    )  # fmt: skip


def _refit(psf: FieldPSF, boxes: Boxes, start: BoxFits, box: int) -> BoxFits:
    """The stars fitted with another PSF."""
    return fit_boxes(psf.table(box), boxes, start.x, start.y, np.maximum(start.flux, 1), start.sky,
                     fit_sky=True, model_error=LATER_MODEL_ERROR)  # fmt: skip


def _correct(psf: FieldPSF, fit: FamilyFit, start: BoxFits, box: int) -> FieldPSF:
    """The PSF with the empirical residual on top."""
    fits = _refit(psf, fit.boxes, start, box)
    weight = inverse_variance(fit.boxes, fits.expected, fits.star, LATER_MODEL_ERROR)
    pull = np.abs(fits.residual) * np.sqrt(weight)
    chi2 = np.sum(pull**2 * (weight > 0), axis=1) / np.maximum((weight > 0).sum(axis=1) - 4, 1)
    weight *= np.minimum(1, CLIP / np.maximum(pull, 1e-9))
    # neighbours below the detection limit are noise too
    weight /= max(1.0, float(np.median(chi2)))
    return fit_correction(psf, fit.boxes, fits, weight, box, fit.shape).apply(psf)


def fit_boxes_for(family: Family) -> tuple[int, ...]:
    """Boxes that hold what there is to learn, the core and the first ring; the best one first.

    The wings of a seeing-limited PSF begin in the core: in a box as small as diffraction needs,
    the fitted sky would take them, which leaves a PSF too sharp for the stars' fluxes. Where the
    field is too crowded for a large box, a smaller one must do.
    """
    if isinstance(family, MoffatFamily):
        return SEEING_BOXES
    return (9,) if family.grid.period > 40 else (7,)


def _choose_stars(
    exposure: Exposure, stars: Candidates, boxes: tuple[int, ...]
) -> tuple[int, NDArray[np.intp]]:
    """The first box that leaves stars enough, otherwise the last, and the stars."""
    for box in boxes:
        chosen = select_stars(exposure, stars, box, limit=MAX_STARS)
        if len(chosen) >= ENOUGH_STARS:
            break
    return box, chosen


def estimate_model_error(psf: FieldPSF, boxes: Boxes, fits: BoxFits, box: int) -> float:
    """Relative error of the PSF that explains the residuals of bright stars' central pixels.

    The median of the squared pulls is matched to that of a Gaussian, so that neighbours and cosmic
    rays do not count; what the stars' own parameters took up of every pixel is allowed for.
    """
    weight = inverse_variance(boxes, fits.expected, fits.star, LATER_MODEL_ERROR)
    q = own_directions(psf.table(box), boxes, fits, np.sqrt(weight))
    remaining = 1 - np.sum(q**2, axis=2)
    star = fits.star
    core = boxes.good & (star > CORE_LIGHT * star.max(axis=1, keepdims=True)) & (remaining > 0.1)
    core &= (fits.flux >= np.median(fits.flux))[:, None]
    squared = (fits.residual**2 / remaining)[core]
    noise = (np.maximum(fits.expected, 0) + boxes.read_noise**2)[core]
    star = star[core]

    def excess(error: float) -> float:
        return float(np.median(squared / (noise + (error * star) ** 2)) - GAUSSIAN_MEDIAN_SQUARE)

    if not squared.size or excess(0.0) <= 0:
        return 0.0
    if excess(LARGEST_MODEL_ERROR) > 0:
        return LARGEST_MODEL_ERROR
    return float(optimize.brentq(excess, 0.0, LARGEST_MODEL_ERROR, xtol=1e-5))


def mean_residual(fits: BoxFits, good: NDArray[np.bool_], box: int) -> FloatArray:
    """Mean of (data - model) / flux over the stars, weighted as their light: (box, box)."""
    light = np.where(good, fits.flux[:, None], 0.0)
    residual = np.where(good, fits.residual, 0.0).sum(axis=0)
    return np.asarray((residual / np.maximum(light.sum(axis=0), 1e-9)).reshape(box, box))
