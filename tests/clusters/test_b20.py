"""B20's network: its table of layers, its loss, its posteriors."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from filar.clusters.b20 import B20, Bottleneck, build
from filar.clusters.inputs import Inputs
from filar.errors import ParameterError

RANGES = ((6.6, 8.0), (0.0, 3.0), (3.477, 5.477), (-1.398, -0.398))


def tiny(**options: object) -> B20:
    torch.manual_seed(0)
    return B20(2, RANGES, bins=(4, 3, 3, 5), channels=4, blocks=(1, 1, 1, 1), **options)  # type: ignore[arg-type]


def toy_batch(n: int = 64, seed: int = 0) -> dict[str, torch.Tensor]:
    """Images whose brightness tells the mass, whose colour tells the extinction."""
    rng = np.random.default_rng(seed)
    low, high = np.array(RANGES).T
    values = rng.uniform(low, high, (n, 4))
    cluster = np.arange(n) % 4 > 0
    mass, dust = (values[:, 2] - 4.5), values[:, 1] - 1.5
    image = rng.normal(0, 0.1, (n, 2, 16, 16))
    image[:, :, 6:10, 6:10] += np.where(cluster, 3 + mass, 0)[:, None, None, None]
    image[:, 0, 6:10, 6:10] += np.where(cluster, dust, 0)[:, None, None]
    values[~cluster] = np.nan
    log_snr = np.where(cluster, 1 + mass, np.nan)
    batch = {"image": image, "values": values, "cluster": cluster, "log_snr": log_snr}
    return {name: torch.from_numpy(np.asarray(own, np.float32)) for name, own in batch.items()}


def test_the_layers_are_those_of_the_table() -> None:
    network = B20(3, RANGES).eval()
    assert [len(group) for group in network.groups] == [3, 4, 6, 3]  # type: ignore[arg-type]
    image = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert network.stem[:2](image).shape == (1, 64, 64, 64)
        found = network.stem(image)
        assert found.shape == (1, 64, 32, 32)
        for group, shape in zip(
            network.groups, [(128, 32), (256, 16), (512, 8), (1024, 4)], strict=True
        ):
            found = group(found)
            assert found.shape == (1, shape[0], shape[1], shape[1])
        logits = network(image)
    assert [own.shape[1] for own in logits] == [20 * 10 * 14, 14, 2, 20]


def test_it_has_fifty_layers_and_their_parameters() -> None:
    network = B20(3, RANGES)
    counted = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    shortcuts = [m.shortcut for m in network.modules() if isinstance(m, Bottleneck)]
    extra = sum(isinstance(one, nn.Sequential) for one in shortcuts)
    assert extra == 4  # one where each group begins
    assert len(counted) - extra - len(network.outputs) == 50
    expected, before = 49 * 3 * 64 + 2 * 64, 64
    for after, blocks in ((128, 3), (256, 4), (512, 6), (1024, 3)):
        inner = after // 4
        own = 9 * inner**2 + inner * after + 2 * (2 * inner + after)
        expected += blocks * own + inner * before + (blocks - 1) * inner * after
        expected += before * after + 2 * after  # the shortcut
        before = after
    expected += 1024 * 1024 + 1024 + 1025 * (2800 + 14 + 2 + 20)
    assert sum(p.numel() for p in network.parameters()) == expected == 9_859_028


def test_backgrounds_teach_nothing_of_clusters() -> None:
    network, batch = tiny().eval(), toy_batch()
    _, figures = network.loss(batch)
    no_values = {**batch, "values": torch.where(batch["cluster"][:, None] > 0, batch["values"], 1)}
    other = network.loss(no_values)[1]
    assert all(torch.equal(figures[name], other[name]) for name in figures)
    only = {name: own[batch["cluster"] > 0] for name, own in batch.items()}
    alone = network.loss(only)[1]
    for name in ("joint", "size", "visibility"):
        assert float(alone[name]) == pytest.approx(float(figures[name]), rel=1e-4)
    backgrounds = {name: own[batch["cluster"] < 1] for name, own in batch.items()}
    network.zero_grad()
    loss, figures = network.loss(backgrounds)
    assert float(figures["joint"]) == 0 and float(figures["visibility"]) == 0
    loss.backward()  # type: ignore[no-untyped-call]
    taught = [bool(next(output.parameters()).grad.any()) for output in network.outputs]  # type: ignore[union-attr]
    assert taught == [False, False, True, False]


def test_it_learns_and_its_posteriors_hold_the_truth() -> None:
    network, test = tiny(), toy_batch(64, 1000)
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 40)
    first = float(network.loss(test)[0].detach())
    for step in range(40):
        optimiser.zero_grad()
        loss, _ = network.loss(toy_batch(128, step))
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    network.eval()
    generator = torch.Generator().manual_seed(1)
    samples, p_cluster, log_snr = network.predict(test, 200, generator)
    assert samples.shape == (64, 200, 4)
    low, high = torch.tensor(RANGES).T
    assert bool(((samples >= low - 1e-4) & (samples <= high + 1e-4)).all())
    assert float(network.loss(test)[0].detach()) < first
    one = test["cluster"] > 0
    assert float(p_cluster[one].min()) > 0.5 > float(p_cluster[~one].max())
    # of the age nothing is told
    assert float(samples[one][:, :, 0].std(dim=1).mean()) == pytest.approx(1.4 / 12**0.5, abs=0.06)
    for k in (1, 2):
        found = np.corrcoef(samples[one][:, :, k].mean(dim=1), test["values"][one][:, k])[0, 1]
        assert found > 0.8
    assert np.corrcoef(log_snr[one], test["log_snr"][one])[0, 1] > 0.8


def inputs(size: int = 64) -> Inputs:
    ones = np.ones(20, np.float32)
    return Inputs(("U", "B"), size, 0.04, ones[:2], ones, ones, np.array(RANGES))


def test_it_is_built_of_what_it_is_given() -> None:
    network = build(inputs(), bins=[5, 4, 3, 2], channels=8, blocks=[1, 1])
    assert network.stem[0].in_channels == 2
    assert [(axis.low, axis.high) for axis in network.axes] == list(RANGES)
    assert [axis.number for axis in network.axes] == [5, 4, 3, 2]
    assert network.full.in_features == 32


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"channels": 5}, "channels"),
        ({"blocks": []}, "blocks"),
        ({"blocks": [3, 0]}, "blocks"),
        ({"bins": [20, 10, 14]}, "ranges"),
        ({"bins": [20, 10, 0, 14]}, "bins of log_mass"),
        ({"visibility": [1.0]}, "visibility"),
        ({"visibility": [3.0, -1.0]}, "log_snr"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], name: str) -> None:
    with pytest.raises(ParameterError, match=name):
        build(inputs(), **options)


def test_ranges_and_sizes_that_make_no_sense() -> None:
    with pytest.raises(ParameterError, match="one of each of log_age"):
        B20(3, RANGES[:3])
    with pytest.raises(ParameterError, match="16 pixels or more"):
        build(inputs(12))
