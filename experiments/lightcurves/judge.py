"""How well light curves are recovered: periods, amplitudes, offsets, outliers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from experiments.lightcurves.ideal import Star
from filar.lightcurve.settings import LightCurveSettings
from filar.lightcurve.solve import Solution, solve_curve

CLOSE = 0.05
"""What periods and amplitudes may differ from the truth."""
LARGE = 0.1
"""Magnitudes: stars of smaller amplitudes are not judged by it."""


@dataclass(frozen=True)
class Verdict:
    """One star.

    Parameters
    ----------
    kind : str
        Its kind.
    period, amplitude : float
        The truth.
    found_period, found_amplitude : float
        What was found; NaN where nothing was.
    pulls : tuple of float
        Offsets of its cameras less the true ones, over their errors.
    errors : tuple of float
        These errors, magnitudes.
    outliers, missed, wrongly : int
        True outliers, those not rejected, and other epochs that were rejected.
    epochs : int
        All of them.
    remark : str
        How half and double of the period were told apart.
    """

    kind: str
    period: float
    amplitude: float
    found_period: float
    found_amplitude: float
    pulls: tuple[float, ...]
    errors: tuple[float, ...]
    outliers: int
    missed: int
    wrongly: int
    epochs: int
    remark: str

    @property
    def period_right(self) -> bool:
        """Whether the period is within 5%; of a constant star: none."""
        if self.kind == "constant":
            return not np.isfinite(self.found_period)
        return bool(abs(self.found_period / self.period - 1) < CLOSE)

    @property
    def amplitude_right(self) -> bool:
        """Whether the amplitude is within 5%."""
        if self.kind == "constant":
            return not np.isfinite(self.found_amplitude)
        return bool(abs(self.found_amplitude / self.amplitude - 1) < CLOSE)


def judge(star: Star, settings: LightCurveSettings) -> Verdict:
    """Solve a star's light curve and compare it with the truth.

    Parameters
    ----------
    star : Star
        With its truth.
    settings : LightCurveSettings
        How.

    Returns
    -------
    Verdict
    """
    return verdict(star, solve_curve(star.curve, settings))


def verdict(star: Star, found: Solution) -> Verdict:
    """Compare a solution with the truth."""
    means = star.means[found.groups]
    away = found.offsets - (np.median(means) - means)
    told = found.offsets_err > 0
    one = found.periodic
    return Verdict(
        star.kind,
        star.period,
        star.amplitude,
        float("nan") if one is None else float(one.period),
        float("nan") if one is None else float(one.amplitude),
        tuple((away[told] / found.offsets_err[told]).tolist()),
        tuple(found.offsets_err[told].tolist()),
        int(star.outlier.sum()),
        int((star.outlier & ~found.rejected).sum()),
        int((~star.outlier & found.rejected).sum()),
        len(star.curve),
        "" if one is None else one.remark,
    )


def summed(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Numbers of one kind of stars.

    Parameters
    ----------
    verdicts : sequence of Verdict
        Of one kind.

    Returns
    -------
    dict
        Counts, pulls and errors.
    """
    judged = [one for one in verdicts if one.amplitude > LARGE or one.kind == "constant"]
    pulls = np.array([pull for one in verdicts for pull in one.pulls])
    errors = [error for one in verdicts for error in one.errors]
    return {
        "stars": len(judged),
        "periods_right": sum(one.period_right for one in judged),
        "amplitudes_right": sum(one.amplitude_right for one in judged),
        "offset_pull_rms": float(np.sqrt(np.mean(pulls**2))) if len(pulls) else float("nan"),
        "offset_error": float(np.median(errors)) if errors else float("nan"),
        "outliers": sum(one.outliers for one in verdicts),
        "missed": sum(one.missed for one in verdicts),
        "wrongly_rejected": sum(one.wrongly for one in verdicts),
        "epochs": sum(one.epochs for one in verdicts),
        "wrong": [
            {k: v for k, v in asdict(one).items() if k not in ("pulls", "errors")}
            for one in judged
            if not (one.period_right and one.amplitude_right)
        ],
    }


def table(by_kind: dict[str, dict[str, Any]]) -> str:
    """A Markdown table of what `summed` gives, by kind."""
    lines = [
        "| kind | stars | periods within 5% | amplitudes within 5% | offset pulls, rms | "
        "offset error (mag) | outliers missed | others rejected |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for kind, one in by_kind.items():
        others = one["epochs"] - one["outliers"]
        lines.append(
            f"| {kind} | {one['stars']} | {one['periods_right']} | {one['amplitudes_right']} | "
            f"{one['offset_pull_rms']:.2f} | {one['offset_error']:.4f} | "
            f"{one['missed']} of {one['outliers']} | {one['wrongly_rejected']} of {others} |"
        )
    return "\n".join(lines) + "\n"


def with_given_period(star: Star) -> Star:
    """The same star, its period told."""
    return replace(star, curve=replace(star.curve, period=star.period))
