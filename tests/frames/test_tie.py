from typing import Any

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.frames.settings import FrameSettings
from filar.frames.starlist import Selection, StarList
from filar.frames.tie import GoodStars, fit_transform, tie_to_reference
from tests.frames.fields import SIZE, expose, field

SETTINGS = FrameSettings()
STARS = field()


def tie(stars: StarList, settings: FrameSettings = SETTINGS):
    reference = GoodStars.of(expose(STARS, 0), settings)
    return tie_to_reference(GoodStars.of(stars, settings), reference, settings)


@pytest.mark.parametrize("shift", [(0.7, -1.6), (60.0, -45.0), (-99.0, 3.0)])
def test_shifts_are_recovered(shift: tuple[float, float]) -> None:
    tied = tie(expose(STARS, 1, shift=shift))
    assert tied.used
    assert (tied.offset_x, tied.offset_y) == pytest.approx(shift, abs=0.01)


@pytest.mark.parametrize("turn", [1e-4, 0.02, 1.0, np.pi])
def test_rotations_are_recovered(turn: float) -> None:
    tied = tie(expose(STARS, 1, turn=turn, shift=(10.0, -5.0)))
    assert tied.used
    c, s = np.cos(turn), np.sin(turn)
    np.testing.assert_allclose(tied.to_frame.linear_part, [[c, s], [-s, c]], atol=5e-5)


def test_a_cubic_is_recovered_to_the_noise() -> None:
    tied = tie(expose(STARS, 1, cubic=0.3, rays=0, found=1.0))
    x, y = np.random.default_rng(1).uniform(20, SIZE - 20, (2, 50))
    u = x + 0.3 * ((x - 400) / 400) ** 3
    back = tied.to_frame(u + tied.offset_x, y + tied.offset_y)
    noise = 5 * tied.error_x * np.sqrt(10 / len(STARS.x))
    assert np.abs(back[0] - x).max() < noise
    linear = tie(expose(STARS, 1, cubic=0.3), FrameSettings(order=1))
    assert linear.error_x > 3 * tied.error_x
    assert linear.error_y == pytest.approx(tied.error_y, rel=0.1)


def test_too_large_a_shift_is_found_and_named() -> None:
    tied = tie(expose(STARS, 1, shift=(300.1, -2.0)))
    assert tied.reason == "shifted by 300.1, -2.0 pixels, beyond --max-offset 100"
    assert tie(expose(STARS, 1, shift=(300.1, -2.0)), FrameSettings(max_offset=400)).used


def test_other_stars_are_named() -> None:
    assert "no stars in common" in tie(expose(field(seed=9), 1)).reason


def test_few_stars_lower_the_order_or_are_refused() -> None:
    everything = expose(STARS, 1, rays=0)
    tied = tie(everything[:25])
    assert tied.used
    assert tied.to_frame.order == 1
    assert "too few stars: 9 good ones of 9" in tie(everything[:9]).reason


def test_lost_positions_are_named() -> None:
    stars = expose(STARS, 1)
    stars.x[: len(stars) * 2 // 3] = np.nan
    assert "have no position" in tie(stars).reason


def test_pairs_without_a_place_do_not_count() -> None:
    x, y = np.random.default_rng(1).uniform(0, 800, (2, 40))
    u = np.where(np.arange(40) < 18, x, np.nan)
    fit = fit_transform(x, y, u, y, 3, 3.0)
    assert fit is not None
    assert fit.transform.order == 1
    assert fit_transform(x, y, np.where(np.arange(40) < 9, x, np.nan), y, 3, 3.0) is None


@pytest.mark.parametrize("limits", [{"min_snr": np.nan}, {"q": (0, 0)}, {"mag": (1, np.nan)}])
def test_limits_that_select_nothing_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=next(iter(limits))):
        Selection(**limits)


def test_only_the_selected_stars_define_the_transformation() -> None:
    stars = expose(STARS, 1, rays=0)
    settings = FrameSettings(selection=Selection(mag=(-13, -11)))
    good = GoodStars.of(stars, settings)
    assert (stars.mag[good.rows] <= -11).all()
    assert (np.diff(stars.mag[good.rows]) >= 0).all()
    assert 0 < len(good) < len(stars)
    tied = tie(stars, settings)
    assert tied.error_x < 0.75 * tie(stars).error_x
