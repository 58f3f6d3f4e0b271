"""PSFs fitted to an exposure's own stars; few modes and stars keep the tests quick."""

import numpy as np
import pytest

from filar.detect import detect_stars
from filar.exposure import Exposure
from filar.fit import fit_stars
from filar.psf.boxes import cut_boxes
from filar.psf.familyfit import FamilyFit, field_basis, fit_family
from filar.psf.fitted import (
    PSFFit,
    estimate_model_error,
    fit_boxes_for,
    fit_psf,
    mean_residual,
)
from filar.psf.fourier import values
from filar.psf.leastsq import fit_boxes
from filar.psf.library import default_psf_for, family_for, field_psf
from filar.psf.model import FieldGrid, FieldPSF
from filar.psf.moffat import MoffatFamily
from filar.psf.residual import bump_centres, bump_images, bump_transforms, fit_correction
from tests.psf.samples import READ_NOISE, SKY, expose, gaussian, mesh, optical

SMALL = (240, 260)


def moffat(fwhm: float, beta: float, e1: float = 0.0) -> FieldPSF:
    """A PSF whose width grows by a tenth across the chip."""
    family = MoffatFamily(2.5)
    nodes = FieldGrid.chebyshev(SMALL, 3)
    slope = np.array([x for x, _ in nodes.points]) / SMALL[1] - 0.5
    local = np.stack([np.array([np.log(fwhm) + 0.1 * s, e1, 0.0, 1 / beta]) for s in slope])
    return field_psf(family, SMALL, local, nodes=nodes)


def field(psf: FieldPSF, spacing: float = 16.0, seed: int = 0, **facts: object) -> Exposure:
    x, y = mesh(SMALL, spacing, seed)
    flux = 10 ** np.random.default_rng(seed).uniform(3.8, 4.8, len(x))
    return expose(psf, x, y, flux, shape=SMALL, seed=seed, **facts)


@pytest.fixture(scope="module")
def ground() -> tuple[PSFFit, FieldPSF]:
    """A camera that nobody knows, with its PSF fitted."""
    truth = moffat(3.4, 3.0, e1=0.08)
    exposure = field(truth)
    return fit_psf(exposure, detect_stars(exposure)), truth


def test_a_moffat_profile_is_recovered(ground: tuple[PSFFit, FieldPSF]) -> None:
    fit, truth = ground
    assert not fit.fallback
    assert fit.n_stars > 100
    assert len(fit.star_x) == len(fit.star_y) == fit.n_stars
    assert np.exp(fit.parameters["log_fwhm"]) == pytest.approx(3.4, rel=0.02)
    assert fit.parameters["e1"] == pytest.approx(0.08, abs=0.02)
    rng = np.random.default_rng(1)
    x, y = rng.uniform(20, 220, (2, 40))
    peak = truth.stamps(x, y, 7).max(axis=(1, 2))
    errors = np.abs(fit.psf.stamps(x, y, 7) - truth.stamps(x, y, 7)).max(axis=(1, 2)) / peak
    default = default_psf_for("", "", "", shape=SMALL)
    without = np.abs(default.stamps(x, y, 7) - truth.stamps(x, y, 7)).max(axis=(1, 2)) / peak
    assert np.median(errors) < 0.02
    assert np.median(without) > 0.2


def test_its_variation_is_recovered(ground: tuple[PSFFit, FieldPSF]) -> None:
    fit, truth = ground
    y = np.array([120.0])
    ratio = [
        float(p.stamps(np.array([30.0]), y, 3).max() / p.stamps(np.array([230.0]), y, 3).max())
        for p in (fit.psf, truth)
    ]
    assert ratio[1] > 1.05
    assert ratio[0] == pytest.approx(ratio[1], abs=0.03)


def test_residuals_and_model_error_of_a_good_fit(ground: tuple[PSFFit, FieldPSF]) -> None:
    fit, _ = ground
    assert fit.model_error < 0.02
    assert np.abs(fit.residual_mean).max() < 0.003
    assert np.abs(fit.default_residual_mean).max() > 5 * np.abs(fit.residual_mean).max()
    assert f"{fit.n_stars} stars" in fit.message


def test_few_stars_mean_the_default() -> None:
    exposure = field(moffat(2.5, 3.0), spacing=70.0)
    stars = detect_stars(exposure)
    fit = fit_psf(exposure, stars)
    assert fit.fallback
    assert fit.n_stars < 20
    assert f"only {fit.n_stars} bright isolated unsaturated stars, 20 are needed" in fit.message
    default = default_psf_for("", "", "", shape=SMALL)
    assert np.array_equal(fit.psf.transforms, default.transforms)
    own = gaussian(1.0, SMALL)
    assert fit_psf(exposure, stars, start=own).psf is own


def test_no_stars_at_all_mean_the_default() -> None:
    none = np.empty(0)
    exposure = expose(gaussian(1.0, SMALL), none, none, none, shape=SMALL)
    fit = fit_psf(exposure, detect_stars(exposure))
    assert fit.fallback
    assert fit.n_stars == 0


@pytest.mark.slow
def test_wfpc2_out_of_focus_beats_the_default() -> None:
    truth = optical("WF3", 0.06)
    x, y = mesh((800, 800), 40.0, 2)
    flux = 10 ** np.random.default_rng(2).uniform(3.8, 4.8, len(x))
    exposure = expose(truth, x, y, flux, instrument="WFPC2", chip="WF3", filter="F555W")
    fit = fit_psf(exposure, detect_stars(exposure))
    assert not fit.fallback
    assert abs(fit.parameters["focus"]) == pytest.approx(0.06, abs=0.02)
    default = default_psf_for("WFPC2", "WF3", "F555W")
    scatter = {}
    # where a PSF's centre lies is a matter of convention: a smooth map is taken off
    terms = field_basis(x, y, (800, 800), 3)
    for name, psf in (("fit", fit.psf), ("default", default), ("truth", truth)):
        fits = fit_stars(exposure, psf, x, y, box=5)
        errors = np.stack([fits.x - x, fits.y - y], axis=1)[flux > 1e4]
        smooth = terms[flux > 1e4]
        errors -= smooth @ np.linalg.lstsq(smooth, errors)[0]
        scatter[name] = np.std(errors)
    assert scatter["default"] > 1.3 * scatter["truth"]
    assert scatter["fit"] < 1.25 * scatter["truth"]


def test_wings_of_seeing_do_not_go_into_the_sky() -> None:
    """Moffat wings as strong as a real site's, and a halo that the profile does not have."""
    family = MoffatFamily(2.5)
    core = np.array([np.log(2.0), 0.0, 0.0, 1 / 3.0])
    halo = np.array([np.log(7.0), 0.0, 0.0, 1 / 2.0])
    wide, narrow = field_psf(family, SMALL, halo), field_psf(family, SMALL, core)
    truth = narrow.replace(transforms=0.85 * narrow.transforms + 0.15 * wide.transforms)
    exposure = field(truth, spacing=20.0)
    fit = fit_psf(exposure, detect_stars(exposure))
    assert fit.n_stars > 60
    x, y = np.random.default_rng(1).uniform(20, 220, (2, 40))
    stamps, found = truth.stamps(x, y, 11), fit.psf.stamps(x, y, 11)
    inner = np.s_[:, 3:8, 3:8]
    ratio = found[inner].sum(axis=(1, 2)) / found.sum(axis=(1, 2))
    assert np.median(ratio / (stamps[inner].sum(axis=(1, 2)) / stamps.sum(axis=(1, 2)))) < 1.025


def test_a_smaller_box_where_stars_are_few() -> None:
    family = family_for("any camera", "", "")
    assert fit_boxes_for(family) == (15, 11, 7)
    assert fit_boxes_for(family_for("WFPC2", "PC", "F555W")) == (9,)
    assert fit_boxes_for(family_for("WFPC2", "WF3", "F555W")) == (7,)
    exposure = field(moffat(2.5, 3.0), spacing=11.0)  # in the way of one another in a large box
    fit = fit_psf(exposure, detect_stars(exposure))
    assert not fit.fallback
    assert fit.residual_mean.shape == (11, 11)


def test_the_slopes_of_the_fit_are_those_of_the_images() -> None:
    """The Gauss-Newton step from a wrong width is close to the right one."""
    truth = field_psf(MoffatFamily(2.5), SMALL, np.array([np.log(2.5), 0.0, 0.0, 0.3]))
    x, y = mesh(SMALL, 20.0, 3)
    flux = np.full(len(x), 3e4)
    boxes = cut_boxes(expose(truth, x, y, flux, shape=SMALL), x, y, 7)
    fit = FamilyFit(MoffatFamily(2.5), boxes, 7, SMALL, 0.0)
    start = fit.vector({"log_fwhm": np.log(2.6)})
    sky = np.full(len(x), SKY)
    now = fit.evaluate(start, x, y, flux, sky)
    step = fit.named(start + fit.step(now, fit.slopes(now), 0.0))
    assert step["log_fwhm"] == pytest.approx(np.log(2.5), abs=0.01)
    end = fit_family(fit, start, x, y, flux, sky)
    assert end.cost < now.cost
    assert fit.named(end.unknowns)["log_fwhm"] == pytest.approx(np.log(2.5), abs=0.005)


def test_names_and_vectors_go_both_ways() -> None:
    none = np.empty(0)
    boxes = cut_boxes(expose(gaussian(1.0, SMALL), none, none, none, shape=SMALL), none, none, 7)
    fit = FamilyFit(MoffatFamily(2.5), boxes, 7, SMALL, 0.0)
    unknowns = np.random.default_rng(0).normal(size=len(fit.mean))
    assert np.array_equal(fit.vector(fit.named(unknowns)), unknowns)
    assert np.array_equal(fit.vector({}), fit.mean)
    assert len(fit.named(unknowns)) == len(unknowns)


def test_field_terms_are_orthogonal_over_the_chip() -> None:
    rows, columns = np.mgrid[: SMALL[0] : 4, : SMALL[1] : 4]
    terms = field_basis(columns.ravel() + 1.5, rows.ravel() + 1.5, SMALL, 3)
    assert terms.shape[1] == 10
    assert (terms[:, 0] == 1).all()
    gram = terms.T @ terms / len(terms)
    assert np.abs(gram - np.diag(np.diag(gram))).max() < 2e-3


def test_model_error_is_found_and_noise_is_not() -> None:
    """Stars whose pixels scatter by 5% beyond their noise."""
    psf, rng = optical("WF3"), np.random.default_rng(4)
    x, y = 400 + rng.uniform(-0.5, 0.5, (2, 300))
    flux = 10 ** rng.uniform(4.2, 4.8, 300)
    light = flux[:, None, None] * psf.stamps(x, y, 7)
    for error in (0.0, 0.05):
        spoiled = light * (1 + error * rng.normal(size=light.shape))
        data = rng.poisson(np.maximum(spoiled, 0) + SKY) + rng.normal(0, READ_NOISE, light.shape)
        boxes = cut_boxes(expose(psf, x[:0], y[:0], flux[:0]), x, y, 7)
        boxes.pixels[:] = data.reshape(300, -1)
        fits = fit_boxes(psf.table(7), boxes, x, y, flux, np.full(300, SKY), fit_sky=True,
                         model_error=0.003)  # fmt: skip
        found = estimate_model_error(psf, boxes, fits, 7)
        assert found == pytest.approx(error, abs=0.012)
        assert np.abs(mean_residual(fits, boxes.good, 7)).max() < 0.004


def test_bumps_are_the_same_as_transforms_and_as_images() -> None:
    psf, centres = gaussian(), bump_centres(2.0)
    assert [0.0, 0.0] in centres.tolist()
    assert np.hypot(*centres.T).max() <= 2
    transforms = bump_transforms(psf.grid, centres)
    span = np.arange(-3, 4)
    dx, dy = 0.21, -0.34
    by_transform = values(transforms, psf.grid, span - dy, span - dx).reshape(len(centres), -1)
    images = bump_images(centres, np.array([dx]), np.array([dy]), 7)[0]
    assert np.abs(by_transform - images).max() < 1e-4


def test_what_optics_cannot_describe_is_taken_up() -> None:
    """A lump beside the core that no star's position or flux can make."""
    truth_psf, rng = optical("WF3"), np.random.default_rng(5)
    lump = bump_transforms(truth_psf.grid, np.array([[1.5, 0.5], [-1.5, -0.5]])).sum(axis=0)
    truth = truth_psf.replace(transforms=(truth_psf.transforms + 0.01 * lump).astype(np.complex64))
    x, y = rng.uniform(30, 770, (2, 400))
    flux = np.full(400, 5e4)
    boxes = cut_boxes(expose(truth, x[:0], y[:0], flux[:0]), x, y, 7)
    expected = flux[:, None, None] * truth.stamps(x, y, 7) + SKY
    boxes.pixels[:] = (rng.poisson(expected) + rng.normal(0, READ_NOISE, expected.shape)).reshape(
        400, -1
    )
    sky = np.full(400, SKY)

    def misfit(psf: FieldPSF) -> float:
        fits = fit_boxes(psf.table(7), boxes, x, y, flux, sky, fit_sky=True)
        return float((fits.residual**2 / (fits.expected + READ_NOISE**2)).sum(axis=1).mean() / 45)

    fits = fit_boxes(truth_psf.table(7), boxes, x, y, flux, sky, fit_sky=True)
    weight = 1 / (fits.expected + READ_NOISE**2)
    correction = fit_correction(truth_psf, boxes, fits, weight, 7, (800, 800))
    assert correction.scale > 0
    assert misfit(truth_psf) > 2
    assert misfit(correction.apply(truth_psf)) < 1.1
    fits = fit_boxes(truth.table(7), boxes, x, y, flux, sky, fit_sky=True)
    weight = 1 / (fits.expected + READ_NOISE**2)
    nothing = fit_correction(truth, boxes, fits, weight, 7, (800, 800))
    change = np.abs(nothing.apply(truth).stamps(x, y, 5) - truth.stamps(x, y, 5)).max()
    assert change < 1e-3
