"""`filar completeness --asts --lf --limits`: a luminosity function and limits."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filar.catalogfile import read_catalog, write_catalog
from filar.cli import main
from filar.completeness.estimator import CompletenessModel
from filar.completeness.table import RealStars
from tests.completeness.toys import toy_real, toy_stars

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process: status and stderr."""

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["filar", *map(str, arguments)])
        try:
            main.main()
        except SystemExit as end:
            return int(end.code or 0), capsys.readouterr().err
        raise AssertionError("the command did not end")

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, artificial stars, and real ones that are as those are."""
    folder = tmp_path_factory.mktemp("products")
    stars = toy_stars(6000)
    CompletenessModel("logistic").fit(stars).save(folder / "m.safetensors")
    write_catalog(stars.to_table(), folder / "asts.parquet")
    field = toy_stars(3000, seed=7)
    seen = field.select(field.recovered)
    real = RealStars(
        seen.bands, seen.mag_out, seen.covariates, seen.x, seen.y, seen.meta
    )  # fmt: skip
    write_catalog(real.to_table(), folder / "stars.parquet")
    write_catalog(replace(toy_real(100), x=np.full(100, np.nan)).to_table(), folder / "no_x.ecsv")
    return folder


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".parquet"])
def test_luminosity_function_and_limits_are_written(
    run: Run, folder: Path, tmp_path: Path, suffix: str
) -> None:
    out, lf, limits = (tmp_path / f"{name}{suffix}" for name in ("out", "lf", "limits"))
    status, told = run(
        "completeness", folder / "stars.parquet", "--model", folder / "m.safetensors", "-o", out,
        "--asts", folder / "asts.parquet", "--lf", lf, "--limits", limits,
    )  # fmt: skip
    assert status == 0
    assert str(lf) in told
    assert str(limits) in told
    table = read_catalog(lf)
    truth = toy_stars(3000, seed=7).mag_in[:, 0]
    edges = np.append(table["mag_low"].value, table["mag_high"].value[-1])
    wanted = np.histogram(truth, edges)[0]
    good = np.asarray(table["reliable"], bool)
    assert good.sum() >= 8
    pull = (np.asarray(table["number"]) - wanted)[good] / np.asarray(table["number_err"])[good]
    assert np.abs(pull).max() < 4
    places = read_catalog(limits)
    assert {"x", "y", "limit_50", "limit_80", "crowding"} <= set(places.colnames)
    known = np.isfinite(places["limit_50"].value) & np.isfinite(places["limit_80"].value)
    assert known.any()
    assert np.all(places["limit_80"].value[known] < places["limit_50"].value[known])
    # Noisier sky, brighter limit.
    noise = np.asarray(places["sky_noise_F555W"])[known]
    assert np.corrcoef(np.log(noise), places["limit_50"].value[known])[0, 1] < -0.9


def test_without_positions_limits_follow_the_colour(run: Run, folder: Path, tmp_path: Path) -> None:
    limits = tmp_path / "limits.ecsv"
    status, _ = run(
        "completeness", folder / "no_x.ecsv", "--model", folder / "m.safetensors",
        "-o", tmp_path / "out.ecsv", "--limits", limits,
    )  # fmt: skip
    assert status == 0
    table = read_catalog(limits)
    assert np.all(np.diff(np.asarray(table["color"])) > 0)
    # Blue stars are lost in the redder filter first.
    assert np.ptp(table["limit_50"].value[np.isfinite(table["limit_50"].value)]) > 0.2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--lf", "lf.ecsv"], "--asts"),
        (["--asts", "asts.parquet"], "with --lf or --limits"),
        (["--asts", "nothing.parquet", "--lf", "lf.ecsv"], "no such file"),
        (["--asts", "asts.parquet", "--lf", "asts.parquet"], "another name"),
        (["--limits", "out.ecsv"], "another name"),
        (["--limits", "limits.txt"], "limits.txt"),
    ],
)
def test_senseless_options_leave_no_file(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str],
    message: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    given = [folder / word if word == "asts.parquet" else word for word in words]
    status, told = run(
        "completeness", folder / "stars.parquet", "--model", folder / "m.safetensors",
        "-o", "out.ecsv", *given,
    )  # fmt: skip
    assert status in (1, 2)
    assert message in told
    assert not list(tmp_path.iterdir())
