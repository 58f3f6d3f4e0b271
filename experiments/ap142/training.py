"""Mocks at M 31's distance in F475W, and a model trained on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from filar.simulate.clusters.camera import ClusterCamera, preset_camera
from filar.simulate.clusters.galaxy import DiscSettings
from filar.simulate.clusters.scene import SceneSettings
from filar.simulate.clusters.settings import MockSettings
from filar.simulate.clusters.store import SetSettings, write_set

if TYPE_CHECKING:
    from filar.clusters.estimator import ClusterModel

BINNING = 2
"""Pixels of the image on the side of one of the model's: at 785 kpc a cluster is ten times as
large as at M 83's distance, and a cutout has to hold it."""
SIZE = 64
DISC = DiscSettings(
    surface_brightness=(20.3, 22.6), young_share=(0.0, 0.3), dust=(0.1, 1.0),
    arm_contrast=(0.0, 3.0),
)  # fmt: skip
"""M 31's disc in the survey's fields; smoother and older than M 83's."""
RANGES = {
    "log_age": (6.6, 9.0), "a_v": (0.0, 2.0), "log_mass": (3.0, 5.0), "log_r_h": (-0.82, 0.4),
}  # fmt: skip
"""Of the mocks: radii of 0.15 to 2.5 arcsec, 0.6 to 9.5 pc."""
EXPOSURES = 4
NETWORK = {"network.channels": [16, 32, 64, 96], "network.blocks": 1, "network.hidden": 128}
"""A quarter of the default: one band has less to tell than three."""


@dataclass(frozen=True)
class Budget:
    """How much is simulated and trained.

    Parameters
    ----------
    clusters, scenes, scene_size : int
        Mock clusters; backgrounds and their rows and columns.
    epochs : int
        Of the training.
    seed, workers : int
        Random numbers; processes of the simulation.
    training_seed : int
        Of the training.
    half : bool
        Whether convolutions compute in bfloat16, which some processors do twice as fast.
    """

    clusters: int
    scenes: int
    scene_size: int
    epochs: int
    seed: int
    workers: int
    training_seed: int
    half: bool = False


def m31_camera(binning: int = BINNING) -> ClusterCamera:
    """The survey's camera with squares of pixels added up.

    Parameters
    ----------
    binning : int
        Pixels on the side of a square.

    Returns
    -------
    ClusterCamera
    """
    camera = preset_camera("m31-f475w")
    bands = tuple(
        replace(band, sky=band.sky * binning**2, read_noise=band.read_noise * binning)
        for band in camera.bands
    )
    name = f"{camera.name}-{binning}x{binning}"
    scale = camera.pixel_scale * binning
    return replace(camera, name=name, bands=bands, pixel_scale=scale)


def mock_settings(**changed: tuple[float, float]) -> MockSettings:
    """What the mocks are like.

    Parameters
    ----------
    changed : (float, float)
        Ranges that are others than `RANGES`.

    Returns
    -------
    MockSettings
    """
    ranges = {**RANGES, **changed}
    return replace(MockSettings(camera=m31_camera(), size=SIZE), **ranges)  # type: ignore[arg-type]


def set_settings(budget: Budget, isochrones: Sequence[Path]) -> SetSettings:
    """What the training set is like.

    Parameters
    ----------
    budget : Budget
        Numbers.
    isochrones : sequence of Path
        Tables with F475W; none for the packaged ones.

    Returns
    -------
    SetSettings
    """
    return SetSettings(
        mock=mock_settings(), scene=SceneSettings(disc=DISC, exposures=EXPOSURES),
        clusters=budget.clusters, scenes=budget.scenes, scene_size=budget.scene_size,
        isochrones=tuple(str(path) for path in isochrones), seed=budget.seed,
    )  # fmt: skip


def trained_model(
    folder: Path, budget: Budget, isochrones: Sequence[Path], say: Callable[[str], None]
) -> ClusterModel:
    """Simulate, train and save, or load what was trained before.

    Parameters
    ----------
    folder : Path
        Where set and model are.
    budget : Budget
        Numbers.
    isochrones : sequence of Path
        Tables with F475W; none for the packaged ones.
    say : callable
        Told what is going on.

    Returns
    -------
    ClusterModel
    """
    from filar.clusters.data import SetFolder
    from filar.clusters.estimator import ClusterModel
    from filar.learn.recipe import load_recipe, override

    path = folder / f"model{budget.training_seed}.safetensors"
    if path.exists():
        return ClusterModel.load(path)
    write_set(set_settings(budget, isochrones), folder / "mocks", workers=budget.workers)
    say(f"{budget.clusters} mock clusters, {budget.scenes} scenes")
    changes = {"budget.epochs": budget.epochs, "network.half": budget.half}
    recipe = override(load_recipe("filar-clusters"), NETWORK | changes)
    model = ClusterModel(recipe, seed=budget.training_seed)
    model.fit(SetFolder(folder / "mocks"), folder=path.with_suffix(""), resume=True)
    model.save(path)
    say(f"trained for {model.seconds_:.0f} s: {model.card_.figures}")
    return model
