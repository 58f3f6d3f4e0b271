import numpy as np

from filar.centering.limits import raster_bound
from filar.psf.bound import cramer_rao
from filar.psf.samples import sample_psf
from filar.stamps.cut import corner
from filar.stamps.stamps import Group, Stamps
from tests.psf.samples import READ_NOISE, SKY, optical

SIZE = 7


def stamps(x, y, flux, *, size=SIZE, psf=True) -> Stamps:
    """Rasters whose pixels do not matter."""
    n = len(x)
    samples = sample_psf(optical("PC"), size / 2 + 1) if psf else None
    return Stamps(
        pixels=np.zeros((n, size, size), np.float32),
        bad=np.zeros((n, size, size), bool),
        corner_x=corner(x, size).astype(np.int32),
        corner_y=corner(y, size).astype(np.int32),
        x_start=x,
        y_start=y,
        flux=flux.astype(np.float32),
        sky=np.full(n, SKY, np.float32),
        read_noise=np.full(n, READ_NOISE, np.float32),
        mag=(-2.5 * np.log10(flux)).astype(np.float32),
        group=np.ones(n, np.int32),
        groups=(Group(), Group("e1", "PC", psf=samples)),
    )


def stars(n=200):
    rng = np.random.default_rng(1)
    return *rng.uniform(20, 780, (2, n)), 10 ** rng.uniform(2.5, 5, n)


def test_the_bound_of_a_box_is_that_of_the_whole_psf() -> None:
    x, y, flux = stars()
    own = stamps(x, y, flux)
    found = raster_bound(own, x - own.corner_x, y - own.corner_y)
    best = cramer_rao(optical("PC"), x, y, flux, sky=SKY, read_noise=READ_NOISE, box=SIZE)
    np.testing.assert_allclose(found[0], best.x, rtol=0.01)
    np.testing.assert_allclose(found[1], best.y, rtol=0.01)


def test_masked_pixels_tell_nothing() -> None:
    x, y, flux = stars(50)
    own = stamps(x, y, flux)
    own.bad[:, :, 4:] = True
    own.bad[0] = True
    blind = raster_bound(own, x - own.corner_x, y - own.corner_y)
    clear = raster_bound(stamps(x, y, flux), x - own.corner_x, y - own.corner_y)
    assert np.isnan(blind[0][0])
    assert (blind[0][1:] > clear[0][1:]).all()


def test_what_is_not_known_has_no_bound() -> None:
    x, y, flux = stars(5)
    own = stamps(x, y, flux)
    own.flux[1], own.sky[2] = -3, np.nan
    there = np.stack([x - own.corner_x, y - own.corner_y])
    there[0, 3] = np.nan
    known = np.isfinite(raster_bound(own, *there))
    assert known.tolist() == [[True, False, False, False, True]] * 2
    assert np.isnan(raster_bound(stamps(x, y, flux, psf=False), *there)).all()
