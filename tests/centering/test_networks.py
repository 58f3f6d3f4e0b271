"""The papers' networks, layer by layer."""

import pytest
import torch

from filar.centering.networks import CORNER, count_parameters, paper_network
from filar.errors import ParameterError
from filar.learn.recipe import load_recipe

NAMES = ["c23-v1", "c23-v2", "c24-vgg8"]


def shapes_of(name: str) -> list[tuple[int, ...]]:
    """Output shapes (height, width, channels) of convolutions, normalisations and maxima."""
    network, found = paper_network(name), []

    def note(module: torch.nn.Module, given: object, out: torch.Tensor) -> None:
        found.append((*out.shape[2:], out.shape[1]))

    for module in network.convolutions:
        if not isinstance(module, torch.nn.ReLU | torch.nn.Flatten):
            module.register_forward_hook(note)
    network.features(torch.rand(2, 6, 6))
    return found


@pytest.mark.parametrize(
    ("name", "total", "trainable"),
    [
        ("c23-v1", 34_418, 34_354),
        ("c23-v2", 214_754, 214_626),
        ("c24-vgg8", 1_420_382, 1_420_142),
    ],
)
def test_parameters_are_as_many_as_the_papers_say(name: str, total: int, trainable: int) -> None:
    assert count_parameters(paper_network(name)) == (total, trainable)


def test_shapes_of_c23_v1_are_those_of_the_table() -> None:
    expected = [(14, 14, 16), (12, 12, 16), (6, 6, 16), (4, 4, 32), (2, 2, 32), (2, 2, 32)]
    assert shapes_of("c23-v1") == [*expected, (1, 1, 32)]


def test_shapes_of_c23_v2_are_those_of_the_table_from_its_first_pool() -> None:
    expected = [(8, 8, 32), (6, 6, 64), (4, 4, 64), (4, 4, 64), (2, 2, 64)]
    assert shapes_of("c23-v2")[2:] == expected


def test_shapes_of_c24_vgg8_are_those_of_the_table() -> None:
    expected = [(12, 12, 60), (12, 12, 60), (6, 6, 60), (6, 6, 120), (6, 6, 120), (6, 6, 120)]
    assert shapes_of("c24-vgg8") == [*expected, (3, 3, 120), (3, 3, 240), (3, 3, 240), (1, 1, 240)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [4, 5, 6, 12])
def test_rasters_of_all_sizes_give_two_coordinates_each(name: str, size: int) -> None:
    network = paper_network(name).eval()
    rasters, scalars = torch.rand(5, size, size), torch.rand(5, 3)
    together = network(rasters, scalars)
    assert together.shape == (5, 2)
    alone = torch.cat([network(rasters[i : i + 1], scalars[i : i + 1]) for i in range(5)])
    assert torch.allclose(together, alone, atol=1e-5)


def test_rasters_that_the_padding_cannot_hold_are_refused() -> None:
    with pytest.raises(ParameterError, match="12 or less"):
        paper_network("c24-vgg8")(torch.rand(2, 13, 13), torch.rand(2, 3))


def test_first_weights_and_normalisation_are_keras_defaults() -> None:
    torch.manual_seed(1)
    network = paper_network("c24-vgg8")
    conv = network.convolutions[2]
    limit = (6 / (25 * 60 + 25 * 60)) ** 0.5
    assert 0.99 * limit < conv.weight.abs().max() <= limit
    assert not conv.bias.any()
    norms = [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert [(m.eps, m.momentum) for m in norms] == [(1e-3, 0.01)]


def test_untrained_output_layer_counts_from_the_corner() -> None:
    network = paper_network("c23-v1")
    torch.nn.init.zeros_(network.dense[2].weight)
    assert torch.equal(network(torch.rand(3, 6, 6)), torch.full((3, 2), -CORNER))


def test_scalars_matter_to_vgg8_alone() -> None:
    rasters = torch.rand(4, 6, 6)
    moved = torch.ones(4, 3)
    vgg6, vgg8 = paper_network("c23-v2").eval(), paper_network("c24-vgg8").eval()
    assert torch.equal(vgg6(rasters, None), vgg6(rasters, moved))
    assert (vgg8(rasters, moved) - vgg8(rasters, 2 * moved)).abs().min() > 0
    with pytest.raises(ParameterError, match="scalars"):
        vgg8(rasters)


def test_loss_is_the_mean_absolute_error() -> None:
    network = paper_network("c23-v1").eval()
    rasters = torch.rand(7, 6, 6)
    shift = torch.tensor([0.3, -0.1])
    label = network(rasters).detach() + shift
    loss, figures = network.loss({"raster": rasters, "label": label})
    assert loss.item() == pytest.approx(0.2, abs=1e-5)
    assert figures["error"].item() == pytest.approx((0.05) ** 0.5, abs=1e-5)


def test_gradients_reach_every_weight() -> None:
    torch.manual_seed(0)
    for name in NAMES:
        network = paper_network(name)
        batch = {"raster": torch.rand(64, 6, 6), "label": torch.rand(64, 2)}
        network.loss(batch | {"scalars": torch.rand(64, 3)})[0].backward()
        assert all(weight.grad.abs().sum() > 0 for weight in network.parameters())


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_of_the_papers_builds_its_network(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.job == "centering"
    assert recipe.loss.name == "mae"
    assert recipe.budget.epochs == 1000
    assert (recipe.data.size, recipe.data.normalisation) == (6, "sum")
    assert count_parameters(paper_network(recipe.network.name))[0] > 30_000


def test_unknown_network_is_refused() -> None:
    with pytest.raises(ParameterError, match="c23-v1, c23-v2 or c24-vgg8"):
        paper_network("c23-v3")
