"""Bins: shares, joint shares, draws."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from filar.clusters.binned import Axis, cross_entropy, draw, joint_shares, mean, unshared
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


@pytest.mark.parametrize("width", [0.8, 1.5, 3.0])
def test_draws_are_as_wide_as_the_posterior_that_was_learnt(width: float) -> None:
    generator = torch.Generator().manual_seed(1)
    spread = width * torch.tensor([AGE.width, DUST.width])
    tilt = torch.tensor([[1.0, 0.6], [0.6, 1.0]]) * torch.outer(spread, spread)
    root = torch.linalg.cholesky(tilt)
    points = torch.randn(20_000, 2, generator=generator) @ root.T + torch.tensor([7.3, 1.5])
    bins, weight = joint_shares((AGE, DUST), points)
    ideal = torch.zeros(200).index_add_(0, bins.flatten(), weight.flatten()) / len(points)
    found = draw((AGE, DUST), (ideal + 1e-12).log()[None], 20_000, generator)[0].numpy()
    inside = points.numpy()
    np.testing.assert_allclose(found.mean(axis=0), inside.mean(axis=0), atol=0.02)
    np.testing.assert_allclose(
        found.std(axis=0), inside.clip([6.6, 0], [8, 3]).std(axis=0), rtol=0.05
    )
    assert np.corrcoef(found.T)[0, 1] == pytest.approx(0.6, abs=0.07)


def test_unshared_probabilities() -> None:
    flat = torch.full((1, 200), 1 / 200)
    np.testing.assert_allclose(unshared((AGE, DUST), flat), flat, atol=1e-6)
    place = torch.meshgrid(torch.arange(20.0), torch.arange(10.0), indexing="ij")
    in_bins = 1.2 + torch.sin(torch.stack([place[0] / 2 + k for k in range(3)])) * torch.cos(
        place[1]
    )
    in_bins = in_bins.double()
    in_bins /= in_bins.sum(dim=(1, 2), keepdim=True)
    points = torch.rand(200_000, dtype=torch.float64)
    shares = []
    for axis in (AGE, DUST):
        own = torch.zeros(axis.number, axis.number, dtype=torch.float64)
        for k in range(axis.number):
            values = axis.within(torch.tensor(k), points)
            bins, weight = axis.shares(values)
            own[:, k] = own[:, k].index_add(0, bins.flatten(), weight.flatten()) / len(points)
        shares.append(own)
    blurred = torch.einsum("ai,bj,nij->nab", *shares, in_bins).reshape(3, 200)
    found = unshared((AGE, DUST), blurred).reshape(3, 20, 10)
    np.testing.assert_allclose(found, in_bins, atol=1e-4)
    narrow = torch.zeros(1, 200)
    narrow[0, 57] = 1.0
    np.testing.assert_allclose(unshared((AGE, DUST), narrow), narrow, atol=1e-6)
    one_bin = Axis("a", 0, 1, 1)
    assert unshared((one_bin,), torch.ones(2, 1)).tolist() == [[1], [1]]


def test_mean_of_a_softmax() -> None:
    logits = torch.full((1, 10), -60.0)
    logits[0, 2] = logits[0, 4] = 0.0
    assert float(mean(DUST, logits)) == pytest.approx(1.05)
