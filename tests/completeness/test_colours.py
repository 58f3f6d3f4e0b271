"""Artificial stars weighted to the colours of real ones."""

import numpy as np
import pytest

from filar.completeness.colours import color_weights
from filar.completeness.table import ArtificialStars, RealStars


def artificial(number: int = 20_000) -> ArtificialStars:
    rng = np.random.default_rng(1)
    first = rng.uniform(18, 26, number)
    mag = np.stack([first, first - rng.uniform(-1, 3, number)], axis=1)
    return ArtificialStars(("B", "V"), mag, mag, np.ones(number, bool))


def sequence(number: int = 3000, spread: float = 0.1) -> RealStars:
    """A main sequence that turns red towards faint magnitudes."""
    rng = np.random.default_rng(2)
    first = 18 + 6 * rng.random(number) ** 0.5
    color = 0.3 + 0.25 * (first - 18) + rng.normal(0, spread, number)
    return RealStars(("B", "V"), np.stack([first, first - color], axis=1))


def test_colours_follow_the_sequence_at_each_magnitude() -> None:
    stars = artificial()
    weights = color_weights(sequence(), stars)
    mag, color = stars.mag_in[:, 0], stars.mag_in[:, 0] - stars.mag_in[:, 1]
    assert weights.min() >= 0 and weights.mean() == pytest.approx(1, abs=0.2)
    for low in (19.0, 20.5, 22.0, 23.0):
        near = (mag > low) & (mag < low + 0.5)
        middle = np.average(color[near], weights=weights[near])
        assert middle == pytest.approx(0.3 + 0.25 * (low + 0.25 - 18), abs=0.12)
        spread = np.sqrt(np.average((color[near] - middle) ** 2, weights=weights[near]))
        assert spread < 0.35


def test_the_luminosity_function_of_artificial_stars_stays() -> None:
    stars = artificial()
    weights = color_weights(sequence(), stars)
    count, _ = np.histogram(stars.mag_in[:, 0], np.arange(18.5, 25.6, 1.0), weights=weights)
    assert count.std() / count.mean() < 0.12


def test_fainter_than_all_real_stars_the_last_colours_hold() -> None:
    stars = artificial()
    weights = color_weights(sequence(), stars)
    faint = stars.mag_in[:, 0] > 25.3
    color = (stars.mag_in[:, 0] - stars.mag_in[:, 1])[faint]
    assert np.average(color, weights=weights[faint]) == pytest.approx(1.7, abs=0.2)


def test_a_single_band_has_no_colours() -> None:
    mag = np.linspace(18, 25, 50)[:, None]
    stars = ArtificialStars(("B",), mag, mag, np.ones(50, bool))
    assert (color_weights(RealStars(("B",), mag), stars) == 1).all()


def test_stars_without_colours_weigh_alike() -> None:
    stars = artificial(500)
    unknown = RealStars(("B", "V"), np.full((10, 2), np.nan))
    assert (color_weights(unknown, stars) > 0).all()
