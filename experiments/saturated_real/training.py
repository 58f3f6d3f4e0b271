"""A model for one frame: trained on simulations made of that frame, without its saturated stars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from experiments.saturated_real.injection import shape_residual, write_frames
from experiments.saturated_real.m2 import Frame
from experiments.saturated_real.profile import quiet_wings
from filar.measure.chip import Settings
from filar.measure.saturation_samples import Collecting, collect_samples
from filar.saturation.data import Samples
from filar.saturation.estimator import SaturationModel
from filar.saturation.scene import Scene
from filar.saturation.store import load_samples, save_samples

ROUNDS = 3
"""In which the wings are measured, each with the light of others by the last."""


@dataclass(frozen=True)
class Budget:
    """How much is simulated.

    Parameters
    ----------
    frames, stars : int
        Simulated frames, and stars put into each.
    seed : int
        Of the first frame; frames of another seed are other frames.
    workers : int
        Processes.
    """

    frames: int = 10
    stars: int = 160
    seed: int = 1
    workers: int = 1


def true_scene(frame: Frame) -> Scene:
    """The frame's stars with the wings that its quiet parts show: what is simulated."""
    scene, stars = frame.scene, frame.stars
    for _ in range(ROUNDS):
        scene = scene.changed(psf=quiet_wings(scene, stars.reliable, stars.saturated))
    return scene


def simulated_samples(
    frame: Frame, folder: Path, budget: Budget, say: Callable[[str], None]
) -> Samples:
    """Samples of stars put into the frame, measured as the frame itself is.

    Parameters
    ----------
    frame : Frame
        The real frame.
    folder : Path
        For the simulated frames and the samples; what is there already is not made again.
    budget : Budget
        How many.
    say : callable
        Told what is going on.

    Returns
    -------
    Samples
    """
    kept = folder / "training.samples"
    if kept.is_file():
        return load_samples(kept)
    paths = sorted((folder / "frames").glob("frame-*.fits"))
    catalog = folder / "frames" / "stars.ecsv"
    if len(paths) != budget.frames or not catalog.is_file():
        scene = true_scene(frame)
        shape = shape_residual(scene, frame.stars.reliable)
        paths, catalog = write_frames(
            scene, shape, folder / "frames", budget.frames, budget.stars, budget.seed
        )
    how = Collecting(
        catalog, mag="mag", settings=Settings(method="psf"), folder=folder / "parts", resume=True
    )
    found = collect_samples(
        paths, how, workers=budget.workers,
        progress=lambda done, total: say(f"simulated frame {done} of {total} measured"),
    )  # fmt: skip
    for message in found.messages:
        say(message)
    save_samples(kept, found.samples)
    return found.samples


def train(samples: Samples, recipe: str, seed: int, path: Path) -> SaturationModel:
    """Train a model, or load it where it is already."""
    if path.is_file():
        return SaturationModel.load(path)
    model = SaturationModel(recipe, seed=seed).fit(samples, test=False)
    model.save(path)
    return model
