"""Cosmic rays."""

import numpy as np
import pytest

from filar.simulate import COSMIC_RAY_RATE, cosmic_rays


def test_cosmic_ray_rate_and_energy():
    counts, total = [], 0.0
    for seed in range(20):
        hits, events = cosmic_rays((800, 800), 100.0, seed=seed)
        counts.append(events)
        total += hits.sum()
        assert hits.min() >= 0
    expected = COSMIC_RAY_RATE * 100 * 640_000
    assert expected == pytest.approx(180)
    assert np.mean(counts) == pytest.approx(expected, abs=4 * np.sqrt(expected / 20))
    assert 500 < total / np.sum(counts) < 6000


def test_cosmic_rays_scale_with_time_and_can_be_off():
    assert cosmic_rays((100, 100), 0.0, seed=1)[1] == 0
    assert cosmic_rays((100, 100), 100.0, rate=0.0, seed=1)[0].sum() == 0
    few, many = (cosmic_rays((800, 800), t, seed=1)[1] for t in (100, 1000))
    assert many / few == pytest.approx(10, rel=0.4)


def test_some_cosmic_rays_leave_tracks():
    from scipy import ndimage

    hits, events = cosmic_rays((800, 800), 100.0, seed=3)
    labels, count = ndimage.label(hits > 100, np.ones((3, 3)))
    sizes = ndimage.sum_labels(hits > 100, labels, np.arange(1, count + 1))
    assert abs(count - events) < 0.15 * events
    assert 2 < np.mean(sizes) < 8
    assert sizes.max() >= 8
