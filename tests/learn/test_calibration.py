"""Honest errors: known factors are found, labels' errors taken off, coverage counted."""

from pathlib import Path

import numpy as np
import pytest
import torch

from filar.errors import InputFileError, ParameterError
from filar.learn.calibration import (
    ErrorScale,
    coverage,
    learn_error_scale,
    pull_bins,
    pulls,
)

N = 20_000


def gaussian(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def magnitudes(seed: int = 0, number: int = N) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-13, -8, number)


def test_gaussian_errors_have_the_coverage_of_gaussians() -> None:
    inside = coverage(gaussian(1, 200_000))
    assert inside == pytest.approx((0.6827, 0.95), abs=0.004)


def test_pulls_add_the_labels_errors_in_quadrature() -> None:
    pull = pulls(np.array([5.0, 5.0, 1.0]), np.array([3.0, 3.0, 0.0]), np.array([4.0, 0.0, 0.0]))
    assert pull[:2] == pytest.approx([1, 5 / 3])
    assert np.isnan(pull[2])


def test_bins_tell_where_errors_are_too_small() -> None:
    mag = magnitudes()
    pull = gaussian(2, N) * np.where(mag < -10, 2.0, 1.0) + 0.5
    bright, faint = pull_bins(mag, pull, np.array([-13.0, -10.0, -8.0]))
    assert bright.width == pytest.approx(2, abs=5 * bright.width_err)
    assert faint.width == pytest.approx(1, abs=5 * faint.width_err)
    assert bright.number + faint.number == N
    assert faint.mean == pytest.approx(0.5, abs=0.1)
    assert bright.inside68 < 0.4 < faint.inside68


def test_bins_without_pulls_are_left_out_and_edges_must_increase() -> None:
    assert pull_bins(np.zeros(3), np.full(3, np.nan), np.array([-1.0, 1.0])) == []
    with pytest.raises(ParameterError, match="increasing"):
        pull_bins(np.zeros(3), np.zeros(3), np.array([1.0, 1.0]))


def test_a_factor_that_changes_with_magnitude_is_found() -> None:
    mag = magnitudes()
    raw = 10 ** (0.2 * (mag + 10))[:, None] * np.ones(2)
    truth = np.exp(0.2 * (mag + 10))[:, None] * np.array([1.0, 1.5])
    scale = learn_error_scale(mag, gaussian(3, N, 2) * raw * truth, raw)
    found = scale(mag, raw) / raw
    assert np.abs(found / truth - 1).max() < 0.1


def test_errors_of_a_network_that_predicts_none_are_learnt() -> None:
    mag = magnitudes()
    truth = 0.01 * 10 ** (0.3 * (mag + 10))[:, None] * np.ones(2)
    scale = learn_error_scale(mag, gaussian(4, N, 2) * truth)
    assert scale.absolute
    assert np.abs(scale(mag) / truth - 1).max() < 0.1


def test_the_labels_errors_are_taken_off() -> None:
    mag, raw, label = magnitudes(), np.full((N, 1), 0.01), np.full((N, 1), 0.02)
    miss = gaussian(5, N, 1) * np.hypot(1.3 * raw, label)
    scale = learn_error_scale(mag, miss, raw, label)
    assert scale(mag, raw) == pytest.approx(1.3 * raw, rel=0.25)


def test_labels_that_explain_all_leave_next_to_nothing() -> None:
    mag, raw, label = magnitudes(), np.full((N, 1), 0.01), np.full((N, 1), 0.02)
    scale = learn_error_scale(mag, 0.5 * gaussian(6, N, 1) * label, raw, label)
    assert (scale(mag, raw) < 0.002).all()
    assert (scale(mag, raw) > 0).all()


def test_outliers_do_not_widen_the_errors() -> None:
    mag, raw = magnitudes(), np.full((N, 1), 0.01)
    miss = gaussian(7, N, 1) * raw
    miss[::50] = 5.0
    scale = learn_error_scale(mag, miss, raw)
    assert scale(mag, raw) == pytest.approx(raw, rel=0.1)


def test_few_stars_hardly_bend_the_factor() -> None:
    """The factor is 1 everywhere: smoothing halves the scatter of the bins' own factors."""
    smooth, rough = [], []
    for seed in range(20):
        mag, miss = np.repeat(np.arange(8.0), 60), gaussian(100 + seed, 480, 1)
        scale = learn_error_scale(mag, miss, np.ones((480, 1)), least=60)
        smooth.append(np.log(scale(np.arange(8.0), np.ones((8, 1)))).std())
        bins = pull_bins(mag, miss, np.arange(9.0) - 0.5)
        rough.append(np.log([one.width for one in bins]).std())
    assert np.mean(smooth) < 0.6 * np.mean(rough)


def test_too_few_rows_leave_predicted_errors_as_they_are() -> None:
    scale = learn_error_scale(np.zeros(5), np.ones((5, 2)), np.ones((5, 2)))
    assert (scale(np.array([1.0, np.nan]), np.full((2, 2), 0.3)) == 0.3).all()
    with pytest.raises(ParameterError, match="5 rows"):
        learn_error_scale(np.zeros(5), np.ones((5, 2)))


def test_rows_that_are_not_finite_do_not_count() -> None:
    mag, raw, miss = magnitudes(), np.full((N, 1), 0.01), 0.01 * gaussian(8, N, 1)
    plain = learn_error_scale(mag[100:], miss[100:], raw[100:])
    miss[:50], raw[50:80], mag[80:100] = np.nan, np.inf, np.nan
    assert np.array_equal(learn_error_scale(mag, miss, raw).value, plain.value)


def test_beyond_the_knots_the_factor_stays() -> None:
    scale = ErrorScale(np.array([-12.0, -8.0]), np.array([[1.0], [4.0]]), False)
    given = np.array([-20.0, -12.0, -10.0, -8.0, 0.0, np.nan])
    assert scale(given, np.ones((6, 1)))[:, 0] == pytest.approx([1, 1, 2, 4, 4, 4])
    with pytest.raises(ParameterError, match="raw"):
        scale(given)


def test_a_scale_survives_a_model_file() -> None:
    scale = ErrorScale(np.array([-12.0, -8.0]), np.array([[1.0], [4.0]]), True)
    tensors = {name: torch.from_numpy(array) for name, array in scale.tensors("errors.").items()}
    again = ErrorScale.from_tensors(tensors, "errors.", Path("m.safetensors"))
    assert again.absolute
    assert np.array_equal(again.value, scale.value)
    assert np.array_equal(again.at, scale.at)


def test_a_model_file_without_a_scale_or_with_nonsense_is_told() -> None:
    with pytest.raises(InputFileError, match=r"m\.safetensors.*errors\.at"):
        ErrorScale.from_tensors({}, "errors.", Path("m.safetensors"))
    scale = ErrorScale(np.zeros(2), -np.ones((2, 1)), False)
    tensors = {name: torch.from_numpy(array) for name, array in scale.tensors("").items()}
    with pytest.raises(InputFileError, match="no sense"):
        ErrorScale.from_tensors(tensors, "", Path("m.safetensors"))
