"""Labels: electrons predicted from catalogue and zero point."""

from dataclasses import replace

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.saturation.catalogs import CatalogStars
from filar.saturation.contamination import Contamination
from filar.saturation.labels import Reason, make_labels
from filar.saturation.zeropoint import ZeroPoint, fit_zero_point
from tests.saturation.test_zeropoint import SHAPE, make, vignetting


def catalogue(n: int = 5) -> CatalogStars:
    mag = np.linspace(8, 12, n)
    place = np.linspace(10, 11, n)
    return CatalogStars(
        np.arange(n), place, place, mag, np.full(n, 0.02), np.arange(n) == n - 1, filter="g"
    )


def test_electrons_of_a_magnitude() -> None:
    labels = make_labels(catalogue(), ZeroPoint.constant(25.0, 0.03), np.ones(5), np.ones(5))
    assert labels.log_n[:4] == pytest.approx([6.8, 6.4, 6.0, 5.6])
    assert labels.log_n_err[:4] == pytest.approx(np.full(4, 0.4 * np.hypot(0.02, 0.03)))


def test_variable_stars_have_none_unless_wanted() -> None:
    one = np.ones(5)
    labels = make_labels(catalogue(), ZeroPoint.constant(25.0), one, one)
    assert np.isnan(labels.log_n).tolist() == [False] * 4 + [True]
    assert labels.reason[4] == Reason.VARIABLE
    assert labels.refused() == {"variable": 1}
    kept = make_labels(catalogue(), ZeroPoint.constant(25.0), one, one, variable=True)
    assert kept.log_n[4] == pytest.approx(5.2)


def test_what_is_missing_gives_no_label() -> None:
    stars = catalogue()
    stars.mag[1] = np.nan
    stars.mag_err[2] = np.nan
    x = np.array([1.0, 1, 1, np.nan, 1])
    labels = make_labels(stars, ZeroPoint.constant(25.0, 0.03), x, np.ones(5))
    assert np.isfinite(labels.log_n).tolist() == [True, False, True, False, False]
    assert (np.isfinite(labels.log_n) == np.isfinite(labels.log_n_err)).all()
    assert labels.reason.tolist() == [0, 1, 0, 4, 2]
    assert labels.log_n_err[2] == pytest.approx(0.012)  # an unknown error counts as zero


def test_scatter_stands_in_for_unknown_errors() -> None:
    stars, one = catalogue(), np.ones(5)
    stars.mag_err[0] = np.nan
    zero = replace(ZeroPoint.constant(25.0), intrinsic=0.1)
    found = [
        make_labels(stars, zero, one, one, scatter=s).log_n_err[:2] for s in (None, True, False)
    ]
    both = np.hypot(0.02, 0.1)
    assert np.divide(found, 0.4) == pytest.approx(np.array([[0.1, 0.02], [0.1, both], [0, 0.02]]))


def test_light_in_the_aperture() -> None:
    light = Contamination(np.array([0.0, 0.5, 0.1, 0.0, 0.0]), np.array([0.0, 0.2, 0.1, 2.0, 0.0]))
    one = np.ones(5)
    labels = make_labels(catalogue(), ZeroPoint.constant(25.0), one, one, contamination=light)
    assert labels.log_n[:3] == pytest.approx([6.8, 6.4 + np.log10(1.3), 6.0])
    assert labels.reason[3] == Reason.NOT_POSITIVE
    assert np.isnan(labels.log_n[3])


def test_numbers_must_agree() -> None:
    with pytest.raises(ParameterError, match="x = 4"):
        make_labels(catalogue(), ZeroPoint.constant(25.0), np.ones(4), np.ones(5))


def test_labels_of_images_with_vignetting() -> None:
    # the fitted zero point predicts the electrons of other stars, within the errors quoted
    rng = np.random.default_rng(5)
    x, y = rng.uniform(0, SHAPE[1], 500), rng.uniform(0, SHAPE[0], 500)
    nowhere, pulls, off = np.zeros(500), [], []
    for seed in range(12):
        zero = fit_zero_point(**make(500, seed, intrinsic=0.03, outliers=0.1), shape=SHAPE)
        true_mag = rng.uniform(6, 11, 500)
        listed = true_mag + np.hypot(0.01, 0.03) * rng.normal(size=500)
        stars = CatalogStars(
            np.arange(500), nowhere, nowhere, listed, np.full(500, 0.01), nowhere > 0
        )
        labels = make_labels(stars, zero, x, y, scatter=True)
        off.append(labels.log_n - 0.4 * (25 - vignetting(x, y) - true_mag))
        pulls.append(off[-1] / labels.log_n_err)
    assert np.std(pulls) == pytest.approx(1, abs=0.1)
    assert abs(np.median(off)) < 0.001
