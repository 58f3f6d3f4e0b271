"""An exposure's own unsaturated stars, scaled up until they saturate, put back into it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.instruments import write_wfpc2
from filar.saturation.chain import Stars
from filar.saturation.scene import Scene
from filar.saturation.windows import add, cut, distances
from filar.simulate.bleeding import bleed

FloatArray = NDArray[np.float64]
HALF = 9
"""Pixels to each side of a star that are taken along."""
FACTORS = (-1.5, 4.0)
"""Magnitudes above saturation of the stars that are put in."""
MOST_SOURCES = 20
MOST_OTHERS = (0.05, 0.5)
"""Light of neighbours, which is taken off, over the star's own: the second where the first leaves
too few stars."""
FEWEST_SOURCES = 5
CORE = 3.0
"""Radius without bad pixels; farther out the PSF stands in for them."""
APART = 30.0
"""Least distance between two of them, pixels."""
WELL_SPREAD = 0.03
"""Relative: full wells of columns differ."""
UP = (0.15, 0.85)
"""Part of the excess charge that goes to higher rows: which way it prefers is not known."""
EDGE = 14


@dataclass(frozen=True, eq=False)
class Sources:
    """Images of real stars.

    Parameters
    ----------
    stamps : (n, 2 HALF + 1, 2 HALF + 1) float64 array
        Light per unit of the PSF fit's flux, without sky and neighbours.
    dx, dy : (n,) float64 arrays
        Of the star from the middle of its stamp, pixels.
    """

    stamps: FloatArray
    dx: FloatArray
    dy: FloatArray


def real_stars(scene: Scene, stars: Stars) -> Sources:
    """Cut the brightest unsaturated stars that stand alone."""
    exposure = scene.exposure
    ny, nx = exposure.shape
    inside = (scene.x > EDGE) & (scene.x < nx - EDGE) & (scene.y > EDGE) & (scene.y < ny - EDGE)
    some = np.flatnonzero(~stars.saturated & (scene.flux > 0) & inside)
    some = some[np.argsort(-scene.flux[some], kind="stable")][: 6 * MOST_SOURCES]
    x, y, flux = scene.x[some], scene.y[some], scene.flux[some]
    own = scene.psf.stamps(x, y, HALF) * flux[:, None, None]
    others = np.maximum(cut(scene.light, x, y, HALF) - own, 0)
    bad = cut(scene.spoilt | exposure.edge, x, y, HALF, True)
    whole = ~(bad & (distances(x, y, HALF) < CORE)).any(axis=(1, 2))
    for most in MOST_OTHERS:
        best = np.flatnonzero(whole & (others.sum(axis=(1, 2)) < most * flux))[:MOST_SOURCES]
        if len(best) >= FEWEST_SOURCES:
            break
    light = cut(exposure.data - scene.sky, x[best], y[best], HALF) - others[best]
    light = np.maximum(np.where(bad[best], own[best], light), 0)
    # Single fits may be off where the PSF is; only their mean tells its system.
    total = light.sum(axis=(1, 2))
    stamps = light / (total * np.median(flux[best] / total))[:, None, None]
    return Sources(stamps, x[best] - np.rint(x[best]), y[best] - np.rint(y[best]))


def scaled_exposure(
    exposure: Exposure, scene: Scene, sources: Sources, full_well: float, stars: int, seed: int
) -> tuple[Exposure, FloatArray, FloatArray, FloatArray]:
    """Put scaled stars into an exposure; charge bleeds along the columns and is conserved.

    Parameters
    ----------
    exposure : Exposure
        Where to.
    scene : Scene
        Its sky.
    sources : Sources
        Of `real_stars`.
    full_well : float
        What a pixel holds, electrons; where the converter gives less, it clips.
    stars : int
        How many.
    seed : int
        Of places, scales and noise.

    Returns
    -------
    Exposure, x, y, flux
        The exposure with them, where they are, and their light in units of the PSF fit.
    """
    rng = np.random.default_rng(seed)
    ny, nx = exposure.shape
    x0 = rng.integers(EDGE, nx - EDGE, 8 * stars).astype(float)
    y0 = rng.integers(EDGE, ny - EDGE, 8 * stars).astype(float)
    near = cut(exposure.saturated | exposure.edge, x0, y0, HALF, True).any(axis=(1, 2))
    keep = _apart(x0, y0, np.flatnonzero(~near))[:stars]
    x0, y0 = x0[keep], y0[keep]
    which = rng.integers(0, len(sources.stamps), len(keep))
    full = exposure.saturation - float(np.median(scene.sky))
    above = rng.uniform(*FACTORS, len(keep))
    flux = full / sources.stamps[which].max(axis=(1, 2)) * 10 ** (0.4 * above)
    light = np.zeros(exposure.shape)
    add(light, sources.stamps[which] * flux[:, None, None], x0, y0)
    noisy = rng.normal(light, np.sqrt(light))
    wells = full_well * (1 + rng.normal(0, WELL_SPREAD, nx))
    wells = np.maximum(wells, exposure.data.max(axis=0))
    held = bleed(np.maximum(exposure.data + noisy, 0), wells, up=rng.uniform(*UP))
    saturated = (held >= exposure.saturation) | exposure.saturated
    if full_well > 2 * exposure.saturation:
        held = np.minimum(held, np.maximum(exposure.saturation, exposure.data))
    made = exposure.replace(
        data=np.where(exposure.edge, 0, held).astype(np.float32), saturated=saturated, path=None
    )
    return made, x0 + sources.dx[which], y0 + sources.dy[which], flux


def _apart(x: FloatArray, y: FloatArray, some: NDArray[np.intp]) -> NDArray[np.intp]:
    """Those that are far from all that come before them."""
    kept: list[int] = []
    for i in some:
        if not kept or np.hypot(x[kept] - x[i], y[kept] - y[i]).min() >= APART:
            kept.append(int(i))
    return np.array(kept, np.intp)


def write_scaled(
    scene: Scene,
    stars: Stars,
    folder: Path,
    *,
    full_well: float,
    frames: int,
    number: int,
    seed: int,
) -> tuple[list[Path], Path]:
    """Write such exposures, each elsewhere in the sky, and the catalogue of what was put in.

    Parameters
    ----------
    scene : Scene
        The exposure, its sky and stars.
    stars : Stars
        The same as they were fitted; reliable ones are in the catalogue too, for the zero point.
    folder : Path
        Where to.
    full_well : float
        Electrons.
    frames, number : int
        How many exposures, and how many stars are put into each.
    seed : int
        Of the first.

    Returns
    -------
    list of Path, Path
        The exposures and the catalogue.
    """
    from astropy.table import QTable, Table, vstack

    folder.mkdir(parents=True, exist_ok=True)
    exposure = scene.exposure
    sources = real_stars(scene, stars)
    assert exposure.wcs is not None
    own = np.flatnonzero(stars.reliable & (stars.flux > 0))
    paths, tables = [], []
    for k in range(1, frames + 1):
        made, x, y, flux = scaled_exposure(exposure, scene, sources, full_well, number, seed + k)
        wcs = exposure.wcs.deepcopy()
        wcs.wcs.crval = wcs.wcs.crval + np.array([3.0 * k, 0.0])
        paths.append(_write(made.replace(wcs=wcs), folder / f"scaled{k:03d}"))
        x, y = np.append(x, stars.x[own]), np.append(y, stars.y[own])
        flux = np.append(flux, stars.flux[own])
        ra, dec = wcs.all_pix2world(x, y, 0)
        rows = {"id": k * 10_000 + np.arange(len(x)), "ra": ra, "dec": dec}
        tables.append(Table(rows | {"mag": 25 - 2.5 * np.log10(flux)}))
    catalog = folder / "stars.ecsv"
    QTable(vstack(tables)).write(catalog, overwrite=True)
    return paths, catalog


def _write(exposure: Exposure, stem: Path) -> Path:
    """In the camera's layout if there is one to write, otherwise as a plain image."""
    from astropy.io import fits

    if exposure.instrument == "WFPC2":
        return write_wfpc2([exposure], stem.with_name(f"{stem.name}_c0m.fits"))[0]
    assert exposure.wcs is not None
    header = exposure.wcs.to_header(relax=True)
    header.update({
        "INSTRUME": exposure.instrument, "BUNIT": "electrons", "GAIN": 1.0,
        "RDNOISE": exposure.read_noise, "SATURATE": exposure.saturation,
        "EXPTIME": exposure.exposure_time,
    })  # fmt: skip
    data = np.where(exposure.edge, np.nan, exposure.data).astype(np.float32)
    path = stem.with_suffix(".fits")
    fits.PrimaryHDU(data, header).writeto(path, overwrite=True)
    return path
