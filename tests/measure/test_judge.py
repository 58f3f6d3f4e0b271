from dataclasses import replace

import numpy as np

from filar.detect import Detections
from filar.fit import fit_stars
from filar.flags import Flag
from filar.measure.judge import duplicates, outside, select_fits, shape_flags

from . import samples


def found(x, y, flags=0):
    x, y = np.asarray(x, float), np.asarray(y, float)
    same = np.zeros(len(x))
    bits = np.broadcast_to(np.asarray(flags, np.int32), len(x)).copy()
    return Detections(x, y, same, same, same, same, same, bits)


def fitted(detections, **changes):
    exposure, _, _ = samples.exposure()
    fits = fit_stars(exposure, samples.psf(), detections.x, detections.y, box=5)
    return replace(fits, **{k: np.asarray(v) for k, v in changes.items()})


def test_what_ran_away_to_another_star_is_lost():
    stars = found([20.0, 22.0, 60.0], [20.0, 20.0, 60.0])
    fits = fitted(stars, x=[20.1, 20.2, 60.0], y=[20.0, 20.0, 60.0])
    assert list(duplicates(stars, fits)) == [False, True, False]


def test_a_saturated_star_is_kept_however_far_it_moved():
    stars = found([20.0, 22.0], [20.0, 24.0], [0, Flag.SATURATED])
    fits = fitted(stars, x=[20.1, 20.2], y=[20.0, 20.0])
    assert list(duplicates(stars, fits)) == [True, False]


def test_a_chain_loses_no_more_than_it_must():
    # The first and the last are 1.4 pixels apart and both stay.
    stars = found([20.0, 22.0, 21.4], [20.0, 20.0, 20.0])
    fits = fitted(stars, x=[20.0, 20.7, 21.4], y=[20.0, 20.0, 20.0])
    assert list(duplicates(stars, fits)) == [False, True, False]


def test_missing_positions_and_few_stars_are_harmless():
    stars = found([20.0, 21.0], [20.0, 20.0])
    fits = fitted(stars, x=[np.nan, np.nan])
    assert not duplicates(stars, fits).any()
    none = found([], [])
    assert len(duplicates(none, select_fits(fits, np.zeros(2, bool)))) == 0


def test_what_ends_outside_of_the_field_is_told():
    exposure, _, _ = samples.exposure()
    edge = np.zeros(exposure.shape, bool)
    edge[:, :30] = True
    fits = fitted(
        found([40.0, 31.0, 40.0, 40.0], [40.0] * 4),
        x=[29.6, 29.4, -0.6, 40.0],
        y=[40.0, 40.0, 40.0, exposure.shape[0] - 0.4],
    )
    told = outside(exposure.replace(edge=edge, mask=edge), fits)
    assert list(told) == [False, True, True, True]


def test_select_keeps_the_rows():
    stars = found([20.0, 40.0, 60.0], [20.0, 40.0, 60.0])
    fits = fitted(stars)
    chosen = select_fits(fits, np.array([True, False, True]))
    assert len(chosen.x) == 2
    assert list(chosen.flux) == [fits.flux[0], fits.flux[2]]


def test_stars_pass_and_other_shapes_are_flagged():
    exposure, x, y = samples.exposure()
    rows, columns = np.mgrid[: samples.SHAPE[0], : samples.SHAPE[1]]
    data = exposure.data.copy()
    data[70, 81] += 20_000  # one pixel of light between the stars
    blob = 400_000 / (2 * np.pi * 16) * np.exp(-((columns - 25) ** 2 + (rows - 21) ** 2) / 32)
    data += blob.astype(np.float32)
    stars = found([81.0, 25.0, *x[-30:]], [70.0, 21.0, *y[-30:]])
    exposure = exposure.replace(data=data)
    fits = fit_stars(exposure, samples.psf(), stars.x, stars.y, box=5)
    flags = shape_flags(exposure, samples.psf(), stars, fits)
    assert flags[0] == Flag.COSMIC_RAY
    assert flags[1] == Flag.EXTENDED
    assert not flags[2:].any()
    crowded = shape_flags(exposure, samples.psf(), found(stars.x, stars.y, Flag.NEIGHBOUR), fits)
    assert list(crowded[:2]) == [Flag.COSMIC_RAY, 0]


def test_saturated_stars_are_left_alone():
    exposure, _, _ = samples.exposure()
    stars = found([81.0], [70.0])
    data = exposure.data.copy()
    data[70, 81] += 20_000
    exposure = exposure.replace(data=data)
    fits = fit_stars(exposure, samples.psf(), stars.x, stars.y, box=5)
    fits = replace(fits, flags=np.array([Flag.SATURATED], np.int32))
    assert not shape_flags(exposure, samples.psf(), stars, fits).any()
