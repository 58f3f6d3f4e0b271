import numpy as np

from filar.flags import Flag
from filar.frames.frame import Tie
from filar.frames.master import coverage, master_list, measures_needed
from filar.frames.matching import mutual_nearest
from filar.frames.polynomial import Polynomial
from filar.frames.starlist import StarList
from tests.frames.fields import dithers, expose, field


def tied(lists: list[StarList], shifts: np.ndarray) -> list[Tie]:
    """Exposures tied by the shifts that are known."""
    return [
        Tie(stars, to_frame=Polynomial.linear(np.eye(2), -shift))
        for stars, shift in zip(lists, shifts, strict=True)
    ]


def shifted(stars, shifts: np.ndarray, **how) -> list[Tie]:
    lists = [expose(stars, k, shift=tuple(s), **how) for k, s in enumerate(shifts)]
    return tied(lists, shifts)


def test_stars_are_found_and_cosmic_rays_are_not() -> None:
    stars = field(400)
    shifts = np.random.default_rng(1).uniform(-2, 2, (20, 2))
    x, y = master_list(shifted(stars, shifts, rays=400, found=0.8))
    apart = np.hypot(stars.x[:, None] - stars.x, stars.y[:, None] - stars.y)
    alone = np.sort(apart, axis=1)[:, 1] > 3
    within = alone & (np.minimum(stars.x, stars.y) > 3) & (np.maximum(stars.x, stars.y) < 797)
    _, j = mutual_nearest(x, y, stars.x, stars.y, 0.1)
    assert set(np.flatnonzero(within)) - set(j) == set()
    # At the border few exposures cover a place, and rays may meet; close pairs may be one star.
    inside = (np.minimum(x, y) > 3) & (np.maximum(x, y) < 797)
    found, _ = mutual_nearest(x, y, stars.x, stars.y, 1.0)
    assert set(np.flatnonzero(inside)) <= set(found)


def test_stars_missing_in_the_reference_are_found() -> None:
    stars = field(300)
    ties = shifted(stars, np.zeros((5, 2)), rays=0, found=1.0)
    ties[0] = Tie(ties[0].stars[:50], to_frame=ties[0].to_frame)
    x, _ = master_list(ties)
    assert len(x) > 0.95 * np.count_nonzero((stars.x > 0) & (stars.x < 800))


def test_near_pairs_stay_two_and_scattered_stars_one() -> None:
    x = np.array([100.0, 102.2, 300.0])
    y = np.array([100.0, 100.0, 300.0])
    rng = np.random.default_rng(2)
    lists = []
    for _ in range(50):
        noise = rng.normal(0, [0.1, 0.1, 0.35], (2, 3))
        lists.append(StarList.build(x + noise[0], y + noise[1]))
    found, _ = master_list(tied(lists, np.zeros((50, 2))))
    assert len(found) == 3


def test_spoilt_measures_are_no_stars() -> None:
    lists = dithers(field(100), 4, rays=0)
    for stars in lists:
        stars.flags[:] = Flag.COSMIC_RAY
    assert len(master_list(tied(lists, np.zeros((4, 2))))[0]) == 0


def test_minimum_number_of_measures() -> None:
    stars = field(200)
    ties = shifted(stars, np.zeros((10, 2)), rays=0, found=0.5)
    every = len(master_list(ties)[0])
    few = len(master_list(ties, minimum=8)[0])
    # Of 10 measures with probability 1/2, 8 or more come in 5.5 % of the cases.
    assert 0 < few < 0.12 * every
    assert list(measures_needed(np.array([1, 5, 10, 11, 600]), None)) == [2, 2, 2, 3, 120]


def test_coverage_follows_turned_exposures() -> None:
    corners = np.array([0.0, 100.0, 100.0, 0.0]), np.array([0.0, 0.0, 100.0, 100.0])
    stars = StarList.build(*corners)
    c = np.sqrt(0.5)
    turn = Polynomial.linear(np.array([[c, -c], [c, c]]), np.array([0.0, 0.0]))
    ties = [Tie(stars, to_frame=Polynomial.identity()), Tie(stars, to_frame=turn)]
    ties.append(Tie(stars, "left out", to_frame=turn))
    x, y = np.array([0.0, 90.0, -60.0, 200.0]), np.array([50.0, 10.0, 70.0, 0.0])
    assert list(coverage(x, y, ties)) == [2, 1, 1, 0]
