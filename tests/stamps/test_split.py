import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.stamps.split import split_by_stamp, split_by_star

SEEDS = st.integers(0, 1000)


@given(st.lists(st.integers(-5, 30), max_size=200), SEEDS)
def test_no_star_is_in_two_parts(stars, seed):
    star = np.array(stars, int)
    part = split_by_star(star, seed=seed)
    assert all(len(set(part[star == one])) == 1 for one in set(stars))


@given(st.integers(0, 500), SEEDS)
def test_parts_have_their_fractions(n, seed):
    for part in (split_by_stamp(n, seed=seed), split_by_star(np.arange(n), seed=seed)):
        counts = np.bincount(part, minlength=3)
        assert counts.sum() == n
        assert np.abs(counts - np.array([0.7, 0.1, 0.2]) * n).max() <= 1


def test_the_parts_of_stars_do_not_depend_on_the_order_of_stamps():
    star = np.random.default_rng(1).integers(0, 100, 1000)
    order = np.random.default_rng(2).permutation(1000)
    assert np.array_equal(split_by_star(star, seed=3)[order], split_by_star(star[order], seed=3))
    assert not np.array_equal(split_by_star(star, seed=3), split_by_star(star, seed=4))


def test_by_stamp_a_star_is_in_several_parts():
    part = split_by_stamp(100, seed=1)
    assert len(set(part[:10])) > 1


@pytest.mark.parametrize(
    "fractions", [(0.5, 0.1, 0.1), (1.2, -0.1, -0.1), (0.5, 0.5), (1, 0, np.nan)]
)
def test_senseless_fractions_are_refused(fractions):
    with pytest.raises(ParameterError, match="fractions"):
        split_by_stamp(10, fractions)
