"""`filar completeness`: a catalogue and a model in, probabilities out, and what it refuses."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.table import QTable

from filar.catalogfile import SUFFIXES, read_catalog, write_catalog
from filar.cli import main
from filar.completeness.estimator import CompletenessModel
from tests.cli.test_mean import files_in
from tests.completeness.toys import toy_real, toy_stars

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process: status, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["filar", *map(str, arguments)])
        try:
            main.main()
        except SystemExit as end:
            return int(end.code or 0), *capsys.readouterr()
        raise AssertionError("the command did not end")

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with covariates, one without, and catalogues."""
    folder = tmp_path_factory.mktemp("completeness")
    stars = toy_stars(3000)
    CompletenessModel("logistic").fit(stars).save(folder / "m.safetensors")
    CompletenessModel("logistic", covariates=()).fit(stars).save(folder / "bare.safetensors")
    for suffix in SUFFIXES:
        write_catalog(toy_real(100).to_table(), folder / f"stars{suffix}")
    return folder


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_gives_probabilities_and_tells(run: Run, folder: Path, tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out{suffix}"
    catalog = folder / f"stars{suffix}"
    status, text, told = run(
        "completeness", catalog, "--model", folder / "m.safetensors", "-o", out
    )
    assert (status, text) == (0, "")
    first, last = told.splitlines()
    assert first.startswith("100 stars, ")
    assert "stand for" in first
    assert last == f"p_recovered and in_domain in {out}"
    table, own = read_catalog(out), read_catalog(catalog)
    assert table.colnames == [*own.colnames, "p_recovered", "in_domain"]
    assert table["in_domain"].dtype == bool
    assert np.all((table["p_recovered"] >= 0) & (table["p_recovered"] <= 1))
    assert table.meta["completeness"]["model"] == "m.safetensors"
    assert files_in(tmp_path) == [out.name]


def test_a_table_of_another_program_by_its_columns(run: Run, folder: Path, tmp_path: Path) -> None:
    stars = toy_real(30)
    table = QTable({"name": np.arange(30), "V": stars.mag[:, 0], "I": stars.mag[:, 1]})
    table["noise"], table["near"] = stars.covariates.values()
    table.write(tmp_path / "a.csv", format="ascii.csv")
    options = ["--column", "mag=V,I", "--bands", "F555W,F814W"]
    options += ["--column", "covariates=sky_noise_F555W:noise,crowding:near"]
    out = tmp_path / "out.ecsv"
    status, _, told = run(
        "completeness", tmp_path / "a.csv", "--model", folder / "m.safetensors", "-o", out, *options
    )
    assert status == 0
    assert "warning: " in told
    assert "it does not say how its stars were cut; the model's cuts are bands 2, snr 5.0" in told
    assert read_catalog(out).colnames[:5] == ["name", "V", "I", "noise", "near"]
    assert read_catalog(out).colnames[-2:] == ["p_recovered", "in_domain"]


def test_other_cuts_need_force(run: Run, folder: Path, tmp_path: Path) -> None:
    stars = replace(toy_real(30), meta={"cuts": {"snr": 3.0, "bands": 2}})
    write_catalog(stars.to_table(), tmp_path / "a.parquet")
    command = ("completeness", tmp_path / "a.parquet", "--model", folder / "m.safetensors")
    status, _, told = run(*command, "-o", tmp_path / "out.parquet")
    assert status == 1
    assert "other cuts than the model's: snr 3.0, not 5.0" in told
    assert files_in(tmp_path) == ["a.parquet"]
    status, _, told = run(*command, "-o", tmp_path / "out.parquet", "--force")
    assert status == 0
    assert "warning" in told


def test_faults_are_one_line_and_leave_nothing(run: Run, folder: Path, tmp_path: Path) -> None:
    stars = toy_real(30)
    nan = dict.fromkeys(stars.covariates, np.full(30, np.nan))
    for name, table in (
        ("bare", replace(stars, covariates={}).to_table()),
        ("nan", replace(stars, covariates=nan).to_table()),
        ("bands", replace(stars, bands=("B", "V")).to_table()),
        ("none", stars.to_table()[:0]),
        ("asts", toy_stars(30).to_table()),
    ):
        write_catalog(table, tmp_path / f"{name}.parquet")
    before = files_in(tmp_path)
    model, out = folder / "m.safetensors", tmp_path / "out.parquet"
    for name, why in (
        ("bare", "no covariate sky_noise_F555W"),
        ("nan", "no star has a known sky_noise_F555W"),
        ("bands", "bands B, V; expected F555W, F814W"),
        ("none", "there is no row in it"),
        ("asts", "a table of artificial stars"),
        ("absent", "there is no such file"),
    ):
        catalog = tmp_path / f"{name}.parquet"
        status, _, told = run("completeness", catalog, "--model", model, "-o", out)
        assert status == 1, name
        assert told.startswith(f"filar: error: {catalog}: "), told
        assert why in told
        assert len(told.splitlines()) == 1
    assert files_in(tmp_path) == before


@pytest.mark.parametrize(
    ("options", "status", "why"),
    [
        (["--model", "no.safetensors"], 1, "filar train completeness"),
        (["-o", "out.txt"], 2, ".parquet"),
        (["--fwhm", "2", "--crowding-limit", "25"], 0, ""),
        (["--crowding-limit", "25"], 2, "without --fwhm"),
        (["--column", "mag"], 2, "KEY=VALUE"),
        (["--format", "daophot"], 2, "auto, filar"),
    ],
)
def test_options(
    run: Run, folder: Path, tmp_path: Path, options: list[str], status: int, why: str
) -> None:
    given = ["--model", folder / "m.safetensors", "-o", tmp_path / "out.parquet"]
    found, _, told = run("completeness", folder / "stars.parquet", *given, *options)
    assert found == status
    assert why in told


def test_the_catalogue_is_not_overwritten(run: Run, folder: Path) -> None:
    catalog = folder / "stars.parquet"
    given = ("--model", folder / "m.safetensors", "-o", catalog)
    status, _, told = run("completeness", catalog, *given)
    assert status == 2
    assert "another name than an input's" in told


def test_columns_that_the_file_cannot_hold(run: Run, folder: Path, tmp_path: Path) -> None:
    table = toy_real(30).to_table()
    table["several"] = np.ones((30, 2))
    write_catalog(table, tmp_path / "a.fits")
    command = ("completeness", tmp_path / "a.fits", "--model", folder / "m.safetensors", "-o")
    status, _, told = run(*command, tmp_path / "out.parquet")
    assert status == 2
    assert "column several has several values" in told
    status, _, _ = run(*command, tmp_path / "out.fits")
    assert status == 0
    assert read_catalog(tmp_path / "out.fits")["several"].shape == (30, 2)
