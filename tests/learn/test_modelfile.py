"""Model files: the same bytes, nothing executed, and clear words for wrong or damaged ones."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.learn.modelfile import (
    FORMAT,
    KEY,
    Card,
    check_chip,
    fill,
    load_model,
    read_card,
    save_model,
    versions,
)
from filar.learn.recipe import load_recipe

CARD = Card(
    job="centering",
    recipe=load_recipe("c24-vgg8"),
    seed=7,
    size=6,
    normalisation={"x": [400.0, 230.0], "kind": "sum", "scale": 2.0, "names": ["a", "b"]},
    instrument="WFPC2",
    chips=("1",),
    filters=("F555W", "F814W"),
    bands=("F555W", "F814W"),
    magnitudes="measured",
    mag_system="Vega",
    cuts={"snr": 5.0, "bands": ["F555W"], "type": 1, "flag": None},
    ranges={"mag": (-13.0, -7.5), "sky": (1.0, 80.0)},
    data="abc",
    figures={"error": 0.012, "pull": float("nan")},
    versions=versions(),
)


def tensors() -> dict[str, torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return {"b": torch.rand(3, generator=rng), "a": torch.rand(2, 4, generator=rng)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    save_model(tmp_path / "m.safetensors", tensors(), CARD)
    return tmp_path / "m.safetensors"


def rewritten(path: Path, **changes: Any) -> Path:
    """The same weights under a card with other entries."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    content = json.loads(json.loads(data[8 : 8 + length])["__metadata__"][KEY])
    content["card"] |= changes
    save_file(tensors(), path, {KEY: json.dumps(content)})
    return path


def test_weights_and_card_come_back(path: Path) -> None:
    found, card = load_model(path, job="centering")
    assert all(torch.equal(found[name], tensor) for name, tensor in tensors().items())
    found_text, text = (json.dumps(c.model_dump(mode="json"), sort_keys=True) for c in (card, CARD))
    assert found_text == text
    assert read_card(path).recipe == CARD.recipe
    assert np.isnan(card.figures["pull"])


def test_the_same_content_gives_the_same_bytes(path: Path, tmp_path: Path) -> None:
    backwards = dict(reversed(tensors().items()))
    for number in range(5):
        again = tmp_path / f"{number}.safetensors"
        save_model(again, backwards, CARD)
        assert again.read_bytes() == path.read_bytes()


def test_arrays_parts_and_transposed_views_can_be_written(tmp_path: Path) -> None:
    whole = torch.arange(12.0).reshape(3, 4)
    given = {"view": whole.T, "part": whole[:, 1:3], "array": np.arange(3), "scalar": np.ones(())}
    save_model(tmp_path / "m.safetensors", given, CARD)
    found, _ = load_model(tmp_path / "m.safetensors")
    assert torch.equal(found["view"], whole.T)
    assert torch.equal(found["part"], whole[:, 1:3])
    assert found["array"].tolist() == [0, 1, 2]
    assert found["scalar"].shape == ()


@given(cut=st.floats(0, 1, exclude_max=True))
def test_a_truncated_file_is_told_wherever_it_ends(
    cut: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("cut") / "m.safetensors"
    save_model(path, tensors(), CARD)
    data = path.read_bytes()
    path.write_bytes(data[: int(cut * len(data))])
    with pytest.raises(InputFileError, match=r"truncated|of another kind"):
        load_model(path)


@given(where=st.integers(0, 43), bit=st.integers(0, 7))
def test_a_flipped_bit_in_the_weights_is_noticed(
    where: int, bit: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("bit") / "m.safetensors"
    save_model(path, tensors(), CARD)
    data = bytearray(path.read_bytes())
    data[len(data) - 1 - where] ^= 1 << bit
    path.write_bytes(data)
    with pytest.raises(InputFileError, match="damaged"):
        load_model(path)


@given(content=st.binary(max_size=200))
def test_any_other_content_is_refused(
    content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("other") / "m.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputFileError, match="a model file of filar"):
        load_model(path)


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5, "torch"])
def test_a_pickle_by_another_name_is_not_loaded(tmp_path: Path, protocol: Any) -> None:
    path, witness = tmp_path / "m.safetensors", tmp_path / "executed"
    if protocol == "torch":
        torch.save(Evil(witness), path)
    else:
        path.write_bytes(pickle.dumps(Evil(witness), protocol))
    with pytest.raises(InputFileError, match="never loaded"):
        load_model(path)
    assert not witness.exists()


def test_somebody_elses_safetensors_are_told(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    for metadata in (None, {"format": "pt"}, {KEY: "[]"}, {KEY: "{}"}, {KEY: "nonsense"}):
        save_file(tensors(), path, metadata)
        with pytest.raises(InputFileError, match="no card of filar's"):
            load_model(path)


def test_a_model_for_another_job_is_refused(path: Path) -> None:
    with pytest.raises(InputFileError, match=r"a model for centering.*one for saturation"):
        load_model(path, job="saturation")


def test_a_newer_format_asks_for_an_update(path: Path) -> None:
    rewritten(path, format_version=FORMAT + 1, unheard_of=3)
    with pytest.raises(InputFileError, match="update filar"):
        load_model(path)


def test_a_card_with_a_fault_names_it(path: Path) -> None:
    with pytest.raises(InputFileError, match="seed"):
        load_model(rewritten(path, seed="many"))


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "none.safetensors", tmp_path):
        with pytest.raises(InputFileError, match="cannot read"):
            load_model(path)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(OutputFileError, match="cannot write"):
        save_model(tmp_path / "none" / "m.safetensors", tensors(), CARD)


def test_weights_are_put_into_a_network(path: Path) -> None:
    module = torch.nn.Module()
    module.register_parameter("a", torch.nn.Parameter(torch.zeros(2, 4)))
    found, _ = load_model(path)
    fill(module, found, path)
    assert torch.equal(module.a, tensors()["a"])


def test_missing_and_misshapen_weights_are_named(path: Path) -> None:
    found, _ = load_model(path)
    module = torch.nn.Linear(2, 1)
    with pytest.raises(InputFileError, match="without the tensors bias, weight"):
        fill(module, found, path)
    with pytest.raises(InputFileError, match=r"weight has the shape \(1, 3\).*\(1, 2\)"):
        fill(module, {"weight": torch.zeros(1, 3), "bias": torch.zeros(1)}, path)


def test_a_model_for_another_chip_filter_or_camera_is_refused(path: Path) -> None:
    check_chip(CARD, path, instrument="WFPC2", chip="1", filter="F814W")
    for wanted in ({"instrument": "ACS"}, {"chip": "2"}, {"filter": "F606W"}):
        with pytest.raises(InputFileError, match=next(iter(wanted.values()))):
            check_chip(CARD, path, **wanted)
    with pytest.raises(ParameterError, match="telescope"):
        check_chip(CARD, path, telescope="HST")


def test_a_card_without_chips_is_for_all(path: Path) -> None:
    check_chip(CARD.model_copy(update={"chips": ()}), path, chip="9")
