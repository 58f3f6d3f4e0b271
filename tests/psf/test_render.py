import numpy as np
import pytest

from filar.psf.library import default_psf_for
from filar.psf.render import BOXES, CORE, add_stamps, render_image
from tests.psf.samples import gaussian, optical

SHAPE = (90, 110)


def test_the_image_holds_the_flux() -> None:
    psf = gaussian(1.2, SHAPE)
    x, y, flux = np.array([40.3, 60.7]), np.array([45.1, 50.9]), np.array([1e4, 3e5])
    image = render_image(psf, SHAPE, x, y, flux)
    assert image.shape == SHAPE
    assert image.sum() == pytest.approx(flux.sum(), rel=1e-5)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    assert (image * columns).sum() / image.sum() == pytest.approx(
        (x * flux).sum() / flux.sum(), abs=1e-3
    )
    assert (image * rows).sum() / image.sum() == pytest.approx(
        (y * flux).sum() / flux.sum(), abs=1e-3
    )


def test_images_add_up() -> None:
    psf = optical("WF3")
    rng = np.random.default_rng(0)
    x, y = rng.uniform(-3, 112, 30), rng.uniform(-3, 92, 30)
    flux = 10 ** rng.uniform(2, 5, 30)
    together = render_image(psf, SHAPE, x, y, flux)
    apart = sum(render_image(psf, SHAPE, x[k], y[k], flux[k]) for k in range(30))
    assert np.allclose(together, apart, atol=1e-6 * flux.max())
    twice = render_image(psf, SHAPE, x, y, 2 * flux, box=11)
    assert np.allclose(twice, 2 * render_image(psf, SHAPE, x, y, flux, box=11))


def test_stars_are_where_they_should_be() -> None:
    psf = optical("PC")
    image = render_image(psf, SHAPE, 30.0, 70.0, 1000.0, box=5)
    assert np.unravel_index(image.argmax(), SHAPE) == (70, 30)
    assert np.allclose(image[68:73, 28:33], 1000 * psf.stamps([30.0], [70.0], 5)[0])
    assert np.count_nonzero(image) <= 25


def test_stars_beyond_the_edge_shine_in() -> None:
    psf = gaussian(1.2, SHAPE)
    image = render_image(psf, SHAPE, -1.0, 40.0, 1e4)
    assert 0 < image.sum() < 0.5e4
    assert image[40].argmax() == 0
    assert render_image(psf, SHAPE, -500.0, 40.0, 1e4).sum() == 0


def test_brighter_stars_have_larger_boxes() -> None:
    psf = optical("WF3")
    drawn = [np.count_nonzero(render_image(psf, SHAPE, 50.0, 40.0, f)) for f in (1e2, 1e4, 1e6)]
    assert drawn[0] < drawn[1] <= drawn[2]


def test_no_stars_no_light() -> None:
    none = np.empty(0)
    assert not render_image(gaussian(), SHAPE, none, none, none).any()


def test_overlapping_stamps_add() -> None:
    image = np.zeros((5, 5))
    add_stamps(image, np.ones((2, 3, 3)), np.array([2.0, 3.0]), np.array([2.0, 2.0]))
    assert image[2].tolist() == [0, 1, 2, 2, 1]
    assert image.sum() == 18


@pytest.mark.parametrize(("chip", "largest"), [("PC", 45), ("WF3", 21)])
def test_small_boxes_and_few_nodes_stay_below_the_noise(chip: str, largest: int) -> None:
    """What is left out is a small part of the noise of a faint sky, 7 electrons, star by star."""
    psf = default_psf_for("WFPC2", chip, "F555W", focus=3.0)
    rng = np.random.default_rng(1)
    for limit, box in BOXES:
        x, y = rng.uniform(100, 700, (2, 12))
        flux = 0.99 * limit
        exact = flux * psf.stamps(x, y, largest)
        ring = np.ones((largest, largest), bool)
        rim = (largest - box) // 2
        if rim <= 0:
            continue
        ring[rim:-rim, rim:-rim] = False
        beside = np.zeros_like(ring)
        beside[rim - 1 : largest - rim + 1, rim - 1 : largest - rim + 1] = True
        assert np.sqrt(np.mean(exact[:, ring & beside] ** 2)) < 1.0
    x, y = np.array([300.4]), np.array([410.7])
    image = render_image(psf, (800, 800), x, y, np.array([1e6]))
    half = largest // 2
    stamp = image[411 - half : 412 + half, 300 - half : 301 + half]
    exact = 1e6 * psf.stamps(x, y, largest)[0]
    middle = slice(half - CORE // 2, half + CORE // 2 + 1)
    np.testing.assert_allclose(stamp[middle, middle], exact[middle, middle], rtol=1e-5)
    assert np.abs(stamp - exact).max() < 2e-4 * 1e6
    assert (stamp - exact).std() < 2e-5 * 1e6
