import numpy as np
import pytest
from astropy.table import QTable
from astropy.time import Time

from filar.catalogfile import join_catalogs, write_catalog
from filar.errors import InputFileError
from filar.lightcurve.read import read_facts, read_observed

from .samples import catalog, simulate


def one(name="e1", camera="a", band="g", mjd=59000.5, n=20, **changes):
    rng = np.random.default_rng(1)
    x, y = rng.uniform(10, 700, (2, n))
    mag = rng.uniform(9, 12, n)
    table = catalog(name, camera, band, mjd, x, y, mag, np.full(n, 0.01), None, None)
    for key, value in changes.items():
        table.meta["exposures"][0][key] = value
    return table


@pytest.mark.parametrize("suffix", [".parquet", ".ecsv", ".fits"])
def test_images_and_measures_of_a_catalogue(tmp_path, suffix):
    table = one()
    write_catalog(table, tmp_path / f"a{suffix}")
    found = read_observed([tmp_path / f"a{suffix}"])
    assert not found.errors
    assert found.images.name == ("e1",)
    assert found.images.groups == (("a", "g"),)
    assert found.images.mjd == pytest.approx([59000.5], abs=1e-8)
    assert found.measures.mag == pytest.approx(table["mag"].value, abs=1e-5)
    assert found.measures.plain == pytest.approx(found.measures.mag, abs=0.01)
    assert (found.measures.star == -1).all()


def test_several_exposures_cameras_and_filters_in_one_file(tmp_path):
    truth = simulate(tmp_path, n_stars=20, cameras=(("a", "g"), ("b", "V")), epochs=2)
    path = tmp_path / "all.parquet"
    join_catalogs(truth.paths, path)
    found = read_observed([path])
    assert len(found.images) == 12
    assert set(found.images.groups) == {("a", "g"), ("b", "V")}
    for name, mjd in zip(found.images.name, found.images.mjd, strict=True):
        assert mjd == pytest.approx(truth.mjd[name], abs=1e-7)
    assert len(np.unique(found.measures.image)) == 12


def test_older_catalogues_tell_the_start_and_the_length(tmp_path):
    table = one(mid_time="", time=Time(59000.5, format="mjd").isot, exposure_time_s=172.8)
    write_catalog(table, tmp_path / "a.parquet")
    found = read_observed([tmp_path / "a.parquet"])
    assert found.images.mjd == pytest.approx([59000.501], abs=1e-8)


@pytest.mark.parametrize("meta", [{"mid_time": "", "time": ""}, {"mid_time": "soon", "time": ""}])
def test_an_exposure_without_a_time_is_a_clear_error(tmp_path, meta):
    write_catalog(one(**meta), tmp_path / "a.parquet")
    write_catalog(one("e2"), tmp_path / "b.parquet")
    found = read_observed([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    assert found.images.name == ("e2",)
    (error,) = found.errors
    assert "a.parquet" in error
    assert "the time of e1 is not known" in error
    assert "--images" in error


def test_a_catalogue_without_meta_and_a_table_that_tells(tmp_path):
    table = one()
    table.meta = {}
    write_catalog(table, tmp_path / "a.parquet")
    assert read_observed([tmp_path / "a.parquet"]).errors
    facts = QTable({"name": ["e1"], "mjd": [59010.25], "camera": ["x"]})
    write_catalog(facts, tmp_path / "facts.ecsv")
    found = read_observed([tmp_path / "a.parquet"], facts=read_facts(tmp_path / "facts.ecsv"))
    assert not found.errors
    assert found.images.groups == (("x", "g"),)
    assert found.images.mjd == pytest.approx([59010.25])


def test_a_table_of_facts_needs_its_columns(tmp_path):
    write_catalog(QTable({"name": ["e1"], "date": [1.0]}), tmp_path / "facts.ecsv")
    with pytest.raises(InputFileError, match="mjd, camera or filter"):
        read_facts(tmp_path / "facts.ecsv")


def test_an_exposure_given_twice_is_taken_once(tmp_path):
    write_catalog(one(), tmp_path / "a.parquet")
    write_catalog(one(), tmp_path / "b.parquet")
    found = read_observed([tmp_path / "a.parquet", tmp_path / "b.parquet"])
    assert len(found.images) == 1
    assert "already" in found.errors[0]


def test_only_one_method(tmp_path):
    table = one()
    table["method"] = np.where(np.arange(20) < 5, "network", "psf-fit")
    write_catalog(table, tmp_path / "a.parquet")
    assert len(read_observed([tmp_path / "a.parquet"], method="network").measures) == 5
    found = read_observed([tmp_path / "a.parquet"], method="other")
    assert "network, psf-fit" in found.errors[0]


def test_bad_files_do_not_keep_good_ones(tmp_path):
    write_catalog(one(), tmp_path / "a.parquet")
    (tmp_path / "bad.ecsv").write_text("x y\n1 2\n")
    (tmp_path / "bad.fits").write_text("nothing")
    write_catalog(one()[:0], tmp_path / "empty.parquet")
    names = ["a.parquet", "bad.ecsv", "bad.fits", "empty.parquet", "none.parquet"]
    found = read_observed([tmp_path / name for name in names])
    assert len(found.images) == 1
    assert len(found.errors) == 4


def test_chips_of_one_exposure_are_images_of_their_own(tmp_path):
    first, second = one(), one()
    for table, chip in ((first, "PC"), (second, "WF2")):
        table["chip"] = np.full(20, chip)
        table.meta["exposures"][0]["chip"] = chip
        write_catalog(table, tmp_path / f"{chip}.parquet")
    join_catalogs([tmp_path / "PC.parquet", tmp_path / "WF2.parquet"], tmp_path / "all.parquet")
    found = read_observed([tmp_path / "all.parquet"])
    assert set(found.images.name) == {"e1 PC", "e1 WF2"}
    assert set(found.images.groups) == {("a PC", "g"), ("a WF2", "g")}


def test_magnitudes_that_are_nan_stay_nan(tmp_path):
    table = one()
    table["mag"][3] = np.nan * table["mag"].unit
    for suffix in ("ecsv", "fits", "parquet"):
        write_catalog(table, tmp_path / f"a.{suffix}")
        found = read_observed([tmp_path / f"a.{suffix}"])
        assert np.isnan(found.measures.mag[3])
        assert np.isfinite(found.measures.mag[4])
