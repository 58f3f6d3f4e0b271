from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from filar.catalog import COLUMNS, make_table
from filar.catalogfile import SUFFIXES, read_catalog, write_catalog
from filar.cli import console, main
from filar.frames.starlist import StarList
from filar.frames.table import read_mean
from tests.cli.test_info import run
from tests.frames.fields import dithers, expose, field

STARS = field(300)


def write(path: Path, lists: list[StarList]) -> Path:
    """A catalogue as filar measure makes it."""
    parts = []
    for stars in lists:
        n = len(stars)
        values = {
            c.name: np.full(n, "" if c.dtype == "str" else 0 if "int" in c.dtype else np.nan)
            for c in COLUMNS
        }
        for name in ("exposure", "chip", "filter", "method"):
            values[name] = np.full(n, getattr(stars, name))
        values |= {"x_fit": stars.x, "y_fit": stars.y, "mag": stars.mag, "snr": stars.snr}
        parts.append(values)
    table = {c.name: np.concatenate([part[c.name] for part in parts]) for c in COLUMNS}
    write_catalog(make_table(table, {}), path)
    return path


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    return write(folder / "set.parquet", dithers(STARS, 6))


def invoke(*arguments: object) -> int:
    """Run the command in this process; the status that the shell would see."""
    console.set_verbosity(0)
    return CliRunner().invoke(main.app, ["mean", *map(str, arguments)]).exit_code


def files_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if p.is_file())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_averages_and_tells(catalog: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"mean{suffix}"
    status, text, told = run("mean", catalog, "-o", out)
    assert (status, text) == (0, "")
    stars = len(read_catalog(out))
    assert f"PC F555W: {stars} stars, 6 of 6 exposures used, reference e000" in told
    assert "median rms of a measure" in told
    assert f"{stars} stars in {out}" in told
    assert files_in(tmp_path) == [f"mean{suffix}"]


def test_faults_are_told_by_name_and_the_rest_is_used(tmp_path: Path) -> None:
    lists = dithers(STARS, 10)
    lists[1].x[:] = np.nan
    lists[2] = lists[2][:5]
    lists[3] = expose(STARS, 3, shift=(300.0, -2.0))
    lists[4] = replace(lists[4], filter="F814W")
    good = write(tmp_path / "good.fits", lists)
    bad = tmp_path / "bad.parquet"
    bad.write_bytes(b"no catalogue")
    status, _, told = run("mean", bad, good, "-o", tmp_path / "mean.ecsv")
    assert status == 1
    errors = [line for line in told.splitlines() if line.startswith("filar: error: ")]
    assert len(errors) == 5
    for name, why in (
        ("bad.parquet", "cannot be read"),
        ("e001", "no position"),
        ("e002", "too few stars"),
        ("e003", "shifted by 300"),
        ("e004", "filter F814W, not F555W"),
    ):
        assert sum(name in line and why in line for line in errors) == 1, (name, told)
    assert "Traceback" not in told
    (chip,) = read_mean(tmp_path / "mean.ecsv")
    assert len(chip.to_frame) == 6
    assert len(chip.stars) > 250


def test_options_reach_the_work(catalog: Path, tmp_path: Path) -> None:
    out = tmp_path / "mean.ecsv"
    text = "[chips.all]\ncentre = [400, 400]\nscale = 400\nterms = [[1, 0, 4.0, 0.0]]\n"
    (tmp_path / "in" / "d.toml").write_text(text)
    options = ["--order", 2, "--reference", 3, "--mag=-13,-10", "--min-snr", 40, "--max-q", 0.5]
    options += ["--radius", 0.8, "--clip", 4, "--min-measures", 4, "--max-offset", 50, "--row34"]
    options += ["--distortion", tmp_path / "in" / "d.toml", "--chips", "PC", "--filter", "F555W"]
    assert invoke(catalog, "-o", out, *options, "--method", "psf-fit") == 0
    meta = read_catalog(out).meta
    assert meta["parameters"] == {
        "order": 2,
        "selection": {"min_snr": 40.0, "q": [0.0, 0.5], "mag": [-13.0, -10.0], "reject": 1019},
        "reference": "3",
        "filter": "F555W",
        "max_offset": 50.0,
        "radius": 0.8,
        "clip": 4.0,
        "min_measures": 4,
        "iterations": 3,
    }
    assert meta["corrections"]["row34"]
    assert meta["frames"][0]["reference"] == "e002"
    plain = tmp_path / "plain.ecsv"
    assert invoke(catalog, "-o", plain, "--reference", "e002") == 0
    stretch = np.ptp(read_catalog(out)["x"].value) / np.ptp(read_catalog(plain)["x"].value)
    assert stretch == pytest.approx(1.01, abs=0.001)


def test_report_with_other_centres(catalog: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "in" / "other.fits", dithers(STARS, 6, noise=2.0))
    page = tmp_path / "mean.html"
    out = tmp_path / "mean.ecsv"
    arguments = ["-o", out, "--report", page, "--compare", f"noisy={other}"]
    status, _, told = run("mean", catalog, *arguments)
    assert status == 0, told
    assert f"report in {page}" in told
    assert "noisy PC F555W" in told
    assert "noisy" in page.read_text()
    assert len(read_catalog(out)) < 320


def test_phase_bias_is_taken_out(tmp_path: Path) -> None:
    biased = [
        replace(stars, x=stars.x + 0.04 * np.sin(2 * np.pi * stars.x))
        for stars in dithers(STARS, 12)
    ]
    catalog = write(tmp_path / "set.parquet", biased)
    scatter = {}
    for name, options in (("as it is", []), ("taken out", ["--remove-phase-bias"])):
        out = tmp_path / "mean.fits"
        assert invoke(catalog, "-o", out, *options) == 0
        scatter[name] = float(np.nanmedian(read_catalog(out)["x_rms"].value))
    assert scatter["as it is"] > 0.02
    assert scatter["taken out"] < 0.6 * scatter["as it is"]


def test_phase_bias_is_taken_out_before_distortion_hides_it(tmp_path: Path) -> None:
    biased = [
        replace(stars, x=stars.x + 0.04 * np.sin(2 * np.pi * stars.x))
        for stars in dithers(STARS, 12)
    ]
    catalog = write(tmp_path / "set.parquet", biased)
    bent = tmp_path / "bent.toml"
    bent.write_text("[chips.all]\ncentre=[400, 400]\nscale=400\nterms=[[3, 0, 4.0, 0.0]]\n")
    out = tmp_path / "mean.fits"
    assert invoke(catalog, "-o", out, "--distortion", bent, "--remove-phase-bias") == 0
    mean = read_catalog(out)
    assert float(np.nanmedian(mean["x_rms"].value)) < 0.014
    assert mean.meta["phase_bias_removed"]


def test_nothing_to_tie_writes_nothing(tmp_path: Path) -> None:
    lists = [expose(field(200, seed), seed) for seed in (1, 2)]
    status, _, told = run("mean", write(tmp_path / "a.fits", lists), "-o", tmp_path / "mean.fits")
    assert status == 1
    assert "no mean catalogue was written" in told
    assert not (tmp_path / "mean.fits").exists()


def test_other_centres_that_cannot_be_read_do_not_stop_the_report(
    catalog: Path, tmp_path: Path
) -> None:
    bad, out, page = (tmp_path / name for name in ("bad.parquet", "mean.fits", "mean.html"))
    bad.write_bytes(b"no catalogue")
    status, _, told = run("mean", catalog, "-o", out, "--report", page, "--compare", f"x={bad}")
    assert status == 1
    assert f"{bad}: cannot be read" in told
    assert "no mean catalogue" not in told
    assert f"report in {page}" in told
    assert page.is_file()


def test_quiet_only_tells_failures(catalog: Path, tmp_path: Path) -> None:
    status, text, told = run("mean", "-q", catalog, "-o", tmp_path / "mean.fits")
    assert (status, text, told) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["in/set.parquet", "-o", "a.csv"], 2, ".ecsv, .fits, .parquet"),
        (["in/set.parquet", "-o", "none/a.fits"], 1, "no folder"),
        (["in/set.parquet", "-o", "in/set.parquet"], 2, "another name"),
        (["in/set.parquet", "in/set.parquet", "-o", "a.fits"], 2, "each file once"),
        (["in/none.parquet", "-o", "a.fits"], 1, "no such file"),
        (["in/set.parquet", "-o", "a.fits", "--reference", "7"], 2, "1 to 6"),
        (["in/set.parquet", "-o", "a.fits", "--filter", "F336W"], 2, "F555W"),
        (["in/set.parquet", "-o", "a.fits", "--chips", "WF2"], 2, "PC"),
        (["in/set.parquet", "-o", "a.fits", "--method", "none"], 1, "psf-fit"),
        (["in/set.parquet", "-o", "a.fits", "--mag", "5,1"], 2, "two magnitudes"),
        (["in/set.parquet", "-o", "a.fits", "--radius", "0"], 2, "positive"),
        (["in/set.parquet", "-o", "a.fits", "--distortion", "none.toml"], 1, "cannot be read"),
        (["in/set.parquet", "-o", "a.fits", "--truth", "t.parquet"], 2, "--truth"),
        (["in/set.parquet", "-o", "a.fits", "--max-q", "nan"], 2, "q = "),
        (["in/set.parquet", "-o", "a.fits", "--row34", "--first-row", "nan"], 2, "first_row"),
        (
            ["in/set.parquet", "-o", "a.fits", "--report", "a.html", "--truth", "in/set.parquet"],
            1,
            "in/set.parquet: it is a table without x, y",
        ),
        (["in/set.parquet", "-o", "a.fits", "--report", "a.pdf"], 2, ".html"),
        (
            ["in/set.parquet", "-o", "a.fits", "--report", "a.html", "--compare", "x"],
            2,
            "NAME=CATALOG",
        ),
    ],
)
def test_wrong_calls_leave_nothing_behind(
    catalog: Path, tmp_path: Path, monkeypatch, capsys, arguments, status, message
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["filar", "mean", *arguments])
    with pytest.raises(SystemExit) as stopped:
        main.main()
    assert stopped.value.code == status
    assert message in capsys.readouterr().err
    assert not files_in(tmp_path)
    assert files_in(tmp_path / "in") == ["set.parquet"]


@pytest.mark.parametrize(
    "arguments", [["-o", "a.fits"], ["x.fits"], ["x.fits", "-o", "a.fits", "--order", "6"]]
)
def test_usage_errors_exit_with_two(arguments: list[str]) -> None:
    assert invoke(*arguments) == 2
