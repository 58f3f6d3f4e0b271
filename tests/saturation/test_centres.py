"""Centres of saturated stars from the light about their pixels."""

import numpy as np
import pytest

from filar.saturation.centres import LARGEST_SHIFT, step_centres
from tests.saturation.fields import Field, make_field


def stepped(
    field: Field, dx: float, dy: float, steps: int = 4, **changes: object
) -> tuple[np.ndarray, np.ndarray]:
    """Where a star ends that was found off its place."""
    start = field.x + dx, field.y + dy
    x, y = start
    for _ in range(steps):
        scene = field.scene(x=x, y=y, **changes)
        x, y = step_centres(scene, x, y, scene.flux, 14, start)
    return x - field.x, y - field.y


@pytest.mark.parametrize("flux", [1e6, 1e7])
@pytest.mark.parametrize(("dx", "dy"), [(1.2, 0.0), (-0.8, 1.0), (0.0, -1.5)])
def test_a_star_goes_back_to_its_place(flux: float, dx: float, dy: float) -> None:
    x, y = stepped(make_field(150.3, 149.6, flux, seed=2), dx, dy)
    assert np.hypot(x[0], y[0]) < 0.35 * np.hypot(dx, dy)


def test_a_star_in_its_place_stays() -> None:
    x, y = stepped(make_field(150.3, 149.6, 1e6, seed=2), 0, 0)
    assert np.hypot(x[0], y[0]) < 0.02


def test_small_shifts_are_left_out() -> None:
    """The wings are not known well enough to correct a tenth of a pixel."""
    x, y = stepped(make_field(150.3, 149.6, 1e6), 0.1, 0)
    assert x[0] == pytest.approx(0.1, abs=0.03)
    assert abs(y[0]) < 0.02


def test_no_star_goes_far() -> None:
    x, _ = stepped(make_field(150.3, 149.6, 1e6), 8.0, 0.0, steps=10)
    assert 8 - LARGEST_SHIFT - 1e-6 <= x[0] <= 8 + LARGEST_SHIFT


def test_a_neighbour_does_not_draw_it() -> None:
    field = make_field([150.3, 160.0], [149.6, 150.0], [1e6, 4e5], seed=2)
    x, y = stepped(field, 0, 0)
    assert (np.hypot(x, y) < 0.1).all()


def test_where_nothing_is_seen_nothing_moves() -> None:
    field = make_field([150.3, -60.0], [149.6, 20.0], [1e6, 1e6])
    field.exposure.mask[:] = True
    x, y = stepped(field, 0.4, 0.0)
    np.testing.assert_allclose(x, 0.4)
    np.testing.assert_allclose(y, 0)


def test_no_light_no_movement() -> None:
    field = make_field(150.3, 149.6, 1e6)
    x, _ = stepped(field, 0.4, 0.0, flux=np.zeros(1))
    assert x[0] == pytest.approx(0.4)
