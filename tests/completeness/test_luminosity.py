"""Curves and corrected luminosity functions, judged by simulated truth."""

import numpy as np
import pytest

from filar.completeness.curves import completeness_curves
from filar.completeness.luminosity import (
    corrected_luminosity_function,
    weighted_luminosity_function,
)
from filar.completeness.table import ArtificialStars, RealStars
from filar.errors import ParameterError

EDGES = np.arange(21.0, 28.01, 0.5)
BANDS = ("V", "I")


def magnitudes(number, beta, rng, limits=(21.0, 28.0)):
    low, high = limits
    if beta == 0:
        return rng.uniform(low, high, number)
    rate = beta * np.log(10.0)
    return low + np.log1p(rng.random(number) * np.expm1(rate * (high - low))) / rate


def observe(mag, rng, limit=26.0):
    """Measured magnitudes of what is recovered; NaN else. Errors grow, faint stars look bright."""
    sigma = 0.05 * 10 ** (0.3 * (mag - 24.0))
    found = rng.random(len(mag)) < 1.0 / (1.0 + np.exp((mag - limit) / 0.25))
    bias = -0.03 * 10 ** (0.3 * (mag - 25.0))
    return np.where(found, mag + sigma * (bias + rng.normal(size=len(mag))), np.nan)


def artificial(number, rng, beta=0.0):
    mag = magnitudes(number, beta, rng)
    out = observe(mag, rng)
    return ArtificialStars(("V",), mag[:, None], out[:, None], np.isfinite(out))


def real(mag, rng):
    out = observe(mag, rng)
    return RealStars(("V",), out[np.isfinite(out)][:, None])


def expected(number, beta):
    rate = beta * np.log(10.0)
    return number * np.diff(np.expm1(rate * (EDGES - 21.0))) / np.expm1(rate * 7.0)


def trials(beta, number, tests, repeats=60):
    found, truth = [], []
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        asts = artificial(tests, rng)
        mag = magnitudes(rng.poisson(number), beta, rng)
        found.append(corrected_luminosity_function(real(mag, rng), asts, EDGES))
        truth.append(np.histogram(mag, EDGES)[0])
    return found, np.array(truth)


@pytest.mark.parametrize(("beta", "number", "tests"), [(0.5, 30_000, 30_000), (0.8, 60_000, 8000)])
def test_pulls_have_unit_width_with_a_steep_function_and_flat_artificial_stars(beta, number, tests):
    found, truth = trials(beta, number, tests)
    wanted = expected(number, beta)
    good = (wanted > 20) & (wanted < 1e9) & found[0].reliable
    assert good.sum() >= 5
    pairs = list(zip(found, truth, strict=True))
    rate = np.array([((one.number - wanted) / one.number_err)[good] for one in found])
    field = np.array([(one.number - true)[good] / one.field_err[good] for one, true in pairs])
    for pulls in (rate, field):
        # 60 trials in each of five or more bins: the width is known to 4%.
        assert abs(pulls.mean()) < 0.2
        assert pulls.std() == pytest.approx(1.0, abs=0.12)
        assert np.all(np.abs(pulls.std(axis=0) - 1.0) < 0.35)
        assert np.all(np.abs(pulls.mean(axis=0)) < 0.5)


def test_naive_weights_are_wrong_where_stars_change_bins():
    rng = np.random.default_rng(3)
    asts = artificial(200_000, rng)
    mag = magnitudes(400_000, 0.8, rng)
    stars = real(mag, rng)
    truth = np.histogram(mag, EDGES)[0]
    curve = completeness_curves(asts, EDGES)
    p = np.interp(stars.mag[:, 0], curve.centres, curve.against_input)
    naive, error = weighted_luminosity_function(stars.mag[:, 0], p, EDGES)
    ours = corrected_luminosity_function(stars, asts, EDGES)
    at = {edge: np.flatnonzero(edge == EDGES)[0] for edge in (25.0, 26.0)}
    # More jump in than out just above the limit, and below it the probabilities are those of
    # fainter stars than the ones that are measured there.
    assert naive[at[25.0]] / truth[at[25.0]] > 1.07
    assert naive[at[26.0]] / truth[at[26.0]] < 0.9
    assert abs(naive - truth)[at[26.0]] > 5 * error[at[26.0]]
    for k in at.values():
        assert ours.number[k] == pytest.approx(truth[k], abs=3.5 * ours.field_err[k])
        assert ours.number[k] == pytest.approx(truth[k], rel=0.05)


def test_artificial_stars_of_any_luminosity_function_give_the_same():
    rng = np.random.default_rng(5)
    stars = real(magnitudes(100_000, 0.6, rng), rng)
    flat, steep = (
        corrected_luminosity_function(stars, artificial(400_000, rng, beta), EDGES)
        for beta in (0.0, 0.5)
    )
    good = flat.reliable & steep.reliable & (flat.number > 50)
    # The stars are the same, so that only the artificial stars' noise is left.
    np.testing.assert_allclose(flat.number[good], steep.number[good], rtol=0.04)


def test_wide_bins_follow_the_slope_within_them():
    """Without reweighting, flat artificial stars in a wide bin look too well recovered."""
    rng = np.random.default_rng(6)
    mag = magnitudes(300_000, 0.8, rng)
    edges = np.arange(21.0, 28.01, 1.0)
    asts = artificial(300_000, rng)
    found = corrected_luminosity_function(real(mag, rng), asts, edges)
    truth = np.histogram(mag, edges)[0]
    np.testing.assert_allclose(found.number[2:5], truth[2:5], rtol=0.03)
    curve = completeness_curves(asts, edges)
    assert curve.against_input[4] > 1.07 * found.efficiency[4]


def two_bands(number, colour, rng, beta=0.0):
    """The redder filter limits blue stars, the bluer one red ones."""
    visual = magnitudes(number, beta, rng)
    mag = np.stack([visual, visual - colour], axis=1)
    out = np.stack([observe(mag[:, 0], rng, 26.0), observe(mag[:, 1], rng, 25.0)], axis=1)
    return mag, out, np.isfinite(out).all(axis=1)


def test_stars_of_other_colours_than_the_artificial_ones_need_bins_of_colour():
    rng = np.random.default_rng(8)
    asts = ArtificialStars(BANDS, *two_bands(300_000, rng.uniform(-1, 3, 300_000), rng))
    blue = rng.random(100_000) < 0.7
    colour = np.where(blue, rng.normal(0.2, 0.15, 100_000), rng.normal(1.6, 0.3, 100_000))
    mag, out, recovered = two_bands(100_000, colour, rng, 0.5)
    stars = RealStars(BANDS, out[recovered])
    truth = np.histogram(mag[:, 0], EDGES)[0]
    k = np.flatnonzero(EDGES == 25.5)[0]
    plain = corrected_luminosity_function(stars, asts, EDGES)
    ours = corrected_luminosity_function(stars, asts, EDGES, colour_edges=np.arange(-0.8, 2.9, 0.4))
    assert abs(plain.number[k] / truth[k] - 1) > 0.15
    assert ours.number[k] == pytest.approx(truth[k], abs=3.5 * ours.field_err[k])
    assert ours.facts["colours"] == 9


def test_regions_are_corrected_each_by_itself():
    rng = np.random.default_rng(9)
    limits = np.array([26.0, 24.0])

    def seen(number, crowded_part, beta):
        region = (rng.random(number) < crowded_part).astype(int)
        mag = magnitudes(number, beta, rng)
        out = np.where(region == 0, observe(mag, rng, limits[0]), observe(mag, rng, limits[1]))
        return region, mag, out

    region, given, out = seen(100_000, 0.5, 0.0)
    asts = ArtificialStars(("V",), given[:, None], out[:, None], np.isfinite(out))
    where, mag, measured = seen(100_000, 0.9, 0.4)
    kept = np.isfinite(measured)
    stars = RealStars(("V",), measured[kept][:, None])
    truth = np.histogram(mag, EDGES)[0]
    k = np.flatnonzero(EDGES == 24.0)[0]
    plain = corrected_luminosity_function(stars, asts, EDGES)
    ours = corrected_luminosity_function(stars, asts, EDGES, groups=(where[kept], region))
    assert plain.number[k] < 0.85 * truth[k]
    assert ours.number[k] == pytest.approx(truth[k], abs=3.5 * ours.field_err[k])
    # One group alone gives its own stars.
    own = kept & (where == 1)
    crowded = corrected_luminosity_function(
        RealStars(("V",), measured[own][:, None]), asts.select(region == 1), EDGES
    )
    assert crowded.number[k] < ours.number[k]


def test_smoothness_takes_noise_away():
    rng = np.random.default_rng(11)
    fine = np.arange(21.0, 28.01, 0.1)
    asts = artificial(100_000, rng)
    mag = magnitudes(20_000, 0.5, rng)
    stars = real(mag, rng)
    rough, smooth = (
        corrected_luminosity_function(stars, asts, fine, smoothness=s) for s in (0.0, 0.1)
    )
    k = slice(*np.searchsorted(fine, [23.5, 26.0]))
    jumps = [np.abs(np.diff(np.log(one.number[k]), 2)).mean() for one in (rough, smooth)]
    assert jumps[1] < 0.6 * jumps[0]
    truth = np.histogram(mag, fine)[0][k]
    assert smooth.number[k].sum() == pytest.approx(truth.sum(), rel=0.07)


def test_curves_count_who_jumps():
    given = np.array([20.5, 20.6, 21.2, 21.4, 21.9, 22.5])
    out = np.array([20.4, np.nan, 20.9, 21.5, np.nan, 21.7])
    stars = ArtificialStars(("V",), given[:, None], out[:, None], np.isfinite(out))
    curves = completeness_curves(stars, [20.0, 21.0, 22.0, 23.0])
    assert curves.inserted.tolist() == [2, 3, 1]
    assert curves.recovered.tolist() == [1, 2, 1]
    assert curves.measured.tolist() == [2, 2, 0]
    np.testing.assert_allclose(curves.excess, [0.5, 0.0, -1.0])
    np.testing.assert_allclose(curves.against_input, [1 / 2, 2 / 3, 1])


def test_bin_jumping_shifts_the_limit_fainter_against_measured_magnitude():
    """H24's figure 11: a spike near the limit, and a fall that is asymmetric."""
    rng = np.random.default_rng(2)
    curves = completeness_curves(artificial(400_000, rng, 0.8), np.arange(24.6, 27.6, 0.2))
    true = curves.limit(0.5, against="input")
    assert true == pytest.approx(26.0, abs=0.03)
    spike = np.argmax(curves.excess)
    assert curves.excess[spike] > 0.1
    assert abs(curves.centres[spike] - true) < 1.0
    # Above the limit too many are counted, below it too few: the fall is steeper.
    steepness = {
        against: curves.limit(0.2, against=against) - curves.limit(0.8, against=against)
        for against in ("input", "measured")
    }
    assert steepness["measured"] < 0.9 * steepness["input"]


def test_errors_of_the_curves_are_those_of_repeated_tests():
    rng = np.random.default_rng(12)
    edges = np.arange(24.0, 27.1, 0.5)
    all_curves = [completeness_curves(artificial(8000, rng), edges) for _ in range(200)]
    for value, error in (
        ("against_input", "against_input_err"),
        ("against_measured", "against_measured_err"),
    ):
        spread = np.std([getattr(one, value) for one in all_curves], axis=0)
        told = np.mean([getattr(one, error) for one in all_curves], axis=0)
        middle = slice(1, 5)
        np.testing.assert_allclose(told[middle], spread[middle], rtol=0.25)


def test_empty_bins_and_bins_without_artificial_stars():
    rng = np.random.default_rng(13)
    asts = artificial(5000, rng)
    stars = real(magnitudes(300, 0.5, rng), rng)
    edges = np.concatenate([[19.0, 20.0], EDGES])
    found = corrected_luminosity_function(stars, asts, edges)
    assert np.isnan(found.number[:2]).all()
    assert not found.reliable[:2].any()
    empty = found.reliable & (found.observed == 0) & (found.number < 0.5)
    assert empty.any()
    assert (found.number_err[empty] > 0.99).all()
    table = found.to_table()
    assert len(table) == len(edges) - 1
    assert table.meta["band"] == "V"


def test_bins_that_counts_do_not_determine_are_told_to_be_uncertain():
    """Numbers that run away to nothing, or to anything, where hardly a star is recovered."""
    pulls = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        mag = magnitudes(3000, 0.3, rng)
        found = corrected_luminosity_function(real(mag, rng), artificial(4000, rng), EDGES)
        off = found.number - np.histogram(mag, EDGES)[0]
        faint = ~found.reliable & (found.efficiency > 0.01)
        pulls += (off / found.field_err)[faint].tolist()
    assert len(pulls) >= 20
    # Not Gaussian: a bin may take its neighbour's stars. But never far beyond what is told.
    assert np.abs(pulls).max() < 8
    assert np.median(np.abs(pulls)) < 1.2


def test_no_real_star_at_all_gives_about_none():
    rng = np.random.default_rng(14)
    one_faint = RealStars(("V",), np.array([[np.nan]]))
    found = corrected_luminosity_function(one_faint, artificial(5000, rng), EDGES)
    assert np.nansum(found.number[found.reliable]) < 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"edges": [22.0, 21.0]}, "edges"),
        ({"edges": [22.0]}, "edges"),
        ({"edges": [22.0, np.inf]}, "finite"),
        ({"band": "K"}, "one of V"),
        ({"colour_edges": [0.0, 1.0]}, "single filter"),
        ({"groups": (np.zeros(3), np.zeros(4))}, "groups"),
        ({"groups": (np.ones(1, int), np.zeros(100, int))}, "artificial"),
        ({"weights": -np.ones(100)}, "weights"),
        ({"smoothness": 1.0}, "smoothness"),
        ({"stars": RealStars(("B",), np.ones((1, 1)))}, "bands"),
    ],
)
def test_senseless_input_is_refused(change, message):
    given = {
        "stars": RealStars(("V",), np.full((1, 1), 22.0)),
        "artificial": artificial(100, np.random.default_rng(0)),
        "edges": EDGES,
    }
    with pytest.raises(ParameterError, match=message):
        corrected_luminosity_function(**{**given, **change})


def test_limit_asks_for_a_fraction_and_a_curve():
    curves = completeness_curves(artificial(100, np.random.default_rng(0)), EDGES)
    with pytest.raises(ParameterError, match="level"):
        curves.limit(1.5)
    with pytest.raises(ParameterError, match="against"):
        curves.limit(0.5, against="true")
