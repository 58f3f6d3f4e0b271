"""Reading of stars: what a file is taken for, catalogues beside their stars, surroundings."""

from pathlib import Path

import numpy as np
import pytest
from astropy.table import Table

from filar.catalogfile import read_catalog, write_catalog
from filar.completeness.readers import (
    read_artificial_stars,
    read_real_stars,
    read_star_catalog,
)
from filar.completeness.surroundings import add_crowding, add_image_covariates
from filar.completeness.table import RealStars
from filar.errors import FilarError, InputFileError, ParameterError
from filar.exposure import Exposure
from tests.completeness.dolphotfiles import Layout, write_fake, write_rows
from tests.completeness.toys import toy_real, toy_stars

SHAPE = (60, 80)


def exposure(level: float = 100.0) -> Exposure:
    """An empty image."""
    no = np.zeros(SHAPE, bool)
    noise = np.random.default_rng(2).normal(level, np.sqrt(level), SHAPE).astype(np.float32)
    return Exposure(noise, no, no, no, 1.0, 0.0, filter="F555W")


def inside(x: float = 20.0) -> RealStars:
    """Three stars in the image."""
    return RealStars(("V",), np.full((3, 1), 20.0), x=np.full(3, x), y=np.array([20.0, 30.0, 40.0]))


def dolphot(folder: Path) -> Path:
    """Photometry and artificial stars of one image."""
    layout = Layout(["img1 (1.0 sec)"])
    x, mags = np.array([20.5, 30.5]), np.array([[20.0], [21.0]])
    write_fake(folder, layout, x, x, mags, mags + np.array([[0.1], [np.nan]]))
    layout.write_columns(folder / "phot.columns")
    write_rows(folder / "phot", layout.rows(x, x, mags))
    return folder


def test_a_file_is_taken_for_what_its_name_says(tmp_path: Path) -> None:
    dolphot(tmp_path)
    (tmp_path / "a_F555W.matchfake").write_text("20 0.1\n21 99.99\n")
    (tmp_path / "a.csv").write_text("m,d\n20,0.1\n")
    write_catalog(toy_stars(20).to_table(), tmp_path / "a.parquet")
    assert read_artificial_stars(tmp_path / "run.fake").meta["program"] == "DOLPHOT"
    assert read_artificial_stars(tmp_path / "a_F555W.matchfake").bands == ("F555W",)
    assert read_artificial_stars(tmp_path / "a.parquet").meta["mag_system"] == "Vega"
    columns = {"mag_in": ["m"], "delta": ["d"]}
    assert read_artificial_stars(tmp_path / "a.csv", columns=columns).bands == ("m",)
    assert read_real_stars(tmp_path / "phot").meta["program"] == "DOLPHOT"
    with pytest.raises(InputFileError, match="does not say what its columns are"):
        read_artificial_stars(tmp_path / "a.csv")
    with pytest.raises(InputFileError, match="there is no such file"):
        read_artificial_stars(tmp_path / "b.fake")


def test_options_that_do_not_suit_are_refused(tmp_path: Path) -> None:
    write_catalog(toy_stars(20).to_table(), tmp_path / "a.parquet")
    write_catalog(toy_real(20).to_table(), tmp_path / "r.parquet")
    table, real = tmp_path / "a.parquet", tmp_path / "r.parquet"
    for wrong, why in (
        ({"format": "daophot"}, "auto, filar"),
        ({"format": "columns"}, "names of columns"),
        ({"format": "filar", "columns": {"mag_in": ["x"]}}, "none, with the format filar"),
        ({"cuts": {"snr": 5}}, "bands alone"),
        ({"cuts": {"bands": ["F555W"]}}, "says what was recovered"),
        ({"bands": ("B", "V")}, "F555W, F814W, as in"),
        ({"detections": toy_real()}, "fwhm"),
    ):
        with pytest.raises(ParameterError, match=why):
            read_artificial_stars(table, **wrong)
    with pytest.raises(ParameterError, match="none: only DOLPHOT's"):
        read_real_stars(real, cuts={"snr": 5})
    with pytest.raises(InputFileError, match=r"a\.parquet: .*a table of artificial stars"):
        read_real_stars(table)
    with pytest.raises(InputFileError, match=r"r\.parquet: .*a table of stars.*artificial"):
        read_artificial_stars(real)


def test_tables_without_rows_and_stars_outside_are_refused(tmp_path: Path) -> None:
    stars = toy_stars(20)
    write_catalog(stars.to_table()[:0], tmp_path / "a.parquet")
    with pytest.raises(InputFileError, match=r"a\.parquet: there is no row"):
        read_artificial_stars(tmp_path / "a.parquet")
    table = stars.to_table()
    table.meta["fields"] = [{"shape": [800, 400]}]
    write_catalog(table, tmp_path / "b.parquet")
    outside = int((stars.x >= 399.5).sum())
    assert 0 < outside < 20
    with pytest.raises(InputFileError, match=f"{outside} of 20 artificial stars are outside"):
        read_artificial_stars(tmp_path / "b.parquet")


def test_measures_of_one_filter_are_stars_of_one_band(tmp_path: Path) -> None:
    table = Table(
        {"filter": ["F555W"] * 2, "mag": [20.0, np.nan], "x_fit": [1.0, 2.0], "y_fit": [3.0, 4.0]},
        meta={"parameters": {"mag_system": "vega"}},
    )
    table["mag_err"] = 0.1
    write_catalog(table, tmp_path / "a.parquet")
    stars = read_real_stars(tmp_path / "a.parquet")
    assert stars.bands == ("F555W",)
    assert stars.meta == {"mag_system": "vega", "source": "a.parquet"}
    assert stars.y.tolist() == [3.0, 4.0]
    table["filter"][1] = "F814W"
    write_catalog(table, tmp_path / "a.parquet")
    with pytest.raises(InputFileError, match=r"in F555W, F814W; .*filar asts --stars"):
        read_real_stars(tmp_path / "a.parquet")


def test_a_catalogue_comes_with_all_its_columns_row_by_row(tmp_path: Path) -> None:
    dolphot(tmp_path)
    table, stars = read_star_catalog(tmp_path / "phot", bands=["V"])
    assert table.colnames[2:4] == ["x", "y"]
    assert np.array_equal(table["mag_V"].value, stars.mag[:, 0])
    write_catalog(table, tmp_path / "again.fits")
    again, same = read_star_catalog(tmp_path / "again.fits")
    assert again.colnames == table.colnames
    assert np.array_equal(same.mag, stars.mag)
    assert np.array_equal(same.x, stars.x)
    (tmp_path / "two.dat").write_text("20 19\n21 99.99\n")
    bare, _ = read_star_catalog(tmp_path / "two.dat", bands=["B", "V"])
    assert bare.colnames == ["id", "x", "y", "mag_B", "mag_V"]


def test_images_give_noise_and_light_to_found_and_lost_stars_alike(tmp_path: Path) -> None:
    stars = read_artificial_stars(dolphot(tmp_path) / "run.fake", images=[exposure(400.0)])
    assert list(stars.covariates) == ["sky_noise_img1", "surface_brightness_img1"]
    assert np.allclose(stars.covariates["sky_noise_img1"], 20.0, rtol=0.15)
    assert np.allclose(stars.covariates["surface_brightness_img1"], -2.5 * np.log10(400), atol=0.01)


def test_artificial_stars_outside_of_the_images_are_counted() -> None:
    stars = toy_stars(500)  # on 800 x 800 pixels
    outside = int(((stars.x >= 79.5) | (stars.y >= 59.5)).sum())
    with pytest.raises(ParameterError, match=f"{outside} of 500 artificial stars are outside"):
        add_image_covariates(stars, [exposure(), exposure()])
    real = add_image_covariates(toy_real(100), [exposure(), exposure()])
    assert np.isnan(real.covariates["sky_noise_F814W"]).sum() > 90
    nowhere = RealStars(("V",), np.ones((2, 1)))
    with pytest.raises(FilarError, match="stars with x and y"):
        add_image_covariates(nowhere, [exposure()])
    for stars_, detections in ((nowhere, inside()), (inside(), nowhere)):
        with pytest.raises(FilarError, match="stars with x and y"):
            add_crowding(stars_, detections, fwhm=2.0)


def test_crowding_counts_what_is_bright_enough() -> None:
    detections = RealStars(
        ("V",), np.array([[19.0], [22.0], [np.nan]]), x=np.full(3, 30.0), y=np.full(3, 30.0)
    )
    stars = add_crowding(inside(), detections, fwhm=2.0, limit=21.0)
    assert np.allclose(stars.covariates["crowding"], 1 / 3600)
    assert stars.meta["crowding"] == {"fwhm": 2.0, "radius": 60.0, "limit": 21.0, "band": "V"}
    everything = add_crowding(inside(), detections, fwhm=2.0)
    assert np.allclose(everything.covariates["crowding"], 3 / 3600)


def test_a_catalogue_read_again_is_the_same(tmp_path: Path) -> None:
    stars = toy_real(30)
    write_catalog(stars.to_table(), tmp_path / "r.parquet")
    table, again = read_star_catalog(tmp_path / "r.parquet")
    assert np.array_equal(again.mag, stars.mag)
    assert table.colnames == read_catalog(tmp_path / "r.parquet").colnames
