"""What a model says of clusters: draws from the joint posterior, and whether they are clusters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
PARAMETERS = ("log_age", "a_v", "log_mass", "log_r_h")
"""log10 of years; magnitudes; log10 of initial solar masses; log10 of the projected half-light
radius in arcsec."""
AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class Predictions:
    """Answers for n cutouts.

    Parameters
    ----------
    samples : (n, draws, 4) float32 array
        Draws from the joint posterior of `PARAMETERS`, given that it is a cluster.
    p_cluster : (n,) float array
        Probability of being a cluster.
    log_snr : (n,) float array
        Visibility: log10 of the signal-to-noise ratio within the half-light radius.
    in_domain : (n,) bool array
        False where the cutout is outside of what the model was trained on.

    Raises
    ------
    ParameterError
        If the arrays do not fit each other.
    """

    samples: NDArray[np.float32]
    p_cluster: FloatArray
    log_snr: FloatArray
    in_domain: NDArray[np.bool_]

    def __post_init__(self) -> None:
        n = len(self.p_cluster)
        if self.samples.ndim != 3 or self.samples.shape[::2] != (n, len(PARAMETERS)):
            allowed = f"one of ({n}, draws, {len(PARAMETERS)})"
            raise ParameterError("samples", f"an array of {self.samples.shape}", allowed)
        for name in ("log_snr", "in_domain"):
            if len(getattr(self, name)) != n:
                raise ParameterError(name, len(getattr(self, name)), f"{n} values")

    def __len__(self) -> int:
        return len(self.p_cluster)

    def select(self, index: NDArray[Any] | slice) -> Self:
        """Take some of the answers.

        Parameters
        ----------
        index : int array, bool array or slice
            Which.

        Returns
        -------
        Predictions
        """
        names = ("samples", "p_cluster", "log_snr", "in_domain")
        return replace(self, **{name: getattr(self, name)[index] for name in names})

    def mean(self) -> FloatArray:
        """Posterior means: (n, 4)."""
        return np.asarray(self.samples.mean(axis=1, dtype=np.float64))

    def median(self) -> FloatArray:
        """Posterior medians: (n, 4)."""
        return self.quantiles((0.5,))[:, 0]

    def quantiles(self, levels: tuple[float, ...]) -> FloatArray:
        """Quantiles of each parameter's posterior.

        Parameters
        ----------
        levels : tuple of float
            k numbers from 0 to 1.

        Returns
        -------
        (n, k, 4) float array
        """
        pieces = [
            np.quantile(self.samples[start : start + AT_ONCE], levels, axis=1)
            for start in range(0, len(self), AT_ONCE)
        ]
        if not pieces:
            return np.empty((0, len(levels), len(PARAMETERS)))
        return np.asarray(np.moveaxis(np.concatenate(pieces, axis=1), 0, 1), np.float64)

    def interval(self, part: float) -> tuple[FloatArray, FloatArray]:
        """Central credible intervals.

        Parameters
        ----------
        part : float
            Probability inside, such as 0.68.

        Returns
        -------
        low, high : (n, 4) float arrays

        Raises
        ------
        ParameterError
            If the probability is not between 0 and 1.
        """
        if not 0 < part < 1:
            raise ParameterError("part", part, "a probability between 0 and 1")
        found = self.quantiles(((1 - part) / 2, (1 + part) / 2))
        return found[:, 0], found[:, 1]
