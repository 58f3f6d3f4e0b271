"""The 34th-row error in images."""

import numpy as np
import pytest

from filar.instruments.wfpc2_rows import PERIOD, WIDTH, narrow_rows, to_ideal, to_pixels
from filar.psf.library import default_psf_for
from filar.psf.render import render_image
from filar.simulate import Effects, Frames, StarField, make_calibration, simulate_exposure
from filar.simulate.rows import render_on_rows, row_response

SHAPE = (800, 120)


@pytest.fixture(scope="module")
def psf():
    return default_psf_for("WFPC2", "WF3", "F555W", shape=(800, 800))


def render(psf, y, strength=1.0, x=60.0):
    y = np.atleast_1d(np.asarray(y, float))
    return render_on_rows(
        psf, SHAPE, np.full(len(y), x), y, np.full(len(y), 1e6), strength=strength
    )


def test_even_light_is_weaker_in_narrow_rows():
    response = row_response(800)
    narrow = narrow_rows(800)
    np.testing.assert_allclose(response[narrow], 1 - WIDTH)
    assert np.delete(response, narrow).min() == 1
    np.testing.assert_array_equal(row_response(800, 0.0), 1)


def test_without_strength_stars_are_drawn_as_ever(psf):
    x, y, flux = np.array([30.2, 80.7]), np.array([300.4, 412.0]), np.array([1e4, 1e5])
    np.testing.assert_array_equal(
        render_on_rows(psf, SHAPE, x, y, flux, strength=0.0), render_image(psf, SHAPE, x, y, flux)
    )


@pytest.mark.parametrize("offset", [-12.0, -3.3, -0.8, -0.3, 0.0, 0.4, 0.7, 2.6, 15.0])
def test_no_light_is_lost(psf, offset):
    row = narrow_rows(800)[10]
    plain = render(psf, row + offset, strength=0.0).sum()
    assert render(psf, row + offset).sum() == pytest.approx(plain, rel=2e-3)


def test_away_from_a_narrow_row_stars_only_shift(psf):
    for y in (narrow_rows(800)[10] + 16.0, narrow_rows(800)[10] - 16.0):
        shifted = render(psf, to_pixels(y), strength=0.0)
        rows = slice(int(y) - 8, int(y) + 9)
        np.testing.assert_allclose(render(psf, y)[rows], shifted[rows], atol=1e-9 * 1e6)


def test_rows_integrate_the_light_between_their_borders(psf):
    """A star drawn in parts of a row: sums over the true borders are what the rows hold."""
    row = narrow_rows(800)[11]
    y = row + 0.3
    borders = to_ideal(np.arange(row - 3, row + 5) - 0.5)
    # light between two ideal coordinates, from pixels of whole rows: cumulative sums of shifted
    # images, whose pixel borders fall where they are wanted; the scale differs by 1e-3
    light = []
    for border in borders:
        image = render_image(
            psf, SHAPE, np.array([60.0]), np.array([y - border + 399.5]), np.array([1e6])
        )
        light.append(image[:400].sum(axis=0))
    expected = np.diff(light, axis=0)
    found = render(psf, y)[row - 3 : row + 4]
    np.testing.assert_allclose(found, expected, atol=1.5e-3 * expected.max())
    # without narrow rows the agreement is a different order
    plain = render(psf, y, strength=0.0)[row - 3 : row + 4]
    assert np.abs(plain - expected).max() > 5 * np.abs(found - expected).max()


def centres_along_y(psf, exposure, stars, box=9):
    """Centres with the true PSF: one linear step from the truth in images without noise."""
    model, low, high = (psf.stamps(stars.x, stars.y + step, box) for step in (0.0, -0.01, 0.01))
    reach = np.arange(box) - box // 2
    rows = np.rint(stars.y).astype(int)[:, None, None] + reach[:, None]
    columns = np.rint(stars.x).astype(int)[:, None, None] + reach
    data = exposure.data[rows, columns].astype(float) - 100.0
    found = []
    for y, image, one, slope in zip(stars.y, data, model, (high - low) / 0.02, strict=True):
        weights = 1 / np.sqrt(one.ravel() + 1e-4)
        design = np.stack([one.ravel(), slope.ravel()], axis=1) * weights[:, None]
        flux, moved = np.linalg.lstsq(design, image.ravel() * weights, rcond=None)[0]
        found.append(y + moved / flux)
    return np.array(found)


@pytest.fixture(scope="module")
def striped(psf):
    """An exposure with narrow rows and a flat field that has them too, and its stars."""
    rng = np.random.default_rng(5)
    y = np.arange(70, 780, 3.0)
    y += rng.uniform(-0.45, 0.45, len(y))
    x = 80 + 620 * ((np.arange(len(y)) * 0.381966) % 1)
    stars = StarField(x, y, np.full(len(y), 1e6))
    effects = Effects.parse("none,rows,sky")
    calibration = make_calibration("WF3", effects=effects)
    options = {"chip": "WF3", "sky": 100.0, "seed": 1, "calibration": calibration}
    distance = np.abs(to_pixels(y)[:, None] - narrow_rows(800)).min(axis=1)
    return simulate_exposure(psf, stars, **options), stars, distance


def test_amplitude_is_recovered_and_the_correction_removes_it(psf, striped):
    exposure, stars, distance = striped
    fitted = centres_along_y(psf, exposure, stars)
    far = distance > 2.5
    error, expected = (fitted - stars.y)[far], (to_pixels(stars.y) - stars.y)[far]
    assert (error @ expected) / (expected @ expected) == pytest.approx(1.0, abs=0.03)
    assert error.std() > 0.2 * WIDTH
    assert (to_ideal(fitted[far]) - stars.y[far]).std() < 0.05 * error.std()
    # stars on a narrow row are distorted as well
    assert (to_ideal(fitted) - stars.y).std() < 0.4 * error.std()


def test_flat_fielding_makes_stars_on_narrow_rows_too_bright(striped):
    exposure, stars, distance = striped
    sky = np.median(exposure.data[100:780, 60:780], axis=1)
    assert np.ptp(sky) < 0.5
    flux = np.array([
        exposure.data[round(y) - 6 : round(y) + 7, round(x) - 6 : round(x) + 7].sum() - 169 * 100.0
        for x, y in zip(stars.x, stars.y, strict=True)
    ])  # fmt: skip
    excess = flux[distance < 0.5].mean() / flux[distance > 8].mean() - 1
    assert 0.3 * WIDTH < excess < 0.9 * WIDTH


def test_a_flat_field_shows_the_narrow_rows():
    effects = Effects.parse("all,-flat,-vignetting")
    flat = make_calibration("PC", effects=effects, frames=Frames()).flat
    rows = flat.mean(axis=1)
    narrow = narrow_rows(800)
    others = np.delete(rows, narrow)
    assert others.mean() - rows[narrow].mean() == pytest.approx(WIDTH, rel=0.02)
    folded = np.abs(np.exp(2j * np.pi * np.arange(800) / PERIOD) @ (rows - rows.mean()))
    assert folded > 0.9 * WIDTH * len(narrow)
