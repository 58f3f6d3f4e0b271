"""Dust in a disc."""

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.simulate.clusters.dust import (
    THICKEST,
    behind_sheet,
    dust_map,
    mixed_in,
    turbulence,
)


def test_turbulence_has_mean_0_and_variance_1_and_large_structures():
    fields = [
        turbulence((150, 211), 3.0, np.random.default_rng(seed), outer=20.0) for seed in range(40)
    ]
    assert fields[0].shape == (150, 211)
    assert np.mean(fields) == pytest.approx(0.0, abs=0.05)
    assert np.var(fields) == pytest.approx(1.0, abs=0.12)
    near = np.mean([np.mean(one[:, 3:] * one[:, :-3]) for one in fields])
    far = np.mean([np.mean(one[:, 60:] * one[:, :-60]) for one in fields])
    assert near > 0.35
    assert abs(far) < 0.1


def test_steeper_spectra_are_smoother():
    def roughness(slope):
        field = turbulence((128, 128), slope, np.random.default_rng(1), outer=30.0, inner=2.0)
        return np.std(np.diff(field, axis=0))

    assert roughness(2.2) > 1.5 * roughness(3.6)


def test_scales_the_wrong_way_round_are_refused():
    with pytest.raises(ParameterError, match="outer"):
        turbulence((10, 10), 3.0, np.random.default_rng(0), outer=2.0, inner=4.0)


def test_the_map_has_the_mean_that_was_asked_for_and_a_lane():
    lane = np.zeros((300, 300))
    lane[:, 140:160] = 1.0
    settings = {"contrast": 0.5, "slope": 3.0, "outer": 15.0}
    a_v = dust_map((300, 300), 0.5, np.random.default_rng(2), lane=lane, lane_depth=1.5, **settings)
    assert a_v[:, :100].mean() == pytest.approx(0.5, rel=0.15)
    assert a_v[:, 140:160].mean() == pytest.approx(2.0, rel=0.2)
    assert a_v.min() > 0
    deep = dust_map((100, 100), 5.0, np.random.default_rng(2), contrast=1.5, slope=3.0, outer=15.0)
    assert deep.max() == THICKEST


def test_light_that_leaves_dust():
    amounts = np.array([0.0, 0.1, 1.0, 30.0])
    sheet, mixed = behind_sheet(amounts), mixed_in(amounts)
    np.testing.assert_allclose([sheet[0], mixed[0]], 1.0)
    assert sheet[-1] == pytest.approx(0.5)
    assert (np.diff(mixed) < 0).all()
    # a mixed layer is a stack of stars at all depths
    depths = (np.arange(2000) + 0.5) / 2000
    stack = 10 ** (-0.4 * np.outer(amounts, depths))
    np.testing.assert_allclose(mixed, stack.mean(axis=1), rtol=1e-5)
