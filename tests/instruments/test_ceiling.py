"""Flat tops of saturated stars."""

import numpy as np
import pytest

from filar.instruments.ceiling import find_ceiling
from filar.simulate.bleeding import bleed

SHAPE = (300, 320)
SKY, WELL = 400.0, 60_000.0


def field(brightest: float, fwhm: float = 2.0, seed: int = 0) -> np.ndarray:
    """Stars of all brightnesses, the brightest with that peak, without an upper limit."""
    rng = np.random.default_rng(seed)
    rows, columns = (a.ravel() for a in np.mgrid[15:290:18, 15:310:18])
    x, y = columns + rng.uniform(-0.5, 0.5, len(rows)), rows + rng.uniform(-0.5, 0.5, len(rows))
    peaks = brightest * 10 ** rng.uniform(-1.5, 0, len(rows))
    peaks[:4] = brightest
    yy, xx = np.mgrid[: SHAPE[0], : SHAPE[1]]
    image = np.full(SHAPE, SKY)
    for px, py, peak in zip(x, y, peaks, strict=True):
        r2 = (xx - px) ** 2 + (yy - py) ** 2
        image += peak * np.exp(-4 * np.log(2) * r2 / fwhm**2)
    return rng.poisson(image).astype(float)


@pytest.mark.parametrize("fwhm", [1.2, 2.0, 4.0])
def test_full_wells_are_recognised(fwhm: float) -> None:
    image = bleed(field(8 * WELL, fwhm), WELL)
    level = find_ceiling(image)
    assert level is not None
    assert 0.85 * WELL < level < WELL


@pytest.mark.parametrize("fwhm", [1.2, 2.0, 4.0])
@pytest.mark.parametrize("seed", range(3))
def test_unsaturated_stars_have_no_ceiling(fwhm: float, seed: int) -> None:
    assert find_ceiling(field(0.9 * WELL, fwhm, seed)) is None


def test_too_few_stars_or_none() -> None:
    assert find_ceiling(np.full((20, 20), np.nan)) is None
    assert find_ceiling(np.random.default_rng(0).normal(100, 3, (50, 50))) is None
    image = bleed(field(8 * WELL), WELL)
    assert find_ceiling(image, image > 0) is None
    assert find_ceiling(image[:40, :60]) is None
