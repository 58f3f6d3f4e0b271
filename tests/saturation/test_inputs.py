"""What the network of experts is given."""

from dataclasses import replace

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.saturation.evidence import COLUMNS, CONTEXT, EXPERTS
from filar.saturation.inputs import FARTHEST, LARGEST_ERROR, Inputs
from tests.saturation.experttoys import quick_recipe, toys

SAMPLES = toys(40)
INPUTS = Inputs.learn(SAMPLES, quick_recipe())


def changed(name: str, value: float) -> np.ndarray:
    """The evidence with one column of one value."""
    evidence = SAMPLES.evidence.copy()
    evidence[:, COLUMNS.index(name)] = value
    return evidence


def test_facts_make_the_same_inputs() -> None:
    again = Inputs.from_facts(INPUTS.facts())
    assert again == INPUTS
    first, second = INPUTS.batch(SAMPLES), again.batch(SAMPLES)
    assert all((first[name] == second[name]).all() for name in first)


def test_circumstances_are_scaled_and_clipped() -> None:
    context = INPUTS.batch(SAMPLES)["context"].numpy()
    assert context.shape == (80, len(CONTEXT))
    np.testing.assert_allclose(context.mean(axis=0), 0, atol=0.02)
    np.testing.assert_allclose(context.std(axis=0), 1, atol=0.02)
    far = INPUTS.batch(replace(SAMPLES, evidence=changed("width", 1e6)))["context"].numpy()
    assert far.max() == FARTHEST


def test_unknown_and_constant_circumstances_are_ordinary() -> None:
    found = INPUTS.batch(replace(SAMPLES, evidence=changed("width", np.nan)))["context"].numpy()
    assert not found[:, CONTEXT.index("width")].any()
    same = replace(SAMPLES, evidence=changed("width", 0.3))
    learnt = Inputs.learn(same, quick_recipe())
    assert learnt.scale[CONTEXT.index("width")] == 1
    assert np.isfinite(learnt.batch(same)["context"].numpy()).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [("trail", np.nan), ("trail", np.inf), ("trail_err", np.nan), ("trail_err", LARGEST_ERROR)],
)
def test_bad_estimates_do_not_count(name: str, value: float) -> None:
    batch = INPUTS.batch(replace(SAMPLES, evidence=changed(name, value)))
    at = EXPERTS.index("trail")
    for what in ("value", "error", "valid", "others"):
        assert not batch[what][:, at].any(), what
    assert all(np.isfinite(tensor.numpy()).all() for tensor in batch.values())


def test_good_estimates_are_given_as_they_are() -> None:
    batch = INPUTS.batch(SAMPLES)
    at = EXPERTS.index("ring_4")
    np.testing.assert_array_equal(batch["value"][:, at].numpy(), SAMPLES.column("ring_4"))
    np.testing.assert_array_equal(batch["error"][:, at].numpy(), SAMPLES.column("ring_4_err"))
    assert (batch["valid"][:, at] == 1).all()


def test_usable_are_those_with_an_estimate() -> None:
    evidence = SAMPLES.evidence.copy()
    evidence[3] = np.nan
    usable = Inputs.usable(replace(SAMPLES, evidence=evidence))
    assert np.flatnonzero(~usable).tolist() == [3]
    assert Inputs.usable(SAMPLES.select(slice(0, 0))).shape == (0,)


@pytest.mark.parametrize(
    "change",
    [
        {"context": ["x"]}, {"experts": [*EXPERTS, "ring_99"]}, {"center": [0.0]},
        {"scale": [1.0, 2.0]},
    ],
)  # fmt: skip
def test_models_of_other_evidence_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        Inputs.from_facts(INPUTS.facts() | change)
    with pytest.raises(ParameterError):
        Inputs.from_facts({})


def test_samples_without_the_evidence_are_refused() -> None:
    without = replace(SAMPLES, evidence=SAMPLES.evidence[:, 1:], columns=SAMPLES.columns[1:])
    with pytest.raises(ParameterError, match="evidence"):
        INPUTS.batch(without)
