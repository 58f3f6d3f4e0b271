import numpy as np
import pytest

from filar.frames.frame import Frame
from filar.frames.matching import mutual_nearest
from filar.frames.mean import solve_frames
from filar.frames.polynomial import fit_polynomial
from filar.frames.starlist import StarList
from filar.frames.weighting import Quality, excess_variance, expected_errors

STARS, EXPOSURES = 900, 40


def by_phase(x: np.ndarray) -> np.ndarray:
    """Errors as on a WF chip: four times worse at the middle of a pixel than at its edge."""
    return np.asarray(0.006 + 0.018 * np.cos(np.pi * x) ** 2)


def exposures(*, errors: bool = True) -> tuple[np.ndarray, list[StarList]]:
    """Dithered lists whose quoted errors belong to where the star seems to be, as real ones do."""
    rng = np.random.default_rng(11)
    x, y = rng.uniform(0, 800, (2, STARS))
    lists = []
    for i in range(EXPOSURES):
        dx, dy = rng.uniform(-0.9, 0.9, 2) if i else (0.0, 0.0)
        found = [p + rng.normal(0, by_phase(p)) for p in (x + dx, y + dy)]
        quoted = {"x_err": by_phase(found[0]), "y_err": by_phase(found[1])} if errors else {}
        lists.append(StarList.build(*found, exposure=f"e{i:03d}", chip="WF3", **quoted))
    return np.stack([x, y]), lists


def errors_of(frame: Frame, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Errors in x after a cubic map, and the quoted ones."""
    i, j = mutual_nearest(frame.x, frame.y, truth[0], truth[1], 0.5)
    assert len(i) > 0.95 * STARS
    fit = fit_polynomial(frame.x[i], frame.y[i], truth[0, j], truth[1, j])
    return fit.residual_x, frame.x_err[i]


@pytest.fixture(scope="module")
def weighted() -> tuple[np.ndarray, np.ndarray]:
    truth, lists = exposures()
    (frame,) = solve_frames(lists)
    return errors_of(frame, truth)


def test_means_reach_what_the_better_phases_allow(weighted: tuple[np.ndarray, np.ndarray]) -> None:
    phase = np.linspace(0, 1, 1000, endpoint=False)
    best = np.sqrt(1 / np.mean(by_phase(phase) ** -2.0) / EXPOSURES)
    alike = np.sqrt(np.mean(by_phase(phase) ** 2) / EXPOSURES)
    assert best < 0.7 * alike
    assert np.std(weighted[0]) < 1.15 * best


def test_quoted_errors_of_means_are_honest(weighted: tuple[np.ndarray, np.ndarray]) -> None:
    error, quoted = weighted
    assert np.std(error / quoted) == pytest.approx(1.0, abs=0.12)


def test_without_quoted_errors_all_measures_count_alike() -> None:
    truth, lists = exposures(errors=False)
    (frame,) = solve_frames(lists)
    error, _ = errors_of(frame, truth)
    phase = np.linspace(0, 1, 1000, endpoint=False)
    alike = np.sqrt(np.mean(by_phase(phase) ** 2) / EXPOSURES)
    assert np.std(error) == pytest.approx(alike, rel=0.1)
    np.testing.assert_allclose(frame.x_err, frame.x_rms / np.sqrt(frame.n_used))


def test_errors_are_told_apart_by_star_exposure_and_phase() -> None:
    rng = np.random.default_rng(3)
    star, tie = rng.integers(0, 50, 20000), rng.integers(0, 30, 20000)
    place = rng.uniform(0, 800, 20000)
    truth = np.linspace(1, 5, 50)[star] * np.linspace(0.8, 1.2, 30)[tie] * by_phase(place)
    model = expected_errors(Quality(star, tie, place, truth), 50, 30)
    assert np.std(np.log(model / truth)) < 0.1


def test_excess_variance_is_recovered_and_never_negative() -> None:
    rng = np.random.default_rng(4)
    error = rng.uniform(0.004, 0.02, 20000)
    residual = rng.normal(0, np.hypot(error, 0.01))
    assert excess_variance(residual, error) == pytest.approx(1e-4, rel=0.1)
    assert excess_variance(0.5 * rng.normal(0, error), error) < 1e-8
    assert excess_variance(residual[:5], error[:5]) == 0.0
