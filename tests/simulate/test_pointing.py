"""State of the telescope and the geometry of the camera."""

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.instruments.wfpc2_facts import CHIPS, PIXEL_SCALES
from filar.simulate.pointing import APEX, ORBIT, Pointing, breathe, draw_jitter, quarter_turns

X, Y = np.array([45.0, 100.0, 700.0, 300.0]), np.array([50.0, 90.0, 650.0, 10.0])


def sky(chip, x, y):
    """Place on the camera in arcsec, in the PC's axes."""
    plane = quarter_turns(chip).T @ np.array([x - APEX[0], y - APEX[1]])
    return PIXEL_SCALES[chip] * plane


def test_nothing_moves_in_the_first_exposure():
    x, y = Pointing().carry("WF2", X, Y)
    np.testing.assert_array_equal(x, X)
    np.testing.assert_array_equal(y, Y)


def test_the_pc_sees_the_offset_itself():
    x, y = Pointing(dx=1.25, dy=-0.5).carry("PC", X, Y)
    np.testing.assert_allclose(x - X, 1.25)
    np.testing.assert_allclose(y - Y, -0.5)


def test_all_chips_see_the_same_field_move():
    """One rotation, scale and shift of the sky explains every chip."""
    pointing = Pointing(dx=1.3, dy=-0.7, roll=0.5, scale=1.001)
    angle = np.radians(0.5)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for chip in CHIPS:
        shift = 0.0455 * np.array([[1.3], [-0.7]])
        expected = 1.001 * turn @ sky(chip, X, Y) + shift
        np.testing.assert_allclose(sky(chip, *pointing.carry(chip, X, Y)), expected, atol=1e-9)


def test_chips_are_turned_by_a_quarter_and_wide_pixels_move_less():
    pointing = Pointing(dx=2.0, dy=0.0)
    ratio = 2.0 * 0.0455 / 0.0996
    expected = {"PC": (2, 0), "WF2": (0, -ratio), "WF3": (-ratio, 0), "WF4": (0, ratio)}
    for chip, offset in expected.items():
        assert pointing.offset(chip) == pytest.approx(offset)
        assert pointing.middle_offset(chip) == pytest.approx(offset)


def test_roll_moves_the_corner_that_is_far_from_the_apex():
    dx, dy = Pointing(roll=0.01).middle_offset("PC")
    arm = np.hypot(399.5 - APEX[0], 399.5 - APEX[1])
    assert np.hypot(dx, dy) == pytest.approx(arm * np.radians(0.01), rel=1e-6)


def test_jitter_is_the_same_on_the_sky_for_all_chips():
    pointing = Pointing(jitter=9.0, jitter_ratio=0.5, jitter_angle=20.0)
    for chip in CHIPS:
        xx, yy, xy = pointing.blur(chip)
        turn, scale = quarter_turns(chip), 1000 * PIXEL_SCALES[chip]
        mas = scale**2 * turn.T @ np.array([[xx, xy], [xy, yy]]) @ turn
        variances, axes = np.linalg.eigh(mas)
        assert np.trace(mas) == pytest.approx(2 * 9.0**2)
        assert np.sqrt(variances[0] / variances[1]) == pytest.approx(0.5)
        assert abs(axes[:, 1] @ [np.cos(np.radians(20)), np.sin(np.radians(20))]) == pytest.approx(
            1
        )


def test_focus_breathes_once_per_orbit():
    time = np.arange(0, 20 * ORBIT, 300.0)
    focus = np.array([breathe(t, 2.0, np.zeros(3), 0.0) for t in time])
    orbit = 2 * np.pi * time / ORBIT
    amplitude = 2 * np.hypot((focus * np.sin(orbit)).mean(), (focus * np.cos(orbit)).mean())
    assert amplitude == pytest.approx(2.0, rel=0.05)
    assert np.abs(focus).max() < 4.0
    assert breathe(1234.0, 0.0, np.ones(3), 2.0) == 0


def test_jitter_has_the_mean_asked_for_and_stays_positive():
    rng = np.random.default_rng(1)
    drawn = np.array([draw_jitter(7.0, 2.0, rng) for _ in range(2000)])
    assert drawn[:, 0].mean() == pytest.approx(7.0, abs=0.2)
    assert drawn[:, 0].std() == pytest.approx(2.0, abs=0.15)
    assert drawn[:, 0].min() > 0
    assert ((drawn[:, 1] > 0.5) & (drawn[:, 1] <= 1)).all()
    assert draw_jitter(0.0, 0.0, rng)[0] == 0


def test_another_camera_is_refused():
    with pytest.raises(ParameterError, match="chip"):
        Pointing().carry("UVIS", X, Y)
