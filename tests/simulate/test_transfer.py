"""Charge-transfer inefficiency."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from filar.errors import ParameterError
from filar.psf.library import default_psf_for
from filar.psf.render import render_image
from filar.simulate import transfer

JULY_1999 = 51380.0
COLUMNS = 20.0 + 24.0 * np.arange(24)


@pytest.fixture(scope="module")
def light():
    """Images of 24 stars of unit flux in a row, at several rows."""
    psf = default_psf_for("WFPC2", "WF3", "F555W")
    offsets = np.random.default_rng(0).uniform(-0.5, 0.5, (2, 24))
    return {
        y: render_image(psf, (800, 600), COLUMNS + offsets[0], y + offsets[1], np.ones(24), box=45)
        for y in (60, 200, 400, 770)
    }


def measured(image, y, sky):
    """Flux within 3 pixels and centre along y, means over the stars."""
    rows = np.arange(y - 3, y + 4)[:, None]
    box = (image - sky)[y - 3 : y + 4, 14:596]
    flux = sum(box[:, int(x) - 14 - 3 : int(x) - 14 + 4].sum() for x in COLUMNS)
    moment = sum((rows * box[:, int(x) - 14 - 3 : int(x) - 14 + 4]).sum() for x in COLUMNS)
    return flux / len(COLUMNS), moment / flux


def change(light, y, flux, sky, strength=1.0):
    """Loss in magnitudes and shift in pixels."""
    before = measured(flux * light[y] + sky, y, sky)
    after = measured(transfer(flux * light[y] + sky, strength=strength), y, sky)
    return -2.5 * np.log10(after[0] / before[0]), after[1] - before[1]


def dolphin(counts, sky, y, mjd=JULY_1999):
    """Loss along y in magnitudes: Dolphin's formula of September 2002 (WFPC2's CTE tool)."""
    level = np.hypot(sky, 1.0)
    years = (mjd - 50193.0) / 365.25
    first = 0.655 * np.exp(-0.402 * (np.log(level) - 1)) + 0.345 * np.exp(-0.0156 * (level - 10))
    first *= 0.01785 * (1 + 0.253 * years + 0.0082 * years**2) * y / 800
    second = 2.35 * np.exp(-0.517 * (np.log(counts) - 7))
    return np.log(np.exp(first) * (1 + second) - second) / 0.476


@settings(max_examples=60, deadline=None)
@given(arrays(float, (30, 3), elements=st.floats(0, 1e5)), st.floats(0, 50))
def test_charge_is_conserved_column_by_column(charge, strength):
    after = transfer(charge, strength=strength)
    assert after.min() >= 0
    np.testing.assert_allclose(after.sum(axis=0), charge.sum(axis=0), rtol=1e-12, atol=1e-9)


def test_nothing_moves_without_traps_or_structure():
    charge = np.random.default_rng(0).poisson(100.0, (60, 50)).astype(float)
    np.testing.assert_array_equal(transfer(charge, strength=0.0), charge)
    flat = np.full((60, 50), 100.0)
    np.testing.assert_array_equal(transfer(flat), flat)
    assert not np.array_equal(transfer(charge), charge)


def test_charge_trails_away_from_the_register():
    charge = np.full((800, 3), 10.0)
    charge[600, 1] = 2000.0
    moved = transfer(charge) - charge
    assert moved[600, 1] < -50
    assert (moved[601:700, 1] > 0).all()
    assert (np.diff(moved[601:700, 1]) < 0).all()
    assert np.abs(moved[:600]).max() == 0
    assert np.abs(moved[:, [0, 2]]).max() == 0
    assert moved[601:700, 1].sum() > 0.9 * -moved[600, 1]


def test_losses_and_shifts_grow_with_the_distance_to_the_register(light):
    losses, shifts = np.transpose([change(light, y, 1e4, 10.0) for y in (60, 200, 400, 770)])
    np.testing.assert_allclose(losses / losses[-1], np.array([60, 200, 400, 770]) / 770, rtol=0.1)
    np.testing.assert_allclose(shifts / shifts[-1], np.array([60, 200, 400, 770]) / 770, rtol=0.15)
    assert 0.03 < shifts[-1] < 0.1


def test_losses_and_shifts_fall_with_flux_and_sky(light):
    by_flux = np.array([change(light, 770, flux, 10.0) for flux in (200.0, 2e3, 2e4, 2e5)])
    by_sky = np.array([change(light, 770, 2e3, sky) for sky in (0.5, 5.0, 50.0, 200.0)])
    assert (np.diff(by_flux, axis=0) < 0).all()
    assert (np.diff(by_sky, axis=0) < 0).all()
    assert (by_flux > 0).all()
    assert (by_sky > 0).all()


@pytest.mark.parametrize("sky", [0.3, 2.0, 10.0, 50.0])
@pytest.mark.parametrize("flux", [200.0, 1e3, 1e4, 1e5])
def test_losses_are_those_of_wfpc2_in_1999(light, flux, sky):
    assert change(light, 770, flux, sky)[0] == pytest.approx(dolphin(flux, sky, 770), rel=0.3)


def test_the_trail_of_a_star_shields_the_next(light):
    charge = np.full((800, 2), 10.0)
    charge[600] = 2000.0
    charge[590, 1] = 2000.0
    lost = (charge - transfer(charge))[600]
    assert lost[1] < 0.5 * lost[0]


def test_negative_strength_is_refused():
    with pytest.raises(ParameterError):
        transfer(np.zeros((3, 3)), strength=-1.0)
