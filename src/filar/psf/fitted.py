"""The PSF of this exposure, from this exposure's own stars."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from filar.exposure import Exposure
from filar.psf.boxes import Boxes, cut_boxes
from filar.psf.family import Family
from filar.psf.familyfit import CLIP, FamilyFit, Solution, fit_family
from filar.psf.leastsq import BoxFits, fit_boxes, inverse_variance, own_directions
from filar.psf.library import FIELD_NODES, default_psf, family_for
from filar.psf.model import FieldGrid, FieldPSF
from filar.psf.residual import fit_correction
from filar.psf.stars import Candidates, select_stars
from filar.threads import one_blas_thread

FloatArray = NDArray[np.float64]
MIN_STARS = 20
MAX_STARS = 400
FIRST_MODEL_ERROR = 0.01
LATER_MODEL_ERROR = 0.003
LARGEST_MODEL_ERROR = 0.2
CORE_LIGHT = 0.1  # of the brightest pixel: where the star's own light rules
GAUSSIAN_MEDIAN_SQUARE = 0.455
OUTLIER = 3.0  # times the median chi-square: a neighbour or a cosmic ray, not a star alone


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


@one_blas_thread
def fit_psf(exposure: Exposure, stars: Candidates, *, start: FieldPSF | None = None) -> PSFFit:
    """Fit the PSF of an exposure to its own bright, isolated, unsaturated stars.

    Parameters
    ----------
    exposure : Exposure
        The image.
    stars : Detections
        Stars found in it.
    start : FieldPSF or None
        What to fall back to; the camera's default PSF by default.

    Returns
    -------
    PSFFit
        With fewer than 20 usable stars, `start`.

    Raises
    ------
    ParameterError
        For a filter or chip that the camera does not have.
    """
    fallback = start or default_psf(exposure)
    family = family_for(exposure.instrument, exposure.chip, exposure.filter)
    box = fit_box(family)
    chosen = select_stars(exposure, stars, box, limit=MAX_STARS)
    if len(chosen) < MIN_STARS:
        message = (
            f"only {len(chosen)} bright isolated unsaturated stars, {MIN_STARS} are needed: "
            f"the {fallback.name or 'given'} PSF is used"
        )
        return PSFFit(fallback, len(chosen), True, message)
    fit, solution = _solve(
        exposure, family, box, stars.x[chosen], stars.y[chosen], stars.flux[chosen]
    )
    nodes = FieldGrid.chebyshev(exposure.shape, FIELD_NODES)
    optical = fit.psf(solution.unknowns, nodes, f"fitted {exposure.label}")
    psf = _correct(optical, fit, solution.fits, box)
    fits = _refit(psf, fit.boxes, solution.fits, box)
    default_fits = _refit(fallback, fit.boxes, solution.fits, box)
    return PSFFit(
        psf=psf, n_stars=len(fits.x), fallback=False,
        message=f"fitted to {len(fits.x)} stars", parameters=psf.parameters,
        star_x=fits.x, star_y=fits.y, model_error=estimate_model_error(psf, fit.boxes, fits, box),
        residual_mean=mean_residual(fits, fit.boxes.good, box),
        default_residual_mean=mean_residual(default_fits, fit.boxes.good, box),
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


def fit_box(family: Family) -> int:
    """Box that holds what there is to learn: the core and the first ring."""
    return 9 if family.grid.period > 40 else 7


def _solve(
    exposure: Exposure, family: Family, box: int, x: FloatArray, y: FloatArray, flux: FloatArray
) -> tuple[FamilyFit, Solution]:
    """Coarse fits from several starts, the full fit from the best, outliers dropped on the way."""
    boxes = cut_boxes(exposure, x, y, box)
    sky = np.nan_to_num(np.nanquantile(np.where(boxes.good, boxes.pixels, np.nan), 0.2, axis=1))
    coarse = FamilyFit(family.coarse(), boxes, box, exposure.shape, FIRST_MODEL_ERROR)
    tries = [
        fit_family(coarse, coarse.vector(values), x, y, flux, sky, iterations=4)
        for values in family.starts()
    ]
    tries.sort(key=lambda s: s.cost)
    f = tries[0].fits
    keep = np.flatnonzero(~outliers(f, boxes, FIRST_MODEL_ERROR))
    boxes = boxes[keep]
    fit = FamilyFit(family, boxes, box, exposure.shape, LATER_MODEL_ERROR)
    # both sides of focus look alike to the low orders alone
    finer = [
        fit_family(
            fit, fit.vector(coarse.named(s.unknowns)), f.x[keep], f.y[keep], f.flux[keep],
            f.sky[keep], iterations=2,
        )
        for s in tries[:2]
    ]  # fmt: skip
    best = min(finer, key=lambda s: s.cost)
    f = best.fits
    now = fit_family(fit, best.unknowns, f.x, f.y, f.flux, f.sky, iterations=4)
    f = now.fits
    keep = np.flatnonzero(~outliers(f, boxes, LATER_MODEL_ERROR))
    fit = FamilyFit(family, boxes[keep], box, exposure.shape, LATER_MODEL_ERROR)
    now = fit_family(
        fit, now.unknowns, f.x[keep], f.y[keep], f.flux[keep], f.sky[keep], iterations=2
    )
    return fit, now


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
