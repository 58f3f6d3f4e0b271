import numpy as np
import pytest

from filar.flags import Flag
from filar.lightcurve.images import Images, Measures
from filar.lightcurve.match import Stars, match_stars, unit_vectors

from .samples import PIXEL, SIZE, to_sky


def observed(rng, n_stars=120, n_images=8, *, wcs=True, shift=25.0, turn=0.0, seen=0.9, jitter=0.1):
    x0, y0 = rng.uniform(0, SIZE, (2, n_stars))
    ra, dec = to_sky(x0, y0)
    mag = rng.uniform(9, 13, n_stars)
    parts = []
    truth = []
    for i in range(n_images):
        chosen = np.flatnonzero(rng.random(n_stars) < seen)
        rng.shuffle(chosen)
        n = len(chosen)
        angle = turn * i
        dx, dy = rng.normal(0, shift, 2) if i else (0, 0)
        c, s = np.cos(angle), np.sin(angle)
        u, v = x0[chosen] - SIZE / 2, y0[chosen] - SIZE / 2
        x = c * u - s * v + SIZE / 2 + dx + rng.normal(0, jitter, n)
        y = s * u + c * v + SIZE / 2 + dy + rng.normal(0, jitter, n)
        nan = np.full(n, np.nan)
        wobble = rng.normal(0, jitter * PIXEL / 3600, (2, n))
        parts.append(Measures(
            np.full(n, i, np.int32), x.astype(np.float32), y.astype(np.float32),
            ra[chosen] + wobble[0] if wcs else nan, dec[chosen] + wobble[1] if wcs else nan,
            mag[chosen], np.full(n, 0.01), mag[chosen], np.zeros(n, np.int32),
            np.full(n, -1, np.int64),
        ))  # fmt: skip
        truth.append(chosen)
    m = n_images
    images = Images(
        tuple(f"e{i}" for i in range(m)), ("a",) * m, ("g",) * m, 59000.0 + np.arange(m),
        np.full(m, PIXEL if wcs else np.nan), ("f",) * m,
    )  # fmt: skip
    return images, Measures.joined(parts), np.concatenate(truth), (ra, dec)


def check(matched, truth, least=0.97):
    """Every star of ours is one true star, and nearly all measures are matched."""
    known = matched.measures.star >= 0
    assert known.mean() > least
    pairs = np.unique(np.stack([matched.measures.star[known], truth[known]]), axis=1)
    assert len(np.unique(pairs[0])) == pairs.shape[1]
    assert len(np.unique(pairs[1])) == pairs.shape[1]


def wanted(ra, dec, numbers=None):
    n = len(ra)
    none = np.full(n, np.nan)
    numbers = np.arange(1, n + 1) if numbers is None else np.asarray(numbers)
    return Stars(numbers, ra, dec, none, none, np.ones(n, bool), none)


def test_on_the_sky():
    images, measures, truth, sky = observed(np.random.default_rng(1))
    matched = match_stars(images, measures)
    check(matched, truth)
    assert not matched.errors
    distance = np.linalg.norm(
        unit_vectors(matched.stars.ra, matched.stars.dec)[:, None] - unit_vectors(*sky)[None],
        axis=2,
    ).min(axis=1)
    assert np.median(distance) < 1.0  # arcsec
    assert np.isnan(matched.stars.x).all()


def test_a_wcs_that_is_off_by_more_than_the_radius_allows_few_pairs():
    images, measures, truth, _ = observed(np.random.default_rng(2))
    shifted = measures.image == 3
    measures.dec[shifted] += 1.2 * PIXEL / 3600
    check(match_stars(images, measures, radius=1.5), truth, least=0.95)


@pytest.mark.parametrize("turn", [0.0, 0.02])
def test_by_chip_positions_where_there_is_no_wcs(turn):
    images, measures, truth, _ = observed(np.random.default_rng(3), wcs=False, turn=turn)
    matched = match_stars(images, measures)
    check(matched, truth)
    assert np.isnan(matched.stars.ra).all()
    assert np.isfinite(matched.stars.x).all()


def test_an_image_of_another_field_is_left_out_with_a_reason():
    images, measures, truth, _ = observed(np.random.default_rng(4), wcs=False)
    other = measures.image == 5
    rng = np.random.default_rng(5)
    measures.x[other] = rng.uniform(0, SIZE, other.sum())
    measures.y[other] = rng.uniform(0, SIZE, other.sum())
    matched = match_stars(images, measures)
    assert any("e5" in text and "left out" in text for text in matched.errors)
    assert (matched.measures.star[other] == -1).all()
    check(match_stars(images, measures[~other]), truth[~other])


def test_an_image_without_wcs_among_others_is_told_of():
    images, measures, _, _ = observed(np.random.default_rng(6))
    lost = measures.image == 2
    measures.ra[lost] = np.nan
    matched = match_stars(images, measures)
    assert [text for text in matched.errors if "e2" in text]
    assert (matched.measures.star[lost] == -1).all()


def test_wanted_stars_come_first_with_their_numbers_and_places():
    images, measures, truth, (ra, dec) = observed(np.random.default_rng(7))
    asked = wanted(ra[[5, 9]], dec[[5, 9]], [501, 77])
    matched = match_stars(images, measures, wanted=asked)
    assert matched.stars.id[:2].tolist() == [501, 77]
    assert matched.stars.asked.sum() == 2
    assert len(np.unique(matched.stars.id)) == len(matched.stars)
    for row, star in enumerate((5, 9)):
        assert set(truth[matched.measures.star == row]) == {star}
    check(matched, truth)


def test_a_wanted_star_that_is_nowhere_stays_without_measures():
    images, measures, _, (ra, dec) = observed(np.random.default_rng(8))
    matched = match_stars(images, measures, wanted=wanted(ra[:1] + 20, dec[:1]))
    assert len(matched.stars) > 1
    assert (matched.measures.star != 0).all()


def test_stars_of_few_images_and_cosmic_rays_are_no_stars():
    images, measures, _, _ = observed(np.random.default_rng(9), n_stars=60)
    n = 40
    rng = np.random.default_rng(1)
    ra, dec = to_sky(*rng.uniform(0, SIZE, (2, n)))
    rays = measures[:n]
    rays = Measures(
        rays.image, rays.x, rays.y, ra, dec, rays.mag, rays.mag_err, rays.plain,
        np.full(n, int(Flag.COSMIC_RAY), np.int32), rays.star,
    )  # fmt: skip
    matched = match_stars(images, Measures.joined([measures, rays]), min_images=3)
    assert len(matched.stars) <= 60


def test_across_right_ascension_zero_and_near_the_pole():
    images, measures, truth, _ = observed(np.random.default_rng(10))
    measures.ra[:] = (measures.ra - 60) % 360
    matched = match_stars(images, measures)
    check(matched, truth)
    assert (matched.stars.ra >= 0).all()
    assert (matched.stars.ra < 360).all()
    measures.dec[:] = measures.dec + 119.0
    assert len(match_stars(images, measures).stars) > 50
