"""Cameras that mock clusters are seen with: bands, zero points, exposure, noise, distance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
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


def _surface(zero_point: float, brightness: float, pixel_scale: float, dark: float) -> float:
    """Electrons per second and pixel of a sky in mag per square arcsec, and dark current."""
    rate = 10.0 ** (0.4 * (zero_point - brightness)) * pixel_scale**2
    return float(np.round(rate + dark, 5))


def _m83() -> ClusterCamera:
    """M 83 as the Early Release Science programme 11360 saw it.

    Exposures and zero points as Chandar et al. 2010 (ApJ 719, 966) used them, three exposures in
    each band; distance 4.5 Mpc (Thim et al. 2003). Zodiacal light of
    V = 22.7 mag per square arcsec with the Sun's colours, dark current 0.0015 electrons per
    second and read noise 3.1 electrons (WFC3 Instrument Handbook). Stars are as wide as in its
    table 6.7: 0.073, 0.069, 0.067 and 0.074 arcsec (full width at half maximum before the pixels).
    """
    facts = (
        ("F336W", 23.46, 1890.0, 23.5, 0.0254),
        ("F438W", 24.98, 1880.0, 23.3, 0.0228),
        ("F555W", 25.81, 1203.0, 22.7, 0.0205),
        ("F814W", 24.67, 1203.0, 22.0, 0.0138),
    )
    noise = round(3.1 * 3**0.5, 2)
    bands = tuple(
        BandCamera(name, zero, time, _surface(zero, sky, 0.04, 0.0015), noise, blur)
        for name, zero, time, sky, blur in facts
    )
    return ClusterCamera("m83", bands, 0.04, "WFC3", "UVIS1", 4.5)


def _m31_f475w() -> ClusterCamera:
    """M 31 in F475W as the PHAT survey saw it (Dalcanton et al. 2012, ApJS 200, 18).

    The zero point is that of the PHOTFLAM of PHAT's own images; four long exposures, ACS' read
    noise of 4.2 electrons and dark current of 0.006 electrons per second. The blur makes stars as
    wide as they are in PHAT's image of the cluster AP 142: 2.2 pixels.
    """
    zero, scale = 26.16, 0.05
    band = BandCamera("F475W", zero, 1710.0, _surface(zero, 23.1, scale, 0.006), 8.4, 0.028)
    return ClusterCamera("m31-f475w", (band,), scale, "ACS", "WFC1", 0.785)


PRESETS = {"m83": _m83, "m31-f475w": _m31_f475w}
DEFAULT_BANDS = {"m83": ("F336W", "F438W", "F814W")}


def preset_camera(name: str, filters: Sequence[str] | None = None) -> ClusterCamera:
    """Take a camera by name.

    Parameters
    ----------
    name : str
        ``"m83"`` or ``"m31-f475w"``.
    filters : sequence of str or None
        Bands wanted; by default F336W, F438W and F814W of M 83 (it has F555W too).

    Returns
    -------
    ClusterCamera

    Raises
    ------
    ParameterError
        For another name or band.
    """
    if name not in PRESETS:
        raise ParameterError("camera", name, " or ".join(PRESETS))
    camera = PRESETS[name]()
    return camera.select(DEFAULT_BANDS.get(name, camera.filters) if filters is None else filters)
