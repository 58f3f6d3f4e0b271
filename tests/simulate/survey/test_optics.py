"""Star images of a small lens."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.simulate.survey.optics import AUREOLE_RADIUS, Lens, aureole_kernel, core_light
from filar.simulate.survey.render import ImageOptics, core_stamps

SHAPE = (301, 401)
SHARP = Lens(fwhm=1.3, growth=0.4, astigmatism=0.15, coma=1.2, track=(0.1, 0.05, 0.04))
ROUND = Lens(growth=0.0, astigmatism=0.0, coma=0.0)


def place(x, y):
    """Where a pixel is in the field, in half diagonals."""
    half = 0.5 * np.hypot(*SHAPE)
    return (x - 0.5 * (SHAPE[1] - 1)) / half, (y - 0.5 * (SHAPE[0] - 1)) / half


def integrated(lens, x, y, radius, fine=8):
    """The core on pixels, by Gauss's quadrature in each."""
    inner, weights = np.polynomial.legendre.leggauss(fine)
    inner, weights = 0.5 * inner, 0.5 * weights
    pixels = np.arange(-radius, radius + 1)
    along = (pixels[:, None] + inner).ravel()
    u, v = place(x, y)
    dx, dy = along + np.rint(x) - x, along + np.rint(y) - y
    light = core_light(lens, u, v, dx[None, :], dy[:, None])
    size = 2 * radius + 1
    return np.einsum("yixj,i,j->yx", light.reshape(size, fine, size, fine), weights, weights)


@pytest.mark.parametrize("lens", [Lens(), SHARP], ids=["ordinary", "undersampled"])
@pytest.mark.parametrize("x, y", [(200.0, 150.0), (0.3, 0.1), (399.6, 299.7), (133.4, 249.8)])
def test_tables_say_what_brute_force_says(lens, x, y):
    # nodes of the field lie at these places, or near enough that only the phase matters
    optics = ImageOptics.of(lens, SHAPE)
    (stamp,) = core_stamps(optics, np.array([x]), np.array([y]), 18)
    slow = integrated(lens, x, y, 18)
    slow /= integrated(lens, x, y, 19).sum()
    assert np.abs(stamp - slow).max() < 1e-3 * slow.max()
    assert stamp.sum() == pytest.approx(1.0, abs=2e-5)


def test_between_the_nodes_the_core_is_almost_the_lens_s_own():
    optics = _optics(Lens())
    (stamp,) = core_stamps(optics, np.array([366.7]), np.array([274.6]), 18)
    slow = integrated(Lens(), 366.7, 274.6, 18)
    assert 1e-3 < np.abs(stamp - slow).max() / slow.max() < 0.012


@settings(max_examples=20, deadline=None)
@given(st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_phases_of_an_undersampled_star_are_exact_to_a_ten_thousandth(dx, dy):
    lens = replace(ROUND, fwhm=1.5)
    optics = _optics(lens)
    x, y = 200.0 + dx, 150.0 + dy
    (stamp,) = core_stamps(optics, np.array([x]), np.array([y]), 6)
    np.testing.assert_allclose(stamp, integrated(lens, x, y, 6), atol=1e-4 * stamp.max())


_known: dict[Lens, ImageOptics] = {}


def _optics(lens):
    if lens not in _known:
        _known[lens] = ImageOptics.of(lens, SHAPE)
    return _known[lens]


def test_whole_numbers_are_the_middles_of_pixels():
    optics = _optics(ROUND)
    (middle,) = core_stamps(optics, np.array([60.0]), np.array([80.0]), 8)
    np.testing.assert_allclose(middle, middle[::-1, ::-1], atol=1e-12)
    assert np.unravel_index(middle.argmax(), middle.shape) == (8, 8)
    (edge,) = core_stamps(optics, np.array([60.5]), np.array([80.0]), 8)
    two = np.sort(edge.sum(axis=0))[-2:]
    assert two[0] == pytest.approx(two[1], rel=1e-6)
    (right,) = core_stamps(optics, np.array([60.2]), np.array([80.0]), 8)
    assert right[8, 9] > right[8, 7]
    (up,) = core_stamps(optics, np.array([60.0]), np.array([80.2]), 8)
    np.testing.assert_allclose(up, right.T, atol=1e-12)


@pytest.mark.parametrize("x, y", [(200.0, 150.0), (20.2, 30.3), (390.0, 5.0)])
def test_the_position_is_the_centroid_with_coma_too(x, y):
    optics = _optics(replace(SHARP, beta=4.5))
    (stamp,) = core_stamps(optics, np.array([x]), np.array([y]), 18)
    offset = np.arange(-18, 19)
    assert stamp.sum(axis=0) @ offset / stamp.sum() == pytest.approx(x - np.rint(x), abs=2e-3)
    assert stamp.sum(axis=1) @ offset / stamp.sum() == pytest.approx(y - np.rint(y), abs=2e-3)


def test_stars_grow_off_axis_and_with_the_focus():
    def width(optics, x, y):
        (stamp,) = core_stamps(optics, np.array([x]), np.array([y]), 18)
        return 1.0 / np.sqrt((stamp**2).sum())

    optics = _optics(Lens())
    assert width(optics, 399.0, 299.0) > 1.15 * width(optics, 200.0, 150.0)
    soft = _optics(Lens(fwhm=2.4))
    assert soft.fwhm() > optics.fwhm() + 0.4
    assert optics.fwhm() == pytest.approx(np.hypot(1.8, 0.75), abs=0.25)


def test_the_aureole_falls_by_its_power_and_ends():
    lens = Lens(aureole_slope=2.5, aureole_reach=150.0)
    kernel = aureole_kernel(lens)
    row = kernel[AUREOLE_RADIUS, AUREOLE_RADIUS:]
    assert kernel.sum() == pytest.approx(1.0)
    power = np.diff(np.log(row[[20, 60]])) / np.diff(np.log([20.0, 60.0]))
    assert power[0] == pytest.approx(-2.5, abs=0.07)
    assert row[-1] < 1e-3 * row[60]


def test_nights_differ_and_cameras_more():
    rng = np.random.default_rng(1)
    lenses = [Lens.draw(rng) for _ in range(20)]
    nights = [lenses[0].tonight(rng) for _ in range(20)]
    assert np.std([one.aureole for one in lenses]) > 2 * np.std([one.aureole for one in nights])
    assert all(1.4 < one.fwhm < 2.5 for one in nights)
    assert len({one.track for one in nights}) == 20


def test_galsim_draws_the_same_core():
    galsim = pytest.importorskip("galsim")
    lens = replace(ROUND, track=(0.1, 0.02, 0.03), beta=3.5)
    x, y = 133.0, 250.0
    moments = lens.covariance(*place(x, y))
    values, vectors = np.linalg.eigh(moments)
    root = vectors @ np.diag(np.sqrt(values)) @ vectors.T
    width = (2.0 ** (1.0 / lens.beta) - 1.0) / (2.0 * np.log(2.0))
    fine = galsim.GSParams(folding_threshold=1e-4, kvalue_accuracy=1e-6, maxk_threshold=1e-5)
    moffat = galsim.Moffat(lens.beta, scale_radius=width**-0.5, gsparams=fine)
    parts = [
        (0.8 * lens.gauss, galsim.Gaussian(sigma=1.0, gsparams=fine)),
        (0.8 * (1.0 - lens.gauss), moffat),
        (0.2, galsim.Gaussian(sigma=np.sqrt(2.0), gsparams=fine)),
    ]
    whole = galsim.Sum([one.transform(*root.ravel()).withFlux(flux) for flux, one in parts])
    optics = _optics(lens)
    for dx, dy in ((0.0, 0.0), (0.3, -0.2), (0.45, 0.45)):
        image = whole.drawImage(nx=33, ny=33, scale=1.0, offset=(dx, dy), method="auto").array
        (stamp,) = core_stamps(optics, np.array([x + dx]), np.array([y + dy]), 16)
        np.testing.assert_allclose(stamp, image, atol=5e-5 * image.max())
