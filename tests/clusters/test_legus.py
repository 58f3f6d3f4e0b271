"""LEGUS tables: columns, units, what is missing."""

from pathlib import Path

import numpy as np
import pytest

from filar.clusters.legus import read_legus
from filar.errors import InputFileError, ParameterError

BANDS = ("F275W", "F336W", "F435W", "F555W", "F814W")
MAGS = [21.0, 0.1, 66.666, 66.666, 23.0, 0.05, 99.999, 99.999, 22.0, 0.03]
FITTED = [1e7, 2e7, 5e6, 2e4, 3e4, 1e4, 0.5, 0.6, 0.4]
RESIDUALS = [0.1, 200.0, -0.1, 0.0, 0.02]
GOOD = [7, 101.0, 201.0, 24.1, 15.8, *MAGS, 1.5, *FITTED, *RESIDUALS, 1.2, 0.6, 4, 2.0, 2.25]
NOT_FITTED = [*GOOD[:16], *[0.0] * 9, *[0.0] * 5, 0, 0, 0, 0, 0]
NO_LIMITS = [*GOOD[:16], 1e7, 0, 0, 2e4, 0, 0, 0.5, 0, 0, *GOOD[25:]]


def write(path: Path, *rows: list[float]) -> Path:
    path.write_text("".join("  ".join(f"{value:g}" for value in row) + "\n" for row in rows))
    return path


def test_columns_and_what_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tab", GOOD, NOT_FITTED, NO_LIMITS)
    table = read_legus(path, BANDS)
    first, second, third = table
    assert first["id"] == 7
    assert (first["x_init"], first["y_init"]) == (100.0, 200.0)
    assert first["ra"].unit == "deg"
    assert first["mag_F275W"].value == 21.0
    assert first["mag_err_F814W"].unit == "mag"
    assert np.isnan(first["mag_F336W"]) and np.isnan(first["mag_err_F555W"])
    assert first["log_age"] == pytest.approx(7.0)
    assert first["log_age_lo"] == pytest.approx(np.log10(5e6))
    assert first["log_age_hi"] == pytest.approx(np.log10(2e7))
    assert first["log_mass"] == pytest.approx(np.log10(2e4))
    assert first["a_v"].value == pytest.approx(1.55)
    assert first["a_v_lo"] < first["a_v"] < first["a_v_hi"]
    assert first["residual_F275W"] == 0.1
    assert np.isnan(first["residual_F336W"])
    assert (first["n_bands"], first["class_mode"], first["class_mean"]) == (4, 2, 2.25)
    for name in ("log_age", "a_v", "log_mass", "log_age_lo", "residual_F435W", "chi2_reduced"):
        assert np.isnan(second[name])
    assert np.isfinite(third["a_v"])
    for name in ("a_v_lo", "a_v_hi", "log_mass_hi", "log_age_lo"):
        assert np.isnan(third[name])


def test_bands_come_from_the_readme_beside_it(tmp_path: Path) -> None:
    path = write(tmp_path / "t.tab", GOOD)
    lines = [
        f"{2 * k + 6}. final total mag in  WFC3/{b}\n{2 * k + 7}. final photometric error in {b}\n"
        for k, b in enumerate(BANDS)
    ]
    (tmp_path / "t.readme.txt").write_text("".join(lines))
    assert read_legus(path).meta["bands"] == list(BANDS)
    (tmp_path / "t.readme.txt").write_text("".join(lines[:4]))
    with pytest.raises(InputFileError, match="nothing says which its 5 bands are"):
        read_legus(path)


def test_bad_tables_and_bands_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="its lines have 34 numbers"):
        read_legus(write(tmp_path / "t.tab", GOOD[:-1]), BANDS)
    for bands in (BANDS[:4], ("F336W",) * 5):
        with pytest.raises(ParameterError, match="the names of the 5 bands"):
            read_legus(write(tmp_path / "t.tab", GOOD), bands)
