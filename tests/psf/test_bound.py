"""The Cramer-Rao bound against analytic limits and against the scatter of fits."""

import numpy as np
import pytest

from filar.psf.bound import cramer_rao
from filar.psf.boxes import Boxes
from filar.psf.leastsq import fit_boxes
from filar.psf.model import FieldPSF
from tests.psf.samples import gaussian, optical


def test_a_bright_gaussian_star_has_the_photon_limit() -> None:
    """Without sky and read noise: sigma / sqrt(flux) per axis, sqrt(flux) for the flux."""
    psf, sigma, flux = gaussian(1.5), 1.5, np.array([1e5])
    wide = np.hypot(sigma, np.sqrt(1 / 12))  # pixels widen the image
    bound = cramer_rao(
        psf, np.array([50.0]), np.array([50.0]), flux, sky=0.0, read_noise=0.01, box=15
    )
    assert bound.x[0] == pytest.approx(wide / np.sqrt(1e5), rel=0.01)
    assert bound.y[0] == pytest.approx(bound.x[0], rel=1e-4)
    assert bound.flux[0] == pytest.approx(np.sqrt(1e5), rel=0.01)
    assert bound.sky[0] == 0


def test_a_faint_gaussian_star_has_the_background_limit() -> None:
    """In uniform noise: sigma_x = sqrt(8 pi) s^2 noise / flux, sigma_flux = sqrt(4 pi) s noise."""
    sigma, flux, sky, read = 2.0, 100.0, 400.0, 5.0
    noise, wide = np.sqrt(sky + read**2), np.sqrt(sigma**2 + 1 / 12)
    bound = cramer_rao(
        gaussian(sigma), np.array([50.0]), np.array([50.0]), np.array([flux]),
        sky=sky, read_noise=read, box=19,
    )  # fmt: skip
    assert bound.x[0] == pytest.approx(np.sqrt(8 * np.pi) * wide**2 * noise / flux, rel=0.03)
    assert bound.flux[0] == pytest.approx(np.sqrt(4 * np.pi) * wide * noise, rel=0.03)


def test_every_loss_of_information_raises_the_bound() -> None:
    psf, place = optical("WF3"), (np.array([300.2]), np.array([200.4]), np.array([5000.0]))

    def x_error(**options: object) -> float:
        settings: dict[str, object] = {"sky": 20.0, "read_noise": 5.0, "box": 5} | options
        return float(cramer_rao(psf, *place, **settings).x[0])  # type: ignore[arg-type]

    full = x_error()
    good = np.ones((1, 5, 5), bool)
    good[0, 2, 3] = False
    one = x_error(good=good)
    good[0, :, 3] = False
    assert full < one < x_error(good=good)
    assert full < x_error(sky=100.0)
    assert full < x_error(read_noise=15.0)
    assert full <= x_error(fit_sky=True)
    assert x_error(box=7) < full < x_error(box=3)


def test_a_corner_pixel_hardly_matters_and_the_core_does() -> None:
    psf, place = optical("WF3"), (np.array([300.0]), np.array([200.0]), np.array([5000.0]))
    errors = []
    for row, column in ((0, 0), (2, 1)):
        good = np.ones((1, 5, 5), bool)
        good[0, row, column] = False
        errors.append(cramer_rao(psf, *place, sky=20.0, read_noise=5.0, good=good).x[0])
    full = cramer_rao(psf, *place, sky=20.0, read_noise=5.0).x[0]
    assert errors[0] < 1.01 * full
    assert errors[1] > 1.05 * full


def test_too_few_pixels_have_no_bound() -> None:
    good = np.zeros((2, 5, 5), bool)
    good[0] = True
    good[1, 2, 2:4] = True
    two = np.full(2, 100.0)
    bound = cramer_rao(optical("WF3"), two, two, two * 10, sky=20.0, read_noise=5.0, good=good)
    assert np.isfinite(bound.x[0])
    assert np.isnan(bound.x[1])


def simulate(
    psf: FieldPSF, flux: float, sky: float, count: int, box: int, seed: int
) -> tuple[Boxes, np.ndarray, np.ndarray]:
    """Boxes of stars at random phases with Poisson and read noise."""
    rng = np.random.default_rng(seed)
    x, y = 400 + rng.uniform(-0.5, 0.5, (2, count))
    stamps = psf.stamps(x, y, box).reshape(count, -1)
    pixels = rng.poisson(flux * stamps + sky) + rng.normal(0, 5.0, stamps.shape)
    centre = np.rint(x).astype(int), np.rint(y).astype(int)
    return Boxes(pixels, np.ones(pixels.shape, bool), *centre, 5.0), x, y


@pytest.mark.parametrize(("chip", "flux"), [("PC", 3e3), ("PC", 1e5), ("WF3", 1e3), ("WF3", 3e4)])
@pytest.mark.parametrize("fit_sky", [False, True])
def test_fits_reach_the_bound(chip: str, flux: float, fit_sky: bool) -> None:
    """The scatter of the fits, their own errors and the bound are one and the same."""
    psf, count, box = optical(chip), 3000, 7
    boxes, x, y = simulate(psf, flux, 20.0, count, box, seed=5)
    rng = np.random.default_rng(6)
    fits = fit_boxes(
        psf.table(box), boxes, x + rng.normal(0, 0.1, count), y + rng.normal(0, 0.1, count),
        np.full(count, 0.8 * flux), np.full(count, 20.0), fit_sky=fit_sky,
    )  # fmt: skip
    assert fits.converged.all()
    flat = np.full(count, flux)
    bound = cramer_rao(psf, x, y, flat, sky=20.0, read_noise=5.0, box=box, fit_sky=fit_sky)
    sampling = 4 / np.sqrt(2 * count)
    for found, true, limit, k in (
        (fits.x, x, bound.x, 0),
        (fits.y, y, bound.y, 1),
        (fits.flux, flat, bound.flux, 2),
    ):
        pull = (found - true) / limit
        assert abs(pull.mean()) < 4 / np.sqrt(count) + 0.02
        assert pull.std() == pytest.approx(1, abs=sampling + 0.01)
        own = np.sqrt(fits.covariance[:, k, k])
        assert np.median(own / limit) == pytest.approx(1, abs=0.02)
    if fit_sky:
        pull = (fits.sky - 20.0) / bound.sky
        assert pull.std() == pytest.approx(1, abs=sampling + 0.01)
    else:
        assert (fits.sky == 20.0).all()


def test_residuals_are_noise() -> None:
    psf = optical("WF3")
    boxes, x, y = simulate(psf, 2e4, 20.0, 1000, 5, seed=9)
    fits = fit_boxes(psf.table(5), boxes, x, y, np.full(1000, 2e4), np.full(1000, 20.0))
    variance = fits.expected + 25
    chi2 = (fits.residual**2 / variance).sum(axis=1)
    assert chi2.mean() == pytest.approx(22, abs=4 * np.sqrt(2 * 22 / 1000))
    assert np.allclose(fits.residual, boxes.pixels - fits.expected)
    assert np.allclose(fits.star, fits.expected - 20.0)


def test_masked_pixels_do_not_count() -> None:
    psf = optical("WF3")
    boxes, x, y = simulate(psf, 2e4, 20.0, 50, 5, seed=10)
    boxes.good[:, 7] = False
    start = (x, y, np.full(50, 2e4), np.full(50, 20.0))
    clean = fit_boxes(psf.table(5), boxes, *start)
    boxes.pixels[:, 7] += 1e5
    spoiled = fit_boxes(psf.table(5), boxes, *start)
    assert np.allclose(clean.x, spoiled.x, atol=1e-6)
    assert np.allclose(clean.flux, spoiled.flux, rtol=1e-6)


def test_known_light_is_taken_off() -> None:
    psf = optical("WF3")
    boxes, x, y = simulate(psf, 2e4, 20.0, 50, 5, seed=11)
    start = (x, y, np.full(50, 2e4), np.full(50, 20.0))
    plain = fit_boxes(psf.table(5), boxes, *start)
    other = np.linspace(0, 500, 25) * np.ones((50, 1))
    more = Boxes(boxes.pixels + other, boxes.good, boxes.x, boxes.y, 5.0, other)
    with_other = fit_boxes(psf.table(5), more, *start)
    error = np.sqrt(plain.covariance[:, 0, 0])
    assert np.all(np.abs(with_other.x - plain.x) < 3 * error)
    assert np.abs(np.median(with_other.flux / plain.flux) - 1) < 0.005


def test_no_boxes_no_fits() -> None:
    psf = optical("WF3")
    boxes, *_ = simulate(psf, 2e4, 20.0, 3, 5, seed=12)
    none = np.empty(0)
    fits = fit_boxes(psf.table(5), boxes[:0], none, none, none, none)
    assert len(fits.x) == 0
    assert fits.covariance.shape == (0, 4, 4)
    assert fits.residual.shape == (0, 25)
