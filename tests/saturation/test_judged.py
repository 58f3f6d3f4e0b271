from dataclasses import replace

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.saturation.data import Samples
from filar.saturation.judged import judged_from
from tests.saturation.judgedtoys import LIMIT, toy_answer, toy_judged


def made_up_samples(n=4, size=21):
    saturated = np.zeros((n, size, size), bool)
    saturated[0, 10, 10] = True
    saturated[1, 11, 9] = True
    saturated[2, 10, 12] = True  # a neighbour's
    return Samples.build(
        np.zeros((n, size, size), np.float32), saturated=saturated,
        star=np.array([7, 7, 8, 9]), image=np.array([0, 1, 0, 1]), x=np.arange(4.0),
        y=np.arange(4.0), zero_point=np.full(n, 22.5), mag=np.array([10.0, 10.0, np.nan, 12.0]),
        log_n=np.array([5.0, 5.0, 4.6, 4.2]), log_n_err=np.full(n, 0.01),
        images=("a", "b"), cameras=("c", "c"), filters=("g", "g"),
    )  # fmt: skip


def test_samples_tell_what_is_true() -> None:
    judged = judged_from(made_up_samples(), variable=np.array([9]))
    assert judged.saturated.tolist() == [True, True, False, False]
    assert judged.variable.tolist() == [False, False, False, True]
    # Without a catalogue magnitude the label tells it.
    np.testing.assert_allclose(judged.mag, [10, 10, 11, 12])
    assert len(judged.select(judged.star == 7)) == 2
    nothing = replace(made_up_samples(), log_n=np.full(4, np.nan))
    with pytest.raises(ParameterError, match="labels"):
        judged_from(nothing)
    with pytest.raises(ParameterError, match="epoch"):
        judged_from(made_up_samples(), epoch=np.zeros(3, int))


def test_misses_are_predicted_minus_true_in_magnitudes() -> None:
    judged = judged_from(made_up_samples())
    brighter = judged.log_n + 0.4
    np.testing.assert_allclose(judged.miss(brighter), -1.0)
    # 0.01 dex of the label and 0.0075 of the prediction: 0.0125 together.
    np.testing.assert_allclose(judged.pull(judged.log_n + 0.025, np.full(4, 0.0075)), -2.0)
    with pytest.raises(ParameterError, match="log_n"):
        judged.miss(brighter[:2])


def test_the_saturation_limit_lies_where_stars_begin_to_saturate() -> None:
    judged = toy_judged()
    assert judged.saturation_limit() == pytest.approx(LIMIT, abs=0.03)
    assert np.isnan(judged.select(judged.saturated).saturation_limit())
    # Some faint stars that neighbours saturate do not move it far.
    judged.saturated[np.flatnonzero(judged.mag > 13)[::7]] = True
    assert judged.saturation_limit() == pytest.approx(LIMIT, abs=0.1)
    assert np.isfinite(toy_answer(judged).log_n).all()
