"""Predictions held against the truth: calibration of true stars, corrected luminosity functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.h24.fields import PLANS, Task, read_artificial, read_stars
from filar.completeness.curves import completeness_curves
from filar.completeness.estimator import CompletenessModel
from filar.completeness.imagined import imagined_stars
from filar.completeness.luminosity import (
    LuminosityFunction,
    corrected_luminosity_function,
    weighted_luminosity_function,
)
from filar.completeness.reliability import calibration_error, chance_calibration_error, deciles
from filar.completeness.table import ArtificialStars, RealStars

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
ZONES = {"galaxy": (80.0, 200.0), "halo": (200.0, 400.0, 600.0)}
"""Borders of regions: distances from the galaxy's centre, columns of the halo."""
CENTRE = (0.52 * 800, 0.55 * 800)
IMAGINED = 400_000
"""Stars made up by the model, for responses in bins of magnitude and colour in each region."""
FEWEST = 15
"""True stars in a bin of one realisation, below which no pull is taken."""


def zones(scene: str, x: FloatArray, y: FloatArray) -> NDArray[np.int64]:
    """Region of each star."""
    place = np.hypot(x - CENTRE[0], y - CENTRE[1]) if scene == "galaxy" else x
    return np.asarray(np.digitize(place, ZONES[scene]), np.int64)


def outermost(scene: str, stars: ArtificialStars) -> BoolArray:
    """Stars in the region farthest from the centre, or the least crowded one."""
    return np.asarray(zones(scene, stars.x, stars.y) == len(ZONES[scene]), bool)


def subsets(stars: ArtificialStars) -> dict[str, BoolArray]:
    """All stars, the quarter in the most crowded places, the quarter on the noisiest sky."""
    band = stars.bands[0]
    found = {"all": np.ones(len(stars), bool)}
    for name, covariate in (("crowded", "crowding"), ("bright sky", f"sky_noise_{band}")):
        values = stars.covariates[covariate]
        found[name] = values >= np.nanquantile(values, 0.75)
    light = stars.covariates[f"surface_brightness_{band}"]
    found["much light around"] = light <= np.nanquantile(light, 0.25)
    return found


def calibration(
    model: CompletenessModel, true: ArtificialStars, *, seed: int = 0
) -> list[dict[str, Any]]:
    """Predicted against true recovered fraction of true stars, in tenths of them.

    Parameters
    ----------
    model : CompletenessModel
        Trained on artificial stars with input magnitudes.
    true : ArtificialStars
        From `experiments.h24.fields.outcomes`.
    seed : int
        Of the simulation of chance.

    Returns
    -------
    list of dict
        A row for each subset.
    """
    inside = model.in_domain(true)
    p = model.p_recovered(true)
    rows = []
    for name, chosen in subsets(true).items():
        use = chosen & inside
        parts = deciles(p[use], true.recovered[use])
        chance = chance_calibration_error(p[use], draws=100, seed=seed)
        rows.append(
            {
                "subset": name, "number": int(use.sum()), "in_domain": float(inside[chosen].mean()),
                "predicted": parts.predicted.tolist(), "true": parts.true.tolist(),
                "chance": parts.chance.tolist(), "difference": parts.difference.tolist(),
                "worst": float(np.abs(parts.difference).max()),
                "rms_pull": float(np.sqrt(np.mean(parts.pull**2))),
                "mean": float(p[use].mean() - true.recovered[use].mean()),
                "ece": calibration_error(p[use], true.recovered[use]),
                "ece_chance": float(chance.mean()),
            }
        )  # fmt: skip
    return rows


@dataclass(frozen=True, eq=False)
class Functions:
    """Luminosity functions of all realisations of a scene.

    Parameters
    ----------
    edges : (k + 1,) array
        Bins.
    true : (r, k) array
        Stars that there are, by realisation.
    found : list of LuminosityFunction
        Corrected ones.
    naive : (r, k) array
        By weights of one over the probability.
    """

    edges: FloatArray
    true: FloatArray
    found: list[LuminosityFunction]
    naive: FloatArray

    def number(self) -> FloatArray:
        """Corrected numbers, (r, k)."""
        return np.array([one.number for one in self.found])

    def compared(self) -> BoolArray:
        """Bins that are compared: reliable, enough stars, not the outermost, (r, k)."""
        good = np.array([one.reliable for one in self.found]) & (self.true >= FEWEST)
        good[:, [0, -1]] = False
        return good

    def pulls(self) -> FloatArray:
        """Corrected less true over error, where compared; NaN elsewhere, (r, k)."""
        error = np.array([one.field_err for one in self.found])
        return np.where(self.compared(), (self.number() - self.true) / error, np.nan)

    def figures(self) -> dict[str, Any]:
        """Plain numbers for a table."""
        pulls, good = self.pulls(), self.compared()
        total = np.where(good, self.true, 0.0).sum(axis=0)
        ratio = {
            name: np.divide(
                np.where(good, values, 0.0).sum(axis=0), total,
                out=np.full(len(total), np.nan), where=total > 0,
            ).tolist()
            for name, values in (
                ("corrected", self.number()), ("one over p", self.naive),
                ("observed", np.array([one.observed for one in self.found])),
            )
        }  # fmt: skip
        return {
            "edges": self.edges.tolist(), "realisations": len(self.found),
            "bins": int(good.sum()), "pull_mean": float(np.nanmean(pulls)),
            "pull_width": float(np.nanstd(pulls)), "over_true": ratio,
            "efficiency": np.mean([one.efficiency for one in self.found], axis=0).tolist(),
        }  # fmt: skip


def functions(
    scene: str, tasks: Sequence[Task], artificial: ArtificialStars, model: CompletenessModel
) -> Functions:
    """Correct the luminosity function of each realisation.

    Parameters
    ----------
    scene : str
        Name.
    tasks : sequence of Task
        Its realisations.
    artificial : ArtificialStars
        Of all of them.
    model : CompletenessModel
        Trained on these, with errors of the magnitudes.

    Returns
    -------
    Functions
    """
    plan = PLANS[scene]
    low, high, step = plan.edges
    edges = np.arange(low, high + 0.5 * step, step)
    # Without bins of colour, the colours must be the stars' own.
    own = None if plan.colors else _bright([read_stars(task) for task in tasks])
    many = imagined_stars(model, artificial, IMAGINED, colors=own, limits=plan.mag, seed=0)
    region = zones(scene, many.x, many.y)
    curve = completeness_curves(artificial, edges)
    true, found, naive = [], [], []
    for task in tasks:
        stars = read_stars(task)
        there = read_artificial([task], "truth")
        true.append(np.histogram(there.mag_in[:, 0], edges)[0])
        found.append(
            corrected_luminosity_function(
                stars, many, edges, colour_edges=plan.colors, behind=len(artificial),
                groups=(zones(scene, stars.x, stars.y), region),
            )
        )  # fmt: skip
        p = np.interp(stars.mag[:, 0], curve.centres, curve.against_input)
        naive.append(weighted_luminosity_function(stars.mag[:, 0], p, edges)[0])
    return Functions(edges, np.array(true, float), found, np.array(naive))


def _bright(parts: Sequence[RealStars]) -> RealStars:
    """The brighter half of the stars of all realisations: nearly complete at any colour."""
    mag = np.concatenate([part.mag for part in parts])
    return RealStars(parts[0].bands, mag[mag[:, 0] < np.nanmedian(mag[:, 0])])


def truth_text(rows: Mapping[str, list[dict[str, Any]]]) -> str:
    """Write the calibration of all scenes as a Markdown table."""
    lines = ["| scene | true stars | number | mean diff % | worst tenth % | chance % | rms pull |"]
    lines[0] += " ECE % | by chance % |"
    lines.append("|---|---|" + "---:|" * 7)
    for scene, subset_rows in rows.items():
        for row in subset_rows:
            worst = int(np.argmax(np.abs(row["difference"])))
            lines.append(
                f"| {scene} | {row['subset']} | {row['number']} | {100 * row['mean']:+.2f} |"
                f" {100 * row['difference'][worst]:+.2f} | {100 * row['chance'][worst]:.2f} |"
                f" {row['rms_pull']:.2f} | {100 * row['ece']:.2f} | {100 * row['ece_chance']:.2f} |"
            )
    return "\n".join(lines)
