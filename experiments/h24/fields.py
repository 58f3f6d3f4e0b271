"""Realisations of a scene: images, artificial stars, what became of them and of the true ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.asts.band import FoundStars
from filar.asts.cuts import Cuts
from filar.asts.field import Field, read_fields
from filar.asts.run import catalogue_of, run_asts
from filar.asts.settings import ASTSettings
from filar.asts.surroundings import covariates
from filar.catalogfile import read_catalog, write_catalog
from filar.completeness.table import ArtificialStars, RealStars
from filar.measure import Settings
from filar.simulate.scene_files import write_scene
from filar.simulate.scenes import SCENES, Scene

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]
MATCH = 1.5
"""Pixels within which a detection may be a star's."""
TABLES = ("asts", "stars", "truth")


@dataclass(frozen=True)
class Plan:
    """How a scene is observed and tested.

    Parameters
    ----------
    bands : tuple of str
        The first one's magnitude has the luminosity function.
    mag, color : (float, float)
        Ranges of the artificial stars; the colour is first band less second.
    places : {"uniform", "rings"}
        Evenly, or as many in every ring about the centre, as H24 did.
    edges : tuple of float
        Magnitudes from which on and up to which luminosity functions are compared, and the bins.
    colors : tuple of float or None
        Edges of the bins of colour that the correction tells apart; None where there are too few
        stars for that.
    """

    bands: tuple[str, ...]
    mag: tuple[float, float]
    color: tuple[float, float]
    places: str
    edges: tuple[float, float, float]
    colors: tuple[float, ...] | None


PLANS = {
    "galaxy": Plan(
        ("F555W", "F814W"), (20.5, 29.0), (-1.0, 3.2), "rings", (21.5, 29.0, 0.5),
        None,
    ),
    "halo": Plan(
        ("F814W", "F555W"), (21.5, 26.8), (-2.4, -0.6), "uniform",
        (22.2, 26.8, 0.46), (-2.0, -1.6, -1.3, -1.1, -0.9),
    ),
}  # fmt: skip
"""H24's two fields."""
FUNCTIONS = ("flat", "exponential")
"""Half of the artificial stars each: H24's two luminosity functions, the latter with beta = 0.8."""


@dataclass(frozen=True)
class Task:
    """One realisation: it crosses to another process.

    Parameters
    ----------
    scene : str
        Name.
    number : int
        Which realisation.
    artificial : int
        Artificial stars.
    stars : int
        True stars; 0: as many as the scene has by default.
    folder : Path
        Where its tables are kept.
    seed : int
        Of the experiment.
    """

    scene: str
    number: int
    artificial: int
    stars: int
    folder: Path
    seed: int

    def path(self, table: str) -> Path:
        """Where a table is kept."""
        return self.folder / f"{self.scene}-{self.number:03d}-{table}.parquet"


def realise(task: Task) -> Task:
    """Simulate, measure and test one realisation; what is there is not done again.

    Parameters
    ----------
    task : Task
        Which.

    Returns
    -------
    Task
        The same; its tables exist.
    """
    if all(task.path(table).exists() for table in TABLES):
        return task
    plan = PLANS[task.scene]
    seed = [task.seed, list(SCENES).index(task.scene), task.number]
    sizes = {"number": task.stars} if task.stars else {}
    scene = SCENES[task.scene](**sizes, seed=np.random.SeedSequence(seed))
    images = task.folder / f"{task.scene}-{task.number:03d}"
    *paths, _ = write_scene(scene, images, seed=int(np.random.default_rng(seed).integers(2**31)))
    order = [paths[scene.bands.index(band)] for band in plan.bands]
    (field,) = read_fields(order, Settings(psf="default", method="psf"))
    where = plan.places if plan.places == "uniform" else _rings(scene)
    settings = [
        ASTSettings(
            number=task.artificial // 2, mag=plan.mag, function=function, colors=(plan.color,),
            places=where, seed=int(np.random.default_rng([*seed, k]).integers(2**31)),
            match=MATCH,
        )
        for k, function in enumerate(FUNCTIONS)
    ]  # fmt: skip
    write_catalog(catalogue_of([field], settings[0]), task.path("stars"))
    write_catalog(outcomes(field, scene, settings[0].cuts).to_table(), task.path("truth"))
    parts = [ArtificialStars.from_table(run_asts([field], one)) for one in settings]
    write_catalog(joined(parts).to_table(), task.path("asts"))
    return task


def _rings(scene: Scene) -> FloatArray:
    """Weights that put as many artificial stars into every ring about the scene's centre."""
    x, y = scene.centre or (0.5 * scene.shape[1], 0.5 * scene.shape[0])
    rows, columns = np.mgrid[: scene.shape[0], : scene.shape[1]]
    return np.asarray(1.0 / np.maximum(np.hypot(columns - x, rows - y), 2.0), float)


def outcomes(field: Field, scene: Scene, cuts: Cuts) -> ArtificialStars:
    """What became of the true stars, as if they had been artificial ones.

    A star is found in a band if a detection lies within `MATCH` pixels and half or more of its
    light is the star's: the rule of the artificial stars, too.

    Parameters
    ----------
    field : Field
        The images, measured.
    scene : Scene
        What they show.
    cuts : Cuts
        When a star counts as recovered.

    Returns
    -------
    ArtificialStars
        The true stars within the usable part of the images.
    """
    order = [scene.bands.index(band) for band in field.names]
    inside = _inside(field.allowed(), scene.x, scene.y)
    x, y, mag = scene.x[inside], scene.y[inside], scene.mag[inside][:, order]
    places = [transform(x, y) for transform in field.from_first]
    mag_out, passed = np.full(mag.shape, np.nan), np.zeros(mag.shape, bool)
    for i, (band, at) in enumerate(zip(field.bands, places, strict=True)):
        row = _found(np.stack(at, axis=1), band.flux(mag[:, i]), band.stars)
        has = np.flatnonzero(row >= 0)
        good = band.stars.passing(cuts)[row[has]]
        out = band.mag(band.stars.flux)[row[has]]
        mag_out[has, i] = np.where(good, out, np.nan)
        passed[has, i] = good & np.isfinite(out)
    around = covariates(field.bands, field.surroundings, places)
    recovered = cuts.recovered(passed)
    meta = {"cuts": cuts.facts(), "mag_system": field.mag_system, "source": scene.name}
    return ArtificialStars(field.names, mag, mag_out, recovered, dict(around), x, y, meta)


def _inside(allowed: BoolArray, x: Any, y: Any) -> BoolArray:
    rows, columns = np.rint(y).astype(int), np.rint(x).astype(int)
    ny, nx = allowed.shape
    on = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
    return np.asarray(on & allowed[np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)])


def _found(at: FloatArray, flux: FloatArray, stars: FoundStars) -> NDArray[np.int64]:
    """Row of the detection that is each true star's, -1 for none."""
    from scipy.spatial import cKDTree

    known = np.flatnonzero(np.isfinite(stars.x + stars.y))
    tree = cKDTree(np.c_[stars.x, stars.y][known])
    distance, near = tree.query(at, distance_upper_bound=MATCH)
    has = np.flatnonzero(np.isfinite(distance))
    row = np.full(len(at), -1)
    row[has] = known[near[has]]
    row[has[stars.flux[row[has]] > 2.0 * flux[has]]] = -1
    return row


def read_artificial(tasks: Sequence[Task], table: str = "asts") -> ArtificialStars:
    """All realisations' artificial stars, or true ones, together.

    Parameters
    ----------
    tasks : sequence of Task
        Of one scene.
    table : {"asts", "truth"}
        Which.

    Returns
    -------
    ArtificialStars
    """
    return joined([ArtificialStars.from_table(read_catalog(task.path(table))) for task in tasks])


def read_stars(task: Task) -> RealStars:
    """The stars that the pipeline found in a realisation."""
    return RealStars.from_table(read_catalog(task.path("stars")))


def steep(stars: ArtificialStars, seed: int, beta: float = 0.8) -> ArtificialStars:
    """Leave stars out by chance, so that the rest follow a steep luminosity function.

    Parameters
    ----------
    stars : ArtificialStars
        Of any function, with some faint stars.
    seed : int
        The same seed leaves the same stars.
    beta : float
        Numbers rise as 10^(beta m) in the first band.

    Returns
    -------
    ArtificialStars
    """
    mag = stars.mag_in[:, 0]
    counts, edges = np.histogram(mag, 30)
    there = counts[np.clip(np.digitize(mag, edges) - 1, 0, len(counts) - 1)]
    kept = 10 ** (beta * (mag - mag.max())) / there
    kept /= kept.max()
    return stars.select(np.random.default_rng(seed).random(len(stars)) < kept)


def joined(parts: Sequence[ArtificialStars]) -> ArtificialStars:
    """Put artificial stars of the same bands and covariates one after the other."""
    first = parts[0]
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("mag_in", "mag_out", "recovered", "x", "y")
    }
    covariates = {
        name: np.concatenate([part.covariates[name] for part in parts]) for name in first.covariates
    }
    return replace(first, **arrays, covariates=covariates)
