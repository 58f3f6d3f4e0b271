"""Samples: arrays that fit each other, flips, joining, and files that hold all of it."""

import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.saturation.data import TYPES, Samples, classic
from filar.saturation.store import KEY, are_samples, load_samples, save_samples
from tests.saturation.toys import toy_samples

SAMPLES = toy_samples(20, 2)


def same(a: Samples, b: Samples) -> bool:
    return a.digest() == b.digest() and a.meta == b.meta


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 8), st.integers(1, 7), st.integers(0, 3), st.integers(0, 2**31))
def test_files_hold_all_of_it(n: int, half: int, columns: int, seed: int) -> None:
    from tempfile import TemporaryDirectory

    rng = np.random.default_rng(seed)
    stamp = rng.normal(size=(n, 2 * half + 1, 2 * half + 1))
    stamp[rng.random(stamp.shape) < 0.2] = np.nan
    names = tuple(f"c{k}" for k in range(columns))
    samples = Samples.build(
        stamp, saturated=rng.random(stamp.shape) < 0.3, evidence=rng.normal(size=(n, columns)),
        columns=names, images=("é", "b"), cameras=("x", ""), filters=("g", "V"),
        image=rng.integers(0, 2, n), meta={"mjd": [1.5, None], "note": "ä"},
    )  # fmt: skip
    with TemporaryDirectory() as folder:
        path = Path(folder) / "s.safetensors"
        save_samples(path, samples)
        loaded = load_samples(path)
        again = Path(folder) / "again.safetensors"
        save_samples(again, loaded)
        assert again.read_bytes() == path.read_bytes()
    assert same(loaded, samples)
    for name in TYPES:
        np.testing.assert_array_equal(getattr(loaded, name), getattr(samples, name))
        assert getattr(loaded, name).dtype == np.dtype(TYPES[name])
    assert (loaded.images, loaded.filters) == (samples.images, samples.filters)


def test_flips_mirror_the_stamps_alone() -> None:
    plain, in_x, in_y, both = SAMPLES.flips()
    np.testing.assert_array_equal(plain.stamp, SAMPLES.stamp)
    np.testing.assert_array_equal(in_x.stamp, SAMPLES.stamp[:, :, ::-1])
    np.testing.assert_array_equal(in_y.stamp, SAMPLES.stamp[:, ::-1])
    np.testing.assert_array_equal(both.saturated, SAMPLES.saturated[:, ::-1, ::-1])
    for flipped in (in_x, in_y, both):
        np.testing.assert_array_equal(flipped.x, SAMPLES.x)
        np.testing.assert_array_equal(flipped.stamp[:, 10, 10], SAMPLES.stamp[:, 10, 10])


def test_joined_samples_keep_what_belongs_to_each_image() -> None:
    a, b = toy_samples(5, 2), toy_samples(5, 3, seed=1, cameras=("sim-b",) * 3)
    a.meta["variable"], b.meta["variable"] = [9, 7], [8, 7]
    a.meta["made"], b.meta["made"] = "here", "here"
    del b.meta["mjd"]
    whole = Samples.joined([a, b])
    assert len(whole) == 25 and len(whole.images) == 5
    assert whole.cameras == ("sim-a",) * 2 + ("sim-b",) * 3
    assert set(whole.image[10:]) == {2, 3, 4}
    assert whole.meta == {"mjd": [58000.0, 58001.0, None, None, None], "variable": [7, 8, 9],
                          "made": "here"}  # fmt: skip
    assert np.isnan(whole.of_image("mjd")[10:]).all()
    assert set(whole.of_image("mjd")[:10]) == {58000.0, 58001.0}
    assert np.isnan(whole.of_image("fwhm")).all()
    with pytest.raises(ParameterError, match="at least one"):
        Samples.joined([])
    with pytest.raises(ParameterError, match="size"):
        Samples.joined([a, Samples.build(np.zeros((1, 11, 11)))])
    with pytest.raises(ParameterError, match="columns"):
        Samples.joined([a, Samples.build(np.zeros((1, 21, 21)), columns=("psf",))])


def test_selected_samples() -> None:
    chosen = SAMPLES.select(SAMPLES.image == 1)
    assert len(chosen) == 20 and chosen.images == SAMPLES.images
    np.testing.assert_array_equal(chosen.log_n, SAMPLES.log_n[1::2])
    assert len(SAMPLES.select(slice(3, 5))) == 2
    assert chosen.digest() != SAMPLES.digest()


def test_classic_estimates_are_columns_of_the_evidence() -> None:
    with pytest.raises(ParameterError, match="none was measured"):
        classic(SAMPLES, "psf")
    with pytest.raises(ParameterError, match="psf, wings, trail, aperture"):
        classic(SAMPLES, "guess")
    measured = Samples.build(
        np.zeros((2, 11, 11)), columns=("psf_err", "psf"), evidence=[[0.1, 5.0], [0.2, np.nan]]
    )
    value, error = classic(measured, "psf")
    np.testing.assert_allclose(value, [5.0, np.nan])
    np.testing.assert_allclose(error, [0.1, 0.2])


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"x": np.zeros(3)}, "x ="),
        ({"evidence": np.zeros((2, 1))}, "evidence"),
        ({"image": [0, 2]}, "image"),
        ({"cameras": ("a", "b")}, "cameras"),
        ({"saturated": np.zeros((2, 9, 9), bool)}, "saturated"),
        ({"colour": np.zeros(2)}, "colour"),
        ({"meta": {"mjd": [1.0, 2.0]}}, "mjd"),
    ],
)
def test_what_does_not_fit_is_named(values: dict[str, object], named: str) -> None:
    with pytest.raises(ParameterError, match=named):
        Samples.build(np.zeros((2, 11, 11)), **values)
    with pytest.raises(ParameterError, match="odd"):
        Samples.build(np.zeros((2, 10, 10)))


def test_files_that_hold_no_samples_are_named(tmp_path: Path) -> None:
    path = tmp_path / "s.safetensors"
    save_samples(path, SAMPLES)
    whole = path.read_bytes()
    assert are_samples(path) and not are_samples("a.fits")
    length = struct.unpack("<Q", whole[:8])[0]
    header = json.loads(whole[8 : 8 + length])
    card = json.loads(header["__metadata__"][KEY])

    def with_card(**changes: object) -> bytes:
        header["__metadata__"] = {KEY: json.dumps({**card, **changes})}
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + whole[8 + length :]

    shifted = bytearray(whole)
    shifted[-2000] ^= 1
    for content, named in [
        (whole[:-100], "damaged"), (bytes(shifted), "not what was written"), (b"PK\3\4", "else"),
        (b"", "else"), (whole[:100], "else"), (with_card(format="cake"), "something else"),
        (with_card(version=2), "version 2"), (with_card(images=["a"]), "damaged"),
    ]:  # fmt: skip
        path.write_bytes(content)
        with pytest.raises(InputFileError, match=named):
            load_samples(path)
    with pytest.raises(InputFileError, match="cannot read"):
        load_samples(tmp_path / "none.safetensors")
    with pytest.raises(OutputFileError):
        save_samples(tmp_path / "no" / "s.safetensors", SAMPLES)
    with pytest.raises(ParameterError, match="meta"):
        save_samples(path, toy_samples(2, 1, meta={"mjd": [1.0], "what": object()}))
