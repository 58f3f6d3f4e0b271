"""`filar clusters`: images and positions in, a catalogue out, and what it refuses."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.table import QTable, Table
from numpy.typing import NDArray

from filar.catalogfile import read_catalog
from filar.cli import clusters, console, main
from filar.clusters.catalog import read_posterior
from filar.clusters.data import SetFolder
from filar.clusters.estimator import ClusterModel
from filar.flags import Flag
from tests.clusters.fakemodel import TRUTH, FakeModel
from tests.clusters.fields import BANDS, PLACES, field_rates
from tests.clusters.samples import SCALE, write_set
from tests.clusters.test_estimator import small
from tests.instruments.bandfiles import sky_grid, write_band

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: status and stderr."""

    def call(*arguments: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["filar", "clusters", *map(str, arguments)])
        try:
            main.main()
        except SystemExit as end:
            out, told = capsys.readouterr()
            assert out == ""
            return int(end.code or 0), told
        finally:
            console.set_verbosity(0)
        raise AssertionError("the command did not end")

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three drizzled images, and lists of the clusters in them."""
    folder = tmp_path_factory.mktemp("m83")
    wcs = sky_grid((150, 160))
    for band, rate in zip(BANDS, field_rates(), strict=True):
        write_band(folder / f"{band}.fits", rate, band, wcs=wcs)
    ra, dec = wcs.all_pix2world(*PLACES.T, 0)
    Table({"id": [11, 12, 13], "ra": ra, "dec": dec}).write(folder / "sky.ecsv")
    lines = [f"{x:.3f} {y:.3f}" for x, y in [*PLACES, (500.0, 20.0)]]
    (folder / "pixels.txt").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """The file of a model that needs no training."""
    monkeypatch.setattr(clusters, "_load", lambda path: FakeModel())
    path = folder / "fake.safetensors"
    path.touch()
    return path


def places_of(table: QTable) -> NDArray[np.float64]:
    return np.column_stack([table["x"].value, table["y"].value])


def images(folder: Path) -> list[Path]:
    return [folder / f"{band}.fits" for band in reversed(BANDS)]


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".parquet"])
def test_listed_clusters_are_measured(
    run: Run, folder: Path, fake: Path, tmp_path: Path, suffix: str
) -> None:
    out, draws = tmp_path / f"out{suffix}", tmp_path / "draws.fits"
    status, told = run(
        *images(folder), "--positions", folder / "sky.ecsv", "--model", fake, "-o", out,
        "--posterior", draws, "--draws", 200,
    )  # fmt: skip
    assert status == 0
    assert told.splitlines()[0].startswith("3 places: 3 likely clusters")
    table = read_catalog(out)
    assert table["id"].tolist() == [11, 12, 13]
    np.testing.assert_allclose(places_of(table), PLACES, atol=1e-3)
    np.testing.assert_allclose(table["log_age_med"], TRUTH[0], atol=0.05)
    assert table.meta["model"] == "fake.safetensors"
    assert table.meta["distance_mpc"] == 4.5
    assert [fact["filter"] for fact in table.meta["images"]] == list(BANDS)
    ids, samples = read_posterior(draws)
    assert ids.tolist() == [11, 12, 13]
    assert samples.shape == (3, 200, 4)


def test_positions_off_the_images_are_rows_with_a_flag(
    run: Run, folder: Path, fake: Path, tmp_path: Path
) -> None:
    status, told = run(
        *images(folder), "--positions", folder / "pixels.txt", "--model", fake,
        "-o", tmp_path / "out.ecsv",
    )  # fmt: skip
    assert status == 0
    assert "1 off the images" in told
    table = read_catalog(tmp_path / "out.ecsv")
    assert table["flags"].tolist() == [0, 0, 0, int(Flag.OFF_IMAGE)]
    assert np.isnan(table["log_mass"]).tolist() == [False, False, False, True]


def test_clusters_are_detected(run: Run, folder: Path, fake: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.ecsv"
    status, _ = run(*images(folder), "--detect", "--model", fake, "-o", out)
    assert status == 0
    table = read_catalog(out)
    assert table["id"].tolist() == [1, 2, 3]
    found = places_of(table)[np.argsort(table["x"].value)]
    np.testing.assert_allclose(found, PLACES[np.argsort(PLACES[:, 0])], atol=0.2)
    assert np.all(table["p_map"] >= 0.5)


def test_positions_can_be_moved_onto_the_light(
    run: Run, folder: Path, fake: Path, tmp_path: Path
) -> None:
    lines = [f"{x + 3:.3f} {y - 1:.3f}" for x, y in PLACES]  # a list that counts from 1, and off
    (tmp_path / "list.txt").write_text("\n".join(lines) + "\n")
    for extra, off in (((), 2.0), (("--recentre",), 0.0)):
        status, _ = run(
            *images(folder), "--positions", tmp_path / "list.txt", "--origin", 1, *extra,
            "--model", fake, "-o", tmp_path / "out.ecsv",
        )  # fmt: skip
        assert status == 0
        table = read_catalog(tmp_path / "out.ecsv")
        np.testing.assert_allclose(places_of(table)[:, 0] - PLACES[:, 0], off, atol=0.2)


def test_options_stand_in_for_the_header(run: Run, tmp_path: Path, fake: Path) -> None:
    dropped = ("FILTER", "EXPTIME", "BUNIT", "PHOTFLAM")
    paths = [
        write_band(tmp_path / f"{band}.fits", rate, band, dropped=dropped)
        for band, rate in zip(BANDS, field_rates(), strict=True)
    ]
    np.savetxt(tmp_path / "list.txt", PLACES)
    status, told = run(
        *paths, "--positions", tmp_path / "list.txt", "--model", fake,
        "-o", tmp_path / "out.ecsv", "--filter", ",".join(BANDS), "--exptime", "1890,1880,1203",
        "--unit", "electrons/s", "--zero-point", "23.5, 24.9, 24.7", "--pixel-scale", 0.04,
    )  # fmt: skip
    assert status == 0, told
    facts = read_catalog(tmp_path / "out.ecsv").meta["images"]
    assert [fact["exposure_time_s"] for fact in facts] == [1890.0, 1880.0, 1203.0]
    assert [fact["zero_point_vega_per_electron_s"] for fact in facts] == [23.5, 24.9, 24.7]


@pytest.mark.parametrize(
    ("changed", "status", "message"),
    [
        (["--positions", "{sky}", "--detect"], 2, "either --positions LIST or --detect"),
        ([], 2, "either --positions LIST or --detect"),
        (["--positions", "{folder}/absent.txt"], 1, "absent.txt: there is no such file"),
        (["--positions", "{sky}", "--pixels"], 1, "it has no pixels"),
        (["--positions", "{sky}", "--exptime", "1,2"], 2, "one for each of 3 files"),
        (["--positions", "{sky}", "--exptime", "long"], 2, "numbers with commas"),
        (["--positions", "{sky}", "--unit", "jansky"], 2, "one of electrons/s"),
        (["--positions", "{sky}", "--posterior", "a.txt"], 2, ".fits, .parquet"),
        (["--positions", "{sky}", "--filter", "F336W"], 2, "3 in F336W"),
        (["--positions", "{sky}", "--hdu", "9"], 1, "no extension 9"),
        (["--detect", "--threshold", "1"], 2, "a probability between 0 and 1"),
    ],
)
def test_wrong_usage_is_one_line(
    run: Run, folder: Path, fake: Path, tmp_path: Path,
    changed: list[str], status: int, message: str,
) -> None:  # fmt: skip
    given = [text.format(sky=folder / "sky.ecsv", folder=folder) for text in changed]
    out = tmp_path / "out.ecsv"
    found, told = run(*images(folder), "--model", fake, "-o", out, *given)
    assert found == status
    assert message in told
    assert len(told.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_a_missing_band_and_a_missing_image_are_told(
    run: Run, folder: Path, fake: Path, tmp_path: Path
) -> None:
    rest = ["--positions", folder / "sky.ecsv", "--model", fake, "-o", tmp_path / "out.ecsv"]
    status, told = run(*images(folder)[:2], *rest)
    assert status == 2
    assert "give the image in F336W" in told
    status, told = run(*images(folder)[:2], tmp_path / "absent.fits", *rest)
    assert status == 1
    assert "absent.fits: no such file" in told


@pytest.mark.parametrize("name", ["sky.ecsv", "fake.safetensors", "F336W.fits"])
def test_inputs_are_not_overwritten(run: Run, folder: Path, fake: Path, name: str) -> None:
    before = (folder / name).read_bytes()
    status, told = run(
        *images(folder), "--positions", folder / "sky.ecsv", "--model", fake, "-o", folder / name
    )
    assert status == 2
    assert "output" in told
    assert (folder / name).read_bytes() == before


def test_files_that_are_no_models_are_refused(run: Run, folder: Path, tmp_path: Path) -> None:
    rest = ["--positions", folder / "sky.ecsv", "-o", tmp_path / "out.ecsv"]
    status, told = run(*images(folder), "--model", tmp_path / "absent.safetensors", *rest)
    assert status == 1
    assert "filar train clusters" in told
    (tmp_path / "bad.safetensors").write_text("no model")
    status, told = run(*images(folder), "--model", tmp_path / "bad.safetensors", *rest)
    assert status == 1
    assert "bad.safetensors" in told


def test_a_trained_model_measures_and_detects(run: Run, folder: Path, tmp_path: Path) -> None:
    mocks = SetFolder(write_set(tmp_path / "mocks", 60, size=16, extent=64))
    model = tmp_path / "m.safetensors"
    ClusterModel(small(**{"budget.epochs": 1})).fit(mocks).save(model)
    out = tmp_path / "out.ecsv"
    status, told = run(
        *images(folder), "--positions", folder / "sky.ecsv", "--model", model, "-o", out
    )
    assert status == 2
    assert f"the model's {SCALE}\"" in told
    wcs = sky_grid((150, 160), scale=SCALE)
    paths = [
        write_band(tmp_path / f"{band}.fits", rate, band, wcs=wcs)
        for band, rate in zip(BANDS, field_rates(), strict=True)
    ]
    status, told = run(*paths, "--positions", folder / "pixels.txt", "--model", model, "-o", out)
    assert status == 0, told
    table = read_catalog(out)
    assert np.isfinite(table["log_age"]).tolist() == [True, True, True, False]
    assert np.all(table["log_age_lo"][:3] < table["log_age_hi"][:3])
    status, told = run(*paths, "--detect", "--threshold", 0.01, "--model", model, "-o", out)
    assert status == 0, told
    assert read_catalog(out).colnames == [
        *(name for name in table.colnames if name not in ("in_domain", "flags", "snr")),
        "p_map", "snr", "in_domain", "flags",
    ]  # fmt: skip
