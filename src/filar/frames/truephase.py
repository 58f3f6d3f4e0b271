"""The pixel-phase bias itself: errors against true pixel phase, and how it varies over the chip."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from filar.frames.starlist import FloatArray
from filar.frames.truth import TruthErrors
from filar.phases import pixel_phase
from filar.robust import Bins, Harmonic, binned, first_harmonic, robust_rms, signed_root

PHASE_BINS = 20
_CLIP = 4.0
_LEAST = 200


def against_phase(errors: TruthErrors, axis: str) -> tuple[Bins, Harmonic]:
    """Errors of well-measured stars against their true pixel phase.

    Parameters
    ----------
    errors : TruthErrors
        Of n measures.
    axis : {"x", "y"}
        Which coordinate.

    Returns
    -------
    bins : Bins
        Over the pixel, from -0.5 to 0.5.
    wave : Harmonic
        The first harmonic.
    """
    phase = pixel_phase(getattr(errors, axis)[errors.good])
    error = getattr(errors, f"d{axis}")[errors.good]
    edges = np.linspace(-0.5, 0.5, PHASE_BINS + 1)
    return binned(phase, error, edges), first_harmonic(phase, error)


@dataclass(frozen=True)
class FieldPhase:
    """Pixel-phase bias that varies over the chip.

    Parameters
    ----------
    number : int
        Measures that made it.
    amplitude, error : float
        Root mean square over the stars of the local semi-amplitude, pixels, the noise taken off,
        with the sign of its square; NaN with fewer than 200 measures.
    """

    number: int
    amplitude: float = np.nan
    error: float = np.nan


def phase_over_field(errors: TruthErrors, axis: str) -> FieldPhase:
    """Fit a wave whose sine and cosine are quadratic polynomials of the place on the chip.

    A PSF that is wrong in another way at every place pulls stars by waves of other phases, which
    the mean over the chip averages away and the curves of transformation errors contain.

    Parameters
    ----------
    errors : TruthErrors
        Of n measures.
    axis : {"x", "y"}
        Which coordinate.

    Returns
    -------
    FieldPhase
        To compare with the amplitude of `curves.fit_bias`.
    """
    error = getattr(errors, f"d{axis}")
    good = errors.good & np.isfinite(error)
    if np.count_nonzero(good) < _LEAST:
        return FieldPhase(int(np.count_nonzero(good)))
    angle, target = 2 * np.pi * getattr(errors, axis)[good], error[good]
    field = _quadratic(errors.x[good], errors.y[good])
    waves = np.concatenate([field * np.sin(angle)[:, None], field * np.cos(angle)[:, None]], axis=1)
    rows = np.concatenate([np.ones((len(target), 1)), waves], axis=1)
    kept = np.abs(target - np.median(target)) <= _CLIP * robust_rms(target)
    for _ in range(3):
        solution = np.linalg.lstsq(rows[kept], target[kept], rcond=None)[0]
        residual = target - rows @ solution
        kept = np.abs(residual) <= _CLIP * robust_rms(residual)
    variance = float(np.var(residual[kept]))
    covariance = variance * np.linalg.inv(rows[kept].T @ rows[kept])[1:, 1:]
    mean = np.kron(np.eye(2), field.T @ field / len(field))
    found = solution[1:]
    scaled = mean @ covariance
    square = float(found @ mean @ found - np.trace(scaled))
    spread = 4 * float(found @ scaled @ mean @ found) + 2 * float(np.trace(scaled @ scaled))
    values, widths = signed_root(np.array([square]), np.array([np.sqrt(max(spread, 0.0))]))
    return FieldPhase(int(np.count_nonzero(kept)), values[0], widths[0])


def _quadratic(x: FloatArray, y: FloatArray) -> FloatArray:
    """Terms up to the second order of positions scaled to -1 ... 1: (n, 6)."""
    u, v = (2 * (t - t.min()) / max(np.ptp(t), 1e-9) - 1 for t in (x, y))
    return np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
