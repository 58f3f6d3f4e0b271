"""Peaks of a map, moved onto the light there."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.clusters.detect import (
    Found,
    detection_image,
    filled,
    local_level,
    one_each,
    peaks,
    recentred,
)
from filar.clusters.images import stack_images
from filar.clusters.pmap import PMap
from filar.errors import ParameterError
from tests.clusters.fields import PLACES, field, field_images, field_rates

FIELD = field()


def test_peaks_come_the_most_probable_first() -> None:
    p = np.full((20, 30), 0.1, np.float32)
    p[5, 7], p[5, 8], p[12, 20], p[19, 29] = 0.7, 0.6, 0.95, 0.4
    found = peaks(PMap(p, 31.5, 15.5, 4))
    np.testing.assert_allclose(found.p, [0.95, 0.7], rtol=1e-6)
    assert found.x.tolist() == [31.5 + 80, 31.5 + 28]
    assert found.y.tolist() == [15.5 + 48, 15.5 + 20]
    assert len(peaks(PMap(p, 31.5, 15.5, 4), 0.3)) == 3
    assert len(peaks(PMap(p, 0.0, 0.0, 4), 0.99)) == 0


def test_neighbours_that_are_equally_sure_are_one_peak() -> None:
    p = np.zeros((9, 9), np.float32)
    p[3:5, 3:6] = 1
    found = peaks(PMap(p, 0.0, 0.0, 2))
    assert (found.x.tolist(), found.y.tolist()) == ([8.0], [7.0])


@pytest.mark.parametrize(("threshold", "apart"), [(0.0, 5.0), (1.0, 5.0), (0.5, 0.0)])
def test_senseless_limits_are_refused(threshold: float, apart: float) -> None:
    with pytest.raises(ParameterError):
        peaks(PMap(np.zeros((3, 3), np.float32), 0.0, 0.0, 4), threshold, apart)


@settings(max_examples=30, deadline=None)
@given(st.floats(-3, 3), st.floats(-3, 3))
def test_places_are_moved_onto_the_light(dx: float, dy: float) -> None:
    x, y = recentred(FIELD, PLACES[:, 0] + dx, PLACES[:, 1] + dy)
    np.testing.assert_allclose(np.column_stack([x, y]), PLACES, atol=0.15)


def test_places_without_light_stay() -> None:
    dark = stack_images(field_images(field_rates(places=np.empty((0, 2)))))
    x0, y0 = np.array([20.0, 75.0, np.nan, -50.0]), np.array([30.0, 80.0, 10.0, 10.0])
    x, y = recentred(dark, x0, y0)
    assert np.all(np.hypot(x - x0, y - y0)[:2] <= 6)
    np.testing.assert_array_equal(x[2:], x0[2:])
    np.testing.assert_array_equal(y[2:], y0[2:])
    nothing = replace(dark, flux=np.zeros_like(dark.flux))
    x, y = recentred(nothing, x0, y0)
    np.testing.assert_array_equal(x, x0)


def test_the_detection_image_counts_noise_and_leaves_holes_at_zero() -> None:
    flux = FIELD.flux.copy()
    flux[:, 10:20, 10:20] = np.nan
    image = detection_image(replace(FIELD, flux=flux))
    assert np.all(image[10:20, 10:20] == 0)
    low, middle = np.percentile(image[30:], [15.87, 50])
    assert middle - low == pytest.approx(1, abs=0.1)
    for x, y in PLACES:
        assert image[round(y), round(x)] > 20


def test_the_local_level_follows_a_gradient_and_fills_holes() -> None:
    rows, columns = np.mgrid[:120, :150]
    plane = (0.01 * columns + 0.02 * rows).astype(np.float32)
    level = local_level(plane)
    assert np.abs(level - plane)[20:-20, 20:-20].max() < 0.02
    plane[40:100] = np.nan
    assert np.isfinite(local_level(plane)).all()
    assert np.all(local_level(np.full((50, 50), np.nan, np.float32)) == 0)
    holes = filled(replace(FIELD, flux=np.stack([plane] * 3)))
    assert np.isfinite(holes).all()
    np.testing.assert_array_equal(holes[0, :40], plane[:40])


def test_of_close_detections_the_most_probable_stays() -> None:
    found = Found(np.array([10.0, 13.0, 16.0, 50.0]), np.full(4, 5.0), np.array([4, 3, 2, 1.0]))
    assert one_each(found, 4.0).p.tolist() == [4.0, 2.0, 1.0]
    assert len(one_each(found.select(slice(0, 0)))) == 0
