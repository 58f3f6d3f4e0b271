from dataclasses import replace

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.frames.accuracy import accuracy, by_magnitude, field_map
from filar.frames.curves import fit_bias, transformation_curve
from filar.frames.rowerror import row_residual
from filar.frames.spread import well_known
from filar.frames.truemean import mean_errors
from filar.frames.truephase import against_phase, phase_over_field
from filar.frames.truth import Truth, truth_errors
from tests.frames.synthetic import Sky, frame_of, left_out


def errors_of(sky: Sky):
    return truth_errors(sky.frame(), Truth.from_table(sky.truth()))


def test_errors_at_the_bound_have_ratio_and_pull_one() -> None:
    errors = errors_of(Sky(bias=0.0))
    assert len(errors) == 400 * 30
    for axis in "xy":
        short = accuracy(errors, axis)
        # The cubic maps take 10 of 400 degrees of freedom.
        assert short.ratio == pytest.approx(np.sqrt(1 - 10 / 400), abs=4 * short.ratio_err)
        assert short.pull == pytest.approx(short.ratio)
        assert short.rms == pytest.approx(0.01, rel=0.05)
        bins = by_magnitude(errors, axis)
        assert len(bins.mag) >= 8
        assert bins.number.sum() == len(errors)
        assert (np.abs(bins.ratio - 0.99) < 4 * bins.ratio_err).all()
        np.testing.assert_allclose(bins.bound, 0.01)


def test_quoted_errors_that_are_too_small_show() -> None:
    sky = Sky(bias=0.0, bound=0.005)
    lists = [replace(s, x_err=s.x_err / 3) for s in sky.lists()]
    frame = frame_of(lists, sky.offsets, "bold")
    errors = truth_errors(frame, Truth.from_table(sky.truth()))
    assert accuracy(errors, "x").pull == pytest.approx(3, rel=0.05)
    assert accuracy(errors, "y").pull == pytest.approx(1, rel=0.05)
    assert accuracy(errors, "x").ratio == pytest.approx(2, rel=0.05)


def test_the_bias_itself_is_seen_against_phase() -> None:
    bins, wave = against_phase(errors_of(Sky(bias=0.02)), "x")
    assert wave.sine == pytest.approx(0.02, rel=0.06)
    assert abs(wave.cosine) < 4 * wave.error
    np.testing.assert_allclose(bins.median, 0.02 * np.sin(2 * np.pi * bins.centre), atol=0.003)
    _, none = against_phase(errors_of(Sky(bias=0.0)), "x")
    assert none.amplitude < 4 * none.error
    assert none.error == pytest.approx(0.01 * np.sqrt(2 / 12000), rel=0.1)


def test_a_bias_that_changes_over_the_chip_is_seen_where_its_mean_is_none() -> None:
    sky = Sky(bias=0.0, stars=600)
    lists = []
    for stars, name in zip(sky.lists(), range(sky.exposures), strict=True):
        x, _ = sky.place(name)
        wave = 0.03 * (stars.y / 400 - 1) * np.cos(2 * np.pi * x)
        lists.append(replace(stars, x=stars.x + wave))
    errors = truth_errors(frame_of(lists, sky.offsets, "tilted"), Truth.from_table(sky.truth()))
    assert against_phase(errors, "x")[1].amplitude < 0.002
    found = phase_over_field(errors, "x")
    expected = 0.03 * np.sqrt(np.mean((sky.y / 400 - 1) ** 2))
    assert found.amplitude == pytest.approx(expected, rel=0.05)
    none = phase_over_field(errors, "y")
    assert abs(none.amplitude) < 4 * none.error
    bias = frame_of(lists, sky.offsets, "tilted")
    fit = fit_bias(transformation_curve(bias, "x"))
    assert fit.amplitude == pytest.approx(expected, abs=4 * fit.amplitude_err)
    assert np.isnan(phase_over_field(errors_of(Sky(stars=40, exposures=3)), "x").amplitude)


def test_offsets_and_distortion_are_mapped_away_but_kept_in_the_raw_errors() -> None:
    sky = Sky(bias=0.0)
    lists = [replace(s, x=s.x + 0.2 + 1e-4 * (s.x - 400)) for s in sky.lists()]
    errors = truth_errors(frame_of(lists, sky.offsets, "bent"), Truth.from_table(sky.truth()))
    assert np.median(errors.raw_dx) == pytest.approx(0.2, abs=0.01)
    assert accuracy(errors, "x").rms == pytest.approx(0.01, rel=0.05)
    parts = field_map(errors)
    assert len(parts.x) > 55
    assert np.abs(parts.dx).max() < 5 * parts.dx_err.max() + 0.003


def test_what_a_cubic_cannot_take_shows_on_the_map() -> None:
    sky = Sky(bias=0.0, stars=900)
    lists = [replace(s, y=s.y + 0.02 * np.sin(s.x / 25)) for s in sky.lists()]
    errors = truth_errors(frame_of(lists, sky.offsets, "wavy"), Truth.from_table(sky.truth()))
    parts = field_map(errors, parts=16)
    wave = 0.02 * np.sin(parts.x / 25)
    assert np.corrcoef(parts.dy, wave)[0, 1] > 0.8
    assert abs(np.corrcoef(parts.dx, wave)[0, 1]) < 0.3


def test_the_narrow_rows_are_found() -> None:
    errors = errors_of(Sky(bias=0.0, stars=1000, exposures=10, row_jump=0.03))
    rows = row_residual(errors.y, errors.dy)
    assert rows.height == pytest.approx(0.03, rel=0.08)
    # The made-up rows jump where y + 0.5 is a whole number of periods.
    assert min(abs(rows.row - 33.63), abs(rows.row + 0.5)) < 1.0
    flat = errors_of(Sky(bias=0.0, stars=1000, exposures=10))
    assert abs(row_residual(flat.y, flat.dy).height) < 0.003
    few = row_residual(errors.y[:20], errors.dy[:20])
    assert np.isnan(few.height)
    with pytest.raises(ParameterError, match="period"):
        row_residual(errors.y, errors.dy, 0.0)


def test_the_mean_catalogue_falls_with_the_root_of_the_measures() -> None:
    sky = Sky(bias=0.0, exposures=36)
    frame, truth = sky.frame(), Truth.from_table(sky.truth())
    errors = truth_errors(frame, truth)
    means = mean_errors(frame, truth, errors, well_known(frame))
    assert len(means) == 400
    short = accuracy(means, "x")
    assert short.bound == pytest.approx(0.01 / 6)
    assert short.ratio == pytest.approx(1, abs=0.15)
    assert np.isnan(short.pull)
    assert by_magnitude(means, "y").rms.max() < 0.004


def test_identity_is_taken_from_most_measures_not_from_the_place() -> None:
    """A reference far from the truth's own system is no obstacle."""
    sky = Sky(bias=0.0, exposures=8, reach=40.0)
    order = [5, *range(5), 6, 7]
    lists = sky.lists()
    frame = frame_of([lists[i] for i in order], sky.offsets[order] - sky.offsets[5], "psf")
    truth = Truth.from_table(sky.truth())
    means = mean_errors(frame, truth, truth_errors(frame, truth), well_known(frame))
    assert len(means) > 395
    assert accuracy(means, "y").rms < 0.006


def test_exposures_without_truth_or_left_out_and_many_exposures() -> None:
    sky = Sky(stars=100, exposures=10)
    table = sky.truth()
    keep = table["exposure"] != "e002"
    truth = Truth.from_table({name: column[keep] for name, column in table.items()})
    frame = left_out(sky.frame(), 4, "corrupt")
    errors = truth_errors(frame, truth)
    assert set(errors.tie) == {0, 1, 3, 5, 6, 7, 8, 9}
    # So many, from the first to the last.
    assert set(truth_errors(frame, truth, max_exposures=5).tie) == {0, 3, 6, 7, 9}
    other = replace(frame, chip="WF4")
    assert len(truth_errors(other, truth)) == 0
    assert accuracy(truth_errors(other, truth), "x").number == 0
    assert len(by_magnitude(truth_errors(other, truth), "x").mag) == 0
    assert len(field_map(truth_errors(other, truth)).x) == 0


def test_too_few_stars_for_a_cubic_take_a_lower_order_or_none() -> None:
    assert np.isfinite(errors_of(Sky(stars=20, exposures=3)).dx).all()
    assert np.isfinite(errors_of(Sky(stars=25, exposures=3)).dx).all()


def test_a_truth_without_its_columns_is_refused() -> None:
    with pytest.raises(ParameterError, match="x_bound"):
        Truth.from_table({"exposure": np.array(["a"])})
