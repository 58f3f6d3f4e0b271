"""The mock clusters and galaxies of the experiment."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from experiments.b20.plan import TEST_SEED, Size
from filar.clusters.data import SetFolder
from filar.simulate.clusters.camera import preset_camera
from filar.simulate.clusters.settings import MockSettings
from filar.simulate.clusters.store import SetSettings, write_set

CAMERA = "m83"


def sets_of(
    size: Size, folder: Path, seed: int, isochrones: Sequence[str], workers: int,
    tell: Callable[[str], None],
) -> tuple[SetFolder, SetFolder]:  # fmt: skip
    """Simulate what networks are trained on and what judges them, or what is missing of it.

    Parameters
    ----------
    size : Size
        How much.
    folder : Path
        Of the experiment.
    seed : int
        Of the first; the second has other clusters and other galaxies.
    isochrones : sequence of str
        Files; none for those that come as a package.
    workers : int
        Processes.
    tell : callable
        Told how long it took.

    Returns
    -------
    train, test : SetFolder
    """
    found = []
    for name, clusters, scenes, own in (
        ("train", size.clusters, size.scenes, seed),
        ("test", size.test, size.test_scenes, seed + TEST_SEED),
    ):
        settings = SetSettings(
            MockSettings(preset_camera(CAMERA)), clusters=clusters, scenes=scenes,
            isochrones=tuple(isochrones), seed=own,
        )  # fmt: skip
        began = time.perf_counter()
        done = write_set(settings, folder / name, workers=workers)
        if done.made:
            seconds = time.perf_counter() - began
            tell(f"{name}: {clusters} clusters and {scenes} scenes in {seconds:.0f} s")
        found.append(SetFolder(folder / name))
    return found[0], found[1]
