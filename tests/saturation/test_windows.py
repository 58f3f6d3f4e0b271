"""Squares cut out of images, and added to them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.saturation.windows import add, cut, distances

coordinates = st.lists(st.tuples(st.floats(-20, 40), st.floats(-20, 40)), min_size=1, max_size=6)


@given(coordinates, st.integers(0, 12))
def test_what_is_cut_is_what_the_padded_image_holds(
    at: list[tuple[float, float]], half: int
) -> None:
    image = np.random.default_rng(0).normal(size=(17, 23))
    x, y = np.array(at).T
    padded = np.pad(image, 60, constant_values=-7.0)
    found = cut(image, x, y, half, -7.0)
    for stamp, column, row in zip(found, np.rint(x), np.rint(y), strict=True):
        r, c = int(row) + 60, int(column) + 60
        expected = padded[r - half : r + half + 1, c - half : c + half + 1]
        np.testing.assert_array_equal(stamp, expected)


@given(coordinates, st.integers(0, 12))
def test_adding_is_the_adjoint_of_cutting(at: list[tuple[float, float]], half: int) -> None:
    """For any image and stamps: stamps . cut(image) = add(stamps) . image, borders included."""
    rng = np.random.default_rng(1)
    image = rng.normal(size=(17, 23))
    x, y = np.array(at).T
    stamps = rng.normal(size=(len(x), 2 * half + 1, 2 * half + 1))
    drawn = np.zeros_like(image)
    add(drawn, stamps, x, y)
    assert np.sum(stamps * cut(image, x, y, half)) == pytest.approx(np.sum(drawn * image))


@given(st.floats(-20, 40), st.floats(-20, 40), st.integers(0, 12))
def test_what_was_added_can_be_cut_out_again(x: float, y: float, half: int) -> None:
    at = np.array([x]), np.array([y])
    stamp = np.random.default_rng(2).normal(size=(1, 2 * half + 1, 2 * half + 1))
    image = np.zeros((17, 23))
    add(image, stamp, *at)
    inside = cut(np.ones_like(image), *at, half)
    np.testing.assert_array_equal(cut(image, *at, half), stamp * inside)


def test_masks_stay_masks_and_lie_outside_as_wanted() -> None:
    image = np.zeros((5, 5), bool)
    found = cut(image, np.array([0.0]), np.array([4.0]), 1, True)
    assert found.dtype == bool
    assert found[0].tolist() == [[True, False, False], [True, False, False], [True, True, True]]


def test_no_stars() -> None:
    image = np.zeros((5, 5))
    none = np.zeros(0)
    assert cut(image, none, none, 2).shape == (0, 5, 5)
    add(image, np.zeros((0, 5, 5)), none, none)
    assert not image.any()


@given(st.floats(0, 30), st.floats(0, 30))
def test_distances_are_from_the_star_not_from_the_pixel(x: float, y: float) -> None:
    found = distances(np.array([x]), np.array([y]), 3)[0]
    rows, columns = np.mgrid[-3:4, -3:4]
    expected = np.hypot(columns + np.rint(x) - x, rows + np.rint(y) - y)
    np.testing.assert_allclose(found, expected, atol=1e-12)
