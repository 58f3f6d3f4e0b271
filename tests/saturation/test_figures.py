"""Errors that are honest, and figures that say how good a model is."""

from dataclasses import replace

import numpy as np
import pytest

from filar.saturation.figures import LEAST_FACTOR, core_saturated, figures_of, learn_errors
from tests.saturation.toys import toy_samples

SAMPLES = toy_samples(2000, 1, log_n_err=np.zeros(2000))
RNG = np.random.default_rng(4)
TRUE_ERROR = np.where(core_saturated(SAMPLES), 0.05, 0.01)
FOUND = SAMPLES.log_n + TRUE_ERROR * RNG.normal(size=2000)


def test_a_core_is_the_nine_middle_pixels() -> None:
    saturated = np.zeros((3, 21, 21), bool)
    saturated[0, 9, 11] = saturated[1, 8, 10] = True
    few = replace(SAMPLES.select(slice(0, 3)), saturated=saturated)
    assert core_saturated(few).tolist() == [True, False, False]


def test_a_network_without_errors_is_given_the_scatter_of_the_validation_part() -> None:
    scale = learn_errors(SAMPLES, FOUND, None)
    assert scale is not None and scale.absolute
    error = scale(FOUND)[:, 0]
    bright, faint = FOUND > 5.9, FOUND < 4.5
    assert np.median(error[bright]) == pytest.approx(0.05, rel=0.2)
    assert np.median(error[faint]) == pytest.approx(0.01, rel=0.2)
    assert learn_errors(SAMPLES.select(slice(0, 10)), FOUND[:10], None) is None


def test_errors_that_are_too_small_are_stretched() -> None:
    scale = learn_errors(SAMPLES, FOUND, TRUE_ERROR / 3)
    assert scale is not None and not scale.absolute
    assert np.median(scale.value) == pytest.approx(3, rel=0.1)


def test_labels_with_overstated_errors_do_not_make_errors_vanish() -> None:
    labelled = replace(SAMPLES, log_n_err=np.full(2000, 0.1))
    scale = learn_errors(labelled, FOUND, TRUE_ERROR)
    assert scale is not None and scale.value.min() == LEAST_FACTOR


def test_figures_are_of_magnitudes_and_of_both_kinds_of_stars() -> None:
    core = core_saturated(SAMPLES)
    figures = figures_of(SAMPLES, FOUND + 0.02, TRUE_ERROR)
    assert figures["bias"] == pytest.approx(-0.05, abs=0.01)
    assert figures["half68_saturated"] == pytest.approx(2.5 * 0.05, rel=0.1)
    assert figures["half95_unsaturated"] == pytest.approx(2.5 * 0.01 * 1.96, rel=0.1)
    miss = FOUND + 0.02 - SAMPLES.log_n
    assert figures["rms_saturated"] == pytest.approx(2.5 * np.sqrt(np.mean(miss[core] ** 2)))
    assert figures_of(SAMPLES, FOUND, TRUE_ERROR)["pull"] == pytest.approx(1, abs=0.06)
    silent = np.where(core, np.nan, FOUND)
    figures = figures_of(SAMPLES, silent, TRUE_ERROR)
    assert figures["unpredicted"] == core.sum() and "bias_saturated" not in figures
    nothing = figures_of(SAMPLES.select(slice(0, 0)), np.zeros(0), np.zeros(0))
    assert nothing == {"stamps": 0, "stars": 0, "unpredicted": 0}
