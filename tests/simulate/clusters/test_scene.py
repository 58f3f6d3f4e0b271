"""Pieces of galaxies."""

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.simulate.clusters.associations import GroupSettings
from filar.simulate.clusters.camera import preset_camera
from filar.simulate.clusters.galaxy import DiscSettings
from filar.simulate.clusters.interlopers import InterloperSettings
from filar.simulate.clusters.scene import KINDS, MARGIN, SceneSettings, draw_scene
from tests.populations.samples import toy_isochrones

SET = toy_isochrones()
CAMERA = preset_camera("m83")
SHAPE = (96, 128)
EMPTY = SceneSettings(
    groups=GroupSettings(associations=0.0, chance=0.0),
    interlopers=InterloperSettings(stars=0.0, galaxies=0.0),
    cosmic_rays=0.0,
)


def test_a_scene_holds_sky_galaxy_and_what_it_says():
    settings = SceneSettings(
        groups=GroupSettings(associations=1500.0, chance=2500.0),
        interlopers=InterloperSettings(stars=400.0, galaxies=2000.0),
    )
    scene = draw_scene(settings, CAMERA, SET, SHAPE, 1)
    assert scene.rate.shape == (3, *SHAPE)
    assert scene.rate.dtype == np.float32
    assert not scene.noisy
    assert np.isfinite(scene.rate).all()
    assert (scene.rate > 0.9 * CAMERA.skies[:, None, None]).all()
    assert scene.a_v.shape == SHAPE
    objects = scene.objects
    assert set(objects.kind) == set(KINDS)
    assert (np.abs(objects.x - 63.5) <= 64).all()
    assert (np.abs(objects.y - 47.5) <= 48).all()
    assert np.isfinite(objects.log_mass[objects.kind == "association"]).all()
    assert np.isnan(objects.log_mass[objects.kind == "chance group"]).all()


def test_the_same_seed_gives_the_same_scene():
    one, two = (draw_scene(SceneSettings(), CAMERA, SET, (64, 64), 7) for _ in range(2))
    np.testing.assert_array_equal(one.rate, two.rate)
    other = draw_scene(SceneSettings(), CAMERA, SET, (64, 64), 8)
    assert not np.array_equal(one.rate, other.rate)


def test_brighter_discs_are_brighter_and_dust_takes_blue_light_first():
    def mean(brightness, dust):
        disc = DiscSettings(
            surface_brightness=(brightness, brightness), dust=(dust, dust), lane_depth=(0, 0)
        )
        settings = SceneSettings(disc=disc, groups=EMPTY.groups, interlopers=EMPTY.interlopers)
        rate = draw_scene(settings, CAMERA, SET, SHAPE, 3).rate
        return rate.mean(axis=(1, 2)) - CAMERA.skies

    bright, faint = mean(20.5, 0.01), mean(22.5, 0.01)
    np.testing.assert_allclose(-2.5 * np.log10(faint / bright), 2.0, atol=0.3)
    dusty = -2.5 * np.log10(mean(20.5, 2.0) / bright)
    assert 0.05 < dusty[2] < dusty[0] < 2.0


def test_stars_beyond_the_edge_shine_in_and_bright_ones_saturate():
    stars = InterloperSettings(stars=400.0, star_mags=(12.0, 12.5), galaxies=0.0)
    settings = SceneSettings(groups=EMPTY.groups, interlopers=stars, exposures=3)
    scene = draw_scene(settings, CAMERA, SET, SHAPE, 5)
    assert (scene.objects.kind == "foreground star").any()
    full = scene.rate.max(axis=(1, 2)) * CAMERA.exposure_times / 3
    assert full[2] == pytest.approx(72_000, rel=1e-4)
    assert MARGIN >= 40


def test_cosmic_rays_that_were_not_rejected_are_no_stars():
    settings = {"groups": EMPTY.groups, "interlopers": EMPTY.interlopers}
    with_rays, without = (
        draw_scene(SceneSettings(cosmic_rays=part, **settings), CAMERA, SET, SHAPE, 9).rate
        for part in (0.3, 0.0)
    )
    hit = with_rays - without > 0.02
    assert 0 < hit.mean() < 0.05
    # every band has its own
    assert (hit.sum(axis=0) > 1).sum() < 0.2 * hit.sum()


def test_the_bands_are_the_cameras():
    camera = preset_camera("m83", ["F814W"])
    assert draw_scene(EMPTY, camera, SET, (64, 64), 2).rate.shape == (1, 64, 64)


def test_shapes_and_bands_without_meaning_are_refused():
    with pytest.raises(ParameterError, match="shape"):
        draw_scene(EMPTY, CAMERA, SET, (0, 64), 1)
    with pytest.raises(ParameterError, match="bands"):
        draw_scene(EMPTY, CAMERA, SET.with_bands(["F814W"]), (64, 64), 1)
    with pytest.raises(ParameterError, match="exposures"):
        SceneSettings(exposures=0)
    with pytest.raises(ParameterError, match="cosmic_rays"):
        SceneSettings(cosmic_rays=-0.1)
