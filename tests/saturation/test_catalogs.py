"""Reading catalogues of stars."""

from pathlib import Path

import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import Angle
from astropy.table import MaskedColumn, QTable, Table
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import InputFileError, ParameterError
from filar.gaia import magnitude_in
from filar.saturation.catalogs import CatalogStars, read_star_catalog
from tests.saturation.catalogfiles import DEC, RA, gaia_table, star_table, stetson_pair


@pytest.mark.parametrize(
    ("name", "form"),
    [("s.ecsv", "ascii.ecsv"), ("s.fits", "fits"), ("s.csv", "ascii.csv"), ("s.vot", "votable"),
     ("s.parquet", "parquet"), ("s.txt", "ascii.commented_header"), ("s.dat", "ascii.basic")],
)  # fmt: skip
def test_every_form_of_file(tmp_path: Path, name: str, form: str) -> None:
    table = star_table()
    table.write(tmp_path / name, format=form)
    stars = read_star_catalog(tmp_path / name, filter="g")
    assert len(stars) == 30
    assert stars.id.dtype == np.int64
    assert stars.id.tolist() == table["id"].tolist()
    assert stars.ra == pytest.approx(table["ra"])
    assert stars.dec == pytest.approx(table["dec"])
    assert stars.mag == pytest.approx(table["g_mag"])
    assert stars.mag_err == pytest.approx(table["g_mag_err"])
    assert stars.variable.tolist() == table["variable"].tolist()
    assert (stars.filter, stars.source) == ("g", "column g_mag")


@pytest.mark.parametrize(
    "names",
    [("RA", "DEC"), ("RA_ICRS", "DE_ICRS"), ("RAJ2000", "DEJ2000"), ("ALPHA_J2000", "DELTA_J2000"),
     ("raMean", "decMean"), ("_RAJ2000", "_DEJ2000")],
)  # fmt: skip
def test_names_of_positions(tmp_path: Path, names: tuple[str, str]) -> None:
    table = star_table()
    table.rename_columns(["ra", "dec"], list(names))
    table.write(tmp_path / "s.csv")
    assert read_star_catalog(tmp_path / "s.csv", filter="g").dec == pytest.approx(table[names[1]])


@pytest.mark.parametrize(
    ("column", "error", "filter"),
    [("MAG_g", "MAGERR_g", "g"), ("gmag", "e_gmag", "g"), ("g'mag", "e_g'mag", "g"),
     ("Vmag", "e_Vmag", "V"), ("V", "V_err", "V"), ("MAG_F555W", "MAG_F555W_ERR", "f555w"),
     ("gMeanPSFMag", "gMeanPSFMagErr", "SDSS g"), ("mag_V", "mag_V_error", "V")],
)  # fmt: skip
def test_names_of_magnitudes(tmp_path: Path, column: str, error: str, filter: str) -> None:
    table = star_table()
    table.rename_columns(["g_mag", "g_mag_err"], [column, error])
    table.remove_column("V_mag")
    table.write(tmp_path / "s.fits")
    stars = read_star_catalog(tmp_path / "s.fits", filter=filter)
    assert stars.mag == pytest.approx(table[column])
    assert stars.mag_err == pytest.approx(table[error])


def test_gaia_g_is_not_taken_for_sdss_g(tmp_path: Path) -> None:
    table = gaia_table()
    table.rename_columns(
        ["phot_g_mean_mag", "phot_bp_mean_mag", "phot_rp_mean_mag", "phot_variable_flag"],
        ["Gmag", "BPmag", "RPmag", "VarFlag"],
    )
    table.write(tmp_path / "vizier.vot", format="votable")
    stars = read_star_catalog(tmp_path / "vizier.vot", filter="g")
    mag, error = magnitude_in("g", table["Gmag"], table["BPmag"], table["RPmag"])
    assert stars.mag == pytest.approx(mag, nan_ok=True)
    assert stars.mag_err == pytest.approx(error, nan_ok=True)
    assert stars.variable.sum() == 6


def test_gaia_archive(tmp_path: Path) -> None:
    table = gaia_table()
    table["phot_bp_mean_mag"] = MaskedColumn(table["phot_bp_mean_mag"], mask=np.arange(30) == 3)
    table.write(tmp_path / "gaia.ecsv")
    stars = read_star_catalog(tmp_path / "gaia.ecsv", filter="V")
    assert stars.id[1] == 6_913_000_000_000_000_017  # no digit lost
    assert np.flatnonzero(np.isnan(stars.mag)).tolist() == [3]
    assert stars.g == pytest.approx(table["phot_g_mean_mag"])
    assert np.flatnonzero(stars.variable).tolist() == [0, 5, 10, 15, 20, 25]
    assert "Gaia" in stars.source
    assert stars.epoch == 2016
    moved = stars.at(2026.0)
    assert 3.6e6 * (moved.dec - stars.dec) == pytest.approx(10 * table["pmdec"], abs=1e-5)
    east = 3.6e6 * (moved.ra - stars.ra) * np.cos(np.radians(stars.dec))
    assert east == pytest.approx(10 * table["pmra"], abs=1e-5)
    assert moved.epoch == 2026


def test_column_by_name(tmp_path: Path) -> None:
    table = star_table()
    table["instr"] = table["g_mag"] - 25
    table.write(tmp_path / "s.ecsv")
    stars = read_star_catalog(tmp_path / "s.ecsv", mag="instr", filter="g")
    assert stars.mag == pytest.approx(table["instr"])
    assert np.isnan(stars.mag_err).all()
    with pytest.raises(InputFileError, match=r"no column absent.*g_mag, V_mag"):
        read_star_catalog(tmp_path / "s.ecsv", mag="absent")


def test_sexagesimal_positions(tmp_path: Path) -> None:
    table = star_table()
    truth = table["ra"].copy(), table["dec"].copy()
    for separator in (":", " "):
        table["ra"] = Angle(truth[0], "deg").to_string("hourangle", sep=separator, precision=4)
        table["dec"] = Angle(truth[1], "deg").to_string("deg", sep=separator, precision=3)
        table.write(tmp_path / "s.csv", overwrite=True)
        stars = read_star_catalog(tmp_path / "s.csv", filter="g")
        assert stars.ra == pytest.approx(truth[0], abs=1e-6)
        assert stars.dec == pytest.approx(truth[1], abs=1e-6)


def test_units_of_positions(tmp_path: Path) -> None:
    table = QTable(star_table())
    table["ra"], table["dec"] = table["ra"] * u.deg, (table["dec"] * u.deg).to(u.rad)
    table.write(tmp_path / "s.ecsv")
    assert read_star_catalog(tmp_path / "s.ecsv", filter="g").dec == pytest.approx(
        table["dec"].to_value(u.deg)
    )


def test_missing_magnitudes_and_positions(tmp_path: Path) -> None:
    table = star_table()
    table["g_mag"][[2, 3]] = 99.999, np.nan
    table["g_mag_err"][4] = 9.999
    table["ra"][5] = np.nan
    table["id"][7] = table["id"][6]
    table.write(tmp_path / "s.ecsv")
    stars = read_star_catalog(tmp_path / "s.ecsv", filter="g")
    assert len(stars) == 28
    assert np.flatnonzero(np.isnan(stars.mag)).tolist() == [2, 3]
    assert np.flatnonzero(np.isnan(stars.mag_err)).tolist() == [4]
    assert len(np.unique(stars.id)) == 28


def test_no_columns_for_positions(tmp_path: Path) -> None:
    table = star_table()
    table.rename_columns(["ra", "dec"], ["x", "y"])
    table.write(tmp_path / "s.ecsv")
    with pytest.raises(InputFileError, match=r"s\.ecsv: no positions; .*id, x, y, g_mag"):
        read_star_catalog(tmp_path / "s.ecsv", filter="g")


def test_wrong_filter(tmp_path: Path) -> None:
    star_table().write(tmp_path / "s.ecsv")
    with pytest.raises(InputFileError, match=r"no magnitudes in filter I.*in it: g_mag, V_mag"):
        read_star_catalog(tmp_path / "s.ecsv", filter="I")
    gaia_table().write(tmp_path / "g.ecsv")
    with pytest.raises(InputFileError, match=r"filter F814W.*g, r, i, V, R, I by Gaia"):
        read_star_catalog(tmp_path / "g.ecsv", filter="F814W")


def test_no_filter_and_several_magnitudes(tmp_path: Path) -> None:
    star_table().write(tmp_path / "s.ecsv")
    with pytest.raises(InputFileError, match=r"not clear.*--filter.*g_mag, V_mag"):
        read_star_catalog(tmp_path / "s.ecsv")
    table = star_table()
    table.remove_column("V_mag")
    table.write(tmp_path / "one.ecsv")
    assert read_star_catalog(tmp_path / "one.ecsv").source == "column g_mag"


def test_too_few_stars(tmp_path: Path) -> None:
    star_table().write(tmp_path / "s.ecsv")
    with pytest.raises(InputFileError, match=r"30 of 30 stars.*at least 100"):
        read_star_catalog(tmp_path / "s.ecsv", filter="g", fewest=100)


def test_all_colours_out_of_range(tmp_path: Path) -> None:
    table = gaia_table()
    table["phot_bp_mean_mag"] = table["phot_rp_mean_mag"] - 0.2
    table.write(tmp_path / "blue.ecsv")
    with pytest.raises(InputFileError, match=r"0 of 30 stars.*BP - RP reach from -0\.20"):
        read_star_catalog(tmp_path / "blue.ecsv", filter="g")


@pytest.mark.parametrize(
    ("values", "message"),
    [([RA, DEC + 200], "reach from"), (["a", "b"], "no angle"), ([np.nan, np.nan], "no position")],
)
def test_positions_that_are_none(tmp_path: Path, values: list[object], message: str) -> None:
    Table({"ra": [1.0, 2.0], "dec": values, "mag": [1.0, 2.0]}).write(tmp_path / "s.ecsv")
    with pytest.raises(InputFileError, match=message):
        read_star_catalog(tmp_path / "s.ecsv")


def test_text_in_place_of_magnitudes(tmp_path: Path) -> None:
    Table({"ra": [1.0], "dec": [2.0], "mag": ["bright"]}).write(tmp_path / "s.ecsv")
    with pytest.raises(InputFileError, match=r"column mag holds .*bright.*numbers"):
        read_star_catalog(tmp_path / "s.ecsv")


@pytest.mark.parametrize("name", ["a.fits", "a.ecsv", "a.parquet", "a.vot", "a.csv", "a.pho"])
def test_files_that_are_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputFileError, match="there is no such file"):
        read_star_catalog(tmp_path / name, filter="g")
    (tmp_path / name).write_bytes(b"\x00\x01nothing\xff")
    (tmp_path / "a.pos").write_text("1.0 2.0 a\n")
    with pytest.raises(InputFileError, match=name):
        read_star_catalog(tmp_path / name, filter="g")


@pytest.mark.parametrize("suffix", [".pho", ".pos"])
def test_stetson(tmp_path: Path, suffix: str) -> None:
    path = stetson_pair(tmp_path).with_suffix(suffix)
    stars = read_star_catalog(path, filter="R")
    assert stars.name.tolist() == ["F-S1", "F-S2", "F-S3"]
    assert stars.ra[0] == pytest.approx(323.39497161912)
    assert stars.dec == pytest.approx([-0.86221652031, 0.82577629195, -10.84881764942])
    assert stars.mag == pytest.approx([12.931, np.nan, 17.762], nan_ok=True)
    assert stars.mag_err == pytest.approx([0.0059, np.nan, 0.0094], nan_ok=True)
    assert stars.variable.tolist() == [False, True, False]
    assert read_star_catalog(path, mag="V").mag == pytest.approx([13.412, 15.794, 18.157])
    with pytest.raises(InputFileError, match=r"filter r.*magnitudes in it: V, R"):
        read_star_catalog(path, filter="r")


def test_stetson_without_the_other_file(tmp_path: Path) -> None:
    path = stetson_pair(tmp_path)
    path.with_suffix(".pos").unlink()
    with pytest.raises(InputFileError, match=r"no FIELD\.pos beside it"):
        read_star_catalog(path, filter="R")


@pytest.mark.parametrize(
    ("suffix", "old", "new", "message"),
    [(".pos", "- 0.862", "south", "without position"), (".pho", "Reference", "", "first line"),
     (".pho", "13.412", "x", "other fields"), (".pho", "F-S", "G-S", "no star is also")],
)  # fmt: skip
def test_damaged_stetson(tmp_path: Path, suffix: str, old: str, new: str, message: str) -> None:
    path = stetson_pair(tmp_path).with_suffix(suffix)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(InputFileError, match=message):
        read_star_catalog(path, filter="R")


@given(dec=st.floats(-89.9, 89.9), spaced=st.booleans())
def test_stetsons_declinations(
    tmp_path_factory: pytest.TempPathFactory, dec: float, spaced: bool
) -> None:
    path = stetson_pair(tmp_path_factory.mktemp("pair"))
    text = f"{dec:+016.11f}"
    text = f"{text[0]} {text[1:].lstrip('0') or '0'}" if spaced else text
    text = text.replace(" .", " 0.")
    lines = path.with_suffix(".pos").read_text().splitlines()
    lines[1] = f"323.39497161912  {text}  21 33 34.79 -00 51 44.0  1.00 -5.98 8.9 6.1 F-S1"
    path.with_suffix(".pos").write_text("\n".join(lines))
    assert read_star_catalog(path, filter="R").dec[0] == pytest.approx(dec, abs=1e-10)


def test_arrays_of_other_lengths_are_refused() -> None:
    one = np.zeros(1)
    with pytest.raises(ParameterError, match="dec"):
        CatalogStars(np.zeros(1, np.int64), one, np.zeros(2), one, one, one > 0)
