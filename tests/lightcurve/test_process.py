import numpy as np
import pytest

from filar.lightcurve.process import Process, Walk, fit_process


def drawn(rng, n=250, sigma=0.3, tau=40.0, err=0.02, days=900.0, groups=2):
    time = np.sort(rng.uniform(0, days, n))
    cov = sigma**2 * np.exp(-np.abs(time[:, None] - time[None]) / tau)
    walk = np.linalg.cholesky(cov + 1e-12 * np.eye(n)) @ rng.normal(size=n) if sigma else 0.0
    group = rng.integers(0, groups, n)
    means = 11 + rng.normal(0, 0.2, groups)
    mag = means[group] + walk + rng.normal(0, err, n)
    return time, mag, np.full(n, err**2), np.eye(groups)[group], means


def dense(time, variance, process):
    cov = process.sigma**2 * np.exp(-np.abs(time[:, None] - time[None]) / process.tau)
    return cov + np.diag(variance + process.jitter**2)


def test_means_and_predictions_agree_with_dense_matrices():
    time, mag, variance, columns, _ = drawn(np.random.default_rng(1), n=60, groups=3)
    process = Process(0.3, 40.0, 0.01)
    found = Walk(time, mag, variance, columns).solve(process)
    inverse = np.linalg.inv(dense(time, variance, process))
    covariance = np.linalg.inv(columns.T @ inverse @ columns)
    assert found.covariance == pytest.approx(covariance, rel=1e-6)
    assert found.coefficients == pytest.approx(covariance @ columns.T @ inverse @ mag, abs=1e-8)
    keep = np.arange(60) != 7
    some = Walk(time[keep], mag[keep], variance[keep], columns[keep])
    means = some.solve(process)
    predicted = columns[7] @ means.coefficients + some.predict(process, means, time[7:8])[0]
    assert found.left_out[7] == pytest.approx(mag[7] - predicted, abs=1e-8)


def test_likelihood_agrees_with_dense_matrices():
    time, mag, variance, columns, _ = drawn(np.random.default_rng(2), n=50)
    process = Process(0.2, 25.0, 0.03)
    walk = Walk(time, mag, variance, columns)
    cov = dense(time, variance, process)
    inverse = np.linalg.inv(cov)
    inner = columns.T @ inverse @ columns
    left = mag - columns @ np.linalg.solve(inner, columns.T @ inverse @ mag)
    expected = -0.5 * (
        left @ inverse @ left + np.linalg.slogdet(cov)[1] + np.linalg.slogdet(inner)[1]
        + 48 * np.log(2 * np.pi)
    )  # fmt: skip
    assert walk.log_likelihood(0.2, 25.0, 0.03) == pytest.approx(expected)


def test_points_left_out_do_not_change_the_others():
    time, mag, variance, columns, _ = drawn(np.random.default_rng(3), n=80)
    process = Process(0.3, 40.0, 0.0)
    bad = mag.copy()
    bad[11] += 3
    extra = np.zeros(80)
    extra[11] = 1e4
    found = Walk(time, bad, variance + extra, columns).solve(process, extra)
    clean = Walk(time, mag, variance + extra, columns).solve(process, extra)
    assert found.coefficients == pytest.approx(clean.coefficients, abs=1e-4)
    assert found.left_out[11] == pytest.approx(clean.left_out[11] + 3, abs=1e-3)
    assert found.left_out_err[11] < 0.3


def test_parameters_of_a_walk_are_recovered():
    found = [fit_process(Walk(*drawn(np.random.default_rng(k), n=300)[:4])) for k in range(6)]
    assert np.median([one.sigma for one in found]) == pytest.approx(0.3, rel=0.25)
    assert np.median([one.tau for one in found]) == pytest.approx(40, rel=0.5)
    assert np.median([one.jitter for one in found]) < 0.01


def test_constant_stars_have_no_tau():
    for k in range(12):
        time, mag, variance, columns, _ = drawn(np.random.default_rng(k), n=120, sigma=0.0)
        found = fit_process(Walk(time, mag, variance, columns))
        assert found.sigma == 0
        assert np.isnan(found.tau)
        assert found.jitter < 0.015


def test_underestimated_errors_become_jitter_and_no_walk():
    time, mag, variance, columns, _ = drawn(np.random.default_rng(4), n=200, sigma=0, err=0.05)
    found = fit_process(Walk(time, mag, variance / 25, columns))
    assert found.sigma == 0
    assert found.jitter == pytest.approx(0.049, rel=0.15)


def test_means_have_honest_errors():
    pulls = []
    for k in range(60):
        time, mag, variance, columns, means = drawn(np.random.default_rng(k), n=100, groups=3)
        linear = Walk(time, mag, variance, columns).solve(Process(0.3, 40.0, 0.0))
        for a, b in ((0, 1), (1, 2)):
            c = linear.covariance
            error = np.sqrt(c[a, a] + c[b, b] - 2 * c[a, b])
            difference = linear.coefficients[a] - linear.coefficients[b]
            pulls.append((difference - means[a] + means[b]) / error)
    assert np.std(pulls) == pytest.approx(1, abs=0.2)
    assert abs(np.mean(pulls)) < 0.3
