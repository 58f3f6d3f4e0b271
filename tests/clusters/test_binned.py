"""Bins: shares, joint shares, draws."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from filar.clusters.binned import Axis, cross_entropy, draw, joint_shares, mean
from filar.errors import ParameterError

AGE, DUST = Axis("log_age", 6.6, 8.0, 20), Axis("a_v", 0.0, 3.0, 10)


@given(part=st.floats(0, 1), number=st.integers(1, 40), low=st.floats(-5, 5))
def test_a_value_is_the_mean_of_its_bins(part: float, number: int, low: float) -> None:
    axis = Axis("a", low, low + 2, number)
    value = torch.tensor([low + 2 * part])
    bins, weight = axis.shares(value)
    assert weight.sum() == pytest.approx(1, abs=1e-5)
    assert weight.min() >= 0 and int(bins.min()) >= 0 and int(bins.max()) < number
    inside = value.clamp(low + axis.width / 2, low + 2 - axis.width / 2)
    assert float((axis.middles[bins] * weight).sum()) == pytest.approx(float(inside), abs=2e-5)
    assert abs(int(bins[0, 1]) - int(bins[0, 0])) <= 1


def test_ranges_and_unknown_values() -> None:
    bins, weight = AGE.shares(torch.tensor([5.0, 9.0, float("nan"), 6.635]))
    assert bins[0, 0] == 0 and weight[0, 0] == 1
    assert bins[1, 0] == 19 and weight[1, 0] == 1
    assert weight[2].tolist() == [0, 0]
    assert bins[3, 0] == 0 and weight[3, 0] == pytest.approx(1, abs=1e-4)
    with pytest.raises(ParameterError, match="from low to high"):
        Axis("a_v", 3, 0, 10)
    with pytest.raises(ParameterError, match="bins of a_v"):
        Axis("a_v", 0, 3, 0)


def test_joint_shares_are_products() -> None:
    rng = np.random.default_rng(0)
    values = np.stack([rng.uniform(6.6, 8, 50), rng.uniform(0, 3, 50)], axis=1)
    values[7, 1] = np.nan
    bins, weight = joint_shares((AGE, DUST), torch.from_numpy(values))
    dense = torch.zeros(50, 200, dtype=torch.float64).scatter_add_(1, bins, weight)
    dense = dense.reshape(50, 20, 10)
    assert float(dense[7].sum()) == 0
    each = [axis.shares(torch.from_numpy(values[:, k])) for k, axis in enumerate((AGE, DUST))]
    for k in (0, 1, 30):
        own = [
            torch.zeros(axis.number, dtype=torch.float64).scatter_add_(0, b[k], w[k])
            for axis, (b, w) in zip((AGE, DUST), each, strict=True)
        ]
        np.testing.assert_allclose(dense[k], torch.outer(*own), atol=1e-12)
    logits = torch.randn(50, 200, dtype=torch.float64)
    expected = -(dense.reshape(50, 200) * torch.log_softmax(logits, dim=1)).sum(dim=1)
    np.testing.assert_allclose(cross_entropy(logits, bins, weight), expected, rtol=1e-10)


def test_draws_keep_what_bins_have_in_common() -> None:
    probability = torch.zeros(2, 20, 10)
    probability[0, 3, 8] = 0.25  # young and reddened, or old and clear
    probability[0, 15, 1] = 0.75
    probability[1] = 1 / 200
    logits = (probability.reshape(2, 200) + 1e-12).log()
    generator = torch.Generator().manual_seed(3)
    found = draw((AGE, DUST), logits, 4000, generator).numpy()
    assert found.shape == (2, 4000, 2)
    young = found[0, :, 0] < 7.3
    assert young.mean() == pytest.approx(0.25, abs=0.03)
    assert (found[0, young, 1] > 2.3).all() and (found[0, ~young, 1] < 0.7).all()
    assert found[0, young, 0].min() >= 6.8099 and found[0, young, 0].max() <= 6.8801
    # uniform bins are a uniform density
    for k, (low, high) in enumerate(((6.6, 8.0), (0.0, 3.0))):
        quantiles = np.quantile(found[1, :, k], [0.1, 0.5, 0.9])
        np.testing.assert_allclose((quantiles - low) / (high - low), [0.1, 0.5, 0.9], atol=0.03)
    again = draw((AGE, DUST), logits, 4000, torch.Generator().manual_seed(3)).numpy()
    np.testing.assert_array_equal(found, again)
    assert draw((AGE, DUST), logits[:0], 5).shape == (0, 5, 2)
    with pytest.raises(ParameterError, match="200 columns"):
        draw((AGE, DUST), logits[:, 1:], 5)


def test_mean_of_a_softmax() -> None:
    logits = torch.full((1, 10), -60.0)
    logits[0, 2] = logits[0, 4] = 0.0
    assert float(mean(DUST, logits)) == pytest.approx(1.05)
