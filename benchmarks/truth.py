"""Star fields from a second, brute-force optical program, with what a fitted PSF does not know.

Nothing here uses `filar.psf`: the pupil is rasterised anew, carried to the focal plane by matrix
transforms at 11 samples per pixel, blurred, summed over pixels and interpolated by splines. On top
of low-order aberrations that vary over the chip, the wavefront has random polishing errors with a
power law up to 15 cycles per aperture; the camera's obscuration is off by a few per cent of the
pupil; jitter is elongated; charge diffusion is one of several laws.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage, signal
from scipy.spatial import cKDTree

OVERSAMPLE = 11
HALF = 16  # pixels
ARCSEC = np.pi / 180 / 3600
SCALES = {"PC": 0.0455, "WF2": 0.0996, "WF3": 0.0996, "WF4": 0.0996}
BANDS = {"F555W": (0.48, 0.61), "F814W": (0.72, 0.88), "F336W": (0.317, 0.355)}
SAMPLES = 192


@dataclass(frozen=True)
class TruthPSF:
    """Oversampled effective PSFs at nodes over the chip: ``cube[node y, node x, y, x]``."""

    cube: np.ndarray
    nodes: np.ndarray

    def stamps(self, x: np.ndarray, y: np.ndarray, box: int) -> np.ndarray:
        """Unit-flux images around the nearest pixels, ``[star, y, x]``."""
        half = box // 2
        span = np.arange(-half, half + 1)
        out = np.empty((len(x), box, box))
        wx, wy = self._weights(x), self._weights(y)
        filtered = self._filtered()
        centre = (filtered.shape[-1] - 1) / 2
        for k in range(len(x)):
            local = 0
            for a in np.flatnonzero(wy[k]):
                for b in np.flatnonzero(wx[k]):
                    local = local + wy[k, a] * wx[k, b] * filtered[a, b]
            rows = centre + OVERSAMPLE * (np.rint(y[k]) + span - y[k])
            columns = centre + OVERSAMPLE * (np.rint(x[k]) + span - x[k])
            grid = np.meshgrid(rows, columns, indexing="ij")
            out[k] = ndimage.map_coordinates(local, grid, order=5, prefilter=False)
        return out

    def _filtered(self) -> np.ndarray:
        if not hasattr(self, "_cache"):
            cube = self.cube
            for axis in (-2, -1):
                cube = ndimage.spline_filter1d(cube, order=5, axis=axis)
            object.__setattr__(self, "_cache", cube)
        return self._cache

    def _weights(self, p: np.ndarray) -> np.ndarray:
        unit = np.eye(len(self.nodes))
        return np.stack([np.interp(p, self.nodes, u) for u in unit], axis=1)


def pupil(
    chip: str, field: tuple[float, float], offset: tuple[float, float], reflected: bool = False
) -> np.ndarray:
    """Transmission on SAMPLES x SAMPLES points (4x4 sub-samples each) across the primary.

    `reflected` puts the primary's pads on the other side of its centre.
    """
    n = SAMPLES * 4
    u = (np.arange(n) + 0.5) / n * 2 - 1
    x, y = np.meshgrid(u, u)
    clear = np.hypot(x, y) < 1
    clear &= np.hypot(x, y) > 0.33
    for sign in (1, -1):
        clear &= np.abs(x + sign * y) / np.sqrt(2) > 0.011
    turn = {"PC": 0.0, "WF2": -90.0, "WF3": 180.0, "WF4": 90.0}[chip]
    for angle in (225.0, 346.3, 104.0):
        a = np.deg2rad(angle + turn + (180 if reflected else 0))
        clear &= np.hypot(x - 0.8905 * np.cos(a), y - 0.8905 * np.sin(a)) > 0.065
    slope, radius, vane = (-0.2035, 0.410, 0.029) if chip == "PC" else (-0.283, 0.434, 0.025)
    sx, sy = slope * field[0] + offset[0], slope * field[1] + offset[1]
    clear &= np.hypot(x - sx, y - sy) > radius
    clear &= (np.abs(x - sx) > vane) & (np.abs(y - sy) > vane)
    return clear.reshape(SAMPLES, 4, SAMPLES, 4).mean(axis=(1, 3))


def wavefront(rng: np.random.Generator, focus: float, rms_low: float, rms_high: float):
    """A function (u, v) -> wavefront in waves at 547 nm: low orders vary, high ones stay."""
    u = (np.arange(SAMPLES) + 0.5) / SAMPLES * 2 - 1
    x, y = np.meshgrid(u, u)
    r2 = x * x + y * y
    low = np.stack([
        np.sqrt(3) * (2 * r2 - 1.109) / 0.891, np.sqrt(6) * 2 * x * y, np.sqrt(6) * (x * x - y * y),
        np.sqrt(8) * (3 * r2 - 2.2) * x, np.sqrt(8) * (3 * r2 - 2.2) * y,
        np.sqrt(8) * (x**3 - 3 * x * y * y), np.sqrt(8) * (3 * x * x * y - y**3),
        np.sqrt(5) * (6 * r2 * r2 - 6.65 * r2 + 1.31),
    ])  # fmt: skip
    constant = rng.normal(0, rms_low, len(low))
    constant[0] = focus * 0.011
    slopes = rng.normal(0, rms_low * 0.4, (5, len(low)))
    k = np.fft.fftfreq(2 * SAMPLES, 1 / SAMPLES)  # cycles per aperture, on a doubled square
    kk = np.hypot(k[:, None], k[None, :])
    power = np.where((kk > 1.5) & (kk < 15), np.maximum(kk, 1.0) ** -1.25, 0)
    noise = np.fft.ifft2(np.fft.fft2(rng.normal(size=kk.shape)) * power).real
    high = noise[:SAMPLES, :SAMPLES]
    annulus = (r2 < 1) & (r2 > 0.33**2)
    high *= rms_high / high[annulus].std()

    def at(a: float, b: float) -> np.ndarray:
        terms = constant + np.array([a, b, a * a - 1 / 3, b * b - 1 / 3, a * b]) @ slopes
        return np.tensordot(terms, low, axes=1) + high

    return at


def diffuse(image: np.ndarray, law: str) -> np.ndarray:
    """Charge diffusion on an oversampled image that is already summed over pixels."""
    if law == "kernel":
        kernel = np.zeros((2 * OVERSAMPLE + 1,) * 2)
        values = np.array([[0.0125, 0.05, 0.0125], [0.05, 0.75, 0.05], [0.0125, 0.05, 0.0125]])
        kernel[::OVERSAMPLE, ::OVERSAMPLE] = values
        return signal.fftconvolve(image, kernel, mode="same")
    if law == "gauss":
        return ndimage.gaussian_filter(image, 0.28 * OVERSAMPLE)
    if law == "exponential":
        span = np.arange(-4 * OVERSAMPLE, 4 * OVERSAMPLE + 1) / OVERSAMPLE
        kernel = np.exp(-np.hypot(span[:, None], span[None, :]) / 0.16)
        return signal.fftconvolve(image, kernel / kernel.sum(), mode="same")
    raise ValueError(law)


def make_truth(
    chip: str,
    band: str,
    *,
    focus: float = 0.0,
    seed: int = 0,
    law: str = "kernel",
    rms_low: float = 0.02,
    rms_high: float = 0.025,
    jitter: tuple[float, float] = (0.009, 0.006),
    nodes: int = 7,
    reflected: bool = False,
) -> TruthPSF:
    """Build the PSF of one exposure of one chip.

    Parameters
    ----------
    chip, band : str
    focus : float
        Microns of despace.
    seed : int
    law : str
        "kernel", "gauss" or "exponential".
    rms_low, rms_high : float
        Waves rms of each low-order term, and of the polishing errors.
    jitter : (float, float)
        Arcsec rms along x and y.
    nodes : int
        Per axis.
    reflected : bool
        Whether the primary's pads lie opposite to where the relay formulas put them.
    """
    rng = np.random.default_rng(seed)
    surface = wavefront(rng, focus, rms_low, rms_high)
    offset = tuple(rng.normal(0, 0.015, 2))
    scale = SCALES[chip] * ARCSEC
    low, high = BANDS[band]
    wavelengths = np.linspace(low, high, 8) * 1e-6
    throughput = np.sin(np.linspace(0.25, np.pi - 0.25, 8))  # a rounded passband
    positions = np.linspace(0, 799, nodes)
    span = np.arange(-HALF * OVERSAMPLE, HALF * OVERSAMPLE + 1) / OVERSAMPLE * scale
    u = ((np.arange(SAMPLES) + 0.5) / SAMPLES * 2 - 1) * 1.2
    cube = []
    for py in positions:
        for px in positions:
            a, b = (px - 400) / 400, (py - 400) / 400
            transmission, waves = pupil(chip, (a, b), offset, reflected), surface(a, b)
            image = 0
            for wavelength, weight in zip(wavelengths, throughput, strict=True):
                field = transmission * np.exp(2j * np.pi * waves * 547e-9 / wavelength)
                matrix = np.exp(-2j * np.pi * np.outer(span, u) / wavelength)
                amplitude = matrix @ field @ matrix.T
                # Parseval: light per radian squared, for unit light through the pupil
                step = u[1] - u[0]
                norm = step**2 / (wavelength**2 * transmission.sum())
                image = image + weight * norm * np.abs(amplitude) ** 2
            image = image / throughput.sum() * scale**2  # per pixel area
            sigma = [j / SCALES[chip] * OVERSAMPLE for j in (jitter[1], jitter[0])]
            image = ndimage.gaussian_filter(image, sigma)
            image = ndimage.uniform_filter(image, OVERSAMPLE)
            cube.append(diffuse(image, law))
    shape = (nodes, nodes, *cube[0].shape)
    return TruthPSF(np.array(cube).reshape(shape), positions)


@dataclass(frozen=True)
class Field:
    """An image in electrons without masks, and its stars."""

    image: np.ndarray
    x: np.ndarray
    y: np.ndarray
    flux: np.ndarray
    sky: float
    read_noise: float


def make_field(
    psf: TruthPSF,
    stars: int,
    *,
    seed: int,
    sky: float = 15.0,
    read_noise: float = 5.3,
    faintest: float = 300.0,
    brightest: float = 2.5e5,
    slope: float = 0.45,
    separation: float = 0.0,
) -> Field:
    """Random star field on 800 x 800 pixels with Poisson and read noise.

    Fluxes follow N(>F) ~ F^-slope between the limits; `separation` thins the list.
    """
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(2, 797, (2, stars))
    if separation:
        pairs = cKDTree(np.c_[x, y]).query_pairs(separation, output_type="ndarray")
        keep = np.ones(stars, bool)
        keep[pairs[:, 1]] = False
        x, y = x[keep], y[keep]
    low, high = faintest**-slope, brightest**-slope
    flux = (low + rng.uniform(size=len(x)) * (high - low)) ** (-1 / slope)
    box = 2 * HALF - 3
    stamps = psf.stamps(x, y, box) * flux[:, None, None]
    image = np.full((800 + 2 * box, 800 + 2 * box), float(sky))
    for k in range(len(x)):
        r, c = int(np.rint(y[k])) + box - box // 2, int(np.rint(x[k])) + box - box // 2
        image[r : r + box, c : c + box] += stamps[k]
    image = image[box:-box, box:-box]
    noisy = rng.poisson(np.maximum(image, 0)) + rng.normal(0, read_noise, image.shape)
    return Field(noisy, x, y, flux, sky, read_noise)
