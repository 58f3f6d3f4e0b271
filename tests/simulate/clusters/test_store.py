"""Training sets on disk."""

import json
from dataclasses import replace

import numpy as np
import pytest

from filar.catalogfile import read_catalog
from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.simulate.clusters import store
from filar.simulate.clusters.scene import KINDS, draw_scene
from filar.simulate.clusters.settings import settings_from
from filar.simulate.clusters.sources import load_isochrones
from filar.simulate.clusters.store import write_set
from filar.simulate.survey.streams import stream
from tests.simulate.clusters.samples import BANDS, tiny, write_isochrones


@pytest.fixture(scope="module")
def isochrones(tmp_path_factory):
    return write_isochrones(tmp_path_factory.mktemp("isochrones") / "toy.dat")


@pytest.fixture(scope="module")
def made(isochrones, tmp_path_factory):
    return write_set(tiny(isochrones), tmp_path_factory.mktemp("sets") / "one")


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(store, "CHUNK", 3)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def test_a_set_holds_images_truth_and_settings(made):
    names = set(contents(made.folder))
    tables = {"clusters.parquet", "scenes.parquet"}
    assert names == {"set.json", "clusters.npy", "scenes.npy"} | tables
    assert not (made.folder / "unfinished").exists()
    images = np.load(made.folder / "clusters.npy")
    assert images.shape == (7, 2, 16, 16)
    assert images.dtype == np.float16
    truth = read_catalog(made.folder / "clusters.parquet")
    settings = json.loads((made.folder / "set.json").read_text())
    assert settings["bands"] == list(BANDS)
    for name, (low, high) in settings["ranges"].items():
        values = np.asarray(truth[name])
        assert ((values >= low - 0.11) & (values <= high + 0.11)).all()
    # the roots hold the electrons of the magnitudes, but for what lies beyond the cutout
    times, zero = np.array(settings["exposure_time"]), np.array(settings["zero_point"])
    electrons = (images.astype(np.float64) ** 2).sum(axis=(2, 3))
    mags = np.stack([truth[f"mag_{band}"].value for band in BANDS], axis=1)
    expected = times * 10 ** (0.4 * (zero - mags))
    assert (electrons < 1.01 * expected).all()
    assert (electrons > 0.4 * expected).all()


def test_scenes_are_those_of_the_seed(made, isochrones):
    settings = tiny(isochrones)
    scenes = np.load(made.folder / "scenes.npy")
    assert scenes.shape == (2, 2, 48, 48)
    scene = draw_scene(
        settings.scene,
        settings.camera,
        load_isochrones(settings.isochrones, BANDS),
        (48, 48),
        stream(3, "scene", 1),
    )
    times = settings.camera.exposure_times[:, None, None]
    np.testing.assert_allclose(scenes[1].astype(float) ** 2, scene.rate * times, rtol=2e-3)
    objects = read_catalog(made.folder / "scenes.parquet")
    assert set(objects["kind"]) <= set(KINDS)


def test_the_settings_can_be_read_back(made, isochrones):
    stored = json.loads((made.folder / "set.json").read_text())
    assert settings_from(stored["mock_settings"]) == tiny(isochrones).mock


def assert_same(one, other):
    """The same images and settings; tables may be cut into parts at other rows."""
    ours, theirs = contents(one), contents(other)
    assert set(ours) == set(theirs)
    for name in ours:
        if name.endswith(".parquet"):
            left, right = read_catalog(one / name), read_catalog(other / name)
            assert left.colnames == right.colnames
            for column in left.colnames:
                np.testing.assert_array_equal(left[column], right[column])
        else:
            assert ours[name] == theirs[name], name


def test_a_set_that_was_interrupted_goes_on(made, isochrones, tmp_path, monkeypatch):
    make, calls = store._make, []

    def interrupted(task):
        if len(calls) == 3:
            raise KeyboardInterrupt
        calls.append(task)
        return make(task)

    monkeypatch.setattr(store, "_make", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_set(tiny(isochrones), tmp_path)
    monkeypatch.setattr(store, "_make", make)
    again = write_set(tiny(isochrones), tmp_path)
    assert (again.made, again.kept) == (2, 3)
    assert_same(again.folder, made.folder)


@pytest.mark.parametrize("finished", [False, True])
def test_a_set_grows(made, isochrones, tmp_path, monkeypatch, finished):
    def interrupted(*_):
        raise KeyboardInterrupt

    if finished:
        write_set(tiny(isochrones, clusters=4), tmp_path)
    else:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(store, "_join", interrupted)
            write_set(tiny(isochrones, clusters=4), tmp_path)
    # the last part had one cluster: it is made anew
    grown = write_set(tiny(isochrones), tmp_path)
    assert (grown.made, grown.kept) == (2, 3)
    assert_same(grown.folder, made.folder)
    assert write_set(tiny(isochrones), tmp_path).made == 0


def test_workers_make_the_same_files(made, isochrones, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "CHUNK", 250)  # other processes have the module's own
    assert_same(write_set(tiny(isochrones), tmp_path, workers=2).folder, made.folder)


def test_real_backgrounds_are_kept_as_they_are(isochrones, tmp_path):
    real = np.random.default_rng(0).normal(100.0, 10.0, (3, 2, 20, 30))
    settings = tiny(isochrones, scenes=0, clusters=1, backgrounds=("a.fits", "b.fits"))
    write_set(settings, tmp_path, backgrounds=real)
    found = np.load(tmp_path / "scenes_real.npy")
    np.testing.assert_array_equal(found, real.astype(np.float32))
    assert not (tmp_path / "scenes.npy").exists()
    assert json.loads((tmp_path / "set.json").read_text())["backgrounds"] == ["a.fits", "b.fits"]


@pytest.mark.parametrize("shape", [(2, 20, 30), (1, 3, 20, 20), (1, 2, 8, 20), (0, 2, 20, 20)])
def test_real_backgrounds_that_do_not_fit_are_refused(isochrones, tmp_path, shape):
    with pytest.raises(ParameterError, match="backgrounds"):
        write_set(tiny(isochrones), tmp_path / "new", backgrounds=np.zeros(shape))
    assert not (tmp_path / "new").exists()


def test_what_makes_no_sense_is_refused(isochrones, tmp_path):
    with pytest.raises(ParameterError, match="workers"):
        write_set(tiny(isochrones), tmp_path / "new", workers=0)
    with pytest.raises(ParameterError, match="scenes"):
        write_set(tiny(isochrones, scenes=0), tmp_path / "new")
    with pytest.raises(ParameterError, match="scene_size"):
        tiny(isochrones, scene_size=8)
    old = replace(tiny(isochrones).mock, log_age=(6.6, 10.3))
    with pytest.raises(ParameterError, match="log_age"):
        write_set(tiny(isochrones, mock=old), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_another_set_in_the_folder_is_refused(made, isochrones, tmp_path):
    with pytest.raises(OutputFileError, match="seed = 3 instead of 4"):
        write_set(tiny(isochrones, seed=4), made.folder)
    with pytest.raises(OutputFileError, match="7 clusters, more than asked for"):
        write_set(tiny(isochrones, clusters=5), made.folder)
    (tmp_path / "set.json").write_text("{")
    with pytest.raises(InputFileError, match="cannot be read"):
        write_set(tiny(isochrones), tmp_path)
    (tmp_path / "set.json").unlink()
    (tmp_path / "clusters.npy").write_bytes(b"")
    with pytest.raises(OutputFileError, match=r"no set\.json"):
        write_set(tiny(isochrones), tmp_path)
