"""Expected errors that agree with the validation part of the training data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from filar.centering.data import batches
from filar.errors import InputFileError
from filar.stamps.labels import TEST, VALIDATION
from filar.stamps.store import StampStore

if TYPE_CHECKING:
    from torch import Tensor

    from filar.centering.model import CenteringModel

FloatArray = NDArray[np.float64]
BIN = 0.75  # magnitudes between knots
LEAST_IN_BIN = 100
MAD_TO_SIGMA = 1.4826
BATCH = 2048
EXTREME = 10.0  # factor by which an error may be off
_PREFIX = "errors."


@dataclass(frozen=True, eq=False)
class ErrorModel:
    """Errors by magnitude: factors of what a network expects, or the errors themselves.

    Parameters
    ----------
    mag : (k,) array
        Knots; between them linear, beyond them constant.
    value : (k, 2) array
        For x and y: factors of the network's errors, or errors in pixels.
    absolute : bool
        Whether `value` holds errors.
    """

    mag: FloatArray
    value: FloatArray
    absolute: bool

    def __call__(self, mag: NDArray[Any], raw: FloatArray | None) -> FloatArray:
        """Errors of stars.

        Parameters
        ----------
        mag : (n,) array
            Instrumental magnitudes.
        raw : (n, 2) array or None
            What the network expects, pixels.

        Returns
        -------
        (n, 2) array
            Pixels.
        """
        at = np.nan_to_num(np.asarray(mag, float), nan=float(self.mag[-1]))
        value = np.stack([np.interp(at, self.mag, column) for column in self.value.T], 1)
        return value if raw is None or self.absolute else value * raw

    def tensors(self) -> dict[str, Any]:
        """All of it, for a model file."""
        kept = {
            "mag": self.mag,
            "value": self.value,
            "absolute": np.array([self.absolute], np.uint8),
        }
        return {_PREFIX + name: np.asarray(array) for name, array in kept.items()}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], path: str | PathLike[str]) -> Self:
        """Take it out of a model file.

        Raises
        ------
        InputFileError
            If it is not there.
        """
        try:
            mag, value, absolute = (
                tensors[_PREFIX + name].numpy() for name in ("mag", "value", "absolute")
            )
        except KeyError as error:
            raise InputFileError(
                path, f"without {error}", "a model with calibrated errors"
            ) from None
        return cls(mag.astype(float), value.astype(float), bool(absolute[0]))


@dataclass(frozen=True, eq=False)
class Residuals:
    """Predicted minus labelled places of n stamps.

    Parameters
    ----------
    mag : (n,) array
        Instrumental.
    miss : (n, 2) array
        Pixels.
    raw : (n, 2) array or None
        Errors that the network expects.
    label_error : (n, 2) array
        Errors of the labels.
    star : (n,) array
        Numbers of the stars.
    """

    mag: FloatArray
    miss: FloatArray
    raw: FloatArray | None
    label_error: FloatArray
    star: NDArray[np.int64]


def residuals(model: CenteringModel, store: StampStore, part: int) -> Residuals:
    """Predict a part of a set of stamps.

    Parameters
    ----------
    model : CenteringModel
        Trained.
    store : StampStore
        The set.
    part : int
        0 training, 1 validation, 2 test.

    Returns
    -------
    Residuals
    """
    rows = []
    for stamps, labels in batches(store, part, BATCH, shuffle=False):
        answer = model.answer(stamps)
        label = np.stack([labels.x, labels.y], 1)
        error = np.nan_to_num(np.stack([labels.x_err, labels.y_err], 1))
        rows.append((stamps.mag, answer.place - label, answer.error, error, labels.star))
    if not rows:
        none = np.zeros((0, 2))
        return Residuals(np.zeros(0), none, none, none, np.zeros(0, np.int64))
    mags, misses, raws, errors, stars = zip(*rows, strict=True)
    expected = None if raws[0] is None else np.concatenate(raws)
    columns = [np.concatenate(column).astype(np.float64) for column in (mags, misses, errors)]
    return Residuals(columns[0], columns[1], expected, columns[2], np.concatenate(stars))


def learn_errors(model: CenteringModel, store: StampStore) -> ErrorModel:
    """Calibrate a trained model's errors on the validation part; the labels' own are taken off.

    Parameters
    ----------
    model : CenteringModel
        Trained.
    store : StampStore
        The set that it was trained on.

    Returns
    -------
    ErrorModel
    """
    found = residuals(model, store, VALIDATION)
    good = np.isfinite(found.mag) & np.isfinite(found.miss).all(axis=1)
    mag, miss, label = found.mag[good], found.miss[good], found.label_error[good]
    raw = np.ones_like(miss) if found.raw is None else found.raw[good]
    edges = mag_edges(mag)
    number = np.clip(np.searchsorted(edges, mag, side="right") - 1, 0, len(edges) - 2)
    knots, values = [], []
    for k in range(len(edges) - 1):
        chosen = number == k
        knots.append(float(np.median(mag[chosen])) if chosen.any() else float(edges[k]))
        values.append([error_factor(miss[chosen, a], raw[chosen, a], label[chosen, a])
                       for a in (0, 1)])  # fmt: skip
    return ErrorModel(np.array(knots), np.array(values), found.raw is None)


def mag_edges(mag: FloatArray) -> FloatArray:
    """Edges of bins of `BIN` magnitudes, wider where stars are few."""
    ordered = np.sort(mag)
    edges, start = [], 0
    while start < len(ordered):
        stop = max(int(np.searchsorted(ordered, ordered[start] + BIN)), start + LEAST_IN_BIN)
        if len(ordered) - stop < LEAST_IN_BIN:
            stop = len(ordered)
        edges.append(ordered[start])
        start = stop
    return np.array([*edges, np.inf]) if edges else np.array([-np.inf, np.inf])


def error_factor(miss: FloatArray, raw: FloatArray, label_error: FloatArray) -> float:
    """Factor of the expected errors that makes the robust width of the pulls one.

    Parameters
    ----------
    miss : (n,) array
        Predicted minus label.
    raw : (n,) array
        Expected errors.
    label_error : (n,) array
        Errors of the labels.

    Returns
    -------
    float
        1 with fewer than ten stars; 0.1 to 10 times the typical miss over the typical error.
    """
    if len(miss) < 10:
        return 1.0

    def width(factor: float) -> float:
        pull = np.abs(miss) / np.sqrt((factor * raw) ** 2 + label_error**2)
        return float(MAD_TO_SIGMA * np.median(pull) - 1)

    typical = MAD_TO_SIGMA * float(np.median(np.abs(miss) / raw))
    low, high = typical / EXTREME, typical * EXTREME
    if not width(low) > 0 > width(high):
        return max(low, 1e-6)
    return float(brentq(width, low, high, xtol=1e-4 * low))


def test_figures(model: CenteringModel, errors: ErrorModel, store: StampStore) -> dict[str, float]:
    """What a card says of the test part.

    Parameters
    ----------
    model : CenteringModel
        Trained.
    errors : ErrorModel
        Its calibrated errors.
    store : StampStore
        The set that it was trained on.

    Returns
    -------
    dict of str to float
        Numbers of stamps and stars; robust widths of predicted minus label, pixels; robust widths
        of their pulls, the labels' errors included.
    """
    found = residuals(model, store, TEST)
    figures = {"stamps": float(len(found.mag)), "stars": float(len(np.unique(found.star)))}
    if not len(found.mag):
        return figures
    expected = np.hypot(errors(found.mag, found.raw), found.label_error)
    for axis, name in enumerate("xy"):
        miss = found.miss[:, axis]
        figures[f"sigma_{name}"] = MAD_TO_SIGMA * float(np.median(np.abs(miss - np.median(miss))))
        pull = np.median(np.abs(miss) / expected[:, axis])
        figures[f"pull_{name}"] = MAD_TO_SIGMA * float(pull)
    return figures
