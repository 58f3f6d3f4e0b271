"""DOLPHOT's files: columns by their descriptions, lost stars, cuts, combined filters."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.completeness.dolphot import photometry_table, read_fake, read_photometry
from filar.completeness.dolphotcolumns import read_columns
from filar.completeness.table import RealStars
from filar.errors import FilarError, InputFileError, ParameterError
from tests.completeness.dolphotfiles import FLAG, MAG, SHARP, SNR, Layout, write_fake, write_rows

TWO = Layout(["img1 (1000.0 sec)", "img2 (500.0 sec)"])
HUBBLE = Layout(
    ["u40a (F555W, 100.0 sec)", "u40b (F555W, 40.0 sec)", "u40c (F814W, 100.0 sec)"],
    ["WFPC2_F555W", "WFPC2_F814W"],
)
X, Y = np.array([10.25, 20.5, 30.75, 40.0]), np.array([11.0, 21.0, 31.0, 41.0])
GIVEN = np.array([[20.0, 19.0], [24.0, 23.5], [26.0, 25.0], [28.0, 27.0]])
FOUND = np.array([[20.01, 19.01], [24.1, np.nan], [np.nan, 25.2], [np.nan, np.nan]])
COLUMNS_OF_OBJECT = 11
BLOCK = 12


def column(block: int, key: int) -> int:
    """Where a quantity of a block stands in the photometry."""
    return COLUMNS_OF_OBJECT + BLOCK * block + key


def test_artificial_stars_of_two_images(tmp_path: Path) -> None:
    stars = read_fake(write_fake(tmp_path, TWO, X, Y, GIVEN, FOUND))
    assert stars.bands == ("img1", "img2")
    assert np.array_equal(stars.mag_in, GIVEN)
    assert np.array_equal(stars.mag_out, FOUND, equal_nan=True)
    assert stars.recovered.tolist() == [True, False, False, False]
    assert np.array_equal(stars.x, np.round(X, 3) - 0.5)
    assert stars.meta == {
        "program": "DOLPHOT",
        "mag_system": "instrumental",
        "cuts": {"bands": ["img1", "img2"]},
        "source": "run.fake",
    }


def test_images_of_a_filter_that_were_combined_are_one_band(tmp_path: Path) -> None:
    by_image = GIVEN[:, [0, 0, 1]]
    found = FOUND[:, [0, 1, 0, 0, 1]]  # two filters, then three images
    stars = read_fake(write_fake(tmp_path, HUBBLE, X, Y, by_image, found))
    assert stars.bands == ("F555W", "F814W")
    assert np.array_equal(stars.mag_in, GIVEN)
    assert np.array_equal(stars.mag_out, FOUND, equal_nan=True)
    assert stars.meta["mag_system"] == "vega"
    one = read_fake(tmp_path / "run.fake", bands=["F814W"])
    assert one.bands == ("F814W",)
    assert one.recovered.tolist() == [True, False, True, False]


def test_input_magnitudes_may_be_given_for_each_filter(tmp_path: Path) -> None:
    stars = read_fake(write_fake(tmp_path, HUBBLE, X, Y, GIVEN, FOUND[:, [0, 1, 0, 0, 1]]))
    assert np.array_equal(stars.mag_in, GIVEN)


def test_same_filter_of_two_cameras_keeps_the_cameras_name(tmp_path: Path) -> None:
    layout = Layout(
        ["a (ACS_F814W, 1.0 sec)", "b (WFC3_F814W, 1.0 sec)"], ["ACS_F814W", "WFC3_F814W"]
    )
    columns = read_columns(layout.write_columns(tmp_path / "c"))
    assert list(columns.bands) == list(columns.images) == ["ACS_F814W", "WFC3_F814W"]


def test_found_stars_may_be_cut(tmp_path: Path) -> None:
    path = write_fake(tmp_path, TWO, X, Y, GIVEN, FOUND)
    rows = np.loadtxt(path)
    before = 4 + 2 * 2
    assert read_fake(path, cuts={"snr": 20, "sharp": 0.1, "type": 2, "flag": 0}).recovered[0]
    for key, place, value, limit in (
        ("snr", column(1, SNR), 3.0, 5),
        ("sharp", column(0, SHARP), -0.4, 0.3),
        ("flag", column(1, FLAG), 4, 3),
        ("type", 10, 3, 2),
    ):
        worse = rows.copy()
        worse[0, before + place] = value
        stars = read_fake(write_rows(path, worse), cuts={key: limit})
        assert not stars.recovered.any(), key
        assert stars.meta["cuts"] == {key: limit, "bands": ["img1", "img2"]}
        assert np.isfinite(stars.mag_out[0]).all()
        assert read_fake(path).recovered[0]


def test_a_cut_may_ask_for_one_band(tmp_path: Path) -> None:
    path = write_fake(tmp_path, TWO, X, Y, GIVEN, FOUND)
    stars = read_fake(path, bands=("V", "I"), cuts={"bands": ["V"], "snr": 5})
    assert stars.bands == ("V", "I")
    assert stars.recovered.tolist() == [True, True, False, False]


def test_a_star_with_a_place_and_the_flag_of_one_not_found_is_lost(tmp_path: Path) -> None:
    path = write_fake(tmp_path, TWO, X, Y, GIVEN, FOUND)
    rows = np.loadtxt(path)
    rows[0, [8 + column(0, FLAG), 8 + column(1, FLAG)]] = 16
    stars = read_fake(write_rows(path, rows))
    assert not stars.recovered[0]
    assert np.isnan(stars.mag_out[0]).all()


def test_photometry_as_stars_and_as_a_table(tmp_path: Path) -> None:
    TWO.write_columns(tmp_path / "run.columns")
    path = write_rows(tmp_path / "run", TWO.rows(X[:3], Y[:3], FOUND[:3]))
    stars = read_photometry(path)
    assert np.array_equal(stars.mag, FOUND[:3], equal_nan=True)
    assert np.array_equal(stars.y, Y[:3] - 0.5)
    assert "cuts" not in stars.meta
    cut = read_photometry(path, cuts={"snr": 10})
    assert len(cut) == 1
    assert cut.meta["cuts"] == {"snr": 10, "bands": ["img1", "img2"]}
    with pytest.raises(InputFileError, match="none of 3 stars passes"):
        read_photometry(path, cuts={"snr": 21})
    table = photometry_table(path, bands=("V", "I"))
    assert len(table.colnames) == COLUMNS_OF_OBJECT + 2 * BLOCK
    assert table.colnames[MAG + COLUMNS_OF_OBJECT] == "mag_V"
    assert table["type"].dtype.kind == "i"
    assert np.isnan(table["mag_err_I"][1].value)
    again = RealStars.from_table(table)
    assert again.bands == ("V", "I")
    assert np.array_equal(again.mag, stars.mag, equal_nan=True)
    assert np.array_equal(again.x, stars.x)


def test_faults_say_what_is_missing(tmp_path: Path) -> None:
    path = write_fake(tmp_path, TWO, X, Y, GIVEN, FOUND)
    with pytest.raises(ParameterError, match="some of img1, img2"):
        read_fake(path, bands=["F555W"])
    with pytest.raises(ParameterError, match=r"snr.*chi.*sharp"):
        read_fake(path, cuts={"signal": 4})
    with pytest.raises(ParameterError, match="img3"):
        read_fake(path, cuts={"bands": ["img3"]})
    rows = np.loadtxt(path)
    with pytest.raises(InputFileError, match=r"42 columns; expected 4, two for each image, and"):
        read_fake(write_rows(tmp_path / "run.fake", rows[:, :-1]))
    with pytest.raises(InputFileError, match="input magnitudes for 3 images; expected for 2"):
        read_fake(write_fake(tmp_path, TWO, X, Y, GIVEN[:, [0, 0, 1]], FOUND))
    with pytest.raises(InputFileError, match="45 columns; expected the 35 of run"):
        read_photometry(tmp_path / "run.fake", tmp_path / "run.columns")
    (tmp_path / "run.columns").unlink()
    with pytest.raises(InputFileError, match=r"run\.columns: there is no such file"):
        read_fake(path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no column of position"),
        ("1. Chi\n3. Crowding\n", "column 2, as in"),
        ("something else\n", "the line 'something else'"),
        ("1. Object X position\n2. Object Y position\n", "no column of magnitudes among 2"),
    ],
)
def test_lists_of_columns_that_are_none(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "run.columns"
    path.write_text(text)
    with pytest.raises(InputFileError, match=why):
        read_columns(path)


names = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
filters = st.lists(
    st.from_regex(r"F[1-9][0-9]{2}[WMN]", fullmatch=True), min_size=1, max_size=3, unique=True
)


@given(
    st.lists(names, min_size=1, max_size=4, unique=True),
    filters,
    st.booleans(),
    st.floats(0.1, 9999.0),
    st.data(),
)
@settings(max_examples=40)
def test_any_layout_is_read_as_it_was_written(
    images: list[str], bands: list[str], hubble: bool, seconds: float, data: st.DataObject
) -> None:
    if hubble:
        owners = bands + [data.draw(st.sampled_from(bands)) for _ in images]
        labels = [f"i{k} ({band}, {seconds:.1f} sec)" for k, band in enumerate(owners)]
        layout, names = Layout(labels, [f"WFC3_{band}" for band in bands]), bands
    else:
        owners = images
        layout, names = Layout([f"{image} ({seconds:.1f} sec)" for image in images]), images
    magnitude = st.one_of(st.just(np.nan), st.integers(15_000, 29_000).map(lambda m: m / 1000))
    n = data.draw(st.integers(1, 5))
    truth = np.array([[data.draw(magnitude) for _ in names] for _ in range(n)])
    mag_in = np.where(np.isnan(truth), 22.0, truth + 0.1)
    with TemporaryDirectory() as folder:
        found = np.column_stack([truth, truth[:, [names.index(o) for o in owners]]])
        path = write_fake(
            Path(folder),
            layout,
            np.full(n, 5.0),
            np.full(n, 6.0),
            mag_in[:, [names.index(o) for o in owners]],
            found if hubble else truth,
        )
        stars = read_fake(path)
    assert list(stars.bands) == names
    assert np.array_equal(stars.mag_out, truth, equal_nan=True)
    assert np.allclose(stars.mag_in, mag_in, rtol=0, atol=6e-4)
    assert np.array_equal(stars.recovered, ~np.isnan(truth).any(axis=1))


@given(st.text(max_size=200))
def test_any_text_is_a_list_of_columns_or_a_clear_fault(text: str) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.columns"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(FilarError, match=r"run\.columns"):
            read_columns(path)
