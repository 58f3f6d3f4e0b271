from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.exposure import Exposure
from filar.psf.empirical import write_stdpsf
from filar.psf.files import ChipPSF, file_kind, load_psf, read_any, read_psfs, write_psfs
from filar.psf.fourier import FrequencyGrid
from filar.psf.model import FieldGrid, FieldPSF
from tests.psf.samples import SHAPE, expose, gaussian, optical

NONE = np.empty(0)


def exposure(chip: str = "WF3", band: str = "F555W", **facts: object) -> Exposure:
    known: dict[str, object] = {"instrument": "WFPC2", "chip": chip, "filter": band}
    return expose(gaussian(), NONE, NONE, NONE, **(known | facts))


def same(a: FieldPSF, b: FieldPSF) -> bool:
    return (
        np.array_equal(a.transforms, b.transforms)
        and a.transforms.dtype == b.transforms.dtype
        and (a.grid, a.nodes, a.name) == (b.grid, b.nodes, b.name)
        and a.parameters == b.parameters
    )


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.fits"
    write_psfs([ChipPSF(optical(c), "WFPC2", c, "F555W", SHAPE) for c in ("PC", "WF3")], path)
    return path


def test_files_give_back_what_they_were_given(own: Path) -> None:
    found = read_psfs(own)
    assert [(p.instrument, p.chip, p.filter, p.shape) for p in found] == [
        ("WFPC2", "PC", "F555W", SHAPE), ("WFPC2", "WF3", "F555W", SHAPE),
    ]  # fmt: skip
    for one in found:
        assert same(one.psf, optical(one.chip))


@settings(max_examples=25, deadline=None)
@given(
    name=st.text(max_size=200),
    number=st.floats(allow_nan=False),
    nodes=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=4, unique=True),
    kind=st.sampled_from(["polynomial", "linear"]),
    period=st.floats(1e-3, 1e3),
)
def test_any_psf_survives_exactly(
    tmp_path_factory: pytest.TempPathFactory,
    name: str, number: float, nodes: list[float], kind: str, period: float,
) -> None:  # fmt: skip
    rng = np.random.default_rng(len(nodes))
    shape = (2 * len(nodes), 4, 3)
    transforms = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)
    field = FieldGrid(tuple(sorted(nodes)), (1.5, 2.5), kind)
    facts = {"it's & so on": number, "text": name, "none": None}
    psf = FieldPSF(transforms, FrequencyGrid(period, 4), field, name, facts)
    path = tmp_path_factory.mktemp("psf") / "a.fits"
    write_psfs([ChipPSF(psf, "", "", "", (10, 20))], path)
    found = read_psfs(path)[0]
    assert same(found.psf, psf)
    assert (found.instrument, found.chip, found.filter, found.shape) == ("", "", "", (10, 20))


def test_numbers_of_numpy_become_plain(tmp_path: Path) -> None:
    psf = gaussian().replace(parameters={"a": np.float32(0.5), "b": np.arange(3), "c": Path("x")})
    write_psfs([ChipPSF(psf, "", "", "", SHAPE)], tmp_path / "a.fits")
    assert read_psfs(tmp_path / "a.fits")[0].psf.parameters == {"a": 0.5, "b": [0, 1, 2], "c": "x"}


def test_an_exposure_gets_its_chip(own: Path) -> None:
    assert same(load_psf(own, exposure("PC")), optical("PC"))
    assert same(load_psf(str(own), exposure("WF3")), optical("WF3"))
    assert same(load_psf(own, exposure("wf3", "f555w")), optical("WF3"))


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"chip": "WF2"}, "expected WFPC2 WF2 F555W, 800 columns x 800 rows"),
        ({"band": "F814W"}, "another camera, chip or filter"),
        ({"instrument": "WFC3"}, "another camera, chip or filter: WFPC2 PC F555W"),
    ],
)
def test_another_exposure_gets_nothing(own: Path, facts: dict, text: str) -> None:
    with pytest.raises(InputFileError, match=text):
        load_psf(own, exposure(**facts))


def test_a_chip_of_another_size_gets_nothing(own: Path) -> None:
    small = expose(gaussian(), NONE, NONE, NONE, shape=(400, 400))
    with pytest.raises(InputFileError, match="expected unknown camera, 400 columns"):
        load_psf(own, small)


def test_exposures_of_unknown_cameras_take_what_fits(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    write_psfs([ChipPSF.of(exposure(instrument="", chip="", filter=""), gaussian())], path)
    assert same(load_psf(path, exposure()), gaussian())


def test_stdpsf_files_are_known_by_their_content(tmp_path: Path) -> None:
    path = tmp_path / "any_name.fits"
    write_stdpsf({"WF3": optical("WF3")}, path, instrument="WFPC2", filter_name="F555W")
    assert file_kind(path) == "stdpsf"
    psf = load_psf(path, exposure())
    at = np.array([399.0])
    assert np.abs(psf.stamps(at, at, 5) - optical("WF3").stamps(at, at, 5)).max() < 1e-3
    with pytest.raises(InputFileError, match="another chip"):
        load_psf(path, exposure("PC"))
    with pytest.raises(InputFileError, match="another camera"):
        load_psf(path, exposure(instrument="ACS"))


def test_all_chips_or_some(own: Path, tmp_path: Path) -> None:
    assert file_kind(own) == "filar"
    assert [p.chip for p in read_any(own)] == ["PC", "WF3"]
    assert [p.chip for p in read_any(own, ["wf3"])] == ["WF3"]
    with pytest.raises(InputFileError, match="it has the chips PC, WF3; expected all of WF2, WF3"):
        read_any(own, ["WF2", "WF3"])
    four = {c: optical(c) for c in ("PC", "WF2", "WF3", "WF4")}
    write_stdpsf(four, tmp_path / "STDPSF_WFPC2_F555W.fits")
    found = read_any(tmp_path / "STDPSF_WFPC2_F555W.fits")
    assert sorted(p.chip for p in found) == sorted(four)
    assert all((p.shape, p.instrument, p.filter) == (SHAPE, "WFPC2", "F555W") for p in found)


def test_other_files_are_no_psfs(tmp_path: Path) -> None:
    path = tmp_path / "image.fits"
    fits.PrimaryHDU(np.zeros((5, 5))).writeto(path)
    with pytest.raises(InputFileError, match="not a PSF file"):
        load_psf(path, exposure())
    with pytest.raises(InputFileError, match="no such file"):
        load_psf(tmp_path / "none.fits", exposure())
    with pytest.raises(InputFileError, match="not a PSF file of filar"):
        read_psfs(path)


def test_damaged_files_are_refused(own: Path, tmp_path: Path) -> None:
    def damage(name: str, change) -> Path:  # type: ignore[no-untyped-def]
        with fits.open(own) as hdus:
            change(hdus)
            hdus.writeto(tmp_path / name)
        return tmp_path / name

    def hollow(hdus: fits.HDUList) -> None:
        del hdus[1:]
        hdus[0].header["NEXTEND"] = 0

    cases = {
        "version 7": lambda hdus: hdus[0].header.set("VERSION", 7),
        "NODES": lambda hdus: hdus[1].header.remove("NODES"),
        "damaged PSF .*Expecting": lambda hdus: hdus[1].header.set("NODES", "{"),
        "not finite": lambda hdus: hdus[2].data.fill(np.nan),
        "kind 'bent'": lambda hdus: hdus[1].header.set(
            "NODES", hdus[1].header["NODES"].replace("polynomial", "bent")
        ),
        "transforms = ": lambda hdus: hdus[1].header.set(
            "NODES", hdus[1].header["NODES"].replace('"samples": ', '"samples": 2')
        ),
        "holds no PSF": hollow,
    }
    for number, (text, change) in enumerate(cases.items()):
        with pytest.raises(InputFileError, match=text):
            read_psfs(damage(f"{number}.fits", change))
    (tmp_path / "short.fits").write_bytes(own.read_bytes()[:100000])
    with pytest.raises(InputFileError, match="truncated"):
        read_psfs(tmp_path / "short.fits")


def test_nothing_is_half_written(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="at least one chip"):
        write_psfs([], tmp_path / "a.fits")
    with pytest.raises(OutputFileError):
        write_psfs([ChipPSF(gaussian(), "", "", "", SHAPE)], tmp_path / "none" / "a.fits")
    assert not list(tmp_path.iterdir())
