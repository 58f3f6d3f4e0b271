"""The profile of the wings from stars of known light."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.psf.wings import KNOTS
from filar.saturation.wingfit import FEWEST, _medians, fit_wings, quiet_stars
from tests.saturation.fields import SKY, Field, make_field, winged

SHAPE = (400, 400)
R = np.array(KNOTS)


def mesh(flux: float, count: int = 3, seed: int | None = None, factor: float = 1.0) -> Field:
    """Equal stars far from each other."""
    at = (np.arange(count) + 0.5) * SHAPE[0] / count + 0.3
    x, y = (v.ravel() for v in np.meshgrid(at, at))
    return make_field(x, y, np.full(count**2, flux), shape=SHAPE, seed=seed, well=1e12,
                      psf=winged(factor, SHAPE))  # fmt: skip


def found(field: Field, guess: float = 1.0, rounds: int = 3) -> np.ndarray:
    """Wings over the true ones, when they are first taken for others."""
    scene = field.scene(psf=winged(guess, SHAPE))
    chosen = np.arange(len(field.x))
    for _ in range(rounds):
        scene = scene.changed(psf=fit_wings(scene, chosen))
    return scene.psf.light / field.psf.light


@pytest.mark.parametrize("factor", [0.3, 1.0, 3.0])
def test_bright_stars_tell_of_all_radii(factor: float) -> None:
    """Whatever the wings were taken for."""
    ratio = found(mesh(3e7, seed=1, factor=factor))
    inside = (R > 3.5) & (R < 50)
    np.testing.assert_allclose(ratio[inside], 1, atol=0.06)


def test_faint_stars_tell_of_the_inner_ones_only() -> None:
    """Beyond, the wings that were assumed are scaled to the last that was measured."""
    field = mesh(3e5, seed=1, factor=2.0)
    ratio = found(field)
    np.testing.assert_allclose(ratio[(R > 4.5) & (R < 9)], 1, atol=0.15)
    outside = R > 40
    assert np.ptp(ratio[outside]) < 1e-9


def test_too_few_stars_change_nothing() -> None:
    field = mesh(3e7, seed=1)
    scene = field.scene(psf=winged(2.0, SHAPE))
    same = fit_wings(scene, np.arange(FEWEST - 1))
    np.testing.assert_array_equal(same.light, scene.psf.light)
    np.testing.assert_array_equal(fit_wings(scene, np.arange(0)).light, scene.psf.light)
    dark = scene.changed(flux=0 * scene.flux)
    np.testing.assert_array_equal(fit_wings(dark, np.arange(9)).light, scene.psf.light)


def test_a_star_on_something_else_does_not_matter() -> None:
    field = mesh(3e7, seed=1)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    cloud = 3e3 * np.exp(-0.5 * ((columns - field.x[4]) ** 2 + (rows - field.y[4]) ** 2) / 15**2)
    exposure = field.exposure.replace(data=(field.exposure.data + cloud).astype(np.float32))
    scene = field.scene(exposure=exposure)
    ratio = fit_wings(scene, np.arange(9)).light / field.psf.light
    np.testing.assert_allclose(ratio[(R > 3.5) & (R < 30)], 1, atol=0.1)


def test_stars_in_a_crowd_are_left_out_where_there_are_enough_others() -> None:
    rng = np.random.default_rng(0)
    lonely = rng.uniform(0, 400, (300, 2))
    crowded = rng.normal(100, 12, (80, 2))
    x, y = np.concatenate([lonely, crowded]).T
    scene = make_field(x, y, np.full(380, 10.0), shape=SHAPE, psf=winged(shape=SHAPE)).scene()
    quiet = quiet_stars(scene, np.arange(380))
    far = np.hypot(x - 100, y - 100) > 120
    assert quiet[far].mean() > 0.8
    near = np.hypot(x - 100, y - 100) < 20
    assert not quiet[near].any()


def test_unseen_light_in_a_crowd_does_not_lift_the_wings() -> None:
    """Most of the bright stars are in the crowd, and all of these stand on light of faint ones."""
    quiet = np.array([(x, y) for x in (50.2, 120.4, 190.3) for y in (50.1, 150.2, 250.4, 350.3)])
    crowd = np.array([(x, y) for x in (280.2, 325.4, 370.3) for y in np.linspace(40.2, 360.2, 6)])
    bright = np.concatenate([quiet, crowd])
    faint = np.random.default_rng(2).uniform((260, 0), (400, 400), (500, 2))
    x, y = np.concatenate([bright, faint]).T
    flux = np.concatenate([np.full(len(bright), 3e6), np.zeros(500)])
    field = make_field(x, y, flux, shape=SHAPE, well=1e12, psf=winged(shape=SHAPE))
    halo = make_field(*crowd.T, np.full(len(crowd), 3e6), shape=SHAPE, well=1e12,
                      psf=winged(4.0, SHAPE))  # fmt: skip
    light = field.exposure.data + 0.3 * (halo.exposure.data - SKY)
    exposure = field.exposure.replace(data=light.astype(np.float32))
    scene = field.scene(exposure=exposure)
    ratio = fit_wings(scene, np.arange(len(bright))).light / field.psf.light
    inside = (R > 4) & (R < 15)
    np.testing.assert_allclose(ratio[inside], 1, atol=0.1)
    crowded = fit_wings(scene, np.arange(len(quiet), len(bright))).light / field.psf.light
    assert (crowded[inside] > 1.3).all()


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(-1e6, 1e6)), max_size=40))
def test_medians_of_groups(members: list[tuple[int, float]]) -> None:
    group = np.array([number for number, _ in members], int)
    values = np.array([value for _, value in members], float)
    middle = _medians(values, group, 6)
    for number in range(6):
        own = values[group == number]
        if len(own):
            assert middle[number] == pytest.approx(np.median(own))
        else:
            assert np.isnan(middle[number])
