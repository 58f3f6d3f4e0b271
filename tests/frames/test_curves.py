from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.frames.curves import BiasFit, Curve, fit_bias, offset_phase, transformation_curve
from tests.frames.synthetic import Sky, left_out


def made_curve(n: int = 60, seed: int = 1, **truth: float) -> Curve:
    """A curve as the formula has it, with the noise of standard errors of 400 stars."""
    rng = np.random.default_rng(seed)
    offset = rng.uniform(-2, 2, n)
    values = {"sigma": 0.01, "amplitude": 0.0} | truth
    error = BiasFit(n, **values)(offset) * (1 + rng.normal(0, 1 / np.sqrt(800), n))
    return Curve(tuple(f"e{i}" for i in range(n)), offset, error, np.full(n, 400.0),
                 np.sin(np.pi * offset) ** 2, np.sin(2 * np.pi * offset) ** 2)  # fmt: skip


def test_the_formula_is_the_mean_square_of_the_difference_of_two_biased_centres() -> None:
    phase = np.arange(10_000) / 10_000
    for d in (0.0, 0.1, 0.37, 0.5, 1.25):
        bias = [0.02 * np.sin(2 * np.pi * p) + 0.005 * np.sin(4 * np.pi * p) for p in
                (phase, phase + d)]  # fmt: skip
        expected = np.sqrt(np.mean((bias[1] - bias[0]) ** 2))
        fit = BiasFit(9, sigma=0.0, amplitude=0.02, second=0.005)
        assert fit(np.array(d)) == pytest.approx(expected, abs=1e-12)


@given(st.floats(-1e4, 1e4))
def test_offset_phase_is_a_fraction(offset: float) -> None:
    phase = float(offset_phase(np.array(offset)))
    assert 0 <= phase < 1
    assert abs((offset - phase) - round(offset - phase)) < 1e-9


def test_noise_and_amplitudes_are_recovered_within_their_errors() -> None:
    pulls = []
    for seed in range(20):
        fit = fit_bias(made_curve(seed=seed, amplitude=0.03, second=0.012))
        pulls.append([(fit.sigma - 0.01) / fit.sigma_err, (fit.amplitude - 0.03) /
                      fit.amplitude_err, (fit.second - 0.012) / fit.second_err])  # fmt: skip
        assert fit.exposures == 60
        assert 0.03 < fit.limit < 0.035
    assert np.abs(np.mean(pulls, axis=0)).max() < 1
    assert np.std(pulls, axis=0).max() < 1.6


def test_stars_with_a_known_bias_give_it_back() -> None:
    pulls = []
    for seed in range(6):
        frame = Sky(seed=seed, exposures=30, bias=0.025).frame()
        fits = [fit_bias(transformation_curve(frame, axis)) for axis in "xy"]
        pulls += [(fit.amplitude - 0.025) / fit.amplitude_err for fit in fits]
        # 3-sigma clipping takes about 2% off the noise.
        assert all(fit.sigma == pytest.approx(0.0098, abs=0.001) for fit in fits)
    assert np.abs(pulls).max() < 4
    assert abs(np.mean(pulls)) < 1.0


def test_no_bias_is_zero_within_the_noise_and_has_a_limit() -> None:
    fits = [fit_bias(made_curve(seed=seed)) for seed in range(40)]
    squares = np.array([fit.amplitude * abs(fit.amplitude) for fit in fits])
    assert (squares < 0).any()
    assert (squares > 0).any()
    assert abs(squares.mean()) < 4 * squares.std() / np.sqrt(40)
    significance = np.array([fit.significance for fit in fits])
    assert 0.6 < significance.std() < 1.5
    assert np.abs(significance).max() < 4
    assert all(0 < fit.limit < 0.006 for fit in fits)
    assert fit_bias(made_curve(amplitude=0.03)).significance > 10


@pytest.mark.parametrize(("reach", "minima"), [(1.0, [-1, 0, 1]), (2.0, [-2, -1, 0, 1, 2])])
def test_the_error_is_lowest_at_whole_pixels(reach: float, minima: list[int]) -> None:
    curve = transformation_curve(Sky(exposures=60, reach=reach).frame(), "x")
    near = np.abs(curve.offset - np.round(curve.offset)) < 0.15
    middle = np.abs(curve.phase - 0.5) < 0.2
    assert curve.error[near].max() < curve.error[middle].min()
    assert set(np.round(curve.offset[near])) <= set(minima)
    assert curve.error[middle].max() == pytest.approx(np.sqrt(2 * 0.01**2 + 2 * 0.03**2), rel=0.07)


def test_roll_is_allowed_for() -> None:
    """Half a pixel of roll over the chip blurs the curve, not the amplitude."""
    frame = Sky(exposures=60, stars=500, roll=2e-3).frame()
    curve = transformation_curve(frame, "x")
    blurred = np.sin(np.pi * curve.offset) ** 2
    assert np.abs(curve.sine - blurred).max() > 0.1
    assert fit_bias(curve).amplitude == pytest.approx(0.03, rel=0.06)
    assert fit_bias(replace(curve, sine=blurred)).amplitude < 0.028


def test_single_bad_exposures_do_not_matter() -> None:
    curve = made_curve(amplitude=0.03)
    bad = curve.error.copy()
    bad[:4] = 0.3
    good, spoilt = fit_bias(curve), fit_bias(replace(curve, error=bad))
    assert spoilt.amplitude == pytest.approx(good.amplitude, abs=1.5 * good.amplitude_err)
    assert spoilt.sigma == pytest.approx(good.sigma, abs=2 * good.sigma_err)


def test_the_reference_and_what_is_left_out_are_no_points() -> None:
    frame = left_out(Sky(exposures=12).frame(), 4, "too few stars")
    curve = transformation_curve(frame, "y")
    assert len(curve) == 10
    assert not {"e000", "e004"} & set(curve.exposure)
    with pytest.raises(ParameterError, match="x or y"):
        transformation_curve(frame, "z")


def test_too_little_to_tell_is_nan() -> None:
    few = fit_bias(made_curve(n=5, amplitude=0.03))
    assert few.exposures == 5
    assert np.isnan([few.sigma, few.amplitude, few.limit, few.second]).all()
    curve = made_curve(amplitude=0.03)
    same = np.abs(curve.phase - 0.5) < 0.15
    narrow = Curve(curve.exposure, *(getattr(curve, name)[same] for name in
                   ("offset", "error", "stars", "sine", "sine2")))  # fmt: skip
    assert len(narrow) > 10
    assert np.isnan(fit_bias(narrow).amplitude)
    assert np.isnan(fit_bias(made_curve(n=12, amplitude=0.03)).second)
    assert np.isnan(fit_bias(narrow)(np.array(0.3)))


def test_flat_without_noise_does_not_break() -> None:
    curve = replace(made_curve(), error=np.full(60, 0.01))
    fit = fit_bias(curve)
    assert fit.sigma == pytest.approx(0.01 / np.sqrt(2))
    assert abs(fit.amplitude) < 1e-4
