"""Made-up star fields and the lists that exposures of them give."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from filar.frames.starlist import StarList

SIZE = 800.0


@dataclass(frozen=True, eq=False)
class Field:
    """Stars and the errors of one measure of each."""

    x: np.ndarray
    y: np.ndarray
    mag: np.ndarray
    sigma: np.ndarray


def field(n: int = 600, seed: int = 1, brightest: float = -13.0, faintest: float = -9.8) -> Field:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-5, SIZE + 5, (2, n))
    mag = rng.uniform(brightest, faintest, n)
    return Field(x, y, mag, 0.005 * 10 ** (0.2 * (mag + 12)))


def expose(
    stars: Field,
    k: int,
    *,
    shift: tuple[float, float] | None = None,
    turn: float = 0.0,
    cubic: float = 0.0,
    found: float = 0.95,
    rays: int = 60,
    noise: float = 1.0,
    **names: str,
) -> StarList:
    """One exposure: positions are ``turn``-ed about the middle, bent by ``cubic``, shifted.

    ``rays`` entries are no stars. Without a shift the exposure with number 0 has none, the others
    random ones of up to 2 pixels.
    """
    rng = np.random.default_rng([k, 77])
    random = tuple(rng.uniform(-2, 2, 2)) if k else (0.0, 0.0)
    dx, dy = shift or random
    c, s = np.cos(turn), np.sin(turn)
    middle = SIZE / 2
    u, v = stars.x - middle, stars.y - middle
    bend = cubic * (u / middle) ** 3
    x = c * u - s * v + middle + dx + bend + rng.normal(0, noise * stars.sigma)
    y = s * u + c * v + middle + dy + rng.normal(0, noise * stars.sigma)
    seen = (np.minimum(x, y) > 0) & (np.maximum(x, y) < SIZE) & (rng.uniform(size=len(x)) < found)
    mag = stars.mag + rng.normal(0, 0.01, len(x))
    x, y = (np.concatenate([w[seen], rng.uniform(0, SIZE, rays)]) for w in (x, y))
    mag = np.concatenate([mag[seen], rng.uniform(-13, -9.8, rays)])
    snr = 10 ** (-0.2 * (mag + 12)) * 100
    labels = {"exposure": f"e{k:03d}", "chip": "PC", "filter": "F555W", "method": "psf-fit"}
    return StarList.build(x, y, mag=mag, snr=snr, **(labels | names))


def dithers(stars: Field, number: int, **how: float) -> list[StarList]:
    return [expose(stars, k, **how) for k in range(number)]


def without(stars: StarList, keep: slice) -> StarList:
    return replace(stars)[keep]
