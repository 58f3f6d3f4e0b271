from dataclasses import replace

import numpy as np
import pytest

from filar.completeness.evaluate_errors import INNER, OUTER, judge_errors
from filar.completeness.table import ArtificialStars
from filar.errors import ParameterError
from tests.completeness.toys import toy_stars

BIAS = 0.03


def scatter(mag: np.ndarray) -> np.ndarray:
    return np.asarray(0.01 * 10 ** (0.3 * (mag - 22)))


class Gaussian:
    """Errors that grow to faint magnitudes, a factor too large."""

    def __init__(self, factor: float = 1.0, bias: float = BIAS) -> None:
        self.factor, self.bias = factor, bias

    def sample(self, stars: ArtificialStars, rng: np.random.Generator) -> np.ndarray:
        normal = rng.normal(size=stars.mag_in.shape)
        return np.asarray(self.bias + self.factor * scatter(stars.mag_in) * normal)


def stars(number: int = 9000, decimals: int = 8) -> ArtificialStars:
    made = toy_stars(number)
    delta = Gaussian().sample(made, np.random.default_rng(4))
    mag_in = np.round(made.mag_in, decimals)
    out = np.where(made.found, np.round(mag_in + delta, decimals), np.nan)
    return replace(made, mag_in=mag_in, mag_out=out)


@pytest.mark.parametrize("decimals", [8, 2])
@pytest.mark.parametrize("band", ["F555W", "F814W"])
def test_honest_errors_are_found_honest_though_the_table_is_rounded(
    decimals: int, band: str
) -> None:
    judged = judge_errors(Gaussian(), stars(decimals=decimals), band)
    assert judged.band == band
    # Each bin within its error, all more closely.
    assert (np.abs(judged.inner - INNER) < 4 * judged.inner_err).all()
    assert (np.abs(judged.outer - OUTER) < 4 * judged.outer_err + 0.01).all()
    assert judged.all_inner == pytest.approx(INNER, abs=0.02)
    assert judged.all_outer == pytest.approx(OUTER, abs=0.01)
    assert judged.below == pytest.approx(0.5, abs=0.02)
    wide = judged.true[3] - judged.true[1]
    some = judged.number > 200
    told = judged.predicted[3] - judged.predicted[1]
    np.testing.assert_allclose(told[some], wide[some], rtol=0.2, atol=0.011 if decimals == 2 else 0)
    assert np.abs(judged.true[2, some] - BIAS).max() < 0.02
    assert (np.diff(judged.true, axis=0) >= 0).all()


def test_errors_that_are_too_small_too_large_or_biased_are_seen() -> None:
    made = stars()
    assert judge_errors(Gaussian(0.5), made).all_inner < 0.5
    assert judge_errors(Gaussian(2.0), made).all_inner > 0.9
    # Shifted by more than the bright stars' errors.
    assert judge_errors(Gaussian(bias=BIAS + 0.02), made).below > 0.7


def test_only_recovered_stars_judge_and_no_more_than_are_needed() -> None:
    made = stars(4000)
    judged = judge_errors(Gaussian(), made)
    assert 0.97 * made.recovered.sum() < judged.number.sum() <= made.recovered.sum()
    again = judge_errors(Gaussian(), made)
    np.testing.assert_array_equal(judged.inner, again.inner)
    with pytest.raises(ParameterError, match="none recovered"):
        judge_errors(Gaussian(), made.select(~made.recovered))
    with pytest.raises(ParameterError, match="band"):
        judge_errors(Gaussian(), made, "F606W")
