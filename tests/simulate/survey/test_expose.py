"""One image of a survey: from stars to counts."""

from dataclasses import replace

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.simulate.survey.cameras import make_camera
from filar.simulate.survey.expose import make_view, take_image
from filar.simulate.survey.schedule import Visit, epoch_number, make_night, visits
from filar.simulate.survey.settings import SurveySettings
from filar.simulate.survey.stars import make_field

SETTINGS = SurveySettings(cameras=("a", "b"), fields=1, size=256, targets=8, latitude=80.0)
VISIT = Visit(0, "a", "g", 0, 0)


def look(visit=VISIT, **changes):
    settings = replace(SETTINGS, **changes)
    view = make_view(settings, make_camera(settings, visit.camera), make_field(settings, 0), visit)
    return settings, view, take_image(settings, view)


@pytest.fixture(scope="module")
def plain():
    return look()


def lonely(view, electrons, x=128.0, y=128.0):
    """The same image with a single star."""
    one = replace(view.field, **{k: getattr(view.field, k)[:1] for k in _COLUMNS})
    place = {"x": np.array([x]), "y": np.array([y])}
    return replace(view, field=one, mag=view.mag[:1], electrons=np.array([electrons]), **place)


_COLUMNS = ("id", "xi", "eta", "g", "color", "kind", "period", "start", "amplitude", "target")


def test_counts_are_what_a_converter_gives(plain):
    _, _, shot = plain
    assert (shot.counts == np.rint(shot.counts)).all()
    assert shot.counts.min() >= 0
    assert shot.counts.max() <= 65_535
    assert (shot.counts >= 60_000).any()


def test_every_full_pixel_is_above_the_saturation_level(plain):
    settings, view, _ = plain
    counts = take_image(settings, lonely(view, 2e7)).counts
    trail = counts[128 - 10 : 128 + 11, 128]
    assert (trail >= 60_000).all()
    wells = view.camera.full_wells / view.camera.gain / 60_000
    assert 1.01 <= wells.min() < wells.max() < 1.2
    assert 0.01 < wells.std() < 0.03


def test_small_wells_lower_the_saturation_level(plain):
    settings, view, _ = look(full_well=0.8)
    assert settings.saturation < 0.8 * 60_000
    trail = take_image(settings, lonely(view, 2e7)).counts[118:139, 128]
    assert (trail >= settings.saturation).all()
    assert trail.max() < 0.9 * 60_000


def test_charge_is_conserved_along_the_trail(plain):
    settings, view, _ = plain
    with_star = take_image(settings, lonely(view, 2e7)).counts
    without = take_image(settings, lonely(view, 0.0)).counts
    assert with_star.sum() - without.sum() == pytest.approx(2e7 / view.camera.gain, rel=0.02)
    excess = (with_star - without)[:, 126:131] * (with_star[:, 126:131] > 30_000)
    up, down = excess[135:].sum(), excess[:122].sum()
    assert up / (up + down) == pytest.approx(view.camera.up, abs=0.1)


def test_a_converter_that_ends_early_loses_charge(plain):
    settings, view, _ = look(full_well=1.3)
    with_star = take_image(settings, lonely(view, 2e7)).counts
    without = take_image(settings, lonely(view, 0.0)).counts
    assert (with_star == 65_535).sum() > 50
    assert (with_star - without).sum() * view.camera.gain < 0.95 * 2e7
    settings, view, _ = look(bit_depth=12)
    assert settings.saturation == pytest.approx(0.98 * 4095)
    assert take_image(settings, lonely(view, 1e6)).counts.max() == 4095
    settings, view, _ = look(bit_depth=32, full_well=5.0)
    counts = take_image(settings, lonely(view, 1e6)).counts
    assert counts.max() > 60_000
    assert (counts != np.rint(counts)).any()


def test_noise_is_that_of_electrons(plain):
    settings, view, _ = plain
    view = lonely(view, 0.0)
    counts = take_image(replace(settings, pixel_response=0.0), view).counts[108:148, 108:148]
    gain, level = view.camera.gain, counts.mean()
    expected = np.sqrt(level * gain + view.camera.read_noise**2) / gain
    assert counts.std() == pytest.approx(expected, rel=0.1)


def test_the_corners_are_dark_unless_flat_fielded(plain):
    settings, view, _ = plain
    view = lonely(view, 0.0)
    bare = take_image(settings, view).counts
    flat = take_image(replace(settings, flat_fielded=True), view).counts
    middle, corner = (slice(108, 148),) * 2, (slice(0, 20),) * 2
    assert 0.4 < bare[corner].mean() / bare[middle].mean() < 0.72
    assert flat[corner].mean() / flat[middle].mean() == pytest.approx(1.0, abs=0.1)
    radius = view.camera.transmission(np.array([0.0, 255.0]), np.array([0.0, 255.0]))
    np.testing.assert_allclose(radius, 0.5, atol=0.04)


def test_the_same_seed_gives_the_same_image_and_others_differ(plain):
    _, view, shot = plain
    np.testing.assert_array_equal(look()[2].counts, shot.counts)
    # more cameras, epochs and fields leave an image as it was
    same = look(cameras=("b", "a", "c"), fields=3, epochs=99)[2]
    np.testing.assert_array_equal(same.counts, shot.counts)
    for other in (replace(VISIT, exposure=1), replace(VISIT, epoch=1), replace(VISIT, camera="b")):
        assert (look(other)[2].counts != shot.counts).mean() > 0.5
    assert (look(seed=2)[2].counts != shot.counts).mean() > 0.5
    assert make_camera(SETTINGS, "b").lens != view.camera.lens


def test_stars_vary_as_they_should():
    settings = replace(SETTINGS, targets=40, variables=1.0, filters=("g", "V"))
    field, camera = make_field(settings, 0), make_camera(settings, "a")
    views = [make_view(settings, camera, field, replace(VISIT, epoch=e)) for e in range(60)]
    mags = np.array([view.mag[:40] for view in views])
    amplitude = field.amplitude[:40]
    assert (np.ptp(mags, axis=0) <= amplitude * 1.0001).all()
    assert np.median(np.ptp(mags, axis=0) / amplitude) > 0.8
    zero = np.array([view.zero_point for view in views])
    transparency = np.array([view.night.transparency for view in views])
    assert 0.6 <= transparency.min() < transparency.max() <= 1.05
    np.testing.assert_allclose(
        zero - 2.5 * np.log10(transparency), camera.zero_points["g"], atol=1e-9
    )


def test_exposures_of_an_epoch_resemble_each_other():
    camera = make_camera(SETTINGS, "a")
    nights = [[make_night(SETTINGS, camera, Visit(0, "a", "g", e, k)) for k in range(3)]
              for e in range(25)]  # fmt: skip
    clear = np.array([[night.transparency for night in epoch] for epoch in nights])
    assert clear.std(axis=1).mean() < 0.5 * clear.std()
    times = np.array([[night.mjd for night in epoch] for epoch in nights])
    np.testing.assert_allclose(np.diff(times, axis=1) * 86_400, 105.0, atol=0.01)
    assert (np.diff(times[:, 0]) > 4.0).all()


def test_epochs_have_numbers_of_their_own():
    settings = replace(SETTINGS, filters=("g", "V"), fields=2, epochs=3, exposures=2)
    everything = list(visits(settings))
    assert len({one.name for one in everything}) == len(everything) == 48
    numbers = [epoch_number(settings, one) for one in everything]
    assert sorted(numbers) == sorted(list(range(24)) * 2)


@pytest.mark.parametrize(
    "name, value",
    [
        ("cameras", ()),
        ("cameras", ("a", "a")),
        ("cameras", ("../a",)),
        ("filters", ("r",)),
        ("bit_depth", 20),
        ("size", 10),
        ("epochs", 0),
        ("variables", 1.5),
        ("full_well", 0.1),
        ("sky", float("nan")),
        ("targets", 0),
    ],
)
def test_settings_without_meaning_are_refused(name, value):
    with pytest.raises(ParameterError, match=name):
        SurveySettings(**{name: value})
