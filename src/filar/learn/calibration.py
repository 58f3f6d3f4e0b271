"""Whether predicted errors are honest, and the factors that make them so.

A pull is an error over the predicted error. Where the truth is a label with an error of its own,
that is added in quadrature to the predicted one: no difference from a label can be smaller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError, ParameterError
from filar.robust import MAD_TO_SIGMA, robust_rms, robust_rms_error

if TYPE_CHECKING:
    from torch import Tensor

FloatArray = NDArray[np.float64]

WITHIN = (1.0, 1.95996)
"""Predicted errors within which 68.27% and 95% of Gaussian errors lie."""

LEAST = 20
"""Rows from which a factor can be told at all."""

EXTREME = 100.0
"""Largest ratio of two factors that are tried."""

STIFFNESS = 0.1
"""Expected bend of the factor's logarithm from one knot to the next."""


@dataclass(frozen=True)
class PullBin:
    """Pulls in a range of some quantity.

    Attributes
    ----------
    low, high : float
        The range.
    number : int
        Pulls.
    width, width_err : float
        Robust rms of the pulls and its standard error; 1 if the errors are honest.
    mean : float
        Median pull; 0 without a bias.
    inside68, inside95 : float
        Parts of the pulls within 1 and 1.96; 0.683 and 0.950 if honest and Gaussian.
    """

    low: float
    high: float
    number: int
    width: float
    width_err: float
    mean: float
    inside68: float
    inside95: float


def pulls(miss: FloatArray, error: FloatArray, label_error: FloatArray | None = None) -> FloatArray:
    """Errors over predicted errors.

    Parameters
    ----------
    miss : array
        Predicted minus true.
    error : array of the same shape
        Predicted errors.
    label_error : array of the same shape, optional
        Errors of what counts as true.

    Returns
    -------
    array of the same shape
        NaN where something is missing or the errors are 0.
    """
    whole = np.asarray(error if label_error is None else np.hypot(error, label_error), float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(whole > 0, miss / whole, np.nan))


def coverage(pull: FloatArray) -> tuple[float, float]:
    """Parts of pulls within 1 and 1.96.

    Parameters
    ----------
    pull : array
        Those that are NaN are left out.

    Returns
    -------
    inside68, inside95 : float
        NaN without pulls.
    """
    size = np.abs(pull[np.isfinite(pull)])
    if not size.size:
        return float("nan"), float("nan")
    return float(np.mean(size <= WITHIN[0])), float(np.mean(size <= WITHIN[1]))


def pull_bins(quantity: FloatArray, pull: FloatArray, edges: FloatArray) -> list[PullBin]:
    """Judge pulls in bins of another quantity.

    Parameters
    ----------
    quantity : (n,) array
        Such as the magnitude.
    pull : (n,) or (n, m) array
        Pulls of one or several outputs, judged together.
    edges : (k + 1,) array
        Of the bins, increasing.

    Returns
    -------
    list of PullBin
        One per bin that is not empty.

    Raises
    ------
    ParameterError
        If the edges do not increase.
    """
    edges = np.asarray(edges, float)
    if len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise ParameterError("edges", edges.tolist(), "two or more increasing numbers")
    found = []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        chosen = pull[(quantity >= low) & (quantity < high)].ravel()
        chosen = chosen[np.isfinite(chosen)]
        if len(chosen):
            width = robust_rms(chosen)
            error = robust_rms_error(width, len(chosen))
            middle = float(np.median(chosen))
            found.append(PullBin(low, high, len(chosen), width, error, middle, *coverage(chosen)))
    return found


@dataclass(frozen=True, eq=False)
class ErrorScale:
    """What makes predicted errors honest: a factor, smooth in some quantity.

    Attributes
    ----------
    at : (k,) array
        Knots; between them the factors' logarithms are linear, beyond them constant.
    value : (k, m) array
        For each of m outputs: factors of the predicted errors, or the errors themselves.
    absolute : bool
        Whether `value` holds errors, of a network that predicts none.
    """

    at: FloatArray
    value: FloatArray
    absolute: bool

    def __call__(self, quantity: NDArray[Any], raw: FloatArray | None = None) -> FloatArray:
        """Honest errors.

        Parameters
        ----------
        quantity : (n,) array
            As in `learn_error_scale`; where it is NaN the largest of the knots counts.
        raw : (n, m) array, optional
            Predicted errors; not looked at if the scale is absolute.

        Returns
        -------
        (n, m) array

        Raises
        ------
        ParameterError
            If the scale is not absolute and there are no predicted errors.
        """
        where = np.nan_to_num(np.asarray(quantity, float), nan=float(self.at[-1]))
        logs = [np.interp(where, self.at, column) for column in np.log(self.value).T]
        value: FloatArray = np.exp(np.stack(logs, axis=1))
        if self.absolute:
            return value
        if raw is None:
            raise ParameterError("raw", None, "the predicted errors that are to be scaled")
        return np.asarray(value * raw)

    def tensors(self, prefix: str) -> dict[str, NDArray[Any]]:
        """All of it for a model file, each name after a prefix."""
        flag = np.array([self.absolute], np.uint8)
        return {f"{prefix}at": self.at, f"{prefix}value": self.value, f"{prefix}absolute": flag}

    @classmethod
    def from_tensors(
        cls, tensors: Mapping[str, Tensor], prefix: str, path: str | PathLike[str]
    ) -> Self:
        """Take it out of a model file.

        Parameters
        ----------
        tensors : mapping of str to tensor
            As `filar.learn.modelfile.load_model` gives them.
        prefix : str
            As given to `tensors`.
        path : str or path-like
            The file, for messages.

        Returns
        -------
        ErrorScale

        Raises
        ------
        InputFileError
            If it is not there or makes no sense.
        """
        try:
            at, value, flag = (
                tensors[prefix + name].numpy() for name in ("at", "value", "absolute")
            )
        except KeyError as error:
            raise InputFileError(path, f"without {error}", "a model with error scale") from None
        if at.ndim != 1 or value.ndim != 2 or len(at) != len(value) or not (value > 0).all():
            raise InputFileError(path, "an error scale that makes no sense", "positive factors")
        return cls(at.astype(float), value.astype(float), bool(flag[0]))


def learn_error_scale(
    quantity: FloatArray,
    miss: FloatArray,
    raw: FloatArray | None = None,
    label_error: FloatArray | None = None,
    *,
    width: float = 0.75,
    least: int = 100,
) -> ErrorScale:
    """Fit the scale that gives pulls of validation data a robust rms of 1 at all values.

    In each bin of the quantity the factor is found that does so; then their logarithms are
    smoothed, each with the weight that its number of rows gives it, against bends.

    Parameters
    ----------
    quantity : (n,) array
        On which the factor may depend, such as the magnitude.
    miss : (n, m) array
        Predicted minus label, of m outputs.
    raw : (n, m) array, optional
        Predicted errors; without them the scale is absolute.
    label_error : (n, m) array, optional
        Errors of the labels, taken off in quadrature.
    width : float, optional
        Of a bin, in the quantity's unit.
    least : int, optional
        Rows of a bin; where there are fewer, bins are wider.

    Returns
    -------
    ErrorScale
        A factor of 1 where there are too few rows; rows with a value that is not finite do not
        count.

    Raises
    ------
    ParameterError
        If an absolute scale is asked for and there are too few rows.
    """
    predicted = np.ones_like(miss) if raw is None else raw
    known = np.zeros_like(miss) if label_error is None else label_error
    good = np.isfinite(quantity) & np.isfinite(miss).all(1)
    good &= (np.isfinite(predicted) & (predicted > 0)).all(1) & np.isfinite(known).all(1)
    if good.sum() < LEAST:
        if raw is None:
            raise ParameterError("validation", f"{good.sum()} rows", f"{LEAST} or more")
        return ErrorScale(np.zeros(1), np.ones((1, miss.shape[1])), False)
    order = np.flatnonzero(good)[np.argsort(quantity[good], kind="stable")]
    pieces = _pieces(quantity[order], width, max(least, LEAST))
    rows = [order[piece] for piece in pieces]
    factor = np.array(
        [
            [
                _factor(miss[r, axis], predicted[r, axis], known[r, axis])
                for axis in range(miss.shape[1])
            ]
            for r in rows
        ]
    )
    at = np.array([np.median(quantity[r]) for r in rows])
    number = np.array([len(r) for r in rows], float)
    at, logs = _extended(at, _smooth(np.log(factor), number), width / 2)
    return ErrorScale(at, np.exp(logs), raw is None)


def _pieces(ordered: FloatArray, width: float, least: int) -> list[slice]:
    """Slices of ordered values, each at least so wide and so full; the last takes the rest."""
    found, start = [], 0
    while start < len(ordered):
        stop = max(int(np.searchsorted(ordered, ordered[start] + width)), start + least)
        if len(ordered) - stop < least:
            stop = len(ordered)
        found.append(slice(start, stop))
        start = stop
    return found


def _factor(miss: FloatArray, raw: FloatArray, label_error: FloatArray) -> float:
    """The factor of predicted errors that gives a median absolute pull of a Gaussian's."""
    typical = MAD_TO_SIGMA * float(np.median(np.abs(miss) / raw))
    low, high = typical / EXTREME, typical * EXTREME
    for _ in range(40):
        middle = float(np.sqrt(low * high))
        pull = np.abs(miss) / np.hypot(middle * raw, label_error)
        wide = MAD_TO_SIGMA * float(np.median(pull)) > 1
        low, high = (middle, high) if wide else (low, middle)
    # The labels' errors alone may explain all; an error of 0 is none, though.
    return max(float(np.sqrt(low * high)), 1e-9)


def _smooth(logs: FloatArray, number: FloatArray) -> FloatArray:
    """Smooth values (k, m) against second differences, each with the noise of a robust rms."""
    if len(logs) < 3:
        return logs
    noise = np.array([robust_rms_error(1.0, int(n)) for n in number])
    bends = np.diff(np.eye(len(logs)), n=2, axis=0)
    weight = np.diag(noise**-2.0)
    return np.asarray(np.linalg.solve(weight + bends.T @ bends / STIFFNESS**2, weight @ logs))


def _extended(at: FloatArray, logs: FloatArray, by: float) -> tuple[FloatArray, FloatArray]:
    """Knots on either side, half a bin out, on the lines through the last two."""
    if len(at) < 2:
        return at, logs
    slopes = np.diff(logs, axis=0) / np.diff(at)[:, None]
    first, last = logs[:1] - by * slopes[:1], logs[-1:] + by * slopes[-1:]
    return np.array([at[0] - by, *at, at[-1] + by]), np.concatenate([first, logs, last])
