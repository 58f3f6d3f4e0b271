import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from filar.flags import DESCRIPTIONS, Flag, count, decode


def test_every_flag_is_one_bit_and_is_described() -> None:
    assert all(flag.value.bit_count() == 1 for flag in Flag)
    assert set(DESCRIPTIONS) == set(Flag)
    assert len(set(DESCRIPTIONS.values())) == len(Flag)


def test_bits_fit_a_signed_32_bit_column() -> None:
    assert np.int32(sum(Flag)) == sum(Flag)


@given(st.sets(st.sampled_from(list(Flag))))
def test_decode_names_exactly_the_bits_that_are_set(flags: set[Flag]) -> None:
    expected = [flag.name.lower() for flag in sorted(flags)]
    assert decode(sum(flags)) == expected


def test_count_counts_every_flag_over_the_stars() -> None:
    flags = np.array([0, Flag.SATURATED, Flag.SATURATED | Flag.EDGE, Flag.EDGE], dtype=np.int32)
    counts = count(flags)
    assert counts["saturated"] == 2
    assert counts["edge"] == 2
    assert set(counts) == {flag.name.lower() for flag in Flag}
    assert sum(counts.values()) == 4
