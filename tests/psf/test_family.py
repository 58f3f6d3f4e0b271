import numpy as np
import pytest

from filar.psf.family import OpticalFamily, mode_parameters
from filar.psf.fourier import FrequencyGrid, values
from filar.psf.library import family_for, optical_family
from filar.psf.moffat import MoffatFamily
from filar.psf.pupil import Obstruction, Pupil

POINTS = [(150.0, 620.0)]


@pytest.fixture(scope="module")
def small() -> OpticalFamily:
    """WFPC2-like optics with few modes and three wavelengths."""
    pupil = Pupil(1.2, Obstruction(0.33, 0.022, 45.0), camera=Obstruction(0.43, 0.05),
                  shift=((-5e-4, 0.0), (0.0, -5e-4)), centre=(400.0, 400.0))  # fmt: skip
    waves, weights = np.array([500e-9, 550e-9, 600e-9]), np.array([0.3, 0.4, 0.3])
    return optical_family(pupil, waves, weights, 0.0996, scatter=0.05, modes=8)


def state(family: OpticalFamily) -> np.ndarray:
    rng = np.random.default_rng(4)
    local = family.start()
    sizes = {"blur_xx": 0.01, "blur_yy": 0.01, "blur_xy": 0.003, "scatter": 0.005, "tail": 0.002}
    for k, parameter in enumerate(family.parameters):
        local[k] += sizes.get(parameter.name, 0.02) * rng.uniform(0.5, 1)
    return local


def test_derivatives_are_finite_differences(small: OpticalFamily) -> None:
    local = state(small)
    slopes = small.derivatives(POINTS, local[None])[0]
    assert len(slopes) == len(small.parameters)
    for k, parameter in enumerate(small.parameters):
        h = {"tail": 1e-4, "band_tilt": 0.1, "band_bend": 0.1}.get(parameter.name, 1e-3)
        ahead, behind = local.copy(), local.copy()
        ahead[k] += h
        behind[k] -= h
        numeric = (
            small.transforms(POINTS, ahead[None])[0].astype(complex)
            - small.transforms(POINTS, behind[None])[0]
        ) / (2 * h)
        error = np.abs(slopes[k] - numeric).max() / np.abs(numeric).max()
        assert error < 3e-3, parameter.name


def test_defocus_is_symmetric_where_nothing_else_is_wrong(small: OpticalFamily) -> None:
    """A centro-symmetric pupil gives mirrored images on either side of focus."""
    centre = [(400.0, 400.0)]
    span = np.arange(-3, 4.0)
    images = [
        values(small.transforms(centre, small.start(focus=f)[None])[0], small.grid, span, span)
        for f in (0.05, -0.05)
    ]
    assert np.allclose(images[0], images[1][::-1, ::-1], atol=1e-6)


def test_aberrations_lower_the_peak_and_keep_the_light(small: OpticalFamily) -> None:
    sharp, blurred = (small.transforms(POINTS, small.start(focus=f)[None])[0] for f in (0.0, 0.1))
    zero = np.zeros(1)
    peaks = [float(values(t, small.grid, zero, zero)[0, 0]) for t in (sharp, blurred)]
    assert peaks[1] < 0.9 * peaks[0]
    assert blurred[0, 0].real == pytest.approx(sharp[0, 0].real, rel=1e-5)


def test_strehl_ratio_follows_the_variance_of_the_wavefront(small: OpticalFamily) -> None:
    """For small errors the central intensity falls by (2 pi rms)^2, whatever the mode."""
    optics = small.optics
    amplitudes = optics.amplitudes(400.0, 400.0)
    size = optics.modes + 4
    rest = optics.image(amplitudes, np.zeros(size))[0][0, 0]
    for mode in (0, 1, 4, 7):
        wave = np.zeros(size)
        wave[mode] = 0.02
        loss = 1 - optics.image(amplitudes, wave)[0][0, 0] / rest
        # the camera's larger obscuration makes the modes a little less than orthonormal
        assert loss == pytest.approx((2 * np.pi * 0.02) ** 2, rel=0.35)


def test_nothing_passes_the_cut_off(small: OpticalFamily) -> None:
    transform = np.abs(small.transforms(POINTS, small.start()[None])[0])
    arcsec = np.pi / 180 / 3600
    limit = 2 * 1.2 / 500e-9 * 0.0996 * arcsec  # cycles per pixel
    fy, fx = np.meshgrid(small.grid.fy, small.grid.fx, indexing="ij")
    beyond = np.hypot(fx, fy) > limit * 1.05
    assert transform[beyond].max() < 1e-3
    assert transform[~beyond].max() > 0.9


def test_the_perfect_transform_is_the_overlap_of_the_pupil() -> None:
    """Without obscuration, blur and pixels: the textbook transfer function of a circle."""
    pupil = Pupil(1.2, Obstruction(0.0))
    family = optical_family(pupil, np.array([550e-9]), np.array([1.0]), 0.05, blur=0.0, modes=3)
    light, _ = family.optics.transform(family.optics.amplitudes(0, 0), np.zeros(7))
    nu = family.grid.fx / (2 * 1.2 / 550e-9 * 0.05 * np.pi / 180 / 3600)
    inside = nu < 0.95
    expected = 2 / np.pi * (np.arccos(nu[inside]) - nu[inside] * np.sqrt(1 - nu[inside] ** 2))
    found = light[0].real / light[0, 0].real
    assert np.abs(found[inside] - expected).max() < 0.02


def test_coarse_is_the_same_with_fewer_modes() -> None:
    family = family_for("WFPC2", "PC", "F555W")
    coarse = family.coarse()
    assert isinstance(family, OpticalFamily)
    assert isinstance(coarse, OpticalFamily)
    assert coarse.grid == family.grid
    names = [p.name for p in coarse.parameters]
    assert set(names) < {p.name for p in family.parameters}
    a = family.transforms(POINTS, family.start(focus=0.03)[None])
    b = coarse.transforms(POINTS, coarse.start(focus=0.03)[None])
    assert np.allclose(a, b, atol=1e-6)


def test_parameters_have_priors_and_different_names() -> None:
    family = family_for("WFPC2", "WF3", "F814W")
    names = [p.name for p in family.parameters]
    assert len(set(names)) == len(names)
    assert all(p.sigma > 0 for p in family.parameters)
    assert all(p.variation > 0 for p in family.parameters if p.order)
    assert [p.name for p in mode_parameters(3)] == ["focus", "astig45", "astig0"]


def test_moffat_has_its_width_and_light() -> None:
    family = MoffatFamily(3.0)
    local = np.array([[np.log(3.0), 0.0, 0.0, 0.3]])
    transform = family.transforms([(0.0, 0.0)], local)[0]
    assert transform[0, 0] == 1
    # without the pixels, half of the peak lies at half of the width
    bare = transform / np.maximum(np.sinc(family.grid.fy)[:, None] * np.sinc(family.grid.fx), 1e-3)
    offsets = np.array([0.0, 1.5])
    profile = values(bare.astype(complex), family.grid, np.zeros(1), offsets)[0]
    assert profile[1] / profile[0] == pytest.approx(0.5, abs=0.01)


def test_moffat_derivatives_are_finite_differences() -> None:
    family = MoffatFamily(2.5)
    local = np.array([np.log(2.2), 0.05, -0.03, 0.25])
    slopes = family.derivatives([(0.0, 0.0)], local[None])[0]
    for k, slope in enumerate(slopes):
        step = np.zeros(4)
        step[k] = 1e-2
        ahead, behind = (family.transforms([(0, 0)], (local + s)[None])[0] for s in (step, -step))
        numeric = (ahead.astype(complex) - behind) / 2e-2
        assert np.abs(slope - numeric).max() < 0.02 * np.abs(numeric).max()


def test_ellipticity_stretches_along_y() -> None:
    """A positive e1 takes from the high frequencies along x: wider in x."""
    family = MoffatFamily(3.0)
    transform = family.transforms([(0, 0)], np.array([[np.log(3.0), 0.3, 0.0, 0.3]]))[0]
    span = np.arange(-4, 5.0)
    image = values(transform, family.grid, span, span)
    assert (image * span**2).sum() > 1.1 * (image * span[:, None] ** 2).sum()


def test_grids_of_families_are_even() -> None:
    for chip in ("PC", "WF2"):
        grid = family_for("WFPC2", chip, "F336W").grid
        assert isinstance(grid, FrequencyGrid)
        assert grid.samples % 2 == 0
