"""Fields of stars whose wings, light and trails are known exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from filar.exposure import Exposure
from filar.psf.wings import WingedPSF, assumed_wings
from filar.saturation.chain import Stars
from filar.saturation.scene import Scene
from filar.saturation.windows import add
from filar.simulate.bleeding import bleed
from tests.psf.samples import gaussian

FloatArray = NDArray[np.float64]
SKY, READ_NOISE, WELL = 100.0, 5.0, 50_000.0
REACH = 120


@dataclass(frozen=True, eq=False)
class Field:
    """An image and what is true of it."""

    exposure: Exposure
    psf: WingedPSF
    x: FloatArray
    y: FloatArray
    flux: FloatArray
    saturated: NDArray[np.bool_]

    def scene(self, **changes: Any) -> Scene:
        """All of it known."""
        shape = self.exposure.shape
        noise = np.full(shape, np.hypot(np.sqrt(SKY), READ_NOISE))
        known = Scene(
            self.exposure, np.full(shape, SKY), noise, self.psf, self.x, self.y, self.flux
        )
        return known.changed(**changes)

    def stars(self, flux: FloatArray | None = None) -> Stars:
        """As a fit would leave them: saturated stars' light is a guess."""
        guess = np.where(self.saturated, 0.3 * self.flux, self.flux) if flux is None else flux
        return Stars(
            self.x, self.y, guess, np.sqrt(np.abs(guess) + 1), self.saturated, ~self.saturated
        )


def winged(factor: float = 1.0, shape: tuple[int, int] = (300, 300)) -> WingedPSF:
    """A Gaussian core with the assumed wings times a factor."""
    return WingedPSF(gaussian(1.2, shape), factor * assumed_wings())


def make_field(
    x: ArrayLike,
    y: ArrayLike,
    flux: ArrayLike,
    *,
    psf: WingedPSF | None = None,
    shape: tuple[int, int] = (300, 300),
    well: float = WELL,
    seed: int | None = None,
    **facts: Any,
) -> Field:
    """An image of stars; charge above the full well bleeds. Without a seed there is no noise."""
    psf = winged(shape=shape) if psf is None else psf
    x, y, flux = (np.atleast_1d(np.asarray(v, float)) for v in (x, y, flux))
    light = np.full(shape, SKY)
    add(light, flux[:, None, None] * psf.stamps(x, y, REACH), x, y)
    rng = np.random.default_rng(0 if seed is None else seed)
    charge = light if seed is None else rng.poisson(light).astype(float)
    held = bleed(charge, well)
    full = held >= 0.99 * well
    data = held if seed is None else held + rng.normal(0, READ_NOISE, shape)
    clear = np.zeros(shape, bool)
    given: dict[str, Any] = {
        "mask": clear, "saturated": full, "edge": clear.copy(), "gain": 1.0,
        "read_noise": READ_NOISE, "saturation": 0.99 * well, "name": "field",
    }  # fmt: skip
    exposure = Exposure(data.astype(np.float32), **(given | facts))
    peak = light[
        np.clip(np.rint(y), 0, shape[0] - 1).astype(int),
        np.clip(np.rint(x), 0, shape[1] - 1).astype(int),
    ]
    return Field(exposure, psf, x, y, flux, peak > well)
