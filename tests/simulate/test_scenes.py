"""Fields of clusters about a galaxy and of a halo: their stars, their light, their exposures."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.simulate import Detector
from filar.simulate.effects import Effects
from filar.simulate.scene_files import expose_scene, scene_table, write_scene
from filar.simulate.scenes import SCENES, draw_exponential, galaxy_scene, halo_scene

SHAPE = (128, 160)


def quiet():
    return Detector(1e-3, 0.0, np.zeros(SHAPE, bool), digital_limit=1e12, full_well=1e12)


@pytest.fixture(scope="module")
def galaxy():
    return galaxy_scene(400, shape=SHAPE, effective_radius=40.0, core_radius=4.0, seed=1)


def test_light_is_conserved_and_noise_is_poissons(galaxy):
    noisy = expose_scene(
        galaxy, detector=quiet(), effects=Effects.parse("none,sky,photon_noise"), seed=3
    )
    plain = expose_scene(galaxy, detector=quiet(), effects=Effects.none(), seed=3)
    for number, band in enumerate(galaxy.bands):
        light, sky = plain[number].data.astype(float), galaxy.skies[number]
        pull = (noisy[number].data - light - sky) / np.sqrt(light + sky)
        assert pull.mean() == pytest.approx(0.0, abs=4 / np.sqrt(sky.size))
        assert pull.std() == pytest.approx(1.0, abs=0.02)
        assert noisy[number].filter == band
        assert np.isfinite(noisy[number].vega_zeropoint)


def test_stars_away_from_the_border_give_all_their_light(galaxy):
    x, y = np.abs(galaxy.x - 79.5), np.abs(galaxy.y - 63.5)
    inside = (x < 79.5 - 25) & (y < 63.5 - 25)
    some = replace(galaxy, x=galaxy.x[inside], y=galaxy.y[inside], mag=galaxy.mag[inside])
    plain = expose_scene(some, detector=quiet(), effects=Effects.none(), seed=3)
    for number, exposure in enumerate(plain):
        # The wings beyond a star's box, smaller for faint stars, are not drawn.
        assert 0.9 < exposure.data.sum(dtype=float) / some.flux[:, number].sum() < 1.001


def test_the_sky_follows_the_light_of_the_galaxy(galaxy):
    x, y = (round(c) for c in galaxy.centre)
    for sky in galaxy.skies:
        assert np.unravel_index(sky.argmax(), SHAPE) == (y, x)
        assert np.all(np.diff(sky[y, x:]) < 0)
        assert sky.max() > 5 * sky[0, 0]
    blue, red = (sky - 30.0 for sky in galaxy.skies)
    np.testing.assert_allclose(red / blue, 1.5)


def test_clusters_concentrate_and_halo_thins_out_by_an_order_of_magnitude():
    galaxy = galaxy_scene(20_000, seed=2)
    radius = np.hypot(galaxy.x - galaxy.centre[0], galaxy.y - galaxy.centre[1])
    inner, outer = (np.mean((radius > a) & (radius < a + 50)) for a in (50, 300))
    assert inner / outer * (325 / 75) > 2
    halo = halo_scene(20_000, contrast=20.0, seed=2)
    counts = np.histogram(halo.x, np.linspace(-0.5, 799.5, 11))[0]
    # Means over tenths of the width that lie 0.9 widths apart.
    assert counts[0] / counts[-1] == pytest.approx(20.0**0.9, rel=0.15)
    assert np.ptp(halo.y) > 790
    bright = halo.mag[:, 1] < 23.5
    colour = halo.mag[:, 0] - halo.mag[:, 1]
    assert colour[bright].mean() > colour[~bright].mean() + 0.3


def test_the_halos_luminosity_function_is_exponential():
    halo = halo_scene(50_000, limits=(22.0, 26.0), beta=0.8, seed=5)
    counts = np.histogram(halo.mag[:, 1], [23.0, 24.0, 25.0, 26.0])[0]
    np.testing.assert_allclose(counts[1:] / counts[:-1], 10**0.8, rtol=0.1)


@given(
    beta=st.floats(-1.5, 1.5),
    low=st.floats(-20.0, 25.0),
    width=st.floats(0.1, 10.0),
    seed=st.integers(0, 1000),
)
def test_exponential_magnitudes_have_the_distribution_of_their_formula(beta, low, width, seed):
    high = low + width
    mags = draw_exponential(4000, (low, high), beta, seed)
    assert mags.min() >= low - 1e-6
    assert mags.max() <= high + 1e-6
    rate = beta * np.log(10.0)
    # Cumulative probabilities of an exponential are even numbers: Kolmogorov's distance.
    grown = mags - low
    if abs(beta) < 1e-9:
        ranks = grown / width
    else:
        ranks = np.expm1(rate * grown) / np.expm1(rate * width)
    distance = np.abs(np.sort(ranks) - np.arange(4000) / 4000).max()
    assert distance < 2.5 / np.sqrt(4000)


@pytest.mark.parametrize("name", list(SCENES))
def test_same_seed_same_scene_and_pixels(name):
    a, b, c = (SCENES[name](300, shape=SHAPE, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(a.mag, b.mag)
    assert not np.array_equal(a.mag, c.mag)
    detector = Detector(7.12, 5.24, np.zeros(SHAPE, bool))
    first, second, third = (expose_scene(a, detector=detector, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first[0].data, second[0].data)
    assert not np.array_equal(first[0].data, third[0].data)
    assert not np.array_equal(first[0].data, first[1].data)


def test_magnitudes_and_electrons_belong_together(galaxy):
    table = scene_table(galaxy)
    zero = galaxy.zero_points
    for number, band in enumerate(galaxy.bands):
        mag = zero[number] - 2.5 * np.log10(table[f"flux_{band}"].value)
        np.testing.assert_allclose(mag, table[f"mag_{band}"].value)
        np.testing.assert_array_equal(galaxy.stars(band).flux, table[f"flux_{band}"].value)
    with pytest.raises(ParameterError, match="F555W, F814W"):
        galaxy.stars("F336W")


def test_files_are_those_of_the_camera(tmp_path):
    from astropy.table import QTable

    from filar.instruments import read_exposures

    scene = halo_scene(500, seed=3)
    *images, truth = write_scene(scene, tmp_path / "new", seed=7)
    exposures = expose_scene(scene, seed=7)
    for path, made, zero in zip(images, exposures, scene.zero_points, strict=True):
        (back,) = read_exposures(path)
        assert (back.chip, back.filter) == (made.chip, made.filter)
        np.testing.assert_allclose(back.data, made.data, rtol=1e-5, atol=2e-3)
        own = back.vega_zeropoint + 2.5 * np.log10(back.gain * back.exposure_time)
        assert own == pytest.approx(zero, abs=1e-6)
    read = QTable.read(truth)
    np.testing.assert_allclose(read["mag_F814W"].value, scene.mag[:, 1])
    assert read.meta["scene"] == "halo"
    assert read.meta["seed"] == 7


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("galaxy", {"number": -1}),
        ("galaxy", {"sky": -1.0}),
        ("galaxy", {"effective_level": np.nan}),
        ("galaxy", {"chip": "WF9"}),
        ("halo", {"contrast": 0.5}),
        ("halo", {"limits": (26.0, 22.0)}),
        ("halo", {"exposure_time": 0.0}),
    ],
)
def test_senseless_scenes_are_refused(name, bad):
    with pytest.raises(ParameterError):
        SCENES[name](**{"number": 10, "shape": SHAPE, **bad}).zero_points  # noqa: B018


def test_a_detector_of_another_shape_is_refused(galaxy):
    with pytest.raises(ParameterError, match="detector"):
        expose_scene(galaxy)
