"""The tables of M 83: columns, units, what is missing, two files joined."""

from pathlib import Path

import numpy as np
import pytest

from filar.clusters.m83 import BANDS, H_ALPHA_OFFSET, read_m83
from filar.errors import InputFileError

AP_COR = 0.5


def photometry_row(number: int, mags: list[float | str]) -> str:
    bands = "  ".join(f"{m} 0.4 {m} 0.1" for m in mags)
    return f" 11.5 21.5 204.25 -29.86 {number}. 2.7 19 16 -8.5 {AP_COR} 2. {bands} -0.6 0.4\n"


MAGS: list[float | str] = [18.0 + k for k in range(len(BANDS))]


@pytest.fixture
def photometry(tmp_path: Path) -> Path:
    path = tmp_path / "p.txt"
    rows = photometry_row(30, MAGS) + "\n" + photometry_row(10, ["INDEF", -999.0, *MAGS[2:]])
    path.write_text("# a header\n" + rows)
    return path


def ages(path: Path, *numbers: int) -> Path:
    rows = [f"1 2 {n} 0.1 0.2 0.3 6.5 6.6 6.8 2e4 3e4\n" for n in numbers]
    path.write_text("# x y id minebv\n" + "".join(rows) + "3 4 99" + " -999.00" * 8 + "\n")
    return path


def test_columns_and_what_is_missing(photometry: Path) -> None:
    table = read_m83(photometry)
    assert list(table["id"]) == [30, 10]
    assert (table["x_init"][0], table["y_init"][0]) == (10.5, 20.5)
    for k, band in enumerate(BANDS):
        offset = H_ALPHA_OFFSET if band == "F657N" else 0.0
        mag = table[f"mag_{band}"]
        assert mag.unit == "mag"
        assert mag[0].value == pytest.approx(18 + k - AP_COR + offset)
        assert np.isnan(mag[1]) == np.isnan(table[f"mag_err_{band}"][1]) == (k < 2)
    assert table["source_flag"][0] == 2
    assert "log_age" not in table.colnames


def test_ages_are_joined_by_number(photometry: Path, tmp_path: Path) -> None:
    table = read_m83(photometry, ages(tmp_path / "a.data", 10))
    assert np.isnan(table["log_age"][0]) and np.isnan(table["a_v"][0])
    assert table["log_age"][1] == 6.6
    assert (table["log_age_lo"][1], table["log_age_hi"][1]) == (6.5, 6.8)
    assert table["a_v"][1].value == pytest.approx(0.62)
    assert table["log_mass"][1] == pytest.approx(np.log10(2e4))
    assert table["log_mass_mean_correction"][1] == pytest.approx(np.log10(3e4))


def test_other_files_are_told(photometry: Path, tmp_path: Path) -> None:
    table = ages(tmp_path / "a.data", 11)
    with pytest.raises(InputFileError, match="no cluster of it is in the photometry"):
        read_m83(photometry, table)
    with pytest.raises(InputFileError, match="53 numbers in each line: the photometry"):
        read_m83(table)
    with pytest.raises(InputFileError, match="11 numbers in each line: the ages"):
        read_m83(photometry, photometry)


def test_figures_that_stand_for_nothing_are_nan(photometry: Path, tmp_path: Path) -> None:
    table = read_m83(photometry, ages(tmp_path / "a.data", 30, 10))
    assert np.isfinite(table["log_age"]).all()
    path = tmp_path / "b.data"
    path.write_text("1 2 30" + " -999.00" * 8 + "\n1 2 10 0 0 0 6 6 6 1e3 1e3\n")
    table = read_m83(photometry, path)
    for name in ("log_age", "log_age_hi", "a_v", "log_mass"):
        assert np.isnan(table[name][0]) and np.isfinite(table[name][1])
