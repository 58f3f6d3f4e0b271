import numpy as np
import pytest

from filar.flags import Flag
from filar.lightcurve.chipmap import n_terms, shifted, terms
from filar.lightcurve.images import Images, Measures
from filar.lightcurve.zeropoints import solve_zero_points

SIZE = 1000.0


def field(rng, n_images=20, n_stars=200, groups=1, err=0.01, shift=30.0, zero=0.3, seen=1.0):
    """Images and measures of constant stars: (images, measures, zero points, magnitudes)."""
    mag = rng.uniform(9, 13, n_stars)
    x0, y0 = rng.uniform(0, SIZE, (2, n_stars))
    zeros = rng.normal(0, zero, n_images)
    camera = tuple("ab"[i % groups] for i in range(n_images))
    images = Images(
        tuple(f"e{i}" for i in range(n_images)), camera, ("g",) * n_images,
        59000.0 + np.arange(n_images), np.full(n_images, 8.0), ("f",) * n_images,
    )  # fmt: skip
    image, star = (a.ravel() for a in np.mgrid[:n_images, :n_stars])
    keep = rng.random(len(image)) < seen
    image, star = image[keep], star[keep]
    dx = rng.normal(0, shift, (2, n_images))
    x, y = x0[star] + dx[0, image], y0[star] + dx[1, image]
    value = mag[star] + zeros[image] + rng.normal(0, err, len(star))
    n, nan = len(star), np.full(len(star), np.nan)
    measures = Measures(
        image.astype(np.int32), x.astype(np.float32), y.astype(np.float32), nan, nan, value,
        np.full(n, err), value, np.zeros(n, np.int32), star.astype(np.int64),
    )  # fmt: skip
    return images, measures, zeros, mag


def at_middle(zero):
    return zero.at(np.arange(len(zero.degree)), zero.centre[:, 0], zero.centre[:, 1])


def test_terms_are_those_of_the_degree():
    rng = np.random.default_rng(1)
    u, v = rng.uniform(-1, 1, (2, 50))
    for degree in range(5):
        rows = terms(u, v, n_terms(degree))
        assert rows.shape == (50, n_terms(degree))
        wanted = (u + 0.5 * v) ** degree
        assert rows @ np.linalg.lstsq(rows, wanted, rcond=None)[0] == pytest.approx(wanted)


def test_zero_points_are_recovered_within_their_errors():
    images, measures, zeros, _ = field(np.random.default_rng(2))
    found = solve_zero_points(images, measures)
    value, error = at_middle(found)
    pull = (value - value.mean() - zeros + zeros.mean()) / error
    assert (found.degree == 0).all()
    assert np.median(value) == pytest.approx(0, abs=1e-9)
    assert 0.6 < np.std(pull) < 1.5


def test_each_camera_has_a_median_of_its_own():
    images, measures, zeros, _ = field(np.random.default_rng(3), groups=2)
    zeros = zeros + np.where(images.group == 1, 2.0, 0)
    measures.mag[:] += np.where(images.group[measures.image] == 1, 2.0, 0)
    value, _ = at_middle(solve_zero_points(images, measures))
    for k in range(2):
        mine = images.group == k
        assert np.median(value[mine]) == pytest.approx(0, abs=1e-9)
        assert value[mine] - zeros[mine] == pytest.approx(-np.median(zeros[mine]), abs=0.01)


def test_variable_and_saturated_stars_and_outliers_do_not_drive_them():
    rng = np.random.default_rng(4)
    images, measures, zeros, _ = field(rng)
    variable = measures.star < 60
    together = 0.8 * np.sin(measures.image / 3.0)  # all of them at the same time
    measures.mag[variable] += together[variable]
    saturated = (measures.star >= 60) & (measures.star < 90)
    measures.mag[saturated] += rng.normal(0.5, 0.5, saturated.sum())
    measures.flags[saturated] |= int(Flag.SATURATED)
    bad = rng.random(len(measures)) < 0.02
    measures.mag[bad] += 1.5
    value, _ = at_middle(solve_zero_points(images, measures))
    assert np.std(value - zeros) < 0.004


def test_saturated_stars_get_the_same_zero_point():
    images, measures, _, _ = field(np.random.default_rng(5))
    found = solve_zero_points(images, measures)
    value, error = found.at(measures.image[:5], measures.x[:5], measures.y[:5])
    assert np.isfinite(value).all()
    assert (error < 0.01).all()


def test_slopes_of_clouds_are_found_where_there_are_any():
    rng = np.random.default_rng(6)
    images, measures, _, _ = field(rng, err=0.005)
    slope = rng.normal(0, 0.05, len(images))
    measures.mag[:] += slope[measures.image] * (measures.x / SIZE - 0.5)
    found = solve_zero_points(images, measures)
    assert (found.degree >= 1).all()
    image = np.arange(len(images))
    right, _ = found.at(image, np.full(len(image), 900.0), np.full(len(image), 500.0))
    left, _ = found.at(image, np.full(len(image), 100.0), np.full(len(image), 500.0))
    assert np.corrcoef(right - left, slope)[0, 1] > 0.98
    assert np.std((right - left) - 0.8 * slope) < 0.005
    flat = solve_zero_points(images, measures, degree=0)
    assert (flat.degree == 0).all()
    assert np.nanmedian(flat.scatter) > 2 * np.nanmedian(found.scatter)


def test_a_slope_that_all_images_have_does_not_run_away():
    images, measures, zeros, _ = field(np.random.default_rng(7), shift=3.0)
    measures.mag[:] += 0.5 * (measures.x / SIZE - 0.5) ** 2
    value, _ = at_middle(solve_zero_points(images, measures, degree=1))
    assert np.std(value - zeros) < 0.02


def test_images_without_enough_stars_have_none():
    images, measures, _, _ = field(np.random.default_rng(8), n_images=6)
    few = (measures.image != 2) | (measures.star < 2)
    found = solve_zero_points(images, measures[few])
    assert found.degree[2] == -1
    assert np.isnan(at_middle(found)[0][2])
    assert np.isfinite(np.delete(at_middle(found)[0], 2)).all()
    (error,) = found.errors
    assert "e2" in error


def test_images_without_stars_in_common_are_told_of():
    images, measures, zeros, _ = field(np.random.default_rng(9))
    mine = (measures.star < 100) == (measures.image < 10)
    found = solve_zero_points(images, measures[mine])
    assert any("2 sets of images" in remark for remark in found.remarks)
    value = at_middle(found)[0]
    for part in (slice(0, 10), slice(10, 20)):
        assert np.std((value - zeros)[part]) < 0.01


def test_magnitudes_that_are_not_known_do_no_harm():
    images, measures, zeros, _ = field(np.random.default_rng(10))
    measures.mag[::7] = np.nan
    measures.mag_err[::5] = np.nan
    value, _ = at_middle(solve_zero_points(images, measures))
    assert np.std(value - zeros) < 0.01


def test_nothing_at_all():
    images, measures, _, _ = field(np.random.default_rng(11), n_images=3)
    found = solve_zero_points(images, measures[:0])
    assert (found.degree == -1).all()


def test_a_polynomial_may_be_added():
    images, measures, _, _ = field(np.random.default_rng(12), n_images=4)
    found = solve_zero_points(images, measures)
    more = shifted(found, images, np.array([[0.5, 0.1, 0.0]]))
    x = found.centre[:, 0] + found.half[:, 0]
    image = np.arange(4)
    before, _ = found.at(image, x, found.centre[:, 1])
    after, _ = more.at(image, x, found.centre[:, 1])
    assert after - before == pytest.approx(0.6)


def test_an_image_alone_of_its_camera_needs_no_zero_point():
    images, measures, _, _ = field(np.random.default_rng(13), n_images=2, groups=2)
    found = solve_zero_points(images, measures)
    assert found.degree.tolist() == [0, 0]
    assert at_middle(found)[0].tolist() == [0, 0]
    assert not found.errors
