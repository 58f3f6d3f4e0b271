"""The estimator: what it learns, keeps, refuses; and the map of an image."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from filar.clusters.batches import turned  # noqa: E402
from filar.clusters.compose import Composer, electrons  # noqa: E402
from filar.clusters.cutouts import Cutouts, make_cutouts  # noqa: E402
from filar.clusters.data import SetFolder  # noqa: E402
from filar.clusters.estimator import ClusterModel  # noqa: E402
from filar.clusters.pmap import sky_map  # noqa: E402
from filar.errors import InputFileError, ParameterError  # noqa: E402
from filar.learn.recipe import Recipe, load_recipe, override  # noqa: E402
from filar.learn.settings import MixtureSettings  # noqa: E402
from tests.clusters.samples import blob_magnitudes, flat_prior, write_set  # noqa: E402


def small(**changes: object) -> Recipe:
    plain = {
        "network.channels": [8, 16], "network.blocks": 1, "network.hidden": 64,
        "network.bins": 20, "budget.epochs": 10, "budget.batch_size": 64,
        "mocks.fractions": [0.8, 0.1, 0.1], "mocks.away": [0.3, 0.45], "optimiser.lr": 1e-2,
    }  # fmt: skip
    return override(load_recipe("filar-clusters"), plain | changes)


@pytest.fixture(scope="module")
def mocks(tmp_path_factory: pytest.TempPathFactory) -> SetFolder:
    folder = tmp_path_factory.mktemp("set") / "mocks"
    return SetFolder(write_set(folder, 1200, size=16, extent=64, scenes=8))


@pytest.fixture(scope="module")
def model(mocks: SetFolder) -> ClusterModel:
    return ClusterModel(small(), seed=1).fit(mocks)


def cutouts_of(mocks: SetFolder, n: int) -> Cutouts:
    made = Composer(mocks, np.arange(len(mocks)), np.arange(2), MixtureSettings(backgrounds=0.3))
    return made.compose(np.arange(n), np.random.default_rng(9))[0]


def test_it_learns_what_the_light_tells(mocks: SetFolder, model: ClusterModel) -> None:
    """A model that knew the prior alone would have an rms of 0.29 of each range."""
    made = Composer(mocks, np.arange(len(mocks)), np.arange(8), MixtureSettings(backgrounds=0.3))
    cutouts, truth = made.compose(np.arange(600), np.random.default_rng(3))
    found, cluster = model.predict(cutouts, 200), truth.cluster
    miss = found.mean()[cluster] - truth.values[cluster]
    rms = np.sqrt(np.mean(miss**2, axis=0)) / np.ptp(model.inputs_.ranges, axis=1)
    assert rms[2] < 0.15
    assert rms.mean() < 0.24
    low, high = found.select(cluster).interval(0.68)
    inside = np.mean((truth.values[cluster] > low) & (truth.values[cluster] < high))
    assert 0.5 < inside < 0.85
    assert np.mean((found.p_cluster > 0.5) == cluster) > 0.8
    assert model.card_.figures["accuracy"] > 0.7


def test_saved_and_loaded_it_says_the_same(
    mocks: SetFolder, model: ClusterModel, tmp_path: Path
) -> None:
    path, cutouts = tmp_path / "model.safetensors", cutouts_of(mocks, 40)
    model.save(path)
    loaded = ClusterModel.load(path)
    first, second = (one.predict(cutouts, 20, seed=5) for one in (model, loaded))
    assert np.array_equal(first.samples, second.samples)
    assert np.array_equal(first.p_cluster, second.p_cluster)
    assert loaded.card_.filters == mocks.bands
    other = loaded.predict(cutouts, 20, seed=6)
    assert not np.array_equal(first.samples, other.samples)


def test_a_killed_training_ends_in_the_same_weights(mocks: SetFolder, tmp_path: Path) -> None:
    recipe = small(**{"budget.epochs": 2, "network.channels": [4, 4]})
    whole = ClusterModel(recipe, seed=2).fit(mocks)

    class KilledError(Exception):
        pass

    def kill(now: object) -> None:
        if getattr(now, "epoch", 0) == 1:
            raise KilledError

    folder = tmp_path / "training"
    with pytest.raises(KilledError):
        ClusterModel(recipe, seed=2).fit(mocks, folder=folder, progress=kill, checkpoint_seconds=0)
    resumed = ClusterModel(recipe, seed=2).fit(mocks, folder=folder, resume=True)
    for a, b in zip(
        whole.network_.state_dict().values(), resumed.network_.state_dict().values(), strict=True
    ):
        assert torch.equal(a, b)


def test_both_peaks_of_a_degenerate_cluster_carry_weight(tmp_path: Path) -> None:
    """Young behind dust and old without look exactly alike, and are as frequent."""
    rng = np.random.default_rng(0)
    values = flat_prior(700, rng)
    values[:, 2] = rng.normal(4.9, 0.03, len(values))
    young = rng.random(len(values)) < 0.5
    peaks = np.where(young[:, None], [6.8, 2.3], [7.7, 0.6])
    values[:, :2] = peaks + rng.normal(0, 0.03, peaks.shape)
    mags = np.full((len(values), 3), blob_magnitudes(np.array([[7.2, 0.5, 5.0, -1.0]])))
    folder = write_set(tmp_path / "mocks", size=16, extent=64, values=values, mags=mags)
    recipe = small(**{"network.channels": [4, 4], "network.hidden": 128, "budget.batch_size": 32})
    mocks = SetFolder(folder)
    model = ClusterModel(recipe).fit(mocks)
    made = Composer(mocks, np.arange(50), np.arange(2), MixtureSettings(backgrounds=0))
    found = model.predict(made.compose(np.arange(50), rng)[0], 400)
    old = found.samples[:, :, 0] > 7.25
    dusty = found.samples[:, :, 1] > 1.45
    assert 0.3 < old.mean(axis=1).min() <= old.mean(axis=1).max() < 0.7
    assert np.mean(old == dusty) < 0.15
    assert np.mean(np.abs(found.samples[:, :, 0] - 7.25) < 0.2) < 0.1


def test_cutouts_of_another_kind_are_refused(mocks: SetFolder, model: ClusterModel) -> None:
    cutouts, ones = cutouts_of(mocks, 4), np.ones(3)
    swapped = make_cutouts(cutouts.flux, ones, ones, mocks.bands[::-1], cutouts.pixel_scale)
    with pytest.raises(ParameterError, match="bands"):
        model.predict(swapped)
    small_ones = make_cutouts(cutouts.flux[..., :8, :8], ones, ones, mocks.bands, 0.08)
    with pytest.raises(ParameterError, match="size"):
        model.predict(small_ones)
    coarse = make_cutouts(cutouts.flux, ones, ones, mocks.bands, 0.1)
    with pytest.raises(ParameterError, match="pixel_scale"):
        model.predict(coarse)
    with pytest.raises(ParameterError, match="draws"):
        model.predict(cutouts, 0)
    with pytest.raises(ParameterError, match="untrained"):
        ClusterModel().predict(cutouts)


def test_what_is_brighter_or_noisier_than_the_training_is_out_of_its_domain(
    mocks: SetFolder, model: ClusterModel
) -> None:
    cutouts = cutouts_of(mocks, 60)
    assert model.predict(cutouts, 1).in_domain.mean() > 0.9
    far = make_cutouts(30 * cutouts.flux, 1.0, 1.0, mocks.bands, cutouts.pixel_scale)
    assert not model.predict(far, 1).in_domain.any()


def test_too_small_a_set_is_refused(tmp_path: Path) -> None:
    few = SetFolder(write_set(tmp_path / "few", 12, size=16, extent=64))
    with pytest.raises(ParameterError, match="at least"):
        ClusterModel(small()).fit(few)
    one = SetFolder(write_set(tmp_path / "one", 100, size=16, extent=64, scenes=1))
    with pytest.raises(ParameterError, match="scenes"):
        ClusterModel(small()).fit(one)
    with pytest.raises(ParameterError, match="clusters"):
        ClusterModel("c23-v1").fit(one)


def test_a_model_of_another_job_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(InputFileError):
        ClusterModel.load(path)


def test_turning_eight_times_gives_eight_images() -> None:
    image = np.arange(16.0).reshape(1, 4, 4).astype(np.float32)
    assert len({turned(image, way).tobytes() for way in range(8)}) == 8
    assert np.array_equal(turned(image, 0), image)


def test_the_sky_of_an_image_is_that_of_the_cutouts_in_it() -> None:
    rng = np.random.default_rng(0)
    yy, xx = np.mgrid[:80, :96]
    flux = (100 + 0.5 * xx + 0.2 * yy + rng.normal(0, 0.5, (2, 80, 96))).astype(np.float32)
    found = sky_map(flux, 32)
    plane = 100 + 0.5 * xx + 0.2 * yy
    inner = (slice(None), slice(16, 64), slice(16, 80))
    assert np.abs(found - plane)[inner].max() < 0.5
    assert np.isfinite(found).all()


def test_the_map_is_high_where_the_cluster_is(mocks: SetFolder, model: ClusterModel) -> None:
    bright = np.flatnonzero((mocks.values[:, 2] > 5.2) & (mocks.values[:, 1] < 1))[0]
    scene = electrons(np.asarray(mocks.scenes[0])).copy()
    scene[:, 20:36, 28:44] += electrons(mocks.clusters[bright])
    scene += np.random.default_rng(0).normal(0, np.sqrt(scene))
    flux = (scene / mocks.facts.gain[:, None, None]).astype(np.float32)
    found = model.p_map(flux)
    assert found.p.shape == ((64 - 16) // 4 + 1,) * 2
    assert ((found.p >= 0) & (found.p <= 1)).all()
    j, i = int((27.5 - found.y0) / found.step), int((35.5 - found.x0) / found.step)
    assert found.p[j, i] > 0.5
    assert found.p[j, i] > np.median(found.p) + 0.2
    with pytest.raises(ParameterError, match="bands"):
        model.p_map(flux[:2])
    with pytest.raises(ParameterError, match="16 x 16"):
        model.p_map(flux[:, :10])
