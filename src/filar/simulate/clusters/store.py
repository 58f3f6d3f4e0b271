"""The folder of a training set: mock clusters and scenes without noise, and what is true of them.

============================  =====================================================================
``set.json``                  all settings; bands, zero points, exposure times, ranges
``clusters.npy``              float16 (n, bands, size, size): roots of electrons, no noise, no sky
``clusters.parquet``          the clusters' truth, one row each
``scenes.npy``                float16 (s, bands, ny, nx): roots of electrons, no noise, with sky
``scenes.parquet``            what in the scenes is no cluster, though it may look like one
``scenes_real.npy``           float32 (r, bands, ny, nx): electrons of real images, with their noise
============================  =====================================================================
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import OutputFileError, ParameterError
from filar.simulate.clusters.camera import ClusterCamera
from filar.simulate.clusters.mock import check_isochrones, draw_mocks
from filar.simulate.clusters.scene import SceneSettings, draw_scene
from filar.simulate.clusters.settings import MockSettings
from filar.simulate.clusters.sources import load_isochrones
from filar.simulate.clusters.tables import mock_table, object_table
from filar.simulate.files import prepare_folder
from filar.simulate.stored import ADVICE, check_stored
from filar.simulate.survey.streams import stream
from filar.simulate.tasks import alone, run_tasks
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from astropy.table import QTable

    from filar.populations.isochrone import IsochroneSet

Progress = Callable[[float, str], None]
Images = NDArray[np.floating[Any]]
PARAMETERS = ("log_age", "a_v", "log_mass", "log_r_h")
CHUNK = 250  # clusters made in one go
SETTINGS, REAL = "set.json", "scenes_real.npy"
_UNFINISHED = "unfinished"


@dataclass(frozen=True)
class SetSettings:
    """What a training set is like.

    Parameters
    ----------
    mock : MockSettings
        What clusters are like, and the camera.
    scene : SceneSettings
        What scenes are like.
    clusters : int
        How many; a set can get more later.
    scenes : int
        Simulated backgrounds.
    scene_size : int
        Their rows and columns.
    isochrones : tuple of str
        Files of isochrones; none for the packaged ones.
    backgrounds : tuple of str
        Names of the real images that serve as backgrounds too.
    seed : int
        The same seed gives the same set.

    Raises
    ------
    ParameterError
        For a value without meaning.
    """

    mock: MockSettings = field(default_factory=MockSettings)
    scene: SceneSettings = field(default_factory=SceneSettings)
    clusters: int = 20_000
    scenes: int = 40
    scene_size: int = 512
    isochrones: tuple[str, ...] = ()
    backgrounds: tuple[str, ...] = ()
    seed: int = 1

    def __post_init__(self) -> None:
        limits = {"clusters": (1, 10**9), "scenes": (0, 10**6), "seed": (0, 2**63)}
        limits["scene_size"] = (self.mock.size, 20_000)
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise ParameterError(name, getattr(self, name), f"{low} to {high}")

    @property
    def camera(self) -> ClusterCamera:
        """The camera of clusters and scenes."""
        return self.mock.camera

    def plain(self) -> dict[str, Any]:
        """The settings as plain values, for files: what training needs on top."""
        camera = self.camera
        values = {
            "bands": camera.filters,
            "zero_point": camera.zero_points.tolist(),
            "exposure_time": camera.exposure_times.tolist(),
            "read_noise": camera.read_noises.tolist(),
            "psf_half_light": [round(radius, 4) for radius in camera.psf_half_lights.tolist()],
            "sky": camera.skies.tolist(),
            "pixel_scale": camera.pixel_scale,
            "size": self.mock.size,
            "camera": camera.name,
            "distance_mpc": camera.distance_mpc,
            "ranges": {name: getattr(self.mock, name) for name in PARAMETERS},
            "clusters": self.clusters,
            "scenes": self.scenes,
            "scene_size": self.scene_size,
            "seed": self.seed,
            "isochrones": self.isochrones,
            "backgrounds": self.backgrounds,
            "mock_settings": self.mock.plain(),
            "scene_settings": self.scene.plain(),
        }
        stored: dict[str, Any] = json.loads(json.dumps(values))
        return stored


@dataclass(frozen=True)
class TrainingSet:
    """A training set on disk.

    Parameters
    ----------
    folder : Path
        Its folder.
    made, kept : int
        Parts that were made and that were there already.
    """

    folder: Path
    made: int
    kept: int


def write_set(
    settings: SetSettings,
    folder: str | os.PathLike[str],
    *,
    backgrounds: Images | None = None,
    workers: int = 1,
    progress: Progress | None = None,
) -> TrainingSet:
    """Make a training set, or what is missing of one.

    Parameters
    ----------
    settings : SetSettings
        What it is like.
    folder : path-like
        Made if it does not exist. If it holds a part of the same set, as a run that was
        interrupted leaves it, or fewer clusters, the rest is added.
    backgrounds : (r, bands, ny, nx) array, optional
        Real images, electrons with their sky and noise, exposed as the camera says.
    workers : int
        Processes; the files do not depend on it. With more than one, a script that calls this
        needs the usual ``if __name__ == "__main__"``.
    progress : callable, optional
        Called with the part done (0 to 1) and a text.

    Returns
    -------
    TrainingSet

    Raises
    ------
    ParameterError
        If `workers` makes no sense, there is no background at all, or a real one does not fit.
    InputFileError
        If the folder's ``set.json`` or the isochrones cannot be read.
    OutputFileError
        If the folder holds another set, or cannot be written.
    """
    if workers < 1:
        raise ParameterError("workers", workers, "1 or more")
    _check_backgrounds(settings, backgrounds)
    check_isochrones(settings.mock, _isochrones(settings))
    folder = _claim(Path(folder), settings)
    tasks = _tasks(settings, folder)
    with alone(folder / _UNFINISHED, folder):
        if settings.clusters > _rows(folder / "clusters.npy"):
            _take_apart(folder, tasks)
        complete = _complete(settings, folder)
        todo = [one for one in tasks if one.wanted and not (complete or one.is_done)]
        _write_settings(settings, folder / SETTINGS)
        for count, name in enumerate(run_tasks(_make, todo, workers, folder), 1):
            if progress is not None:
                progress(count / (len(todo) + 1), f"{count} of {len(todo)}: {name}")
        if not complete:
            _join(settings, folder, [one for one in tasks if one.wanted])
        if backgrounds is not None:
            _save(folder / REAL, np.asarray(backgrounds, np.float32))
    shutil.rmtree(folder / _UNFINISHED, ignore_errors=True)
    return TrainingSet(folder, len(todo), len(tasks) - len(todo))


@dataclass(frozen=True)
class _Task:
    """One part of the set; it crosses to another process."""

    settings: SetSettings
    folder: Path
    kind: str
    number: int

    @property
    def path(self) -> Path:
        """Its images; the table has the same stem and is written before."""
        return self.folder / _UNFINISHED / f"{self.kind}_{self.number:06d}.npy"

    @property
    def table(self) -> Path:
        """Its table."""
        return self.path.with_suffix(".parquet")

    @property
    def is_done(self) -> bool:
        """Whether it has been made, all of it: the last part may have grown since."""
        return self.table.is_file() and _rows(self.path) == self.count

    @property
    def count(self) -> int:
        """Clusters or scenes in it."""
        if self.kind == "scenes":
            return 1
        return min(CHUNK, self.settings.clusters - self.number * CHUNK)

    @property
    def wanted(self) -> bool:
        """Whether there is anything in it."""
        return self.count > 0


def _tasks(settings: SetSettings, folder: Path) -> list[_Task]:
    chunks = -(-settings.clusters // CHUNK)
    scenes = [_Task(settings, folder, "scenes", i) for i in range(settings.scenes)]
    return scenes + [_Task(settings, folder, "clusters", i) for i in range(chunks)]


def _make(task: _Task) -> str:
    from filar.catalogfile import write_catalog

    images, table = (_scene if task.kind == "scenes" else _chunk)(task)
    write_catalog(table, task.table)
    _save(task.path, np.sqrt(images).astype(np.float16))
    return f"{task.kind} {task.number}"


def _isochrones(settings: SetSettings) -> IsochroneSet:
    return load_isochrones(settings.isochrones, settings.camera.filters)


def _times(camera: ClusterCamera) -> NDArray[np.float32]:
    return camera.exposure_times.astype(np.float32)[:, None, None]


def _chunk(task: _Task) -> tuple[Images, QTable]:
    """Electrons of some clusters, and their truth."""
    settings = task.settings
    mocks = draw_mocks(
        settings.mock, _isochrones(settings), task.count, settings.seed,
        first=task.number * CHUNK,
    )  # fmt: skip
    return mocks.rate * _times(settings.camera), mock_table(mocks, settings.camera.filters)


def _scene(task: _Task) -> tuple[Images, QTable]:
    """Electrons of one scene, and what is in it."""
    settings = task.settings
    scene = draw_scene(
        settings.scene, settings.camera, _isochrones(settings),
        (settings.scene_size, settings.scene_size), stream(settings.seed, "scene", task.number),
    )  # fmt: skip
    return scene.rate[None] * _times(settings.camera), object_table(scene.objects, task.number)


def _join(settings: SetSettings, folder: Path, tasks: list[_Task]) -> None:
    """Put the parts together, one in memory at a time."""
    from filar.catalogfile import join_catalogs

    for kind in ("scenes", "clusters"):
        parts = [one for one in tasks if one.kind == kind]
        if not parts:
            continue
        first = np.load(parts[0].path, mmap_mode="r", allow_pickle=False)
        shape = (sum(one.count for one in parts), *first.shape[1:])
        with whole_file(folder / f"{kind}.npy") as temporary:
            whole = np.lib.format.open_memmap(temporary, "w+", first.dtype, shape)
            start = 0
            for one in parts:
                whole[start : start + one.count] = np.load(one.path, allow_pickle=False)
                start += one.count
            whole.flush()
            del whole
        join_catalogs([one.table for one in parts], folder / f"{kind}.parquet")


def _take_apart(folder: Path, tasks: list[_Task]) -> None:
    """Turn a smaller finished set back into parts, so that more can be added."""
    from filar.catalogfile import read_catalog, write_catalog

    for kind in ("scenes", "clusters"):
        path, table = folder / f"{kind}.npy", folder / f"{kind}.parquet"
        if not (path.is_file() and table.is_file()):
            continue
        images = np.load(path, mmap_mode="r", allow_pickle=False)
        rows, start = read_catalog(table), 0
        for one in (task for task in tasks if task.kind == kind):
            part = slice(start, start + one.count)
            start += one.count
            if start <= len(images) and not one.is_done:
                chosen = rows["scene"] == one.number if kind == "scenes" else part
                write_catalog(rows[chosen], one.table)
                _save(one.path, images[part])


def _save(path: Path, values: Images) -> None:
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, values, allow_pickle=False)


def _complete(settings: SetSettings, folder: Path) -> bool:
    """Whether both arrays and tables are there."""
    wanted = {"clusters": settings.clusters, "scenes": settings.scenes}
    return all(
        _rows(folder / f"{kind}.npy") == count
        and (not count or (folder / f"{kind}.parquet").is_file())
        for kind, count in wanted.items()
    ) and not any((folder / _UNFINISHED).glob("*.npy"))


def _rows(path: Path) -> int:
    """Length of a stored array; 0 if there is none."""
    if not path.is_file():
        return 0
    return len(np.load(path, mmap_mode="r", allow_pickle=False))


def _check_backgrounds(settings: SetSettings, backgrounds: Images | None) -> None:
    if backgrounds is None:
        if not settings.scenes:
            raise ParameterError("scenes", 0, "1 or more, or real images as backgrounds")
        return
    bands, size = len(settings.camera.bands), settings.mock.size
    shape = backgrounds.shape
    fits = len(shape) == 4 and shape[0] > 0 and shape[1] == bands and min(shape[2:]) >= size
    if not fits or not np.isfinite(backgrounds).all():
        allowed = f"finite, of shape (r, {bands}, ny, nx), {size} rows and columns or more"
        raise ParameterError("backgrounds", shape, allowed)


def _claim(folder: Path, settings: SetSettings) -> Path:
    """Make the folder, or check that what is in it belongs to the same set."""
    folder = prepare_folder(folder, "set")
    path = folder / SETTINGS
    if path.exists():
        check_stored(path, _stored(settings), "training set", "clusters")
    elif (folder / "clusters.npy").exists():
        raise OutputFileError(folder, f"it holds clusters.npy but no {SETTINGS}", ADVICE)
    return folder


def _stored(settings: SetSettings) -> dict[str, Any]:
    from filar import __version__

    return {"filar_version": __version__, **settings.plain()}


def _write_settings(settings: SetSettings, path: Path) -> None:
    with whole_file(path) as temporary:
        temporary.write_text(json.dumps(_stored(settings), indent=2) + "\n", encoding="utf-8")
