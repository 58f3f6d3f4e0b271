"""What baselines and networks are given, and that they are what they are called."""

import numpy as np
import pytest
import torch
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from filar.completeness.baselines import fit_boosting, fit_logistic
from filar.completeness.features import feature_count, features
from filar.completeness.inputs import Inputs
from filar.completeness.mlp import MLP, build
from filar.completeness.table import ArtificialStars
from filar.errors import ParameterError
from tests.completeness.toys import toy_stars


def as_tensors(batch: dict) -> dict[str, torch.Tensor]:
    return {name: torch.from_numpy(array) for name, array in batch.items()}


def test_features_are_magnitude_colours_and_covariates() -> None:
    stars = toy_stars(60)
    inputs = Inputs.learn(stars)
    batch = inputs.batch(stars)
    found = features(as_tensors(batch), False).numpy()
    assert found.shape == (60, feature_count(inputs)) == (60, 4)
    color = stars.mag_in[:, 0] - stars.mag_in[:, 1]
    offset = inputs.mag_center[0] - inputs.mag_center[1]
    np.testing.assert_allclose(found[:, 1], color - offset, atol=1e-5)
    np.testing.assert_array_equal(found[:, [0, 2, 3]], np.c_[batch["mag"][:, 0], batch["cov"]])


def test_features_tell_what_is_missing_where_it_matters() -> None:
    stars = toy_stars(60)
    stars.mag_in[5, 1] = np.nan
    inputs = Inputs.learn(stars)
    found = features(as_tensors(inputs.batch(stars)), inputs.gaps).numpy()
    assert found.shape == (60, feature_count(inputs)) == (60, 8)
    assert found[5, 1] == 0 and found[5, 4:].tolist() == [1, 0, 1, 1]


def test_one_band_alone_suffices() -> None:
    two = toy_stars(400)
    one = ArtificialStars(
        ("V",), two.mag_in[:, :1], np.where(two.recovered, two.mag_in[:, 0], np.nan)[:, None],
        two.recovered,
    )  # fmt: skip
    inputs = Inputs.learn(one)
    assert feature_count(inputs) == 1
    p = fit_logistic(inputs.batch(one), inputs).probability(inputs.batch(one))
    assert np.all(np.diff(p[np.argsort(one.mag_in[:, 0])]) <= 1e-12)


def test_logistic_regression_finds_the_coefficients_that_made_the_data() -> None:
    rng = np.random.default_rng(99)
    stars = toy_stars(20_000)
    inputs = Inputs.learn(stars)
    batch = inputs.batch(stars)
    truth = np.array([-1.5, 0.8, -0.7, 0.0])
    columns = features(as_tensors(batch), False).numpy()
    batch["recovered"] = (rng.random(20_000) < expit(columns @ truth + 0.5)).astype(np.float32)
    model = fit_logistic(batch, inputs)
    np.testing.assert_allclose(model.coefficients, truth, atol=0.08)
    assert model.intercept == pytest.approx(0.5, abs=0.08)
    bare = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(columns, batch["recovered"])
    np.testing.assert_allclose(model.probability(batch), bare.predict_proba(columns)[:, 1],
                               atol=2e-3)  # fmt: skip


def test_a_stronger_penalty_gives_smaller_coefficients() -> None:
    stars = toy_stars(500)
    inputs = Inputs.learn(stars)
    weak, strong = (
        fit_logistic(inputs.batch(stars), inputs, penalty=penalty) for penalty in (1.0, 1000.0)
    )
    assert np.abs(strong.coefficients).sum() < 0.5 * np.abs(weak.coefficients).sum()


def test_trees_see_what_one_line_cannot() -> None:
    stars = toy_stars(3000)
    inputs = Inputs.learn(stars)
    batch = inputs.batch(stars)
    far = np.abs(batch["mag"][:, 0]) > 1.5
    batch["recovered"] = far.astype(np.float32)
    right = [
        np.mean((fit(batch, inputs).probability(batch) > 0.5) == far)
        for fit in (fit_boosting, fit_logistic)
    ]
    assert right[0] > 0.98 > 0.8 > right[1]


def test_the_papers_network_has_three_layers_of_200() -> None:
    stars = toy_stars(300)
    inputs = Inputs.learn(stars)
    network = build(inputs)
    assert isinstance(network, MLP)
    shapes = [tuple(w.shape) for name, w in network.named_parameters() if name.endswith("weight")]
    assert shapes == [(200, 4), (200, 200), (200, 200), (1, 200)]
    batch = as_tensors(inputs.batch(stars))
    network.prepare(batch)
    inner = (features(batch, False) - network.center) / network.scale
    np.testing.assert_allclose(inner.mean(dim=0), 0, atol=1e-5)
    np.testing.assert_allclose(inner.std(dim=0), 1, atol=1e-5)
    loss, _ = network.loss(batch)
    p = network(batch).sigmoid()
    y = batch["recovered"]
    by_hand = -(y * p.log() + (1 - y) * (1 - p).log()).mean()
    assert loss.item() == pytest.approx(by_hand.item(), rel=1e-5)
    with pytest.raises(ParameterError, match="layers"):
        build(inputs, layers=[20, 0])
