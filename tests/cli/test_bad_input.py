"""Bad files through `filar measure`: one clear line each, nothing half-written, good ones kept."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from filar.catalogfile import read_catalog
from filar.cli import console, main
from filar.flags import Flag
from tests.instruments import files
from tests.measure import samples

KNOWN = {"GAIN": 2.0, "RDNOISE": 5.0}


def not_fits(path: Path) -> None:
    path.write_text("no image\n" * 500)


def truncated(path: Path) -> None:
    samples.write(path)
    path.write_bytes(path.read_bytes()[:20_000])


def no_image(path: Path) -> None:
    files.image(path, None, **KNOWN)


def one_row(path: Path) -> None:
    files.image(path, np.ones(300, np.float32), **KNOWN)


def five_axes(path: Path) -> None:
    files.image(path, np.ones((2, 2, 2, 20, 20), np.float32), **KNOWN)


def all_nan(path: Path) -> None:
    files.image(path, np.full((60, 60), np.nan, np.float32), **KNOWN)


def all_masked(path: Path) -> None:
    files.image(path, files.pixels((60, 60)), BADPIX=1e6, **KNOWN)


def no_gain(path: Path) -> None:
    files.image(path, files.pixels((60, 60)), RDNOISE=5.0)


def unknown_filter(path: Path) -> None:
    data = files.pixels((4, 120, 120))
    files.wfpc2_cube(path, data)
    with fits.open(path, mode="update") as hdus:
        hdus[0].header["FILTNAM1"] = "FR533P15"


def folder(path: Path) -> None:
    path.mkdir()


def absent(path: Path) -> None:
    pass


BAD = [
    (not_fits, "not a FITS file"),
    (truncated, "truncated"),
    (no_image, "no image"),
    (one_row, "shape (300,)"),
    (five_axes, "shape (2, 2, 2, 20, 20)"),
    (all_nan, "every pixel is NaN"),
    (all_masked, "every pixel is masked or saturated"),
    (no_gain, "--gain"),
    (unknown_filter, "FR533P15"),
    (folder, "is a folder"),
    (absent, "no such file"),
]


def measure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> tuple[int, list[str]]:
    """Exit status and the lines on stderr, in this process."""
    monkeypatch.setattr("sys.argv", ["filar", "measure", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        main.main()
    out, err = capsys.readouterr()
    assert not out
    assert "Traceback" not in err
    return ended.value.code or 0, err.splitlines()


@pytest.fixture(autouse=True)
def _normal_verbosity() -> None:
    console.set_verbosity(0)


@pytest.mark.parametrize(("make", "message"), BAD, ids=[make.__name__ for make, _ in BAD])
def test_bad_files_are_told_in_a_line_and_the_good_one_is_written(
    make: Callable[[Path], None], message: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    bad, good, out = tmp_path / "bad_c0f.fits", tmp_path / "good.fits", tmp_path / "out.ecsv"
    make(bad)
    samples.write(good)
    there = sorted(tmp_path.iterdir())
    page = tmp_path / "page.html"
    options = ("-o", out, "--psf", "default")
    status, lines = measure(monkeypatch, capsys, bad, *options, "--report", page)
    assert status == 1
    errors = [line for line in lines if line.startswith("filar: error: ")]
    assert sorted(tmp_path.iterdir()) == there
    assert len(errors) == 2
    assert str(bad) in errors[0]
    assert message in errors[0]
    assert "no catalogue was written" in errors[1]
    status, lines = measure(monkeypatch, capsys, bad, good, *options)
    assert status == 1
    assert [line for line in lines if line.startswith("filar: error: ")] == errors[:1]
    assert set(read_catalog(out)["exposure"]) == {"good"}
    assert sorted(tmp_path.iterdir()) == sorted([*there, out])


def test_a_missing_quality_file_is_a_warning(tmp_path: Path, monkeypatch, capsys) -> None:
    source = files.wfpc2_cube(tmp_path / "u4_c0f.fits", files.pixels((4, 120, 120)))
    arguments = (source, "-o", tmp_path / "out.ecsv", "--psf", "default", "--chips", "WF3")
    status, lines = measure(monkeypatch, capsys, *arguments)
    assert status == 0
    assert lines[0].startswith(f"filar: warning: {source}: no quality file u4_c1f.fits")


def test_an_image_of_noise_gives_an_empty_catalogue(tmp_path: Path, monkeypatch, capsys) -> None:
    noise = np.random.default_rng(1).normal(30, 5, (120, 120)).astype(np.float32)
    source = files.image(tmp_path / "noise.fits", noise, GAIN=1.0, RDNOISE=5.0)
    status, lines = measure(
        monkeypatch, capsys, source, "-o", tmp_path / "o.ecsv", "--threshold", 7
    )
    assert status == 0
    assert "no star above 7 sigma" in " ".join(lines)
    assert len(read_catalog(tmp_path / "o.ecsv")) == 0


def test_ten_stars_fall_back_to_the_default_psf_and_say_so(
    tmp_path: Path, monkeypatch, capsys
) -> None:
    whole = samples.exposure()[0].data[:75, :50] / samples.GAIN
    cards = {"GAIN": samples.GAIN, "RDNOISE": samples.READ_NOISE}
    source = files.image(tmp_path / "few.fits", whole.astype(np.float32), **cards)
    status, lines = measure(monkeypatch, capsys, source, "-o", tmp_path / "o.ecsv")
    assert status == 0
    told = " ".join(lines)
    assert "the default PSF is used" in told
    assert "PSF from" not in told
    stars = read_catalog(tmp_path / "o.ecsv")
    assert 5 < len(stars) < 20
    assert ((stars["flags"] & int(Flag.DEFAULT_PSF)) != 0).all()
    assert set(stars["method"]) == {"psf-default"}


@pytest.mark.parametrize(
    "arguments",
    [["a.fits", "-o", "o.fits", "--nonsense"], ["a.fits", "-o"], ["-o", "o.fits"]],
)
def test_usage_errors(arguments: list[str], monkeypatch, capsys) -> None:
    assert measure(monkeypatch, capsys, *arguments)[0] == 2
