"""The stars of a field: targets of all magnitudes, and the Galaxy's stars around them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.polynomial.polynomial import polyval
from numpy.typing import NDArray

from filar.gaia import RELATIONS
from filar.simulate.survey.cameras import PIXEL_SCALE
from filar.simulate.survey.settings import SurveySettings
from filar.simulate.survey.streams import stream
from filar.simulate.survey.variables import KINDS

FloatArray = NDArray[np.float64]

TARGET_LIMITS = (4.5, 14.5)
"""Brightest and faintest target, g."""

COUNTED_TO = 17.5
"""The magnitude g down to which `star_density` counts."""

BRIGHTEST = 9.0
"""Brightest star of the Galaxy besides the targets; brighter ones are rare."""

MARGIN = 40
"""Pixels beyond the chip in which there are stars too."""

_SATURATED, _BRIGHT = 11.5, 8.5
_APART, _FAR_APART = 30.0, 60.0
_MOST, _BRIGHTEST_EVER = 1.6, 4.0  # amplitudes of the brightest stars are small


@dataclass(frozen=True, eq=False)
class SurveyField:
    """The stars of one field.

    Parameters
    ----------
    number : int
        Of the field, from 0.
    center : (float, float)
        Right ascension and declination, degrees.
    id : (n,) int64 array
        No two stars of a survey have the same.
    xi, eta : (n,) array
        Place on the plane that touches the sky at the centre, pixels east and north.
    g, color : (n,) array
        Mean magnitude and BP - RP.
    kind : (n,) array of str
        ``constant`` or a kind of variable stars.
    period, start, amplitude : (n,) array
        Days, MJD of phase 0, mag from peak to peak in g; NaN, NaN and 0 where constant.
    target : (n,) bool array
        Whether a star was put there to be measured.
    diffuse : float
        Light of the stars too faint to be stars, magnitude g per pixel.
    """

    number: int
    center: tuple[float, float]
    id: NDArray[np.int64]
    xi: FloatArray
    eta: FloatArray
    g: FloatArray
    color: FloatArray
    kind: NDArray[np.str_]
    period: FloatArray
    start: FloatArray
    amplitude: FloatArray
    target: NDArray[np.bool_]
    diffuse: float

    def __len__(self) -> int:
        return len(self.id)

    def mean(self, band: str) -> FloatArray:
        """Mean magnitudes in g or V."""
        return self.gaia_g() - polyval(self.color, RELATIONS[band].coefficients)

    def gaia_g(self) -> FloatArray:
        """Gaia's G that belongs to g and the colour, by the published relation."""
        big: FloatArray = self.g + polyval(self.color, RELATIONS["g"].coefficients)
        return big

    def amplitude_in(self, band: str) -> FloatArray:
        """Amplitudes in g or V, mag."""
        factor = np.ones(len(self))
        if band != "g":
            for name, kind in KINDS.items():
                factor[self.kind == name] = kind.in_v
        return self.amplitude * factor


def star_density(latitude: float) -> float:
    """Stars brighter than `COUNTED_TO` per square degree at a Galactic latitude (degrees)."""
    return 500.0 + 16_000.0 * float(np.exp(-abs(latitude) / 12.0))


def count_slope(latitude: float) -> float:
    """Slope of log10 N by magnitude of the star counts; steeper towards the plane."""
    return 0.28 + 0.06 * float(np.exp(-abs(latitude) / 30.0))


def make_field(settings: SurveySettings, number: int) -> SurveyField:
    """Draw the stars of a field.

    Parameters
    ----------
    settings : SurveySettings
        Of the survey.
    number : int
        Of the field, from 0.

    Returns
    -------
    SurveyField
        The targets first.
    """
    rng = stream(settings.seed, "stars", number)
    target_x, target_y, target_g = _targets(settings, stream(settings.seed, "targets", number))
    half = 0.5 * settings.size + MARGIN
    area = (2.0 * half * PIXEL_SCALE / 3600.0) ** 2
    slope = count_slope(settings.latitude)
    deeper = 10.0 ** (slope * (settings.faintest - COUNTED_TO))
    n = int(rng.poisson(area * deeper * star_density(settings.latitude)))
    share = rng.uniform(10.0 ** (slope * (BRIGHTEST - settings.faintest)), 1.0, n)
    g = np.concatenate([target_g, settings.faintest + np.log10(share) / slope])
    x, y = rng.uniform(-half, half, (2, n))
    kind, period, start, amplitude = _variability(settings, number, target_g, len(g))
    return SurveyField(
        number=number,
        center=_center(settings, number),
        id=np.arange(1, len(g) + 1, dtype=np.int64) + 1_000_000 * number,
        xi=np.concatenate([target_x, x]),
        eta=np.concatenate([target_y, y]),
        g=g,
        color=np.clip(rng.normal(0.95, 0.35, len(g)), 0.35, 2.0),
        kind=kind,
        period=period,
        start=start,
        amplitude=amplitude,
        target=np.arange(len(g)) < len(target_g),
        diffuse=_diffuse(settings),
    )


def _center(settings: SurveySettings, number: int) -> tuple[float, float]:
    """A place at the latitude; fields lie side by side along it."""
    from astropy.coordinates import SkyCoord

    longitude = (60.0 + 37.0 * number) % 360.0
    place = SkyCoord(longitude, settings.latitude, unit="deg", frame="galactic").icrs
    return float(place.ra.deg), float(place.dec.deg)


def _diffuse(settings: SurveySettings) -> float:
    """Light of the fainter stars; the counts go on rising for four magnitudes."""
    slope = count_slope(settings.latitude)
    density = star_density(settings.latitude) * (PIXEL_SCALE / 3600.0) ** 2
    m = np.linspace(settings.faintest, settings.faintest + 4.0, 81)
    rate = density * slope * np.log(10.0) * 10.0 ** (slope * (m - COUNTED_TO))
    return float(-2.5 * np.log10(np.trapezoid(rate * 10.0 ** (-0.4 * m), m)))


def _targets(
    settings: SurveySettings, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Places and magnitudes; saturated ones stand apart, off each other's bleed trails."""
    n = settings.n_targets
    bright, faint = TARGET_LIMITS
    g = np.sort(bright + (faint - bright) * (np.arange(n) + rng.uniform(size=n)) / n)
    trail = 0.5 * 10.0 ** (0.4 * (_SATURATED - g))  # rows to either side, roughly
    x, y = np.empty(n), np.empty(n)
    half = 0.5 * settings.size
    for k in range(n):
        tries = rng.uniform(-half, half, (60, 2))
        dx, dy = np.abs(tries[:, :1] - x[:k]), np.abs(tries[:, 1:] - y[:k])
        saturated = g[:k] < _SATURATED
        reach = 20.0 + 1.5 * (trail[:k] + trail[k])
        room = np.where(saturated & (dy < reach), dx / 12.0, 9.0)
        apart = np.where(g[:k] < _BRIGHT, _FAR_APART, _APART)  # the brighter of the two
        room = np.minimum(room, np.where(saturated, np.hypot(dx, dy) / apart, 9.0))
        worst = room.min(axis=1, initial=9.0)
        if g[k] >= _SATURATED:
            worst[:] = 9.0
        best = int(np.argmax(worst >= 1.0)) if (worst >= 1.0).any() else int(np.argmax(worst))
        x[k], y[k] = tries[best]
    order = rng.permutation(n)
    return x[order], y[order], g[order]


def _variability(
    settings: SurveySettings, number: int, g: FloatArray, n: int
) -> tuple[NDArray[np.str_], FloatArray, FloatArray, FloatArray]:
    """Kinds, periods, phases and amplitudes; only targets (of magnitudes g) vary."""
    rng = stream(settings.seed, "variables", number)
    kind = np.full(n, "constant", dtype="U12")
    period, start = np.full(n, np.nan), np.full(n, np.nan)
    amplitude = np.zeros(n)
    chosen = rng.permutation(len(g))[: round(settings.variables * len(g))]
    names = list(KINDS)
    for count, star in enumerate(chosen):
        name = names[count % len(names)]
        one = KINDS[name]
        kind[star] = name
        period[star] = np.exp(rng.uniform(*np.log(one.periods)))
        start[star] = 58_000.0 - rng.uniform() * period[star]
        amplitude[star] = min(rng.uniform(*one.amplitudes), _MOST * (g[star] - _BRIGHTEST_EVER))
    return kind, period, start, amplitude
