import numpy as np
import pytest

from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.fit import SATURATED_BOX, StarFits, best_box, fit_stars
from filar.flags import Flag
from filar.psf.bound import cramer_rao
from tests.psf.samples import READ_NOISE, SKY, expose, mesh, optical

SHAPE = (400, 400)
ORDINARY = np.array([200.3]), np.array([151.7])


def field(
    chip: str = "WF3", seed: int = 1, spacing: float = 24.0, flux: tuple[float, float] = (3e3, 3e4)
) -> tuple[Exposure, np.ndarray, np.ndarray, np.ndarray]:
    """Isolated stars at random phases; positions and fluxes are the truth."""
    x, y = mesh(SHAPE, spacing, seed)
    light = np.exp(np.random.default_rng(seed).uniform(*np.log(flux), len(x)))
    return expose(optical(chip), x, y, light, shape=SHAPE, seed=seed), x, y, light


def start(x: np.ndarray, y: np.ndarray, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    shift = np.random.default_rng(seed).normal(0, 0.15, (2, len(x)))
    return x + shift[0], y + shift[1]


def one_star(flux: float = 2e4, seed: int = 0) -> Exposure:
    return expose(optical("WF3"), *ORDINARY, np.array([flux]), shape=SHAPE, seed=seed)


@pytest.mark.parametrize(("chip", "sky"), [("PC", "annulus"), ("WF3", "annulus"), ("WF3", "fit")])
def test_errors_are_honest(chip: str, sky: str) -> None:
    """(measured - true) / error has a mean of 0 and a width of 1; errors are near the bound."""
    pulls, ratios = [], []
    for seed in range(6):
        exposure, x, y, flux = field(chip, seed)
        fits = fit_stars(exposure, optical(chip), *start(x, y), box=5, sky=sky)
        assert not fits.flags.any()
        pairs = ((fits.x, x), (fits.y, y), (fits.flux, flux))
        errors = (fits.x_err, fits.y_err, fits.flux_err)
        pulls.append([(f - t) / e for (f, t), e in zip(pairs, errors, strict=True)])
        bound = cramer_rao(optical(chip), x, y, flux, sky=SKY, read_noise=READ_NOISE, box=5)
        ratios.append([fits.x_err / bound.x, fits.y_err / bound.y])
    found = np.concatenate(pulls, axis=1)
    count = found.shape[1]
    assert count > 1000
    for k, pull in enumerate(found):
        assert pull.std() == pytest.approx(1, abs=4 / np.sqrt(2 * count) + 0.02), k
        assert abs(pull.mean()) < 4 / np.sqrt(count) + (0.1 if k == 2 else 0.02), k
    assert 0.98 <= np.median(np.concatenate(ratios, axis=1)) < (1.05 if sky == "annulus" else 1.3)


def test_positions_do_not_depend_on_the_start() -> None:
    exposure, x, y, _ = field()
    first, second = (fit_stars(exposure, optical("WF3"), *start(x, y, s), box=5) for s in (3, 4))
    assert np.abs(first.x - second.x).max() < 0.02 * first.x_err.min() + 1e-4
    # the sky's ring follows the pixel that the start lies in
    assert np.abs((first.flux - second.flux) / first.flux_err).max() < 0.3


def test_a_start_in_the_next_pixel_is_moved_back() -> None:
    exposure, x, y, _ = field(flux=(1e4, 3e4))
    fits = fit_stars(exposure, optical("WF3"), x + 0.6, y - 0.5, box=5)
    good = (fits.flags & Flag.NOT_CONVERGED) == 0
    assert good.mean() > 0.98
    assert np.abs((fits.x - x) / fits.x_err)[good].max() < 6


def test_quality_of_good_fits() -> None:
    exposure, x, y, flux = field()
    fits = fit_stars(exposure, optical("WF3"), *start(x, y), box=5)
    assert (fits.n_pixels == 25).all()
    assert fits.chi2.mean() == pytest.approx(1, abs=0.08)
    # the mean absolute residual of noise alone
    noise = np.sqrt(flux[:, None, None] * optical("WF3").stamps(x, y, 5) + SKY + READ_NOISE**2)
    expected = np.sqrt(2 / np.pi) * noise.sum(axis=(1, 2)) / flux
    # 3 parameters take up a part, most of it in the core
    assert 0.75 < np.median(fits.qfit / expected) < 1


def test_a_wrong_psf_shows_in_q_and_chi2() -> None:
    exposure, x, y, _ = field(flux=(1e4, 3e4))
    right = fit_stars(exposure, optical("WF3"), *start(x, y), box=5)
    wrong = fit_stars(exposure, optical("WF3", 0.12), *start(x, y), box=5)
    assert np.median(wrong.qfit) > 1.5 * np.median(right.qfit)
    assert np.median(wrong.chi2) > 2 * np.median(right.chi2)
    allowed = fit_stars(exposure, optical("WF3", 0.12), *start(x, y), box=5, model_error=0.1)
    assert np.median(allowed.chi2) < np.median(wrong.chi2)
    assert np.median(allowed.x_err / wrong.x_err) > 1.2


def test_bad_pixels_are_ignored_and_flagged() -> None:
    exposure, x, y, _ = field()
    clean = fit_stars(exposure, optical("WF3"), *start(x, y), box=5)
    k = 7
    row, column = int(np.rint(y[k])), int(np.rint(x[k])) + 1
    exposure.data[row, column] = 1e6
    exposure.mask[row, column] = True
    fits = fit_stars(exposure, optical("WF3"), *start(x, y), box=5)
    assert fits.flags[k] == Flag.MASKED
    assert fits.n_pixels[k] == 24
    assert abs(fits.x[k] - x[k]) < 5 * fits.x_err[k]
    assert fits.x_err[k] > clean.x_err[k]
    others = np.arange(len(x)) != k
    assert not fits.flags[others].any()


def test_edges_are_flagged() -> None:
    psf = optical("WF3")
    x, y = np.array([1.2, 200.0, 398.6, 60.0]), np.array([100.0, 0.4, 399.2, 300.0])
    exposure = expose(psf, x, y, np.full(4, 2e4), shape=SHAPE)
    exposure.edge[:, :59] = exposure.mask[:, :59] = True
    fits = fit_stars(exposure, psf, x, y, box=5)
    assert ((fits.flags & Flag.EDGE) != 0).tolist() == [True, True, True, True]
    assert not (fits.flags & Flag.MASKED).any()
    assert np.isfinite(fits.x_err[1:]).all()
    assert np.abs((fits.x - x) / fits.x_err)[1:].max() < 6


def test_stars_without_pixels_have_no_fit() -> None:
    exposure = one_star()
    exposure.mask[148:156, 196:206] = True
    fits = fit_stars(exposure, optical("WF3"), *ORDINARY, box=5)
    assert fits.flags[0] & Flag.NO_FIT
    assert fits.flags[0] & Flag.MASKED
    assert not fits.flags[0] & Flag.NOT_CONVERGED
    assert (fits.x[0], fits.y[0]) == (ORDINARY[0][0], ORDINARY[1][0])
    for name in ("flux", "x_err", "y_err", "flux_err", "qfit", "chi2"):
        assert np.isnan(getattr(fits, name)[0]), name


def test_no_light_is_no_positive_flux() -> None:
    exposure = one_star(seed=4)
    exposure.data[80:90, 80:90] -= 30
    fits = fit_stars(exposure, optical("WF3"), np.array([85.0]), np.array([85.0]), box=5)
    assert fits.flux[0] <= 0
    assert fits.flags[0] & Flag.NON_POSITIVE
    assert np.isnan(fits.qfit[0])
    assert np.isfinite(fits.x[0])


def test_saturated_stars_are_fitted_by_their_wings() -> None:
    psf = optical("WF3")
    x, y = mesh(SHAPE, 40.0, seed=5)
    flux = np.full(len(x), 4e5)
    exposure = expose(psf, x, y, flux, shape=SHAPE)
    exposure.saturated[exposure.data > 28000] = True
    exposure.data[exposure.saturated] = 28000
    fits = fit_stars(exposure, psf, *start(x, y), box=5)
    assert (fits.flags & Flag.SATURATED).astype(bool).all()
    assert (fits.n_pixels > 100).all()
    assert (fits.n_pixels < SATURATED_BOX**2).all()
    assert np.abs(fits.flux / flux - 1).max() < 0.1
    assert np.hypot(fits.x - x, fits.y - y).max() < 0.05
    again = fit_stars(exposure, psf, x, y, box=5, previous=fits)
    assert np.mean(again.flux / flux) == pytest.approx(1, abs=0.01)
    assert np.std((again.x - x) / again.x_err) < 1.3
    # the wings are not trusted further than a PSF can be
    assert (fits.flux_err / fits.flux > 0.002).all()


def test_who_is_saturated_may_be_said() -> None:
    exposure, x, y, _ = field()
    chosen = np.arange(len(x)) % 10 == 0
    fits = fit_stars(exposure, optical("WF3"), *start(x, y), box=5, saturated=chosen)
    assert np.array_equal((fits.flags & Flag.SATURATED) != 0, chosen)
    assert (fits.n_pixels[chosen] == SATURATED_BOX**2).all()


def test_a_second_fit_takes_the_neighbours_off() -> None:
    psf = optical("WF3")
    x, y = mesh(SHAPE, 30.0, seed=6)
    count = len(x)
    x, y = np.r_[x, x + 3.7], np.r_[y, y + 1.9]
    flux = np.r_[np.full(count, 2e4), np.full(count, 1e4)]
    exposure = expose(psf, x, y, flux, shape=SHAPE, seed=7)
    first = fit_stars(exposure, psf, *start(x, y), box=5)
    second = fit_stars(exposure, psf, x, y, box=5, previous=first)
    third = fit_stars(exposure, psf, x, y, box=5, previous=second)
    biases = [np.mean(f.flux / flux - 1) for f in (first, second, third)]
    assert biases[0] > 0.02
    assert abs(biases[1]) < 0.01
    assert abs(biases[2]) < 0.005
    scatter = [np.std((f.x - x) / f.x_err) for f in (first, second, third)]
    assert scatter[0] > 1.5
    assert scatter[2] < 1.25


def test_a_star_alone_is_the_same_the_second_time() -> None:
    exposure, x, y, _ = field()
    first = fit_stars(exposure, optical("WF3"), *start(x, y), box=5)
    second = fit_stars(exposure, optical("WF3"), x, y, box=5, previous=first)
    assert np.abs((second.x - first.x) / first.x_err).max() < 0.5
    assert np.abs((second.flux - first.flux) / first.flux_err).max() < 1


def test_no_stars_no_fits() -> None:
    none = np.empty(0)
    exposure = one_star()
    fits = fit_stars(exposure, optical("WF3"), none, none, box=5)
    assert len(fits) == 0
    assert all(len(getattr(fits, name)) == 0 for name in StarFits.__annotations__)
    assert len(fit_stars(exposure, optical("WF3"), none, none, box=5, previous=fits)) == 0
    assert fits.flags.dtype == np.int32


def test_dead_images_give_no_fits() -> None:
    exposure = one_star()
    exposure.mask[:] = True
    fits = fit_stars(exposure, optical("WF3"), *ORDINARY, box=5)
    assert fits.flags[0] & Flag.NO_FIT
    assert np.isnan(fits.flux[0])


def test_the_box_grows_with_the_image_of_a_star() -> None:
    narrow = best_box(optical("WF3"), SHAPE)
    wide = best_box(optical("PC", band="F814W"), SHAPE)
    assert narrow == 5
    assert wide > 5


def test_without_a_box_the_best_is_taken() -> None:
    exposure, x, y, _ = field()
    fits = fit_stars(exposure, optical("WF3"), x[:3], y[:3])
    assert (fits.n_pixels == best_box(optical("WF3"), SHAPE) ** 2).all()


@pytest.mark.parametrize(
    ("options", "text"),
    [({"sky": "median"}, "'annulus' or 'fit'"), ({"box": 4}, "odd"), ({"box": 1}, "odd"),
     ({"box": -5}, "odd")],
)  # fmt: skip
def test_options_without_meaning_are_refused(options: dict, text: str) -> None:
    with pytest.raises(ParameterError, match=text):
        fit_stars(one_star(), optical("WF3"), *ORDINARY, **options)
