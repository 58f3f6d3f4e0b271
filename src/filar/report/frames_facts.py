"""What a report says about frames, in numbers, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.frames.accuracy import accuracy
from filar.frames.curves import AXES, BiasFit, Curve, fit_bias, transformation_curve
from filar.frames.excess import fit_weighted_bias
from filar.frames.frame import Frame
from filar.frames.measured import measured, selected, well_measured
from filar.frames.rowerror import RowResidual, row_residual
from filar.frames.spread import Ratio, rms_ratio, well_known
from filar.frames.truemean import MeanErrors, mean_errors
from filar.frames.truephase import against_phase, phase_over_field
from filar.frames.truth import Truth, TruthErrors, belongs, truth_errors
from filar.phases import phase_histogram

PHASE_BINS = 20
MIN_ROW_DITHER = 17.0  # rows; half of the 34-row pattern
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PhaseCounts:
    """Histogram of the pixel phases of the well-measured stars along one axis.

    Parameters
    ----------
    counts : (bins,) int array
        Measures per bin, from the pixel's lower to its upper border.
    chi2 : float
        Reduced chi-square of flatness.
    """

    counts: NDArray[np.int64]
    chi2: float


@dataclass(frozen=True, eq=False)
class FrameFacts:
    """Diagnostics of one chip, filter and method.

    Parameters
    ----------
    method : str
        Its name.
    number : int
        Of the method, from 0, the classic one: chooses colours.
    frame : Frame
        What was tied.
    curve, bias, weighted, phases : dict
        By axis; `weighted` is the bias after the quoted errors are taken off.
    known : (n,) bool array
        Stars of the catalogue that count.
    ratio : Ratio or None
        Rms of the classic method over this one's; None for the classic method.
    errors : TruthErrors or None
        Of the measures, with truth.
    means : MeanErrors or None
        Of the mean catalogue, with truth.
    rows : RowResidual or None
        34th-row error; None where nothing tells it.
    """

    method: str
    number: int
    frame: Frame
    curve: Mapping[str, Curve]
    bias: Mapping[str, BiasFit]
    weighted: Mapping[str, BiasFit]
    phases: Mapping[str, PhaseCounts]
    known: BoolArray
    ratio: Ratio | None
    errors: TruthErrors | None
    means: MeanErrors | None
    rows: RowResidual | None

    @property
    def label(self) -> str:
        """Chip and filter."""
        return self.frame.label


Groups = Mapping[str, Sequence[FrameFacts]]


def gather(methods: Mapping[str, Sequence[Frame]], truth: Truth | None = None) -> Groups:
    """Diagnose every frame.

    Parameters
    ----------
    methods : mapping
        From the name of a method to its frames, one per chip and filter; the first method, or the
        one called "classic", is what others are compared with.
    truth : Truth, optional
        Of a simulated set.

    Returns
    -------
    dict
        From chip and filter to the facts of its methods, the classic one first.
    """
    names = sorted(methods, key=lambda name: name != "classic")
    groups: dict[str, list[FrameFacts]] = {}
    classic = {(f.chip, f.filter): f for f in methods[names[0]]} if names else {}
    for number, name in enumerate(names):
        for frame in methods[name]:
            other = classic.get((frame.chip, frame.filter)) if number else None
            ratio = rms_ratio(other, frame) if other is not None else None
            groups.setdefault(frame.label, []).append(_facts(name, number, frame, ratio, truth))
    return groups


def _facts(
    name: str, number: int, frame: Frame, ratio: Ratio | None, truth: Truth | None
) -> FrameFacts:
    curve = {axis: transformation_curve(frame, axis) for axis in AXES}
    # Clipping takes more where stars are measured worse, at the centres of pixels.
    all_selected = selected(frame)
    phases = {
        axis: PhaseCounts(*phase_histogram(measured(frame, axis)[all_selected], PHASE_BINS))
        for axis in AXES
    }
    known = well_known(frame)
    errors = truth_errors(frame, truth) if truth is not None else None
    if errors is not None and not belongs(frame, errors):
        errors = None
    means = None
    if truth is not None and errors is not None:
        means = mean_errors(frame, truth, errors, known)
    return FrameFacts(
        name,
        number,
        frame,
        curve,
        {axis: fit_bias(curve[axis]) for axis in AXES},
        {axis: fit_weighted_bias(frame, axis) for axis in AXES},
        phases,
        known,
        ratio,
        errors,
        means,
        _rows(frame, errors),
    )


def _rows(frame: Frame, errors: TruthErrors | None) -> RowResidual | None:
    """34th-row error from truth, or from the means where the dithers are large."""
    if errors is not None:
        return row_residual(errors.y[errors.good], errors.dy[errors.good])
    offsets = np.array([tie.offset_y for tie in frame.ties if tie.used])
    offsets = offsets[np.isfinite(offsets)]
    if not len(offsets) or np.ptp(offsets) < MIN_ROW_DITHER:
        return None
    good = well_measured(frame)
    residual = frame.measures.y - frame.y[frame.measures.star]
    return row_residual(measured(frame, "y")[good], residual[good])


def median_rms(facts: FrameFacts, axis: str) -> float:
    """Median rms of the stars that count, pixels; NaN without any."""
    values = getattr(facts.frame, f"{axis}_rms")[facts.known]
    values = values[np.isfinite(values)]
    return float(np.median(values)) if len(values) else float("nan")


def summary(facts: FrameFacts) -> dict[str, Any]:
    """Figures of one chip, filter and method.

    Parameters
    ----------
    facts : FrameFacts
        Its diagnostics.

    Returns
    -------
    dict
        Names that end in ``_mpix`` are milli-pixels; keys that need truth are absent without it.
    """
    frame = facts.frame
    row: dict[str, Any] = {
        "method": facts.method,
        "chip": frame.chip,
        "filter": frame.filter,
        "reference": frame.reference,
        "stars": len(frame),
        "stars_well_measured": int(np.count_nonzero(facts.known)),
        "exposures": len(frame.ties),
        "exposures_used": sum(tie.used for tie in frame.ties),
        "left_out": [
            {"exposure": tie.stars.label, "reason": tie.reason}
            for tie in frame.ties
            if not tie.used
        ],
    }
    for axis in AXES:
        fit, weighted = facts.bias[axis], facts.weighted[axis]
        row |= {
            f"sigma_{axis}_mpix": 1e3 * fit.sigma,
            f"sigma_{axis}_err_mpix": 1e3 * fit.sigma_err,
            f"bias_{axis}_mpix": 1e3 * fit.amplitude,
            f"bias_{axis}_err_mpix": 1e3 * fit.amplitude_err,
            f"bias_{axis}_significance": fit.significance,
            f"bias_{axis}_limit_mpix": 1e3 * fit.limit,
            f"weighted_bias_{axis}_mpix": 1e3 * weighted.amplitude,
            f"weighted_bias_{axis}_err_mpix": 1e3 * weighted.amplitude_err,
            f"weighted_bias_{axis}_significance": weighted.significance,
            f"second_{axis}_mpix": 1e3 * fit.second,
            f"second_{axis}_err_mpix": 1e3 * fit.second_err,
            f"phase_chi2_{axis}": facts.phases[axis].chi2,
            f"rms_{axis}_mpix": 1e3 * median_rms(facts, axis),
        }
        if facts.ratio is not None:
            row[f"rms_ratio_{axis}"] = getattr(facts.ratio, axis)
            row[f"rms_ratio_{axis}_err"] = getattr(facts.ratio, f"{axis}_err")
        row |= _truth_summary(facts, axis)
    if facts.rows is not None:
        row |= {"row_jump_mpix": 1e3 * facts.rows.height,
                "row_jump_err_mpix": 1e3 * facts.rows.height_err,
                "narrow_row": facts.rows.row}  # fmt: skip
    return row


def _truth_summary(facts: FrameFacts, axis: str) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if facts.errors is not None:
        short, (_, wave) = accuracy(facts.errors, axis), against_phase(facts.errors, axis)
        field = phase_over_field(facts.errors, axis)
        row |= {
            f"error_{axis}_mpix": 1e3 * short.rms,
            f"bound_{axis}_mpix": 1e3 * short.bound,
            f"error_over_bound_{axis}": short.ratio,
            f"pull_{axis}": short.pull,
            f"phase_amplitude_{axis}_mpix": 1e3 * wave.amplitude,
            f"phase_amplitude_{axis}_err_mpix": 1e3 * wave.error,
            f"field_amplitude_{axis}_mpix": 1e3 * field.amplitude,
            f"field_amplitude_{axis}_err_mpix": 1e3 * field.error,
        }
    if facts.means is not None:
        mean = accuracy(facts.means, axis)
        row |= {
            f"mean_error_{axis}_mpix": 1e3 * mean.rms,
            f"mean_error_{axis}_err_mpix": 1e3 * mean.rms_err,
            f"mean_bound_{axis}_mpix": 1e3 * mean.bound,
        }
    return row
