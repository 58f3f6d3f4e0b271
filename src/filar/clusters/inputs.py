"""Cutouts as networks take them: compressed images that keep colours and brightness, apertures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.clusters.apertures import aperture_fluxes, circle_areas, fitting_radii, surroundings
from filar.clusters.cutouts import Cutouts
from filar.clusters.data import Facts
from filar.clusters.posterior import PARAMETERS
from filar.errors import ParameterError

if TYPE_CHECKING:
    from torch import Tensor

FloatArray = NDArray[np.float64]
Images = NDArray[np.float32]

LEAST_NOISE = 1e-6
COMPRESSION = 0.4
"""Factor of asinh: a pixel of ten thousand times the noise is 4."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """Turns cutouts into a network's inputs.

    Each pixel is the asinh of its flux above the sky, in units of a softening that is the same for
    all cutouts (the noise of a typical one): colours and brightness stay, in bright pixels as
    magnitudes. Beside it are the light within circles, compressed likewise, and the noise.

    Parameters
    ----------
    bands : tuple of str
        Filters.
    size : int
        Pixels on a cutout's side.
    pixel_scale : float
        Arcsec.
    softening : (bands,) float32 array
        Units of flux.
    mean, spread : (features,) float32 arrays
        Of the features beside the image.
    ranges : (4, 2) float array
        Ends of `PARAMETERS`.
    """

    bands: tuple[str, ...]
    size: int
    pixel_scale: float
    softening: NDArray[np.float32]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    ranges: FloatArray

    @classmethod
    def learn(cls, cutouts: Cutouts, facts: Facts) -> Self:
        """From cutouts to train on.

        Parameters
        ----------
        cutouts : Cutouts
            A few hundred or more.
        facts : Facts
            Of their set.

        Returns
        -------
        Inputs
        """
        _, noise = surroundings(cutouts.flux)
        ranges = np.array([facts.ranges[name] for name in PARAMETERS])
        softening = np.median(noise, axis=0).astype(np.float32)
        count = len(cutouts.bands) * (len(fitting_radii(cutouts.size)) + 1)
        plain = cls(
            cutouts.bands, cutouts.size, cutouts.pixel_scale, softening,
            np.zeros(count, np.float32), np.ones(count, np.float32), ranges,
        )  # fmt: skip
        features = plain.arrays(cutouts)[1]
        spread = np.maximum(features.std(axis=0), 1e-3)
        return cls(
            cutouts.bands, cutouts.size, cutouts.pixel_scale, softening,
            features.mean(axis=0), spread, ranges,
        )  # fmt: skip

    def arrays(self, cutouts: Cutouts) -> tuple[Images, NDArray[np.float32]]:
        """Images and features of n cutouts.

        Parameters
        ----------
        cutouts : Cutouts
            Of the bands and size that these are for.

        Returns
        -------
        images : (n, bands, size, size) float32 array
            Compressed.
        features : (n, k) float32 array
            Light within circles, smallest first, band after band; then the noise.

        Raises
        ------
        ParameterError
            If the cutouts are others.
        """
        self.check(cutouts)
        sky, noise = surroundings(cutouts.flux)
        light = aperture_fluxes(cutouts.flux, sky=sky) / self.softening[:, None]
        # In units of the noise within the circle, so that what is lost in noise is about 0.
        light /= np.sqrt(circle_areas(self.size))
        level = np.log10(np.maximum(noise, LEAST_NOISE) / self.softening)
        features = np.concatenate([np.arcsinh(light).reshape(len(light), -1), level], axis=1)
        images = self.compressed(cutouts.flux, sky[:, :, None, None])
        return images, (features - self.mean) / self.spread

    def compressed(self, flux: Images, sky: Images) -> Images:
        """Pixels as networks see them.

        Parameters
        ----------
        flux : (..., bands, y, x) float32 array
            In the unit of cutouts.
        sky : array
            Of the same shape, or of one that is stretched to it.

        Returns
        -------
        (..., bands, y, x) float32 array
        """
        found = flux - sky
        found /= self.softening[:, None, None]
        np.arcsinh(found, out=found)
        found *= np.float32(COMPRESSION)
        return found

    def batch(self, cutouts: Cutouts) -> dict[str, Tensor]:
        """Tensors of n cutouts, rows first: ``image`` and ``features``; see `arrays`."""
        import torch

        images, features = self.arrays(cutouts)
        return {"image": torch.from_numpy(images), "features": torch.from_numpy(features)}

    def check(self, cutouts: Cutouts) -> None:
        """See that cutouts are such as the model takes.

        Parameters
        ----------
        cutouts : Cutouts
            Any.

        Raises
        ------
        ParameterError
            If bands, size or pixel scale are others.
        """
        if cutouts.bands != self.bands:
            found, wanted = ", ".join(cutouts.bands), ", ".join(self.bands)
            raise ParameterError("bands", found, f"those of the model: {wanted}")
        if cutouts.size != self.size:
            raise ParameterError("size", f"{cutouts.size} pixels", f"the model's {self.size}")
        if abs(cutouts.pixel_scale / self.pixel_scale - 1) > 0.05:
            allowed = f"the model's {self.pixel_scale:.4g} arcsec per pixel, within 5%"
            raise ParameterError("pixel_scale", round(cutouts.pixel_scale, 5), allowed)

    def facts(self) -> dict[str, Any]:
        """Plain values for a model's card."""
        return {
            "bands": list(self.bands),
            "size": float(self.size),
            "pixel_scale": self.pixel_scale,
            "softening": self.softening.astype(float).tolist(),
            "mean": self.mean.astype(float).tolist(),
            "spread": self.spread.astype(float).tolist(),
            "ranges": self.ranges.ravel().tolist(),
        }

    @classmethod
    def from_facts(cls, facts: Mapping[str, Any]) -> Self:
        """From a model's card.

        Parameters
        ----------
        facts : mapping
            From `facts`.

        Returns
        -------
        Inputs

        Raises
        ------
        LookupError, TypeError, ValueError
            If the card is damaged.
        """
        rows = {name: np.array(facts[name], np.float32) for name in ("softening", "mean", "spread")}
        return cls(
            tuple(str(band) for band in facts["bands"]), int(facts["size"]),
            float(facts["pixel_scale"]), **rows,
            ranges=np.array(facts["ranges"], np.float64).reshape(len(PARAMETERS), 2),
        )  # fmt: skip
