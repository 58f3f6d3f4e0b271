import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from filar import catalogfile
from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.wholefile import whole_file

from .catalog_samples import make_table

SUFFIXES = list(catalogfile.SUFFIXES)


def assert_same(read, written):
    assert read.colnames == written.colnames
    for name in written.colnames:
        a, b = read[name], written[name]
        assert a.info.unit == b.info.unit
        assert a.info.description == b.info.description
        assert not hasattr(a, "mask")
        if b.info.dtype.kind == "U":
            assert list(a) == list(b)
        else:
            assert a.info.dtype == b.info.dtype
            decimals = int(b.info.format[1:-1]) if b.info.format else 12
            tolerance = 0.5001 * 10.0**-decimals
            np.testing.assert_allclose(
                np.asarray(a), np.asarray(b), rtol=1e-12, atol=tolerance, equal_nan=True
            )


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("n", [0, 1, 50])
def test_round_trip(tmp_path, suffix, n):
    table = make_table(n)
    path = tmp_path / f"cat{suffix}"
    catalogfile.write_catalog(table, path)
    read = catalogfile.read_catalog(path)
    assert isinstance(read, QTable)
    assert_same(read, table)
    assert read.meta["filar_version"] == "0.1.0"
    assert read.meta["exposures"][0]["psf"] == {"focus_micron": -1.25, "n_stars": 31}
    assert read.meta["exposures"][0]["messages"] == ["déjà vu & 'quoted'"]
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_empty_names_come_back_empty(tmp_path, suffix):
    path = tmp_path / f"cat{suffix}"
    catalogfile.write_catalog(make_table(3, chip="", filter=""), path)
    read = catalogfile.read_catalog(path)
    assert list(read["chip"]) == ["", "", ""]
    assert list(read["filter"]) == ["", "", ""]


@pytest.mark.parametrize("suffix", [".ecsv", ".fits"])
def test_astropy_reads_it_with_units(tmp_path, suffix):
    path = tmp_path / f"cat{suffix}"
    table = make_table(5)
    catalogfile.write_catalog(table, path)
    read = QTable.read(path)
    for name in table.colnames:
        assert read[name].info.unit == table[name].info.unit
    np.testing.assert_allclose(read["flux_fit"].value, table["flux_fit"].value, atol=1e-3)


def test_fits_is_a_standard_file(tmp_path):
    path = tmp_path / "cat.fits"
    catalogfile.write_catalog(make_table(7), path)
    assert path.stat().st_size % 2880 == 0
    with fits.open(path) as hdus:
        hdus.verify("exception")
        assert len(hdus[1].data) == 7
        assert hdus[1].columns["x_fit"].unit == "pix"
        cards = hdus[1].header.cards
        assert [c.comment for c in cards if c.value == "flux_fit"] == ["unit: electron"]


def test_parquet_carries_astropy_s_own_header(tmp_path):
    from astropy.table.meta import get_header_from_yaml
    from pyarrow import parquet

    path = tmp_path / "cat.parquet"
    catalogfile.write_catalog(make_table(2), path)
    facts = parquet.read_schema(path).metadata
    header = get_header_from_yaml(facts[b"table_meta_yaml"].decode().split("\n"))
    units = {entry["name"]: entry.get("unit") for entry in header["datatype"]}
    assert units["x_fit"] == "pix"
    assert header["meta"]["mag_system"] == "instrumental"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_parts_are_joined_in_order_with_all_facts(tmp_path, suffix):
    tables = [make_table(3, name="a"), make_table(0, name="none"), make_table(2, name="longer")]
    parts = [tmp_path / f"part{i}.parquet" for i in range(3)]
    for table, part in zip(tables, parts, strict=True):
        catalogfile.write_catalog(table, part)
    path = tmp_path / f"all{suffix}"
    assert catalogfile.join_catalogs(parts, path) == 5
    read = catalogfile.read_catalog(path)
    assert list(read["exposure"]) == ["a"] * 3 + ["longer"] * 2
    assert [e["exposure"] for e in read.meta["exposures"]] == ["a", "none", "longer"]
    np.testing.assert_allclose(read["x_fit"][3:].value, tables[2]["x_fit"].value, atol=1e-5)
    assert read["x_fit"].info.description == tables[0]["x_fit"].info.description


def test_nothing_to_join_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="at least one"):
        catalogfile.join_catalogs([], tmp_path / "x.fits")


@pytest.mark.parametrize("name", ["cat.csv", "cat", "cat.ecsv.gz"])
def test_other_suffixes_are_refused_with_the_allowed_ones(tmp_path, name):
    with pytest.raises(ParameterError, match=r"\.ecsv, \.fits, \.parquet"):
        catalogfile.write_catalog(make_table(1), tmp_path / name)
    with pytest.raises(ParameterError, match=r"\.ecsv, \.fits, \.parquet"):
        catalogfile.read_catalog(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_missing_folder_and_folder_as_file_are_refused(tmp_path):
    with pytest.raises(OutputFileError, match="no folder"):
        catalogfile.check_output(tmp_path / "none" / "cat.fits")
    (tmp_path / "dir.fits").mkdir()
    with pytest.raises(OutputFileError, match="it is a folder"):
        catalogfile.check_output(tmp_path / "dir.fits")


def test_an_existing_file_is_only_replaced_when_allowed(tmp_path):
    path = tmp_path / "cat.fits"
    catalogfile.write_catalog(make_table(1), path)
    with pytest.raises(OutputFileError, match="it exists"):
        catalogfile.write_catalog(make_table(2), path, overwrite=False)
    assert len(catalogfile.read_catalog(path)) == 1
    catalogfile.write_catalog(make_table(2), path)
    assert len(catalogfile.read_catalog(path)) == 2


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "cat.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole_file(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    with pytest.raises(OutputFileError, match="full"), whole_file(path) as temporary:
        temporary.write_text("half")
        raise OSError(28, "disk full")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["cat.txt"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_garbage_is_refused_by_name(tmp_path, suffix):
    path = tmp_path / f"cat{suffix}"
    with pytest.raises(InputFileError, match="no such file"):
        catalogfile.read_catalog(path)
    path.write_bytes(b"not a catalogue\n\x00\xff")
    with pytest.raises(InputFileError, match="written by filar"):
        catalogfile.read_catalog(path)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    text=st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), max_size=200),
    suffix=st.sampled_from(SUFFIXES),
)
def test_any_text_survives_in_meta(tmp_path, text, suffix):
    path = tmp_path / f"meta{suffix}"
    table = make_table(1)
    table.meta["note"] = text
    catalogfile.write_catalog(table, path)
    assert catalogfile.read_catalog(path).meta["note"] == text


@pytest.mark.parametrize("suffix", ["ecsv", "fits", "parquet"])
def test_meta_is_read_without_the_rows(tmp_path, suffix):
    table = make_table()
    path = tmp_path / f"stars.{suffix}"
    catalogfile.write_catalog(table, path)
    meta = catalogfile.read_meta(path)
    assert meta["mag_system"] == "instrumental"
    assert meta["exposures"][0]["exposure"] == "u1"
    assert meta.keys() == catalogfile.read_catalog(path).meta.keys()


def test_meta_of_what_is_no_catalogue(tmp_path):
    path = tmp_path / "bad.parquet"
    path.write_text("nothing")
    with pytest.raises(InputFileError, match=r"bad\.parquet"):
        catalogfile.read_meta(path)
    with pytest.raises(InputFileError, match="no such file"):
        catalogfile.read_meta(tmp_path / "none.ecsv")
    with pytest.raises(ParameterError, match=r"\.ecsv"):
        catalogfile.read_meta(tmp_path / "none.txt")
