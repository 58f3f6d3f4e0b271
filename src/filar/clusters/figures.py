"""Figures of a test, for a model's card."""

from __future__ import annotations

import numpy as np

from filar.clusters.data import Truth
from filar.clusters.posterior import PARAMETERS, Predictions


def figures_of(found: Predictions, truth: Truth) -> dict[str, float]:
    """Figures of a test, for a model's card.

    Parameters
    ----------
    found : Predictions
        n answers.
    truth : Truth
        What is true of each.

    Returns
    -------
    dict of str to float
        rms_NAME and inside68_NAME of each of `PARAMETERS`, over the clusters; accuracy of the
        classes.
    """
    cluster = truth.cluster
    figures: dict[str, float] = {"accuracy": float(np.mean((found.p_cluster > 0.5) == cluster))}
    if cluster.any():
        chosen, values = found.select(cluster), truth.values[cluster]
        miss = chosen.mean() - values
        low, high = chosen.interval(0.68)
        inside = (values >= low) & (values <= high)
        for k, name in enumerate(PARAMETERS):
            figures[f"rms_{name}"] = float(np.sqrt(np.mean(miss[:, k] ** 2)))
            figures[f"inside68_{name}"] = float(inside[:, k].mean())
    return figures
