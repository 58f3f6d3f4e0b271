from dataclasses import replace

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.flags import Flag
from filar.frames.curves import fit_bias, transformation_curve
from filar.frames.frame import Frame
from filar.frames.matching import mutual_nearest
from filar.frames.mean import solve_frames
from filar.frames.polynomial import fit_polynomial
from filar.frames.settings import FrameSettings
from filar.frames.starlist import StarList
from tests.frames.fields import SIZE, Field, dithers, expose, field

STARS = field(800)


def solve(lists: list[StarList], **choices) -> Frame:
    (frame,) = solve_frames(lists, FrameSettings(**choices))
    return frame


def compared(frame: Frame, stars: Field) -> tuple[np.ndarray, np.ndarray]:
    i, j = mutual_nearest(frame.x, frame.y, stars.x, stars.y, 0.5)
    assert len(i) > 0.9 * np.count_nonzero((stars.x > 5) & (stars.x < SIZE - 5))
    return i, j


@pytest.fixture(scope="module")
def frame() -> Frame:
    return solve(dithers(STARS, 25))


def test_means_are_unbiased_and_errors_honest(frame: Frame) -> None:
    i, j = compared(frame, STARS)
    for name, truth in (("x", STARS.x), ("y", STARS.y)):
        mean, rms = getattr(frame, name)[i], getattr(frame, f"{name}_rms")[i]
        error = STARS.sigma[j] / np.sqrt(frame.n_used[i])
        # The reference's own errors bend the frame; a cubic takes that out.
        fit = fit_polynomial(frame.x[i], frame.y[i], STARS.x[j], STARS.y[j], clip=100)
        left = fit.residual_x if name == "x" else fit.residual_y
        assert np.std(left / error) == pytest.approx(1, abs=0.1)
        assert abs(np.mean(mean - truth[j])) < 0.003
        assert np.sqrt(np.mean((rms / STARS.sigma[j]) ** 2)) == pytest.approx(1, abs=0.05)


def test_cosmic_rays_are_no_stars(frame: Frame) -> None:
    i, _ = compared(frame, STARS)
    assert len(frame) - len(i) <= 2
    inside = (np.minimum(frame.x, frame.y) > 3) & (np.maximum(frame.x, frame.y) < SIZE - 3)
    assert (frame.n_found[inside] >= 5).all()
    assert (frame.n_used <= frame.n_found).all()


def test_the_frame_is_the_reference_s_system(frame: Frame) -> None:
    assert frame.reference == "e000"
    x, y = frame.in_exposure(0)
    assert np.abs(x - frame.x).max() < 0.01
    assert np.abs(y - frame.y).max() < 0.01
    assert np.isnan(frame.ties[0].reference_error_x)
    assert (frame.ties[0].offset_x, frame.ties[0].offset_y) == (0, 0)


def test_offsets_and_standard_errors(frame: Frame) -> None:
    lists = dithers(STARS, 25)
    for k, tie in list(enumerate(frame.ties))[1:]:
        shift = np.random.default_rng([k, 77]).uniform(-2, 2, 2)
        assert (tie.offset_x, tie.offset_y) == pytest.approx(tuple(shift), abs=0.01)
        assert tie.stars.exposure == lists[k].exposure
        # Two measures with errors of their own against one.
        assert tie.reference_error_x / tie.error_x == pytest.approx(np.sqrt(2), rel=0.15)
        assert tie.n_reference > 500


def test_back_in_an_exposure_stars_are_where_they_were(frame: Frame) -> None:
    i, j = compared(frame, STARS)
    shift = np.random.default_rng([7, 77]).uniform(-2, 2, 2)
    x, y = frame.in_exposure(7)
    off = np.hypot(x[i] - STARS.x[j] - shift[0], y[i] - STARS.y[j] - shift[1])
    error = np.hypot(STARS.sigma[j], STARS.sigma[j]) / np.sqrt(25)
    floor = 2 * STARS.sigma.mean() * np.sqrt(20 / len(STARS.x))
    assert np.median(off / np.hypot(error, floor)) < 1


def test_measures_say_where_each_came_from(frame: Frame) -> None:
    measures = frame.measures
    assert (np.diff(measures.star) >= 0).all()
    k = len(measures) // 2
    tie = frame.ties[measures.tie[k]]
    row = measures.row[k]
    x, y = tie.to_frame(tie.stars.x[row : row + 1], tie.stars.y[row : row + 1])
    assert (x[0], y[0]) == pytest.approx((measures.x[k], measures.y[k]))
    assert np.hypot(x[0] - frame.x[measures.star[k]], y[0] - frame.y[measures.star[k]]) < 1
    used = np.bincount(measures.star[measures.used], minlength=len(frame))
    np.testing.assert_array_equal(used, frame.n_used)
    np.testing.assert_array_equal(np.bincount(measures.star), frame.n_found)
    pairs = measures.star.astype(np.int64) * 1000 + measures.tie
    assert len(np.unique(pairs)) == len(pairs)


def test_magnitudes_of_unequal_exposures_are_brought_to_the_reference_s() -> None:
    lists = dithers(STARS, 8)
    lists[3] = replace(lists[3], mag=lists[3].mag + 0.75)
    frame = solve(lists)
    i, j = compared(frame, STARS)
    assert frame.ties[3].mag_offset == pytest.approx(0.75, abs=0.005)
    assert np.median(frame.mag[i] - STARS.mag[j]) == pytest.approx(0, abs=0.003)
    assert np.median(frame.mag_rms) == pytest.approx(0.01, rel=0.15)


def test_spoilt_measures_never_count_and_damaged_ones_only_where_needed() -> None:
    lists = dithers(STARS, 10, rays=0, found=1.0)
    truth = solve(lists)
    star = int(np.argmin(np.hypot(STARS.x - 400, STARS.y - 400)))
    for k, stars in enumerate(lists):
        row = int(
            np.argmin(
                np.abs(stars.mag - STARS.mag[star])
                + np.hypot(stars.x - STARS.x[star], stars.y - STARS.y[star])
            )
        )
        if k < 4:
            stars.x[row] += 0.5
            stars.flags[row] = Flag.MASKED if k < 2 else Flag.NOT_CONVERGED
    frame = solve(lists)
    mine = int(np.argmin(np.hypot(frame.x - STARS.x[star], frame.y - STARS.y[star])))
    assert (frame.n_found[mine], frame.n_used[mine]) == (8, 6)
    assert frame.x[mine] == pytest.approx(truth.x[mine], abs=0.02)
    for stars in lists:
        stars.flags[:] = Flag.SATURATED
        stars.flags[20:] = 0
    frame = solve(lists)
    saturated = frame.flags == Flag.SATURATED
    assert np.count_nonzero(saturated) >= 15
    assert (frame.n_used[saturated] >= 8).all()


def faulty() -> list[StarList]:
    """Twelve exposures; five have something wrong with them, the first too."""
    lists = dithers(STARS, 12)
    lists[0].x[:] = np.nan
    lists[2] = lists[2][:6]
    lists[4] = expose(STARS, 4, shift=(300.0, -2.0))
    lists[6] = replace(lists[6], filter="F814W")
    lists[8] = expose(field(800, seed=99), 8)
    return lists


def test_faults_are_named_and_the_rest_is_used() -> None:
    frame = solve(faulty())
    reasons = {tie.stars.exposure: tie.reason for tie in frame.ties if not tie.used}
    assert sorted(reasons) == ["e000", "e002", "e004", "e006", "e008"]
    assert "no position" in reasons["e000"]
    assert "too few stars" in reasons["e002"]
    assert "pixels, beyond --max-offset 100" in reasons["e004"]
    assert "shifted by 29" in reasons["e004"] or "shifted by 30" in reasons["e004"]
    assert reasons["e006"] == "filter F814W, not F555W"
    assert "no stars in common" in reasons["e008"]
    assert frame.reference == "e001"
    assert "in place of e000" in frame.ties[1].remark
    assert np.isnan(frame.in_exposure(4)[0]).all()
    assert frame.n_found.max() == 7
    # Errors of 3 to 14 mpix, clipped at three times their common deviation.
    assert frame.ties[1].error_x == pytest.approx(0.0061, rel=0.15)


@pytest.mark.parametrize("wrong", ["shifted", "other stars"])
def test_a_reference_that_nothing_fits_is_replaced(wrong: str) -> None:
    lists = dithers(STARS, 6)
    other = {
        "shifted": expose(STARS, 0, shift=(300.0, 0.0)),
        "other stars": expose(field(800, 3), 0),
    }
    lists[0] = other[wrong]
    for reference in (None, "e000", "1"):
        frame = solve(lists, reference=reference)
        assert frame.reference == "e001"
        assert not frame.ties[0].used
        assert sum(tie.used for tie in frame.ties) == 5


def test_a_poor_first_exposure_is_no_reference_unless_asked_for() -> None:
    lists = dithers(STARS, 6)
    whole = solve(lists[1:])
    lists[0] = lists[0][np.argsort(lists[0].mag)[:45]]
    frame = solve(lists)
    assert frame.reference == "e001"
    assert frame.ties[0].used
    assert "in place of e000" in frame.ties[1].remark
    assert len(frame) == pytest.approx(len(whole), rel=0.01)
    assert solve(lists, reference="e000").reference == "e000"


def test_a_reference_can_be_chosen() -> None:
    lists = dithers(STARS, 5)
    assert solve(lists, reference="4").reference == "e003"
    assert solve(lists, reference="e002").reference == "e002"
    for wrong in ("0", "6", "none"):
        with pytest.raises(ParameterError, match="1 to 5"):
            solve(lists, reference=wrong)


def test_a_filter_can_be_chosen() -> None:
    lists = [
        replace(s, filter="F814W" if k % 3 else "F555W") for k, s in enumerate(dithers(STARS, 9))
    ]
    assert solve(lists).filter == "F814W"
    frame = solve(lists, filter="F555W")
    assert sum(tie.used for tie in frame.ties) == 3
    with pytest.raises(ParameterError, match="F555W, F814W"):
        solve(lists, filter="F336W")


def test_an_exposure_that_comes_twice_counts_once() -> None:
    lists = dithers(STARS, 4)
    frame = solve([*lists, replace(lists[1], source="again.ecsv")])
    assert "given twice" in frame.ties[4].reason
    assert frame.n_found.max() == 4


def test_chips_are_solved_apart() -> None:
    lists = []
    for k in range(4):
        lists += [expose(STARS, k), expose(field(300, 8), k, chip="WF3")]
    frames = solve_frames(lists)
    assert [frame.chip for frame in frames] == ["PC", "WF3"]
    assert len(frames[0]) > 2 * len(frames[1])
    assert all(tie.stars.chip == frame.chip for frame in frames for tie in frame.ties)


def test_nothing_to_tie_gives_no_stars_but_reasons() -> None:
    frame = solve([expose(field(200, seed), seed) for seed in range(3)])
    assert len(frame) == 0
    assert all(tie.reason for tie in frame.ties)
    alone = solve(dithers(STARS, 1))
    assert len(alone) == 0
    assert "no other exposure" in alone.ties[0].reason
    with pytest.raises(ParameterError, match="one star list"):
        solve_frames([])


def test_large_dithers_and_turns() -> None:
    lists = [expose(STARS, k, shift=(9.0 * k, -5.0 * k), turn=0.01 * k) for k in range(5)]
    frame = solve(lists)
    assert all(tie.used for tie in frame.ties)
    i, j = mutual_nearest(frame.x, frame.y, STARS.x, STARS.y, 0.1)
    assert len(i) > 0.95 * len(frame)
    assert len(np.unique(j)) == len(j)


def test_lists_without_magnitudes_and_ratios_are_tied() -> None:
    lists = [StarList.build(s.x, s.y, exposure=s.exposure) for s in dithers(STARS, 4)]
    frame = solve(lists)
    compared(frame, STARS)
    assert np.isnan(frame.mag).all()
    assert np.isnan(frame.snr).all()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("order", 6),
        ("max_offset", 0),
        ("radius", -1),
        ("clip", 0),
        ("min_measures", 0),
        ("iterations", 0),
    ],
)
def test_settings_that_make_no_sense_are_refused(name: str, value: int) -> None:
    with pytest.raises(ParameterError, match=name):
        FrameSettings(**{name: value})


@pytest.mark.parametrize("value", [0.0, 1e30, -1e7, np.inf, 400.5])
def test_garbage_is_left_out_without_harm(value: float) -> None:
    lists = dithers(STARS, 5)
    lists[2].x[:], lists[2].y[:] = value, value
    lists[3].x[:5] = value
    frame = solve(lists)
    assert [tie.used for tie in frame.ties] == [True, True, False, True, True]
    compared(frame, STARS)
    assert frame.ties[3].error_x < 0.01


def test_stars_that_are_worse_at_some_phases_make_no_bias() -> None:
    rng = np.random.default_rng(8)
    x, y = rng.uniform(0, SIZE, (2, 1200))
    lists = []
    for i in range(40):
        dx, dy = rng.uniform(-0.9, 0.9, 2) if i else (0.0, 0.0)
        # As on a WF chip: four times worse at the middle of a pixel than at its edge.
        err_x, err_y = (0.006 + 0.018 * np.cos(np.pi * p) ** 2 for p in (x + dx, y + dy))
        lists.append(
            StarList.build(
                x + dx + rng.normal(0, err_x), y + dy + rng.normal(0, err_y),
                x_err=err_x, y_err=err_y, exposure=f"e{i:03d}", chip="WF3",
            )
        )  # fmt: skip
    (frame,) = solve_frames(lists)
    for axis in "xy":
        fit = fit_bias(transformation_curve(frame, axis))
        assert abs(fit.amplitude) < max(3 * fit.amplitude_err, 0.003)
        assert fit.limit < 0.005
