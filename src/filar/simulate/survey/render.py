"""Light of many stars on the pixels of one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.simulate.survey.optics import (
    AUREOLE_RADIUS,
    CORE_RADIUS,
    OVERSAMPLING,
    Lens,
    aureole_kernel,
    core_table,
)

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.intp]

NODES = 5
"""Places along each axis for which the core is computed; between them it is interpolated."""

RADII = (4, 6, 9, 14, 22)
"""Half sizes of the squares on which a core is drawn, pixels."""

DIM = 0.5
"""Electrons per pixel outside of its square that a star's core may lose."""

_BATCH = 2_000_000


@dataclass(frozen=True, eq=False)
class ImageOptics:
    """The lens's tables for one image.

    Parameters
    ----------
    shape : (int, int)
        Rows, columns.
    lens : Lens
        The lens.
    tables : (NODES, NODES, n, n) float64 array
        Spline coefficients of the core at places along rows and columns, see `core_table`.
    spread : (len(RADII),) array
        The brightest pixel outside of each square, for a core of 1.
    """

    shape: tuple[int, int]
    lens: Lens
    tables: FloatArray
    spread: FloatArray

    @classmethod
    def of(cls, lens: Lens, shape: tuple[int, int]) -> ImageOptics:
        """Compute the tables of a lens for an image of a shape."""
        half = 0.5 * np.hypot(*shape)
        rows, columns = (
            (np.linspace(0.0, size - 1.0, NODES) - 0.5 * (size - 1)) / half for size in shape
        )
        tables = np.array([[core_table(lens, u, v) for u in columns] for v in rows])
        n = tables.shape[-1]
        offset = np.abs(np.arange(n) - n // 2) / OVERSAMPLING
        far = np.maximum(offset[:, None], offset)
        brightest = tables.max(axis=(0, 1))
        spread = [brightest[far >= radius].max() for radius in RADII]
        return cls(shape, lens, tables, np.array(spread))

    def fwhm(self) -> float:
        """Width of the star images in the chip's middle as pixels see them, pixels."""
        middle = self.tables[NODES // 2, NODES // 2]
        half = np.count_nonzero(middle > 0.5 * middle.max())
        return float(2.0 * np.sqrt(half / np.pi) / OVERSAMPLING)


@dataclass(frozen=True, eq=False)
class Rendered:
    """Light of stars.

    Parameters
    ----------
    light : (ny, nx) float64 array
        Expected electrons of all stars.
    peak : (n,) float64 array
        Expected electrons of each star in its brightest pixel, on the chip or off it.
    """

    light: FloatArray
    peak: FloatArray


def render(optics: ImageOptics, x: FloatArray, y: FloatArray, electrons: FloatArray) -> Rendered:
    """Draw stars, cores and aureoles.

    Parameters
    ----------
    optics : ImageOptics
        Of the image.
    x, y : (n,) array
        Pixels; stars beyond the edges shine into the image.
    electrons : (n,) array
        Of the whole star image.

    Returns
    -------
    Rendered
    """
    lens = optics.lens
    light = _aureoles(optics, x, y, lens.aureole * electrons)
    cores = (1.0 - lens.aureole) * electrons
    peak = np.zeros(len(cores))
    outside = cores[:, None] * optics.spread
    choice = np.argmax(np.column_stack([outside[:, :-1] < DIM, np.ones(len(cores), bool)]), axis=1)
    for number, radius in enumerate(RADII):
        rows = np.flatnonzero(choice == number)
        count = max(_BATCH // (16 * (2 * radius + 1) ** 2), 1)
        for start in range(0, len(rows), count):
            some = rows[start : start + count]
            stamps = core_stamps(optics, x[some], y[some], radius) * cores[some, None, None]
            peak[some] = stamps.max(axis=(1, 2))
            _add(light, stamps, x[some], y[some])
    kernel = aureole_kernel(lens)
    peak += lens.aureole * electrons * kernel[AUREOLE_RADIUS, AUREOLE_RADIUS]
    return Rendered(light, peak)


def core_stamps(optics: ImageOptics, x: FloatArray, y: FloatArray, radius: int) -> FloatArray:
    """Cores of stars of 1, on squares about their nearest pixels.

    Parameters
    ----------
    optics : ImageOptics
        Of the image.
    x, y : (n,) array
        Pixels.
    radius : int
        Half size of the squares, at most `CORE_RADIUS` - 2.

    Returns
    -------
    (n, 2 radius + 1, 2 radius + 1) float64 array
    """
    rows, row_weights = _taps(y, radius)
    columns, column_weights = _taps(x, radius)
    low_y, part_y = _between(y, optics.shape[0])
    low_x, part_x = _between(x, optics.shape[1])
    size = 2 * radius + 1
    stamps = np.zeros((len(x), size, size))
    row_index = rows[:, :, :, None, None]
    column_index = columns[:, None, None, :, :]
    for step_y, weight_y in ((0, 1.0 - part_y), (1, part_y)):
        for step_x, weight_x in ((0, 1.0 - part_x), (1, part_x)):
            node_y = (low_y + step_y)[:, None, None, None, None]
            node_x = (low_x + step_x)[:, None, None, None, None]
            values = optics.tables[node_y, node_x, row_index, column_index]
            across = row_weights * (weight_y * weight_x)[:, None]
            stamps += np.einsum("niyjx,ni,nj->nyx", values, across, column_weights, optimize=True)
    return stamps


def _taps(place: FloatArray, radius: int) -> tuple[IntArray, FloatArray]:
    """Table indices (n, 4, 2 radius + 1) about each pixel, and their spline weights (n, 4)."""
    shift = (np.rint(place) - place) * OVERSAMPLING
    low = np.floor(shift)
    t = shift - low
    weights = np.stack(
        [(1 - t) ** 3, 4 - 6 * t**2 + 3 * t**3, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3], axis=1
    )
    pixels = (np.arange(-radius, radius + 1) + CORE_RADIUS) * OVERSAMPLING
    index = low.astype(np.intp)[:, None, None] + np.arange(-1, 3)[:, None] + pixels
    return index, weights / 6.0


def _between(place: FloatArray, size: int) -> tuple[IntArray, FloatArray]:
    """The node below each place, and the part of the way to the next."""
    scaled = np.clip(place / (size - 1.0), 0.0, 1.0) * (NODES - 1)
    low = np.minimum(scaled.astype(np.intp), NODES - 2)
    return low, scaled - low


def _add(light: FloatArray, stamps: FloatArray, x: FloatArray, y: FloatArray) -> None:
    """Add stamps to an image; what falls off its edges is lost."""
    ny, nx = light.shape
    offset = np.arange(stamps.shape[1]) - stamps.shape[1] // 2
    rows = np.rint(y).astype(np.intp)[:, None] + offset
    columns = np.rint(x).astype(np.intp)[:, None] + offset
    inside = ((rows >= 0) & (rows < ny))[:, :, None] & ((columns >= 0) & (columns < nx))[:, None]
    index = (rows[:, :, None] * nx + columns[:, None])[inside]
    light += np.bincount(index, stamps[inside], minlength=ny * nx).reshape(ny, nx)


def _aureoles(
    optics: ImageOptics, x: FloatArray, y: FloatArray, electrons: FloatArray
) -> FloatArray:
    """Aureoles of all stars by one convolution: they are too smooth to feel the pixels' phase."""
    from scipy import fft

    ny, nx = optics.shape
    margin = max(int(np.ceil(np.abs([x - 0.5 * nx, y - 0.5 * ny]).max(initial=0.0))), 0)
    margin = max(margin - min(nx, ny) // 2, 0) + 4
    shape = [fft.next_fast_len(n + 2 * margin + AUREOLE_RADIUS, real=True) for n in (ny, nx)]
    rows, row_weights = _spread_over_pixels(y + margin)
    columns, column_weights = _spread_over_pixels(x + margin)
    index = rows[:, :, None] * shape[1] + columns[:, None]
    weight = row_weights[:, :, None] * column_weights[:, None] * electrons[:, None, None]
    grid = np.bincount(index.ravel(), weight.ravel(), minlength=shape[0] * shape[1])
    kernel = np.zeros(shape)
    size = 2 * AUREOLE_RADIUS + 1
    kernel[:size, :size] = aureole_kernel(optics.lens)
    kernel = np.roll(kernel, (-AUREOLE_RADIUS, -AUREOLE_RADIUS), axis=(0, 1))
    # pixels blur by one box, the stars were spread by the spline of four boxes
    row_filter = np.sinc(fft.fftfreq(shape[0])) ** -3
    column_filter = np.sinc(fft.rfftfreq(shape[1])) ** -3
    spectrum = fft.rfft2(grid.reshape(shape)) * fft.rfft2(kernel)
    spectrum *= row_filter[:, None] * column_filter
    light: FloatArray = fft.irfft2(spectrum, s=shape)[margin : margin + ny, margin : margin + nx]
    return np.maximum(light, 0.0)


def _spread_over_pixels(place: FloatArray) -> tuple[IntArray, FloatArray]:
    """Pixels (n, 4) about each place and their cubic spline weights."""
    low = np.floor(place)
    t = place - low
    weights = np.stack(
        [(1 - t) ** 3, 4 - 6 * t**2 + 3 * t**3, 1 + 3 * t + 3 * t**2 - 3 * t**3, t**3], axis=1
    )
    return low.astype(np.intp)[:, None] + np.arange(-1, 3), weights / 6.0
