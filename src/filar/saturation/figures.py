"""Predicted minus true electrons: calibrated errors, and the figures on a model's card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from filar.learn.calibration import LEAST, ErrorScale, learn_error_scale, pulls
from filar.robust import robust_rms
from filar.saturation.data import Samples

FloatArray = NDArray[np.float64]
KNOTS = 0.3
"""Dex between two knots of the error scale, three quarters of a magnitude."""
LEAST_FACTOR = 0.7
"""Labels whose errors are overstated explain all misses: then a network's own errors stand."""
CORE = 1
"""Pixels about the middle one that make a star a saturated one."""


def core_saturated(samples: Samples) -> NDArray[np.bool_]:
    """Mark the stars of which one of the central three by three pixels is saturated.

    Parameters
    ----------
    samples : Samples
        n stamps.

    Returns
    -------
    (n,) bool array
    """
    middle = slice(samples.size // 2 - CORE, samples.size // 2 + CORE + 1)
    return np.asarray(samples.saturated[:, middle, middle].any(axis=(1, 2)))


def learn_errors(
    samples: Samples, log_n: FloatArray, error: FloatArray | None
) -> ErrorScale | None:
    """Find what makes a network's errors honest, by its predicted log N.

    Parameters
    ----------
    samples : Samples
        n stamps of the validation part, with labels, whose errors are taken off.
    log_n : (n,) array
        Predicted.
    error : (n,) array or None
        Errors that the network expects; None: it expects none.

    Returns
    -------
    ErrorScale or None
        Factors, or errors for a network that has none; None if there are too few stamps for that.
    """
    miss = (log_n - samples.log_n)[:, None]
    if error is None and np.count_nonzero(np.isfinite(miss)) < LEAST:
        return None
    known = np.nan_to_num(samples.log_n_err)[:, None]
    raw = None if error is None else error[:, None]
    found = learn_error_scale(log_n, miss, raw, known, width=KNOTS)
    if raw is None:
        return found
    return replace(found, value=np.maximum(found.value, LEAST_FACTOR))


def figures_of(samples: Samples, log_n: FloatArray, error: FloatArray) -> dict[str, float]:
    """What a card says of the test part.

    Parameters
    ----------
    samples : Samples
        n stamps with labels.
    log_n, error : (n,) arrays
        Predicted.

    Returns
    -------
    dict of str to float
        Numbers of stamps and stars. Of all stars, and of saturated and unsaturated ones: the median
        of predicted minus true in magnitudes (``bias``), half ranges that hold 68% and 95%
        (``half68``, ``half95``), root mean square, and the robust width of the pulls, the labels'
        errors included.
    """
    miss = -2.5 * (log_n - samples.log_n)
    good = np.isfinite(miss)
    figures = {
        "stamps": float(len(samples)),
        "stars": float(len(np.unique(samples.star))),
        "unpredicted": float(np.count_nonzero(~good)),
    }
    core = core_saturated(samples)
    label = np.nan_to_num(samples.log_n_err)
    pull = pulls(log_n - samples.log_n, error, label)
    for name, chosen in (("", good), ("_saturated", good & core), ("_unsaturated", good & ~core)):
        if not chosen.any():
            continue
        low95, low68, middle, high68, high95 = np.quantile(
            miss[chosen], [0.025, 0.16, 0.5, 0.84, 0.975]
        ).tolist()
        figures[f"bias{name}"] = middle
        figures[f"half68{name}"] = (high68 - low68) / 2
        figures[f"half95{name}"] = (high95 - low95) / 2
        figures[f"rms{name}"] = float(np.sqrt(np.mean(miss[chosen] ** 2)))
        figures[f"pull{name}"] = float(robust_rms(pull[chosen & np.isfinite(pull)]))
    return figures
