import numpy as np
import pytest

from filar.measure import Settings, measure_exposure
from filar.measure.stamping import stamps_of
from filar.psf.render import render_image
from filar.stamps.cut import cut_image

from . import samples

SETTINGS = Settings(psf=samples.psf(), method="psf")


@pytest.fixture(scope="module")
def crowded():
    """Pairs of stars five pixels apart; the brighter of each is measured beside its fellow."""
    x, y = samples.positions(4)
    flux = np.full(len(x), 30_000.0)
    both = np.append(x, x + 4.8), np.append(y, y + 2.0), np.append(flux, flux / 3)
    expected = samples.SKY + render_image(samples.psf(), samples.SHAPE, *both)
    exposure, _, _ = samples.exposure(name="pairs", chip="PC")
    # without noise, so that what is left is what subtraction leaves
    measured = measure_exposure(exposure.replace(data=expected.astype(np.float32)), SETTINGS)
    return measured, both


def test_stamps_are_the_rows_of_the_catalogue(crowded):
    measured, _ = crowded
    stamps = stamps_of(measured, 7, subtract_neighbours=False)
    table = measured.catalog
    assert len(stamps) == len(table)
    assert stamps.x_start == pytest.approx(table["x_fit"].value)
    assert stamps.flux == pytest.approx(table["flux_fit"].value, rel=1e-6, nan_ok=True)
    assert stamps.sky == pytest.approx(table["local_bkg"].value, rel=1e-6, nan_ok=True)
    assert stamps.groups[0].exposure == "pairs"
    assert stamps.groups[0].facts["name"] == samples.psf().name
    cut = cut_image(measured.exposure.data, stamps.corner_x, stamps.corner_y, 7, 0.0)
    assert np.array_equal(np.where(stamps.bad, 0, cut), stamps.pixels)


def test_the_psf_reaches_over_the_raster(crowded):
    measured, _ = crowded
    for size in (4, 6, 12):
        psf = stamps_of(measured, size).groups[0].psf
        assert psf.radius >= size / 2 + 0.7


def test_without_its_neighbours_a_star_looks_as_if_alone(crowded):
    measured, (x, y, flux) = crowded
    table = measured.catalog
    whole, alone = (stamps_of(measured, 6, subtract_neighbours=s) for s in (False, True))
    found = []
    for k in range(len(x) // 2):
        near = np.hypot(table["x_fit"].value - x[k], table["y_fit"].value - y[k])
        row = int(np.argmin(near))
        if near[row] > 0.3:
            continue
        image = samples.SKY + render_image(
            samples.psf(), samples.SHAPE, x[k : k + 1], y[k : k + 1], flux[k : k + 1]
        )
        corner = whole.corner_x[[row]], whole.corner_y[[row]]
        expected = cut_image(image, *corner, 6, 0.0)[0]
        good = ~whole.bad[row]
        found.append([
            np.abs(stamps.pixels[row] - expected)[good].sum() / flux[k] for stamps in (whole, alone)
        ])  # fmt: skip
    before, after = np.median(found, axis=0)
    assert len(found) > 40
    assert after < 0.3 * before
