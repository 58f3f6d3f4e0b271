"""Tables of any kind of file and the positions in them."""

from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import Angle
from astropy.table import Table
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import InputFileError
from filar.tablefile import listed, numbers, read_table, sky_positions

HERE = Path("list")


@given(st.floats(0, 359.99), st.floats(-89.9, 89.9))
def test_sexagesimal_text_is_hours_and_degrees(ra: float, dec: float) -> None:
    text = Table({
        "RA": [Angle(ra, "deg").to_string("hourangle", sep=":", precision=6)],
        "Dec": [Angle(dec, "deg").to_string("deg", sep=":", precision=6, alwayssign=True)],
    })  # fmt: skip
    for table in (text, Table({"ra": [ra], "dec": [dec]})):
        east, north, where = sky_positions(HERE, table)
        assert abs((east[0] - ra + 180) % 360 - 180) < 1e-6
        assert north[0] == pytest.approx(dec, abs=1e-6)
        assert where.lower() == "columns ra and dec"


def test_masked_and_empty_numbers_are_nan() -> None:
    table = Table({"a": np.ma.array([1, 2], mask=[False, True]), "b": ["3.5", ""]})
    np.testing.assert_array_equal(numbers(HERE, table, "a"), [1, np.nan])
    np.testing.assert_array_equal(numbers(HERE, table, "b"), [3.5, np.nan])
    with pytest.raises(InputFileError, match="several values"):
        numbers(HERE, Table({"v": np.zeros((2, 3))}), "v")


@pytest.mark.parametrize("name", ["t.ecsv", "t.fits", "t.csv", "t.xml", "t.tsv", "t.txt"])
def test_files_are_read_by_their_suffix(tmp_path: Path, name: str) -> None:
    form = {".xml": "votable", ".tsv": "ascii.tab", ".txt": "ascii.basic"}.get(name[1:])
    Table({"ra": [10.5], "dec": [-3.25]}).write(tmp_path / name, format=form)
    ra, dec, _ = sky_positions(tmp_path / name, read_table(tmp_path / name))
    assert (ra[0], dec[0]) == (10.5, -3.25)


def test_what_is_no_table_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="expected a list of places"):
        read_table(tmp_path / "absent.csv", "a list of places")
    (tmp_path / "bad.fits").write_text("no table")
    with pytest.raises(InputFileError, match="expected a list of places, with named columns"):
        read_table(tmp_path / "bad.fits", "a list of places")
    (tmp_path / "empty.csv").write_text("ra,dec\n")
    with pytest.raises(InputFileError, match="there is no row in it"):
        read_table(tmp_path / "empty.csv")
    with pytest.raises(InputFileError, match="no positions; its columns: a"):
        sky_positions(HERE, Table({"a": [1.0]}))


def test_long_lists_of_columns_are_shortened() -> None:
    table = Table({f"c{k}": [0] for k in range(40)})
    assert listed(table).endswith("c29, ...")


def test_text_that_is_no_table_is_refused_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("abc def\n1 2 3 4\n")
    with pytest.raises(InputFileError, match="no table in any form") as refused:
        read_table(path, "a list of positions")
    assert len(str(refused.value)) < 300
