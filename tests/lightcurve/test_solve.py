import numpy as np
import pytest

from experiments.lightcurves.ideal import Survey, observe
from filar.lightcurve.settings import LightCurveSettings
from filar.lightcurve.solve import Curve, offsets_of, solve_curve
from filar.simulate.survey.variables import KINDS

DEFAULT = LightCurveSettings()


def curve(rng, n=120, groups=3, err=0.02, walk=None, days=600.0, **changes):
    time = np.sort(rng.uniform(0, days, n))
    group = rng.integers(0, groups, n)
    means = 10 + rng.normal(0, 0.2, groups)
    mag = means[group] + rng.normal(0, err, n)
    if walk:
        sigma, tau = walk
        cov = sigma**2 * np.exp(-np.abs(time[:, None] - time[None]) / tau)
        mag = mag + np.linalg.cholesky(cov + 1e-10 * np.eye(n)) @ rng.normal(size=n)
    return Curve(time, mag, np.full(n, err), group, **changes), means


def test_offsets_lead_to_the_median_mean():
    means = np.array([10.0, 10.4, 9.9])
    offsets, errors = offsets_of(means, np.diag([1e-4, 4e-4, 1e-4]))
    assert means + offsets == pytest.approx(np.full(3, 10.0))
    assert errors == pytest.approx([0, np.sqrt(5e-4), np.sqrt(2e-4)])
    offsets, errors = offsets_of(np.array([10.0, 10.4]), np.diag([1e-4, 3e-4]))
    assert offsets == pytest.approx([0.2, -0.2])
    assert errors == pytest.approx([0.01, 0.01])
    offsets, errors = offsets_of(np.array([10.0]), np.array([[1e-4]]))
    assert offsets == pytest.approx([0])
    assert errors == pytest.approx([0])


@pytest.mark.parametrize("walk", [None, (0.3, 60.0)])
def test_offsets_are_recovered_within_their_errors(walk):
    pulls = []
    for k in range(25):
        one, means = curve(np.random.default_rng(k), walk=walk)
        found = solve_curve(one, DEFAULT, search=False)
        # offsets of pairs: which mean is the median does not matter then
        for a, b in ((0, 1), (1, 2), (0, 2)):
            error = np.hypot(found.means_err[a], found.means_err[b]) if walk is None else np.nan
            difference = found.offsets[a] - found.offsets[b] - means[b] + means[a]
            pulls.append(difference / error)
        true = np.median(means) - means
        if walk is not None:
            pulls += list((found.offsets - true)[found.offsets_err > 0]
                          / found.offsets_err[found.offsets_err > 0])  # fmt: skip
    pulls = np.array(pulls)
    assert np.std(pulls[np.isfinite(pulls)]) == pytest.approx(1, abs=0.3)


def test_faint_outliers_are_rejected_and_nothing_else():
    rng = np.random.default_rng(1)
    one, means = curve(rng, n=200)
    bad = rng.random(200) < 0.1
    one.mag[bad] += rng.uniform(0.2, 2, bad.sum())
    found = solve_curve(one, DEFAULT, search=False)
    assert (found.rejected[bad]).all()
    assert found.rejected[~bad].sum() <= 1
    left = found.calibrated(one)[~bad] - np.median(means)
    assert np.std(left) < 0.025


def test_the_faintest_tenth_as_in_the_paper_and_none():
    one, _ = curve(np.random.default_rng(2), n=200, groups=2)
    found = solve_curve(one, LightCurveSettings(reject="faintest"), search=False)
    for k in range(2):
        mine = one.group == k
        assert found.rejected[mine].sum() == mine.sum() // 10
        assert one.mag[mine & found.rejected].min() >= one.mag[mine & ~found.rejected].max()
    assert not solve_curve(one, LightCurveSettings(reject="none"), search=False).rejected.any()


def test_a_camera_that_saw_the_star_once():
    one, _ = curve(np.random.default_rng(3), n=100, groups=2)
    one.group[:] = 0
    one.group[40] = 5
    one.mag[40] = 12.0
    found = solve_curve(one, DEFAULT, search=False)
    assert found.groups.tolist() == [0, 5]
    assert found.means[1] == pytest.approx(12.0, abs=0.1)
    assert found.means_err[1] > 5 * found.means_err[0]
    assert not found.rejected[40]


def test_one_camera_alone_has_no_offset():
    one, _ = curve(np.random.default_rng(4), groups=1)
    found = solve_curve(one, DEFAULT, search=False)
    assert found.offsets.tolist() == [0]
    assert found.offsets_err.tolist() == [0]
    assert (found.calibrated(one) == one.mag).all()


def test_cameras_that_do_not_overlap_in_time_have_large_errors():
    rng = np.random.default_rng(5)
    one, _ = curve(rng, n=150, groups=1, walk=(0.3, 50.0))
    late = one.time > 300
    one.time[late] += 2000
    one.group[late] = 1
    found = solve_curve(one, DEFAULT, search=False)
    assert found.process.sigma > 0.1
    assert found.offsets_err.max() > 0.05


@pytest.mark.parametrize("n", [1, 2, 4, 6])
def test_few_epochs(n):
    one, _ = curve(np.random.default_rng(6), n=n, groups=2)
    found = solve_curve(one, DEFAULT)
    assert np.isfinite(found.offsets).all()
    assert found.rejected.shape == (n,)
    assert found.periodic is None


def test_constant_stars_have_neither_tau_nor_period():
    survey = Survey(years=1.0)
    for k in range(2):
        one = observe("constant", survey, np.random.default_rng([k, 1])).curve
        found = solve_curve(one, DEFAULT)
        assert found.periodic is None
        assert found.process.sigma == 0
        assert np.isnan(found.process.tau)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_the_seven_kinds(kind):
    star = observe(kind, Survey(years=2.5), np.random.default_rng([11, len(kind)]))
    found = solve_curve(star.curve, DEFAULT)
    assert found.periodic is not None
    assert found.periodic.period == pytest.approx(star.period, rel=0.05)
    assert found.periodic.amplitude == pytest.approx(star.amplitude, rel=0.05)
    true = np.median(star.means) - star.means
    assert found.offsets == pytest.approx(true, abs=0.012)
    assert found.rejected[star.outlier].mean() > 0.7
    assert found.rejected[~star.outlier].mean() < 0.02


def test_eclipses_are_no_outliers():
    star = observe("algol", Survey(years=2.5), np.random.default_rng(4), amplitude=1.0, period=3.21)
    found = solve_curve(star.curve, DEFAULT)
    eclipsed = star.true - star.means[star.curve.group] > 0.3
    assert eclipsed.sum() > 10
    assert found.rejected[eclipsed & ~star.outlier].sum() <= 1


def test_a_period_that_is_given_is_used():
    star = observe("rrc", Survey(years=1.0), np.random.default_rng(3))
    given = Curve(star.curve.time, star.curve.mag, star.curve.mag_err, star.curve.group,
                  star.curve.band, star.period)  # fmt: skip
    found = solve_curve(given, DEFAULT, search=False)
    assert found.periodic is not None
    assert found.periodic.given
    assert found.periodic.period == pytest.approx(star.period, rel=1e-3)


def test_amplitudes_of_filters_may_differ():
    star = observe("rrab", Survey(years=2.0, faint=0), np.random.default_rng(5), amplitude=1.0)
    found = solve_curve(star.curve, DEFAULT)
    assert found.periodic is not None
    assert found.periodic.scales[0] == pytest.approx(1)
    assert found.periodic.scales[1] == pytest.approx(KINDS["rrab"].in_v, abs=0.03)
