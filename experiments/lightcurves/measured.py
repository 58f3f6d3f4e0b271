"""Light curves of a simulated survey's images: simulated, measured, put together, judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from experiments.lightcurves.ideal import Star
from experiments.lightcurves.judge import Verdict, verdict
from filar.lightcurve.images import FloatArray
from filar.lightcurve.lists import read_reference
from filar.lightcurve.make import LightCurves, make_light_curves
from filar.lightcurve.match import Stars
from filar.lightcurve.read import read_observed
from filar.lightcurve.settings import LightCurveSettings
from filar.lightcurve.solve import Curve
from filar.measure import Settings, measure_files
from filar.simulate.survey import stars
from filar.simulate.survey.files import write_survey
from filar.simulate.survey.settings import SurveySettings

CATALOG = "catalogue.parquet"


@dataclass(frozen=True)
class MeasuredSurvey:
    """A small survey.

    Parameters
    ----------
    epochs : int
        Of each camera.
    size : int
        Rows and columns of the images.
    targets : int
        Stars with known light, a third of them constant.
    cadence : float
        Days between epochs.
    brightest, faintest : float
        Mean magnitudes of the targets; those saturated at their maximum are not judged.
    unsaturated : float
        Magnitude below which nothing saturates.
    seed : int
        Of everything.
    """

    epochs: int = 60
    size: int = 256
    targets: int = 40
    cadence: float = 4.37
    brightest: float = 11.8
    faintest: float = 14.3
    unsaturated: float = 11.5
    seed: int = 1


def make_catalog(folder: Path, survey: MeasuredSurvey, workers: int, progress: Any = None) -> Path:
    """Simulate and measure; what is in the folder already is not made again.

    Parameters
    ----------
    folder : Path
        Gets ``survey`` and the catalogue.
    survey : MeasuredSurvey
        What.
    workers : int
        Processes.
    progress : callable, optional
        Called with the part done and a text.

    Returns
    -------
    Path
        The catalogue.
    """
    settings = SurveySettings(
        cameras=("a", "b"), fields=1, epochs=survey.epochs, exposures=1, size=survey.size,
        cadence=survey.cadence, targets=survey.targets, variables=0.7, latitude=60.0,
        seed=survey.seed,
    )  # fmt: skip
    # The survey's own targets are mostly saturated: here they are fainter. In one process, for
    # others would not know of it.
    with patch.object(stars, "TARGET_LIMITS", (survey.brightest, survey.faintest)):
        made = write_survey(settings, folder / "survey")
    path = folder / CATALOG
    if not path.exists():
        how = Settings(method="psf")
        measure_files(made.files, path, how, workers=workers, progress=progress)
    return path


def light_curves(folder: Path, survey: MeasuredSurvey) -> tuple[LightCurves, Any]:
    """Light curves of the targets that are never saturated, and the table of true stars."""
    from astropy.table import Table

    true = Table.read(folder / "survey" / "stars.ecsv")
    size = np.nan_to_num(np.asarray(true["amplitude"], float))
    brightest = np.asarray(true["g_mag"], float) - 0.6 * size
    chosen = true[np.asarray(true["target"], bool) & (brightest > survey.unsaturated)]
    n, none = len(chosen), np.full(len(chosen), np.nan)
    wanted = Stars(
        np.asarray(chosen["id"]), np.asarray(chosen["ra"], float), np.asarray(chosen["dec"], float),
        none, none, np.ones(n, bool), none,
    )  # fmt: skip
    observed = read_observed([folder / CATALOG])
    reference = read_reference(folder / "survey" / "stars.ecsv", ("g",))
    settings = LightCurveSettings(epoch_gap=0)
    return make_light_curves(observed, settings, wanted=wanted, reference=reference), chosen


def verdicts(curves: LightCurves, chosen: Any) -> list[Verdict]:
    """Compare every target's solution with the truth; true outliers are not known here."""
    found = []
    for i, solution in enumerate(curves.solutions):
        if solution is None:
            continue
        rows = curves.rows(i)
        kind = str(chosen["kind"][i])
        mag, time = curves.epochs.mag[rows], curves.time[rows]
        curve = Curve(time, mag, curves.epochs.mag_err[rows], curves.epochs.group[rows])
        # The cameras share a filter and the reference's scale: their true means are alike.
        means = np.full(len(curves.images.groups), float(chosen["g_mag"][i]))
        nothing = np.zeros(len(mag), bool)
        period, size = float(chosen["period"][i]), float(chosen["amplitude"][i])
        star = Star(kind, period, size, means, curve, nothing, mag)
        found.append(verdict(star, solution))
    return found


def dispersions_of(curves: LightCurves, chosen: Any) -> tuple[FloatArray, FloatArray]:
    """Of the constant targets: magnitude and dispersion."""
    constant = np.asarray(chosen["kind"]) == "constant"
    return np.asarray(chosen["g_mag"], float)[constant], curves.statistics.dispersion[constant]
