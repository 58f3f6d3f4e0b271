import numpy as np
import pytest

from filar.errors import ParameterError
from filar.psf.pupil import WFPC2_ALIGNMENT, WFPC2_AXES, Obstruction, Pupil, wfpc2_pupil

CHIPS = ("PC", "WF2", "WF3", "WF4")


@pytest.mark.parametrize("chip", CHIPS)
def test_the_camera_moves_against_the_star(chip: str) -> None:
    """Shift of the camera's obscuration from edge to edge, found by fitting independent optics."""
    pupil = wfpc2_pupil(chip)
    x0, y0 = pupil.centre
    known = -0.2035 if chip == "PC" else -0.283
    for u, v in ((1, 0), (0, 1), (-1, 1)):
        shift = pupil.camera_shift(x0 + 400 * u, y0 + 400 * v)
        assert shift == pytest.approx((known * u, known * v), abs=0.006)


@pytest.mark.parametrize("chip", CHIPS)
def test_the_centre_is_the_alignment_pixel_counted_from_0(chip: str) -> None:
    pupil = wfpc2_pupil(chip)
    assert pupil.camera_shift(*(c - 1 for c in WFPC2_ALIGNMENT[chip])) == pytest.approx((0, 0))


@pytest.mark.parametrize("chip", CHIPS)
def test_detector_axes_are_a_rotation_or_reflection(chip: str) -> None:
    axes = np.array(WFPC2_AXES[chip])
    assert np.allclose(axes @ axes.T, np.eye(2))


def test_chips_are_turned_by_quarter_turns() -> None:
    """The telescope's pads, seen from the chips, go round by 90 degrees."""
    first = np.array([p[:2] for p in wfpc2_pupil("WF2").pads])
    turn = np.array([[0, -1], [1, 0]])
    found = {c: np.array([p[:2] for p in wfpc2_pupil(c).pads]) for c in ("WF3", "WF4")}
    for sign in (1, -1):
        quarter = np.linalg.matrix_power(turn, sign % 4)
        if np.allclose(first @ quarter.T, found["WF3"]):
            assert np.allclose(first @ quarter.T @ quarter.T, found["WF4"])
            return
    raise AssertionError("WF3 is not WF2 turned by 90 degrees")


def test_transmission_is_the_open_area() -> None:
    pupil = Pupil(1.2, Obstruction(0.33))
    light = pupil.transmission(400, 400, samples=512)
    assert light.mean() * 4 == pytest.approx(np.pi * (1 - 0.33**2), rel=1e-3)
    assert light.min() == 0
    assert light.max() == 1


def test_vanes_take_their_width() -> None:
    bare = Pupil(1.2, Obstruction(0.33)).transmission(0, 0, 512).sum()
    vaned = Pupil(1.2, Obstruction(0.33, 0.022, 45.0)).transmission(0, 0, 512).sum()
    area = 4 * (1 - 0.33) * 0.022 * (512 / 2) ** 2
    assert bare - vaned == pytest.approx(area, rel=0.02)


def test_the_ota_vanes_lie_at_45_degrees_and_the_cameras_along_the_axes() -> None:
    pupil = wfpc2_pupil("WF3")
    x, y = pupil.centre
    light = pupil.transmission(x, y, samples=384)
    middle, far = 192, int(192 + 0.7 * 192)
    assert light[middle, far] == 0
    assert light[far, middle] == 0
    diagonal = int(192 + 0.4 * 192)
    assert light[diagonal, diagonal] == 0
    assert light[diagonal, diagonal + 15] == 1


def test_a_shift_moves_the_shadow() -> None:
    pupil = wfpc2_pupil("PC")
    x, y = pupil.centre
    moved = pupil.transmission(x, y, 384, extra=(0.1, 0.0))
    by_field = pupil.transmission(x - 0.1 / 5.088e-4, y, 384)
    assert np.allclose(moved, by_field, atol=1e-9)
    assert not np.allclose(moved, pupil.transmission(x, y, 384))


def test_transmission_changes_smoothly() -> None:
    pupil = wfpc2_pupil("PC")
    sums = [pupil.transmission(x, 300.0, 192).sum() for x in (400.0, 400.5, 401.0)]
    assert abs(sums[0] - 2 * sums[1] + sums[2]) < 1e-3 * sums[0]


def test_unknown_chips_are_refused() -> None:
    with pytest.raises(ParameterError, match="PC, WF2, WF3, WF4"):
        wfpc2_pupil("WF1")
