"""Light of stars from the charge of their blobs."""

import numpy as np
import pytest

from filar.saturation.blobs import (
    Trails,
    find_blobs,
    held_charge,
    measure_trails,
    nearest_blob,
)
from tests.saturation.fields import SKY, WELL, Field, make_field

HALF = 60


def trails_of(field: Field, **changes: object) -> Trails:
    """Of all stars of a field."""
    scene = field.scene(**changes)
    return measure_trails(scene, find_blobs(field.exposure), scene.x, scene.y, scene.flux, HALF)


@pytest.mark.parametrize("flux", [6e5, 2e6, 1e7, 2.5e7])
@pytest.mark.parametrize("guess", [0.3, 1.0, 3.0])
def test_the_charge_is_the_light_however_long_the_trail(flux: float, guess: float) -> None:
    field = make_field(150.3, 149.7, flux)
    trails = trails_of(field, flux=guess * field.flux)
    rows = np.flatnonzero(field.exposure.saturated.any(axis=1))
    assert len(rows) > {6e5: 1, 2e6: 8, 1e7: 50, 2.5e7: 120}[flux]
    assert trails.flux[0] == pytest.approx(flux, rel=0.01)
    assert 0 < trails.error[0] < 0.02 * flux
    assert trails.others[0] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("up", [0.0, 0.2, 1.0])
def test_it_does_not_matter_where_charge_flows(up: float) -> None:
    from filar.simulate.bleeding import bleed

    field = make_field(150.3, 149.7, 4e6, well=1e12)
    held = bleed(field.exposure.data.astype(float), WELL, up=up)
    full = held >= 0.99 * WELL
    exposure = field.exposure.replace(
        data=held.astype(np.float32), saturated=full, saturation=0.99 * WELL
    )
    scene = field.scene(exposure=exposure)
    trails = measure_trails(scene, find_blobs(exposure), field.x, field.y, field.flux, HALF)
    assert trails.flux[0] == pytest.approx(4e6, rel=0.01)


def test_errors_are_the_scatter_of_noisy_stars() -> None:
    y, x = np.mgrid[40:300:55, 40:300:55].reshape(2, -1) + 0.3
    pulls = []
    for seed in range(1, 5):
        field = make_field(x, y, np.full(25, 6e5), seed=seed)
        trails = trails_of(field)
        pulls.append((trails.flux - 6e5) / trails.error)
    pull = np.concatenate(pulls)
    assert abs(pull.mean()) < 0.4, pull.mean()
    assert 0.5 < pull.std() < 1.5, pull.std()


def test_an_unsaturated_star_has_no_blob() -> None:
    field = make_field([100.0, 200.0], [150.0, 150.0], [1e4, 1e6])
    trails = trails_of(field)
    assert trails.blob.tolist() == [0, 1]
    assert np.isnan(trails.flux[0]) and np.isnan(trails.error[0])
    assert np.isfinite(trails.flux[1])


def test_two_stars_in_a_blob_see_each_other() -> None:
    field = make_field([150.0, 151.0], [140.0, 150.0], [3e6, 2e6])
    trails = trails_of(field)
    assert trails.blob[0] == trails.blob[1] > 0
    np.testing.assert_allclose(trails.others, [0.4, 0.6], atol=0.05)
    # each is right where the other is known
    np.testing.assert_allclose(trails.flux, field.flux, rtol=0.02)
    alone = trails_of(make_field(150.0, 140.0, 3e6))
    assert (trails.error > 2 * alone.error[0]).all()


def test_trails_with_a_gap_of_a_row_are_one() -> None:
    field = make_field(150.3, 149.7, 4e6)
    rows = np.flatnonzero(field.exposure.saturated[:, 150])
    field.exposure.saturated[rows[-5]] = False
    assert find_blobs(field.exposure).count == 1
    assert trails_of(field).flux[0] == pytest.approx(4e6, rel=0.01)


def test_blobs_know_where_they_are() -> None:
    field = make_field(150.3, 149.7, 1e5)
    field.exposure.saturated[:] = False
    field.exposure.saturated[10:14, 20:22] = True
    field.exposure.saturated[50, 60:69] = True
    blobs = find_blobs(field.exposure)
    assert blobs.count == 2
    assert blobs.extent[1:].tolist() == [[10, 13, 20, 21], [50, 50, 60, 68]]
    assert blobs.pixels.tolist() == [0, 8, 9]
    ones = np.ones(field.exposure.shape)
    assert blobs.total(ones).tolist() == [0, 8 * 4, 5 * 11]


def test_a_star_belongs_to_the_nearest_blob() -> None:
    field = make_field(150.3, 149.7, 1e5)
    field.exposure.saturated[:] = False
    field.exposure.saturated[100, 100] = field.exposure.saturated[100, 105] = True
    blobs = find_blobs(field.exposure)
    x = np.array([100.0, 102.4, 102.6, 105.0, 103.0, 96.0])
    y = np.array([100.0, 100, 100, 103, 96, 100])
    assert nearest_blob(blobs, x, y).tolist() == [1, 1, 2, 2, 0, 0]


def test_replaced_pixels_hold_no_charge() -> None:
    field = make_field(150.3, 149.7, 4e6, meta={"saturated_values": "interpolated"})
    trails = trails_of(field)
    assert np.isnan(trails.flux).all() and np.isnan(trails.error).all()


def test_damaged_pixels_on_the_blob_make_it_uncertain() -> None:
    field = make_field(150.3, 149.7, 4e6)
    rows = np.flatnonzero(field.exposure.saturated[:, 150])
    lost = rows[len(rows) // 2 : len(rows) // 2 + 6]
    field.exposure.mask[lost, 150] = True
    field.exposure.saturated[lost, 150] = False
    field.exposure.data[lost, 150] = 0
    trails = trails_of(field)
    assert trails.error[0] > 4 * WELL
    assert abs(trails.flux[0] - 4e6) < 2 * trails.error[0]


def test_an_unknown_level_is_that_of_the_saturated_pixels() -> None:
    field = make_field(150.3, 149.7, 4e6, saturation=np.inf)
    assert held_charge(field.exposure) == pytest.approx(WELL, rel=0.01)
    assert trails_of(field).flux[0] == pytest.approx(4e6, rel=0.01)


def test_nothing_saturated_and_no_level() -> None:
    field = make_field(150.3, 149.7, 1e4, saturation=np.inf)
    assert held_charge(field.exposure) == np.inf
    trails = trails_of(field)
    assert np.isnan(trails.flux).all() and trails.blob.tolist() == [0]


def test_all_saturated() -> None:
    field = make_field([150.3, 20.0], [149.7, 20.0], [4e6, 1e5])
    field.exposure.saturated[:] = True
    trails = trails_of(field)
    assert trails.blob.tolist() == [1, 1]
    assert (trails.others > 0).all()


def test_stars_beside_the_image() -> None:
    field = make_field([-2.0, -30.0, 150.0], [150.0, 150.0, 302.0], [4e6, 4e6, 4e6])
    trails = trails_of(field)
    assert trails.blob[1] == 0 and np.isnan(trails.flux[1])
    known = np.isfinite(trails.flux)
    assert (np.abs(trails.flux[known] / 4e6 - 1) < 0.05).all()


def test_the_sky_is_no_charge() -> None:
    """Twice the sky, the same star."""
    field = make_field(150.3, 149.7, 4e6)
    first = trails_of(field)
    brighter = field.exposure.replace(data=field.exposure.data + np.float32(SKY))
    scene = field.scene(exposure=brighter, sky=np.full(brighter.shape, 2 * SKY))
    second = measure_trails(scene, find_blobs(brighter), field.x, field.y, field.flux, HALF)
    assert second.flux[0] == pytest.approx(first.flux[0], rel=1e-4)
