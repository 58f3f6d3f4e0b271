from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filar.catalogfile import SUFFIXES, read_catalog, write_catalog
from filar.errors import InputFileError, ParameterError
from filar.frames.corrections import Corrections
from filar.frames.mean import solve_frames
from filar.frames.settings import FrameSettings
from filar.frames.starlist import Selection
from filar.frames.table import mean_table, read_mean
from tests.catalog_samples import make_table
from tests.frames.fields import dithers, expose, field

STARS = field(200)


@pytest.fixture(scope="module")
def frames():
    lists = dithers(STARS, 5)
    lists[3] = expose(STARS, 3, shift=(200.0, 0.0))
    lists += [replace(stars, chip="WF3") for stars in dithers(field(150, 4), 3)]
    return solve_frames(lists)


def test_columns_and_errors(frames) -> None:
    table = mean_table(frames)
    assert len(table) == len(frames[0]) + len(frames[1])
    assert [str(table[n].unit) for n in ("x", "x_err", "y_rms", "mag")] == ["pix"] * 3 + ["mag"]
    pc = table[table["chip"] == "PC"]
    np.testing.assert_array_equal(pc["id"], np.arange(len(pc)) + 1)
    np.testing.assert_allclose(
        pc["x_err"].value, frames[0].x_rms / np.sqrt(frames[0].n_used), equal_nan=True
    )
    assert all(table[name].info.description for name in table.colnames)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_written_carries_stars_into_exposures(tmp_path: Path, frames, suffix) -> None:
    corrections = Corrections(row34=True)
    settings = FrameSettings(selection=Selection(mag=(-20, 0)))
    write_catalog(mean_table(frames, settings, corrections), tmp_path / f"mean{suffix}")
    pc, wf = read_mean(tmp_path / f"mean{suffix}")
    assert (pc.chip, pc.filter, pc.reference, wf.chip) == ("PC", "F555W", "e000", "WF3")
    assert len(wf.stars) == len(frames[1])
    assert sorted(pc.to_frame) == ["e000", "e001", "e002", "e004"]
    x, y = pc.in_exposure("e002")
    expected = corrections.undo(*frames[0].in_exposure(2), "PC")
    np.testing.assert_allclose(x, expected[0], atol=2e-5)
    np.testing.assert_allclose(y, expected[1], atol=2e-5)
    with pytest.raises(ParameterError, match="e003"):
        pc.in_exposure("e003")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_meta_says_how_it_was_made(tmp_path: Path, frames, suffix) -> None:
    write_catalog(mean_table(frames), tmp_path / f"mean{suffix}")
    meta = read_catalog(tmp_path / f"mean{suffix}").meta
    assert meta["parameters"]["order"] == 3
    assert {"filar", "numpy"} <= set(meta["versions"])
    left = [e for e in meta["exposures"] if not e["used"]]
    assert [e["exposure"] for e in left] == ["e003"]
    assert "beyond --max-offset" in left[0]["reason"]
    first = meta["exposures"][0]
    assert first["reference"]
    assert first["reference_error_x"] is None
    assert meta["exposures"][1]["reference_error_x"] > 0


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_other_catalogues_are_refused(tmp_path: Path, suffix: str) -> None:
    write_catalog(make_table(2), tmp_path / f"a{suffix}")
    with pytest.raises(InputFileError, match="no mean catalogue"):
        read_mean(tmp_path / f"a{suffix}")
