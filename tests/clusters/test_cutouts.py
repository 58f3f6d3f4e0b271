"""The container of cutouts checks its arrays and counts flux from magnitude 25."""

import numpy as np
import pytest

from filar.clusters.cutouts import Cutouts, flux_of, mag_of, make_cutouts
from filar.errors import ParameterError


def three() -> Cutouts:
    flux = np.arange(3 * 2 * 4 * 4, dtype=float).reshape(3, 2, 4, 4)
    return make_cutouts(flux, [0.1, 0.2], [5.0, 6.0], ("F336W", "F814W"), 0.04, [0, 2, 32])


def test_numbers_per_band_count_for_all_cutouts() -> None:
    cutouts = three()
    assert len(cutouts) == 3 and cutouts.size == 4
    assert cutouts.noise.tolist() == [[np.float32(0.1), np.float32(0.2)]] * 3
    assert cutouts.flux.dtype == cutouts.gain.dtype == np.float32
    assert cutouts.flags.dtype == np.int32


def test_rows_are_chosen_together() -> None:
    some = three().select(np.array([2, 0]))
    assert some.flags.tolist() == [32, 0]
    assert some.flux[1, 0, 0, 1] == 1.0
    assert len(three().select(np.array([False, True, False]))) == 1
    assert len(three().select(slice(0, 0))) == 0


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"flux": np.zeros((3, 2, 4, 5))}, "flux"),
        ({"flux": np.zeros((2, 4, 4))}, "flux"),
        ({"bands": ("F336W",)}, "bands"),
        ({"bands": ("F336W", "F336W")}, "bands"),
        ({"noise": np.zeros(3)}, "noise"),
        ({"gain": np.zeros((2, 2))}, "gain"),
        ({"flags": np.zeros(2)}, "flags"),
        ({"pixel_scale": 0.0}, "pixel_scale"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, object], name: str) -> None:
    whole: dict[str, object] = {
        "flux": np.zeros((3, 2, 4, 4)),
        "noise": np.ones(2),
        "gain": np.ones(2),
        "bands": ("F336W", "F814W"),
        "pixel_scale": 0.04,
        "flags": np.zeros(3),
    }
    with pytest.raises(ParameterError, match=name):
        make_cutouts(**(whole | change))  # type: ignore[arg-type]


def test_a_star_of_magnitude_25_has_the_flux_1() -> None:
    assert flux_of(25.0) == 1.0
    assert np.isclose(flux_of(22.5), 10.0)
    mag = np.array([18.3, 27.0])
    np.testing.assert_allclose(mag_of(flux_of(mag)), mag)
    assert np.isnan(mag_of([-1.0, 0.0])).all()
