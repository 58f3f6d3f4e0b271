"""The network that judges classic estimates: what it does by design, and what it learns."""

from typing import Any

import numpy as np
import pytest
import torch

from filar.errors import ParameterError
from filar.saturation.estimator import SaturationModel
from filar.saturation.evidence import CONTEXT, EXPERTS
from filar.saturation.experts import PSF, Experts, build
from filar.saturation.inputs import Inputs
from tests.saturation.experttoys import SATURATES, quick_recipe, toys

INPUTS = Inputs((0.0,) * len(CONTEXT), (1.0,) * len(CONTEXT))
COUNT = len(EXPERTS)


def made_batch(n: int = 50, seed: int = 0) -> dict[str, torch.Tensor]:
    """Random estimates, some of them missing, at least one for each star."""
    rng = np.random.default_rng(seed)
    truth = rng.uniform(3, 8, n)
    valid = rng.uniform(size=(n, COUNT)) < 0.6
    valid[np.arange(n), rng.integers(0, COUNT, n)] = True
    error = rng.uniform(0.002, 0.2, (n, COUNT))
    value = truth[:, None] + error * rng.normal(size=(n, COUNT))
    arrays = {
        "value": np.where(valid, value, 0), "error": np.where(valid, error, 0), "valid": valid,
        "others": rng.uniform(0, 3, (n, COUNT)) * valid, "context": rng.normal(size=(n, 18)),
        "log_n": truth, "log_n_err": np.full(n, 0.001),
    }  # fmt: skip
    return {name: torch.from_numpy(np.asarray(array, np.float32)) for name, array in arrays.items()}


def network(trained: bool = False, **options: Any) -> Experts:
    """New, or with a head of random weights, as after a training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = build(INPUTS, layers=(16, 16), **options)
        if trained:
            torch.nn.init.normal_(made.head.weight, std=0.3)
            torch.nn.init.normal_(made.head.bias, std=0.3)
    return made.eval()


def alone(expert: str, value: float = 5.123, error: float = 0.01) -> dict[str, torch.Tensor]:
    """One star of which one expert tells."""
    batch = {name: torch.zeros_like(tensor[:1]) for name, tensor in made_batch(1).items()}
    at = EXPERTS.index(expert)
    batch["value"][0, at], batch["error"][0, at], batch["valid"][0, at] = value, error, 1
    return batch


def test_the_mean_lies_between_the_experts() -> None:
    """Before they are thought biased."""
    batch = made_batch()
    with torch.no_grad():
        mean, sigma = network().predict(batch)
    valid = batch["valid"] > 0
    low = torch.where(valid, batch["value"], torch.inf).amin(dim=1)
    high = torch.where(valid, batch["value"], -torch.inf).amax(dim=1)
    assert (mean >= low - 1e-5).all() and (mean <= high + 1e-5).all()
    assert (sigma > 0).all()


def test_more_experts_make_it_surer() -> None:
    batch = made_batch()
    fewer = batch | {"valid": batch["valid"].clone()}
    several = batch["valid"].sum(dim=1) > 1
    first = batch["valid"].argmax(dim=1)
    fewer["valid"][several, first[several]] = 0
    with torch.no_grad():
        assert (network()(fewer)[1][several] > network()(batch)[1][several]).all()


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("shift", [1.0, -2.0])
def test_ten_times_the_light_is_one_dex_more(trained: bool, shift: float) -> None:
    batch = made_batch()
    brighter = batch | {"value": (batch["value"] + shift) * batch["valid"]}
    judge = network(trained)
    with torch.no_grad():
        before, after = judge(batch), judge(brighter)
    torch.testing.assert_close(after[0], before[0] + shift, atol=2e-4, rtol=0)
    torch.testing.assert_close(after[1], before[1], atol=1e-4, rtol=1e-2)


@pytest.mark.parametrize("trained", [False, True])
def test_photometry_alone_is_taken_at_its_word(trained: bool) -> None:
    with torch.no_grad():
        mean, _ = network(trained).predict(alone("psf"))
    assert mean.item() == pytest.approx(5.123, abs=1e-6)


def test_other_experts_are_corrected_but_not_by_much() -> None:
    judge = network()
    torch.nn.init.constant_(judge.head.bias, 50.0)
    with torch.no_grad():
        for name in EXPERTS:
            mean, _ = judge.predict(alone(name))
            expected = 5.123 if name == "psf" else 5.373
            assert mean.item() == pytest.approx(expected, abs=1e-5), name


def test_an_error_is_never_less_than_the_quoted_one_says() -> None:
    judge = network(trained=True)
    batch = made_batch()
    with torch.no_grad():
        _, scatter, inflation = judge.judge(batch)
    assert (scatter >= batch["error"]).all()
    assert (inflation > 0).all()


def test_without_any_estimate_nothing_is_told() -> None:
    batch = made_batch(3)
    for name in ("value", "error", "valid", "others"):
        batch[name][1] = 0
    for trained in (False, True):
        with torch.no_grad():
            mean, sigma = network(trained).predict(batch)
        assert torch.isnan(mean).tolist() == [False, True, False]
        assert torch.isnan(sigma).tolist() == [False, True, False]
        loss, figures = network(trained).loss(batch)
        assert torch.isfinite(loss) and torch.isfinite(figures["mad"])


def test_stars_of_which_nothing_is_told_do_not_count_in_the_loss() -> None:
    batch = made_batch(4)
    whole, _ = network().loss({name: tensor[:3] for name, tensor in batch.items()})
    for name in ("value", "error", "valid", "others"):
        batch[name][3] = 0
    torch.testing.assert_close(network().loss(batch)[0], whole)


def test_saturated_pixels_do_not_draw_the_first_guess() -> None:
    value = torch.zeros(1, COUNT)
    valid = torch.zeros(1, COUNT)
    for name, told in (("trail", 6.0), ("ring_3", 6.01), ("aperture", 5.0)):
        value[0, EXPERTS.index(name)], valid[0, EXPERTS.index(name)] = told, 1
    error = torch.full_like(value, 0.02)
    error[0, EXPERTS.index("aperture")] = 1e-4
    assert network().guess(value, error, valid).item() == pytest.approx(6, abs=0.02)
    only = torch.zeros_like(valid)
    only[0, EXPERTS.index("aperture")] = 1
    assert network().guess(value * only, error, only).item() == pytest.approx(5)


def test_experts_are_silenced_in_training_only() -> None:
    batch = made_batch()
    judge = network(trained=True, silenced=0.5)
    kept = judge.loss(batch)[0]
    torch.testing.assert_close(judge.loss(batch)[0], kept)
    judge.train()
    seen = {round(judge.loss(batch)[0].item(), 6) for _ in range(5)}
    assert len(seen) > 1
    silent = network(trained=True, silenced=0.0).train()
    torch.testing.assert_close(silent.loss(batch)[0], kept)


def test_one_expert_is_always_heard() -> None:
    judge = network(silenced=0.95).train()
    heard = judge._silence(made_batch(500))["valid"]
    assert heard.any(dim=1).all()
    before = made_batch(500)["valid"]
    assert (heard <= before).all() and heard.sum() < before.sum()


def test_the_loss_prefers_the_truth() -> None:
    batch = made_batch(200)
    near = network().loss(batch)[0]
    far = network().loss(batch | {"log_n": batch["log_n"] + 0.3})[0]
    assert near < far


@pytest.mark.parametrize(
    ("options", "named"),
    [({"layers": ()}, "network.layers"), ({"layers": (8, 0)}, "network.layers"),
     ({"silenced": 1.0}, "network.silenced"), ({"silenced": -0.1}, "network.silenced"),
     ({"own": -1.0}, "network.own"), ({"own": float("nan")}, "network.own")],
)  # fmt: skip
def test_senseless_options_are_refused(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        build(INPUTS, **options)


@pytest.fixture(scope="module")
def model() -> SaturationModel:
    return SaturationModel(quick_recipe()).fit(toys(300))


def test_it_learns_who_is_to_be_believed(model: SaturationModel) -> None:
    """Ring 4 is off by 0.05 dex, the trail is good: better than any fixed mean of both."""
    fresh = toys(200, seed=77)
    found = model.predict(fresh)
    off = found.log_n - fresh.log_n
    bright = fresh.log_n > SATURATES
    assert abs(np.median(off[bright])) < 0.003
    assert off[bright].std() < 0.008
    assert abs(np.median(off[~bright])) < 0.003
    pull = off / found.log_n_err
    assert 0.7 < pull[bright].std() < 1.4


def test_bias_is_taken_off_where_only_the_biased_tells(model: SaturationModel) -> None:
    fresh = toys(200, seed=78)
    evidence = fresh.evidence.copy()
    for name in ("psf", "trail", "aperture"):
        evidence[:, fresh.columns.index(name)] = np.nan
    from dataclasses import replace

    off = model.predict(replace(fresh, evidence=evidence)).log_n - fresh.log_n
    assert abs(np.median(off)) < 0.03


def test_a_model_on_disk_says_the_same(model: SaturationModel, tmp_path: Any) -> None:
    model.save(tmp_path / "m.safetensors")
    loaded = SaturationModel.load(tmp_path / "m.safetensors")
    fresh = toys(30, seed=5)
    np.testing.assert_array_equal(loaded.predict(fresh).log_n, model.predict(fresh).log_n)
    np.testing.assert_array_equal(loaded.predict(fresh).log_n_err, model.predict(fresh).log_n_err)


def test_nothing_to_say_is_nan(model: SaturationModel) -> None:
    from dataclasses import replace

    fresh = toys(5, seed=5)
    found = model.predict(replace(fresh, evidence=np.full_like(fresh.evidence, np.nan)))
    assert np.isnan(found.log_n).all() and np.isnan(found.log_n_err).all()
    assert not found.in_domain.any()
    assert len(model.predict(fresh.select(slice(0, 0)))) == 0


def test_psf_is_the_first_expert() -> None:
    assert EXPERTS[PSF] == "psf"
