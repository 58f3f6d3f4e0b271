"""``filar fetch gaia`` with the archive faked."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from filar.archive import ArchiveError
from filar.cli.main import app
from filar.errors import FilarError, OutputFileError, ParameterError
from filar.populations import read_isochrones, webform
from filar.saturation.catalogs import read_star_catalog
from tests.gaiaserver import FakeGaia, install
from tests.instruments import files
from tests.populations.webserver import web_form


def fetch(*arguments: object) -> Result:
    result = CliRunner().invoke(app, ["fetch", "gaia", *map(str, arguments)])
    if isinstance(result.exception, FilarError):
        raise result.exception
    return result


@pytest.mark.parametrize("place", [("323.362", "-0.823"), ("21:33:26.88", "-0:49:22.8")])
def test_writes_a_catalogue(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: tuple[str, str]
) -> None:
    server = FakeGaia()
    install(monkeypatch, server)
    output = tmp_path / "gaia.ecsv"
    result = fetch(
        "--ra", place[0], "--dec", place[1], "--radius", 0.2, "--faintest", 17, "-o", output
    )
    assert result.exit_code == 0
    assert "323.36200000, -0.82300000, 0.20000000" in server.queries[1]
    assert "<= 17.0000" in server.queries[1]
    assert len(read_star_catalog(output, filter="V")) == 40


def test_field_of_an_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = FakeGaia()
    install(monkeypatch, server)
    image = files.image(tmp_path / "a.fits", files.pixels(), **files.wcs_cards(0.6))
    assert fetch("--image", image, "-o", tmp_path / "g.parquet").exit_code == 0
    assert (tmp_path / "g.parquet").is_file()


def test_nothing_is_left_where_the_archive_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, FakeGaia(stars=40, cut=39))
    with pytest.raises(ArchiveError):
        fetch("--ra", 1, "--dec", 2, "--radius", 1, "-o", tmp_path / "g.ecsv")
    assert list(tmp_path.iterdir()) == []


def test_wrong_usage(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    server = FakeGaia()
    install(monkeypatch, server)
    output = tmp_path / "g.ecsv"
    image = files.image(tmp_path / "a.fits", files.pixels(), **files.wcs_cards(0.6))
    for arguments, message in (
        (("--ra", 1, "-o", output), "--ra, --dec and --radius, or --image"),
        (("--ra", "x", "--dec", 1, "--radius", 1, "-o", output), "--ra"),
        (("--ra", 1, "--dec", 1, "--radius", 30, "-o", output), "radius = 30"),
        (("--image", image, "--ra", 1, "-o", output), "none together with --ra"),
        (("--ra", 1, "--dec", 1, "--radius", 1, "-o", tmp_path / "g.txt"), "output file"),
    ):
        with pytest.raises(ParameterError, match=message):
            fetch(*arguments)
    with pytest.raises(OutputFileError, match="there is no folder"):
        fetch("--ra", 1, "--dec", 1, "--radius", 1, "-o", tmp_path / "no" / "g.ecsv")
    assert server.queries == []


def test_help_has_an_example() -> None:
    assert "Example: filar fetch gaia" in fetch("--help").output


def test_isochrones_are_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    output = tmp_path / "parsec.dat.gz"
    with web_form() as form:
        monkeypatch.setattr(webform, "URL", form.url)
        arguments = ["--z", 0.0152, "--z", 0.03, "--log-age", 6.6, 6.8, 0.1, "-o", output]
        result = CliRunner().invoke(app, ["fetch", "isochrones", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    assert "3 ages of Z = 0.0152, 0.03 in 2 bands (F336W, F814W)" in result.output
    assert read_isochrones(output).at(6.7, 0.03).z == 0.03


def test_help_of_isochrones_has_an_example() -> None:
    result = CliRunner().invoke(app, ["fetch", "isochrones", "--help"])
    assert "Example: filar fetch isochrones" in result.output
