"""Star images of a small lens: a core that changes over the field, and a wide aureole."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

OVERSAMPLING = 6
"""Table points per pixel."""

CORE_RADIUS = 20
"""Pixels at which a core ends."""

AUREOLE_RADIUS = 240
"""Pixels at which the aureole ends."""

_FADE = 14.0
_GHOST = 0.2
_TO_SIGMA = 1.0 / np.sqrt(8.0 * np.log(2.0))


@dataclass(frozen=True)
class Lens:
    """What a lens makes of a point of light, in one exposure.

    Places in the field are counted from the middle in half diagonals of the chip.

    Parameters
    ----------
    fwhm : float
        In the middle, pixels, without the pixels' own width.
    growth : float
        By how much it is larger in the corners.
    tilt : (float, float)
        Its relative change along columns and rows from the middle to the corner's distance.
    astigmatism : float
        Difference of radial and tangential variance in the corners, over twice their mean.
    coma : float
        Shift of the core's wide part in the corners, pixels.
    middle : (float, float)
        Where the optical axis is.
    track : (float, float, float)
        Covariance xx, yy, xy that tracking adds, square pixels.
    beta : float
        Moffat's power in the core.
    gauss : float
        Part of the core that is Gaussian.
    aureole : float
        Part of all light that is in the aureole.
    aureole_core, aureole_slope, aureole_reach : float
        Where it flattens (pixels), its power of the radius, and where it fades (pixels).
    """

    fwhm: float = 1.8
    growth: float = 0.35
    tilt: tuple[float, float] = (0.0, 0.0)
    astigmatism: float = 0.1
    coma: float = 1.0
    middle: tuple[float, float] = (0.0, 0.0)
    track: tuple[float, float, float] = (0.0, 0.0, 0.0)
    beta: float = 4.0
    gauss: float = 0.4
    aureole: float = 0.05
    aureole_core: float = 3.5
    aureole_slope: float = 2.5
    aureole_reach: float = 120.0

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Lens:
        """Draw the lens of a camera."""
        return cls(
            fwhm=rng.uniform(1.65, 1.95),
            growth=rng.uniform(0.2, 0.5),
            tilt=(rng.normal(0.0, 0.04), rng.normal(0.0, 0.04)),
            astigmatism=rng.normal(0.0, 0.12),
            coma=rng.uniform(0.4, 1.6),
            middle=(rng.normal(0.0, 0.05), rng.normal(0.0, 0.05)),
            beta=rng.uniform(3.4, 4.6),
            gauss=rng.uniform(0.2, 0.6),
            aureole=rng.uniform(0.03, 0.08),
            aureole_core=rng.uniform(3.0, 4.0),
            aureole_slope=rng.uniform(2.25, 2.85),
            aureole_reach=rng.uniform(90.0, 140.0),
        )

    def tonight(self, rng: np.random.Generator) -> Lens:
        """Change focus, tracking and aureole for one exposure."""
        blur, angle = rng.gamma(2.0, 0.06), rng.uniform(0.0, np.pi)
        cos, sin = np.cos(angle), np.sin(angle)
        return replace(
            self,
            fwhm=self.fwhm * float(np.exp(np.clip(rng.normal(0.0, 0.05), -0.1, 0.2))),
            growth=self.growth + rng.normal(0.0, 0.05),
            tilt=(self.tilt[0] + rng.normal(0.0, 0.02), self.tilt[1] + rng.normal(0.0, 0.02)),
            astigmatism=self.astigmatism + rng.normal(0.0, 0.03),
            track=(float(blur * cos**2), float(blur * sin**2), float(blur * cos * sin)),
            aureole=self.aureole * float(np.exp(rng.normal(0.0, 0.06))),
            aureole_slope=self.aureole_slope + rng.normal(0.0, 0.02),
        )

    def covariance(self, u: float, v: float) -> FloatArray:
        """Second moments (2, 2) of a Gaussian of the core's width at a place, square pixels."""
        place = np.array([u, v]) - self.middle
        radius2 = float(place @ place)
        sigma = _TO_SIGMA * self.fwhm
        sigma *= 1.0 + self.growth * radius2 + float(place @ np.array(self.tilt))
        bend = 2.0 * np.outer(place, place) - radius2 * np.eye(2)
        xx, yy, xy = self.track
        moments: FloatArray = sigma**2 * (np.eye(2) + self.astigmatism * bend)
        moments += np.array([[xx, xy], [xy, yy]])
        return moments


def core_light(lens: Lens, u: float, v: float, dx: FloatArray, dy: FloatArray) -> FloatArray:
    """Surface brightness of the core, per square pixel, before the pixels blur it.

    Parameters
    ----------
    lens : Lens
        The lens.
    u, v : float
        Place in the field.
    dx, dy : array
        Distance from the light's centroid, pixels.

    Returns
    -------
    array
        It fades to nothing within `CORE_RADIUS`.
    """
    moments = lens.covariance(u, v)
    shift = lens.coma * (np.array([u, v]) - lens.middle)
    x, y = dx + _GHOST * shift[0], dy + _GHOST * shift[1]
    q = _distance2(moments, x, y)
    area = 2.0 * np.pi * np.sqrt(np.linalg.det(moments))
    width = (2.0 ** (1.0 / lens.beta) - 1.0) / (2.0 * np.log(2.0))
    moffat = 2.0 * width * (lens.beta - 1.0) * (1.0 + width * q) ** -lens.beta
    light = lens.gauss * np.exp(-0.5 * q) + (1.0 - lens.gauss) * moffat
    far = _distance2(moments, x - shift[0], y - shift[1])
    wide = 0.5 * np.exp(-0.25 * far)  # twice the variances
    fade = np.clip((np.hypot(dx, dy) - _FADE) / (CORE_RADIUS - 1.0 - _FADE), 0.0, 1.0)
    taper = 1.0 - fade**3 * (10.0 - 15.0 * fade + 6.0 * fade**2)
    bright: FloatArray = ((1.0 - _GHOST) * light + _GHOST * wide) / area * taper
    return bright


def _distance2(moments: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
    inverse = np.linalg.inv(moments)
    q: FloatArray = inverse[0, 0] * x**2 + inverse[1, 1] * y**2 + 2.0 * inverse[0, 1] * x * y
    return q


def core_table(lens: Lens, u: float, v: float) -> FloatArray:
    """Cubic spline coefficients of the core as pixels see it.

    Parameters
    ----------
    lens : Lens
        The lens.
    u, v : float
        Place in the field.

    Returns
    -------
    (n, n) float64 array
        n = 2 `CORE_RADIUS` `OVERSAMPLING`; the middle of the light at index n / 2. The light of a
        star of 1 that pixels hold sums up to 1.
    """
    n = 2 * CORE_RADIUS * OVERSAMPLING
    offset = (np.arange(n) - n // 2) / OVERSAMPLING
    light = core_light(lens, u, v, offset[None, :], offset[:, None])
    light *= OVERSAMPLING**2 / light.sum()
    # The light has no waves shorter than two table points: its samples say all of it, and
    # the pixels' integral and the spline's filter are products in Fourier space.
    wave = np.fft.fftfreq(n)
    spline = (2.0 + np.cos(2.0 * np.pi * wave)) / 3.0
    filters = np.sinc(wave * OVERSAMPLING) / spline
    half = filters[: n // 2 + 1]
    table: FloatArray = np.fft.irfft2(np.fft.rfft2(light) * filters[:, None] * half, s=(n, n))
    return table


def aureole_kernel(lens: Lens) -> FloatArray:
    """The aureole of a star of 1 in a pixel's middle, as seen by points.

    Parameters
    ----------
    lens : Lens
        The lens.

    Returns
    -------
    (2 r + 1, 2 r + 1) float64 array
        With r = `AUREOLE_RADIUS`; the sum is 1, the lens's part of the light is not applied.
    """
    offset = np.arange(-AUREOLE_RADIUS, AUREOLE_RADIUS + 1.0)
    radius2 = offset[:, None] ** 2 + offset**2
    light = (1.0 + radius2 / lens.aureole_core**2) ** (-0.5 * lens.aureole_slope)
    light *= np.exp(-((radius2 / lens.aureole_reach**2) ** 2))
    light *= radius2 <= AUREOLE_RADIUS**2
    kernel: FloatArray = light / light.sum()
    return kernel
