"""DOLPHOT's own artificial stars: tabulated and predicted completeness by magnitude and sky."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.trials.folder import read_json, write_json
from filar.completeness.estimator import CompletenessModel
from filar.completeness.readers import read_artificial_stars, read_real_stars
from filar.completeness.reliability import fraction_bins
from filar.completeness.table import ArtificialStars
from filar.instruments import read_exposures

FloatArray = NDArray[np.float64]
FWHM = 1.8
READ_NOISE = 5.0
MAGNITUDES = np.arange(20.0, 28.6, 0.5)
SKIES = (0.0, 80.0, 300.0, np.inf)
PARTS = 5


def read(folder: Path) -> ArtificialStars:
    """DOLPHOT's artificial stars, with covariates measured in its images.

    Parameters
    ----------
    folder : Path
        Of ``fs1.fake`` and the images.

    Returns
    -------
    ArtificialStars
    """
    columns = folder / "fs1.columns"
    images = [read_exposures(folder / f"img{number}.fits")[0] for number in (1, 2)]
    return read_artificial_stars(
        folder / "fs1.fake", columns_file=columns, images=images, fwhm=FWHM,
        detections=read_real_stars(folder / "fs1", columns_file=columns),
    )  # fmt: skip


def unseen(stars: ArtificialStars, recipe: str, seed: int) -> FloatArray:
    """Probabilities of every star from models that have not seen it: five parts in turn.

    Parameters
    ----------
    stars : ArtificialStars
        All of them.
    recipe : str
        Name of the recipe.
    seed : int
        Of the parts and the trainings.

    Returns
    -------
    (n,) array
    """
    part = np.random.default_rng(seed).permutation(len(stars)) % PARTS
    p = np.empty(len(stars))
    for k in range(PARTS):
        model = CompletenessModel(recipe, seed=seed).fit(stars.select(part != k), test=False)
        p[part == k] = model.p_recovered(stars.select(part == k))
    return p


def compare(stars: ArtificialStars, p: FloatArray) -> list[dict[str, Any]]:
    """Tabulated and predicted fractions in bins.

    Parameters
    ----------
    stars : ArtificialStars
        With sky noise in the first image.
    p : (n,) array
        Probabilities.

    Returns
    -------
    list of dict
        For all skies, and each level of the sky (electrons per pixel, from its noise), the bins of
        magnitude: number, tabulated and predicted fraction, what chance makes of the tabulated.
    """
    sky = stars.covariates[f"sky_noise_{stars.bands[0]}"] ** 2 - READ_NOISE**2
    mag = stars.mag_in[:, 0]
    levels = [(0.0, np.inf), *pairwise(SKIES)]
    rows = []
    for low, high in levels:
        chosen = (sky >= low) & (sky < high) if (low, high) != levels[0] else sky == sky
        bins = fraction_bins(mag[chosen], p[chosen], stars.recovered[chosen], MAGNITUDES)
        for k in np.flatnonzero(bins.number >= 10):
            rows.append(
                {
                    "sky": "all" if (low, high) == levels[0] else f"{low:g} to {high:g}",
                    "mag": f"{MAGNITUDES[k]:.1f} to {MAGNITUDES[k + 1]:.1f}",
                    "number": int(bins.number[k]), "tabulated": float(bins.true[k]),
                    "predicted": float(bins.predicted[k]), "chance": float(bins.chance[k]),
                    "pull": float(bins.pull[k]),
                }
            )  # fmt: skip
    return rows


def check(folder: Path, recipe: str, seed: int, output: Path) -> list[dict[str, Any]]:
    """Compare, once.

    Parameters
    ----------
    folder : Path
        DOLPHOT's files.
    recipe : str
        Name of the recipe.
    seed : int
        Of parts and trainings.
    output : Path
        JSON file of the rows; read if it exists.

    Returns
    -------
    list of dict
        See `compare`.
    """
    if not output.exists():
        stars = read(folder)
        write_json(output, compare(stars, unseen(stars, recipe, seed)))
    rows: list[dict[str, Any]] = read_json(output)
    return rows


def text(rows: list[dict[str, Any]]) -> str:
    """Write the comparison as a Markdown table with a line that sums it up."""
    lines = ["| sky, e- | magnitude | stars | tabulated | predicted | pull |"]
    lines.append("|---|---|---:|---:|---:|---:|")
    for row in rows:
        tabulated = f"{row['tabulated']:.3f} +- {row['chance']:.3f}"
        lines.append(
            f"| {row['sky']} | {row['mag']} | {row['number']} | {tabulated} |"
            f" {row['predicted']:.3f} | {row['pull']:+.1f} |"
        )
    pulls = np.array([row["pull"] for row in rows], float)
    beyond = int((np.abs(pulls) > 2).sum())
    summary = f"rms pull {np.sqrt(np.mean(pulls**2)):.2f} in {len(pulls)} bins, {beyond} beyond 2"
    return "\n".join([*lines, "", summary])
