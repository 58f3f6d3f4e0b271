"""The real omega Cen exposure and NASA's sample file."""

import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest

from filar.exposure import Exposure
from filar.instruments import read_exposures, write_wfpc2

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def omega(shared: Path) -> list[Exposure]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_exposures(shared / "wfpc2" / "u40x010hm_c0f.fits")


def test_facts(omega: list[Exposure]) -> None:
    assert [e.label for e in omega] == [f"u40x010hm[{c}]" for c in ("PC", "WF2", "WF3", "WF4")]
    for exposure in omega:
        assert exposure.shape == (800, 800)
        assert (exposure.filter, exposure.exposure_time) == ("F555W", 100)
        assert exposure.time.isot[:19] == "1997-06-13T11:30:14"
        assert exposure.meta["target"] == "OMEGA-CEN"
        assert exposure.vega_zeropoint == pytest.approx(
            -2.5 * np.log10(exposure.photflam) - 21.1, abs=0.003
        )
    assert [e.photflam for e in omega] == pytest.approx(
        [3.483e-18, 3.396e-18, 3.439e-18, 3.507e-18], rel=1e-3
    )


def test_sky_and_scatter(omega: list[Exposure]) -> None:
    for exposure, sky, scatter in zip(
        omega, (1.2, 4.4, 5.9, 6.5), (1.4, 2.8, 4.0, 4.7), strict=True
    ):
        values = exposure.data[~exposure.unusable] / exposure.gain
        middle = np.median(values)
        assert middle == pytest.approx(sky, abs=0.3)
        assert np.median(np.abs(values - middle)) < scatter + 0.3


def test_saturated_pixels_are_those_of_the_quality_file_and_the_ends_of_trails(
    omega: list[Exposure],
) -> None:
    # In the quality file: 102, 885, 633, 1011, those in the vignetted border included.
    for exposure, flagged in zip(omega, (102, 885, 633, 1011), strict=True):
        assert 0.9 * flagged < exposure.saturated.sum() < 1.15 * flagged
        assert not (exposure.saturated & exposure.edge).any()


def test_no_garbage_of_the_border_is_left(omega: list[Exposure]) -> None:
    for exposure in omega:
        usable = exposure.data[~exposure.unusable]
        # The border holds from -1e4 to 1e5 DN. Elsewhere nothing lies far below the sky.
        assert usable.min() > -20 * exposure.read_noise
        assert usable.max() < 1.15 * exposure.saturation
        assert exposure.data[exposure.mask].max() == exposure.data[exposure.mask].min() == 0
        assert 0.8 < (~exposure.unusable).mean() < 0.92


def test_noise_at_the_border_is_that_of_the_interior(omega: list[Exposure]) -> None:
    def scatter(lines: np.ndarray, usable: np.ndarray) -> float:
        values = [line[good] for line, good in zip(lines, usable, strict=True)]
        return float(np.median([1.4826 * np.median(np.abs(v - np.median(v))) for v in values]))

    for exposure in omega:
        usable = ~exposure.unusable
        for data, good in ((exposure.data, usable), (exposure.data.T, usable.T)):
            first = np.flatnonzero(good.any(1))[0]
            border = scatter(data[first : first + 4, 100:700], good[first : first + 4, 100:700])
            inside = scatter(
                data[first + 20 : first + 60, 100:700], good[first + 20 : first + 60, 100:700]
            )
            assert border < 1.5 * inside


def test_chips_lie_side_by_side_on_the_sky(omega: list[Exposure]) -> None:
    centres = np.array([e.wcs.pixel_to_world_values(400, 400) for e in omega], dtype=float)
    scale = np.cos(np.radians(centres[0, 1])) * 3600
    offsets = (centres - centres.mean(0)) * [scale, 3600]
    distances = np.hypot(*offsets.T)
    assert (distances > 20).all()
    assert (distances < 80).all()
    for exposure, size in zip(omega, (0.0455, 0.0996, 0.0996, 0.0996), strict=True):
        first, second = (
            np.array(exposure.wcs.pixel_to_world_values(x, 400), dtype=float) for x in (400, 401)
        )
        step = (second - first) * [scale, 3600]
        assert np.hypot(*step) == pytest.approx(size, rel=0.01)
        assert exposure.pixel_scale == size


def test_group_table_beside_serves_where_the_file_has_none(shared: Path, tmp_path: Path) -> None:
    from astropy.io import fits

    source = shared / "wfpc2"
    with fits.open(source / "u40x010hm_c0f.fits") as hdus:
        hdus[0].writeto(tmp_path / "u40x010hm_c0f.fits")
    for name in ("u40x010hm_c0h_grouptable.fits", "u40x010hm_c1f.fits"):
        shutil.copyfile(source / name, tmp_path / name)
    exposures = read_exposures(tmp_path / "u40x010hm_c0f.fits")
    assert [float(e.wcs.wcs.crval[0]) for e in exposures] == pytest.approx(
        [201.8223868, 201.8226556, 201.7934606, 201.8040064], abs=1e-7
    )
    assert exposures[3].photflam == pytest.approx(3.507e-18, rel=1e-3)


def test_real_exposure_survives_the_new_layout(omega: list[Exposure], tmp_path: Path) -> None:
    write_wfpc2(omega, tmp_path / "u40x010hm_c0m.fits")
    again = read_exposures(tmp_path / "u40x010hm_c0m.fits")
    for new, old in zip(again, omega, strict=True):
        np.testing.assert_allclose(new.data, old.data, rtol=3e-7, atol=1e-6)
        np.testing.assert_array_equal(new.mask, old.mask)
        np.testing.assert_array_equal(new.edge, old.edge)
        np.testing.assert_array_equal(old.saturated & ~new.saturated, False)
        # The ends of the trails are grown once more.
        assert new.saturated.sum() < 1.15 * old.saturated.sum()
        np.testing.assert_allclose(
            new.wcs.pixel_to_world_values(100, 700),
            old.wcs.pixel_to_world_values(100, 700),
            rtol=0,
            atol=1e-9,
        )
        assert new.vega_zeropoint == old.vega_zeropoint


def test_nasas_sample_with_the_table_inside(shared: Path) -> None:
    with pytest.warns(UserWarning, match="no quality file"):
        exposures = read_exposures(shared / "wfpc2" / "hubble_wfpc2_sample.fits")
    assert [e.shape for e in exposures] == [(200, 200)] * 4
    assert all((e.filter, e.exposure_time) == ("FR533P15", 300) for e in exposures)
    assert exposures[1].wcs.wcs.crval[0] == pytest.approx(182.6255233634)
    assert not any(e.edge.any() for e in exposures)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("dolphot/img1.fits", {}),
        ("clusters/ap142_F475W.fits", {"read_noise": 5, "exposure_time": 1900}),
        ("saturated/kplr-ffi_ch01_test.fits", {"gain": 1, "read_noise": 80, "exposure_time": 6}),
        ("saturated/sdss_frame-r-002583-2-0136.fits.bz2", {"gain": 1e3, "read_noise": 5}),
        ("undersampled/spitzer_example_image.fits", {"gain": 1, "read_noise": 5}),
    ],
)
def test_images_of_other_telescopes(shared: Path, name: str, options: dict[str, float]) -> None:
    (exposure,) = read_exposures(shared / name, **options)
    assert np.isfinite(exposure.data).all()
    assert (~exposure.unusable).mean() > 0.5
