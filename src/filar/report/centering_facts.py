"""What a report says about centres, in numbers, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.centering.evaluate import (
    WELL_MEASURED_MAG,
    FluxBin,
    Table3Row,
    half_dex_bins,
    share_outside,
    table3,
)
from filar.centering.sensitivity import Sensitivity
from filar.frames.curves import AXES
from filar.frames.truephase import FieldPhase, against_phase, phase_over_field
from filar.measure.heldout import CenterErrors
from filar.report.frames_facts import Groups, median_rms
from filar.robust import Bins, Harmonic

BOTH = "both"
"""Name of the two axes together."""
History = Sequence[Mapping[str, float]]


@dataclass(frozen=True, eq=False)
class Judged:
    """One method's centres on one chip in one filter.

    Parameters
    ----------
    label, method : str
        Chip and filter; name of the method.
    number : int
        Of the method, from 0, the classic one: chooses colours.
    errors : CenterErrors
        Of the measures.
    bins : dict
        From "x", "y" and `BOTH` to bins of half a dex of flux.
    table3 : Table3Row
        As C24's.
    phase, wave, field : dict
        By axis: errors over pixel phase, their first harmonic, and how it varies over the chip.
    outside : list of (float, int, float)
        Share out of domain by flux, see `filar.centering.evaluate.share_outside`.
    """

    label: str
    method: str
    number: int
    errors: CenterErrors
    bins: Mapping[str, list[FluxBin]]
    table3: Table3Row
    phase: Mapping[str, Bins]
    wave: Mapping[str, Harmonic]
    field: Mapping[str, FieldPhase]
    outside: list[tuple[float, int, float]]


@dataclass(frozen=True, eq=False)
class CenteringFacts:
    """All that a page about centres shows.

    Parameters
    ----------
    judged : dict
        From chip and filter to methods, the classic one first.
    curves : dict
        The same with the exposures tied together, see `filar.report.frames_facts.gather`.
    sensitivity : dict
        From chip and filter to the networks' names and sensitivities.
    history : dict
        From a model to its training's epochs, see `filar.learn.history`.
    remarks : tuple of str
        What the reader must know.
    mag_range : (float, float)
        Of table 3.
    """

    judged: Mapping[str, Sequence[Judged]]
    curves: Groups = field(default_factory=dict)
    sensitivity: Mapping[str, Sequence[tuple[str, Sensitivity]]] = field(default_factory=dict)
    history: Mapping[str, History] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    mag_range: tuple[float, float] = WELL_MEASURED_MAG

    @property
    def labels(self) -> list[str]:
        """Chips and filters, each once."""
        return list(dict.fromkeys([*self.judged, *self.curves, *self.sensitivity]))


def judge(
    label: str,
    method: str,
    number: int,
    errors: CenterErrors,
    mag_range: tuple[float, float] = WELL_MEASURED_MAG,
) -> Judged:
    """Judge one method's centres.

    Parameters
    ----------
    label, method, number
        See `Judged`.
    errors : CenterErrors
        Of the measures; those that are not `judged` count for nothing.
    mag_range : (float, float)
        Of table 3.

    Returns
    -------
    Judged
    """
    counted = errors.judged
    error, bound, quoted = (
        np.stack([getattr(errors, name.format(axis))[counted] for axis in AXES], axis=1)
        for name in ("d{}", "{}_bound", "{}_err")
    )
    flux = errors.flux[counted]
    bins = {
        axis: half_dex_bins(flux, error[:, k], bound[:, k], quoted[:, k])
        for k, axis in enumerate(AXES)
    }
    bins[BOTH] = half_dex_bins(flux, error, bound, quoted)
    phases = {axis: against_phase(errors, axis) for axis in AXES}
    return Judged(
        label,
        method,
        number,
        errors,
        bins,
        table3(error[:, 0], error[:, 1], errors.mag[counted], mag_range),
        {axis: phases[axis][0] for axis in AXES},
        {axis: phases[axis][1] for axis in AXES},
        {axis: phase_over_field(errors, axis) for axis in AXES},
        share_outside(errors.flux, errors.in_domain),
    )


def summary(judged: Judged) -> dict[str, Any]:
    """Figures of one chip, filter and method.

    Parameters
    ----------
    judged : Judged
        Its facts.

    Returns
    -------
    dict
        Names that end in ``_mpix`` are milli-pixels.
    """
    errors, own = judged.errors, judged.table3
    both = judged.bins[BOTH]
    row: dict[str, Any] = {
        "label": judged.label,
        "method": judged.method,
        "against": errors.against,
        "measures": len(errors),
        "judged": int(np.count_nonzero(errors.judged)),
        "stars": len(np.unique(errors.id[errors.judged])),
        "out_of_domain": share(~errors.in_domain),
        "worst_ratio": worst(both, "ratio"),
        "pulls": [min_of(both, "pull"), worst(both, "pull")],
        "table3": {
            "sigma_x_mpix": 1e3 * own.x,
            "sigma_x_err_mpix": 1e3 * own.x_err,
            "sigma_y_mpix": 1e3 * own.y,
            "sigma_y_err_mpix": 1e3 * own.y_err,
            "number": own.number,
        },
        "flux_bins": {axis: [_plain(one) for one in bins] for axis, bins in judged.bins.items()},
    }
    for axis in AXES:
        wave, place = judged.wave[axis], judged.field[axis]
        row |= {
            f"phase_amplitude_{axis}_mpix": 1e3 * wave.amplitude,
            f"phase_amplitude_{axis}_err_mpix": 1e3 * wave.error,
            f"field_amplitude_{axis}_mpix": 1e3 * place.amplitude,
            f"field_amplitude_{axis}_err_mpix": 1e3 * place.error,
        }
    return row


def _plain(one: FluxBin) -> dict[str, float]:
    """A bin with its lengths in mpix."""
    row = asdict(one)
    for name in ("rms", "rms_err", "bound"):
        row[f"{name}_mpix"] = 1e3 * row.pop(name)
    return row


def worst(bins: Sequence[FluxBin], name: str) -> float:
    """Largest value among the bins; NaN without any."""
    values = [getattr(one, name) for one in bins]
    return max((v for v in values if np.isfinite(v)), default=float("nan"))


def min_of(bins: Sequence[FluxBin], name: str) -> float:
    """Smallest value among the bins; NaN without any."""
    values = [getattr(one, name) for one in bins]
    return min((v for v in values if np.isfinite(v)), default=float("nan"))


def share(chosen: NDArray[np.bool_]) -> float:
    """Part of the measures; NaN without any."""
    return float(np.mean(chosen)) if len(chosen) else float("nan")


def curve_summary(groups: Groups) -> list[dict[str, Any]]:
    """Noise and bias from the transformations between exposures, and the ratio of the rms.

    Parameters
    ----------
    groups : dict
        See `CenteringFacts`.

    Returns
    -------
    list of dict
        One per chip, filter and method.
    """
    rows = []
    for label, methods in groups.items():
        for facts in methods:
            row: dict[str, Any] = {
                "label": label,
                "method": facts.method,
                "reference": facts.frame.reference,
                "exposures": sum(tie.used for tie in facts.frame.ties),
                "stars": int(np.count_nonzero(facts.known)),
            }
            for axis in AXES:
                fit, ratio, weighted = facts.bias[axis], facts.ratio, facts.weighted[axis]
                row |= {
                    f"noise_{axis}_mpix": 1e3 * fit.sigma,
                    f"noise_{axis}_err_mpix": 1e3 * fit.sigma_err,
                    f"bias_{axis}_mpix": 1e3 * fit.amplitude,
                    f"bias_{axis}_err_mpix": 1e3 * fit.amplitude_err,
                    f"bias_{axis}_limit_mpix": 1e3 * fit.limit,
                    f"weighted_bias_{axis}_mpix": 1e3 * weighted.amplitude,
                    f"weighted_bias_{axis}_err_mpix": 1e3 * weighted.amplitude_err,
                    f"weighted_bias_{axis}_significance": weighted.significance,
                    f"rms_{axis}_mpix": 1e3 * median_rms(facts, axis),
                }
                if ratio is not None:
                    row[f"rms_ratio_{axis}"] = getattr(ratio, axis)
                    row[f"rms_ratio_{axis}_err"] = getattr(ratio, f"{axis}_err")
            rows.append(row)
    return rows
