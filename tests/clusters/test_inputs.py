"""What networks see of cutouts, and which cutouts are like those trained on."""

import numpy as np
import pytest

from filar.clusters.apertures import surroundings
from filar.clusters.compose import Composer
from filar.clusters.cutouts import Cutouts, make_cutouts
from filar.clusters.data import SetFolder
from filar.clusters.domain import in_domain, learn_domain
from filar.clusters.inputs import COMPRESSION, Inputs
from filar.learn.settings import MixtureSettings
from tests.clusters.samples import write_set


@pytest.fixture(scope="module")
def cutouts(tmp_path_factory: pytest.TempPathFactory) -> Cutouts:
    mocks = SetFolder(write_set(tmp_path_factory.mktemp("set") / "mocks", 200))
    made = Composer(mocks, np.arange(200), np.arange(4), MixtureSettings())
    return made.sample(200, np.random.default_rng(0))[0]


@pytest.fixture(scope="module")
def inputs(cutouts: Cutouts, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    facts = SetFolder(write_set(tmp_path_factory.mktemp("set") / "mocks", 30)).facts
    return Inputs.learn(cutouts, facts)


def test_the_sky_does_not_matter(cutouts: Cutouts, inputs: Inputs) -> None:
    images, features = inputs.arrays(cutouts)
    lifted = make_cutouts(
        cutouts.flux + 7.0, cutouts.noise, cutouts.gain, cutouts.bands, cutouts.pixel_scale
    )
    other, same = inputs.arrays(lifted)
    assert np.allclose(images, other, atol=2e-3)
    assert np.allclose(features, same, atol=5e-3)


def test_brightness_and_colour_stay(inputs: Inputs) -> None:
    """A source ten times as bright is ln 10 higher; one that is redder differs between bands."""
    rng = np.random.default_rng(1)
    flux = rng.normal(0, 1, (2, 3, 32, 32)).astype(np.float32) * inputs.softening[:, None, None]
    flux[0, :, 15, 15] = 500 * inputs.softening
    flux[1, :, 15, 15] = 5000 * inputs.softening
    images, _ = inputs.arrays(make_cutouts(flux, 1.0, 1.0, inputs.bands, inputs.pixel_scale))
    grown = images[1, :, 15, 15] - images[0, :, 15, 15]
    assert np.allclose(grown, COMPRESSION * np.log(10), atol=0.01)


def test_features_of_the_training_are_standard(cutouts: Cutouts, inputs: Inputs) -> None:
    _, features = inputs.arrays(cutouts)
    assert np.abs(features.mean(axis=0)).max() < 0.01
    assert np.abs(features.std(axis=0) - 1).max() < 0.01


def test_facts_are_read_back(cutouts: Cutouts, inputs: Inputs) -> None:
    back = Inputs.from_facts(inputs.facts())
    for one, other in zip(inputs.arrays(cutouts), back.arrays(cutouts), strict=True):
        assert np.array_equal(one, other)


def test_surroundings_are_sky_and_noise_of_the_border() -> None:
    flux = np.random.default_rng(2).normal(5, 2, (4, 2, 64, 64)).astype(np.float32)
    flux[:, :, 24:40, 24:40] += 1000
    sky, noise = surroundings(flux)
    assert np.allclose(sky, 5, atol=0.3)
    assert np.allclose(noise, 2, rtol=0.1)


def test_the_domain_knows_brighter_and_noisier_images(cutouts: Cutouts) -> None:
    ranges = learn_domain(cutouts)
    assert in_domain(cutouts, ranges).mean() > 0.98
    assert set(ranges) == {f"{what} {band}" for what in ("mag", "noise") for band in cutouts.bands}
    for factor in (0.02, 50.0):
        changed = make_cutouts(factor * cutouts.flux, 1.0, 1.0, cutouts.bands, cutouts.pixel_scale)
        assert not in_domain(changed, ranges).any()


def test_a_faint_cutout_is_in_the_domain(cutouts: Cutouts) -> None:
    ranges = learn_domain(cutouts)
    flux = cutouts.flux.copy()
    size = cutouts.size
    flux[:, :, size // 4 : -size // 4, size // 4 : -size // 4] = flux[
        :, :, : size // 2, : size // 2
    ]
    empty = make_cutouts(flux, 1.0, 1.0, cutouts.bands, cutouts.pixel_scale)
    assert in_domain(empty, ranges).mean() > 0.9
