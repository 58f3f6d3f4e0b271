"""Dither sets: the same stars again and again, the telescope pointing a little elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.instruments.wfpc2_facts import CHIPS, GAINS
from filar.psf.model import FieldPSF
from filar.simulate.calibration import Calibration, Frames, make_calibration
from filar.simulate.effects import Effects
from filar.simulate.field import StarField, apart, draw_positions
from filar.simulate.luminosity import (
    BRIGHT_LIMITS,
    NATURAL_LIMITS,
    bright_fluxes,
    natural_fluxes,
    turn_off_flux,
)
from filar.simulate.pointing import Pointing, breathe, draw_jitter

if TYPE_CHECKING:
    from filar.exposure import Exposure

FloatArray = NDArray[np.float64]

START = "1999-07-04T00:00:00"
CLUSTER = (6.0236, -72.0813)
OVERHEAD = 120.0
"""Seconds between two exposures."""

DEFAULT_EFFECTS = Effects()
SHAPE = (800, 800)
_WINGS = 12.0
_DIAGONAL = 1131.0
_FIELD, _WAVEFRONT, _ORBIT, _POINTING, _LIGHT = range(5)


@dataclass(frozen=True)
class DitherSettings:
    """What a dither set is like.

    Parameters
    ----------
    exposures : int
        How many. A shorter set is the beginning of a longer one.
    chips : tuple of str
        WFPC2's.
    filter : str
        Filter.
    stars : int
        Stars on the usable part of every chip, in the first exposure.
    magnitudes : {"natural", "bright-enhanced"}
        Luminosity function, see `filar.simulate.luminosity`.
    flux : (float, float) or None
        Faintest and brightest star, electrons; None for the luminosity function's own.
    core_radius : float or None
        Plummer core radius about the middle of the chip, pixels; None spreads the stars evenly.
    separation : float
        Smallest distance of two stars, pixels.
    focus : float
        Mean despace of the secondary, microns.
    breathing : float
        Amplitude of the orbit's wave of focus, microns.
    jitter, jitter_spread : float
        Mean and standard deviation of the jitter, mas rms per axis.
    aberrations : float
        Rms of astigmatism, coma, trefoil and spherical aberration together, waves at 547 nm:
        fixed for the set, smooth over each chip.
    offset : float
        Largest offset in either axis, PC pixels.
    roll : float
        Rms of the roll, degrees.
    scale : float
        Rms of the change of scale.
    exposure_time : float
        Seconds.
    sky : float
        Electrons per pixel.
    gain : int
        ATODGAIN, 7 or 15.
    effects : Effects
        What the detector does.
    calibration_noise : bool
        Whether the exposures are calibrated with frames that are as noisy as real ones, or ideal.
    seed : int
        The same seed gives the same set.

    Raises
    ------
    ParameterError
        For a value without meaning.
    """

    exposures: int = 200
    chips: tuple[str, ...] = ("PC", "WF3")
    filter: str = "F555W"
    stars: int = 2500
    magnitudes: Literal["natural", "bright-enhanced"] = "natural"
    flux: tuple[float, float] | None = None
    core_radius: float | None = None
    separation: float = 0.0
    focus: float = 0.0
    breathing: float = 2.0
    jitter: float = 7.0
    jitter_spread: float = 2.0
    aberrations: float = 0.0
    offset: float = 2.0
    roll: float = 0.002
    scale: float = 1e-5
    exposure_time: float = 160.0
    sky: float = 20.0
    gain: int = 7
    effects: Effects = DEFAULT_EFFECTS
    calibration_noise: bool = True
    seed: int = 1

    def __post_init__(self) -> None:
        chips = self.chips
        if not chips or not set(chips) <= set(CHIPS) or len(set(chips)) != len(chips):
            raise ParameterError("chips", ",".join(chips), f"different ones of {','.join(CHIPS)}")
        if self.magnitudes not in ("natural", "bright-enhanced"):
            raise ParameterError("magnitudes", self.magnitudes, "natural or bright-enhanced")
        if self.gain not in GAINS:
            raise ParameterError("gain", self.gain, "7 or 15")
        if self.flux is not None and not 0 < self.flux[0] <= self.flux[1] < np.inf:
            raise ParameterError("flux", self.flux, "two rising positive fluxes in electrons")
        if self.core_radius is not None and not 0 < self.core_radius < np.inf:
            raise ParameterError("core_radius", self.core_radius, "a positive number of pixels")
        for name, (low, high) in _LIMITS.items():
            if not low <= getattr(self, name) <= high:
                raise ParameterError(name, getattr(self, name), f"{low:g} to {high:g}")

    @property
    def limits(self) -> tuple[float, float]:
        """Faintest and brightest flux, electrons."""
        if self.flux is not None:
            return self.flux
        return NATURAL_LIMITS if self.magnitudes == "natural" else BRIGHT_LIMITS

    def plain(self) -> dict[str, Any]:
        """The settings as plain values, for files."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        values |= {"effects": str(self.effects), "chips": list(self.chips)}
        return values | {"flux": None if self.flux is None else list(self.flux)}


_LIMITS = {
    "exposures": (1, 9999),
    "stars": (0, 100_000),
    "separation": (0.0, 100.0),
    "focus": (-50.0, 50.0),
    "breathing": (0.0, 20.0),
    "jitter": (0.0, 50.0),
    "jitter_spread": (0.0, 50.0),
    "aberrations": (0.0, 0.2),
    "offset": (0.0, 100.0),
    "roll": (0.0, 1.0),
    "scale": (0.0, 0.001),
    "exposure_time": (0.01, 1e5),
    "sky": (0.0, 20_000.0),
    "seed": (0, np.inf),
}


def exposure_name(number: int) -> str:
    """Name of the exposure of this number (from 1), as in its file's name."""
    return f"dither_{number:03d}"


def draw_pointing(settings: DitherSettings, number: int) -> Pointing:
    """Draw the state of the telescope during one exposure.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    number : int
        Number of the exposure, from 1; the first has no offset, roll or change of scale.

    Returns
    -------
    Pointing
    """
    rng = _stream(settings, _POINTING, number)
    dx, dy = rng.uniform(-settings.offset, settings.offset, 2)
    roll, scale, unsteady = rng.normal(size=3)
    jitter, ratio, angle = draw_jitter(settings.jitter, settings.jitter_spread, rng)
    phases = _stream(settings, _ORBIT).uniform(0, 2 * np.pi, 3)
    time = (number - 1) * (settings.exposure_time + OVERHEAD)
    focus = settings.focus + breathe(time, settings.breathing, phases, float(unsteady))
    if number == 1:
        dx = dy = roll = scale = 0.0
    return Pointing(
        float(dx), float(dy), float(settings.roll * roll), float(1 + settings.scale * scale),
        focus, jitter, ratio, angle, time,
    )  # fmt: skip


@lru_cache(maxsize=8)
def draw_dither_field(settings: DitherSettings, chip: str) -> StarField:
    """Draw the stars of one chip as the first exposure shows them, and those around the chip.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    chip : str
        One of its chips.

    Returns
    -------
    StarField
        With the stars beyond the border that come into view, or whose light does.

    Raises
    ------
    ParameterError
        If so many stars do not fit with the separation asked for.
    """
    rng = _stream(settings, _FIELD, CHIPS.index(chip))
    reach = _DIAGONAL * 4 * (np.radians(settings.roll) + settings.scale)
    margin = settings.offset + reach + _WINGS
    box = (-0.5 - margin, -0.5 - margin, SHAPE[1] - 0.5 + margin, SHAPE[0] - 0.5 + margin)
    points = np.empty((0, 2))
    inside = np.empty(0, bool)
    for _ in range(50):
        if np.count_nonzero(inside) >= settings.stars:
            break
        more = draw_positions(settings.stars + 1, box, settings.core_radius, rng)
        points = np.concatenate([points, more])
        if settings.separation > 0:
            points = points[apart(points, settings.separation)]
        inside = on_chip(chip, points[:, 0], points[:, 1])
    count = np.cumsum(inside)
    if settings.stars > (count[-1] if len(count) else 0):
        room = f"less; only {count[-1]} of {settings.stars} stars fit on {chip}"
        raise ParameterError("separation", settings.separation, room)
    kept = points[: int(np.searchsorted(count, settings.stars)) + 1 if settings.stars else 0]
    return StarField(kept[:, 0].copy(), kept[:, 1].copy(), _fluxes(settings, chip, len(kept), rng))


def _fluxes(
    settings: DitherSettings, chip: str, number: int, rng: np.random.Generator
) -> FloatArray:
    if settings.magnitudes == "bright-enhanced":
        return bright_fluxes(number, settings.limits, rng)
    turn_off = turn_off_flux(settings.filter, chip, settings.exposure_time)
    return natural_fluxes(number, settings.limits, turn_off, rng)


def on_chip(chip: str, x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
    """Mark the stars whose central pixel lies on the usable part of a chip.

    Parameters
    ----------
    chip : str
        One of WFPC2's.
    x, y : (n,) array
        Pixels.

    Returns
    -------
    (n,) bool array
    """
    from filar.instruments import wfpc2_edge

    usable = ~wfpc2_edge(chip)
    column, row = np.rint(x).astype(int), np.rint(y).astype(int)
    ny, nx = usable.shape
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    return np.asarray(inside & usable[row.clip(0, ny - 1), column.clip(0, nx - 1)])


def dither_psf(settings: DitherSettings, chip: str, pointing: Pointing) -> FieldPSF:
    """PSF of a chip during one exposure.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    chip : str
        One of its chips.
    pointing : Pointing
        Focus and jitter.

    Returns
    -------
    FieldPSF

    Raises
    ------
    ParameterError
        For a filter that the camera does not have.
    """
    from filar.psf.family import OpticalFamily
    from filar.psf.library import FIELD_NODES, family_for, field_psf
    from filar.psf.model import FieldGrid
    from filar.psf.optics import FOCUS_WAVES_PER_MICRON

    family = family_for("WFPC2", chip, settings.filter)
    assert isinstance(family, OpticalFamily)
    xx, yy, xy = pointing.blur(chip)
    focus = pointing.focus * FOCUS_WAVES_PER_MICRON
    start = family.start(focus=focus, blur_xx=xx, blur_yy=yy, blur_xy=xy)
    nodes = FieldGrid.chebyshev(SHAPE, FIELD_NODES)
    local = np.repeat(start[None], len(nodes.points), axis=0)
    local[:, 1:8] += _wavefront(settings, chip, np.array(nodes.points))
    return field_psf(family, SHAPE, local, name=f"truth {chip} {settings.filter}", nodes=nodes)


def _wavefront(settings: DitherSettings, chip: str, points: FloatArray) -> FloatArray:
    """Coefficients of Noll 5 to 11 at pixels (n, 2), quadratic over the chip: (n, 7), waves."""
    rng = _stream(settings, _WAVEFRONT, CHIPS.index(chip))
    u, v = (2 * points / (np.array(SHAPE[::-1]) - 1) - 1).T
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
    drawn = terms @ (rng.normal(size=(6, 7)) * np.array([1, 0.5, 0.5, 0.3, 0.3, 0.3])[:, None])
    rms = np.sqrt(np.mean(np.sum(drawn**2, axis=1)))
    return np.asarray(drawn * settings.aberrations / rms)


@dataclass(frozen=True, eq=False)
class ChipView:
    """What is true of one chip during one exposure of a set.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    chip : str
        One of its chips.
    number : int
        Number of the exposure, from 1.
    pointing : Pointing
        State of the telescope.
    reference, stars : StarField
        The same stars in the same order: where the first exposure has them, and this one.
    psf : FieldPSF
        The true PSF.
    """

    settings: DitherSettings
    chip: str
    number: int
    pointing: Pointing
    reference: StarField
    stars: StarField
    psf: FieldPSF

    @property
    def name(self) -> str:
        """The exposure's name."""
        return exposure_name(self.number)


def view_chip(settings: DitherSettings, chip: str, number: int) -> ChipView:
    """Say where the stars of a chip are in one exposure, and what the PSF is.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    chip : str
        One of its chips.
    number : int
        Number of the exposure, from 1.

    Returns
    -------
    ChipView
    """
    reference = draw_dither_field(settings, chip)
    pointing = draw_pointing(settings, number)
    x, y = pointing.carry(chip, reference.x, reference.y)
    stars = StarField(x, y, reference.flux)
    psf = dither_psf(settings, chip, pointing)
    return ChipView(settings, chip, number, pointing, reference, stars, psf)


def expose_chip(view: ChipView) -> Exposure:
    """Simulate one chip of one exposure of a set.

    Parameters
    ----------
    view : ChipView
        From `view_chip`.

    Returns
    -------
    Exposure
        With its time and a WCS that follows the offset.
    """
    from astropy.time import Time, TimeDelta

    from filar.simulate.exposure import simulate_exposure

    settings = view.settings
    exposure = simulate_exposure(
        view.psf,
        view.stars,
        chip=view.chip,
        filter_name=settings.filter,
        exposure_time=settings.exposure_time,
        sky=settings.sky,
        calibration=set_calibration(settings, view.chip),
        name=view.name,
        pointing=_sky_position(view.pointing),
        seed=_stream(settings, _LIGHT, view.number, CHIPS.index(view.chip)),
    )
    since = TimeDelta(view.pointing.time, format="sec")
    return exposure.replace(time=Time(START, scale="utc") + since)


@lru_cache(maxsize=4)
def set_calibration(settings: DitherSettings, chip: str) -> Calibration:
    """The detector and calibration frames of one chip, the same for the whole set.

    Parameters
    ----------
    settings : DitherSettings
        Of the set.
    chip : str
        One of its chips.

    Returns
    -------
    Calibration
    """
    return make_calibration(
        chip,
        gain_setting=settings.gain,
        effects=settings.effects,
        frames=Frames() if settings.calibration_noise else None,
        seed=settings.seed,
    )


def _sky_position(pointing: Pointing) -> tuple[float, float]:
    """Where on the sky the camera's middle points: stars keep their coordinates."""
    from filar.instruments.wfpc2_facts import PIXEL_SCALES

    ra, dec = CLUSTER
    degrees = PIXEL_SCALES["PC"] / 3600.0
    # the PC's x axis points against right ascension, its y axis to the north
    return ra + pointing.dx * degrees / np.cos(np.radians(dec)), dec - pointing.dy * degrees


def _stream(settings: DitherSettings, *key: int) -> np.random.Generator:
    """Random numbers of one purpose, whatever else is drawn."""
    return np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=key))
