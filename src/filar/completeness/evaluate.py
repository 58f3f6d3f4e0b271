"""How good recovery probabilities are: accuracy against threshold, losses, calibration.

The measures are those of H24 (section 7.1: accuracy, completeness, precision and F-score against
the threshold of probability above which a star counts as recovered) and the proper scores that need
no threshold: log loss and Brier score, with the calibration error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from filar.completeness.reliability import (
    BoolArray,
    FloatArray,
    binomial_error,
    calibration_error,
    chance_calibration_error,
    checked,
    deciles,
)

if TYPE_CHECKING:
    from filar.completeness.table import ArtificialStars

THRESHOLD = 0.5
"""Probability above which a star counts as recovered where one number is to be given."""


class Predictor(Protocol):
    """Whatever gives recovery probabilities, such as `filar.completeness.estimator`'s models."""

    def p_recovered(self, stars: ArtificialStars) -> FloatArray:
        """Recovery probabilities (n,) of stars."""
        ...


@dataclass(frozen=True, eq=False)
class Thresholds:
    """H24's four measures against the threshold (their equations 14 to 17, figure 14).

    Parameters
    ----------
    threshold : (k,) array
        A star counts as recovered if its probability is this or more.
    accuracy : (k,) array
        Part of all stars that are told rightly.
    completeness : (k,) array
        Part of the recovered stars that are told to be.
    precision : (k,) array
        Part of those told to be recovered that are; NaN where none is told to be.
    f_score : (k,) array
        Harmonic mean of the last two.
    """

    threshold: FloatArray
    accuracy: FloatArray
    completeness: FloatArray
    precision: FloatArray
    f_score: FloatArray


@dataclass(frozen=True)
class Scores:
    """One model's measures on one set of stars.

    Parameters
    ----------
    number : int
        Stars.
    recovered : float
        Part of them that was recovered.
    accuracy, accuracy_err : float
        At a threshold of a half, and its binomial standard error.
    completeness, precision, f_score : float
        At a threshold of a half.
    best_threshold, best_accuracy : float
        Where the accuracy is largest.
    log_loss, log_loss_err : float
        Mean of -log(probability of what happened), and its standard error.
    honest_log_loss : float
        What the log loss would be on average, were the probabilities perfect.
    brier : float
        Mean squared difference of probability and outcome.
    calibration_error : float
        Expected calibration error, 20 bins.
    chance_calibration_error, chance_calibration_error_95 : float
        Mean and 95th percentile of what perfect probabilities would have by chance.
    worst_decile, worst_decile_err : float
        Predicted minus true fraction in the tenth of the stars, ordered by probability, where it is
        largest in size; and its error by chance.
    """

    number: int
    recovered: float
    accuracy: float
    accuracy_err: float
    completeness: float
    precision: float
    f_score: float
    best_threshold: float
    best_accuracy: float
    log_loss: float
    log_loss_err: float
    honest_log_loss: float
    brier: float
    calibration_error: float
    chance_calibration_error: float
    chance_calibration_error_95: float
    worst_decile: float
    worst_decile_err: float

    def figures(self) -> dict[str, float]:
        """All of them by name."""
        return asdict(self)


def thresholds(
    p: NDArray[Any], recovered: NDArray[Any], at: NDArray[Any] | None = None
) -> Thresholds:
    """Accuracy, completeness, precision and F-score as functions of the threshold.

    Parameters
    ----------
    p : (n,) array
        Recovery probabilities.
    recovered : (n,) array of bool
        Outcomes.
    at : (k,) array, optional
        Thresholds; 0, 0.01, ... 1 by default.

    Returns
    -------
    Thresholds

    Raises
    ------
    ParameterError
        If the arrays make no sense.
    """
    p, recovered = checked(p, recovered)
    at = np.linspace(0, 1, 101) if at is None else np.asarray(at, float)
    told = len(p) - np.searchsorted(np.sort(p), at, side="left")
    right = np.count_nonzero(recovered) - np.searchsorted(np.sort(p[recovered]), at, side="left")
    missed = np.count_nonzero(recovered) - right
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = right / told
        completeness = right / np.count_nonzero(recovered)
        f_score = 2 * right / (2 * right + missed + (told - right))
    accuracy = 1 - (missed + (told - right)) / len(p)
    return Thresholds(at, accuracy, completeness, precision, f_score)


def scores(p: NDArray[Any], recovered: NDArray[Any], *, draws: int = 200, seed: int = 0) -> Scores:
    """All measures of one model on one set of stars.

    Parameters
    ----------
    p : (n,) array
        Recovery probabilities.
    recovered : (n,) array of bool
        Outcomes.
    draws, seed : int
        Of the simulation of chance, see `chance_calibration_error`.

    Returns
    -------
    Scores

    Raises
    ------
    ParameterError
        If the arrays make no sense.
    """
    from sklearn.metrics import brier_score_loss

    p, recovered = checked(p, recovered)
    half = thresholds(p, recovered, np.array([THRESHOLD]))
    fine = thresholds(p, recovered, np.linspace(0, 1, 1001))
    # Of thresholds that are equally good, the one nearest to a half.
    equal = np.flatnonzero(fine.accuracy == fine.accuracy.max())
    best = int(equal[np.argmin(np.abs(fine.threshold[equal] - THRESHOLD))])
    loss, honest = log_losses(p, recovered), np.mean(_entropy(p))
    chance = chance_calibration_error(p, draws=draws, seed=seed)
    parts = deciles(p, recovered)
    worst = int(np.nanargmax(np.abs(parts.difference)))
    right = round(float(half.accuracy[0]) * len(p))
    return Scores(
        number=len(p),
        recovered=float(recovered.mean()),
        accuracy=float(half.accuracy[0]),
        accuracy_err=float(binomial_error(np.array(right), np.array(len(p)))),
        completeness=float(half.completeness[0]),
        precision=float(half.precision[0]),
        f_score=float(half.f_score[0]),
        best_threshold=float(fine.threshold[best]),
        best_accuracy=float(fine.accuracy[best]),
        log_loss=float(loss.mean()),
        log_loss_err=float(loss.std() / np.sqrt(len(p))),
        honest_log_loss=float(honest),
        brier=float(brier_score_loss(recovered, p, pos_label=True)),
        calibration_error=calibration_error(p, recovered),
        chance_calibration_error=float(chance.mean()),
        chance_calibration_error_95=float(np.quantile(chance, 0.95)),
        worst_decile=float(parts.difference[worst]),
        worst_decile_err=float(parts.chance[worst]),
    )


def log_losses(p: NDArray[Any], recovered: NDArray[Any]) -> FloatArray:
    """-log(probability of what happened), star by star, as scikit-learn's log loss clips it.

    Parameters
    ----------
    p : (n,) array
        Recovery probabilities.
    recovered : (n,) array of bool
        Outcomes.

    Returns
    -------
    (n,) array
    """
    p, recovered = checked(p, recovered)
    tiny = np.finfo(float).eps
    return np.asarray(-np.log(np.clip(np.where(recovered, p, 1 - p), tiny, 1 - tiny)))


def _entropy(p: FloatArray) -> FloatArray:
    from scipy.special import entr

    return np.asarray(entr(p) + entr(1 - p))


def quantities(stars: ArtificialStars, kind: str = "input") -> dict[str, FloatArray]:
    """Everything against which fractions are drawn: magnitudes, colours and covariates.

    Parameters
    ----------
    stars : ArtificialStars
        Of n stars.
    kind : {"input", "measured"}
        Of the magnitudes; "measured" is the input one of a star that was lost, as H24 has it.

    Returns
    -------
    dict of str to (n,) array
        The sky's noise as its logarithm; covariates that are nowhere known are left out.
    """
    mag = stars.magnitudes(kind)
    found = {band: mag[:, k] for k, band in enumerate(stars.bands)}
    if len(stars.bands) > 1:
        found[f"{stars.bands[0]} - {stars.bands[-1]}"] = mag[:, 0] - mag[:, -1]
    for name, values in stars.covariates.items():
        if np.isfinite(values).any():
            if name.startswith("sky_noise"):
                with np.errstate(divide="ignore", invalid="ignore"):
                    values = np.where(values > 0, np.log10(values), np.nan)
                name = f"log10 {name}"
            found[name] = np.asarray(values, float)
    return found


def subsets(covariates: Mapping[str, NDArray[Any]]) -> dict[str, BoolArray]:
    """Halves and quarters of the stars by each covariate.

    Parameters
    ----------
    covariates : mapping of str to (n,) array
        Names and values; stars without a value (NaN) are in no part.

    Returns
    -------
    dict of str to (n,) bool array
        "NAME, lower half", "NAME, upper half", "NAME, quarter 1" ... "NAME, quarter 4"; none for
        covariates that have one value alone.
    """
    found: dict[str, BoolArray] = {}
    for name, given in covariates.items():
        values = np.asarray(given, float)
        good = np.isfinite(values)
        if not good.any() or np.ptp(values[good]) == 0:
            continue
        quarters = np.quantile(values[good], (0.25, 0.5, 0.75))
        found[f"{name}, lower half"] = good & (values <= quarters[1])
        found[f"{name}, upper half"] = good & (values > quarters[1])
        place = np.searchsorted(quarters, values, side="left")
        for k in range(4):
            found[f"{name}, quarter {k + 1}"] = good & (place == k)
    return {name: chosen for name, chosen in found.items() if chosen.any()}
