import numpy as np

from filar.saturation.bins import Scatter
from filar.saturation.criteria import (
    judge_bias,
    judge_pulls,
    judge_saturated,
    judge_unsaturated,
    longest_run,
)
from filar.saturation.dispersion import MedianDispersion


def bins(values, *, pulls=None, error=0.001, start=5.0):
    pulls = [1.0] * len(values) if pulls is None else pulls
    return [
        Scatter(start + k / 2, start + k / 2 + 0.5, 50 if np.isfinite(b) else 3, 100, 1.0, bias=b,
                bias_err=error, pull=p, pull_err=0.02, pull68=p, pull68_err=0.02,
                enough=bool(np.isfinite(b)))
        for k, (b, p) in enumerate(zip(values, pulls, strict=True))
    ]  # fmt: skip


def test_the_longest_unbroken_run_counts() -> None:
    some = bins([0.0, 0.02, 0.0, -0.005, np.nan, 0.0])
    assert longest_run(some, lambda one: abs(one.bias) < 0.01) == (6.0, 7.0)
    assert np.isnan(longest_run(some, lambda one: False)).all()


def test_bias_must_be_small_over_nine_magnitudes() -> None:
    found = judge_bias(bins([0.02] + [0.004] * 18))
    assert found.met
    assert (found.missed[0].low, found.missed[0].value) == (5.0, 0.02)
    assert not found.missed[0].by_chance
    assert "9.0 mag (5.5 to 14.5)" in found.found
    broken = judge_bias(bins([0.004] * 9 + [-0.0112] + [0.004] * 9))
    assert broken.met is False
    assert broken.missed[0].by_chance
    assert "4.5 mag" in broken.found
    unknown = judge_bias(bins([0.004] * 10 + [np.nan] + [0.004] * 10))
    assert unknown.met is False
    assert unknown.unknown == ((10.0, 10.5),)
    assert judge_bias(bins([np.nan])).met is None
    assert judge_bias(bins([0.5])).found.startswith("holds over 0.0 mag;")
    assert found.figures()["missed"][0]["high"] == 5.5


def test_pulls_must_lie_between_limits_in_every_bin() -> None:
    assert judge_pulls(bins([0.0] * 3, pulls=[0.91, 1.0, 1.09])).met
    found = judge_pulls(bins([0.0] * 3, pulls=[0.95, 1.11, 1.6]))
    assert found.met is False
    assert [one.low for one in found.missed] == [5.5, 6.0]
    assert [one.by_chance for one in found.missed] == [True, False]
    assert found.word == "missed"
    assert judge_pulls(bins([0.0], pulls=[np.nan])).met is None


def test_light_curves_are_judged_by_their_medians() -> None:
    quiet = MedianDispersion("ours", 40, 0.019, 0.001, 1.05, 0.02)
    assert judge_saturated(quiet).met
    assert judge_unsaturated(quiet).met
    loud = MedianDispersion("ours", 40, 0.021, 0.001, 1.2, 0.02)
    assert judge_saturated(loud).met is False
    assert judge_unsaturated(loud).met is False
    none = MedianDispersion("ours", 0, np.nan, np.nan)
    assert judge_saturated(none).word == judge_unsaturated(none).word == "not judged"
