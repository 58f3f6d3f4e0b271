"""Finding stars: local maxima of a matched filter above the local noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.flags import Flag
from filar.ground import Ground
from filar.grown import grown
from filar.matchedfilter import FilteredImage, local_sky, ridge, stamps_of
from filar.profile import GaussianPixel, estimate_sigma
from filar.saturated import SaturatedStars, find_saturated, saturated_light, saturated_region
from filar.sharpness import CORE, SHARP_FRACTION, sharpness_flags
from filar.sky import background, smear_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

NEIGHBOUR_DISTANCE = 5.0
ISOLATION_FRACTION = 0.05
ISOLATION_LIMIT = 60.0

_FWHM = float(2.0 * np.sqrt(2.0 * np.log(2.0)))
_DEFAULT_FWHM = 1.5
# Halo structure (speckles, rings) is as strong as the halo itself; simulated HST images need 2.5.
_HALO_CONTRAST = 2.5
# Knots in spikes reach twice the spike's height (measured: 1 lets four times more false ones pass,
# for 3% more of the faintest stars).
_RIDGE_CONTRAST = 2.0
# Edge pairs darker than this part of the peak: no telescope's image is that sharp.
_SHARPEST_PAIR = 0.2


@dataclass(frozen=True, eq=False)
class Detections:
    """Stars found in one exposure.

    Parameters
    ----------
    x, y : (n,) float64 arrays
        Start positions, pixels from 0.
    flux : (n,) float64 array
        Rough flux of the matched filter (of the saturated blob for saturated stars), electrons.
    peak : (n,) float64 array
        Brightest pixel above the local sky, electrons.
    snr : (n,) float64 array
        Flux of the matched filter over its background noise: the significance of the detection,
        without the star's own photon noise (NaN for saturated stars).
    sharpness : (n,) float64 array
        Light of the darker pair of opposite edge neighbours over that of the peak pixel, in units
        of what a star centred on the pixel would show: near 1 or above for stars, near 0 for
        cosmic rays and hot pixels (NaN for saturated stars).
    isolation : (n,) float64 array
        Distance to the nearest other detection that has at least 5% of this one's flux, pixels;
        ``inf`` if there is none within 60 pixels.
    flags : (n,) int32 array
        Bits of `filar.flags.Flag`.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    peak: FloatArray
    snr: FloatArray
    sharpness: FloatArray
    isolation: FloatArray
    flags: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.x)

    def select(self, keep: NDArray[Any]) -> Detections:
        """Return the detections chosen by a boolean mask or by indices."""
        return Detections(
            *(
                getattr(self, name)[keep]
                for name in ("x", "y", "flux", "peak", "snr", "sharpness", "isolation", "flags")
            )
        )


def joined(lists: Sequence[Detections]) -> Detections:
    """Put lists of detections one after the other.

    Parameters
    ----------
    lists : sequence of Detections
        One or more.

    Returns
    -------
    Detections
    """
    names = ("x", "y", "flux", "peak", "snr", "sharpness", "isolation", "flags")
    return Detections(*(np.concatenate([getattr(one, n) for one in lists]) for n in names))


def detect_stars(
    exposure: Exposure, *, threshold: float = 5.0, fwhm: float | None = None
) -> Detections:
    """Find the stars of an exposure.

    A star is a local maximum of the image filtered with a pixel-integrated Gaussian that exceeds
    the local sky by ``threshold`` times the local noise, after the halo and any ridge (diffraction
    spike, bleed trail) that it sits on have been allowed for. Each saturated blob, trail included,
    gives one detection. Cosmic rays and hot pixels are kept and flagged. The vignetted edge gives
    no detections.

    Parameters
    ----------
    exposure : Exposure
        The image.
    threshold : float
        Significance limit of a detection.
    fwhm : float or None
        Full width at half maximum of the optical core before pixel integration, pixels; by
        default measured from the exposure's own bright stars.

    Returns
    -------
    Detections
        Sorted by y, then x.

    Raises
    ------
    ParameterError
        If ``threshold`` or ``fwhm`` is not positive.
    """
    _check(threshold, fwhm)
    ground = survey(exposure, threshold=threshold, fwhm=fwhm)
    return find_stars(exposure, ground, threshold=threshold)


def _check(threshold: float, fwhm: float | None) -> None:
    if not threshold > 0:
        raise ParameterError("threshold", threshold, "a positive number of standard deviations")
    if fwhm is not None and not 0 < fwhm < 20:
        raise ParameterError("fwhm", fwhm, "between 0 and 20 pixels")


def survey(exposure: Exposure, *, threshold: float = 5.0, fwhm: float | None = None) -> Ground:
    """Measure what the search for stars needs to know beforehand.

    Parameters
    ----------
    exposure : Exposure
        The image.
    threshold : float
        Significance limit of a detection.
    fwhm : float or None
        As in `detect_stars`.

    Returns
    -------
    Ground
        Its sky is NaN where the exposure has no usable pixel at all.
    """
    sky, noise = background(exposure)
    smear = smear_of(exposure)
    light = saturated_light(exposure, sky)
    if fwhm is not None or not np.isfinite(sky).any():
        return Ground(sky, noise, smear, (fwhm or _DEFAULT_FWHM) / _FWHM, light)
    region = saturated_region(exposure)
    first = FilteredImage(exposure, sky, smear, GaussianPixel(_DEFAULT_FWHM / _FWHM), region)
    return Ground(sky, noise, smear, _measure_sigma(exposure, first, threshold), light)


def find_stars(
    exposure: Exposure,
    ground: Ground,
    *,
    threshold: float = 5.0,
    region: NDArray[np.bool_] | None = None,
) -> Detections:
    """Find the stars of an exposure of which sky, noise and sharpness are known.

    Parameters
    ----------
    exposure : Exposure
        The image.
    ground : Ground
        From `survey`, of this image or of the same without some star.
    threshold : float
        Significance limit of a detection.
    region : (ny, nx) bool array, optional
        Where stars are looked for; everywhere by default.

    Returns
    -------
    Detections
        See `detect_stars`.
    """
    if not np.isfinite(ground.sky).any():
        return _empty()
    blobs = find_saturated(exposure, ground.sky, ground.saturated_light, region)
    core = GaussianPixel(ground.sigma)
    image = FilteredImage(exposure, ground.sky, ground.smear, core, blobs.region)
    stars = _measure(exposure, image, image.maxima(threshold, region), ground.noise, threshold)
    found = _join(stars, blobs)
    return _finish(exposure, found.select(_in_view(exposure, found)))


def _measure_sigma(exposure: Exposure, image: FilteredImage, threshold: float) -> float:
    """Width of the core from the bright unmasked maxima; the default where there are few."""
    rows, columns = image.maxima(max(50.0, threshold))
    local, _ = local_sky(image, rows, columns)
    values, bad = stamps_of(image, rows, columns, local)
    peak = values[:, 12]
    values, bad = values[:, CORE], bad[:, CORE]
    good = ~bad.any(axis=1) & (peak > 0) & (peak >= values.max(axis=1, initial=0.0))
    values, peak = values[good], peak[good]
    pairs = np.stack([values[:, 1] + values[:, 7], values[:, 3] + values[:, 5]])
    dark = pairs.min(axis=0) / peak
    sigma, limit = np.nan, _SHARPEST_PAIR
    for _ in range(3):
        stars = dark > limit
        sigma = estimate_sigma(values[stars].sum(axis=1) / peak[stars])
        if not np.isfinite(sigma):
            return _DEFAULT_FWHM / _FWHM
        limit = max(_SHARPEST_PAIR, SHARP_FRACTION * GaussianPixel(sigma).pair_ratio)
    return float(sigma)


@dataclass
class _Candidates:
    """What is known about each candidate before the decision."""

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    peak: FloatArray
    snr: FloatArray
    sharpness: FloatArray
    flags: NDArray[np.int32]


def _measure(
    exposure: Exposure,
    image: FilteredImage,
    where: tuple[IntArray, IntArray],
    noise: FloatArray,
    threshold: float,
) -> _Candidates:
    """Measure the candidates against their surroundings and keep the significant ones."""
    rows, columns = where
    local, scatter = local_sky(image, rows, columns)
    mesh = image.sky[rows, columns]
    model = np.sqrt(np.maximum(mesh + local, 0) + exposure.read_noise**2)
    scatter = np.where(np.isfinite(scatter), scatter, noise[rows, columns])
    sigma = np.maximum(model, scatter)
    # Height of the matched filter over a flat excess of 1 electron per pixel.
    flat = np.sum(image.kernel) ** 2 / np.sum(image.kernel**2) ** 2
    error = sigma / np.sum(image.kernel**2)
    flux = image.flux[rows, columns] - local * flat
    spike = np.maximum(_RIDGE_CONTRAST * ridge(image, rows, columns) - local - sigma, 0.0)
    halo = np.maximum(local - 0.5 * noise[rows, columns], 0.0)
    centre = image.kernel.max() ** 2
    allowed = threshold * error + (_HALO_CONTRAST * halo + spike) / centre
    keep = flux > allowed
    rows, columns, local, sigma = rows[keep], columns[keep], local[keep], sigma[keep]
    stamp, bad = stamps_of(image, rows, columns, local)
    flags = np.where(bad[:, CORE].any(axis=1), Flag.MASKED, 0).astype(np.int32)
    shift_x, shift_y = image.core.centre(stamp[:, CORE].reshape(-1, 3, 3))
    peak = stamp[:, CORE].max(axis=1, initial=0.0)
    # A cosmic ray's brightest pixel may lie beside the filter's maximum: test it there.
    brightest = CORE[stamp[:, CORE].argmax(axis=1)] if len(stamp) else np.zeros(0, int)
    stamp, bad = stamps_of(image, rows + brightest // 5 - 2, columns + brightest % 5 - 2, local)
    sharpness, cosmic = sharpness_flags(image.core, stamp, bad, sigma)
    flags |= cosmic
    return _Candidates(
        columns + shift_x,
        rows + shift_y,
        flux[keep] / image.core.filter_response(shift_x) / image.core.filter_response(shift_y),
        peak,
        flux[keep] / error[keep],
        sharpness,
        flags,
    )


def _join(stars: _Candidates, blobs: SaturatedStars) -> Detections:
    """Put unsaturated and saturated stars into one list."""
    count = len(blobs.x)
    nan = np.full(count, np.nan)
    x, y = np.append(stars.x, blobs.x), np.append(stars.y, blobs.y)
    order = np.lexsort((x, y))
    return Detections(
        x,
        y,
        np.append(stars.flux, blobs.flux),
        np.append(stars.peak, blobs.peak),
        np.append(stars.snr, nan),
        np.append(stars.sharpness, nan),
        np.full(len(x), np.inf),
        np.append(stars.flags, blobs.flags).astype(np.int32),
    ).select(order)


def _in_view(exposure: Exposure, found: Detections) -> NDArray[np.bool_]:
    """Detections whose centre lies on the image and not in the vignetted border."""
    ny, nx = exposure.shape
    rows, columns = np.rint(found.y).astype(int), np.rint(found.x).astype(int)
    inside = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
    hidden = exposure.edge[np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)]
    view: NDArray[np.bool_] = inside & ~hidden
    return view


def _finish(exposure: Exposure, found: Detections) -> Detections:
    """Isolation, neighbours and edges."""
    from scipy import spatial

    if len(found) == 0:
        return found
    points = np.stack([found.x, found.y], axis=1)
    count = min(len(found), 24)
    distance, index = spatial.cKDTree(points).query(
        points, k=count, distance_upper_bound=ISOLATION_LIMIT
    )
    distance, index = distance.reshape(len(points), -1), index.reshape(len(points), -1)
    other = (index < len(points)) & (index != np.arange(len(points))[:, None])
    flux = np.append(found.flux, 0.0)[index]
    matters = other & (flux >= ISOLATION_FRACTION * found.flux[:, None])
    isolation = np.where(matters, distance, np.inf).min(axis=1)
    # Where all of the nearest are too faint, the farthest of them is a lower limit.
    crowded = ~matters.any(axis=1) & np.isfinite(distance[:, -1]) & (count == 24)
    isolation = np.where(crowded, distance[:, -1], isolation)
    nearest = np.where(other, distance, np.inf).min(axis=1)
    flags = found.flags | np.where(nearest < NEIGHBOUR_DISTANCE, Flag.NEIGHBOUR, 0)
    outside = grown(exposure.edge, 2, 2)
    rows, columns = np.rint(found.y).astype(int), np.rint(found.x).astype(int)
    ny, nx = exposure.shape
    border = (rows < 2) | (columns < 2) | (rows >= ny - 2) | (columns >= nx - 2)
    border |= outside[rows, columns]
    flags |= np.where(border, Flag.EDGE, 0)
    return replace(found, isolation=isolation, flags=flags.astype(np.int32))


def _empty() -> Detections:
    none = np.zeros(0)
    return Detections(none, none, none, none, none, none, none, np.zeros(0, np.int32))
