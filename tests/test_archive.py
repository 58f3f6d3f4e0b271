"""Fetching from Gaia's archive, faked."""

from pathlib import Path

import numpy as np
import pytest
from astropy import units as u

from filar import read_exposures
from filar.archive import ArchiveError, Field, fetch_gaia, gaia_query
from filar.catalogfile import write_catalog
from filar.errors import ParameterError
from filar.saturation.catalogs import read_star_catalog
from tests.gaiaserver import FakeGaia, install
from tests.instruments import files

FIELD = Field(323.362, -0.823, 0.2)


def test_query() -> None:
    query = gaia_query(FIELD, 3.0, 17.5, "ra, dec")
    assert query.startswith("SELECT ra, dec FROM gaiadr3.gaia_source WHERE ")
    assert "CIRCLE('ICRS', 323.36200000, -0.82300000, 0.20000000)" in query
    assert query.endswith("phot_g_mean_mag >= 3.0000 AND phot_g_mean_mag <= 17.5000")
    assert "TOP" not in query
    assert "phot_g_mean_mag" not in gaia_query(FIELD, None, None, "ra")
    with pytest.raises(ParameterError, match="faintest = 3"):
        gaia_query(FIELD, 5.0, 3.0, "ra")


def test_the_table_is_one_that_filar_reads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = FakeGaia()
    install(monkeypatch, server)
    told: list[float] = []
    table = fetch_gaia(FIELD, faintest=17, progress=lambda done, text: told.append(done))
    assert len(server.queries) == 2
    assert len(table) == 40
    assert told == sorted(told) and told[-1] == 1
    assert table["pmra"].unit == u.mas / u.yr
    assert np.flatnonzero(np.isnan(table["phot_bp_mean_mag"])).tolist() == [2]
    assert table.meta["query"] == server.queries[1]
    assert capsys.readouterr().out == ""
    for suffix in ("ecsv", "fits", "parquet"):
        write_catalog(table, tmp_path / f"gaia.{suffix}")
        stars = read_star_catalog(tmp_path / f"gaia.{suffix}", filter="g")
        assert stars.id.tolist() == table["source_id"].tolist()
        assert np.flatnonzero(stars.variable).tolist() == [1]
        assert np.flatnonzero(np.isnan(stars.mag)).tolist() == [2]
        assert stars.epoch == 2016


def test_a_cut_answer_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeGaia(stars=40, cut=25))
    with pytest.raises(ArchiveError, match="25 of 40 stars; nothing was kept"):
        fetch_gaia(FIELD)


def test_no_star_and_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeGaia(stars=0))
    with pytest.raises(ArchiveError, match=r"no star within 0\.2 degrees"):
        fetch_gaia(FIELD)
    install(monkeypatch, FakeGaia(stars=4_000_000))
    with pytest.raises(ArchiveError, match="give --faintest"):
        fetch_gaia(FIELD)


def test_without_astroquery(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, None)
    with pytest.raises(ArchiveError, match=r"pip install 'filar\[fetch\]'"):
        fetch_gaia(FIELD)


def test_without_network(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeGaia(error=ConnectionError("name or service not known")))
    with pytest.raises(ArchiveError, match=r"not answer: name or service.*network.*VizieR"):
        fetch_gaia(FIELD)


@pytest.mark.parametrize(
    "values", [(400.0, 0.0, 1.0), (0.0, 91.0, 1.0), (0.0, 0.0, 0.0), (0.0, 0.0, 11.0),
               (np.nan, 0.0, 1.0)],
)  # fmt: skip
def test_fields_that_are_none(values: tuple[float, float, float]) -> None:
    with pytest.raises(ParameterError):
        Field(*values)


def test_field_of_an_image(tmp_path: Path) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels(), **files.wcs_cards(0.6))
    exposures = read_exposures(path, gain=1.0, read_noise=1.0)
    field = Field.around(exposures)
    rows, columns = exposures[0].shape
    assert exposures[0].wcs is not None
    ra, dec = exposures[0].wcs.all_pix2world((columns - 1) / 2, (rows - 1) / 2, 0)
    assert (field.ra, field.dec) == pytest.approx((float(ra) % 360, float(dec)), abs=1e-6)
    assert field.radius == pytest.approx((np.hypot(rows, columns) / 2 * 0.6 + 60) / 3600, rel=1e-3)


def test_field_of_an_image_without_wcs(tmp_path: Path) -> None:
    path = files.image(tmp_path / "a.fits", files.pixels())
    with pytest.raises(ArchiveError, match=r"a: no celestial WCS; give --ra"):
        Field.around(read_exposures(path, gain=1.0, read_noise=1.0))
