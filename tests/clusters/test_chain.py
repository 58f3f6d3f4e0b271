"""The chain of histograms: its prior, its density, its draws."""

import pytest

torch = pytest.importorskip("torch")

from filar.clusters.chain import KNOTS, SIZE, Chain, hats, sloped  # noqa: E402


def generator(seed: int = 0) -> "torch.Generator":
    return torch.Generator().manual_seed(seed)


def test_before_training_it_is_the_prior() -> None:
    torch.manual_seed(0)
    chain, features = Chain(5, 8, 10), torch.randn(3, 5)
    truth = torch.rand(3, SIZE, generator=generator())
    assert torch.allclose(chain.surprise(features, truth), torch.zeros(3, SIZE), atol=1e-6)
    found = chain.draw(features, 5000, generator(1))
    assert (found.mean((0, 1)) - 0.5).abs().max() < 0.02
    assert (found.std((0, 1)) - 12**-0.5).abs().max() < 0.01
    assert found.min() >= 0
    assert found.max() <= 1


def test_hats_share_a_number_between_two_knots_and_keep_it() -> None:
    part = torch.rand(200, generator=generator())
    shares = hats(part)
    assert torch.allclose(shares.sum(-1), torch.ones(200), atol=1e-5)
    assert ((shares > 0).sum(-1) <= 2).all()
    back = shares @ torch.linspace(0, 1, KNOTS)
    assert torch.allclose(back, part, atol=1e-5)


def test_draws_follow_the_density() -> None:
    """Random weights; cells of the first two parameters as often as the density says."""
    torch.manual_seed(3)
    chain, features, bins = Chain(4, 8, 5), torch.randn(1, 4), 5
    for link in chain.links:
        torch.nn.init.normal_(link.last.weight, std=1.0)
    found = chain.draw(features, 60_000, generator(2)).detach()[0]
    cells = (found[:, :2] * bins).long().clamp(max=bins - 1)
    often = torch.bincount(cells[:, 0] * bins + cells[:, 1], minlength=bins**2) / len(found)
    # The density changes within a cell by its own condition: a mean over places in it.
    part = torch.rand(60_000, SIZE, generator=generator(4))
    density = torch.exp(
        -chain.surprise(features.expand(len(part), -1), part)[:, :2].sum(1)
    ).detach()
    where = (part[:, :2] * bins).long()
    sums = torch.zeros(bins**2).index_add(0, where[:, 0] * bins + where[:, 1], density)
    assert torch.allclose(often, sums / len(part), atol=0.008)
    assert float(density.mean()) == pytest.approx(1, abs=0.02)


def test_two_peaks_are_learnt_with_the_weights_that_they_have() -> None:
    """The same input for old without dust and for young with dust: 30% and 70%."""
    old = torch.rand(3000, generator=generator(5)) < 0.3
    high, low = torch.tensor([0.8, 0.2, 0.5, 0.5]), torch.tensor([0.2, 0.7, 0.5, 0.5])
    truth = torch.where(old[:, None], high, low)
    truth = truth + 0.03 * torch.randn(truth.shape, generator=generator(6))
    torch.manual_seed(0)
    chain, inputs = Chain(3, 32, 20), torch.ones(len(truth), 3)
    optimiser = torch.optim.Adam(chain.parameters(), lr=0.02)
    for _ in range(80):
        optimiser.zero_grad()
        chain.surprise(inputs, truth).sum(1).mean().backward()
        optimiser.step()
    found = chain.draw(inputs[:1], 4000, generator(7))[0].detach()
    aged, dusty = found[:, 0] > 0.5, found[:, 1] > 0.45
    assert float(aged.float().mean()) == pytest.approx(0.3, abs=0.05)
    assert float((aged == dusty).float().mean()) < 0.03
    assert (found[aged].mean(0) - high).abs().max() < 0.05


def test_calibration_finds_how_much_too_sure_the_histograms_are() -> None:
    """Logits made 1.5 times as steep as what the truth is drawn from."""
    torch.manual_seed(4)
    chain, features = Chain(4, 8, 6), torch.randn(4000, 4)
    for link in chain.links:
        torch.nn.init.normal_(link.last.weight, std=0.5)
    with torch.no_grad():
        truth = chain.draw(features, 1, generator(8))[:, 0]
        for link in chain.links:
            link.last.weight *= 1.5
        before = chain.surprise(features, truth).mean()
        chain.calibrate(features, truth)
        assert chain.surprise(features, truth).mean() < before
    assert (chain.temperature - 1.5).abs().max() < 0.15


def test_a_linear_density_is_drawn_as_it_is() -> None:
    """Density 2 x in five bins: the mean is 2/3, the mean of squares 1/2."""
    bins = 5
    ends = torch.linspace(0, 1, bins + 1)
    share = (ends[1:] ** 2 - ends[:-1] ** 2).expand(1, 1, bins)
    chosen = torch.multinomial(share[0, 0], 100_000, replacement=True, generator=generator(9))
    within = torch.rand(1, 100_000, generator=generator(10))
    spread = share.expand(1, 100_000, bins)
    place = sloped(within, spread, chosen[None, :, None])
    assert place.min() >= 0
    assert place.max() <= 1
    found = (chosen + place[0]) / bins
    inner = (chosen > 0) & (chosen < bins - 1)
    expected = (0.8**3 - 0.2**3) * 2 / 3 / (0.8**2 - 0.2**2)
    assert float(found[inner].mean()) == pytest.approx(expected, abs=0.002)
    # within the third bin, from 0.4 to 0.6, the mean is not its middle
    third = found[chosen == 2]
    assert float(third.mean()) == pytest.approx((0.6**3 - 0.4**3) * 2 / 3 / 0.2, abs=0.001)


def test_a_bin_beside_an_empty_one_is_drawn_towards_the_full_one() -> None:
    share = torch.tensor([[[0.0, 0.5, 0.5, 0.0]]]).expand(1, 1000, 4)
    within = torch.rand(1, 1000, generator=generator(11))
    low = sloped(within, share, torch.ones(1, 1000, 1, dtype=torch.long))
    high = sloped(within, share, torch.full((1, 1000, 1), 2))
    assert float(low.mean()) == pytest.approx(0.5 + 0.25 / 6, abs=0.02)
    assert float(high.mean()) == pytest.approx(0.5 - 0.25 / 6, abs=0.02)
