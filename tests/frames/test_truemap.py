import numpy as np

from filar.frames.truemap import reweighted, weighted_errors
from filar.frames.truth import Truth, truth_errors
from tests.frames.synthetic import Sky


def sets(n: int, rng: np.random.Generator, sigma: np.ndarray):
    """True positions, and measures with noise after a bend of the field."""
    u, v = rng.uniform(0, 800, (2, n))
    bend = 1e-7 * (u - 400) ** 2
    return u, v, u + bend + rng.normal(0, sigma), v - bend + rng.normal(0, sigma)


def test_errors_have_the_spread_of_the_noise_at_every_brightness() -> None:
    """Neither the fit's own freedom nor the faint stars' noise in the map shows."""
    rng = np.random.default_rng(0)
    sigma = np.repeat([0.002, 0.01, 0.05], [20, 20, 40])
    good = sigma < 0.04
    bright, faint, plain = [], [], []
    for _ in range(150):
        u, v, x, y = sets(len(sigma), rng, sigma)
        dx, dy = weighted_errors(x, y, u, v, good, (sigma, sigma))
        bright.append(np.hypot(dx, dy)[sigma == 0.002])
        plain.append(np.hypot(dx, dy)[sigma == 0.01])
        faint.append(np.hypot(dx, dy)[~good])
    for values, expected in ((bright, 0.002), (plain, 0.01), (faint, 0.05)):
        rms = np.sqrt(np.mean(np.square(values)) / 2)
        np.testing.assert_allclose(rms / expected, 1, atol=0.04)


def test_too_few_stars_define_no_map() -> None:
    rng = np.random.default_rng(0)
    u, v, x, y = sets(12, rng, np.full(12, 0.01))
    dx, _ = weighted_errors(x, y, u, v, np.arange(12) < 8, (np.full(12, 0.01),) * 2)
    assert np.isnan(dx).all()
    dx, _ = weighted_errors(x, y, u, v, np.arange(12) < 9, (np.full(12, np.nan),) * 2)
    assert np.isfinite(dx).all()


def test_reweighting_keeps_the_measures() -> None:
    sky = Sky(stars=200, exposures=6, bias=0.0)
    errors = truth_errors(sky.frame(), Truth.from_table(sky.truth()))
    again = reweighted(errors)
    assert (again.id == errors.id).all()
    assert np.corrcoef(again.dx, errors.dx)[0, 1] > 0.99
    # The fit has taken ten terms off; that is given back.
    assert errors.dx[errors.good].std() < again.dx[errors.good].std()
    np.testing.assert_allclose(again.dx[errors.good].std(), 0.01, rtol=0.07)
