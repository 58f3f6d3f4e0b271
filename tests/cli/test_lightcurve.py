import numpy as np
import pytest
from astropy.table import QTable
from typer.testing import CliRunner

from filar.catalogfile import read_catalog, read_meta, write_catalog
from filar.cli.main import app, main
from tests.lightcurve.samples import simulate

runner = CliRunner()


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    def change(mjd):
        values = np.zeros(40)
        values[2] = 0.2 * np.sin(2 * np.pi * mjd / 2.9)
        return values

    folder = tmp_path_factory.mktemp("catalogues")
    done = simulate(folder, n_stars=40, epochs=12, per_epoch=2, change=change, saturation=10.0)
    write_catalog(
        QTable({"id": [7, 8], "ra": done.ra[[2, 5]], "dec": done.dec[[2, 5]]}),
        folder / "want.ecsv",
    )
    write_catalog(
        QTable({"ra": done.ra, "dec": done.dec, "g_mag": done.mag + 1}), folder / "reference.ecsv"
    )
    return done


def invoke(*words):
    return runner.invoke(app, ["lightcurve", *map(str, words)])


def test_help_has_an_example():
    text = invoke("--help").output
    assert "Example: filar lightcurve" in text.replace("\n", " ")


def test_all_tables_figures_and_time_series(simulated, tmp_path):
    out = tmp_path / "curves.parquet"
    folder = simulated.paths[0].parent
    done = invoke(*simulated.paths, "-o", out, "--figures", tmp_path / "figures", "--stars",
                  folder / "want.ecsv", "--period", 2.9, "--timeseries", tmp_path / "series",
                  "--reference", folder / "reference.ecsv")  # fmt: skip
    assert done.exit_code == 0, done.output
    epochs = read_catalog(out)
    assert set(epochs["star"]) == {7, 8}
    stars = read_catalog(tmp_path / "curves_stars.parquet")
    assert stars["period"].value == pytest.approx([2.9, 2.9], abs=0.15)
    assert stars["amplitude"].value[0] == pytest.approx(0.4, rel=0.05)
    assert len(read_catalog(tmp_path / "curves_offsets.parquet")) == 4
    assert len(read_catalog(tmp_path / "curves_images.parquet")) == len(simulated.paths)
    names = {path.name for path in (tmp_path / "figures").rglob("*.png")}
    assert {"dispersion.png", "zero_points.png", "star_7.png", "star_8.png"} <= names
    assert (tmp_path / "figures" / "lightcurves.html").read_text().startswith("<!DOCTYPE html>")
    assert sorted(p.name for p in (tmp_path / "series").iterdir()) == ["star_7.ecsv", "star_8.ecsv"]
    assert read_meta(out)["mag_system"] == "reference magnitudes for a g, b g"


def test_a_bad_file_among_good_ones_is_exit_status_1(simulated, tmp_path):
    (tmp_path / "bad.ecsv").write_text("nothing")
    done = invoke(*simulated.paths, tmp_path / "bad.ecsv", "-o", tmp_path / "c.ecsv",
                  "--process", "none")  # fmt: skip
    assert done.exit_code == 1
    assert "bad.ecsv" in done.output
    assert len(read_catalog(tmp_path / "c.ecsv"))


def run(monkeypatch, capsys, *words):
    monkeypatch.setattr("sys.argv", ["filar", "lightcurve", *map(str, words)])
    with pytest.raises(SystemExit) as stopped:
        main()
    return stopped.value.code, capsys.readouterr().err


def test_nothing_to_read_writes_nothing(tmp_path, monkeypatch, capsys):
    code, text = run(monkeypatch, capsys, tmp_path / "none.ecsv", "-o", tmp_path / "c.ecsv")
    assert code == 1
    assert "no such file" in text
    assert not (tmp_path / "c.ecsv").exists()


def test_times_that_are_missing(simulated, tmp_path, monkeypatch, capsys):
    table = read_catalog(simulated.paths[0])
    table.meta["exposures"][0] |= {"time": "", "mid_time": ""}
    write_catalog(table, tmp_path / "a.parquet")
    code, text = run(monkeypatch, capsys, tmp_path / "a.parquet", "-o", tmp_path / "c.ecsv")
    assert code == 1
    assert "is not known" in text
    assert "--images" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-o", "c.txt"], "ends in .ecsv"),
        (["-o", "c.ecsv", "--period", "3"], "--stars"),
        (["-o", "c.ecsv", "--reference-mag", "g"], "--reference"),
    ],
)
def test_wrong_usage(simulated, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    code, text = run(monkeypatch, capsys, simulated.paths[0], *words)
    assert code == 2
    assert said in text


def test_an_input_is_not_overwritten(simulated, monkeypatch, capsys):
    path = simulated.paths[0]
    before = path.read_bytes()
    code, _ = run(monkeypatch, capsys, path, "-o", path)
    assert code == 2
    assert path.read_bytes() == before
