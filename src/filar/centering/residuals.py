"""Predicted minus labelled places: calibrated errors, and the figures on a model's card."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.centering.data import batches
from filar.learn.calibration import ErrorScale, learn_error_scale
from filar.robust import robust_rms
from filar.stamps.labels import TEST, VALIDATION
from filar.stamps.store import StampStore

if TYPE_CHECKING:
    from filar.centering.model import CenteringModel

FloatArray = NDArray[np.float64]
BATCH = 2048


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


def learn_errors(model: CenteringModel, store: StampStore) -> ErrorScale:
    """Calibrate a trained model's errors on the validation part; the labels' own are taken off.

    Parameters
    ----------
    model : CenteringModel
        Trained.
    store : StampStore
        The set that it was trained on.

    Returns
    -------
    ErrorScale
        By magnitude, for x and y.
    """
    found = residuals(model, store, VALIDATION)
    good = np.isfinite(found.mag) & np.isfinite(found.miss).all(axis=1)
    raw = None if found.raw is None else found.raw[good]
    return learn_error_scale(found.mag[good], found.miss[good], raw, found.label_error[good])


def test_figures(model: CenteringModel, errors: ErrorScale, store: StampStore) -> dict[str, float]:
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
        figures[f"sigma_{name}"] = float(robust_rms(miss - np.median(miss)))
        figures[f"pull_{name}"] = float(robust_rms(miss / expected[:, axis]))
    return figures
