from dataclasses import dataclass

import numpy as np

from filar.flags import Flag
from filar.psf.stars import contamination, select_stars
from tests.psf.samples import expose, gaussian

SHAPE = (300, 300)


@dataclass
class Stars:
    x: np.ndarray
    y: np.ndarray
    flux: np.ndarray
    snr: np.ndarray
    flags: np.ndarray

    @classmethod
    def at(cls, x: list[float], y: list[float], flux: list[float]) -> "Stars":
        light = np.array(flux, float)
        return cls(np.array(x), np.array(y), light, np.sqrt(light), np.zeros(len(x), np.int32))


def test_neighbours_contaminate_by_their_light_and_distance() -> None:
    stars = Stars.at([50, 52, 100, 110, 200], [50, 50, 50, 50, 50], [1e4, 1e3, 1e4, 1e4, 1e4])
    found = contamination(stars, 7)
    assert found[0] == 0.1
    assert found[1] == 10
    assert 0 < found[2] == found[3] < 0.01
    assert found[4] == 0


def test_unmeasurable_neighbours_count_as_bright() -> None:
    stars = Stars.at([50, 55], [50, 50], [1e4, np.nan])
    assert contamination(stars, 7)[0] > 1


def test_only_clean_bright_stars_are_chosen() -> None:
    rng = np.random.default_rng(0)
    x, y = (a.ravel() for a in np.meshgrid(np.arange(20.0, 290, 30), np.arange(20.0, 290, 30)))
    stars = Stars.at(list(x), list(y), list(10 ** rng.uniform(3.2, 4.5, len(x))))
    none = np.empty(0)
    exposure = expose(gaussian(shape=SHAPE), none, none, none, shape=SHAPE)
    stars.flags[3] = Flag.COSMIC_RAY
    stars.flags[4] = Flag.NEIGHBOUR
    stars.snr[5] = 10
    stars.snr[6] = np.nan
    exposure.mask[int(y[7]), int(x[7])] = True
    exposure.mask[int(y[8]) - 3, int(x[8]) - 3] = True
    chosen = select_stars(exposure, stars, 7, limit=1000)
    assert set(range(len(x))) - set(chosen.tolist()) == {3, 5, 6, 7}
    few = select_stars(exposure, stars, 7, limit=18)
    assert len(few) == 18
    cells = (y[few] * 3 // 300).astype(int) * 3 + (x[few] * 3 // 300).astype(int)
    assert np.array_equal(np.bincount(cells, minlength=9), np.full(9, 2))
    assert select_stars(exposure, stars, 7, limit=1000, min_snr=1e9).size == 0
