"""What cluster models are worth on what they were not trained on, with tiny sets."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.cluster_systematics import __main__ as experiment
from experiments.cluster_systematics import plan, widths
from experiments.cluster_systematics.judge import harm, judge
from experiments.cluster_systematics.noise import Drizzled, drop_of, in_apertures, power
from experiments.cluster_systematics.plan import TRAINED, Seen, variants
from experiments.cluster_systematics.told import taken
from experiments.trials.folder import read_json
from filar.clusters.data import SetFolder, Truth
from filar.clusters.evaluate import Estimates
from filar.clusters.evaluate_posterior import INTERVALS
from filar.clusters.posterior import Predictions
from filar.errors import OutputFileError, ParameterError
from filar.learn.settings import MixtureSettings
from filar.simulate.clusters.camera import preset_camera
from tests.clusters import samples
from tests.simulate.clusters.samples import BANDS, tiny, write_isochrones

RANGES = np.array([[6.6, 8.0], [0.0, 3.0], [3.0, 3.5], [-1.4, -0.4]])


def test_stars_are_as_wide_as_asked_for_where_the_blur_can_do_it():
    camera = preset_camera("m83", ("F336W", "F814W"))
    for factor in (1.05, 1.1, 0.95):
        found = widths.changes(camera, widths.wider(camera, factor))
        np.testing.assert_allclose(list(found.values()), factor - 1, atol=0.004)
    sharpest = widths.wider(camera, 0.5)
    assert [band.blur for band in sharpest.bands] == [0.0, 0.0]
    assert -0.1 < widths.changes(camera, sharpest)["F814W"] < 0.0  # diffraction and pixels stay


def test_drizzled_noise_is_that_of_shared_photons():
    found = np.fft.ifft(power(1.0, 32)).real
    # a triangle with itself: a cubic spline, 2/3 and 1/6
    np.testing.assert_allclose(found[:3], [1.0, 0.25, 0.0], atol=1e-5)
    assert in_apertures(1.0) == pytest.approx(1.5, abs=1e-4)
    assert 1.0 < in_apertures(0.6) < 1.5
    images = Drizzled(np.random.PCG64(1), 1.0, 0.5).standard_normal((20, 2, 32, 32), np.float32)
    assert images.dtype == np.float32
    assert images.std() == pytest.approx(0.5, rel=0.03)
    beside = np.mean(images[..., 1:] * images[..., :-1]) / images.var()
    assert beside == pytest.approx(0.25, abs=0.02)
    plain = Drizzled(np.random.PCG64(1), 1.0).standard_normal(50)
    np.testing.assert_array_equal(
        plain, np.random.Generator(np.random.PCG64(1)).standard_normal(50)
    )
    camera = preset_camera("m83")
    assert drop_of(camera) == pytest.approx(0.99, abs=0.01)
    assert drop_of(replace(camera, pixfrac=0.5)) == pytest.approx(drop_of(camera) / 2)
    assert drop_of(replace(camera, pixfrac=None)) == 1.0


def test_one_thing_is_changed_at_a_time(tmp_path):
    trained = tiny(tmp_path / "own.dat")
    made = {name: make() for name, make in variants(trained, ("other.dat",)).items()}
    assert len(made) == 17
    assert next(iter(made)) == TRAINED
    assert made[TRAINED].settings == trained
    for one in made.values():
        changed = one.settings != trained
        assert changed + (one.seen != Seen()) == (one.name != TRAINED), one.name
        assert (one.folder == made[TRAINED].folder) != changed, one.name
    assert len({one.folder for one in made.values()}) == 12
    assert made["F438W 0.05 mag too faint"].seen.faint == (0.05, 0.0)
    assert made["twice solar metals"].settings.scene.z == plan.TWICE_SOLAR
    assert "other isochrones" not in variants(trained, ())


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    return SetFolder(samples.write_set(tmp_path_factory.mktemp("blobs"), 60))


def test_images_of_a_set_differ_only_in_what_is_changed(blobs):
    mixture = MixtureSettings()
    cutouts, truth = taken(blobs, mixture, Seen(), 1)
    for seen in (Seen(depth=0.5), Seen(faint=(0.1, 0.0, 0.0)), Seen(drop=1.0)):
        other, same = taken(blobs, mixture, seen, 1)
        np.testing.assert_array_equal(same.cluster, truth.cluster)
        np.testing.assert_array_equal(same.values, truth.values)
        assert (other.flux != cutouts.flux).any()
        gain = {0.5: 0.5}.get(seen.depth, 1.0)
        np.testing.assert_allclose(other.gain[:, 1], gain * cutouts.gain[:, 1], rtol=1e-5)
    faint = taken(blobs, mixture, Seen(faint=(0.1, 0.0, 0.0)), 1)[0]
    np.testing.assert_allclose(faint.flux[:, 0], cutouts.flux[:, 0] * 10**-0.04, rtol=1e-5)
    np.testing.assert_array_equal(faint.flux[:, 1:], cutouts.flux[:, 1:])
    drizzled = taken(blobs, mixture, Seen(drop=1.0), 1)[0]
    np.testing.assert_array_equal(drizzled.noise, cutouts.noise)
    # whole images hold the same light but for noise
    np.testing.assert_allclose(
        drizzled.flux.sum(axis=(2, 3)), cutouts.flux.sum(axis=(2, 3)), rtol=0.05, atol=50
    )


def test_paired_changes_are_surer_than_biases():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(400, 4))
    truth = Truth(values, np.arange(400) < 300, np.full(400, 1.0))
    miss = rng.normal(size=(400, 4))

    def said(moved):
        point = values + miss + moved
        sides = {INTERVALS[0]: (point - 1.0, point + 1.0), INTERVALS[1]: (point - 2, point + 2)}
        return truth, Estimates(point, sides, np.where(truth.cluster, 0.9, 0.1))

    first, moved = said(0.0), said(np.array([0.0, 0.0, 0.3, -1.5]))
    same, other = (judge("one", "", *pair, first) for pair in (first, moved))
    assert same.clusters == 300
    assert (same.change == 0).all()
    np.testing.assert_allclose(other.change, [0, 0, 0.3, -1.5], atol=1e-9)
    assert (other.change_err < 1e-9).all() and (other.bias_err > 0.03).all()
    assert same.accuracy == 1.0
    np.testing.assert_allclose(same.inside68, 0.68, atol=0.08)
    np.testing.assert_allclose(other.bright_change, other.change, atol=1e-9)
    assert other.bright_inside68[3] < 0.5 < same.bright_inside68.min()
    assert other.inside68[3] < 0.5 and np.isnan(other.in_domain)
    assert harm(other, same) == pytest.approx(1.5)


class Guessing:
    """Says the prior of every cluster."""

    size, pixel_scale = 16, 0.04
    card_ = SimpleNamespace(
        instrument="m83", filters=BANDS,
        normalisation={"distance_mpc": 4.0, "zero_point": [25.0, 24.5]},
    )  # fmt: skip
    inputs_ = SimpleNamespace(ranges=RANGES)
    recipe_ = SimpleNamespace(mocks=MixtureSettings())

    @classmethod
    def load(cls, path):
        return cls()

    def predict(self, cutouts, draws, *, seed):
        assert cutouts.bands == BANDS and cutouts.size == 16
        rng, n = np.random.default_rng(seed), len(cutouts)
        drawn = rng.uniform(RANGES[:, 0], RANGES[:, 1], (n, draws, 4)).astype(np.float32)
        return Predictions(drawn, rng.random(n), np.ones(n), np.ones(n, bool))


def test_the_whole_of_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(experiment, "ClusterModel", Guessing)
    isochrones = write_isochrones(tmp_path / "own.dat")
    model = tmp_path / "model.safetensors"
    model.write_bytes(b"one")
    folder = tmp_path / "found"
    words = [
        "--model", str(model), "-o", str(folder), "--clusters", "12", "--scenes", "1",
        "--scene-size", "48", "--own-isochrones", str(isochrones), "--isochrones", str(isochrones),
        "--workers", "1", "--only", "King profiles", "exposures x 2", "other isochrones",
    ]  # fmt: skip
    experiment.main(words)
    text = (folder / "table.md").read_text()
    assert text in capsys.readouterr().out
    found = read_json(folder / "table.json")
    names = [TRAINED, "other isochrones", "King profiles", "exposures x 2"]
    assert [one["name"] for one in found] == names
    assert all(f"| {name} |" in text for name in names)
    # other isochrones that are the same ones change nothing; nor does a guess that does not look
    np.testing.assert_array_equal(found[1]["change"], 0.0)
    assert found[0]["clusters"] == found[2]["clusters"] > 3
    settings = read_json(folder / "sets" / "as_trained" / "set.json")
    assert settings["distance_mpc"] == 4.0 and settings["zero_point"] == [25.0, 24.5]
    assert settings["ranges"]["log_mass"] == [3.0, 3.5]
    assert (folder / "figure.png").read_bytes()[:4] == b"\x89PNG"

    kept = {path: path.stat().st_mtime_ns for path in folder.rglob("*.np[yz]")}
    assert len(kept) == 3 * 2 + 4
    experiment.main(words)
    model.write_bytes(b"another")  # has the same sets and its own answers
    experiment.main(words)
    assert all(path.stat().st_mtime_ns == then for path, then in kept.items())
    assert len(list(folder.rglob("*.npz"))) == 8

    with pytest.raises(ParameterError, match="King"):
        experiment.main([*words, "no such"])
    with pytest.raises(OutputFileError, match="seed = 1, not 2"):
        experiment.main([*words[:-4], "--seed", "2"])
