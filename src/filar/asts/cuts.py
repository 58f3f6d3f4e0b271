"""What a star must be like to count as recovered: the same for artificial and real stars."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.flags import Flag

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]

REJECTED = ("cosmic_ray", "hot_pixel", "not_converged", "no_fit", "non_positive", "extended")
"""Flags that lose a star by default; all of them say that it is none, or was not measured."""


@dataclass(frozen=True)
class Cuts:
    """Limits on what was measured of a star in a band, and in how many bands they must hold.

    Parameters
    ----------
    min_snr : float
        Least signal-to-noise ratio of the flux.
    max_q : float
        Largest q (`qfit`): summed absolute residual over flux.
    max_chi2 : float
        Largest reduced chi-square.
    min_sharp, max_sharp : float
        Limits of the detection's sharpness, 1 for a star, see `filar.detect.Detections`; stars
        without one (saturated ones) pass.
    rejected : tuple of str
        Flags that lose a star, by their lower-case names.
    bands : int
        Bands in which a star must pass; 0: all.

    Raises
    ------
    ParameterError
        For limits that no star or every number passes, or an unknown flag.
    """

    min_snr: float = 5.0
    max_q: float = np.inf
    max_chi2: float = np.inf
    min_sharp: float = -np.inf
    max_sharp: float = np.inf
    rejected: tuple[str, ...] = REJECTED
    bands: int = 0

    def __post_init__(self) -> None:
        for name in ("min_snr", "bands"):
            if not getattr(self, name) >= 0:
                raise ParameterError(name, getattr(self, name), "0 or more")
        for name in ("max_q", "max_chi2"):
            if not getattr(self, name) > 0:
                raise ParameterError(name, getattr(self, name), "a positive number")
        if not self.min_sharp < self.max_sharp:
            limits = (self.min_sharp, self.max_sharp)
            raise ParameterError("min_sharp, max_sharp", limits, "the first below the second")
        known = [str(flag.name).lower() for flag in Flag]
        for name in self.rejected:
            if name not in known:
                raise ParameterError("rejected", name, "one of " + ", ".join(known))

    def passes(
        self,
        *,
        snr: FloatArray,
        qfit: FloatArray,
        chi2: FloatArray,
        sharpness: FloatArray,
        flags: IntArray,
    ) -> BoolArray:
        """Which stars pass in one band.

        Parameters
        ----------
        snr, qfit, chi2, sharpness : (n,) arrays
            As measured; a star without ``snr`` does not pass.
        flags : (n,) int array
            Bits of `filar.flags.Flag`.

        Returns
        -------
        (n,) bool array
        """
        rejected = np.int64(sum(int(Flag[name.upper()]) for name in self.rejected))
        unknown = np.isnan(sharpness)
        sharp = unknown | ((sharpness >= self.min_sharp) & (sharpness <= self.max_sharp))
        good = (snr >= self.min_snr) & ((flags & rejected) == 0) & sharp
        for value, limit in ((qfit, self.max_q), (chi2, self.max_chi2)):
            if np.isfinite(limit):
                good &= value <= limit
        return np.asarray(good)

    def recovered(self, passed: BoolArray) -> BoolArray:
        """Which stars are recovered, from where they pass.

        Parameters
        ----------
        passed : (n, b) bool array
            Star by star and band by band.

        Returns
        -------
        (n,) bool array
        """
        needed = self.bands or passed.shape[1]
        return np.asarray(passed.sum(axis=1) >= needed)

    def facts(self) -> dict[str, Any]:
        """As plain values that files can hold; limits that are not set are left out."""
        found = {name: value for name, value in asdict(self).items() if name != "rejected"}
        set_ = {name: value for name, value in found.items() if np.isfinite(value)}
        return {**set_, "rejected": sorted(self.rejected)}
