import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from filar.catalogfile import read_catalog
from filar.psf.empirical import read_stdpsf, write_stdpsf
from filar.psf.files import ChipPSF, file_kind, read_any, write_psfs
from filar.report.psfgrid import PLACES, places, psf_grid, views
from tests.measure.samples import write
from tests.psf.samples import SHAPE, gaussian, optical

CHIPS = ("PC", "WF2", "WF3", "WF4")
PNG = b"\x89PNG"


def run(*arguments: object) -> tuple[int, str]:
    """Run the command line as a user does; its exit status and what it says."""
    done = subprocess.run(
        [sys.executable, "-c", "from filar.cli.main import main; main()", "psf",
         *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "" or "--help" in arguments
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.fits"
    write_psfs([ChipPSF(optical(c), "WFPC2", c, "F555W", SHAPE) for c in CHIPS], path)
    return path


def test_files_are_translated_there_and_back(own: Path, tmp_path: Path) -> None:
    library, back = tmp_path / "STDPSF_WFPC2_F555W.fits", tmp_path / "back.fits"
    assert run("convert", own, library) == (0, f"{library}: PC, WF2, WF3, WF4\n")
    assert file_kind(library) == "stdpsf"
    status, _ = run("convert", library, back)
    assert status == 0
    found = read_any(back)
    assert sorted(one.chip for one in found) == sorted(CHIPS)
    for one in found:
        x, y = np.array(one.psf.nodes.points).T
        change = one.psf.stamps(x, y, 5) - optical(one.chip).stamps(x, y, 5)
        assert np.abs(change).max() < 2e-4


def test_one_chip_becomes_a_file_of_one(own: Path, tmp_path: Path) -> None:
    path = tmp_path / "pc.fits"
    assert run("convert", own, path, "--chip", "pc")[0] == 0
    psf = read_stdpsf(path, "PC", shape=SHAPE, instrument="WFPC2", filter_name="F555W")
    assert psf.name.endswith("WFPC2 PC F555W")
    same = tmp_path / "same.fits"
    assert run("convert", own, same, "--chip", "PC,WF3", "--to", "filar")[0] == 0
    assert [one.chip for one in read_any(same)] == ["PC", "WF3"]


def test_what_cannot_be_translated_is_said(own: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.fits"
    status, text = run("convert", own, target, "--chip", "PC,WF3")
    assert status == 2
    assert "all four of WFPC2" in text
    status, text = run("convert", own, target, "--chip", "UVIS1")
    assert status == 1
    assert f"{own}: it has the chips PC, WF2, WF3, WF4; expected all of UVIS1" in text
    image = tmp_path / "image.fits"
    fits.PrimaryHDU(np.zeros((4, 4))).writeto(image)
    status, text = run("convert", image, target)
    assert status == 1
    assert "not a PSF file" in text
    assert run("convert", tmp_path / "none.fits", target)[0] == 1
    assert run("convert", own, tmp_path / "none" / "out.fits")[0] == 1
    assert run("convert", own, tmp_path / "out.txt")[0] == 2
    assert run("convert", own)[0] == 2
    assert not target.exists()


def test_a_model_is_drawn(tmp_path: Path) -> None:
    picture = tmp_path / "grid.png"
    status, text = run("show", "--instrument", "wfpc2", "--chip", "PC", "--filter", "F555W",
                       "--focus", 2, "-o", picture)  # fmt: skip
    assert (status, text) == (0, f"{picture}: PC\n")
    assert picture.read_bytes()[:4] == PNG


def test_files_and_exposures_are_drawn(tmp_path: Path) -> None:
    library = tmp_path / "library.fits"
    write_stdpsf(gaussian(), library)
    for name, arguments in {
        "a.png": [library],
        "b.svg": [write(tmp_path / "image.fits")],
        "c.pdf": [write(tmp_path / "image.fits"), "--fit"],
    }.items():
        status, text = run("show", *arguments, "-o", tmp_path / name)
        assert status == 0, text
        assert (tmp_path / name).stat().st_size > 10_000
    assert "fitted to" in text


def test_an_exposures_psf_is_kept_for_others(tmp_path: Path) -> None:
    psf = tmp_path / "psf.fits"
    status, text = run("build", write(tmp_path / "image.fits"), "--fit", "-o", psf)
    assert status == 0
    assert "stars" in text
    assert read_any(psf)[0].psf.name == "fitted image"
    assert run("show", psf, "-o", tmp_path / "grid.png")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--instrument", "WFPC2"], "both, where no FILE is given"),
        (["--instrument", "NICMOS", "--filter", "F160W"], "WFPC2, ACS or WFC3"),
        (["--instrument", "WFPC2", "--filter", "F999W"], "F555W"),
        (["--instrument", "WFPC2", "--filter", "F555W", "--chip", "WF9"], "PC, WF2, WF3, WF4"),
        (["--instrument", "ACS", "--filter", "F606W"], "--chip"),
        (["--fit"], "only with an exposure"),
        (["a.fits", "--focus", "2"], "either a file, or a model"),
        (["--jitter", "-1"], "--jitter"),
    ],
)
def test_usage_errors(arguments: list[str], text: str, tmp_path: Path) -> None:
    status, said = run("show", *arguments, "-o", tmp_path / "grid.png")
    assert status == 2
    assert text in said
    assert not list(tmp_path.iterdir())


def test_bad_files(tmp_path: Path) -> None:
    bad = tmp_path / "bad.fits"
    bad.write_text("no image")
    for arguments in ([bad], [bad, "--fit"], [tmp_path / "none.fits"]):
        status, text = run("show", *arguments, "-o", tmp_path / "grid.png")
        assert status == 1
        assert str(arguments[0]) in text
    assert run("show", bad, "-o", tmp_path / "grid.gif")[0] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["bad.fits"]


@pytest.mark.parametrize("command", ["show", "build", "convert"])
def test_help_has_examples(command: str) -> None:
    status, text = run(command, "--help")
    assert status == 0
    assert f"filar psf {command}" in " ".join(text.split())


def test_views_lie_on_the_chip_as_the_psf_does() -> None:
    psf = optical("WF3")
    fine, pixels = views(psf, SHAPE)
    assert fine.shape[:2] == pixels.shape[:2] == (PLACES, PLACES)
    y, x = (places(n) for n in SHAPE)
    assert (x[0], x[2], x[4]) == (79.5, 399.5, 719.5)
    for row, column in ((0, 4), (3, 1)):
        at = psf.at(x[column], y[row])
        one = psf.replace(transforms=at[None], nodes=gaussian().nodes)
        stamp = one.stamps(np.array([10.0]), np.array([10.0]), 5)[0]
        middle = pixels.shape[2] // 2
        cut = pixels[row, column, middle - 2 : middle + 3, middle - 2 : middle + 3]
        assert np.abs(cut - stamp).max() < 5e-5


def test_the_figure_names_what_it_shows() -> None:
    figure = psf_grid([ChipPSF(optical(c), "WFPC2", c, "F555W", SHAPE) for c in ("PC", "WF3")])
    titles = [axis.get_title() for axis in figure.axes]
    labels = {axis.get_ylabel() for axis in figure.axes}
    assert sum("WFPC2 PC F555W" in t for t in titles) == 1
    assert sum("WFPC2 WF3 F555W" in t for t in titles) == 1
    assert "log10 (fraction of light per pixel)" in labels
    assert "y on the chip, pixels" in labels


def measure(*arguments: object) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-c", "from filar.cli.main import main; main()", "measure",
         *map(str, arguments)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr


def test_stars_are_measured_with_a_psf_from_a_file(tmp_path: Path) -> None:
    image, psf, catalog = (tmp_path / n for n in ("image.fits", "psf.fits", "stars.ecsv"))
    write(image)
    assert run("build", image, "-o", psf, "--to", "stdpsf")[0] == 0
    assert measure(image, "--psf", psf, "-o", catalog)[0] == 0
    stars = read_catalog(catalog)
    assert len(stars) > 40
    assert set(stars["method"]) == {"psf-given"}
    assert np.median(stars["qfit"]) < 0.1


def test_a_psf_for_another_camera_measures_nothing(own: Path, tmp_path: Path) -> None:
    library, catalog = tmp_path / "STDPSF_WFPC2_F555W.fits", tmp_path / "stars.ecsv"
    assert run("convert", own, library)[0] == 0
    for psf, text in ((own, "another camera, chip or filter"), (library, "PC, WF2, WF3, WF4")):
        status, said = measure(write(tmp_path / "image.fits"), "--psf", psf, "-o", catalog)
        assert status == 1
        assert str(psf) in said
        assert text in said
        assert not catalog.exists()
