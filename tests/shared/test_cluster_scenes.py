"""Scenes of galaxies with real stars' isochrones."""

from pathlib import Path

import numpy as np
import pytest

from filar.populations import IsochroneSet, integrated_mags, read_isochrones
from filar.simulate.clusters.associations import GroupSettings
from filar.simulate.clusters.camera import preset_camera
from filar.simulate.clusters.fieldstars import OLD_EDGES, YOUNG, formed, mean_flux
from filar.simulate.clusters.galaxy import SUN_V, DiscSettings
from filar.simulate.clusters.interlopers import InterloperSettings
from filar.simulate.clusters.scene import SceneSettings, draw_scene

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def stars(shared: Path) -> IsochroneSet:
    path = shared / "isochrones" / "parsec12S_wfc3_Z0.015500.dat.gz"
    return read_isochrones(path, bands=("V", "F438W", "F555W", "F814W"))


@pytest.mark.parametrize("timescale", [2.0, 1000.0])
def test_the_mass_to_light_ratios_are_those_of_the_isochrones(
    stars: IsochroneSet, timescale: float
) -> None:
    for mixture in (YOUNG, formed(OLD_EDGES, timescale)):
        light = mean_flux(stars.with_bands(("V",)), mixture)[0] * 10 ** (0.4 * SUN_V)
        assert 1 / light == pytest.approx(mixture.mass_to_light, rel=0.06)


def test_single_ages_shine_as_integrated_isochrones(stars: IsochroneSet) -> None:
    ages = formed((8.0, 8.2))
    expected = integrated_mags(stars.at(ages.log_ages[0]))
    found = -2.5 * np.log10(mean_flux(stars, ages))
    np.testing.assert_allclose(found, expected, atol=0.02)


@pytest.mark.parametrize("brightness", [20.7, 22.7])
def test_scenes_have_the_surface_brightness_that_was_asked_for(
    stars: IsochroneSet, brightness: float
) -> None:
    camera = preset_camera("m83", ("F438W", "F555W", "F814W"))
    disc = DiscSettings(
        surface_brightness=(brightness, brightness), dust=(1e-3, 1e-3), lane_depth=(0.0, 0.0),
        young_share=(0.3, 0.3), scale_length=(1e4, 1e4), clumpiness=(0.3, 0.3),
        arm_contrast=(0.0, 0.0),
    )  # fmt: skip
    settings = SceneSettings(
        disc=disc, groups=GroupSettings(associations=0.0, chance=0.0), cosmic_rays=0.0,
        interlopers=InterloperSettings(stars=0.0, galaxies=0.0),
    )  # fmt: skip
    rate = draw_scene(settings, camera, stars, (256, 256), 1).rate.mean(axis=(1, 2))
    found = camera.mags((rate - camera.skies) / camera.pixel_scale**2)
    # a hundredth of the light is lost beyond the PSF's wings; a few giants make the rest uncertain
    assert found[1] == pytest.approx(brightness, abs=0.12)
    # colours of M 83's disc: B - V = 0.5 to 0.8, V - I = 0.8 to 1.2
    assert 0.3 < found[0] - found[1] < 0.8
    assert 0.6 < found[1] - found[2] < 1.3
