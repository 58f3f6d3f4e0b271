"""Files that are no good: each gets one clear sentence."""

import bz2
import errno
import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.errors import InputFileError
from filar.instruments import read_exposures
from filar.instruments.fits import number_from
from filar.instruments.hst import exposure_name, filter_name
from tests.instruments import files

KNOWN = {"gain": 1.0, "read_noise": 1.0}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("good") / "a.fits"
    return files.image(path, files.pixels((100, 100))).read_bytes()


def test_absent_folder_and_empty(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"b.fits: no such file"):
        read_exposures(tmp_path / "b.fits")
    with pytest.raises(InputFileError, match="is a folder"):
        read_exposures(tmp_path)
    (tmp_path / "e.fits").touch()
    with pytest.raises(InputFileError, match="the file is empty"):
        read_exposures(tmp_path / "e.fits")


def test_unreadable(tmp_path: Path, good: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(good)

    def refuse(*args: object) -> None:  # root may read everything, so the mode would not do
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputFileError, match=r"a\.fits: cannot be opened \(Permission denied\)"):
        read_exposures(path)


@pytest.mark.parametrize("content", [b"# a text\n" * 500, b"\x89PNG" + bytes(5000), b"SIMPLE"])
def test_not_fits(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.fits").write_bytes(content)
    with pytest.raises(InputFileError, match=r"a.fits: not a FITS file"):
        read_exposures(tmp_path / "a.fits", **KNOWN)


@settings(max_examples=30, deadline=None)
@given(part=st.floats(0, 0.93))
def test_truncated_anywhere(
    tmp_path_factory: pytest.TempPathFactory, good: bytes, part: float
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.fits"
    path.write_bytes(good[: int(len(good) * part)])
    with pytest.raises(InputFileError, match=r"truncated|not a FITS file|empty"):
        read_exposures(path, **KNOWN)


def test_missing_padding_harms_nothing(tmp_path: Path, good: bytes) -> None:
    path = tmp_path / "a.fits"
    path.write_bytes(good[: 2880 + 4 * 100 * 100])
    np.testing.assert_array_equal(read_exposures(path, **KNOWN)[0].data, files.pixels((100, 100)))


def test_last_extension_missing(tmp_path: Path) -> None:
    quality = {chip: np.zeros(files.SHAPE, np.int16) for chip in (1, 2)}
    path = files.flt(
        tmp_path / "x_flt.fits",
        primary={"INSTRUME": "ACS", "DETECTOR": "WFC", "READNSEA": 4.0},
        chips={1: files.pixels(), 2: files.pixels()},
        quality=quality,
    )
    with fits.open(path) as hdus:
        start = hdus[-1].fileinfo()["hdrLoc"]
    whole = path.read_bytes()
    path.write_bytes(whole[: start + 1000])
    with pytest.raises(InputFileError, match=r"truncated.*expected 4 \(NEXTEND\)"):
        read_exposures(path, read_noise=1)
    path.write_bytes(whole[:start])
    with pytest.warns(UserWarning, match="no DQ extension for chip WFC2"):
        assert len(read_exposures(path, read_noise=1)) == 2


@pytest.mark.parametrize(("suffix", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress)])
def test_compressed_whole_and_truncated(
    tmp_path: Path, good: bytes, suffix: str, pack: object
) -> None:
    path = tmp_path / f"a.fits{suffix}"
    packed = pack(good)
    path.write_bytes(packed)
    exposure = read_exposures(path, **KNOWN)[0]
    np.testing.assert_array_equal(exposure.data, files.pixels((100, 100)))
    assert exposure.name == "a"
    path.write_bytes(packed[: len(packed) // 2])
    with pytest.raises(InputFileError, match=r"a.fits"):
        read_exposures(path, **KNOWN)
    path.write_bytes(pack(good[: len(good) // 2]))
    with pytest.raises(InputFileError, match=r"truncated"):
        read_exposures(path, **KNOWN)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_byte_never_ends_in_another_error(
    tmp_path_factory: pytest.TempPathFactory, good: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, 900))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damaged") / "a.fits"
    path.write_bytes(damaged)
    try:
        (exposure,) = read_exposures(path, **KNOWN)
    except InputFileError as error:
        assert "a.fits" in str(error)
    else:
        assert np.isfinite(exposure.data).all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("u40x010hm_c0f.fits", "u40x010hm"),
        ("u40x010hm_c0m.fits.gz", "u40x010hm"),
        ("j9l9a1_flc.fits", "j9l9a1"),
        ("hubble_wfpc2_sample.fits", "hubble_wfpc2_sample"),
        ("ngc.104.v.fit", "ngc.104.v"),
    ],
)
def test_exposure_name(name: str, expected: str) -> None:
    assert exposure_name(Path(name)) == expected


@pytest.mark.parametrize(
    ("cards", "expected"),
    [
        ({"FILTNAM1": "F555W   ", "FILTNAM2": "", "FILTER1": 25}, "F555W"),
        ({"FILTNAM1": "F555W", "FILTNAM2": "POLQ"}, "F555W+POLQ"),
        ({"FILTER1": "CLEAR1L", "FILTER2": "F814W"}, "F814W"),
        ({"FILTER": "f438w"}, "F438W"),
        ({}, ""),
    ],
)
def test_filter_name(cards: dict[str, object], expected: str) -> None:
    assert filter_name(fits.Header(cards)) == expected


def test_number_from_takes_the_first_that_is_one() -> None:
    header = {"A": "none", "B": True, "C": float("nan"), "D": "3.5", "E": 4}
    assert number_from(header, "X", "A", "B", "C", "D", "E") == 3.5
    assert number_from(header, "A", "B") is None
