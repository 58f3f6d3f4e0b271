"""Sets on disk and what is composed of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from filar.clusters.compose import Composer, electrons, find_peaks, log_visibility
from filar.clusters.data import SetFolder
from filar.clusters.posterior import PARAMETERS
from filar.errors import InputFileError, ParameterError
from filar.learn.settings import MixtureSettings
from filar.simulate.clusters.noise import seen_radius
from tests.clusters.samples import RANGES, blob_magnitudes, write_set

ONLY_CLUSTERS = MixtureSettings(backgrounds=0, depth=(1, 1))


@pytest.fixture(scope="module")
def mocks(tmp_path_factory: pytest.TempPathFactory) -> SetFolder:
    return SetFolder(write_set(tmp_path_factory.mktemp("set") / "mocks"))


def composer(mocks: SetFolder, mixture: MixtureSettings) -> Composer:
    return Composer(mocks, np.arange(len(mocks)), np.arange(len(mocks.scenes)), mixture)


def test_light_is_kept_and_has_the_unit_of_magnitude_25(mocks: SetFolder) -> None:
    """Many noises of the brightest cluster: what is above the background is its flux."""
    row = int(np.argmin(blob_magnitudes(mocks.values)[:, 2]))
    rows, rng = np.full(64, row), np.random.default_rng(1)
    made = composer(mocks, ONLY_CLUSTERS)
    made.scenes = [np.full_like(mocks.scenes[0], 20.0)]
    cutouts, truth = made.compose(rows, rng)
    border = np.concatenate([cutouts.flux[:, :, 0], cutouts.flux[:, :, -1]], axis=2)
    light = (cutouts.flux - np.median(border, axis=2)[:, :, None, None]).sum(axis=(2, 3))
    expected = 10 ** (0.4 * (25 - blob_magnitudes(mocks.values)[row]))
    assert np.median(light, axis=0) == pytest.approx(expected, rel=0.05)
    assert truth.cluster.all()
    assert np.array_equal(truth.values, mocks.values[rows])


def test_noise_is_that_of_all_electrons(mocks: SetFolder) -> None:
    made = composer(mocks, ONLY_CLUSTERS)
    scene = mocks.scenes[0]
    flat = np.full_like(scene, 20.0)  # 400 electrons
    made.scenes = [flat]
    made._peaks = [find_peaks(electrons(flat), 32)]
    faint = int(np.argmax(blob_magnitudes(mocks.values)[:, 0]))
    cutouts, _ = made.compose(np.full(40, faint), np.random.default_rng(2))
    measured = cutouts.flux[:, 0, :6].std() * cutouts.gain[0, 0]
    assert measured == pytest.approx(np.sqrt(400 + 25), rel=0.03)
    assert cutouts.noise[0, 0] * cutouts.gain[0, 0] == pytest.approx(np.sqrt(425), rel=0.01)


def test_a_deeper_exposure_has_less_noise_and_the_same_flux(mocks: SetFolder) -> None:
    rows = np.full(200, int(np.argmax(mocks.values[:, 2])))
    made = [
        composer(mocks, MixtureSettings(backgrounds=0, depth=(d, d))).compose(
            rows, np.random.default_rng(3)
        )
        for d in (1.0, 4.0)
    ]
    (shallow, plain), (deep, better) = made
    assert deep.flux.mean() == pytest.approx(shallow.flux.mean(), rel=0.02)
    assert np.median(deep.noise / shallow.noise) == pytest.approx(0.5, rel=0.05)
    gained = np.median(better.log_snr - plain.log_snr)
    assert 0.5 * np.log10(4) - 0.01 <= gained < 0.5 * np.log10(4) + 0.03


def test_the_mixture_holds_what_it_says(mocks: SetFolder) -> None:
    made = composer(mocks, MixtureSettings(backgrounds=0.4, aside=0.5, peaks=0.5))
    rows = np.random.default_rng(0).integers(len(mocks), size=3000)
    cutouts, truth = made.compose(rows, np.random.default_rng(4))
    assert np.mean(~truth.cluster) == pytest.approx(0.4, abs=0.03)
    assert np.isnan(truth.values[~truth.cluster]).all()
    assert np.isfinite(truth.log_snr[truth.cluster]).all()
    assert np.isfinite(cutouts.flux).all()


def test_clusters_put_aside_are_not_in_the_middle(mocks: SetFolder) -> None:
    made = composer(mocks, MixtureSettings(backgrounds=0.999, aside=1, away=(0.31, 0.44)))
    made.scenes = [np.full_like(mocks.scenes[0], 5.0)]
    compact = np.flatnonzero((mocks.values[:, 3] < -1.1) & (mocks.values[:, 1] < 2))
    row = compact[np.argmax(mocks.values[compact, 2])]
    cutouts, truth = made.compose(np.full(50, row), np.random.default_rng(5))
    peak = cutouts.flux[~truth.cluster, 2].reshape(-1, 32 * 32).argmax(axis=1)
    apart = np.hypot(peak // 32 - 15.5, peak % 32 - 15.5)
    assert apart.min() > 8
    assert apart.max() < 16


def test_visibility_is_the_photon_noise_of_half_the_light(mocks: SetFolder) -> None:
    facts = mocks.facts
    light = np.zeros((1, 3, 32, 32), np.float32)
    light[0, 2, 15, 15] = 20_000
    behind = np.zeros_like(light)
    values = np.array([[7.0, 0.0, 4.0, np.log10(2 * facts.pixel_scale)]])
    area = np.pi * seen_radius(2.0, 1.0) ** 2
    noise = 10_000 + area * 25
    expected = 10_000 / np.sqrt(noise)
    assert 10 ** log_visibility(facts, light, behind, values)[0] == pytest.approx(
        expected, rel=1e-3
    )


def test_peaks_are_where_the_light_is() -> None:
    scene = np.full((3, 96, 96), 400.0, np.float32)
    yy, xx = np.mgrid[:96, :96]
    scene += 3000 * np.exp(-((xx - 40) ** 2 + (yy - 50) ** 2) / 4).astype(np.float32)
    assert find_peaks(scene, 32).tolist() == [[50 - 16, 40 - 16]]
    scene += 9000 * np.exp(-((xx - 60) ** 2 + (yy - 30) ** 2) / 4).astype(np.float32)
    assert find_peaks(scene, 32).tolist() == [[30 - 16, 60 - 16], [50 - 16, 40 - 16]]


def test_real_images_keep_their_noise(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "mocks")
    real = np.full((1, 3, 96, 96), 100.0, np.float32)
    np.save(folder / "scenes_real.npy", real)
    mocks = SetFolder(folder)
    made = Composer(
        mocks, np.arange(60), np.array([len(mocks.scenes) - 1]), MixtureSettings(depth=(1, 1))
    )
    cutouts, truth = made.compose(np.arange(60), np.random.default_rng(0))
    empty = cutouts.flux[~truth.cluster][:, :, 0]
    assert np.median(empty.std(axis=2)) < 1e-4


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("set.json", None, "set.json"),
        ("set.json", "{", "cannot be read"),
        ("clusters.npy", None, "cannot be read"),
        ("clusters.npy", "no array", "cannot be read"),
        ("clusters.parquet", None, "clusters.parquet"),
        ("scenes.npy", None, "scenes"),
    ],
)
def test_a_damaged_set_says_what_is_wrong(
    tmp_path: Path, name: str, change: str | None, message: str
) -> None:
    folder = write_set(tmp_path / "mocks", 30)
    if change is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(change)
    with pytest.raises(InputFileError, match=message):
        SetFolder(folder)


def test_settings_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "mocks", 30)
    settings = json.loads((folder / "set.json").read_text())
    for change, message in (({"bands": ["F336W"]}, "fit"), ({"size": 48}, "shape")):
        (folder / "set.json").write_text(json.dumps(settings | change))
        with pytest.raises(InputFileError, match=message):
            SetFolder(folder)
    settings.pop("zero_point")
    (folder / "set.json").write_text(json.dumps(settings))
    with pytest.raises(InputFileError, match="zero_point"):
        SetFolder(folder)


def test_nothing_to_compose_is_an_error(mocks: SetFolder) -> None:
    for rows, scenes in (([], [0]), ([0], []), ([99], [0])):
        with pytest.raises(ParameterError):
            Composer(mocks, np.array(rows, int), np.array(scenes, int), MixtureSettings())


def test_the_samples_fill_their_ranges(mocks: SetFolder) -> None:
    for k, name in enumerate(PARAMETERS):
        low, high = RANGES[name]
        assert low <= mocks.values[:, k].min() < mocks.values[:, k].max() <= high
