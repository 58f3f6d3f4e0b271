"""Dither sets: drawing and simulating one exposure."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from filar.errors import ParameterError
from filar.fit import fit_stars
from filar.instruments import wfpc2_edge
from filar.psf.bound import cramer_rao
from filar.simulate import Effects
from filar.simulate.dithers import (
    DitherSettings,
    dither_psf,
    draw_dither_field,
    draw_pointing,
    expose_chip,
    on_chip,
    view_chip,
)
from filar.simulate.pointing import Pointing

SMALL = DitherSettings(exposures=4, stars=60)
SPARSE = DitherSettings(
    exposures=4,
    stars=700,
    separation=14.0,
    flux=(3000.0, 60_000.0),
    roll=0.01,
    scale=1e-4,
    aberrations=0.03,
    effects=Effects.parse("-cosmic_rays"),
)


@pytest.mark.parametrize("chip", ["PC", "WF3"])
def test_positions_and_fluxes_are_measured_as_the_truth_says(chip):
    """Roll, scale, offset, aberrations, breathing: no bias, and errors at the bound."""
    errors, sigmas, ratios = [], [], []
    for number in (1, 2, 3):
        view = view_chip(SPARSE, chip, number)
        seen = on_chip(chip, view.stars.x, view.stars.y)
        x, y, flux = (getattr(view.stars, name)[seen] for name in ("x", "y", "flux"))
        exposure = expose_chip(view)
        fits = fit_stars(exposure, view.psf, x, y, box=9)
        good = (fits.flags == 0) & (flux > 5000)
        bound = cramer_rao(
            view.psf, x, y, flux, sky=SPARSE.sky, read_noise=exposure.read_noise, box=9
        )
        errors.append(np.stack([fits.x - x, fits.y - y], axis=1)[good])
        sigmas.append(np.stack([bound.x, bound.y], axis=1)[good])
        ratios.append((fits.flux / flux)[good])
    error, sigma = np.concatenate(errors), np.concatenate(sigmas)
    assert len(error) > 1000
    kept = np.abs(error) < 5 * sigma
    weight = kept / sigma**2
    mean = (error * weight).sum(axis=0) / weight.sum(axis=0)
    assert np.all(np.abs(mean) < 4 / np.sqrt(weight.sum(axis=0)))
    assert 1.4826 * np.median(np.abs(error / sigma)) == pytest.approx(1.0, abs=0.12)
    assert np.median(np.concatenate(ratios)) == pytest.approx(1.0, abs=0.005)


def test_stars_keep_their_coordinates_on_the_sky():
    settings = replace(SMALL, roll=0.0, scale=0.0)
    for chip in ("PC", "WF2", "WF3", "WF4"):
        views = [view_chip(replace(settings, chips=(chip,)), chip, k) for k in (1, 3)]
        places = [
            expose_chip(view).wcs.all_pix2world(view.stars.x[:5], view.stars.y[:5], 0)
            for view in views
        ]
        ra, dec = np.array(places[1]) - np.array(places[0])
        assert np.abs(dec).max() * 3600 < 1e-4
        assert np.abs(ra).max() * 3600 * np.cos(np.radians(72)) < 1e-4


def test_the_chip_holds_the_stars_asked_for_and_they_surround_it():
    field = draw_dither_field(SMALL, "WF3")
    inside = on_chip("WF3", field.x, field.y)
    assert inside.sum() == 60
    edge = wfpc2_edge("WF3")
    assert not edge[
        np.rint(field.y[inside]).astype(int), np.rint(field.x[inside]).astype(int)
    ].any()
    many = draw_dither_field(replace(SMALL, stars=3000), "WF3")
    assert many.x.min() < -10
    assert many.y.max() > 810
    density = 3000 / (~edge).sum()
    ring = (many.x > 799.5) | (many.y > 799.5)
    width = many.x.max() - 799.5
    area = width * (800 + 2 * width) * 2 - width**2
    assert ring.sum() == pytest.approx(density * area, rel=0.35)


def test_separation_is_kept_and_too_many_stars_are_refused():
    field = draw_dither_field(SPARSE, "PC")
    assert len(cKDTree(np.c_[field.x, field.y]).query_pairs(14.0)) == 0
    with pytest.raises(ParameterError, match="separation"):
        draw_dither_field(replace(SMALL, stars=5000, separation=40.0), "PC")


def test_core_radius_crowds_the_middle():
    field = draw_dither_field(replace(SMALL, stars=1000, core_radius=100.0), "PC")
    assert np.mean(np.hypot(field.x - 399.5, field.y - 399.5) < 150) > 0.5


def test_a_chip_and_an_exposure_depend_on_nothing_else():
    longer = replace(SMALL, exposures=9, chips=("WF2", "PC"))
    assert draw_pointing(SMALL, 3) == draw_pointing(longer, 3)
    one, other = (expose_chip(view_chip(s, "PC", 3)) for s in (SMALL, longer))
    np.testing.assert_array_equal(one.data, other.data)
    assert draw_pointing(replace(SMALL, seed=2), 3) != draw_pointing(SMALL, 3)


def test_the_first_exposure_is_the_reference():
    first = draw_pointing(SMALL, 1)
    assert (first.dx, first.dy, first.roll, first.scale) == (0, 0, 0, 1)
    view = view_chip(SMALL, "PC", 1)
    np.testing.assert_allclose(view.stars.x, view.reference.x, atol=1e-11)


def test_offsets_fill_the_square_and_the_focus_breathes_about_its_mean():
    settings = replace(SMALL, exposures=300, focus=3.0, breathing=2.0)
    drawn = [draw_pointing(settings, k) for k in range(2, 301)]
    offsets = np.array([(p.dx, p.dy) for p in drawn])
    assert np.abs(offsets).max() <= 2
    counts = np.histogram2d(*offsets.T, 3, [[-2, 2], [-2, 2]])[0]
    assert np.sum((counts - 299 / 9) ** 2 / (299 / 9)) < 25
    focus = np.array([p.focus for p in drawn])
    assert focus.mean() == pytest.approx(3.0, abs=1.0)
    assert 1.0 < focus.std() < 2.5
    assert np.std([p.roll for p in drawn]) == pytest.approx(0.002, rel=0.2)
    assert np.std([p.scale for p in drawn]) == pytest.approx(1e-5, rel=0.2)
    assert np.all(np.diff([p.time for p in drawn]) > settings.exposure_time)


def test_exposures_follow_each_other_in_time():
    times = [expose_chip(view_chip(SMALL, "PC", k)).time for k in (1, 2)]
    assert (times[1] - times[0]).sec == pytest.approx(SMALL.exposure_time + 120, abs=1e-3)


def test_the_psf_follows_focus_and_jitter():
    quiet, shaken = Pointing(jitter=0.1), Pointing(jitter=20.0)
    out_of_focus = Pointing(jitter=0.1, focus=8.0)
    peaks = [
        dither_psf(SMALL, "PC", p).stamps([400.0], [400.0], 3)[0, 1, 1]
        for p in (quiet, shaken, out_of_focus)
    ]
    assert peaks[1] < 0.9 * peaks[0]
    assert peaks[2] < 0.95 * peaks[0]


def test_aberrations_are_fixed_and_vary_over_the_chip():
    settings = replace(SMALL, aberrations=0.05)
    plain, bent = (dither_psf(s, "WF3", Pointing()).stamps([100.0, 700.0], [100.0, 700.0], 5)
                   for s in (SMALL, settings))  # fmt: skip
    change = bent - plain
    assert np.abs(change).max() > 0.01
    assert not np.allclose(change[0], change[1], atol=3e-3)
    again = dither_psf(settings, "WF3", Pointing()).stamps([100.0, 700.0], [100.0, 700.0], 5)
    np.testing.assert_array_equal(bent, again)


def test_magnitudes_and_limits():
    bright = draw_dither_field(replace(SMALL, magnitudes="bright-enhanced", stars=500), "PC")
    natural = draw_dither_field(replace(SMALL, stars=500), "PC")
    assert np.median(bright.flux) > 3 * np.median(natural.flux)
    limited = draw_dither_field(replace(SMALL, flux=(900.0, 1000.0)), "PC")
    assert 900 <= limited.flux.min() <= limited.flux.max() <= 1000


def test_no_stars():
    assert len(draw_dither_field(replace(SMALL, stars=0), "PC")) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"exposures": 0},
        {"chips": ()},
        {"chips": ("PC", "PC")},
        {"chips": ("WF9",)},
        {"stars": -1},
        {"magnitudes": "dull"},
        {"flux": (10.0, 1.0)},
        {"core_radius": 0.0},
        {"separation": -1.0},
        {"focus": np.nan},
        {"breathing": -1.0},
        {"jitter": -1.0},
        {"jitter_spread": np.inf},
        {"aberrations": 3.0},
        {"offset": -2.0},
        {"roll": 90.0},
        {"scale": 1.0},
        {"exposure_time": 0.0},
        {"sky": -1.0},
        {"gain": 8},
        {"seed": -1},
    ],
)
def test_senseless_settings_are_refused_by_name(wrong):
    with pytest.raises(ParameterError, match=next(iter(wrong))):
        DitherSettings(**wrong)


def test_unknown_filter_is_refused():
    with pytest.raises(ParameterError):
        view_chip(replace(SMALL, filter="F1W"), "PC", 1)
