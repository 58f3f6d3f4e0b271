"""The network of Winecki & Kochanek 2024: the pixels around a star, and two numbers, to log N.

Their figure of the architecture is not part of the text; the text says that the layers are fully
connected and 256 wide, and that two to four were tried. Nor does it say how inputs are scaled. What
stands here for both is an assumption: four hidden layers, and inverse hyperbolic sines of the
pixels in units of the typical sky, each shifted and scaled to mean 0 and width 1.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.saturation.data import FLIPS, Samples

if TYPE_CHECKING:
    from torch import Tensor, nn

    from filar.learn.recipe import Recipe

RADIUS = 5
"""Pixels within so many of the star's are seen: 81."""
MISSING = 4
"""Most pixels of these that may be unusable; the paper rejects stamps with more damaged ones."""
NARROW = 0.05
"""Least width that an input is divided by."""


def disc(size: int) -> NDArray[np.bool_]:
    """Pixels of a stamp that the network sees.

    Parameters
    ----------
    size : int
        Side of the stamp, an odd number of pixels.

    Returns
    -------
    (size, size) bool array
    """
    away = np.arange(size) - size // 2
    return np.asarray(away[:, None] ** 2 + away**2 <= RADIUS**2)


@dataclass(frozen=True)
class DiscInputs:
    """What turns samples into the network's inputs.

    Parameters
    ----------
    size : int
        Side of the stamps, pixels.
    soft : float
        Electrons about which the scale of pixels turns from linear to logarithmic.
    center, scale : list of float
        Of each pixel of the disc on that scale, then of the zero point Z and the sky S.
    target_center, target_scale : float
        Median and width of the labels; the network's last layer counts from there.
    """

    size: int
    soft: float
    center: list[float]
    scale: list[float]
    target_center: float
    target_scale: float

    needs: ClassVar[tuple[str, ...]] = ("zero_point",)

    @classmethod
    def learn(cls, samples: Samples, recipe: Recipe) -> Self:
        """See how samples are spread.

        Parameters
        ----------
        samples : Samples
            Those to train on, with labels.
        recipe : Recipe
            For the size of stamps.

        Returns
        -------
        DiscInputs
        """
        sky = samples.sky[np.isfinite(samples.sky) & (samples.sky > 0)]
        soft = float(np.median(sky)) if len(sky) else 1.0
        raw = cls(recipe.stars.size, soft, [], [], 0.0, 1.0)._raw(samples)
        with np.errstate(invalid="ignore"):
            finite = np.where(np.isfinite(raw), raw, np.nan).astype(np.float64)
        known = np.isfinite(finite).any(axis=0)
        center, scale = np.zeros(raw.shape[1]), np.ones(raw.shape[1])
        center[known] = np.nanmean(finite[:, known], axis=0)
        scale[known] = np.maximum(np.nanstd(finite[:, known], axis=0), NARROW)
        for column in (center, scale):
            column[:-2] = _symmetric(column[:-2], recipe.stars.size)
        labels = samples.log_n[np.isfinite(samples.log_n)]
        return cls(
            recipe.stars.size, soft, center.tolist(), scale.tolist(),
            float(np.median(labels)), max(float(np.std(labels)), NARROW),
        )  # fmt: skip

    def _raw(self, samples: Samples) -> NDArray[np.float32]:
        """Pixels, Z and S as they are scaled, before anything is shifted: (n, 83)."""
        if samples.size != self.size:
            raise ParameterError("stamp", f"{samples.size} pixels wide", f"{self.size} pixels")
        pixels = samples.stamp[:, disc(self.size)]
        pixels = np.where(np.isfinite(pixels), pixels, np.float32(0))
        sky = np.arcsinh(samples.sky / self.soft)
        raw = [np.arcsinh(pixels / self.soft), samples.zero_point[:, None], sky[:, None]]
        return np.concatenate(raw, axis=1).astype(np.float32)

    def batch(self, samples: Samples) -> dict[str, Tensor]:
        """Turn samples into inputs.

        Parameters
        ----------
        samples : Samples
            n stamps; unusable pixels count as empty, an unknown Z or S as the usual one.

        Returns
        -------
        dict
            ``x``: (n, 83) float32 tensor.

        Raises
        ------
        ParameterError
            If the stamps have another size.
        """
        import torch

        center, scale = (np.asarray(one, np.float32) for one in (self.center, self.scale))
        shifted = (self._raw(samples) - center) / scale
        return {"x": torch.from_numpy(np.nan_to_num(shifted, nan=0.0, posinf=0.0, neginf=0.0))}

    @staticmethod
    def usable(samples: Samples) -> NDArray[np.bool_]:
        """Mark the stamps that tell anything of the star.

        Parameters
        ----------
        samples : Samples
            n stamps.

        Returns
        -------
        (n,) bool array
            False where more than `MISSING` pixels of the disc are unusable, or all of them
            saturated.
        """
        seen = disc(samples.size)
        missing = np.count_nonzero(~np.isfinite(samples.stamp[:, seen]), axis=1)
        return np.asarray((missing <= MISSING) & ~samples.saturated[:, seen].all(axis=1))

    def facts(self) -> dict[str, Any]:
        """All of it as plain values, for a model's card."""
        return asdict(self) | {"size": float(self.size)}

    @classmethod
    def from_facts(cls, facts: Any) -> Self:
        """Take it from a model's card.

        Parameters
        ----------
        facts : mapping
            As `facts` gave them.

        Returns
        -------
        DiscInputs

        Raises
        ------
        ParameterError
            If they make no sense.
        """
        try:
            size = int(facts["size"])
            center, scale = ([float(one) for one in facts[name]] for name in ("center", "scale"))
            soft, middle, width = (
                float(facts[name]) for name in ("soft", "target_center", "target_scale")
            )
        except (LookupError, TypeError, ValueError) as error:
            raise ParameterError("normalisation", repr(error), "that of a w24 model") from error
        number = int(disc(size).sum()) + 2
        if len(center) != number or len(scale) != number or min(*scale, soft, width) <= 0:
            raise ParameterError("normalisation", "scales that do not fit", f"{number} of each")
        return cls(size, soft, center, scale, middle, width)


def _symmetric(column: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """A value of each pixel of the disc, averaged over the pixels that flips put in its place."""
    image = np.zeros((size, size))
    image[disc(size)] = column
    flipped = [image[:: -1 if in_y else 1, :: -1 if in_x else 1] for in_x, in_y in FLIPS]
    return np.asarray(np.mean(flipped, axis=0)[disc(size)])


def build(inputs: DiscInputs, *, layers: int = 4, width: int = 256) -> nn.Module:
    """Make the network.

    Parameters
    ----------
    inputs : DiscInputs
        What it is given.
    layers : int
        Hidden layers.
    width : int
        Of each.

    Returns
    -------
    torch.nn.Module
        With `loss(batch)` and `predict(batch)`.

    Raises
    ------
    ParameterError
        If there would be no layer, or an empty one.
    """
    from filar.saturation.perceptron import Perceptron

    for name, value in (("layers", layers), ("width", width)):
        if not isinstance(value, int) or value < 1:
            raise ParameterError(f"network.{name}", value, "a whole number from 1")
    return Perceptron(
        len(inputs.center), [width] * layers, inputs.target_center, inputs.target_scale
    )
