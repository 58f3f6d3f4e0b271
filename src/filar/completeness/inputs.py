"""What the models of completeness are given: magnitudes and covariates, centred, with masks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from filar.completeness.table import ArtificialStars, RealStars
from filar.errors import ParameterError

FloatArray = NDArray[np.float64]
Kind = Literal["input", "measured"]
KINDS: tuple[Kind, ...] = ("input", "measured")
_LEAST_SCALE = 1e-6


@dataclass(frozen=True)
class Inputs:
    """How tables become a model's inputs, learnt from the training stars.

    Parameters
    ----------
    bands : tuple of str
        b filters, in the order in which the model takes them.
    covariates : tuple of str
        c names.
    magnitudes : {"input", "measured"}
        The artificial stars' magnitudes that it is trained on: those put in, or those measured and,
        for stars that were lost, those put in (H24).
    mag_center, mag_scale : tuple of b floats
        Median and standard deviation of the training magnitudes.
    cov_center, cov_scale : tuple of c floats
        The same of the covariates (of the logarithm, for sky noise).
    gaps : bool
        Whether some of the training stars lack a magnitude or a covariate.
    """

    bands: tuple[str, ...]
    covariates: tuple[str, ...]
    magnitudes: Kind
    mag_center: tuple[float, ...]
    mag_scale: tuple[float, ...]
    cov_center: tuple[float, ...]
    cov_scale: tuple[float, ...]
    gaps: bool = False

    @classmethod
    def learn(
        cls,
        stars: ArtificialStars,
        magnitudes: Kind = "input",
        covariates: Sequence[str] | None = None,
    ) -> Self:
        """Learn centres and scales.

        Parameters
        ----------
        stars : ArtificialStars
            Those to train on.
        magnitudes : {"input", "measured"}
            Which of their magnitudes.
        covariates : sequence of str, optional
            Names; by default all that the table has. ``x`` and ``y`` are the positions.

        Returns
        -------
        Inputs

        Raises
        ------
        ParameterError
            If the kind of magnitudes is unknown, a covariate is missing, or a band or a covariate
            has no value at all.
        """
        if magnitudes not in KINDS:
            raise ParameterError("magnitudes", magnitudes, " or ".join(KINDS))
        names = tuple(stars.covariates) if covariates is None else tuple(covariates)
        mag = stars.magnitudes(magnitudes)
        cov = star_covariates(stars, names)
        for number, band in enumerate(stars.bands):
            if not np.isfinite(mag[:, number]).any():
                raise ParameterError(f"magnitudes in {band}", "all missing", "some that are known")
        for number, name in enumerate(names):
            if not np.isfinite(cov[:, number]).any():
                allowed = "a covariate that is known for some stars (sky noise: above 0)"
                raise ParameterError(f"covariate {name}", "no value at all", allowed)
        mag_center, mag_scale = _center_and_scale(mag)
        cov_center, cov_scale = _center_and_scale(cov)
        gaps = not (np.isfinite(mag).all() and np.isfinite(cov).all())
        return cls(
            tuple(stars.bands), names, magnitudes, mag_center, mag_scale, cov_center, cov_scale,
            gaps,
        )  # fmt: skip

    def batch(self, stars: ArtificialStars | RealStars) -> dict[str, NDArray[np.float32]]:
        """Give stars in the one form that all models take.

        Parameters
        ----------
        stars : ArtificialStars or RealStars
            n stars.

        Returns
        -------
        dict of str to float32 array
            ``mag`` (n, b): magnitudes less the training median, 0 where missing; ``mag_known``
            (n, b): 0 or 1; ``cov`` (n, c): standardised, 0 where missing; ``cov_known`` (n, c).
            Of artificial stars also ``recovered`` (n,), ``found`` (n, b): 0 or 1, and ``delta``
            (n, b): magnitude measured less put in, 0 where lost.

        Raises
        ------
        ParameterError
            If the stars are in other bands, or lack a covariate.
        """
        columns = self.columns(stars)
        mag = stars.magnitudes(self.magnitudes)[:, columns]
        cov = star_covariates(stars, self.covariates)
        mag_known, cov_known = np.isfinite(mag), np.isfinite(cov)
        mag = np.where(mag_known, mag - np.array(self.mag_center), 0.0)
        cov = (cov - np.array(self.cov_center)) / np.array(self.cov_scale)
        batch: dict[str, NDArray[Any]] = {
            "mag": mag, "mag_known": mag_known,
            "cov": np.where(cov_known, cov, 0.0), "cov_known": cov_known,
        }  # fmt: skip
        if isinstance(stars, ArtificialStars):
            delta = stars.delta[:, columns]
            batch["recovered"] = stars.recovered
            batch["found"] = stars.found[:, columns]
            batch["delta"] = np.where(np.isfinite(delta), delta, 0.0)
        return {name: np.ascontiguousarray(array, np.float32) for name, array in batch.items()}

    def columns(self, stars: ArtificialStars | RealStars) -> list[int]:
        """Where a table has the bands.

        Parameters
        ----------
        stars : ArtificialStars or RealStars
            In these bands, in any order; further ones do not matter.

        Returns
        -------
        list of b ints
            Columns of its magnitudes.

        Raises
        ------
        ParameterError
            If a band is missing.
        """
        if not set(self.bands) <= set(stars.bands):
            allowed = f"{', '.join(self.bands)}, which the model is for"
            raise ParameterError("bands", ", ".join(stars.bands), allowed)
        return [stars.bands.index(band) for band in self.bands]

    def facts(self) -> dict[str, Any]:
        """All of it as plain values, for a model's card.

        Returns
        -------
        dict of str to float, list or str
        """
        return {
            "bands": list(self.bands), "covariates": list(self.covariates),
            "magnitudes": self.magnitudes,
            "mag_center": list(self.mag_center), "mag_scale": list(self.mag_scale),
            "cov_center": list(self.cov_center), "cov_scale": list(self.cov_scale),
            "gaps": float(self.gaps),
        }  # fmt: skip

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """Make them again.

        Parameters
        ----------
        facts : mapping
            From `facts`.

        Returns
        -------
        Inputs

        Raises
        ------
        ParameterError
            If something is missing or does not fit.
        """
        try:
            b, c = len(facts["bands"]), len(facts["covariates"])
            lengths = {"mag_center": b, "mag_scale": b, "cov_center": c, "cov_scale": c}
            numbers = {name: tuple(float(v) for v in facts[name]) for name in lengths}
            if any(len(numbers[name]) != length for name, length in lengths.items()):
                raise ValueError("numbers that do not fit the bands and covariates")
            if facts["magnitudes"] not in KINDS:
                raise ValueError(f"magnitudes {facts['magnitudes']!r}")
            bands, names = (tuple(str(n) for n in facts[k]) for k in ("bands", "covariates"))
            return cls(bands, names, facts["magnitudes"], gaps=bool(facts["gaps"]), **numbers)
        except (KeyError, TypeError, ValueError) as error:
            raise ParameterError("facts of the inputs", str(error), "those of a model") from error


def star_covariates(stars: ArtificialStars | RealStars, names: Sequence[str]) -> FloatArray:
    """Covariates as the models take them: sky noise as its logarithm.

    Parameters
    ----------
    stars : ArtificialStars or RealStars
        n stars.
    names : sequence of str
        c covariates; ``x`` and ``y`` are the positions unless the table has such covariates.

    Returns
    -------
    (n, c) array
        NaN where missing.

    Raises
    ------
    ParameterError
        If the table lacks one.
    """
    known = {"x": stars.x, "y": stars.y, **stars.covariates}
    columns = np.full((len(stars), len(names)), np.nan)
    for number, name in enumerate(names):
        if name not in known:
            there = ", ".join(stars.covariates) or "none"
            raise ParameterError("covariates", name, f"those of the table: {there}; x, y")
        values = np.asarray(known[name], np.float64)
        if name.startswith("sky_noise"):
            positive = values > 0
            values = np.where(positive, np.log10(np.where(positive, values, 1.0)), np.nan)
        columns[:, number] = np.where(np.isfinite(values), values, np.nan)
    return columns


def _center_and_scale(values: FloatArray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Median and standard deviation of each column's known values; 1 for a constant's."""
    center = np.nanmedian(values, axis=0)
    scale = np.nanstd(values, axis=0)
    scale = np.where(scale > _LEAST_SCALE, scale, 1.0)
    return tuple(center.tolist()), tuple(scale.tolist())
