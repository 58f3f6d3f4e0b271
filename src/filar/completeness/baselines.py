"""Baselines by scikit-learn: logistic regression (H24, section 6.1) and gradient boosting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.completeness.features import feature_count, features
from filar.completeness.inputs import Inputs
from filar.errors import ParameterError

if TYPE_CHECKING:
    from torch import Tensor

FloatArray = NDArray[np.float64]
Batch = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class LogisticModel:
    """Logistic regression, as numbers.

    Parameters
    ----------
    coefficients : (f,) array
        Of the features.
    intercept : float
        Logit where all features are 0.
    gaps : bool
        See `filar.completeness.features.features`.
    """

    coefficients: FloatArray
    intercept: float
    gaps: bool
    handles_missing = False

    def probability(self, batch: Batch) -> FloatArray:
        """Recovery probabilities, (n,)."""
        from scipy.special import expit

        return np.asarray(expit(_columns(batch, self.gaps) @ self.coefficients + self.intercept))

    def tensors(self) -> dict[str, Any]:
        """Coefficients and intercept."""
        return {"coefficients": self.coefficients, "intercept": np.array([self.intercept])}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor], inputs: Inputs) -> Self:
        """Make it again.

        Parameters
        ----------
        tensors : mapping of str to tensor
            From a file.
        inputs : Inputs
            Of the model.

        Returns
        -------
        LogisticModel

        Raises
        ------
        LookupError, ValueError
            If they are missing or do not fit.
        """
        coefficients = tensors["coefficients"].numpy().astype(np.float64)
        if coefficients.shape != (feature_count(inputs),):
            raise ValueError(f"{len(coefficients)} coefficients of {feature_count(inputs)}")
        return cls(coefficients, float(tensors["intercept"].numpy()[0]), inputs.gaps)


@dataclass(frozen=True, eq=False)
class BoostingModel:
    """Gradient-boosted trees.

    Parameters
    ----------
    classifier : HistGradientBoostingClassifier
        Trained, by scikit-learn.
    """

    classifier: Any
    handles_missing = False

    def probability(self, batch: Batch) -> FloatArray:
        """Recovery probabilities, (n,)."""
        return np.asarray(self.classifier.predict_proba(_tree_columns(batch))[:, 1], np.float64)

    def tensors(self) -> dict[str, Any]:
        """Trees cannot be written without pickle, which filar never reads."""
        allowed = "a recipe whose model can be kept in a file, such as filar-completeness"
        raise ParameterError("recipe", "boosting", allowed)


def fit_logistic(
    batch: Batch, inputs: Inputs, *, seed: int = 0, penalty: float = 1.0
) -> LogisticModel:
    """Fit a logistic regression.

    Parameters
    ----------
    batch : dict of str to float32 array
        The training stars.
    inputs : Inputs
        Of the model.
    seed : int
        Not needed: there is one solution.
    penalty : float
        Half of it times the squares of the coefficients, of standardised features, is added to the
        summed log loss; scikit-learn's 1 / C.

    Returns
    -------
    LogisticModel
    """
    from sklearn.linear_model import LogisticRegression

    columns = _columns(batch, inputs.gaps)
    center, scale = columns.mean(axis=0), columns.std(axis=0)
    scale = np.where(scale > 1e-6, scale, 1.0)
    fitted = LogisticRegression(C=1 / penalty, max_iter=1000, tol=1e-8)
    fitted.fit((columns - center) / scale, batch["recovered"] > 0.5)
    coefficients = fitted.coef_[0] / scale
    return LogisticModel(
        coefficients, float(fitted.intercept_[0] - center @ coefficients), inputs.gaps
    )


def fit_boosting(batch: Batch, inputs: Inputs, *, seed: int = 0, **options: Any) -> BoostingModel:
    """Grow gradient-boosted trees.

    Parameters
    ----------
    batch : dict of str to float32 array
        The training stars.
    inputs : Inputs
        Of the model.
    seed : int
        Of what scikit-learn holds back to see when to stop.
    **options
        Of scikit-learn's HistGradientBoostingClassifier.

    Returns
    -------
    BoostingModel
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    classifier = HistGradientBoostingClassifier(random_state=seed, **options)
    classifier.fit(_tree_columns(batch), batch["recovered"] > 0.5)
    return BoostingModel(classifier)


def _columns(batch: Batch, gaps: bool) -> FloatArray:
    import torch

    needed = ("mag", "mag_known", "cov", "cov_known")
    return np.asarray(
        features({name: torch.from_numpy(batch[name]) for name in needed}, gaps).double().numpy()
    )


def _tree_columns(batch: Batch) -> FloatArray:
    """All magnitudes, colours and covariates; NaN where missing, which trees can handle."""
    mag = np.where(batch["mag_known"] > 0, batch["mag"], np.nan)
    cov = np.where(batch["cov_known"] > 0, batch["cov"], np.nan)
    return np.asarray(np.concatenate([mag, mag[:, :-1] - mag[:, 1:], cov], axis=1), np.float64)
