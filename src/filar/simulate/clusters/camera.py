"""Cameras that mock clusters are seen with: bands, zero points, exposure, noise, distance."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.simulate.clusters.bands import (
    READ_NOISE,
    ZERO_POINTS,
    known_zero_point,
    sky_rate,
    star_blur,
)
from filar.simulate.clusters.optics import BandOptics, band_optics

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class BandCamera:
    """A camera behind one filter.

    Parameters
    ----------
    filter : str
        For example ``"F336W"``.
    zero_point : float
        Vega magnitude of a star that gives one electron per second, all its light taken.
    exposure_time : float
        Seconds, all exposures together.
    sky : float
        Electrons per second and pixel of sky and dark current, without the galaxy.
    read_noise : float
        Electrons rms per pixel of the stacked image.
    blur : float or None
        Arcsec rms of jitter, charge diffusion and small faults of the mirrors; None for jitter
        alone.

    Raises
    ------
    ParameterError
        For values without meaning.
    """

    filter: str
    zero_point: float
    exposure_time: float
    sky: float
    read_noise: float
    blur: float | None = None

    def __post_init__(self) -> None:
        if not self.filter:
            raise ParameterError("filter", self.filter, "a filter's name")
        if not np.isfinite(self.zero_point):
            raise ParameterError("zero_point", self.zero_point, "a magnitude")
        if not 0.0 < self.exposure_time < np.inf:
            raise ParameterError("exposure_time", self.exposure_time, "a positive number of s")
        for name in ("sky", "read_noise"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise ParameterError(name, getattr(self, name), "0 or more")

    @property
    def gain(self) -> float:
        """Electrons of a star of magnitude 25: of one unit of flux that networks see."""
        return float(self.exposure_time * 10.0 ** (0.4 * (self.zero_point - 25.0)))


@dataclass(frozen=True)
class ClusterCamera:
    """Images of one galaxy in one or several bands.

    Parameters
    ----------
    name : str
        For files and messages.
    bands : tuple of BandCamera
        Each filter once.
    pixel_scale : float
        Arcsec per pixel.
    instrument, chip : str
        Whose optics: see `filar.psf.library.family_for`.
    distance_mpc : float
        Of the galaxy.
    pixfrac : float or None
        Side of the drop in native pixels for drizzled images, None for native pixels.
    focus : float
        Microns of secondary despace.

    Raises
    ------
    ParameterError
        For values without meaning.
    """

    name: str
    bands: tuple[BandCamera, ...]
    pixel_scale: float
    instrument: str
    chip: str
    distance_mpc: float
    pixfrac: float | None = 1.0
    focus: float = 0.0

    def __post_init__(self) -> None:
        if not self.bands or len(set(self.filters)) != len(self.bands):
            raise ParameterError("bands", self.filters, "one or more filters, each once")
        if not 0.0 < self.distance_mpc < np.inf:
            raise ParameterError("distance_mpc", self.distance_mpc, "a positive number of Mpc")
        if not 0.001 <= self.pixel_scale <= 10.0:
            raise ParameterError("pixel_scale", self.pixel_scale, "0.001 to 10 arcsec")

    @property
    def filters(self) -> tuple[str, ...]:
        """Names of the bands."""
        return tuple(band.filter for band in self.bands)

    @property
    def distance_modulus(self) -> float:
        """Apparent less absolute magnitudes, without extinction."""
        return float(5.0 * np.log10(self.distance_mpc) + 25.0)

    @property
    def zero_points(self) -> FloatArray:
        """(bands,) Vega magnitudes of one electron per second."""
        return np.array([band.zero_point for band in self.bands])

    @property
    def exposure_times(self) -> FloatArray:
        """(bands,) seconds."""
        return np.array([band.exposure_time for band in self.bands])

    @property
    def skies(self) -> FloatArray:
        """(bands,) electrons per second and pixel."""
        return np.array([band.sky for band in self.bands])

    @property
    def read_noises(self) -> FloatArray:
        """(bands,) electrons rms per pixel of the stacked images."""
        return np.array([band.read_noise for band in self.bands])

    @property
    def psf_half_lights(self) -> FloatArray:
        """(bands,) half-light radii of the PSFs, pixels."""
        return np.array([self.optics(band).half_light for band in range(len(self.bands))])

    @property
    def rate_of_unit(self) -> FloatArray:
        """(bands,) electrons per second of absolute magnitude 0 at the distance, no extinction."""
        return np.asarray(10.0 ** (0.4 * (self.zero_points - self.distance_modulus)))

    def rate(self, mags: FloatArray) -> FloatArray:
        """Electrons per second of apparent Vega magnitudes (..., bands)."""
        return np.asarray(10.0 ** (0.4 * (self.zero_points - mags)))

    def mags(self, rate: FloatArray) -> FloatArray:
        """Apparent Vega magnitudes of electrons per second (..., bands); infinite for none."""
        with np.errstate(divide="ignore"):
            return np.asarray(self.zero_points - 2.5 * np.log10(rate))

    def optics(self, band: int) -> BandOptics:
        """PSF of a band, by its number."""
        one = self.bands[band]
        return band_optics(
            self.instrument, self.chip, one.filter, self.pixel_scale,
            pixfrac=self.pixfrac, focus=self.focus, blur=one.blur,
        )  # fmt: skip

    def select(self, filters: Sequence[str]) -> ClusterCamera:
        """Keep some bands.

        Parameters
        ----------
        filters : sequence of str
            Names, in the order wanted.

        Returns
        -------
        ClusterCamera

        Raises
        ------
        ParameterError
            If the camera has no such band.
        """
        known = {band.filter: band for band in self.bands}
        for name in filters:
            if name not in known:
                raise ParameterError("bands", name, f"of camera {self.name}: {', '.join(known)}")
        return replace(self, bands=tuple(known[name] for name in filters))

    def plain(self) -> dict[str, Any]:
        """The camera as plain values, for files; `camera_from` reads them."""
        values = asdict(self)
        values["bands"] = list(values["bands"])
        return values


def camera_from(values: dict[str, Any]) -> ClusterCamera:
    """Make a camera of what `ClusterCamera.plain` gave.

    Parameters
    ----------
    values : dict
        Plain values.

    Returns
    -------
    ClusterCamera

    Raises
    ------
    ParameterError
        If something is missing, or is too much.
    """
    try:
        bands = tuple(BandCamera(**band) for band in values["bands"])
        return ClusterCamera(**{**values, "bands": bands})
    except (KeyError, TypeError) as error:
        raise ParameterError("camera", values, f"values of a camera ({error})") from error


def hst_band(
    instrument: str, filter_name: str, exposure_time: float, exposures: int, pixel_scale: float
) -> BandCamera:
    """One band of WFC3/UVIS or ACS/WFC with a usual sky; see `filar.simulate.clusters.bands`.

    Parameters
    ----------
    instrument : str
        ``"WFC3"`` or ``"ACS"``.
    filter_name : str
        For example ``"F336W"``.
    exposure_time : float
        Seconds, all exposures together.
    exposures : int
        How many, each with its read noise.
    pixel_scale : float
        Arcsec per pixel.

    Returns
    -------
    BandCamera

    Raises
    ------
    ParameterError
        If nothing is known of the band.
    """
    zero_point = known_zero_point(instrument, filter_name)
    return BandCamera(
        filter_name, zero_point, exposure_time,
        sky_rate(instrument, filter_name, zero_point, pixel_scale),
        round(READ_NOISE[instrument] * exposures**0.5, 2), star_blur(instrument, filter_name),
    )  # fmt: skip


def _m83() -> ClusterCamera:
    """M 83 as the Early Release Science programme 11360 saw it, drizzled to 0.04 arcsec.

    Exposures as in Chandar et al. 2010 (ApJ 719, 966), three in each band; distance 4.5 Mpc (Thim
    et al. 2003, ApJ 590, 256).
    """
    times = {"F336W": 1890.0, "F438W": 1880.0, "F555W": 1203.0, "F814W": 1203.0}
    bands = tuple(hst_band("WFC3", name, time, 3, 0.04) for name, time in times.items())
    return ClusterCamera("m83", bands, 0.04, "WFC3", "UVIS1", 4.5)


def _m31_f475w() -> ClusterCamera:
    """M 31 in F475W as the PHAT survey saw it: four long exposures (Dalcanton et al. 2012)."""
    band = hst_band("ACS", "F475W", 1710.0, 4, 0.05)
    return ClusterCamera("m31-f475w", (band,), 0.05, "ACS", "WFC1", 0.785)


def _any_galaxy(name: str, instrument: str, chip: str, pixel_scale: float) -> ClusterCamera:
    """Every band that is known, 1200 s in three exposures each; 10 Mpc."""
    bands = tuple(hst_band(instrument, f, 1200.0, 3, pixel_scale) for f in ZERO_POINTS[instrument])
    return ClusterCamera(name, bands, pixel_scale, instrument, chip, 10.0)


PRESETS: dict[str, Callable[[], ClusterCamera]] = {
    "m83": _m83,
    "m31-f475w": _m31_f475w,
    "wfc3": partial(_any_galaxy, "wfc3", "WFC3", "UVIS1", 0.04),
    "acs": partial(_any_galaxy, "acs", "ACS", "WFC1", 0.05),
}
"""Cameras by name: two galaxies as they were seen, and two instruments for any galaxy and band."""
DEFAULT_BANDS = {
    "m83": ("F336W", "F438W", "F814W"),
    "wfc3": ("F336W", "F438W", "F814W"),
    "acs": ("F435W", "F555W", "F814W"),
}


def preset_camera(name: str, filters: Sequence[str] | None = None) -> ClusterCamera:
    """Take a camera by name.

    Parameters
    ----------
    name : str
        One of `PRESETS`: ``"m83"``, ``"m31-f475w"``, ``"wfc3"``, ``"acs"``.
    filters : sequence of str or None
        Bands wanted; by default F336W, F438W and F814W of M 83 (it has F555W too) and WFC3, F435W,
        F555W and F814W of ACS.

    Returns
    -------
    ClusterCamera

    Raises
    ------
    ParameterError
        For another name or band.
    """
    if name not in PRESETS:
        raise ParameterError("camera", name, ", ".join(PRESETS))
    camera = PRESETS[name]()
    return camera.select(DEFAULT_BANDS.get(name, camera.filters) if filters is None else filters)
