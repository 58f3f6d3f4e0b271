"""Stamps of simulated stars with perfect labels, for networks that shall know many PSFs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from os import PathLike

import numpy as np
from numpy.typing import NDArray

from filar.centering.ensemble import RANGES, PSFRanges, draw_state
from filar.psf.model import FieldGrid, FieldPSF
from filar.psf.samples import PSFSamples, sample_psf
from filar.stamps.cut import corner
from filar.stamps.labels import Labels
from filar.stamps.split import split_by_star
from filar.stamps.stamps import Group, Stamps
from filar.stamps.store import StampStore
from filar.stamps.writer import StampWriter

FloatArray = NDArray[np.float64]
MARGIN = 60  # pixels at the chip's edge without stars: vignetted
FULL = 28_000.0  # electrons in a pixel at which WFPC2's converter is full, gain 7


@dataclass(frozen=True)
class StampDraw:
    """What the simulated stars and their surroundings are like.

    Parameters
    ----------
    size : int
        Side of the rasters, pixels.
    flux : (float, float)
        Electrons, drawn evenly in the logarithm.
    sky : (float, float)
        Electrons per pixel, the same.
    read_noise : (float, float)
        Electrons.
    sky_error : float
        Of the sky that the network is told, electrons.
    start_error : float
        Of the start positions at high signal, pixels.
    neighbours, cosmic_rays, bad_pixels : float
        Part of the rasters that have a star too many, a hit, a few bad pixels.
    """

    size: int = 6
    flux: tuple[float, float] = (300.0, 250_000.0)
    sky: tuple[float, float] = (2.0, 300.0)
    read_noise: tuple[float, float] = (5.0, 8.5)
    sky_error: float = 0.3
    start_error: float = 0.03
    neighbours: float = 0.15
    cosmic_rays: float = 0.02
    bad_pixels: float = 0.03


DRAW = StampDraw()


def simulate_store(
    path: str | PathLike[str],
    chips: Sequence[str],
    filter_name: str,
    *,
    psfs: int,
    stars: int,
    seed: int,
    draw: StampDraw = DRAW,
    ranges: PSFRanges = RANGES,
    fit_errors: NDArray[np.float32] | None = None,
    progress: Callable[[float, str], None] | None = None,
    overwrite: bool = False,
) -> StampStore:
    """Write a set of stamps, a PSF after the other.

    Parameters
    ----------
    path : path-like
        The folder to write.
    chips, filter_name
        See `draw_state`.
    psfs, stars : int
        How many PSFs, each at one place of a chip, and how many stars with each.
    seed : int
        The same seed gives the same stamps.
    draw, ranges
        What to draw from.
    fit_errors : (n, samples, samples) array, optional
        Fitted minus true PSFs, see `filar.psf.samples`, as far out as rasters need or farther: one
        at random is added to each PSF that the network is told, at random strength and sign.
    progress : callable, optional
        Called with the part that is done and a text.
    overwrite : bool
        Whether another set of stamps of this name is replaced.

    Returns
    -------
    StampStore
        PSFs, not stars, are divided into the three parts.
    """
    rng = np.random.default_rng(seed)
    parts = split_by_star(np.arange(psfs), (0.85, 0.05, 0.10), seed)
    meta = {"chips": list(chips), "filter": filter_name, "psfs": psfs, "stars": stars, "seed": seed}
    with StampWriter(path, draw.size, meta, overwrite=overwrite) as writer:
        for number in range(psfs):
            chip, state = draw_state(chips, filter_name, rng, ranges=ranges)
            place = rng.uniform(MARGIN, 800 - MARGIN, 2)
            psf = state.psf(FieldGrid((place[0],), (place[1],)))
            told = sample_psf(psf, draw.size / 2 + 1)
            if fit_errors is not None:
                told = misjudged(told, fit_errors, rng)
            group = Group(f"simulated_{number:05d}", chip, filter_name, "WFPC2", (800, 800), told)
            stamps, labels = simulate_stamps(psf, group, place, stars, rng, draw)
            part = np.full(len(labels), parts[number], np.uint8)
            star = number * stars + labels.star
            writer.append(stamps, replace(labels, part=part, star=star))
            if progress is not None and number % 50 == 0:
                progress(number / psfs, f"{number} of {psfs} PSFs")
    return StampStore.open(path)


def misjudged(
    samples: PSFSamples, fit_errors: NDArray[np.float32], rng: np.random.Generator
) -> PSFSamples:
    """A PSF as a fit might have found it."""
    spare = (fit_errors.shape[1] - samples.values.shape[1]) // 2
    inner = slice(spare, fit_errors.shape[1] - spare)
    error = fit_errors[int(rng.integers(len(fit_errors))), inner, inner] * rng.normal()
    return PSFSamples(samples.values + error, samples.nodes, samples.radius, samples.step)


def simulate_stamps(
    psf: FieldPSF,
    group: Group,
    place: FloatArray,
    count: int,
    rng: np.random.Generator,
    draw: StampDraw = DRAW,
) -> tuple[Stamps, Labels]:
    """Simulate stars with the PSF of one place.

    Parameters
    ----------
    psf : FieldPSF
        The true PSF.
    group : Group
        With the PSF that the network is told.
    place : (2,) array
        Where on the chip, pixels (x, y); the stars lie within a few pixels of it.
    count : int
        Number of stars.
    rng : numpy.random.Generator
        Source of randomness.
    draw : StampDraw
        What they are like.

    Returns
    -------
    stamps : Stamps
    labels : Labels
        With errors of 0.
    """
    size = draw.size
    x, y = (np.floor(p) + rng.uniform(0, 1, count) for p in place)
    flux, sky = (
        np.exp(rng.uniform(np.log(low), np.log(high), count)) for low, high in (draw.flux, draw.sky)
    )
    read_noise = rng.uniform(*draw.read_noise, count)
    # the classic fits around which rasters are laid, a PSF off by a little
    blur = draw.start_error + 0.7 * np.sqrt(flux + 16 * (sky + read_noise**2)) / flux
    start = [p + rng.normal(size=count) * np.minimum(blur, 0.3) for p in (x, y)]
    corner_x, corner_y = (corner(p, size) for p in start)
    light = _images(psf, x, y, corner_x, corner_y, size) * flux[:, None, None]
    light += _neighbours(psf, x, y, flux, corner_x, corner_y, rng, draw)
    expected = np.maximum(light, 0) + sky[:, None, None]
    pixels = rng.poisson(expected) + rng.normal(size=light.shape) * read_noise[:, None, None]
    pixels += _cosmic_rays(count, size, rng, draw)
    bad = (pixels > FULL) | _bad_pixels(count, size, rng, draw)
    bright = flux * (1 + rng.normal(size=count) * 0.01)
    stamps = Stamps(
        pixels=np.where(bad, 0, pixels).astype(np.float32), bad=bad,
        corner_x=corner_x.astype(np.int32), corner_y=corner_y.astype(np.int32),
        x_start=start[0], y_start=start[1], flux=bright.astype(np.float32),
        sky=(sky + rng.normal(size=count) * draw.sky_error).astype(np.float32),
        read_noise=read_noise.astype(np.float32),
        mag=(-2.5 * np.log10(bright)).astype(np.float32),
        group=np.zeros(count, np.int32), groups=(group,),
    )  # fmt: skip
    keep = bad.sum(axis=(1, 2)) <= size  # saturated stars are another job's
    labels = Labels.build(x - corner_x, y - corner_y, star=np.arange(count), x_err=np.zeros(count),
                          y_err=np.zeros(count))  # fmt: skip
    return stamps[keep], labels[keep]


def _images(
    psf: FieldPSF, x: FloatArray, y: FloatArray, corner_x: NDArray[np.int64],
    corner_y: NDArray[np.int64], size: int,
) -> FloatArray:  # fmt: skip
    """Unit-flux images in rasters that the stars may lie outside of: (n, size, size)."""
    reach = size + 8
    box = 2 * reach + 1
    whole = psf.stamps(x, y, box)
    span = np.arange(size)
    rows = (corner_y - np.rint(y).astype(int) + reach)[:, None] + span
    columns = (corner_x - np.rint(x).astype(int) + reach)[:, None] + span
    inside = ((rows >= 0) & (rows < box))[:, :, None] & ((columns >= 0) & (columns < box))[:, None]
    rows, columns = np.clip(rows, 0, box - 1), np.clip(columns, 0, box - 1)
    cut = whole[np.arange(len(x))[:, None, None], rows[:, :, None], columns[:, None, :]]
    return np.where(inside, cut, 0.0)


def _neighbours(
    psf: FieldPSF, x: FloatArray, y: FloatArray, flux: FloatArray, corner_x: NDArray[np.int64],
    corner_y: NDArray[np.int64], rng: np.random.Generator, draw: StampDraw,
) -> FloatArray:  # fmt: skip
    """Light of stars that were not taken off: faint ones, or brighter ones farther off."""
    light = np.zeros((len(x), draw.size, draw.size))
    hit = np.flatnonzero(rng.random(len(x)) < draw.neighbours)
    distance, angle = 1.0 + 5 * np.sqrt(rng.random(len(hit))), rng.uniform(0, 2 * np.pi, len(hit))
    share = 10 ** rng.uniform(-3, -1.2, len(hit)) * np.minimum(distance / 4, 1) ** 2
    beside = x[hit] + distance * np.cos(angle), y[hit] + distance * np.sin(angle)
    images = _images(psf, *beside, corner_x[hit], corner_y[hit], draw.size)
    light[hit] = images * (share * flux[hit])[:, None, None]
    return light


def _cosmic_rays(count: int, size: int, rng: np.random.Generator, draw: StampDraw) -> FloatArray:
    """Electrons of hits: one pixel, and some of its neighbours."""
    charge = np.zeros((count, size, size))
    for star in np.flatnonzero(rng.random(count) < draw.cosmic_rays):
        row, column = rng.integers(size, size=2)
        for _ in range(int(rng.integers(1, 4))):
            charge[star, row, column] += 10 ** rng.uniform(1.7, 4.0)
            step_y, step_x = rng.integers(-1, 2, 2)
            row, column = np.clip([row + step_y, column + step_x], 0, size - 1)
    return charge


def _bad_pixels(
    count: int, size: int, rng: np.random.Generator, draw: StampDraw
) -> NDArray[np.bool_]:
    """A few bad pixels here and there."""
    bad = np.zeros((count, size, size), bool)
    for star in np.flatnonzero(rng.random(count) < draw.bad_pixels):
        rows, columns = rng.integers(size, size=(2, int(rng.integers(1, 4))))
        bad[star, rows, columns] = True
    return bad
