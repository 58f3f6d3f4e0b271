"""Cutting rasters around stars out of an exposure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.stamps.labels import Labels
from filar.stamps.stamps import SIZES, Group, IntArray, Stamps

if TYPE_CHECKING:
    from filar.psf.samples import PSFSamples


def corner(start: ArrayLike, size: int) -> IntArray:
    """First column (or row) of the rasters of stars: the star lies in the middle.

    Of an even number of pixels the star lies between the two middle ones' centres, of an odd
    number within the middle one.

    Parameters
    ----------
    start : (n,) array
        Start positions along one axis, pixels of the chip.
    size : int
        Side of the rasters, pixels.

    Returns
    -------
    (n,) int array
        Pixels of the chip.

    Raises
    ------
    ParameterError
        If a position is not finite.
    """
    start = np.asarray(start, np.float64)
    if not np.isfinite(start).all():
        number = int(np.count_nonzero(~np.isfinite(start)))
        raise ParameterError("start", f"{number} positions not finite", "finite positions")
    if size % 2:
        return np.asarray(np.floor(start + 0.5).astype(np.int64) - size // 2)
    return np.asarray(np.floor(start).astype(np.int64) - size // 2 + 1)


def cut_stamps(
    exposure: Exposure,
    x_start: ArrayLike,
    y_start: ArrayLike,
    size: int,
    *,
    flux: ArrayLike,
    sky: ArrayLike,
    others: NDArray[np.floating[Any]] | None = None,
    psf: PSFSamples | None = None,
    facts: dict[str, Any] | None = None,
) -> Stamps:
    """Cut the rasters of n stars.

    Parameters
    ----------
    exposure : Exposure
        One chip of one exposure.
    x_start, y_start : (n,) arrays
        Where the stars are, good to a pixel; pixels of the chip.
    size : int
        Side of the rasters, 4 to 12 pixels.
    flux, sky : (n,) arrays
        By the classic measurement: electrons, electrons per pixel.
    others : (n, size, size) array, optional
        Light to be taken off, electrons, see `filar.stamps.neighbours.neighbour_light`.
    psf : PSFSamples, optional
        The exposure's PSF, kept with the group.
    facts : dict, optional
        Plain values kept with the group.

    Returns
    -------
    Stamps

    Raises
    ------
    ParameterError
        If the size is none of these, a start position is not finite, or lengths differ.
    """
    if size not in SIZES:
        raise ParameterError("size", size, f"{SIZES[0]} to {SIZES[-1]} pixels")
    x, y = (np.asarray(a, np.float64) for a in (x_start, y_start))
    cx, cy = corner(x, size), corner(y, size)
    pixels = cut_image(exposure.data, cx, cy, size, 0.0).astype(np.float32)
    bad = cut_image(exposure.unusable, cx, cy, size, True) | ~np.isfinite(pixels)
    if others is not None:
        pixels = pixels - np.asarray(others, np.float32)
        bad |= ~np.isfinite(pixels)
    light = np.asarray(flux, np.float32)
    with np.errstate(invalid="ignore", divide="ignore"):
        mag = np.where(light > 0, -2.5 * np.log10(light), np.nan).astype(np.float32)
    group = Group(
        exposure.name, exposure.chip, exposure.filter, exposure.instrument, exposure.shape,
        psf, facts or {},
    )  # fmt: skip
    return Stamps(
        pixels=np.where(bad, np.float32(0), pixels),
        bad=bad,
        corner_x=cx.astype(np.int32),
        corner_y=cy.astype(np.int32),
        x_start=x,
        y_start=y,
        flux=light,
        sky=np.asarray(sky, np.float32),
        read_noise=np.full(len(x), exposure.read_noise, np.float32),
        mag=mag,
        group=np.zeros(len(x), np.int32),
        groups=(group,),
    )


def cut_image(
    image: NDArray[Any], corner_x: IntArray, corner_y: IntArray, size: int, outside: Any
) -> NDArray[Any]:
    """Cut rasters out of an image.

    Parameters
    ----------
    image : (ny, nx) array
    corner_x, corner_y : (n,) int arrays
        First column and row of each.
    size : int
        Side, pixels.
    outside : scalar
        Value beyond the image.

    Returns
    -------
    (n, size, size) array
    """
    span = np.arange(size)
    rows, columns = (corner_y[:, None] + span)[:, :, None], (corner_x[:, None] + span)[:, None, :]
    ny, nx = image.shape
    inside = (rows >= 0) & (rows < ny) & (columns >= 0) & (columns < nx)
    pixels = image[np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)]
    return np.where(inside, pixels, np.asarray(outside, image.dtype))


def crop(stamps: Stamps, labels: Labels, size: int) -> tuple[Stamps, Labels]:
    """Make smaller rasters of larger ones: the same as if they had been cut so.

    Parameters
    ----------
    stamps : Stamps
        Rasters of `size` pixels or more.
    labels : Labels
        One per stamp.
    size : int
        Side of the new rasters, pixels.

    Returns
    -------
    stamps : Stamps
        The groups, with PSFs that reach further than needed, stay as they are.
    labels : Labels
        In the new rasters' coordinates.

    Raises
    ------
    ParameterError
        If the size is none of 4 to 12 pixels, or larger than the rasters'.
    """
    if size not in SIZES or size > stamps.size:
        raise ParameterError("size", size, f"{SIZES[0]} to {stamps.size} pixels")
    cx, cy = corner(stamps.x_start, size), corner(stamps.y_start, size)
    left, low = cx - stamps.corner_x, cy - stamps.corner_y
    span, row = np.arange(size), np.arange(len(stamps))[:, None, None]
    at = row, (low[:, None] + span)[:, :, None], (left[:, None] + span)[:, None, :]
    moved = {
        name: getattr(labels, name) - (left if name[0] == "x" else low).astype(np.float32)
        for name in ("x", "y", "x_classic", "y_classic")
    }
    smaller = replace(
        stamps,
        pixels=stamps.pixels[at],
        bad=stamps.bad[at],
        corner_x=cx.astype(np.int32),
        corner_y=cy.astype(np.int32),
    )
    return smaller, replace(labels, **moved)
