import numpy as np
import pytest

from filar.errors import ParameterError
from filar.psf.bandpass import HST_FILTERS, WFPC2_FILTERS, passband
from filar.psf.library import default_psf, default_psf_for, family_for
from filar.psf.moffat import MoffatFamily
from tests.psf.samples import expose, gaussian


@pytest.mark.parametrize("name", ["F336W", "F439W", "F555W", "F606W", "F675W", "F702W", "F814W"])
def test_the_usual_filters_are_there(name: str) -> None:
    waves, weights = passband(name)
    assert weights.sum() == pytest.approx(1)
    assert np.all(np.diff(waves) > 0)
    assert abs(waves @ weights * 1e9 - float(name[1:4])) < 30


def test_every_filter_is_near_its_name() -> None:
    for table in (WFPC2_FILTERS, HST_FILTERS):
        for name, (pivot, width) in table.items():
            number = float("".join(filter(str.isdigit, name)))
            scale = 10 if number < 200 and pivot > 900 else 1
            limit = 90 if name.endswith("LP") else 70
            assert abs(pivot - number * scale) < limit, name
            assert 0 < width < pivot / 2


def test_narrow_bands_are_one_wavelength() -> None:
    assert passband("F656N")[1].tolist() == [1.0]


def test_names_may_be_lower_case() -> None:
    assert np.array_equal(passband("f555w")[0], passband("F555W")[0])


def test_unknown_filters_are_refused_with_the_known_ones() -> None:
    with pytest.raises(ParameterError, match=r"F999W.*F555W"):
        passband("F999W")
    with pytest.raises(ParameterError, match="F999W"):
        default_psf_for("WFPC2", "PC", "F999W")


def test_unknown_chips_are_refused() -> None:
    with pytest.raises(ParameterError, match="PC, WF2, WF3, WF4"):
        default_psf_for("WFPC2", "WF7", "F555W")


def test_unknown_cameras_have_a_moffat_profile() -> None:
    assert isinstance(family_for("", "", ""), MoffatFamily)
    psf = default_psf_for("", "", "", shape=(50, 60))
    stamp = psf.stamps(np.array([30.0]), np.array([20.0]), 21)[0]
    assert 0.9 < stamp.sum() <= 1.001
    width = np.count_nonzero(stamp[10] > stamp[10].max() / 2)
    assert 2 <= width <= 3


def test_coarser_pixels_see_a_sharper_star() -> None:
    peaks = {}
    for chip in ("PC", "WF3"):
        psf = default_psf_for("WFPC2", chip, "F555W")
        peaks[chip] = psf.stamps(np.array([400.0]), np.array([400.0]), 5).max()
    assert 0.2 < peaks["PC"] < 0.3
    assert 0.36 < peaks["WF3"] < 0.48


def test_redder_light_and_defocus_and_jitter_widen_the_star() -> None:
    at = np.array([400.0])

    def peak(band: str = "F555W", **changes: float) -> float:
        psf = default_psf_for("WFPC2", "PC", band, **changes)  # type: ignore[arg-type]
        return float(psf.stamps(at, at, 3).max())

    best = peak()
    assert peak("F814W") < best
    assert peak(focus=5.0) < best
    assert peak(jitter=0.5) < best


@pytest.mark.parametrize(
    ("instrument", "chip", "band", "scale"),
    [
        ("ACS", "WFC1", "F606W", 0.05),
        ("ACS", "HRC", "F555W", 0.026),
        ("WFC3", "UVIS2", "F814W", 0.0396),
        ("WFC3", "IR", "F160W", 0.1283),
    ],
)
def test_other_cameras_of_hubble(instrument: str, chip: str, band: str, scale: float) -> None:
    family = family_for(instrument, chip, band)
    assert family.optics.pixel_scale == scale  # type: ignore[attr-defined]


def test_the_default_is_that_of_the_exposure() -> None:
    none = np.empty(0)
    exposure = expose(gaussian(), none, none, none, instrument="WFPC2", chip="WF4", filter="F814W")
    psf = default_psf(exposure)
    assert psf.name == "default WFPC2 WF4 F814W"
    again = default_psf_for("WFPC2", "WF4", "F814W")
    assert np.array_equal(psf.transforms, again.transforms)
