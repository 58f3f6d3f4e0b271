"""Lists of positions in all the forms that users have them."""

from pathlib import Path

import numpy as np
import pytest
from astropy.table import QTable, Table
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.clusters.positions import place, read_positions
from filar.errors import InputFileError, ParameterError
from tests.clusters.fields import PLACES, field

FIELD = field()
SKY = np.column_stack(FIELD.wcs.all_pix2world(*PLACES.T, 0))  # type: ignore[union-attr]


def text(path: Path, lines: str) -> Path:
    path.write_text(lines)
    return path


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".csv"])
def test_pixels_and_sky_in_tables(tmp_path: Path, suffix: str) -> None:
    table = Table({"id": [7, 3, 5], "RAJ2000": SKY[:, 0], "DEJ2000": SKY[:, 1]})
    table["X"], table["Y"] = PLACES.T
    path = tmp_path / f"list{suffix}"
    table.write(path)
    found = read_positions(path)
    assert found.id.tolist() == [7, 3, 5]
    np.testing.assert_allclose(np.column_stack([found.x, found.y]), PLACES)
    np.testing.assert_allclose(place(found, FIELD), PLACES, atol=1e-4)


def test_a_catalogue_of_filar_can_be_a_list(tmp_path: Path) -> None:
    from filar.catalogfile import write_catalog

    table = QTable({"x_fit": PLACES[:, 0], "y_fit": PLACES[:, 1], "name": ["a", "b", "c"]})
    write_catalog(table, tmp_path / "stars.parquet")
    found = read_positions(tmp_path / "stars.parquet")
    assert found.name.tolist() == ["a", "b", "c"]
    assert found.id.tolist() == [1, 2, 3]
    np.testing.assert_allclose(place(found, FIELD), PLACES)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 159), st.floats(0, 149)), min_size=1, max_size=8),
    st.sampled_from([0, 1]),
    st.booleans(),
)
def test_text_of_two_columns_with_and_without_names(
    tmp_path_factory: pytest.TempPathFactory,
    places: list[tuple[float, float]],
    origin: int,
    named: bool,
) -> None:
    lines = ["x y"] * named + [f"{x:.4f} {y:.4f}" for x, y in places]
    path = text(tmp_path_factory.mktemp("list") / "list.txt", "\n".join(lines) + "\n")
    found = read_positions(path, origin=origin)
    expected = np.round(np.array(places), 4) - origin
    np.testing.assert_allclose(np.column_stack([found.x, found.y]), expected, atol=1e-9)


def test_sextractor_counts_from_1_and_angles_may_be_sexagesimal(tmp_path: Path) -> None:
    found = read_positions(text(tmp_path / "a.txt", "NUMBER X_IMAGE Y_IMAGE\n4 11.5 21.0\n"))
    assert (found.x[0], found.y[0], found.id[0]) == (10.5, 20.0, 4)
    found = read_positions(text(tmp_path / "b.csv", "ra,dec\n13:37:00.9,-29:51:57\n"))
    assert found.ra[0] == pytest.approx(204.25375)
    assert found.dec[0] == pytest.approx(-29.865833, abs=1e-6)
    assert np.isnan(found.x[0])


def test_a_legus_catalogue_is_a_list(tmp_path: Path) -> None:
    rows = ["3 11.5 21.0 24.1 15.7 21.0 0.1", "8 12.5 22.0 24.2 15.8 66.666 66.666"]
    found = read_positions(text(tmp_path / "hlsp_legus_x_v1.tab", "\n".join(rows)))
    assert found.id.tolist() == [3, 8]
    assert found.x.tolist() == [10.5, 11.5]
    assert found.dec.tolist() == [15.7, 15.8]


def test_the_sky_is_taken_unless_pixels_are_wanted(tmp_path: Path) -> None:
    table = Table({"x": PLACES[:, 0] + 9, "y": PLACES[:, 1], "ra": SKY[:, 0], "dec": SKY[:, 1]})
    table["ra"][1] = np.nan
    table.write(tmp_path / "list.ecsv")
    found = read_positions(tmp_path / "list.ecsv")
    np.testing.assert_allclose(place(found, FIELD)[:, 0], PLACES[:, 0] + [0, 9, 0], atol=1e-4)
    np.testing.assert_allclose(place(found, FIELD, pixels=True)[:, 0], PLACES[:, 0] + 9)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ("a b c\n1 2 3\n", "no positions; its columns: a, b, c"),
        ("1 2 3\n4 5 6\n", "no positions"),
        ("x y\nnan nan\n", "no positions"),
        ("x y\n1 two\n", "column y holds"),
        ("ra dec\n10 95\n", "no positions on the sky"),
        ("x y\n", "no row"),
        ("", "cannot be read|no row"),
    ],
)
def test_lists_without_positions_are_refused(tmp_path: Path, lines: str, message: str) -> None:
    with pytest.raises(InputFileError, match=message):
        read_positions(text(tmp_path / "list.txt", lines))


def test_lists_of_another_field_are_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    far = read_positions(text(tmp_path / "far.txt", "ra dec\n10 40\n"))
    with pytest.raises(InputFileError, match="none of its 1 positions is in the images"):
        place(far, FIELD)
    with pytest.raises(InputFileError, match="no pixels, and the images no WCS"):
        place(far, replace(FIELD, wcs=None))
    with pytest.raises(InputFileError, match="no pixels"):
        place(far, FIELD, pixels=True)
    with pytest.raises(InputFileError, match="no such file"):
        read_positions(tmp_path / "absent.txt")
    with pytest.raises(ParameterError, match="origin"):
        read_positions(tmp_path / "far.txt", origin=2)
