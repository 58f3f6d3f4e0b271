"""Detector physics: photon and read noise, cosmic rays, bleeding, digitisation, vignetted edge."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.exposure import BoolImage
from filar.simulate.field import Seed

FloatArray = NDArray[np.float64]

COSMIC_RAY_RATE = 1.8 / 640_000
"""Events per pixel and second; WFPC2 sees 1.8 per chip and second (Instrument Handbook, 4.9)."""

# A WFPC2 pixel is 15 microns wide with some 10 microns of sensitive depth; a minimum-ionising
# particle frees about 80 electrons per micron of silicon.
_DEPTH = 10.0 / 15.0
_ELECTRONS_PER_PIXEL = 80.0 * 15.0
_LONGEST_TRACK = 60.0
_SAMPLES = 8
_DIFFUSION = 0.2
_DARKEST = 0.02


@dataclass(frozen=True, eq=False)
class Detector:
    """One CCD and its electronics.

    Parameters
    ----------
    gain : float
        Electrons per DN.
    read_noise : float
        Electrons; digitisation noise included, as handbooks quote it.
    bias : float
        DN added before the converter and subtracted by the calibration.
    digital_limit : float
        Largest DN of the converter.
    full_well : float
        Electrons that a pixel holds before it bleeds along its column.
    edge : (ny, nx) bool array
        The vignetted border.
    bad : (ny, nx) bool array or None
        Further unusable pixels: they hold noise alone, and are masked.
    """

    gain: float
    read_noise: float
    edge: BoolImage
    bias: float = 320.0
    digital_limit: float = 4095.0
    full_well: float = 90_000.0
    bad: BoolImage | None = field(default=None)

    def __post_init__(self) -> None:
        for name in ("gain", "full_well"):
            if not getattr(self, name) > 0:
                raise ParameterError(name, getattr(self, name), "a positive number")
        if not self.read_noise >= 0:
            raise ParameterError("read_noise", self.read_noise, "0 electrons or more")
        if not 0 <= self.bias < self.digital_limit:
            raise ParameterError("bias", self.bias, f"0 or more, below {self.digital_limit} DN")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.edge.shape[0], self.edge.shape[1]

    @property
    def saturation(self) -> float:
        """Level of the converter's limit above the bias, electrons."""
        return (self.digital_limit - self.bias) * self.gain

    def expose(
        self, expected: FloatArray, *, hits: FloatArray | None = None, seed: Seed = None
    ) -> tuple[FloatArray, BoolImage]:
        """Turn an expected image into a calibrated one.

        Photon noise, cosmic rays, bleeding, read noise, digitisation, then bias subtraction. In
        the vignetted border light fades towards the corner and the flat field is divided back in,
        so the noise grows there as in real files.

        Parameters
        ----------
        expected : (ny, nx) array
            Electrons, sky included.
        hits : (ny, nx) array or None
            Electrons of cosmic rays.
        seed : int, SeedSequence, Generator or None
            Source of randomness.

        Returns
        -------
        data : (ny, nx) float64 array
            Electrons, a whole number of DN.
        saturated : (ny, nx) bool array
            Pixels at the converter's limit or filled up.
        """
        if expected.shape != self.shape:
            raise ParameterError("expected", expected.shape, f"the detector's shape {self.shape}")
        rng = np.random.default_rng(seed)
        response = _vignetting(self.edge)
        if self.bad is not None:
            response = np.where(self.bad, 0.0, response)
        charge = rng.poisson(np.maximum(expected * response, 0.0)).astype(float)
        if hits is not None:
            charge += hits
        charge = bleed(charge, self.full_well)
        analogue = np.sqrt(max(self.read_noise**2 - self.gain**2 / 12.0, 0.0))
        signal = charge + rng.normal(0.0, 1.0, self.shape) * analogue
        dn = np.rint(signal / self.gain + self.bias)
        dn = np.clip(dn, 0.0, self.digital_limit)
        saturated = (dn >= self.digital_limit) | (charge >= self.full_well)
        data = (dn - self.bias) * self.gain
        return data / np.where(self.edge, response, 1.0).clip(_DARKEST), saturated


def wfpc2_detector(chip: str, *, gain_setting: int = 7) -> Detector:
    """Detector of one WFPC2 chip.

    Parameters
    ----------
    chip : str
        ``"PC"``, ``"WF2"``, ``"WF3"`` or ``"WF4"``.
    gain_setting : int
        ATODGAIN: 7 or 15.

    Returns
    -------
    Detector
        With the handbook's gain and read noise and the pyramid's shadow as edge.

    Raises
    ------
    ParameterError
        For another chip or setting.
    """
    from filar.instruments import wfpc2_edge, wfpc2_facts

    if gain_setting not in wfpc2_facts.GAINS:
        raise ParameterError("gain_setting", gain_setting, "7 or 15")
    if chip not in wfpc2_facts.CHIPS:
        raise ParameterError("chip", chip, ", ".join(wfpc2_facts.CHIPS))
    return Detector(
        gain=wfpc2_facts.GAINS[gain_setting][chip],
        read_noise=wfpc2_facts.READ_NOISES[gain_setting][chip],
        edge=wfpc2_edge(chip),
        bias=wfpc2_facts.TYPICAL_BIAS,
        digital_limit=float(wfpc2_facts.DIGITAL_LIMIT),
    )


def bleed(charge: FloatArray, full_well: float) -> FloatArray:
    """Let the charge above full well flow along the columns, half up and half down.

    Parameters
    ----------
    charge : (ny, nx) array
        Electrons.
    full_well : float
        What a pixel holds, electrons.

    Returns
    -------
    (ny, nx) float64 array
        Electrons; the sum over each column is conserved. Charge that reaches an end turns back;
        what exceeds a whole column's capacity drains off the chip.
    """
    result = np.array(charge, float)
    columns = np.flatnonzero((result > full_well).any(axis=0))
    if len(columns) == 0:
        return result
    held = np.minimum(result[:, columns], full_well)
    excess = result[:, columns] - held
    rest = _sweep(held, 0.5 * excess, full_well)
    back = 0.5 * excess
    back[-1] += rest
    rest = _sweep(held[::-1], back[::-1], full_well)
    last = np.zeros_like(excess)
    last[0] = rest
    _sweep(held, last, full_well)
    result[:, columns] = held
    return result


def _sweep(held: FloatArray, source: FloatArray, full_well: float) -> FloatArray:
    """Carry charge towards higher rows, filling up pixels in place; what is left at the end."""
    carried = np.zeros(held.shape[1])
    for row in range(held.shape[0]):
        carried += source[row]
        moved = np.minimum(carried, full_well - held[row])
        held[row] += moved
        carried -= moved
    return carried


def cosmic_rays(
    shape: tuple[int, int],
    exposure_time: float,
    *,
    rate: float = COSMIC_RAY_RATE,
    seed: Seed = None,
) -> tuple[FloatArray, int]:
    """Charge that cosmic rays leave in one exposure.

    Straight tracks of particles that cross the sensitive layer from random directions (flux
    through a plane proportional to the cosine), with Landau-like fluctuations of the energy loss
    (Moyal's form).

    Parameters
    ----------
    shape : (int, int)
        Rows and columns.
    exposure_time : float
        Seconds.
    rate : float
        Events per pixel and second.
    seed : int, SeedSequence, Generator or None
        Source of randomness.

    Returns
    -------
    hits : (ny, nx) float64 array
        Electrons.
    events : int
        How many particles.
    """
    if not (exposure_time >= 0 and rate >= 0):
        raise ParameterError("exposure_time, rate", (exposure_time, rate), "0 or more")
    rng = np.random.default_rng(seed)
    ny, nx = shape
    events = int(rng.poisson(rate * exposure_time * ny * nx))
    u = rng.random(events)
    length = np.minimum(_DEPTH * np.sqrt(u / (1.0 - u)), _LONGEST_TRACK)
    loss = -np.log(rng.normal(size=events) ** 2)
    energy = _ELECTRONS_PER_PIXEL * np.hypot(_DEPTH, length) * np.maximum(1.0 + 0.2 * loss, 0.3)
    start = rng.uniform((-0.5, -0.5), (nx - 0.5, ny - 0.5), (events, 2))
    angle = rng.uniform(0.0, 2 * np.pi, events)
    samples = np.maximum(_SAMPLES, np.ceil(_SAMPLES * length)).astype(int)
    event = np.repeat(np.arange(events), samples)
    step = (np.arange(len(event)) - np.repeat(np.cumsum(samples) - samples, samples) + 0.5) / (
        samples[event]
    )
    along = step * length[event]
    x = start[event, 0] + along * np.cos(angle[event])
    y = start[event, 1] + along * np.sin(angle[event])
    spread = rng.normal(0.0, _DIFFUSION, (len(event), 2))
    column = np.rint(x + spread[:, 0]).astype(int)
    row = np.rint(y + spread[:, 1]).astype(int)
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    weights = (energy[event] / samples[event])[inside]
    hits: FloatArray = np.bincount(row[inside] * nx + column[inside], weights, ny * nx).astype(
        float
    )
    return hits.reshape(ny, nx), events


def _vignetting(edge: BoolImage) -> FloatArray:
    """Response that falls from the inner border of the shadow towards the first pixels."""
    from scipy import ndimage

    if not edge.any() or edge.all():
        return np.ones(edge.shape)
    depth = np.asarray(ndimage.distance_transform_edt(edge), float)
    response: FloatArray = np.maximum(1.0 - depth / (depth.max() + 1.0), _DARKEST)
    return response
