"""Pixels of exactly one count."""

import numpy as np
import pytest

from filar.exposure import Exposure
from filar.saturation.damage import damaged_pixels, one_count


def make(sky: float = 200.0, gain: float = 2.5, **changes: object) -> Exposure:
    rng = np.random.default_rng(0)
    counts = np.rint(rng.normal(sky, np.sqrt(sky / gain + 4), (60, 80)))
    return Exposure(
        data=np.float32(gain) * counts.astype(np.float32),
        **{name: np.zeros((60, 80), bool) for name in ("mask", "saturated", "edge")},  # type: ignore[arg-type]
        gain=gain, read_noise=5.0, exposure_time=90.0,
        **changes,  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("gain", [1.0, 2.5, 0.37])
def test_pixels_of_one_count_are_found(gain: float) -> None:
    exposure = make(gain=gain)
    exposure.data[20:23, 30] = np.float32(gain) * np.float32(1)
    exposure.data[40, 40] = 0
    exposure.data[41, 41] = np.float32(gain) * np.float32(2)
    damaged = damaged_pixels(exposure)
    assert np.argwhere(damaged).tolist() == [[20, 30], [21, 30], [22, 30]]


def test_masked_pixels_are_no_matter_of_ours() -> None:
    exposure = make()
    exposure.data[20, 30] = 2.5
    exposure.mask[20, 30] = True
    assert not damaged_pixels(exposure).any()


def test_one_count_is_nothing_unusual_in_a_dark_image() -> None:
    exposure = make(sky=8.0)
    exposure.data[20, 30] = 2.5
    assert (exposure.data == 2.5).sum() > 1
    assert not damaged_pixels(exposure).any()


def test_stars_that_crowd_do_not_hide_them() -> None:
    """Their light makes the scatter of all pixels larger than the sky is bright."""
    exposure = make()
    light = np.random.default_rng(1).lognormal(6, 1.5, (60, 80))
    exposure.data[:] += np.float32(2.5) * np.rint(light).astype(np.float32)
    assert np.std(exposure.data) > np.median(exposure.data)
    exposure.data[20:23, 30] = 2.5
    assert np.argwhere(damaged_pixels(exposure)).tolist() == [[20, 30], [21, 30], [22, 30]]


def test_files_of_rates() -> None:
    assert one_count(make(meta={"units": "adu/s"})) == pytest.approx(225)
    assert one_count(make(meta={"units": "adu"})) == 2.5
    assert one_count(make()) == 2.5


def test_nothing_usable() -> None:
    exposure = make()
    exposure.saturated[:] = True
    assert not damaged_pixels(exposure).any()
