from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.errors import InputFileError, ParameterError
from filar.frames.corrections import Corrections, Distortion
from filar.frames.mean import solve_frames
from filar.frames.settings import FrameSettings
from filar.frames.starlist import StarList
from filar.instruments.wfpc2_rows import to_pixels
from tests.frames.fields import expose, field

TEXT = """
title = "an example"

[chips.PC]
centre = [424.0, 424.0]
scale = 375.0
terms = [
    [2, 0, -0.43, 0.02],
    [1, 1, 0.51, -0.37],
    [0, 3, 0.10, 1.90],
]

[chips.all]
centre = [400.0, 400.0]
scale = 400.0
terms = [[3, 0, 1.5, 0.0]]
"""


def distortion(folder: Path, text: str = TEXT) -> Distortion:
    path = folder / "distortion.toml"
    path.write_text(text)
    return Distortion.read(path)


def places(n: int = 200) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.random.default_rng(3).uniform(0, 799, (2, n))
    return x, y


def test_the_file_s_formula(tmp_path: Path) -> None:
    x, y = places()
    stars = StarList.build(x, y, chip="PC")
    u, v = (x - 424) / 375, (y - 424) / 375
    corrected = Corrections(distortion=distortion(tmp_path)).apply(stars)
    np.testing.assert_allclose(corrected.x - x, -0.43 * u**2 + 0.51 * u * v + 0.1 * v**3, atol=1e-9)
    np.testing.assert_allclose(corrected.y - y, 0.02 * u**2 - 0.37 * u * v + 1.9 * v**3, atol=1e-9)
    other = Corrections(distortion=distortion(tmp_path)).apply(StarList.build(x, y, chip="WF2"))
    np.testing.assert_allclose(other.x - x, 1.5 * ((x - 400) / 400) ** 3, atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.booleans(), st.booleans(), st.floats(0, 799), st.floats(0, 799))
def test_undoing_gives_the_pixels_back(row34: bool, bent: bool, x: float, y: float) -> None:
    content = {"chips": {"PC": {"centre": [424, 424], "scale": 375, "terms": [[0, 3, 0.1, 1.9]]}}}
    corrections = Corrections(row34, Distortion.from_content(content) if bent else None)
    stars = StarList.build(np.array([x]), np.array([y]), chip="PC")
    corrected = corrections.apply(stars)
    back = corrections.undo(corrected.x, corrected.y, "PC")
    assert (back[0][0], back[1][0]) == pytest.approx((x, y), abs=1e-8)


def test_facts_bring_the_corrections_back(tmp_path: Path) -> None:
    corrections = Corrections(True, distortion(tmp_path))
    again = Corrections.from_facts(corrections.facts())
    stars = StarList.build(*places(), chip="PC")
    np.testing.assert_array_equal(again.apply(stars).y, corrections.apply(stars).y)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[chips.PC]", "[chip.PC]", "unknown: chip"),
        ("title", "# title", ""),
        ("scale = 375.0", "", "incomplete"),
        ("scale = 375.0", "scale = 0", "scale = 0"),
        ("[424.0, 424.0]", "[424.0]", r"centre = \[424.0\]"),
        ("[2, 0, -0.43, 0.02]", "[2, 0, -0.43]", "has the term"),
        ("[2, 0, -0.43, 0.02]", "[2, 4, -0.43, 1]", "has the term"),
        ("[2, 0, -0.43, 0.02]", "[2.0, 0, -0.43, 1]", "has the term"),
        ("[2, 0, -0.43, 0.02]", "[2, 0, nan, 1]", "has the term"),
        ("[2, 0, -0.43, 0.02]", "[1, 1, 0.1, 0.1]", "twice"),
        ("[chips.PC]", "[chips.PC", "cannot be read"),
        (TEXT, "", "no table"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    if not message:
        assert distortion(tmp_path, TEXT.replace(old, new)).chips
        return
    with pytest.raises(InputFileError, match=message) as found:
        distortion(tmp_path, TEXT.replace(old, new))
    assert "distortion.toml" in str(found.value)


def test_chips_without_coefficients_are_named(tmp_path: Path) -> None:
    only = distortion(tmp_path, TEXT.partition("[chips.all]")[0])
    with pytest.raises(InputFileError, match="no chip 'WF4' among PC"):
        only.of("WF4")
    with pytest.raises(InputFileError, match="cannot be read"):
        Distortion.read(tmp_path / "none.toml")


def test_the_first_row_must_be_a_number() -> None:
    with pytest.raises(ParameterError, match="first_row = nan"):
        Corrections(row34=True, first_row=float("nan"))


def test_narrow_rows_show_in_the_errors_and_are_taken_out() -> None:
    stars = field(800, seed=5)
    lists = []
    for k in range(12):
        # Dithers of 17 rows: stars meet other parts of the saw.
        seen = expose(stars, k, shift=(0.3 * k, 17.0 * k % 40), rays=0, noise=0.3)
        seen.y[:] = to_pixels(seen.y)
        lists.append(seen)
    (raw,) = solve_frames(lists, FrameSettings())
    corrections = Corrections(row34=True)
    (ideal,) = solve_frames([corrections.apply(seen) for seen in lists], FrameSettings())
    noise = 0.3 * np.median(stars.sigma)
    assert np.median(raw.y_rms) > 2.5 * noise
    assert np.median(ideal.y_rms) == pytest.approx(noise, rel=0.15)
    assert np.median(raw.x_rms) == pytest.approx(noise, rel=0.15)
    x, y = corrections.undo(*ideal.in_exposure(5), "PC")
    measured = ideal.measures.tie == 5
    rows, star = ideal.measures.row[measured], ideal.measures.star[measured]
    assert np.median(np.abs(lists[5].y[rows] - y[star])) < 1.5 * noise
    assert np.median(np.abs(lists[5].x[rows] - x[star])) < 1.5 * noise
