"""Isochrones from the web form."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from filar.archive import ArchiveError
from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.populations import read_isochrones
from filar.populations.webform import fetch_isochrones
from tests.populations.webserver import Form, web_form


@pytest.fixture
def form() -> Iterator[Form]:
    with web_form() as one:
        yield one


@pytest.mark.parametrize("name", ["parsec.dat", "parsec.dat.gz"])
def test_all_metallicities_and_ages_are_written(form: Form, tmp_path: Path, name: str) -> None:
    told: list[float] = []
    found = fetch_isochrones(
        tmp_path / name, system="acs", z=(0.0152, 0.03), log_ages=(6.6, 7.0, 0.1), url=form.url,
        progress=lambda done, text: told.append(done),
    )  # fmt: skip
    written = read_isochrones(tmp_path / name)
    assert written.bands == found.bands == ("F336W", "F814W")
    np.testing.assert_allclose(written.metallicities, [0.0152, 0.03])
    np.testing.assert_allclose(written.log_ages, [6.6, 6.7, 6.8, 6.9, 7.0])
    assert [asked["isoc_zlow"] for asked in form.asked] == ["0.0152", "0.03"]
    assert form.asked[0]["photsys_file"].endswith("tab_mag_acs_wfc_202101.dat")
    assert form.asked[0]["extinction_av"] == "0.0"
    assert told[-1] == 1
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_answer_that_was_cut_is_not_kept(form: Form, tmp_path: Path) -> None:
    form.cut = 3
    with pytest.raises(ArchiveError, match="1 metallicities and 3 ages, not 1 and 5"):
        fetch_isochrones(tmp_path / "t.dat", log_ages=(6.6, 7.0, 0.1), url=form.url)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("link", "match"),
    [
        ("<p class='errorwarning'>Photometric system <b>unknown</b></p>", "Photometric system"),
        ("nothing", "answered: no table"),
        ("<a href=../tmp/output9.dat>", "did not answer.*404"),
        ("<a href=http://127.0.0.2:1/tmp/output9.dat>", "another machine"),
    ],
)
def test_refusals_are_passed_on(form: Form, tmp_path: Path, link: str, match: str) -> None:
    form.link = link
    with pytest.raises(ArchiveError, match=match):
        fetch_isochrones(tmp_path / "t.dat", url=form.url)
    assert not list(tmp_path.iterdir())


def test_what_is_no_table_is_not_kept(
    form: Form, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Form, "table", lambda self: "<html>busy</html>")
    with pytest.raises(InputFileError, match="no line '# Zini"):
        fetch_isochrones(tmp_path / "t.dat", url=form.url)
    assert not list(tmp_path.iterdir())


def test_without_a_network_the_advice_is_clear(tmp_path: Path) -> None:
    with web_form() as form:
        url = form.url
    with pytest.raises(ArchiveError, match=r"did not answer.*by hand"):
        fetch_isochrones(tmp_path / "t.dat", url=url)


def test_a_folder_that_is_absent_is_told(form: Form, tmp_path: Path) -> None:
    with pytest.raises(OutputFileError, match="there is no folder"):
        fetch_isochrones(tmp_path / "no" / "t.dat", log_ages=(6.6, 6.7, 0.1), url=form.url)
    assert not form.asked


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("system", "jwst"),
        ("z", ()),
        ("z", (0.5,)),
        ("log_ages", (7.0, 6.0, 0.1)),
        ("log_ages", (6.0, 7.0, 0.0)),
        ("log_ages", (6.0, 7.0, 0.001)),
        ("url", "file:///etc/passwd"),
    ],
)
def test_nonsense_is_refused_before_anything_is_asked(
    form: Form, tmp_path: Path, name: str, value: object
) -> None:
    with pytest.raises(ParameterError, match=name):
        fetch_isochrones(tmp_path / "t.dat", **{"url": form.url, name: value})  # type: ignore[arg-type]
    assert not form.asked
