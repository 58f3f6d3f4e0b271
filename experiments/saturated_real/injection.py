"""Simulated stars put into a real frame with its own PSF, saturated and masked as its stars are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from filar.exposure import BoolImage, Exposure
from filar.instruments import write_sdss
from filar.psf.wings import WingedPSF
from filar.saturation.scene import Scene
from filar.saturation.windows import add, cut, distances
from filar.simulate.bleeding import bleed

FloatArray = NDArray[np.float64]
FAINTEST, BRIGHT, BRIGHTEST = -3.0, 3.0, 7.0
"""Magnitudes above saturation: of the faintest, of most, and of the few brightest stars."""
FEW = 0.02
WING_ERROR = 0.05
"""Relative: how far the wings of a simulated frame differ from those measured, at every radius."""
SHAPE_RADIUS = 8
MARGIN = 2
"""Pixels that the survey's mask of saturated pixels reaches beyond them."""
WIDE = 0.3
"""Part of the small blobs whose mask is wider along the rows."""
FULL = 0.98
UP = 0.55
"""Of the excess charge that goes to higher rows."""
EDGE = 12


@dataclass(frozen=True, eq=False)
class Injected:
    """Stars put into a frame.

    Parameters
    ----------
    exposure : Exposure
        The frame with them.
    x, y : (n,) float64 arrays
        Pixels.
    flux : (n,) float64 array
        Electrons, in units of the PSF fit.
    """

    exposure: Exposure
    x: FloatArray
    y: FloatArray
    flux: FloatArray


def shape_residual(scene: Scene, reliable: NDArray[np.bool_], count: int = 100) -> FloatArray:
    """What the stars of a frame have beyond its PSF, per unit flux: the median of bright ones.

    Parameters
    ----------
    scene : Scene
        The frame's stars, sky and PSF.
    reliable : (n,) bool array
        Unsaturated stars that are alone.
    count : int
        How many, at most.

    Returns
    -------
    (2 SHAPE_RADIUS + 1, 2 SHAPE_RADIUS + 1) float64 array
        Of a star in the middle.
    """
    half = SHAPE_RADIUS
    some = np.flatnonzero(reliable)
    some = some[np.argsort(-scene.flux[some], kind="stable")][:count]
    x, y, flux = scene.x[some], scene.y[some], scene.flux[some, None, None]
    rest = cut(scene.exposure.data - scene.sky - scene.light, x, y, half) / flux
    rest[cut(scene.spoilt, x, y, half, True)] = np.nan
    if not len(some):
        return np.zeros((2 * half + 1, 2 * half + 1))
    return np.asarray(np.nan_to_num(np.nanmedian(rest, axis=0)))


def inject(
    scene: Scene, shape: FloatArray, stars: int, seed: int, detected: FloatArray
) -> Injected:
    """Put stars into a frame: half of them anywhere, half where its stars are.

    Parameters
    ----------
    scene : Scene
        The frame.
    shape : (k, k) array
        Of `shape_residual`.
    stars : int
        How many.
    seed : int
        Of their places, light and noise.
    detected : (n, 2) array
        Places of its stars, pixels.

    Returns
    -------
    Injected
    """
    rng = np.random.default_rng(seed)
    exposure = scene.exposure
    x, y = _places(rng, exposure.shape, stars, detected)
    saturating = (exposure.saturation - float(np.median(scene.sky))) / scene.peak
    above = rng.uniform(FAINTEST, BRIGHT, stars)
    few = rng.random(stars) < FEW
    above[few] = rng.uniform(BRIGHT, BRIGHTEST, few.sum())
    flux = saturating * 10 ** (0.4 * above)
    light = _light(scene, _other_wings(scene.psf, rng), shape, x, y, flux)
    charge = exposure.data + rng.poisson(np.maximum(light, 0)).astype(float)
    held = bleed(charge, exposure.saturation, up=UP)
    saturated = exposure.saturated | _masked(held >= FULL * exposure.saturation, rng)
    data = interpolated(held, saturated)
    return Injected(
        exposure.replace(
            data=data.astype(np.float32), saturated=saturated, mask=exposure.mask & ~saturated,
        ), x, y, flux,
    )  # fmt: skip


def _places(
    rng: np.random.Generator, shape: tuple[int, int], stars: int, detected: FloatArray
) -> tuple[FloatArray, FloatArray]:
    ny, nx = shape
    anywhere = rng.uniform([EDGE, EDGE], [nx - EDGE, ny - EDGE], (stars, 2))
    near = detected[rng.integers(0, len(detected), stars)] + rng.normal(0, 15, (stars, 2))
    near = np.clip(near, EDGE, [nx - EDGE, ny - EDGE])
    places = np.where((np.arange(stars) % 2 == 0)[:, None], anywhere, near)
    return places[:, 0], places[:, 1]


def _other_wings(psf: WingedPSF, rng: np.random.Generator) -> WingedPSF:
    """The PSF with wings that are somewhat other than measured: smooth in radius."""
    bends = ndimage.gaussian_filter1d(rng.normal(size=len(psf.light)), 2.0, mode="nearest")
    bends *= WING_ERROR / max(float(np.std(bends)), 1e-9)
    return psf.with_light(psf.light * np.exp(bends))


def _light(
    scene: Scene, psf: WingedPSF, shape: FloatArray, x: FloatArray, y: FloatArray, flux: FloatArray
) -> FloatArray:
    """Electrons that the stars bring, without noise."""
    image = np.zeros(scene.exposure.shape)
    reach = scene.reach(flux)
    for half in np.unique(reach):
        some = np.flatnonzero(reach == half)
        for part in np.array_split(some, max(1, len(some) * (2 * half + 1) ** 2 // 1_000_000)):
            if len(part):
                stamps = psf.stamps(x[part], y[part], int(half)) * flux[part, None, None]
                add(image, stamps, x[part], y[part])
    for i in range(len(x)):
        moved = ndimage.shift(shape, (y[i] - np.rint(y[i]), x[i] - np.rint(x[i])), order=1)
        add(image, moved[None] * flux[i], x[i : i + 1], y[i : i + 1])
    return image


def _masked(full: BoolImage, rng: np.random.Generator) -> BoolImage:
    """Full pixels with the margin of the survey's mask."""
    square = np.ones((2 * MARGIN + 1, 2 * MARGIN + 1), bool)
    grown = ndimage.binary_dilation(full, square)
    labels, count = ndimage.label(full, np.ones((3, 3), bool))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    wide = (sizes <= 8) & (rng.random(count + 1) < WIDE)
    wide[0] = False
    wider = ndimage.binary_dilation(wide[labels], np.ones((2 * MARGIN + 1, 4 * MARGIN + 1), bool))
    return np.asarray(grown | wider)


def interpolated(data: FloatArray, saturated: BoolImage) -> FloatArray:
    """The image with saturated pixels replaced along their rows, as the survey does."""
    result = np.array(data, float)
    columns = np.arange(data.shape[1])
    for row in np.flatnonzero(saturated.any(axis=1)):
        bad = saturated[row]
        if not bad.all():
            result[row, bad] = np.interp(columns[bad], columns[~bad], result[row, ~bad])
    return result


def crowded(scene: Scene, flux: float) -> FloatArray:
    """Places of the frame's stars brighter than that: (n, 2), pixels."""
    bright = scene.flux > flux
    return np.stack([scene.x[bright], scene.y[bright]], axis=1)


def write_frames(
    scene: Scene, shape: FloatArray, folder: Path, frames: int, stars: int, seed: int
) -> tuple[list[Path], Path]:
    """Write simulated frames in the survey's layout, and the catalogue of what was put in.

    Every frame lies elsewhere in the sky, so that no star is in two. The frame's own stars are in
    them too but not in the catalogue.

    Parameters
    ----------
    scene, shape, seed
        As for `inject`; the seed of the first frame.
    folder : Path
        Where to.
    frames, stars : int
        How many, and how many in each.

    Returns
    -------
    list of Path, Path
        The frames and the catalogue.
    """
    from astropy.table import QTable, vstack

    folder.mkdir(parents=True, exist_ok=True)
    exposure = scene.exposure
    assert exposure.wcs is not None
    detected = crowded(scene, 3e4)
    paths, tables = [], []
    for number in range(1, frames + 1):
        made = inject(scene, shape, stars, seed + number, detected)
        wcs = exposure.wcs.deepcopy()
        wcs.wcs.crval = wcs.wcs.crval + np.array([2.0 * number, 0.0])
        path = folder / f"frame-r-002583-2-{number:04d}.fits"
        write_sdss(made.exposure.replace(wcs=wcs), path)
        paths.append(path)
        tables.append(_rows(made, wcs, number, stars, exposure.meta["ab_zeropoint"]))
    catalog = folder / "stars.ecsv"
    QTable(vstack(tables)).write(catalog, overwrite=True)
    return paths, catalog


def _rows(made: Injected, wcs: Any, number: int, stars: int, zero: float) -> Any:
    from astropy.table import Table

    ra, dec = wcs.all_pix2world(made.x, made.y, 0)
    return Table({
        "id": number * 100_000 + np.arange(stars), "ra": ra, "dec": dec,
        "mag": zero - 2.5 * np.log10(made.flux), "frame": np.full(stars, number),
        "x": made.x, "y": made.y, "above": np.zeros(stars),
    })  # fmt: skip


def half_width(scene: Scene) -> float:
    """Radius at which the PSF has fallen to half of its peak, pixels."""
    ny, nx = scene.exposure.shape
    x, y = np.array([nx // 2]), np.array([ny // 2])
    stamp, r = scene.psf.stamps(x, y, 6)[0], distances(x, y, 6)[0]
    order = np.argsort(r.ravel(), kind="stable")
    return float(np.interp(-0.5 * scene.peak, -stamp.ravel()[order], r.ravel()[order]))
