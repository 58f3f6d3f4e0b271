"""Variable stars with true magnitudes and realistic errors, as a survey would give them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.lightcurve.epochs import epoch_numbers, gather_epochs
from filar.lightcurve.solve import Curve
from filar.simulate.survey.variables import KINDS, light_curve

FloatArray = NDArray[np.float64]
CAMERAS = (("a", "g"), ("b", "g"), ("c", "g"), ("d", "V"))


@dataclass(frozen=True)
class Survey:
    """How stars are observed.

    Parameters
    ----------
    years : float
        Time covered.
    cadence : float
        Mean days between the epochs of one camera.
    season : float
        Part of the year during which the field is seen.
    exposures : int
        In an epoch.
    noise : float
        Standard deviation of one exposure, magnitudes.
    nightly : float
        Of what all exposures of an epoch share.
    faint : float
        Part of the epochs that are faint outliers, by 0.1 to 2 mag.
    colour : float
        Standard deviation of the cameras' offsets, magnitudes.
    """

    years: float = 3.0
    cadence: float = 6.0
    season: float = 0.65
    exposures: int = 3
    noise: float = 0.02
    nightly: float = 0.01
    faint: float = 0.03
    colour: float = 0.1


@dataclass(frozen=True, eq=False)
class Star:
    """A star's truth, and what was observed of it.

    Parameters
    ----------
    kind : str
        One of `filar.simulate.survey.variables.KINDS`, or "constant".
    period, amplitude : float
        Days, and magnitudes from peak to peak in g.
    means : (g,) array
        True means in the cameras.
    curve : Curve
        Its epochs.
    outlier : (n,) bool array
        Which of them are faint outliers.
    true : (n,) array
        True magnitudes, with the cameras' means.
    """

    kind: str
    period: float
    amplitude: float
    means: FloatArray
    curve: Curve
    outlier: NDArray[np.bool_]
    true: FloatArray


def schedule(survey: Survey, rng: np.random.Generator) -> tuple[FloatArray, NDArray[np.int64]]:
    """Times of all exposures (days) and their cameras: at night, in season, with bad weather."""
    times, cameras = [], []
    for k in range(len(CAMERAS)):
        nights = np.arange(0, 365.25 * survey.years)
        inside = (nights / 365.25) % 1 < survey.season
        nights = nights[inside & (rng.random(len(nights)) < 1 / survey.cadence)]
        # Each camera's site has its own part of the day.
        start = nights + 0.25 * k + rng.normal(0, 0.08, len(nights))
        for j in range(survey.exposures):
            times.append(start + j * 2 / 1440)
            cameras.append(np.full(len(nights), k))
    return np.concatenate(times), np.concatenate(cameras)


def observe(
    kind: str,
    survey: Survey,
    rng: np.random.Generator,
    *,
    amplitude: float | None = None,
    period: float | None = None,
) -> Star:
    """Observe one star of a kind.

    Parameters
    ----------
    kind : str
        "constant" or one of the seven.
    survey : Survey
        How.
    rng : Generator
        Draws everything.
    amplitude, period : float, optional
        In place of what the kind's ranges give.

    Returns
    -------
    Star
    """
    time, camera = schedule(survey, rng)
    means = 10 + rng.normal(0, survey.colour, len(CAMERAS))
    size, days = 0.0, float("nan")
    shape = np.zeros(len(time))
    if kind != "constant":
        facts = KINDS[kind]
        size = float(rng.uniform(*facts.amplitudes)) if amplitude is None else amplitude
        days = float(np.exp(rng.uniform(*np.log(facts.periods)))) if period is None else period
        scale = np.where([band == "V" for _, band in CAMERAS], facts.in_v, 1.0)[camera]
        shape = size * scale * light_curve(kind, time / days + rng.random())
    epoch = epoch_numbers(time, camera, 30.0)
    n = int(epoch.max()) + 1
    outlier = rng.random(n) < survey.faint
    shared = rng.normal(0, survey.nightly, n) + outlier * rng.uniform(0.1, 2.0, n)
    true = means[camera] + shape
    mag = true + shared[epoch] + rng.normal(0, survey.noise, len(time))
    err = np.full(len(time), survey.noise)
    found = gather_epochs(
        np.zeros(len(time), np.int64), np.arange(len(time)), mag, err,
        np.zeros(len(time), np.int32), mjd=time, group=camera, epoch=epoch,
    )  # fmt: skip
    error = np.hypot(found.mag_err, survey.nightly)
    middle = np.zeros(n)
    np.add.at(middle, epoch, true / survey.exposures)
    bands = np.array([band == "V" for _, band in CAMERAS], np.int64)
    curve = Curve(found.mjd, found.mag, error, found.group, bands[found.group])
    return Star(kind, days, size, means, curve, outlier[found.epoch], middle[found.epoch])
