"""W24's network: the disc, its inputs, and a known answer."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from filar.errors import ParameterError
from filar.saturation.batches import tensors, training_batches
from filar.saturation.data import Samples
from filar.saturation.networks import build_network, check_recipe, trainings
from filar.saturation.parts import damaged_pixels
from filar.saturation.w24 import DiscInputs, disc
from tests.saturation.toys import SKY, small_recipe, toy_samples

SAMPLES = toy_samples(40, 2)
RECIPE = small_recipe()
INPUTS = DiscInputs.learn(SAMPLES, RECIPE)


def test_the_disc_has_81_pixels_about_the_middle() -> None:
    seen = disc(21)
    assert seen.sum() == 81
    assert seen[10, 15] and seen[13, 14] and not seen[14, 14] and not seen[10, 16]
    np.testing.assert_array_equal(seen, seen[::-1, ::-1])
    np.testing.assert_array_equal(disc(11), seen[5:16, 5:16])


def test_inputs_have_mean_0_and_width_1() -> None:
    x = INPUTS.batch(SAMPLES)["x"]
    assert x.shape == (80, 83) and x.dtype == torch.float32
    x = tensors(INPUTS, SAMPLES, np.arange(80), flips=True)["x"]
    assert x.mean(0).abs().max() < 1e-3
    assert (x[:, :81].std(0) - 1).abs().max() < 0.3
    # zero point and sky are the same everywhere here: they tell nothing, and divide by nothing
    assert x[:, 81:].abs().max() < 1e-3


def test_an_input_knows_only_the_disc_zero_point_and_sky() -> None:
    hidden = SAMPLES.stamp.copy()
    hidden[:, ~disc(21)] = -1e9
    before = INPUTS.batch(SAMPLES)["x"]
    other = replace(SAMPLES, stamp=hidden, x=SAMPLES.x + 100, mag=SAMPLES.mag + 1)
    assert torch.equal(INPUTS.batch(other)["x"], before)
    for name, place in (("zero_point", 81), ("sky", 82)):
        moved = INPUTS.batch(replace(SAMPLES, **{name: getattr(SAMPLES, name) * 1.1}))["x"]
        assert (moved != before).any(0).nonzero().flatten().tolist() == [place]


def test_unknown_numbers_do_not_spoil_the_others() -> None:
    stamp = SAMPLES.stamp.copy()
    stamp[0, 10, 12] = np.nan
    spoilt = replace(SAMPLES, stamp=stamp, zero_point=np.full(80, np.nan))
    x = INPUTS.batch(spoilt)["x"]
    assert torch.isfinite(x).all()
    assert (x != INPUTS.batch(SAMPLES)["x"]).sum() == 1
    blind = DiscInputs.learn(spoilt, RECIPE)
    assert torch.isfinite(blind.batch(spoilt)["x"]).all()
    assert DiscInputs.from_facts(blind.facts()) == blind


@pytest.mark.parametrize(("missing", "usable"), [(0, True), (4, True), (5, False), (81, False)])
def test_stamps_with_unusable_pixels(missing: int, usable: bool) -> None:
    stamp = SAMPLES.stamp[:1].copy()
    rows, columns = np.nonzero(disc(21))
    stamp[0, rows[:missing], columns[:missing]] = np.nan
    stamp[0, 0, :] = np.nan  # beyond the disc
    assert DiscInputs.usable(Samples.build(stamp)).tolist() == [usable]


def test_a_disc_that_is_saturated_all_over_tells_nothing() -> None:
    saturated = np.zeros((2, 21, 21), bool)
    saturated[0, 2:19, 2:19] = True
    saturated[1, 6:15, :] = True
    samples = Samples.build(np.full((2, 21, 21), 6e4), saturated=saturated)
    assert DiscInputs.usable(samples).tolist() == [False, True]


def test_facts_that_make_no_sense_are_refused() -> None:
    good = INPUTS.facts()
    assert DiscInputs.from_facts(good) == INPUTS
    for wrong in (
        {"center": [1.0]},
        {"soft": 0.0},
        {"scale": ["a"] * 83},
        {"size": 11.0, "scale": []},
    ):
        with pytest.raises(ParameterError, match="normalisation"):
            DiscInputs.from_facts({**good, **wrong})
    with pytest.raises(ParameterError, match="normalisation"):
        DiscInputs.from_facts({})


def test_the_network_is_as_large_as_the_recipe_says() -> None:
    from filar.learn.recipe import load_recipe

    recipe = load_recipe("w24")
    network = build_network(recipe, INPUTS, 0)
    shapes = [tuple(p.shape) for p in network.parameters() if p.ndim == 2]
    assert shapes == [(256, 83), (256, 256), (256, 256), (256, 256), (1, 256)]
    assert trainings(recipe) == (24, ())
    value, error = network.predict(INPUTS.batch(SAMPLES))  # type: ignore[operator]
    assert value.shape == (80,) and error is None
    assert abs(float(value.detach().mean()) - float(np.median(SAMPLES.log_n))) < 0.5
    batch = tensors(INPUTS, SAMPLES, np.arange(80))
    loss, _ = network.loss(batch)  # type: ignore[operator]
    truth = torch.from_numpy(SAMPLES.log_n)
    assert float(loss.detach()) == pytest.approx(
        float((value - truth).square().mean().detach()), rel=1e-4
    )


def test_batches_show_every_row_once_a_pass_and_each_pass_in_another_order() -> None:
    columns = tensors(INPUTS, SAMPLES, np.arange(80), flips=True)
    columns["row"] = torch.arange(320)
    epochs = training_batches(columns, 3, 5)
    first, again, second = ([b["row"] for b in epochs(k)] for k in (0, 0, 1))
    assert len(first) == len(epochs(0)) == 107 and len(first[-1]) == 2
    assert sorted(torch.cat(first).tolist()) == list(range(320))
    assert torch.equal(torch.cat(first), torch.cat(again))
    assert not torch.equal(torch.cat(first), torch.cat(second))
    for batch in epochs(0):
        assert torch.equal(batch["x"], columns["x"][batch["row"]])


def test_damaged_pixels_are_counted() -> None:
    gain = 1.7
    stamp = SAMPLES.stamp[:3].copy()
    stamp[1, 9:12, 9] = gain
    stamp[2] = gain
    samples = replace(
        Samples.build(stamp, sky=np.full(3, SKY), noise=np.full(3, 15.0)), meta={"count": [gain]}
    )
    assert damaged_pixels(samples).tolist() == [0, 3, 441]
    # of a dark sky a count is nothing special
    assert damaged_pixels(replace(samples, sky=np.full(3, 5.0))).tolist() == [0, 0, 0]
    assert damaged_pixels(replace(samples, meta={})).tolist() == [0, 0, 0]
    told = replace(samples, columns=("damaged",), evidence=np.array([[7.0], [np.nan], [0.0]]))
    assert damaged_pixels(told).tolist() == [7, 0, 0]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"network__name": "forest"}, "experts, w24"),
        ({"network__trainings": 0}, "trainings"),
        ({"network__race": [2, 1]}, "race"),
        ({"network__race": [3]}, "race"),
        ({"network__race": [1], "optimiser__schedule": "cosine"}, "constant"),
        ({"network__trainings": 3, "stars__fractions": (0.8, 0.0, 0.2)}, "validation"),
        ({"loss__name": "log"}, "mse"),
        ({"job": "centering"}, "saturation"),
    ],
)
def test_recipes_that_cannot_be_trained_are_named(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        check_recipe(small_recipe(**changes))


def test_options_that_the_network_has_not() -> None:
    for changes, named in [({"network__depth": 3}, "depth"), ({"network__layers": 0}, "layers")]:
        recipe = small_recipe(**changes)
        with pytest.raises(ParameterError, match=named):
            build_network(recipe, INPUTS, 0)
