"""The mixture: its prior, its density, its draws."""

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from filar.clusters.mixture import SIZE, Mixture, draw, from_normal, surprise, to_normal  # noqa: E402

RANGES = torch.tensor([[6.6, 8.0], [0.0, 3.0], [3.5, 5.5], [-1.4, -0.4]])


def one(mean: list[float], scale: list[float], slope: float = 0.0):  # type: ignore[no-untyped-def]
    """A mixture of one component; `slope` couples the first two variables."""
    root = torch.diag_embed(1 / torch.tensor(scale))[None, None].clone()
    root[0, 0, 1, 0] = slope
    return torch.zeros(1, 1), torch.tensor(mean)[None, None], root


def test_a_flat_prior_is_standard_normal_and_back() -> None:
    part = torch.rand(20_000, SIZE, generator=torch.Generator().manual_seed(1))
    values = RANGES[:, 0] + part * (RANGES[:, 1] - RANGES[:, 0])
    normal = to_normal(values, RANGES)
    assert normal.mean(0).abs().max() < 0.03
    assert (normal.std(0) - 1).abs().max() < 0.03
    assert torch.allclose(from_normal(normal, RANGES), values, atol=2e-3)


def test_what_is_drawn_stays_within_the_prior() -> None:
    far = torch.tensor([[-40.0, 40.0, 0.0, -3.0]])
    found = from_normal(far, RANGES)
    assert (found >= RANGES[:, 0]).all()
    assert (found <= RANGES[:, 1]).all()


def test_the_density_of_one_component_is_that_of_a_normal_distribution() -> None:
    mixture = one([0.5, -1.0, 0.0, 2.0], [0.5, 2.0, 1.0, 0.1], slope=0.7)
    root = mixture[2][0, 0]
    covariance = torch.linalg.inv(root @ root.T)
    expected = torch.distributions.MultivariateNormal(mixture[1][0, 0], covariance)
    where = torch.randn(50, SIZE, generator=torch.Generator().manual_seed(2))
    same = tuple(part.expand(50, *part.shape[1:]) for part in mixture)
    assert torch.allclose(surprise(same, where), -expected.log_prob(where), rtol=1e-4)  # type: ignore[arg-type]


def test_draws_have_the_mean_and_covariance_of_the_density() -> None:
    mixture = one([0.5, -1.0, 0.0, 2.0], [0.5, 2.0, 1.0, 0.1], slope=0.7)
    found = draw(mixture, 40_000, torch.Generator().manual_seed(3))[0].double()
    root = mixture[2][0, 0].double()
    covariance = torch.linalg.inv(root @ root.T)
    assert torch.allclose(found.mean(0), mixture[1][0, 0].double(), atol=0.04)
    assert torch.allclose(torch.cov(found.T), covariance, rtol=0.05, atol=0.02)


def test_draws_come_from_components_as_often_as_their_weights_say() -> None:
    mean = torch.tensor([[[-3.0] * SIZE, [3.0] * SIZE]])
    root = torch.eye(SIZE).expand(1, 2, SIZE, SIZE) * 10
    weights = torch.log(torch.tensor([[0.2, 0.8]]))
    found = draw((weights, mean, root), 20_000, torch.Generator().manual_seed(4))
    assert float((found[0, :, 0] > 0).float().mean()) == pytest.approx(0.8, abs=0.01)


def test_two_peaks_are_learnt_with_the_weights_that_they_have() -> None:
    """The same input for old without dust and for young with dust: 30% and 70%."""
    generator = torch.Generator().manual_seed(5)
    old = torch.rand(4000, generator=generator) < 0.3
    truth = torch.where(
        old[:, None], torch.tensor([1.2, -1.5, 0.3, 0.0]), torch.tensor([-1.0, 0.8, -0.5, 0.0])
    )
    truth = truth + 0.1 * torch.randn(truth.shape, generator=generator)
    torch.manual_seed(0)
    layer, inputs = Mixture(3, 6), torch.ones(len(truth), 3)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.03)
    for _ in range(300):
        optimiser.zero_grad()
        loss = surprise(layer(inputs), truth).mean()
        loss.backward()
        optimiser.step()
    found = draw(layer(inputs[:1]), 4000, generator)[0].detach()
    assert float((found[:, 0] > 0).float().mean()) == pytest.approx(0.3, abs=0.05)
    between = (found[:, 0].abs() < 0.5).float().mean()
    assert float(between) < 0.02
    apart = found[found[:, 0] > 0].mean(0) - torch.tensor([1.2, -1.5, 0.3, 0.0])
    assert apart.abs().max() < 0.05
    entropy = 0.5 * SIZE * math.log(2 * math.pi * math.e * 0.01)
    assert float(loss.detach()) == pytest.approx(
        entropy - 0.3 * np.log(0.3) - 0.7 * np.log(0.7), abs=0.15
    )
