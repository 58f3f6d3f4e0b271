"""A chunk of artificial stars: drawn, put into all images of a field, and looked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.asts.field import Field
from filar.asts.recover import recover, star_light
from filar.asts.settings import ASTSettings, draw_magnitudes
from filar.asts.surroundings import covariates
from filar.errors import InputFileError, ParameterError

FloatArray = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]

CHUNK = 2048
"""Stars drawn from one stream of random numbers and measured in one mosaic."""
_SMOOTH = 40.0  # pixels over which the density of real stars is taken


def place_weights(field: Field, places: str | Path | FloatArray) -> FloatArray:
    """Weight of every pixel of the first image to get an artificial star.

    Parameters
    ----------
    field : Field
        The field.
    places : {"uniform", "stars"}, path or (ny, nx) array
        See `ASTSettings`.

    Returns
    -------
    (ny, nx) array
        0 outside of the field of view of any image.

    Raises
    ------
    ParameterError
        If a map has another shape than the image, is negative, or leaves no place for a star.
    InputFileError
        If a map cannot be read.
    """
    allowed = field.allowed()
    if isinstance(places, str) and places == "uniform":
        weight = np.ones(allowed.shape)
    elif isinstance(places, str) and places == "stars":
        weight = _density(field)
    else:
        weight = places if isinstance(places, np.ndarray) else _read_map(Path(places))
        if weight.shape != allowed.shape:
            shape = f"the first image's shape {allowed.shape}"
            raise ParameterError("positions", f"a map of shape {weight.shape}", shape)
        if np.nanmin(weight) < 0:
            raise ParameterError("positions", "a map with negative weights", "0 or more")
    weight = np.where(allowed, np.nan_to_num(weight), 0.0)
    if not weight.sum() > 0:
        found = "no pixel that all images see and that has a weight"
        raise ParameterError("positions", found, "overlapping images, a map of positive weights")
    return np.asarray(weight)


def _density(field: Field) -> FloatArray:
    from scipy.ndimage import gaussian_filter

    shape = field.bands[0].exposure.shape
    stars = field.bands[0].stars
    good = stars.passing(_no_cuts())
    edges = [np.arange(n + 1) - 0.5 for n in shape]
    count, _, _ = np.histogram2d(stars.y[good], stars.x[good], bins=edges)
    return np.asarray(gaussian_filter(count, _SMOOTH, mode="nearest"))


def _no_cuts() -> Any:
    from filar.asts.cuts import Cuts

    return Cuts(min_snr=0.0)


def _read_map(path: Path) -> FloatArray:
    from astropy.io import fits

    try:
        data = fits.getdata(path)
    except (OSError, IndexError, TypeError) as error:
        raise InputFileError(path, f"cannot be read: {error}", "a FITS image of weights") from error
    if data is None or data.ndim != 2:
        raise InputFileError(path, "no image of two dimensions", "a FITS image of weights")
    return np.asarray(data, float)


def draw_chunk(
    field: Field, weight: FloatArray, settings: ASTSettings, number: int, key: tuple[int, ...]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Draw artificial stars.

    Parameters
    ----------
    field : Field
        Where.
    weight : (ny, nx) array
        From `place_weights`.
    settings : ASTSettings
        Which.
    number : int
        How many.
    key : tuple of int
        Names the stream of random numbers, beside the seed.

    Returns
    -------
    x, y : (n,) arrays
        Pixels of the first image.
    mag : (n, b) array
    """
    rng = np.random.default_rng([settings.seed, *key])
    sums = np.cumsum(weight.ravel())
    pixel = np.searchsorted(sums, rng.random(number) * sums[-1], side="right")
    rows, columns = np.divmod(np.minimum(pixel, weight.size - 1), weight.shape[1])
    x = columns + rng.uniform(-0.5, 0.5, number)
    y = rows + rng.uniform(-0.5, 0.5, number)
    mag = [draw_magnitudes(number, settings.mag, settings.function, settings.beta, rng)]
    further = len(field.bands) - 1
    limits = settings.colors * further if len(settings.colors) == 1 else settings.colors
    mag += [mag[0] - rng.uniform(*limits[i], number) for i in range(further)]
    return x, y, np.stack(mag, axis=1)


def run_chunk(
    field: Field, weight: FloatArray, settings: ASTSettings, number: int, key: tuple[int, ...]
) -> Columns:
    """Draw artificial stars, put each alone into the images, and see what becomes of it.

    Parameters
    ----------
    field, weight, settings, number, key
        As in `draw_chunk`.

    Returns
    -------
    dict of str to (n,) array
        ``x, y``, for every band B ``mag_in_B, mag_out_B``, what was measured, ``recovered`` and the
        covariates.
    """
    x, y, mag = draw_chunk(field, weight, settings, number, key)
    columns: Columns = {"x": x, "y": y}
    places, added, noise, passed = [], [], [], []
    for i, (band, transform) in enumerate(zip(field.bands, field.from_first, strict=True)):
        at = transform(x, y)
        flux = band.flux(mag[:, i])
        rng = np.random.default_rng([settings.seed, *key, i + 1])
        light = star_light(band, *at, flux, rng)
        result = recover(band, *at, flux, light, match=settings.match, claims=settings.claims)
        good = result.found & result.stars.passing(settings.cuts)
        out = band.mag(result.stars.flux)
        columns |= {
            f"mag_in_{band.name}": mag[:, i],
            f"mag_out_{band.name}": np.where(good, out, np.nan),
            f"detected_{band.name}": result.found,
            f"mag_detected_{band.name}": out,
            f"x_out_{band.name}": result.stars.x,
            f"y_out_{band.name}": result.stars.y,
            f"snr_{band.name}": result.stars.snr,
            f"qfit_{band.name}": result.stars.qfit,
            f"flags_{band.name}": result.stars.flags,
        }
        places.append(at)
        added.append(flux)
        noise.append(result.sky_noise)
        passed.append(good & np.isfinite(out))
    columns["recovered"] = settings.cuts.recovered(np.stack(passed, axis=1))
    around = covariates(field.bands, field.surroundings, places, added=added, noise=noise)
    return columns | dict(around)
