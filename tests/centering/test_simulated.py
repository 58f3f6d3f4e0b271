import numpy as np
import pytest

from filar.centering.ensemble import PSFRanges, draw_state
from filar.centering.simulated import misjudged
from filar.errors import ParameterError
from filar.psf.model import FieldGrid
from filar.psf.samples import sample_psf
from tests.centering import stars


def test_labels_are_where_the_light_is():
    bright = stars.StampDraw(**{**vars(stars.CLEAN), "flux": (5e4, 8e4), "size": 9})
    stamps, labels = stars.stamps(400, draw=bright)
    light = stamps.pixels - stamps.sky[:, None, None]
    whole = ~stamps.bad.any(axis=(1, 2))
    index = np.arange(9)
    x = (light.sum(axis=1) @ index / light.sum(axis=(1, 2)))[whole]
    y = (light.sum(axis=2) @ index / light.sum(axis=(1, 2)))[whole]
    # a raster cuts the wings on one side, which pulls the centroid of a WFPC2 star by 0.05
    assert x == pytest.approx(labels.x[whole], abs=0.15)
    assert y == pytest.approx(labels.y[whole], abs=0.15)
    assert np.abs(labels.x - 4).max() < 0.8


def test_the_light_is_the_stars_and_the_noise_poissons():
    stamps, _ = stars.stamps(4000)
    light = (stamps.pixels - stamps.sky[:, None, None]).sum(axis=(1, 2))
    inside = np.median(light / stamps.flux)
    assert 0.7 < inside < 1.0  # the rest lies beyond the raster
    corner = (stamps.pixels[:, 0, 0] - stamps.sky)[stamps.flux < 500]
    noise = np.sqrt(stamps.sky + stamps.read_noise**2)[stamps.flux < 500]
    assert np.std(corner / noise) == pytest.approx(1.0, abs=0.1)


def test_the_same_seed_gives_the_same_stamps(tmp_path):
    one, two, other = (
        stars.store(tmp_path / name, psfs=12, stars=8, seed=seed)
        for name, seed in (("one", 1), ("two", 1), ("other", 2))
    )
    assert one.digest == two.digest
    assert one.digest != other.digest
    parts = {int(star) // 8: set() for star in one.column("star")}
    for star, part in zip(one.column("star"), one.column("part"), strict=True):
        parts[int(star) // 8].add(int(part))
    assert all(len(found) == 1 for found in parts.values())


def test_fit_errors_change_what_the_network_is_told_and_nothing_else():
    samples = sample_psf(stars.psf(), 4.0)
    errors = np.zeros((1, 51, 51), np.float32)
    errors[0, 25, 25] = 1e-3
    told = misjudged(samples, errors, np.random.default_rng(1))
    change = told.values - samples.values
    assert np.abs(change[:, 20, 20]).min() > 0
    change[:, 20, 20] = 0
    assert np.abs(change).max() < 1e-7


def test_psfs_are_spread_as_asked():
    rng = np.random.default_rng(2)
    here = PSFRanges(focus=0.0, low=0.0, middle=0.0, high=0.0, shift=0.0, band=0.0)
    states = [draw_state(["PC", "WF3"], "F555W", rng, ranges=here) for _ in range(30)]
    assert {chip for chip, _ in states} == {"PC", "WF3"}
    for _, state in states:
        assert np.abs(state.mean[: state.family.optics.modes]).max() == 0
    wide = [draw_state(["PC"], "F555W", rng)[1].mean[0] for _ in range(200)]
    assert np.max(np.abs(wide)) <= 8 * 0.011
    assert np.std(wide) == pytest.approx(8 * 0.011 / np.sqrt(3), rel=0.15)


def test_psfs_vary_over_the_chip():
    _, state = draw_state(["PC"], "F555W", np.random.default_rng(3))
    here, there = (
        sample_psf(state.psf(FieldGrid((p,), (p,))), 4.0).values[0] for p in (100.0, 700.0)
    )
    assert 1e-3 < np.abs(here - there).max() < 0.1
    assert here.max() > 0.05


def test_chips_that_wfpc2_does_not_have_are_refused():
    with pytest.raises(ParameterError, match="WF5"):
        draw_state(["WF5"], "F555W", np.random.default_rng(1))
