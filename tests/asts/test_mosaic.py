"""Mosaics: what comes from where, and the PSF that follows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from filar.asts.mosaic import GAP, MosaicPSF, Patches

from .fields import psf_of


@given(
    number=st.integers(1, 30), half=st.integers(2, 9), seed=st.integers(0, 10**6),
)  # fmt: skip
def test_places_go_to_the_mosaic_and_back(number: int, half: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(-3, 60, (2, number))
    patches = Patches.around(x, y, half)
    patch = np.arange(number)
    u, v = patches.to_mosaic(patch, x, y)
    assert np.array_equal(patches.patch_of(u, v), patch)
    back = patches.to_chip(u, v)
    np.testing.assert_allclose(back, (x, y), atol=1e-9)


@given(number=st.integers(1, 20), half=st.integers(2, 6), seed=st.integers(0, 10**6))
def test_pixels_are_those_of_the_chip(number: int, half: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(40, 50))
    x, y = rng.uniform(0, 49, number), rng.uniform(0, 39, number)
    patches = Patches.around(x, y, half)
    mosaic = patches.join(patches.cut(image, np.nan), -1.0)
    assert mosaic.shape == patches.shape
    u, v = patches.to_mosaic(np.arange(number), x, y)
    here = mosaic[np.rint(v).astype(int), np.rint(u).astype(int)]
    assert np.array_equal(here, image[np.rint(y).astype(int), np.rint(x).astype(int)])
    gaps = np.prod(patches.shape) - number * patches.size**2
    assert np.count_nonzero(mosaic == -1.0) == gaps
    assert patches.pitch == patches.size + GAP


def test_beyond_the_chip_is_outside() -> None:
    image = np.ones((20, 20))
    cut = Patches.around(np.array([0.0]), np.array([19.0]), 3).cut(image, 0.0)
    assert cut.sum() == 16
    assert cut[0, 3, 3] == 1 and cut[0, 4, 3] == 0 and cut[0, 3, 2] == 0


def test_the_psf_is_the_one_of_the_place_on_the_chip() -> None:
    psf = psf_of("F555W")
    rng = np.random.default_rng(0)
    x, y = rng.uniform(60, 780, (2, 9))
    patches = Patches.around(x, y, 12)
    mosaic = MosaicPSF.of(psf, patches)
    at = patches.to_mosaic(np.arange(9), x, y)
    np.testing.assert_allclose(mosaic.stamps(*at, 7), psf.stamps(x, y, 7), atol=1e-7)
    np.testing.assert_allclose(mosaic.table(7).local(*at), psf.table(7).local(x, y), atol=1e-6)
    np.testing.assert_allclose(mosaic.annulus_mean(*at), psf.annulus_mean(x, y))
    thin = mosaic.thinned(3)
    np.testing.assert_allclose(thin.stamps(*at, 7), psf.thinned(3).stamps(x, y, 7), atol=1e-7)


def test_light_stays_in_its_own_patch() -> None:
    psf = psf_of("F555W")
    x, y = np.array([100.0, 300.0]), np.array([100.0, 300.0])
    patches = Patches.around(x, y, 8)
    at = patches.to_mosaic(np.array([0]), np.array([107.0]), np.array([100.0]))
    image = patches.draw(MosaicPSF.of(psf, patches), *at, np.array([1e5]))
    own = np.zeros(patches.shape, bool)
    own[: patches.size, : patches.size] = True
    assert image[own].sum() > 3e4
    assert not image[~own].any()
