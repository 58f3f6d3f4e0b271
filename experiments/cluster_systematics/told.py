"""Sets of a variant, its images, and what the model says of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from experiments.cluster_systematics.noise import Drizzled
from experiments.cluster_systematics.plan import Seen, Variant, file_name
from filar.clusters.compose import Composer
from filar.clusters.cutouts import Cutouts
from filar.clusters.data import SetFolder, Truth
from filar.clusters.evaluate import Estimates
from filar.clusters.evaluate_posterior import INTERVALS
from filar.simulate.clusters.camera import preset_camera
from filar.simulate.clusters.settings import MockSettings
from filar.simulate.clusters.store import SetSettings, write_set
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from filar.clusters.estimator import ClusterModel
    from filar.learn.settings import MixtureSettings

DRAWS = 500
"""From each posterior."""

Tell = Callable[[str], None]


def like_trained(
    model: ClusterModel, clusters: int, scenes: int, scene_size: int,
    isochrones: tuple[str, ...], seed: int,
) -> SetSettings:  # fmt: skip
    """Settings of a set like the one that a model was trained on.

    Parameters
    ----------
    model : ClusterModel
        Its card names the camera, which must be a preset; zero points and distance are its own.
    clusters, scenes, scene_size : int
        How much.
    isochrones : tuple of str
        Files; none for the packaged ones.
    seed : int
        Other than that of the training.

    Returns
    -------
    SetSettings

    Raises
    ------
    ParameterError
        If no preset has the name of its camera.
    """
    card = model.card_
    camera = preset_camera(card.instrument, card.filters)
    points = np.asarray(card.normalisation.get("zero_point", camera.zero_points), float)
    bands = tuple(
        replace(band, zero_point=float(point))
        for band, point in zip(camera.bands, points, strict=True)
    )
    distance = float(card.normalisation.get("distance_mpc", camera.distance_mpc))  # type: ignore[arg-type]
    camera = replace(camera, bands=bands, distance_mpc=distance, pixel_scale=model.pixel_scale)
    age, dust, mass, radius = ((float(low), float(high)) for low, high in model.inputs_.ranges)
    mock = MockSettings(
        camera=camera, size=model.size, log_age=age, a_v=dust, log_mass=mass, log_r_h=radius
    )
    return SetSettings(
        mock, clusters=clusters, scenes=scenes, scene_size=scene_size, isochrones=isochrones,
        seed=seed,
    )  # fmt: skip


def digest(path: Path) -> str:
    """Name a model file by its content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def taken(
    data: SetFolder, mixture: MixtureSettings, seen: Seen, seed: int
) -> tuple[Cutouts, Truth]:
    """Every cluster of a set once, some of them replaced by backgrounds.

    Parameters
    ----------
    data : SetFolder
        The set.
    mixture : MixtureSettings
        How cutouts were composed in the training.
    seen : Seen
        How images are taken.
    seed : int
        The same for all variants: the same clusters on the same places of the galaxies.

    Returns
    -------
    cutouts : Cutouts
    truth : Truth
    """
    low, high = mixture.depth
    mixture = mixture.model_copy(update={"depth": (low * seen.depth, high * seen.depth)})
    composer = Composer(data, np.arange(len(data)), np.arange(len(data.scenes)), mixture)
    rng = np.random.default_rng([seed, 3])
    if seen.drop:
        rng = Drizzled(rng.bit_generator, seen.drop, seen.rms)
    cutouts, truth = composer.compose(composer.rows, rng)
    if seen.faint:
        factor = (10.0 ** (-0.4 * np.array(seen.faint))).astype(np.float32)
        cutouts = replace(
            cutouts, flux=cutouts.flux * factor[:, None, None], noise=cutouts.noise * factor,
            gain=cutouts.gain / factor,
        )  # fmt: skip
    return cutouts, truth


def told(
    variant: Variant, model: ClusterModel, sets: Path, answers: Path, workers: int, seed: int,
    tell: Tell,
) -> tuple[Truth, Estimates]:  # fmt: skip
    """What a model says of a variant's images, or said before.

    Parameters
    ----------
    variant : Variant
        What is changed.
    model : ClusterModel
        As trained.
    sets, answers : Path
        Folders of all sets, and of this model's answers.
    workers : int
        Processes that simulate.
    seed : int
        Of images and draws.
    tell : callable
        Told what has been done.

    Returns
    -------
    truth : Truth
    found : Estimates
        Posterior means, intervals of `INTERVALS`.
    """
    path = answers / f"{file_name(variant.name)}.npz"
    if not path.exists():
        done = write_set(variant.settings, sets / variant.folder, workers=workers)
        cutouts, truth = taken(
            SetFolder(done.folder), model.recipe_.mocks, variant.seen, seed
        )  # fmt: skip
        said = model.predict(cutouts, DRAWS, seed=seed)
        sides = {level: said.interval(level) for level in INTERVALS}
        found = Estimates(said.mean(), sides, said.p_cluster, said.log_snr, said.in_domain)
        _keep(path, truth, found)
        tell(f"{variant.name}: {variant.about}")
    return _kept(path)


def _keep(path: Path, truth: Truth, found: Estimates) -> None:
    ends = np.array([found.intervals[level] for level in INTERVALS])
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary, temporary.open("wb") as file:
        np.savez(
            file, values=truth.values, cluster=truth.cluster, log_snr=truth.log_snr,
            point=found.value, ends=ends, p_cluster=np.asarray(found.p_cluster),
            told_snr=np.asarray(found.log_snr), in_domain=np.asarray(found.in_domain),
        )  # fmt: skip


def _kept(path: Path) -> tuple[Truth, Estimates]:
    with np.load(path, allow_pickle=False) as kept:
        sides = {
            level: (low, high) for level, (low, high) in zip(INTERVALS, kept["ends"], strict=True)
        }
        found = Estimates(
            kept["point"], sides, kept["p_cluster"], kept["told_snr"], kept["in_domain"]
        )
        return Truth(kept["values"], kept["cluster"], kept["log_snr"]), found
