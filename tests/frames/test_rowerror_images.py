"""The 34th-row error from the simulated image to the corrected catalogue."""

import numpy as np
import pytest

from filar.frames.corrections import Corrections
from filar.frames.matching import mutual_nearest
from filar.frames.rowerror import RowResidual, row_residual
from filar.frames.starlist import StarList
from filar.instruments.wfpc2_rows import FIRST, WIDTH
from filar.measure import Settings, measure_exposure
from filar.psf.library import default_psf_for
from filar.simulate import Effects, StarField, simulate_exposure


@pytest.fixture(scope="module")
def measured() -> tuple[StarField, StarList]:
    rng = np.random.default_rng(5)
    grid = np.stack(np.meshgrid(np.arange(70, 790, 17.0), np.arange(75, 790, 13.0)))
    x, y = grid.reshape(2, -1) + rng.uniform(-0.5, 0.5, (2, grid[0].size))
    field = StarField(x, y, np.full(len(x), 60_000.0))
    psf = default_psf_for("WFPC2", "PC", "F555W")
    exposure = simulate_exposure(
        psf, field, chip="PC", sky=5.0, effects=Effects.parse("default,rows,-cosmic_rays"), seed=2
    )
    table = measure_exposure(exposure, Settings(psf=psf)).catalog
    table = table[table["flags"] == 0]
    return field, StarList.build(table["x_fit"].value, table["y_fit"].value, chip="PC")


def residual(field: StarField, stars: StarList) -> RowResidual:
    i, j = mutual_nearest(stars.x, stars.y, field.x, field.y, 0.5)
    assert len(i) > 1500
    return row_residual(stars.y[i], stars.y[i] - field.y[j])


def test_narrow_rows_are_seen_in_the_measured_positions(
    measured: tuple[StarField, StarList],
) -> None:
    found = residual(*measured)
    assert found.height == pytest.approx(WIDTH, abs=4 * found.height_err + 0.002)
    assert abs((found.row - FIRST + 17) % 34.1333 - 17) < 1.5


def test_the_correction_takes_them_out(measured: tuple[StarField, StarList]) -> None:
    field, stars = measured
    corrected = residual(field, Corrections(row34=True).apply(stars))
    assert abs(corrected.height) < 0.2 * WIDTH
    wrong = residual(field, Corrections(row34=True, first_row=FIRST + 17).apply(stars))
    assert abs(wrong.height) > 0.5 * WIDTH
