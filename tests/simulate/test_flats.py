"""Sensitivity and vignetting."""

import numpy as np
import pytest
from scipy import ndimage

from filar.instruments import wfpc2_edge
from filar.simulate.flats import PIXEL_SCATTER, SMOOTH_SCATTER, flat_field, vignetting


def test_pixels_scatter_and_the_chip_slopes():
    flat = flat_field((800, 800), seed=1)
    assert flat.mean() == pytest.approx(1.0)
    smooth = ndimage.uniform_filter(flat, 41)
    assert (flat - smooth)[50:-50, 50:-50].std() == pytest.approx(PIXEL_SCATTER, rel=0.03)
    assert smooth.std() == pytest.approx(SMOOTH_SCATTER, rel=0.15)
    # neighbours share the smooth part alone
    rough = flat - smooth
    assert abs(np.corrcoef(rough[:, 1:].ravel(), rough[:, :-1].ravel())[0, 1]) < 0.01


def test_strength_scales_and_zero_is_even():
    np.testing.assert_array_equal(flat_field((50, 60), strength=0.0, seed=1), 1.0)
    weak, usual = (flat_field((200, 200), strength=s, seed=1) for s in (0.5, 1.0))
    assert weak.std() / usual.std() == pytest.approx(0.5, rel=0.02)
    np.testing.assert_array_equal(usual, flat_field((200, 200), seed=1))
    assert not np.array_equal(usual, flat_field((200, 200), seed=2))


def test_vignetting_darkens_the_border_alone():
    edge = wfpc2_edge("PC")
    response = vignetting(edge)
    np.testing.assert_array_equal(response[~edge], 1.0)
    assert (response[edge] < 1).all()
    assert response.min() > 0
    assert (np.diff(response[400, :50]) > 0).all()
    np.testing.assert_array_equal(vignetting(np.zeros((4, 5), bool)), 1.0)
