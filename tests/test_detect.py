"""Finding stars in images made of pixel-integrated Gaussians, and in simulated WFPC2 chips."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from filar.detect import Detections, detect_stars
from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.flags import Flag
from filar.profile import GaussianPixel, estimate_sigma
from filar.psf.library import default_psf_for
from filar.simulate import bleed, draw_stars, simulate_exposure

FWHM = 2.3548
BAD = Flag.COSMIC_RAY | Flag.HOT_PIXEL


def stars_image(x, y, flux, sigma, shape=(200, 220)):
    image = np.zeros(shape)
    half = 6
    for x0, y0, f in zip(x, y, flux, strict=True):
        ix, iy = round(x0), round(y0)
        core = GaussianPixel(sigma)
        stamp = np.outer(core.profile(y0 - iy, half), core.profile(x0 - ix, half)) * f
        rows, columns = np.arange(iy - half, iy + half + 1), np.arange(ix - half, ix + half + 1)
        r = (rows >= 0) & (rows < shape[0])
        c = (columns >= 0) & (columns < shape[1])
        image[np.ix_(rows[r], columns[c])] += stamp[np.ix_(r, c)]
    return image


def expose(image, *, sky=20.0, read_noise=5.0, seed=0, **changes):
    rng = np.random.default_rng(seed)
    data = rng.poisson(image + sky) + rng.normal(0, read_noise, image.shape)
    none = np.zeros(image.shape, bool)
    exposure = Exposure(data.astype(np.float32), none, none, none, 1.0, read_noise)
    return exposure.replace(**changes)


def grid(flux, seed=3, step=20, shape=(200, 220)):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[15 : shape[0] - 10 : step, 15 : shape[1] - 10 : step]
    x = x.ravel() + rng.uniform(-0.5, 0.5, x.size)
    y = y.ravel() + rng.uniform(-0.5, 0.5, y.size)
    return x, y, np.full(x.size, float(flux))


def match(found, x, y):
    distance, index = cKDTree(np.c_[found.x, found.y]).query(np.c_[x, y])
    return distance, index


@pytest.mark.parametrize("fwhm", [1.0, 1.3, 2.0, 3.0, 4.0])
def test_every_bright_star_is_found_once_at_its_place(fwhm):
    x, y, flux = grid(20_000)
    found = detect_stars(expose(stars_image(x, y, flux, fwhm / FWHM)))
    distance, _ = match(found, x, y)
    assert len(found) == len(x)
    assert not np.any(found.flags & (BAD | Flag.NEIGHBOUR))
    assert np.sqrt(np.mean(distance**2) / 2) < 0.05
    np.testing.assert_allclose(np.median(found.flux), 20_000, rtol=0.05)


def test_start_positions_of_ordinary_stars():
    x, y, flux = grid(1500)
    found = detect_stars(expose(stars_image(x, y, flux, 0.55)))
    distance, _ = match(found, x, y)
    assert np.sqrt(np.mean(distance**2) / 2) < 0.15


def test_star_on_an_integer_is_found_on_that_integer():
    found = detect_stars(expose(stars_image([50], [80], [1e5], 0.6)))
    assert len(found) == 1
    assert found.x[0] == pytest.approx(50, abs=0.02)
    assert found.y[0] == pytest.approx(80, abs=0.02)


def test_empty_sky_gives_almost_nothing():
    found = detect_stars(expose(np.zeros((400, 400))))
    assert len(found) <= 4


def test_threshold_counts_in_sigma():
    # Matched-filter significance of flux F is F sqrt(sum P^2) / sigma per pixel.
    core = GaussianPixel(0.6)
    weight = np.sum(core.profile(0.0) ** 2)
    flux = 12 * np.sqrt(20 + 25) / weight
    y, x = (a.ravel().astype(float) for a in np.mgrid[15:190:20, 15:210:20])
    image = stars_image(x, y, np.full(x.size, flux), 0.6)
    found = detect_stars(expose(image), fwhm=0.6 * FWHM)
    distance, index = match(found, x, y)
    assert np.all(distance < 1)
    assert np.mean(found.snr[index]) == pytest.approx(12, rel=0.1)
    assert len(detect_stars(expose(image), fwhm=0.6 * FWHM, threshold=20)) < 3


def test_isolation_and_neighbours():
    image = stars_image([50, 54, 120, 150], [50, 50, 50, 50], [3e4, 3e4, 3e4, 1e3], 0.6)
    found = detect_stars(expose(image), fwhm=1.4)
    found = found.select(np.argsort(found.x))
    assert len(found) == 4
    neighbour = (found.flags & Flag.NEIGHBOUR) > 0
    np.testing.assert_array_equal(neighbour, [True, True, False, False])
    # The star at 150 has 3% of the light of the one at 120: it does not disturb that one.
    np.testing.assert_allclose(found.isolation[:2], 4, atol=0.1)
    assert np.isinf(found.isolation[2])
    assert found.isolation[3] == pytest.approx(30, abs=0.3)


def test_edge_gives_no_detections_and_its_rim_is_flagged():
    x, y, flux = grid(20_000)
    edge = np.zeros((200, 220), bool)
    edge[:, :60] = True
    edge[:40] = True
    edge[:, 73:] |= np.abs(np.arange(200) - 195)[:, None] < 1
    found = detect_stars(expose(stars_image(x, y, flux, 0.55), edge=edge, mask=edge.copy()))
    assert len(found) > 20
    assert not edge[np.rint(found.y).astype(int), np.rint(found.x).astype(int)].any()
    rim = stars_image([61.2], [100.1], [2e4], 0.55)
    found = detect_stars(expose(rim, edge=edge, mask=edge.copy()))
    assert len(found) == 1
    assert found.flags[0] & Flag.EDGE


def test_masked_pixel_in_a_star_is_flagged():
    mask = np.zeros((200, 220), bool)
    mask[80, 51] = True
    exposure = expose(stars_image([50], [80], [1e5], 0.6), mask=mask)
    data = np.where(mask, 0, exposure.data)
    found = detect_stars(exposure.replace(data=data), fwhm=1.4)
    assert len(found) == 1
    assert found.flags[0] & Flag.MASKED


def test_tracks_and_hot_pixels_are_flagged():
    x, y, flux = grid(5_000)
    image = stars_image(x, y, flux, 0.55)
    image[25, 25] += 3000
    image[45, 41:49] += 2000
    for i in range(6):
        image[60 + i, 60 + i] += 2500
    image[86:90, 104] += 1500
    found = detect_stars(expose(image))
    distance, index = match(found, x, y)
    flagged = (found.flags & BAD) > 0
    assert np.all(distance < 0.5)
    assert not flagged[index].any()
    others = np.setdiff1d(np.arange(len(found)), index)
    assert len(others) >= 4
    assert flagged[others].all()
    hot = np.flatnonzero(found.flags & Flag.HOT_PIXEL)
    assert any(np.hypot(found.x[i] - 25, found.y[i] - 25) < 0.5 for i in hot)


@pytest.mark.parametrize("chip", ["PC", "WF3"])
def test_sharp_stars_are_not_cosmic_rays_at_any_pixel_phase(chip):
    psf = default_psf_for("WFPC2", chip, "F555W")
    x, y, _ = grid(0, step=14, shape=(800, 800))
    keep = (x > 70) & (y > 70)
    stars = draw_stars(int(keep.sum()), limits=(500, 40_000), slope=1.0, seed=1)
    stars = type(stars)(x[keep], y[keep], stars.flux)
    found = detect_stars(simulate_exposure(psf, stars, chip=chip, cosmic_ray_rate=0, seed=5))
    distance, index = match(found, stars.x, stars.y)
    assert np.mean(distance < 0.5) > 0.995
    assert np.mean((found.flags[index] & BAD) > 0) < 0.002


def test_saturated_star_with_trail_is_one_centred_detection():
    shape = (200, 200)
    x, y = np.array([80.3, 141.6]), np.array([90.2, 60.4])
    yy, xx = np.mgrid[: shape[0], : shape[1]]
    image = np.zeros(shape)
    for x0, y0, f in zip(x, y, (6e6, 2e6), strict=True):
        image += f * 0.12 / (1 + np.hypot(xx - x0, yy - y0) ** 2 / 0.8) ** 1.7
    charge = bleed(image + 20, 90_000.0)
    assert np.count_nonzero(charge >= 90_000) > 10
    saturated = charge >= 27_000
    data = np.minimum(charge, 27_000) + np.random.default_rng(0).normal(0, 7, shape)
    none = np.zeros(shape, bool)
    exposure = Exposure(data.astype(np.float32), none, saturated, none, 7.0, 5.0, 27_000)
    found = detect_stars(exposure, fwhm=1.4)
    is_saturated = (found.flags & Flag.SATURATED) > 0
    assert is_saturated.sum() == 2
    distance, _ = match(found.select(is_saturated), x, y)
    assert distance.max() < 0.35
    near = np.hypot(found.x[:, None] - x, found.y[:, None] - y).min(axis=1) < 8
    assert near.sum() == 2


def test_simulated_crowded_chip_is_complete_and_clean():
    psf = default_psf_for("WFPC2", "WF3", "F555W")
    stars = draw_stars(3000, limits=(150, 5e5), slope=1.6, seed=11)
    exposure = simulate_exposure(psf, stars, chip="WF3", cosmic_ray_rate=0, seed=12)
    found = detect_stars(exposure)
    distance, _ = match(found, stars.x, stars.y)
    seen = ~exposure.edge[np.rint(stars.y).astype(int), np.rint(stars.x).astype(int)]
    assert np.mean(distance[seen & (stars.flux > 1000)] < 1) > 0.95
    assert np.mean(distance[seen & (stars.flux > 400)] < 1) > 0.92
    to_truth = cKDTree(np.c_[stars.x, stars.y]).query(np.c_[found.x, found.y])[0]
    assert np.mean(to_truth > 2) < 0.015


def test_nothing_usable_gives_no_detections():
    exposure = expose(np.zeros((60, 60)), mask=np.ones((60, 60), bool))
    found = detect_stars(exposure)
    assert isinstance(found, Detections)
    assert len(found) == 0
    assert found.flags.dtype == np.int32


@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (17, 9)])
def test_tiny_images(shape):
    assert len(detect_stars(expose(np.zeros(shape)))) <= 1


@pytest.mark.parametrize("bad", [{"threshold": 0}, {"threshold": float("nan")}, {"fwhm": -1}])
def test_senseless_parameters_are_refused(bad):
    with pytest.raises(ParameterError):
        detect_stars(expose(np.zeros((40, 40))), **bad)


def test_width_is_recovered_from_concentration():
    rng = np.random.default_rng(0)
    for sigma in (0.45, 0.8, 1.6):
        core = GaussianPixel(sigma)
        px = core.profile(rng.uniform(-0.5, 0.5, 400), 1)
        py = core.profile(rng.uniform(-0.5, 0.5, 400), 1)
        ratio = px.sum(axis=1) * py.sum(axis=1) / (px[:, 1] * py[:, 1])
        assert estimate_sigma(ratio) == pytest.approx(sigma, rel=0.06)
    assert np.isnan(estimate_sigma(ratio[:5]))


def test_centre_undoes_its_own_pixel_phase_bias():
    core = GaussianPixel(0.5)
    true = np.linspace(-0.5, 0.5, 11)
    stamps = core.profile(0.2, 1)[None, :, None] * core.profile(true, 1)[:, None, :]
    x, y = core.centre(stamps)
    np.testing.assert_allclose(x, true, atol=0.003)
    np.testing.assert_allclose(y, 0.2, atol=0.003)
