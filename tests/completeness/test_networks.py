"""Our network: near the truth from few stars, sane beyond the data, told what is missing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.special import expit

from filar.completeness.data import tensors
from filar.completeness.estimator import CompletenessModel
from filar.completeness.inputs import Inputs
from filar.completeness.networks import EdgesNet, build, hide_inputs
from filar.completeness.table import ArtificialStars
from filar.errors import ParameterError
from filar.learn.recipe import load_recipe, override

FloatArray = NDArray[np.float64]
QUICK = override(
    load_recipe("filar-completeness"),
    {"network.members": 1, "network.width": 16, "budget.epochs": 10},
)


def truth(mag: FloatArray, crowding: FloatArray) -> FloatArray:
    """Faint limits, a sharp saturation limit in the first band, and neighbours."""
    limit = np.array([26.0, 25.5, 25.0])[: mag.shape[1]] - 0.2 * crowding[:, None]
    found = expit((limit - mag) / 0.2).prod(axis=1) * expit((mag[:, 0] - 20.5) / 0.03)
    return np.asarray(found * np.exp(-0.02 * crowding * np.exp(0.4 * (mag[:, 0] - 23))))


def scene(number: int, seed: int, bands: int = 2) -> tuple[ArtificialStars, FloatArray]:
    rng = np.random.default_rng(seed)
    mag = rng.uniform(20, 28, number)[:, None]
    for _ in range(1, bands):
        mag = np.hstack([mag, mag[:, -1:] - rng.uniform(-0.5, 1.5, (number, 1))])
    crowding = rng.gamma(2.0, 1.0, number)
    p = truth(mag, crowding)
    recovered = rng.random(number) < p
    out = np.where(recovered[:, None], mag + rng.normal(0, 0.05, mag.shape), np.nan)
    names = ("F475W", "F606W", "F814W")[:bands]
    return ArtificialStars(names, mag, out, recovered, {"crowding": crowding}), p


@pytest.fixture(scope="module")
def model() -> CompletenessModel:
    return CompletenessModel(QUICK).fit(scene(4000, 1)[0], test=False)


def excess(model: CompletenessModel, stars: ArtificialStars, p: FloatArray) -> float:
    """Mean log loss beyond the truth's, over all outcomes: the Kullback-Leibler divergence."""
    q = np.clip(model.p_recovered(stars), 1e-9, 1 - 1e-9)
    p = np.clip(p, 1e-12, 1 - 1e-12)
    return float(np.mean(p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))))


@pytest.mark.parametrize("bands", [1, 3])
def test_few_stars_bring_it_near_the_truth(bands: int) -> None:
    stars, _ = scene(3000, 1, bands)
    trained = CompletenessModel(QUICK).fit(stars, test=False)
    other, p = scene(5000, 2, bands)
    entropy = np.mean(-p * np.log(p + 1e-12) - (1 - p) * np.log(1 - p + 1e-12))
    assert excess(trained, other, p) < 0.1 * entropy
    plain = CompletenessModel("logistic").fit(stars, test=False)
    assert excess(trained, other, p) < 0.1 * excess(plain, other, p)


def test_it_is_calibrated(model: CompletenessModel) -> None:
    stars, p = scene(20_000, 3)
    q = model.p_recovered(stars)
    part = np.minimum((q * 10).astype(int), 9)
    miss = np.bincount(part, p - q, 10) / np.bincount(part, minlength=10)
    assert np.abs(miss).max() < 0.07
    assert np.abs(np.bincount(part, p - q, 10)).sum() / len(q) < 0.02


def test_fainter_than_all_stars_nothing_is_recovered(model: CompletenessModel) -> None:
    stars, _ = scene(300, 4)
    for band in ([0], [1], [0, 1]):
        before = np.full(300, np.inf)
        for further in (0.0, 1.0, 2.0, 3.0, 5.0):
            mag = stars.mag_in.copy()
            mag[:, band] = np.array([28.0, 28.5])[band] + further
            p = model.p_recovered(replace(stars, mag_in=mag, mag_out=mag * np.nan,
                                          recovered=np.zeros(300, bool)))  # fmt: skip
            assert (p <= before + 1e-9).all()
            before = p
        assert before.max() < 1e-3


def test_brighter_than_all_stars_it_is_as_for_the_brightest() -> None:
    rng = np.random.default_rng(5)
    mag = rng.uniform(20, 28, (2000, 1))
    recovered = rng.random(2000) < expit((26 - mag[:, 0]) / 0.2)
    out = np.where(recovered[:, None], mag, np.nan)
    trained = CompletenessModel(QUICK).fit(ArtificialStars(("R",), mag, out, recovered), test=False)
    bright = np.array([[20.01], [18.0], [10.0]])
    p = trained.p_recovered(ArtificialStars(("R",), bright, bright, np.ones(3, bool)))
    assert p.min() > 0.98
    assert np.ptp(p) < 0.005


def test_what_is_missing_is_averaged_over(model: CompletenessModel) -> None:
    stars, p = scene(40_000, 6)
    near = np.abs(stars.mag_in[:, 0] - 25.0) < 0.1
    mag = stars.mag_in.copy()
    mag[:, 1] = np.nan
    told = model.p_recovered(replace(stars, mag_in=mag))
    assert np.isfinite(told).all()
    assert told[near].mean() == pytest.approx(p[near].mean(), abs=0.08)
    alone = model.p_recovered(replace(stars, covariates={"crowding": np.full(40_000, np.nan)}))
    crowded = near & (stars.covariates["crowding"] > 4)
    full = model.p_recovered(stars)
    assert full[crowded].mean() < alone[crowded].mean() - 0.1
    assert alone[near].mean() == pytest.approx(p[near].mean(), abs=0.08)


def test_prior_yields_to_the_number_of_stars() -> None:
    stars, _ = scene(400, 7)
    inputs = Inputs.learn(stars)
    torch.manual_seed(0)
    network = build(inputs, masked=0.0)
    batch = tensors(inputs, stars)
    network.prepare(batch)
    network.train()

    def prior() -> float:
        without = build(inputs, masked=0.0, penalty=0.0)
        without.load_state_dict(network.state_dict())
        return (network.loss(batch)[0] - without.train().loss(batch)[0]).item()

    few = prior()
    network.stars.fill_(4000)
    assert few > 0
    assert prior() == pytest.approx(few / 10, rel=1e-3)


def test_members_probabilities_are_averaged() -> None:
    stars, _ = scene(200, 8)
    inputs = Inputs.learn(stars)
    network = build(inputs, members=3)
    batch = tensors(inputs, stars)
    network.prepare(batch)
    with torch.no_grad():
        each = network.log_probability(batch).exp()
        assert each.std(dim=0).max() > 1e-3
        torch.testing.assert_close(network(batch).sigmoid(), each.mean(dim=0))


def test_losses_are_finite_for_stars_against_all_odds() -> None:
    stars, _ = scene(300, 9)
    inputs = Inputs.learn(stars)
    network = build(inputs)
    batch = tensors(inputs, stars)
    network.prepare(batch)
    batch["mag"] = torch.where(batch["recovered"][:, None] > 0, 50.0, 0.0).expand(-1, 2)
    for mode in (True, False):
        loss, _ = network.train(mode).loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        assert torch.isfinite(loss)
        assert all(torch.isfinite(w.grad).all() for w in network.parameters() if w.grad is not None)


def test_hidden_copies_keep_a_magnitude_and_tell_nothing_of_the_rest() -> None:
    stars, _ = scene(2000, 10, 3)
    batch = tensors(Inputs.learn(stars), stars)
    torch.manual_seed(0)
    some = hide_inputs(batch)
    assert (some["mag_known"].sum(dim=1) >= 1).all()
    for name in ("mag", "cov"):
        hidden = some[f"{name}_known"] == 0
        assert 0.2 < hidden.float().mean() < 0.4
        assert (some[name][hidden] == 0).all()
        assert torch.equal(some[name][~hidden], batch[name][~hidden])
    assert torch.equal(some["recovered"], batch["recovered"])


@pytest.mark.parametrize(
    ("options", "name"),
    [({"members": 0}, "members"), ({"width": 0}, "width"), ({"layers": 0}, "layers"),
     ({"penalty": -1.0}, "penalty"), ({"masked": 1.5}, "masked")],
)  # fmt: skip
def test_options_that_make_no_sense(options: dict[str, float], name: str) -> None:
    inputs = Inputs.learn(scene(100, 0)[0])
    with pytest.raises(ParameterError, match=f"network.{name}"):
        build(inputs, **options)  # type: ignore[arg-type]


def test_recipe_builds_what_it_says(model: CompletenessModel) -> None:
    network = model.model_.network  # type: ignore[attr-defined]
    assert isinstance(network, EdgesNet)
    assert network.members == 1 and network.handles_missing
    assert int(network.stars) == 4000
