"""PSF fits that begin at another exposure's solution."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import filar.psf.fitted as fitted
from filar.detect import detect_stars
from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.psf.family import OpticalFamily
from filar.psf.fitted import NearFit, PSFFit, fit_psf
from filar.psf.library import family_for, field_psf
from filar.psf.model import FieldPSF
from filar.psf.moffat import MoffatFamily
from filar.psf.optics import FOCUS_WAVES_PER_MICRON
from tests.psf.samples import expose, mesh

SHAPE = (240, 260)
CAMERA = {"instrument": "WFPC2", "chip": "WF3", "filter": "F555W"}
X, Y = (a.ravel() for a in np.meshgrid([40.3, 130.1, 220.7], [40.2, 120.5, 200.9]))


@pytest.fixture(scope="module")
def family() -> OpticalFamily:
    """WFPC2's optics with the low orders alone, which is quick."""
    whole = family_for("WFPC2", "WF3", "F555W")
    assert isinstance(whole, OpticalFamily)
    return whole.coarse()


@pytest.fixture
def low_orders(family: OpticalFamily, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitted, "family_for", lambda *names: family)


@pytest.fixture
def no_cold(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(problem: object) -> None:
        raise AssertionError("the fit began from nothing")

    monkeypatch.setattr(fitted, "solve_cold", never)


def ground(fwhm: float) -> FieldPSF:
    local = np.array([np.log(fwhm), 0.05, -0.03, 0.3])
    return field_psf(MoffatFamily(2.5), SHAPE, local)


def space(family: OpticalFamily, microns: float, blur: float) -> FieldPSF:
    local = family.start(
        focus=microns * FOCUS_WAVES_PER_MICRON, astig0=0.03, coma_x=-0.02, spherical=0.02,
        blur_xx=blur, blur_yy=blur,
    )  # fmt: skip
    return field_psf(family, SHAPE, local)


def image(psf: FieldPSF, seed: int, **facts: object) -> Exposure:
    x, y = mesh(SHAPE, 16.0, seed)
    flux = 10 ** np.random.default_rng(seed).uniform(3.8, 4.8, len(x))
    return expose(psf, x, y, flux, shape=SHAPE, seed=seed, **facts)


def fit(exposure: Exposure, near: NearFit | None = None) -> PSFFit:
    return fit_psf(exposure, detect_stars(exposure), near=near)


def misfit(fitted_psf: FieldPSF, truth: FieldPSF) -> float:
    """Rms difference over the peak."""
    a, b = fitted_psf.stamps(X, Y, 7), truth.stamps(X, Y, 7)
    return float(np.sqrt(np.mean((a - b) ** 2)) / b.max())


@pytest.fixture(scope="module")
def first() -> NearFit:
    """The solution of an exposure in average seeing."""
    solved = fit(image(ground(3.2), 1)).solved
    assert solved is not None
    return solved


def test_other_seeing_is_found_from_there(first: NearFit, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = ground(4.4)
    exposure = image(truth, 2)
    cold = fit(exposure)
    monkeypatch.setattr(fitted, "solve_cold", None)  # must do without
    warm = fit(exposure, first)
    assert misfit(warm.psf, truth) < 1.1 * misfit(cold.psf, truth)
    assert np.exp(warm.parameters["log_fwhm"]) == pytest.approx(4.4, rel=0.02)
    assert warm.solved is not None
    assert warm.solved.unknowns.keys() == first.unknowns.keys()
    assert warm.solved.model_error == warm.model_error


@pytest.mark.usefixtures("low_orders", "no_cold")
@pytest.mark.parametrize("microns", [-8.0, 0.5, 8.0])
def test_focus_and_jitter_are_found_from_elsewhere(family: OpticalFamily, microns: float) -> None:
    truth = space(family, microns, 0.02)
    named = {p.name: p.start for p in family.parameters}
    named |= {"focus": 2 * FOCUS_WAVES_PER_MICRON, "astig0": 0.03, "coma_x": -0.02,
              "spherical": 0.02, "blur_xx": 0.003, "blur_yy": 0.003}  # fmt: skip
    warm = fit(image(truth, 3, **CAMERA), NearFit("WFPC2", "WF3", "F555W", named, 0.003))
    assert warm.parameters["focus"] / FOCUS_WAVES_PER_MICRON == pytest.approx(microns, abs=0.4)
    assert warm.parameters["blur_xx"] == pytest.approx(0.02, abs=0.01)
    assert misfit(warm.psf, truth) < 2.5e-3


def test_where_a_start_misleads_the_fit_is_made_without(first: NearFit) -> None:
    far = {"log_fwhm": np.log(40.0), "e1": 0.9, "beta_inverse": 0.6}
    again = fit(image(ground(3.2), 1), replace(first, unknowns=far, model_error=0.0))
    assert again.solved == first


def test_a_fit_of_something_else_is_refused(first: NearFit) -> None:
    exposure = image(ground(3.0), 5)
    with pytest.raises(ParameterError, match=r"near.*F814W"):
        fit(exposure, replace(first, filter="F814W"))


def test_without_a_fit_there_is_nothing_to_tell() -> None:
    none = np.empty(0)
    assert fit(expose(ground(3.0), none, none, none, shape=SHAPE)).solved is None


def test_what_is_told_is_small_enough_to_be_sent_about(first: NearFit) -> None:
    packed = pickle.dumps(first)
    assert len(packed) < 5_000
    assert pickle.loads(packed) == first
