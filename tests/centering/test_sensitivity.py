import numpy as np
import pytest

from filar.centering.sensitivity import central_star, sensitivity
from filar.errors import ParameterError
from tests.centering.stores import Reader, make_store


@pytest.fixture(scope="module")
def stamps(tmp_path_factory):
    store, _ = make_store(tmp_path_factory.mktemp("s") / "pc", stars=100, exposures=2)
    return store.read()


def test_only_what_is_told_changes(stamps) -> None:
    """The network's answer is a known function of the place and the magnitude that it is told."""
    star = stamps[0][np.array([7])]
    found = sensitivity(Reader(excess=0, bend=0.02, slope=0).predict, star, nodes=5)
    assert len(found.grid_x) == 25
    assert len(np.unique(found.grid_x)) == 5
    assert 10 < found.grid_x.min() < 30
    assert 770 < found.grid_y.max() < 790
    own = float(star.corner_x[0]), float(star.corner_y[0])
    move_x, move_y = (np.rint(g - p) for g, p in (
        (found.grid_x, star.x_start), (found.grid_y, star.y_start)))  # fmt: skip
    told_x, told_y = (own[0] + move_x - 400) / 400, (own[1] + move_y - 400) / 400
    np.testing.assert_allclose(found.place_dx, 0.02 * move_x / 400 * (1 + told_y), atol=1e-6)
    np.testing.assert_allclose(found.place_dy, 0.02 * move_y / 400 * (1 + told_x), atol=1e-6)


def test_a_network_that_is_told_nothing_stands_still(stamps) -> None:
    found = sensitivity(Reader(excess=0, bend=0, slope=0).predict, stamps[0][np.array([7])])
    for change in (found.place_dx, found.place_dy, found.mag_dx, found.mag_dy):
        np.testing.assert_allclose(change, 0, atol=1e-9)


def test_magnitudes_span_six_within_those_of_the_training(stamps) -> None:
    star = stamps[0][np.array([7])]
    mag = float(star.mag[0])
    for limits, expected in (
        (None, (mag - 3, mag + 3)),
        ((mag - 9, mag + 9), (mag - 3, mag + 3)),
        ((mag - 1, mag + 9), (mag - 1, mag + 5)),
        ((mag - 9, mag + 1), (mag - 5, mag + 1)),
        ((mag - 1, mag + 2), (mag - 1, mag + 2)),
        ((mag + 1, mag + 2), (mag, mag + 2)),
    ):
        found = sensitivity(Reader(excess=0, slope=0.002).predict, star, limits)
        np.testing.assert_allclose(found.mags[[0, -1]], expected, atol=1e-5)
        np.testing.assert_allclose(found.mag_dx, 0.002 * (found.mags - mag), atol=1e-6)


def test_the_star_is_the_brightest_of_the_middle(stamps) -> None:
    own, labels = stamps
    usable = labels.flags == 0
    row = central_star(own, labels.snr, usable)
    central = (np.abs(own.x_start - 400) < 100) & (np.abs(own.y_start - 400) < 100) & usable
    assert labels.snr[row] == labels.snr[central].max()
    nearest = central_star(own, labels.snr, usable & ~central)
    distance = np.hypot(own.x_start - 400, own.y_start - 400)
    assert distance[nearest] == distance[usable & ~central].min()
    with pytest.raises(ParameterError, match="no usable star"):
        central_star(own, labels.snr, np.zeros(len(own), bool))


def test_one_star_at_a_time(stamps) -> None:
    with pytest.raises(ParameterError, match="2 rasters"):
        sensitivity(Reader().predict, stamps[0][:2])
