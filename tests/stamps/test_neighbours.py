import numpy as np
import pytest

from filar.psf.render import render_image
from filar.stamps.cut import corner, cut_image
from filar.stamps.neighbours import NODES, neighbour_light
from tests.psf import samples


def blank(shape):
    from filar.exposure import Exposure

    nothing = np.zeros(shape, bool)
    return Exposure(np.zeros(shape, np.float32), nothing, nothing, nothing, 1.0, 5.0)


def others_of(x, y, flux, size, start=None, chip="WF3"):
    psf = samples.optical(chip)
    sx, sy = (x, y) if start is None else start
    cx, cy = corner(sx, size), corner(sy, size)
    found = neighbour_light(blank(samples.SHAPE), psf, x, y, flux, cx, cy, size)
    return found, cx, cy


@pytest.mark.parametrize("size", [4, 6, 9, 12])
def test_a_star_alone_has_no_neighbours(size):
    rng = np.random.default_rng(1)
    y, x = np.mgrid[60:760:100.0, 60:760:100.0]
    x, y = (a.ravel() + rng.uniform(-0.5, 0.5, a.size) for a in (x, y))
    flux = 10 ** rng.uniform(2, 4.5, x.size)
    start = x + rng.uniform(-1, 1, x.size), y + rng.uniform(-1, 1, x.size)
    found, _, _ = others_of(x, y, flux, size, start)
    # Drawn from the same PSF: nothing is left but rounding.
    assert np.abs(found).max(axis=(1, 2)) == pytest.approx(0, abs=1e-6 * flux.max())


def test_a_neighbours_light_is_what_it_gives_alone():
    x, y = np.array([400.3, 405.8, 30.0]), np.array([300.4, 302.1, 780.0])
    flux = np.array([2e4, 5e3, 3e3])
    found, cx, cy = others_of(x, y, flux, 6)
    thin = samples.optical("WF3").thinned(NODES)
    for mine, other in ((0, 1), (1, 0)):
        alone = render_image(thin, samples.SHAPE, *(a[[other]] for a in (x, y, flux)))
        expected = cut_image(alone, cx[[mine]], cy[[mine]], 6, 0.0)[0]
        assert found[mine] == pytest.approx(expected, abs=1e-2)
        assert expected.max() > 1
    assert np.abs(found[2]).max() < 1e-2


def test_stars_that_do_not_shine_still_have_neighbours():
    x, y = np.array([400.3, 403.0, np.nan]), np.array([300.4, 301.0, 301.0])
    flux = np.array([2e4, np.nan, 1e4])
    psf = samples.optical("WF3")
    cx, cy = corner(np.array([400.3, 403.0, 402.0]), 6), corner(np.array([300.4, 301, 301]), 6)
    found = neighbour_light(blank(samples.SHAPE), psf, x, y, flux, cx, cy, 6)
    assert np.abs(found[0]).max() < 1e-2
    assert found[1].max() > 100
    assert found[2].max() > 100
