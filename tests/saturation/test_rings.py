"""A star's light, ring by ring."""

import numpy as np
import pytest

from filar.saturation.rings import EDGES, LARGEST_RADIUS, Rings, measure_rings, ring_edges
from tests.saturation.fields import Field, make_field

FWHM = 2.9
EDGES_HERE = ring_edges(FWHM)
LARGE = 1e12
"""A full well that nothing fills."""


def rings_of(field: Field, star: int = 0, **changes: object) -> Rings:
    """The rings of one star."""
    one = slice(star, star + 1)
    scene = field.scene(**changes)
    return measure_rings(scene, scene.x[one], scene.y[one], scene.flux[one], EDGES_HERE)


def test_edges_follow_the_width_and_end() -> None:
    np.testing.assert_allclose(ring_edges(4.0), 2 * np.array(EDGES))
    wide = ring_edges(20.0)
    assert wide[-1] <= LARGEST_RADIUS and len(wide) < len(EDGES)


@pytest.mark.parametrize("guess", [0.2, 1.0, 5.0])
def test_every_ring_of_a_noiseless_star_has_all_its_light(guess: float) -> None:
    """Whatever the star was taken for before."""
    field = make_field(150.3, 149.6, 1e6, well=LARGE)
    rings = rings_of(field, flux=guess * field.flux)
    np.testing.assert_allclose(rings.flux, 1e6, rtol=2e-4)
    np.testing.assert_allclose(rings.pixels, 1)
    assert (rings.error > 0).all() and (rings.others < 1e-6).all()


def test_half_masked_rings_lose_pixels_but_no_light() -> None:
    field = make_field(150.3, 149.6, 1e6, well=LARGE)
    field.exposure.mask[:, :150] = True
    rings = rings_of(field)
    np.testing.assert_allclose(rings.flux[0, 1:], 1e6, rtol=2e-4)
    assert (np.abs(rings.pixels[0, 3:] - 0.5) < 0.15).all()
    whole = rings_of(make_field(150.3, 149.6, 1e6, well=LARGE))
    assert (rings.error[0, 3:] > whole.error[0, 3:]).all()


def test_saturated_pixels_are_left_out() -> None:
    field = make_field(150.3, 149.6, 1e6)
    assert field.exposure.saturated.sum() > 5
    rings = rings_of(field)
    assert np.isnan(rings.flux[0, 0]) and rings.pixels[0, 0] == 0
    good = np.isfinite(rings.flux[0])
    assert good.sum() > 8
    np.testing.assert_allclose(rings.flux[0, good], 1e6, rtol=2e-4)


def test_the_light_of_a_neighbour_in_the_scene_is_taken_off() -> None:
    field = make_field([150.3, 162.0], [149.6, 155.0], [1e6, 5e5], well=LARGE)
    rings = rings_of(field)
    np.testing.assert_allclose(rings.flux[0, :8], 1e6, rtol=1e-3)
    # farther out the neighbour is not drawn: it is lost in the noise
    assert (np.abs(rings.flux - 1e6) < 2 * rings.error).all()
    near = np.searchsorted(EDGES_HERE, np.hypot(11.7, 5.4)) - 1
    assert rings.others[0, near] > 1 > rings.others[0, 0]


def test_an_unknown_neighbour_spoils_few_rings_and_shows_there() -> None:
    field = make_field([150.3, 175.0], [149.6, 149.6], [1e6, 1e5], well=LARGE)
    rings = rings_of(field, flux=np.array([1e6, 0]))
    at = np.searchsorted(EDGES_HERE, 24.7) - 1
    assert (np.abs(rings.flux[0, : at - 2] / 1e6 - 1) < 0.05).all()
    assert (rings.chi2[0, : at - 2] < 1).all() and rings.chi2[0, at] > 2


@pytest.mark.parametrize(("x", "y"), [(157, 150), (150, 165), (148, 159)])
@pytest.mark.parametrize("more", [500, 3e3, 3e4])
def test_a_hot_pixel_does_not_lift_a_ring(x: int, y: int, more: float) -> None:
    """A small ring may be lost by it."""
    field = make_field(150.3, 149.6, 1e6, well=LARGE)
    field.exposure.data[y, x] += np.float32(more)
    at = np.searchsorted(EDGES_HERE, np.hypot(x - 150.3, y - 149.6)) - 1
    rings = rings_of(field)
    assert rings.pixels[0, at] < 1
    light = rings.flux[0, at]
    assert np.isnan(light) or light == pytest.approx(1e6, rel=1e-3)
    assert np.isfinite(light) or more > 1e4
    np.testing.assert_allclose(np.delete(rings.flux[0], at), 1e6, rtol=2e-4)


def test_stars_by_the_border_and_beside_the_image() -> None:
    field = make_field([1.0, -40.0, 150.0], [150.0, 150.0, 303.0], [1e6, 1e6, 1e6], well=LARGE)
    for star in range(3):
        rings = rings_of(field, star)
        seen = np.isfinite(rings.flux[0])
        assert (np.abs(rings.flux - 1e6) < 2.5 * rings.error)[0, seen].all()
        assert (rings.pixels[0, ~seen] == 0).all()
    assert not np.isfinite(rings_of(field, 1).flux[0, 0])


def test_errors_are_the_scatter_of_noisy_stars() -> None:
    """Pulls about 1 in every ring in which noise rules."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[30:300:60, 30:300:60].reshape(2, -1) + rng.uniform(-0.5, 0.5, (2, 25))
    pulls = []
    for seed in (1, 2, 3):
        field = make_field(x, y, np.full(25, 4e5), well=LARGE, seed=seed)
        rings = measure_rings(field.scene(), x, y, field.flux, EDGES_HERE)
        pulls.append((rings.flux - 4e5) / rings.error)
    pull = np.concatenate(pulls)
    scatter = pull[:, :8].std(axis=0)
    assert (np.abs(pull[:, :8].mean(axis=0)) < 0.5).all(), pull.mean(axis=0)
    assert (np.abs(scatter[:4] - 1) < 0.25).all(), scatter
    assert (scatter < 1.25).all(), scatter


def test_many_stars_are_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    field = make_field([100.2, 200.7, 60.0], [150, 100.5, 250.1], [1e6, 1e5, 1e4], seed=0)
    together = measure_rings(field.scene(), field.x, field.y, field.flux, EDGES_HERE)
    monkeypatch.setattr("filar.saturation.rings.CHUNK", 1)
    apart = measure_rings(field.scene(), field.x, field.y, field.flux, EDGES_HERE)
    for name in ("flux", "error", "pixels", "others", "chi2"):
        np.testing.assert_array_equal(getattr(together, name), getattr(apart, name))


def test_nothing_to_measure() -> None:
    field = make_field(150.0, 150.0, 1e6)
    none = np.zeros(0)
    assert measure_rings(field.scene(), none, none, none, EDGES_HERE).flux.shape == (0, 12)
    field.exposure.mask[:] = True
    assert np.isnan(rings_of(field).flux).all()
