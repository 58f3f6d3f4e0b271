"""Light of many stars on the pixels of one image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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

NODES = 7
"""Places along each axis for which the core is computed; between them it is interpolated."""

RADII = (4, 6, 9, 13, 18)
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
    phases : (NODES**2, OVERSAMPLING, OVERSAMPLING, m, m) float64 array
        Spline coefficients of the core, see `core_table`, at places row by row: every
        `OVERSAMPLING`-th point of a table, from each start along rows and columns.
    spread : (len(RADII),) array
        The brightest pixel outside of each square, for a core of 1.
    """

    shape: tuple[int, int]
    lens: Lens
    phases: FloatArray
    spread: FloatArray

    @classmethod
    def of(cls, lens: Lens, shape: tuple[int, int]) -> ImageOptics:
        """Compute the tables of a lens for an image of a shape."""
        half = 0.5 * np.hypot(*shape)
        rows, columns = (
            (np.linspace(0.0, size - 1.0, NODES) - 0.5 * (size - 1)) / half for size in shape
        )
        tables = np.array([core_table(lens, u, v) for v in rows for u in columns])
        n = tables.shape[-1]
        offset = np.abs(np.arange(n) - n // 2) / OVERSAMPLING
        far = np.maximum(offset[:, None], offset)
        brightest = tables.max(axis=0)
        spread = [brightest[far >= radius].max() for radius in RADII]
        m = n // OVERSAMPLING
        phases = tables.reshape(-1, m, OVERSAMPLING, m, OVERSAMPLING).transpose(0, 2, 4, 1, 3)
        return cls(shape, lens, np.ascontiguousarray(phases), np.array(spread))

    def fwhm(self) -> float:
        """Width of the star images in the chip's middle as pixels see them, pixels."""
        middle = self.phases[NODES**2 // 2]
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
        count = max(_BATCH // (64 * (2 * radius + 1) ** 2), 1)
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
    windows = sliding_window_view(optics.phases, (2 * radius + 1,) * 2, axis=(3, 4))
    phase_y, row, row_weights = _taps(y, radius)
    phase_x, column, column_weights = _taps(x, radius)
    low_y, part_y = _between(y, optics.shape[0])
    low_x, part_x = _between(x, optics.shape[1])
    corner = (low_y * NODES + low_x)[:, None] + np.array([0, 1, NODES, NODES + 1])
    nodes = np.einsum(
        "ni,nj->nij",
        np.stack([1.0 - part_y, part_y], axis=1),
        np.stack([1.0 - part_x, part_x], axis=1),
    )
    values = windows[
        corner[:, :, None, None],
        phase_y[:, None, :, None],
        phase_x[:, None, None, :],
        row[:, None, :, None],
        column[:, None, None, :],
    ]
    weights = np.einsum("na,ni,nj->naij", nodes.reshape(-1, 4), row_weights, column_weights)
    n, size = len(x), 2 * radius + 1
    stamps: FloatArray = weights.reshape(n, 1, 64) @ values.reshape(n, 64, size**2)
    return stamps.reshape(n, size, size)


def _taps(place: FloatArray, radius: int) -> tuple[IntArray, IntArray, FloatArray]:
    """Phase and first pixel of the four table points about each star's pixels, and weights."""
    shift = (np.rint(place) - place) * OVERSAMPLING
    low = np.floor(shift)
    index = low.astype(np.intp)[:, None] + np.arange(-1, 3)
    return index % OVERSAMPLING, index // OVERSAMPLING + CORE_RADIUS - radius, _spline(shift - low)


def _spline(t: FloatArray) -> FloatArray:
    """Cubic spline weights (n, 4) of the points at -1, 0, 1 and 2 for places t from 0 to 1."""
    near, far = 1.0 - t, t
    weights = [near**3, 4.0 - 6.0 * t**2 + 3.0 * t**3, 4.0 - 6.0 * near**2 + 3.0 * near**3, far**3]
    return np.stack(weights, axis=1) / 6.0


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
    np.add.at(light.reshape(-1), index, stamps[inside])


def _aureoles(
    optics: ImageOptics, x: FloatArray, y: FloatArray, electrons: FloatArray
) -> FloatArray:
    """Aureoles of all stars by one convolution: they are too smooth to feel the pixels' phase."""
    from scipy import fft

    ny, nx = optics.shape
    margin = max(int(np.ceil(np.abs([x - 0.5 * nx, y - 0.5 * ny]).max(initial=0.0))), 0)
    margin = max(margin - min(nx, ny) // 2, 0) + 4
    size = 2 * AUREOLE_RADIUS + 1
    needed = (max(n + 2 * margin + AUREOLE_RADIUS, size) for n in (ny, nx))
    shape = [fft.next_fast_len(n, real=True) for n in needed]
    rows, row_weights = _spread_over_pixels(y + margin)
    columns, column_weights = _spread_over_pixels(x + margin)
    index = rows[:, :, None] * shape[1] + columns[:, None]
    weight = row_weights[:, :, None] * column_weights[:, None] * electrons[:, None, None]
    grid = np.bincount(index.ravel(), weight.ravel(), minlength=shape[0] * shape[1])
    kernel = np.zeros(shape)
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
    return low.astype(np.intp)[:, None] + np.arange(-1, 3), _spline(place - low)
