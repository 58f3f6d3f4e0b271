"""A baseline: gradient-boosted trees (scikit-learn) on aperture photometry of the same cutouts.

Trees are told what a photometric catalogue would hold: magnitudes, colours and concentrations in
several apertures, the sky and its noise. For every parameter they learn the mean and quantiles,
each on its own: they know of no degeneracy between parameters.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.clusters.apertures import aperture_fluxes, circle_areas, surroundings
from filar.clusters.cutouts import UNIT_MAG, Cutouts
from filar.clusters.data import Truth
from filar.clusters.evaluate import Estimates
from filar.clusters.posterior import PARAMETERS
from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
Features = NDArray[np.float32]

INTERVALS = (0.68, 0.95)
LEAST_NOISE = 1e-4
"""Of a pixel, unit of cutouts: images without noise have magnitudes too."""
LEAST_ROWS = 50
AT_ONCE = 1024


def features(cutouts: Cutouts) -> Features:
    """Aperture photometry.

    Parameters
    ----------
    cutouts : Cutouts
        n images in b bands.

    Returns
    -------
    (n, f) float32 array
        With k apertures (`filar.clusters.apertures.fitting_radii`): b k asinh magnitudes (Lupton et
        al. 1999) with the aperture's noise for a softening, k colours of each pair of bands,
        b (k - 1) differences between an aperture and the next one; sky and noise per pixel of each
        band, as the border of the cutout tells them.
    """
    found = [
        _features(cutouts.flux[start : start + AT_ONCE])
        for start in range(0, max(len(cutouts), 1), AT_ONCE)
    ]
    return np.concatenate(found)


def _features(flux: NDArray[np.float32]) -> Features:
    sky, noise = surroundings(flux)
    noise = np.maximum(noise, np.float32(LEAST_NOISE))
    light, area = aperture_fluxes(flux, sky=sky), circle_areas(flux.shape[-1])
    mag = asinh_mag(light, noise[:, :, None] * np.sqrt(area))
    bands = range(flux.shape[1])
    colours = [mag[:, one] - mag[:, other] for one, other in combinations(bands, 2)]
    growth = [mag[:, band, :-1] - mag[:, band, 1:] for band in bands]
    columns = [*(mag[:, band] for band in bands), *colours, *growth, sky, np.log10(noise)]
    return np.concatenate(columns, axis=1).astype(np.float32)


def asinh_mag(flux: NDArray[Any], noise: NDArray[Any]) -> NDArray[Any]:
    """Magnitudes that are defined for negative light too.

    Parameters
    ----------
    flux, noise : arrays
        Light and its standard deviation, unit of cutouts.

    Returns
    -------
    array
        Of bright objects the ordinary Vega magnitude (Lupton, Gunn & Szalay 1999).
    """
    bright = np.arcsinh(flux / (2 * noise)) + np.log(noise)
    return np.asarray(UNIT_MAG - 2.5 / np.log(10) * bright)


@dataclass
class Boosting:
    """Trees of the mean and of quantiles of each parameter, of visibility and of being a cluster.

    Parameters
    ----------
    iterations : int
        Trees of each, at most.
    learning_rate : float
        Of scikit-learn's HistGradientBoosting.
    least_leaf : int
        Rows in a leaf, at least.
    seed : int
        Of the tenth that is held back to see when to stop.

    Attributes
    ----------
    trees_ : dict of (str, object) to regressor
        By quantity, and "mean" or a quantile.
    classifier_ : classifier or None
        None where all that was learnt from were clusters.
    """

    iterations: int = 300
    learning_rate: float = 0.07
    least_leaf: int = 30
    seed: int = 0
    trees_: dict[tuple[str, str | float], Any] = field(default_factory=dict, init=False, repr=False)
    classifier_: Any = field(default=None, init=False, repr=False)

    def fit(self, columns: Features, truth: Truth) -> Self:
        """Grow the trees.

        Parameters
        ----------
        columns : (n, f) array
            From `features`.
        truth : Truth
            Of the n cutouts.

        Returns
        -------
        Boosting
            Itself.

        Raises
        ------
        ParameterError
            If there are too few clusters.
        """
        from sklearn.ensemble import HistGradientBoostingClassifier

        known = truth.cluster & np.isfinite(truth.values).all(axis=1)
        if known.sum() < LEAST_ROWS or len(columns) != len(truth):
            found = f"{known.sum()} clusters, {len(columns)} rows of features"
            raise ParameterError("truth", found, f"{LEAST_ROWS} clusters or more, as many rows")
        self.trees_, self.classifier_ = {}, None
        targets: list[str | float] = ["mean", *_levels()]
        for k, name in enumerate(PARAMETERS):
            for what in targets:
                self.trees_[name, what] = self._grown(columns[known], truth.values[known, k], what)
        seen = np.isfinite(truth.log_snr)
        self.trees_["log_snr", "mean"] = self._grown(columns[seen], truth.log_snr[seen], "mean")
        if not truth.cluster.all():
            self.classifier_ = HistGradientBoostingClassifier(**self._options())
            self.classifier_.fit(columns, truth.cluster)
        return self

    def _options(self) -> dict[str, Any]:
        return {
            "max_iter": self.iterations, "learning_rate": self.learning_rate,
            "min_samples_leaf": self.least_leaf, "early_stopping": True,
            "random_state": self.seed,
        }  # fmt: skip

    def _grown(self, columns: Features, target: FloatArray, what: str | float) -> Any:
        from sklearn.ensemble import HistGradientBoostingRegressor

        loss: dict[str, Any] = {"loss": "squared_error"}
        if not isinstance(what, str):
            loss = {"loss": "quantile", "quantile": what}
        return HistGradientBoostingRegressor(**loss, **self._options()).fit(columns, target)

    def predict(self, columns: Features) -> Estimates:
        """Say what clusters are.

        Parameters
        ----------
        columns : (n, f) array
            From `features`.

        Returns
        -------
        Estimates
            Means, intervals of 68% and 95% between quantiles, the probability of being a cluster
            (1 where there were no backgrounds to learn from) and visibility.

        Raises
        ------
        ParameterError
            If nothing was learnt yet.
        """
        if not self.trees_:
            raise ParameterError("Boosting", "not fitted", "fit before predict")
        value = self._told(columns, "mean")
        # Each quantile is learnt alone, so that they may cross.
        ends = np.sort([self._told(columns, level) for level in _levels()], axis=0)
        p_cluster = np.ones(len(columns))
        if self.classifier_ is not None:
            p_cluster = self.classifier_.predict_proba(columns)[:, 1]
        count = len(INTERVALS)
        return Estimates(
            value,
            {level: (ends[count - 1 - k], ends[count + k]) for k, level in enumerate(INTERVALS)},
            np.asarray(p_cluster, np.float64),
            np.asarray(self.trees_["log_snr", "mean"].predict(columns), np.float64),
        )

    def _told(self, columns: Features, what: str | float) -> FloatArray:
        return np.stack([self.trees_[name, what].predict(columns) for name in PARAMETERS], axis=1)


def _levels() -> list[float]:
    """Quantiles at the ends of the intervals, rising."""
    return sorted((1 + side * level) / 2 for level in INTERVALS for side in (-1, 1))
