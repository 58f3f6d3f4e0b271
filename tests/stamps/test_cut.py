import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.stamps.cut import corner, crop, cut_stamps
from filar.stamps.labels import Labels
from filar.stamps.stamps import concatenate

ANY_SIZE = st.integers(4, 12)
ANY_PLACE = st.floats(-20, 900)


def ramp(shape=(30, 40), **changes):
    y, x = np.mgrid[: shape[0], : shape[1]]
    blank = np.zeros(shape, bool)
    facts = {"mask": blank, "saturated": blank, "edge": blank, "gain": 1.0, "read_noise": 4.0}
    return Exposure((100.0 * y + x).astype(np.float32), **(facts | changes))


def cut(exposure, x, y, size=6, **values):
    x, y = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
    known = {"flux": np.full(len(x), 1000.0), "sky": np.full(len(x), 20.0)}
    return cut_stamps(exposure, x, y, size, **(known | values))


@given(ANY_PLACE, ANY_SIZE)
def test_the_star_lies_in_the_middle_of_its_raster(place, size):
    at = place - corner(np.array([place]), size)[0]
    middle = (size - 1) / 2
    if size % 2:
        assert middle - 0.5 - 1e-9 <= at <= middle + 0.5 + 1e-9
    else:
        assert size // 2 - 1 - 1e-9 <= at <= size // 2 + 1e-9


@given(st.floats(8, 30), st.floats(8, 20), ANY_SIZE)
def test_raster_coordinates_name_the_chips_pixels(x, y, size):
    one = cut(ramp(), x, y, size)
    row, column = np.mgrid[:size, :size]
    expected = 100 * (row + one.corner_y[0]) + column + one.corner_x[0]
    assert np.array_equal(one.pixels[0], expected)
    assert not one.bad.any()


def test_what_is_masked_saturated_outside_or_no_number_is_bad_and_zero():
    mask, saturated = np.zeros((2, 30, 40), bool)
    mask[10, 12] = saturated[11, 13] = True
    exposure = ramp(mask=mask, saturated=saturated)
    exposure.data[9, 11] = np.nan
    stamps = cut(exposure, [12.5, 1.0], [10.5, 10.5])
    at = {(9, 11), (10, 12), (11, 13)}
    found = {
        (int(row + stamps.corner_y[0]), int(column + stamps.corner_x[0]))
        for row, column in np.argwhere(stamps.bad[0])
    }
    assert found == at
    assert stamps.bad[1, :, 0].all()
    assert not stamps.bad[1, :, 1:].any()
    assert not stamps.pixels[stamps.bad].any()
    assert np.isfinite(stamps.pixels).all()


def test_light_of_others_is_taken_off_good_pixels():
    mask = np.zeros((30, 40), bool)
    mask[10, 12] = True
    whole = cut(ramp(mask=mask), 12.5, 10.5)
    less = cut(ramp(mask=mask), 12.5, 10.5, others=np.full((1, 6, 6), 7.0))
    assert np.array_equal(less.pixels, np.where(whole.bad, 0, whole.pixels - 7))


def test_scalars_come_along():
    stamps = cut(ramp(name="e1", chip="PC"), [10, 11], [10, 11], flux=np.array([100.0, -1.0]))
    assert stamps.mag[0] == pytest.approx(-5.0)
    assert np.isnan(stamps.mag[1])
    assert np.array_equal(stamps.read_noise, [4.0, 4.0])
    assert stamps.groups[0].exposure == "e1"
    assert stamps.groups[0].shape == (30, 40)


def test_choosing_and_joining_keep_rows_with_their_groups():
    first, second = (
        cut(ramp(name=name), [10, 11, 12], [10, 11, 12], flux=np.arange(1, 4) * scale)
        for name, scale in (("a", 1.0), ("b", 10.0))
    )
    joined = concatenate([first[1:], second[np.array([2, 0])], first[:1]])
    assert [joined.groups[g].exposure for g in joined.group] == ["a", "a", "b", "b", "a"]
    assert list(joined.flux) == [2, 3, 30, 10, 1]
    assert len(joined.groups) == 2
    assert len(joined[joined.flux > 5]) == 2


def test_no_stars_make_no_stamps():
    assert len(cut(ramp(), [], [])) == 0


def test_senseless_arguments_are_named():
    with pytest.raises(ParameterError, match="size"):
        cut(ramp(), 10, 10, 3)
    with pytest.raises(ParameterError, match="1 positions not finite"):
        cut(ramp(), [10, np.nan], [10, 10])
    with pytest.raises(ParameterError, match="flux"):
        cut(ramp(), [10, 10], [10, 10], flux=np.ones(3))
    with pytest.raises(ParameterError, match="one size"):
        concatenate([cut(ramp(), 10, 10, 4), cut(ramp(), 10, 10, 6)])


@given(st.floats(0, 40), st.floats(0, 30), st.integers(4, 12), st.integers(4, 12))
def test_cropping_is_cutting_smaller(x, y, one, two):
    small, large = sorted((one, two))
    cuts = {size: cut(ramp(), [x, 20.2], [y, 12.7], size) for size in (small, large)}
    labels = {
        size: Labels.build(20.5 - c.corner_x, 12.25 - c.corner_y, x_classic=20 - c.corner_x)
        for size, c in cuts.items()
    }
    stamps, cropped = crop(cuts[large], labels[large], small)
    for name, column in cuts[small].columns().items():
        assert np.array_equal(getattr(stamps, name), column), name
    for name, column in labels[small].columns().items():
        np.testing.assert_array_equal(getattr(cropped, name), column)


def test_rasters_cannot_be_cropped_to_larger_ones():
    stamps = cut(ramp(), 10, 10, 6)
    with pytest.raises(ParameterError, match="size"):
        crop(stamps, Labels.build(np.zeros(1), np.zeros(1)), 7)
