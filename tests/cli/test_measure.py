from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from typer.testing import CliRunner

from filar.catalogfile import read_catalog
from filar.cli import console, main, measure
from filar.xym import read_xym
from tests.cli.test_info import run
from tests.measure import samples


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "in"
    folder.mkdir()
    return [samples.write(folder / f"image{i}.fits", seed=i) for i in (1, 2)]


def files_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if not p.is_dir())


def invoke(*arguments: object) -> int:
    """Run the command in this process; the status that the shell would see."""
    console.set_verbosity(0)
    return CliRunner().invoke(main.app, ["measure", *map(str, arguments)]).exit_code


def test_measures_and_tells(images: list[Path], tmp_path: Path) -> None:
    out, listed, page = (tmp_path / f"stars{s}" for s in (".ecsv", ".xym", ".html"))
    status, text, told = run(
        "measure", images[0], "-o", out, "--psf", "default", "--xym", listed, "--report", page
    )
    assert (status, text) == (0, "")
    table = read_catalog(out)
    assert f"{len(table)} rows in {out}" in told
    assert f"image1: {len(table)} stars, 0 saturated" in told
    assert len(read_xym(listed)) == len(table)
    assert "<html" in page.read_text()
    assert files_in(tmp_path) == ["stars.ecsv", "stars.html", "stars.xym"]


def test_options_reach_the_measurement(images: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "stars.parquet"
    options = ["--psf", "default", "--threshold", 20, "--box", 7, "--sky", "fit", "--passes", 1]
    options += ["--mag-system", "ab", "--gain", 4, "--read-noise", 7, "--filter", "F555W"]
    assert invoke(images[0], "-o", out, *options) == 0
    meta = read_catalog(out).meta
    assert meta["parameters"] == {
        "psf": "default",
        "threshold": 20.0,
        "box": 7,
        "sky": "fit",
        "passes": 1,
        "mag_system": "ab",
        "method": "auto",
        "model": "packaged",
        "similar": False,
        "saturated": "none",
        "positions": "none",
    }
    assert meta["exposures"][0]["gain"] == 4.0
    assert meta["exposures"][0]["filter"] == "F555W"


def test_many_files_have_a_page_each_and_one_that_leads_to_them(
    images: list[Path], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    arguments = ["-o", tmp_path / "a.fits", "--psf", "default", "--report", page]
    assert invoke(*images, *arguments) == 0
    assert files_in(tmp_path) == ["a.fits", "page-image1.html", "page-image2.html", "page.html"]
    assert 'href="page-image2.html"' in page.read_text()


def test_a_bad_file_is_told_and_the_good_one_written(images: list[Path], tmp_path: Path) -> None:
    (tmp_path / "in" / "bad.fits").write_text("no image")
    out = tmp_path / "a.fits"
    status, _, told = run(
        "measure", tmp_path / "in" / "bad.fits", images[0], "-o", out, "--psf", "default"
    )
    assert status == 1
    assert "filar: error:" in told
    assert "bad.fits" in told
    assert "Traceback" not in told
    assert len(read_catalog(out)) > 60


def test_of_many_files_those_with_remarks_are_told(
    images: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dark = samples.write(tmp_path / "in" / "dark.fits", seed=3)
    with fits.open(dark, mode="update") as hdus:
        hdus[0].data = np.random.default_rng(1).normal(15, 3, samples.SHAPE).astype(np.float32)
    monkeypatch.setattr(measure, "SHOWN", 1)
    arguments = [*images, dark, "-o", tmp_path / "a.fits", "--psf", "default", "--threshold", 20]
    for verbose in (False, True):
        done = CliRunner().invoke(
            main.app, ["measure", *map(str, arguments), *(["-v"] if verbose else [])]
        )
        console.set_verbosity(0)
        assert done.exit_code == 0
        assert "image1.fits" in done.stderr
        assert "dark.fits" in done.stderr
        assert ("image2.fits" in done.stderr) == verbose
        assert ("and 1 more files" in done.stderr) != verbose


def test_quiet_only_tells_failures(images: list[Path], tmp_path: Path) -> None:
    status, text, told = run(
        "measure", images[0], "-q", "-o", tmp_path / "a.fits", "--psf", "default"
    )
    assert (status, text, told) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["in/image1.fits", "-o", "a.csv"], 2, ".ecsv, .fits, .parquet"),
        (["in/image1.fits", "-o", "none/a.fits"], 1, "no folder"),
        (["in/image1.fits", "-o", "in/image1.fits"], 1, "also an input"),
        (["in/image1.fits", "in/image1.fits", "-o", "a.fits"], 2, "once"),
        (["in/image1.fits", "-o", "a.fits", "--psf", "none.fits"], 1, "no such PSF file"),
        (["in/image1.fits", "-o", "a.fits", "--box", "4"], 2, "odd"),
        (["in/image1.fits", "-o", "a.fits", "--report", "a.pdf"], 2, ".html"),
        (["in/image1.fits", "-o", "a.fits", "--report", "none/a.html"], 1, "no folder"),
        (["in/image1.fits", "-o", "a.ecsv", "--xym", "a.ecsv"], 2, "another name"),
        (["in/none.fits", "-o", "a.fits"], 1, "no such file"),
        (["in/image1.fits", "-o", "a.fits", "--psf", "default", "--chips", "PC"], 1, "PC"),
    ],
)
def test_wrong_calls_leave_nothing_behind(
    images: list[Path], tmp_path: Path, monkeypatch, capsys, arguments, status, message
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["filar", "measure", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main.main()
    assert stopped.value.code == status
    assert message in capsys.readouterr().err
    assert not files_in(tmp_path)
    assert files_in(tmp_path / "in") == ["image1.fits", "image2.fits"]


@pytest.mark.parametrize(
    "arguments", [["-o", "a.fits"], ["x.fits"], ["x.fits", "-o", "a.fits", "--workers", "0"]]
)
def test_usage_errors_exit_with_two(arguments: list[str]) -> None:
    assert invoke(*arguments) == 2
