import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.psf.empirical import (
    is_stdpsf,
    read_stdpsf,
    samples_to_transforms,
    stdpsf_chips,
    transforms_to_samples,
    write_stdpsf,
)
from filar.psf.fourier import values
from filar.psf.mosaics import WFPC2_MOSAICS
from tests.psf.samples import SHAPE, gaussian, optical

CHIPS = ("PC", "WF2", "WF3", "WF4")
QUARTERS = np.arange(-10, 11) / 4


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("psf") / "STDPSF_WF3_F555W.fits"
    write_stdpsf({"WF3": optical("WF3")}, path, instrument="WFPC2", filter_name="F555W")
    return path


@pytest.fixture(scope="module", params=list(WFPC2_MOSAICS))
def mosaic(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp(request.param) / "STDPSF_WFPC2_F555W.fits"
    write_stdpsf({chip: optical(chip) for chip in CHIPS}, path, layout=request.param)
    return path


def changed(path: Path, target: Path, change: Callable[[fits.PrimaryHDU], object]) -> Path:
    with fits.open(path) as hdus:
        hdu = fits.PrimaryHDU(hdus[0].data.copy(), hdus[0].header)
    change(hdu)
    hdu.writeto(target)
    return target


@pytest.mark.parametrize("chip", ["PC", "WF3"])
def test_samples_survive_the_transform(chip: str) -> None:
    psf = optical(chip)
    samples = transforms_to_samples(psf.transforms, psf.grid)
    transforms, grid = samples_to_transforms(samples)
    assert np.abs(transforms_to_samples(transforms, grid) - samples).max() < 1e-6


def test_the_samples_are_the_psf() -> None:
    samples = transforms_to_samples(gaussian(1.5).transforms, gaussian().grid)[0]
    assert np.unravel_index(samples.argmax(), samples.shape) == (50, 50)
    assert samples.sum() / 16 == pytest.approx(1, abs=1e-4)
    variance = (samples * ((np.arange(101) - 50) / 4) ** 2).sum() / samples.sum()
    assert variance == pytest.approx(1.5**2 + 1 / 12, rel=1e-3)


def test_between_the_samples_the_psf_is_the_one_that_was_sampled() -> None:
    """WFPC2's optics end below the sampling's limit of 2 cycles per pixel."""
    psf = optical("WF3")
    transforms, grid = samples_to_transforms(transforms_to_samples(psf.transforms, psf.grid))
    fine = np.arange(-30, 31) / 11
    before, after = (values(t[:1], g, fine, fine) for t, g in
                     ((psf.transforms, psf.grid), (transforms, grid)))  # fmt: skip
    assert np.abs(before - after).max() < 2e-4


def test_noise_in_a_file_stays_what_it_is() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 1e-3, (2, 101, 101))
    transforms, grid = samples_to_transforms(samples)
    assert np.abs(transforms_to_samples(transforms, grid) - samples).max() < 1e-6


def test_beyond_the_samples_it_falls_to_nothing() -> None:
    transforms, grid = samples_to_transforms(np.full((1, 101, 101), 1e-4))
    edge = values(transforms[0], grid, np.zeros(1), np.array([12.5, 13.25, 14.0]))[0]
    assert edge[0] == pytest.approx(1e-4, rel=1e-3)
    assert 0.3e-4 < edge[1] < 0.7e-4
    assert abs(edge[2]) < 1e-7


def test_stamps_are_the_values_of_the_file(single: Path) -> None:
    psf = read_stdpsf(single, "WF3", shape=SHAPE)
    cube = fits.getdata(single).reshape(9, 9, 101, 101)
    for column, row, dx, dy in ((0, 0, 0, 0), (3, 5, 1, -2), (8, 8, -1, 1)):
        x, y = psf.nodes.x[column], psf.nodes.y[row]
        stamp = psf.at(x, y)
        found = values(stamp, psf.grid, QUARTERS + dy / 4, QUARTERS + dx / 4)
        rows, columns = (50 + np.arange(-10, 11) + d for d in (dy, dx))
        assert np.abs(found - cube[row, column][np.ix_(rows, columns)]).max() < 1e-6
        # and through the series that measures stars
        stamp = psf.stamps(np.array([x + dx / 4]), np.array([y + dy / 4]), 5)[0]
        near = read_stdpsf(single, "WF3").stamps(np.array([x + dx / 4]), np.array([y + dy / 4]), 5)
        assert np.array_equal(stamp, near[0])
        if (dx, dy) == (0, 0):
            assert np.abs(stamp - cube[row, column][42:59:4, 42:59:4]).max() < 1e-4


def test_round_trip_keeps_the_psf(single: Path) -> None:
    psf, original = read_stdpsf(single, "WF3"), optical("WF3")
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 799, (2, 100))
    assert np.abs(psf.stamps(x, y, 5) - original.stamps(x, y, 5)).max() < 2e-3
    x, y = np.array(psf.nodes.points).T
    assert np.abs(psf.stamps(x, y, 5) - original.stamps(x, y, 5)).max() < 2e-4


def test_nodes_span_the_chip(single: Path) -> None:
    psf = read_stdpsf(single)
    assert (psf.nodes.x[0], psf.nodes.x[-1]) == (0, 799)
    assert psf.nodes.kind == "linear"
    header = fits.getheader(single)
    assert (header["IPSFX01"], header["JPSFY09"]) == (1, 800)
    assert is_stdpsf(header)
    assert psf.name == f"STDPSF {single.name} WFPC2 WF3 F555W"


def test_photutils_reads_a_single_chip(single: Path) -> None:
    photutils = pytest.importorskip("photutils.psf")
    model = photutils.GriddedPSFModel.read(single, format="stdpsf")
    psf = read_stdpsf(single)
    span = np.arange(-2, 3)
    rng = np.random.default_rng(2)
    # at quarters of a pixel both have the file's own values, wherever on the chip
    for x, y in np.round(rng.uniform(10, 790, (30, 2)) * 4) / 4:
        columns, rows = np.meshgrid(np.rint(x) + span, np.rint(y) + span)
        theirs = model.evaluate(columns, rows, 1.0, x, y)
        ours = psf.stamps(np.array([x]), np.array([y]), 5)[0]
        assert np.abs(theirs - ours).max() < 1e-4
        assert np.abs(theirs - optical("WF3").stamps([x], [y], 5)[0]).max() < 3e-3


def test_photutils_reads_four_chips_as_it_places_them(tmp_path: Path) -> None:
    photutils = pytest.importorskip("photutils.psf")
    path = tmp_path / "STDPSF_WFPC2_F555W.fits"
    write_stdpsf({chip: optical(chip) for chip in CHIPS}, path, layout="photutils")
    span = np.arange(-2, 3)
    for number, chip in enumerate(CHIPS, start=1):
        model = photutils.GriddedPSFModel.read(path, format="stdpsf", detector_id=number)
        psf = read_stdpsf(path, chip)
        for x, y in ((49.0, 424.25), (300.5, 650.0), (799.0, 799.0)):
            columns, rows = np.meshgrid(np.rint(x) + span, np.rint(y) + span)
            ours = psf.stamps(np.array([x]), np.array([y]), 5)[0]
            assert np.abs(model.evaluate(columns, rows, 1.0, x, y) - ours).max() < 1e-4


@pytest.mark.parametrize("chip", CHIPS)
def test_chips_are_found_wherever_they_lie(mosaic: Path, chip: str) -> None:
    psf = read_stdpsf(mosaic, chip, shape=SHAPE, instrument="WFPC2", filter_name="F555W")
    assert psf.nodes.x == psf.nodes.y == (49, 424, 799)
    x, y = np.array(psf.nodes.points).T
    assert np.abs(psf.stamps(x, y, 5) - optical(chip).stamps(x, y, 5)).max() < 2e-4


def test_andersons_mosaic_has_the_pc_in_the_lower_left(tmp_path: Path) -> None:
    path = tmp_path / "STDPSF_WFPC2_F555W.fits"
    write_stdpsf({chip: optical(chip) for chip in CHIPS}, path)
    with fits.open(path) as hdus:
        header, cube = hdus[0].header, hdus[0].data
    assert cube.shape == (36, 101, 101)
    assert [header[f"IPSFX{k:02d}"] for k in range(1, 7)] == [50, 425, 800, 850, 1225, 1600]
    peaks = cube.reshape(6, 6, 101, 101)[:, :, 50, 50]
    assert peaks[:3, :3].max() < peaks[3:].min()
    assert peaks[:3, :3].max() < peaks[:3, 3:].min()


def test_the_file_tells_what_it_is_for(single: Path, mosaic: Path) -> None:
    assert stdpsf_chips(single) == ("WFPC2", ["WF3"], "F555W")
    instrument, chips, band = stdpsf_chips(mosaic)
    assert (instrument, sorted(chips), band) == ("WFPC2", sorted(CHIPS), "F555W")


def test_a_mosaic_needs_the_chips_name(mosaic: Path) -> None:
    for chip in (None, "UVIS1"):
        with pytest.raises(InputFileError, match=r"PC, WF2, WF3, WF4.*asked for"):
            read_stdpsf(mosaic, chip)


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ({"instrument": "ACS"}, "another camera, WFPC2; expected one for ACS"),
        ({"chip": "PC"}, "another chip, WF3; expected one for PC"),
        ({"filter_name": "F814W"}, "another filter, F555W; expected one for F814W"),
        ({"shape": (4096, 2048)}, "another camera"),
        ({"shape": (400, 400)}, "another camera"),
    ],
)
def test_files_for_something_else_are_refused(single: Path, wanted: dict, text: str) -> None:
    with pytest.raises(InputFileError, match=text):
        read_stdpsf(single, **wanted)


def test_the_name_of_a_file_tells_its_camera(single: Path, tmp_path: Path) -> None:
    def strip(hdu: fits.PrimaryHDU) -> None:
        for key in ("INSTRUME", "DETECTOR", "FILTER"):
            hdu.header.pop(key)

    named = changed(single, tmp_path / "STDPSF_ACSHRC_F555W_SM4.fits", strip)
    with pytest.raises(InputFileError, match="another camera, ACS"):
        read_stdpsf(named, "WF3", instrument="WFPC2")
    assert stdpsf_chips(named) == ("ACS", ["HRC"], "F555W")
    unnamed = changed(single, tmp_path / "psf.fits", strip)
    assert read_stdpsf(unnamed, "WF3", shape=SHAPE, instrument="WFPC2", filter_name="F555W")


def test_two_chips_of_acs(tmp_path: Path) -> None:
    """Grids of 9x10 nodes over 4096x4096 pixels: WFC2 below WFC1."""
    cube = np.zeros((90, 101, 101), np.float32)
    cube[:45, 50, 50], cube[45:, 50, 50] = 0.2, 0.3
    hdu = fits.PrimaryHDU(cube)
    hdu.header["NXPSFS"], hdu.header["NYPSFS"] = 9, 10
    for k, x in enumerate(np.linspace(1, 4096, 9).astype(int), 1):
        hdu.header[f"IPSFX{k:02d}"] = int(x)
    for k, y in enumerate([*np.linspace(1, 2048, 5), *np.linspace(2049, 4096, 5)], 1):
        hdu.header[f"JPSFY{k:02d}"] = int(y)
    path = tmp_path / "STDPSF_ACSWFC_F814W.fits"
    hdu.writeto(path)
    for chip, light in (("WFC2", 0.2), ("WFC1", 0.3)):
        psf = read_stdpsf(path, chip, shape=(2048, 4096), instrument="ACS", filter_name="F814W")
        assert psf.nodes.y[0] == 0
        assert psf.nodes.y[-1] == 2047
        middle = values(psf.at(2000, 1000), psf.grid, np.zeros(1), np.zeros(1))[0, 0]
        assert middle == pytest.approx(light, rel=1e-5)


def test_bad_files_are_refused_in_words(single: Path, tmp_path: Path) -> None:
    cases: dict[str, Callable[[fits.PrimaryHDU], object]] = {
        "NXPSFs": lambda hdu: hdu.header.remove("NXPSFS"),
        "JPSFY03": lambda hdu: hdu.header.remove("JPSFY03"),
        "no number": lambda hdu: hdu.header.set("IPSFX01", "left"),
        "81 PSFs but": lambda hdu: hdu.header.set("NYPSFS", 8),
        "not finite": lambda hdu: hdu.data[3].fill(np.nan),
        r"the shape \(9, 101, 101, 9\)": lambda hdu: setattr(
            hdu, "data", np.zeros((9, 101, 101, 9), np.float32)
        ),
    }
    for number, (text, change) in enumerate(cases.items()):
        path = changed(single, tmp_path / f"{number}.fits", change)
        with warnings.catch_warnings(), pytest.raises(InputFileError, match=text):
            warnings.simplefilter("ignore")
            read_stdpsf(path)
    path = tmp_path / "text.fits"
    path.write_text("not FITS at all")
    with pytest.raises(InputFileError, match="not a FITS file"):
        read_stdpsf(path)
    path.write_bytes(single.read_bytes()[:20000])
    with pytest.raises(InputFileError, match="truncated"):
        read_stdpsf(path)


def test_nodes_must_ascend(single: Path, tmp_path: Path) -> None:
    path = changed(single, tmp_path / "a.fits", lambda hdu: hdu.header.set("IPSFX04", 1))
    with pytest.raises(InputFileError, match="ascending"):
        read_stdpsf(path, shape=SHAPE)


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    two = {"PC": optical("PC"), "WF3": optical("WF3")}
    with pytest.raises(ParameterError, match="all four of WFPC2"):
        write_stdpsf(two, tmp_path / "a.fits")
    with pytest.raises(ParameterError, match="anderson or photutils"):
        write_stdpsf({c: optical("PC") for c in CHIPS}, tmp_path / "a.fits", layout="round")
    with pytest.raises(OutputFileError, match="cannot write"):
        write_stdpsf(optical("PC"), tmp_path / "none" / "a.fits")
    assert not list(tmp_path.iterdir())
