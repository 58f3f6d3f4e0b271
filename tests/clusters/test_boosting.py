"""The baseline: features of known light, and answers to a toy problem."""

import numpy as np
import pytest

from filar.clusters.boosting import Boosting, asinh_mag, features
from filar.clusters.cutouts import Cutouts, make_cutouts
from filar.clusters.data import Truth
from filar.errors import ParameterError


def toy(n: int, seed: int) -> tuple[Cutouts, Truth]:
    """Gaussians of two bands: light tells the mass, width the size, colour the extinction."""
    rng = np.random.default_rng(seed)
    low, high = np.array(((6.6, 0.0, 3.5, -1.4), (8.0, 3.0, 5.5, -0.4)))
    values = rng.uniform(low, high, (n, 4))
    cluster = np.arange(n) % 5 > 0
    away = np.arange(32) - 15.5
    width = 1.5 + 10 ** values[:, 3] / 0.1
    shape = np.exp(-(away[:, None] ** 2 + away**2) / (2 * width[:, None, None] ** 2))
    shape /= shape.sum(axis=(1, 2), keepdims=True)
    light = 10 ** (values[:, 2, None] - 3 - 0.4 * values[:, 1, None] * np.array([1.5, 0.5]))
    light *= cluster[:, None]
    flux = shape[:, None] * light[:, :, None, None] + 2 + rng.normal(0, 0.05, (n, 2, 32, 32))
    values[~cluster] = np.nan
    snr = np.where(cluster, np.log10(np.maximum(light.sum(axis=1), 1e-9)), np.nan)
    return make_cutouts(flux, 0.05, 100.0, ("U", "I"), 0.04), Truth(values, cluster, snr)


def test_features_of_known_light() -> None:
    cutouts, truth = toy(6, 0)
    found = features(cutouts)
    # 7 apertures: magnitudes, colours, growth; sky and noise
    assert found.shape == (6, 14 + 7 + 12 + 2 + 2)
    np.testing.assert_allclose(found[:, -4:-2], 2, atol=0.02)
    np.testing.assert_allclose(found[:, -2:], np.log10(0.05), atol=0.06)
    bright = int(np.nanargmax(truth.values[:, 2] - truth.values[:, 1] / 4))
    light = 10 ** (truth.values[bright, 2] - 3 - 0.4 * truth.values[bright, 1] * 0.5)
    assert found[bright, 13] == pytest.approx(25 - 2.5 * np.log10(light), abs=0.3)
    np.testing.assert_allclose(found[:, 14:21], found[:, :7] - found[:, 7:14], atol=1e-5)
    assert features(cutouts.select(slice(0, 0))).shape == (0, 37)


def test_asinh_magnitudes() -> None:
    flux = np.array([1e4, 1.0, 0.0, -1e4])
    found = asinh_mag(flux, np.array([1.0, 1e-3, 1.0, 1.0]))
    np.testing.assert_allclose(found[:3], [15.0, 25.0, 25.0], atol=1e-3)
    assert found[3] == pytest.approx(35, abs=1e-3)


def test_it_learns_what_photometry_tells() -> None:
    learnt, truth = toy(600, 1)
    model = Boosting(iterations=20, learning_rate=0.3, least_leaf=15).fit(features(learnt), truth)
    cutouts, truth = toy(200, 2)
    found = model.predict(features(cutouts))
    one = truth.cluster
    miss = (found.value - truth.values)[one]
    spread = truth.values[one].std(axis=0)
    assert (miss.std(axis=0)[1:] < 0.5 * spread[1:]).all()
    assert miss.std(axis=0)[0] > 0.9 * spread[0]  # nothing tells the age
    for level, (low, high) in found.intervals.items():
        inside = ((low <= truth.values) & (truth.values <= high))[one].mean()
        assert abs(inside - level) < 0.2
        assert (low <= high).all()
    assert found.p_cluster is not None and found.log_snr is not None
    assert found.p_cluster[one].mean() > 0.9 and found.p_cluster[~one].mean() < 0.2
    assert np.corrcoef(found.log_snr[one], truth.log_snr[one])[0, 1] > 0.9


def test_errors() -> None:
    cutouts, truth = toy(30, 3)
    with pytest.raises(ParameterError, match="24 clusters"):
        Boosting().fit(features(cutouts), truth)
    with pytest.raises(ParameterError, match="fit before predict"):
        Boosting().predict(features(cutouts))
