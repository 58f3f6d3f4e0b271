"""Finding stars in the real omega Cen exposure."""

import warnings

import numpy as np
import pytest
from scipy import ndimage

from filar.detect import detect_stars
from filar.flags import Flag
from filar.instruments import read_exposures

BAD = Flag.COSMIC_RAY | Flag.HOT_PIXEL


@pytest.fixture(scope="module")
def chips(request):
    folder = request.getfixturevalue("shared")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exposures = read_exposures(folder / "wfpc2" / "u40x010hm_c0f.fits")
    return [(exposure, detect_stars(exposure)) for exposure in exposures]


def test_enough_stars_on_every_chip(chips):
    counts = [np.count_nonzero((d.flags & BAD) == 0) for _, d in chips]
    assert sum(counts) >= 9000
    assert np.all(np.array(counts) > [1000, 2900, 3300, 3700])


def test_no_detection_in_the_vignetted_edge(chips):
    for exposure, d in chips:
        assert not exposure.edge[np.rint(d.y).astype(int), np.rint(d.x).astype(int)].any()


def test_each_saturated_blob_gives_one_detection(chips):
    for exposure, d in chips:
        saturated = exposure.saturated & ~exposure.edge
        labels, count = ndimage.label(saturated, np.ones((3, 3)))
        sizes = ndimage.sum_labels(saturated, labels, np.arange(1, count + 1))
        stars = d.select((d.flags & Flag.SATURATED) > 0)
        assert np.isfinite(stars.x).all()
        assert np.isfinite(stars.y).all()
        big = np.count_nonzero(sizes >= 3)
        assert big <= len(stars) <= count
        nothing_else = d.select((d.flags & Flag.SATURATED) == 0)
        rows, columns = np.rint(nothing_else.y).astype(int), np.rint(nothing_else.x).astype(int)
        assert not saturated[rows, columns].any()


@pytest.mark.parametrize(
    ("chip", "x", "y"),
    # Centres read by eye from the unsaturated pixels on both sides of the blobs.
    [("PC", 136.4, 515.9), ("WF2", 232.7, 297.7), ("WF4", 509.0, 338.6)],
)
def test_stars_with_long_trails_are_centred(chips, chip, x, y):
    (d,) = (d for exposure, d in chips if exposure.chip == chip)
    stars = d.select((d.flags & Flag.SATURATED) > 0)
    assert np.hypot(stars.x - x, stars.y - y).min() < 0.6


def test_few_bright_detections_are_called_cosmic_rays(chips):
    # 100 s on WFPC2: about 180 events per chip, a part of them too faint to tell.
    for _, d in chips:
        flagged = np.count_nonzero(d.flags & BAD)
        assert 80 < flagged < 260
        bright = d.select((d.snr > 300) & ((d.flags & Flag.SATURATED) == 0))
        assert np.mean((bright.flags & BAD) > 0) < 0.12
