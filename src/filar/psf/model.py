"""A PSF that varies over the field, and its fast evaluation at many stars.

`FieldPSF` holds transforms at the nodes of a rectangular grid over the chip. `PhaseTable` is the
same PSF prepared for one box size: every pixel of the box as a Chebyshev series in the star's
sub-pixel position, which converges as fast as the transform falls off,
so that a whole catalogue is a few matrix products.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.psf.fourier import FrequencyGrid, values
from filar.threads import one_blas_thread

FloatArray = NDArray[np.float64]
PHASE_RANGE = 0.75  # a star may wander this far from the centre of its box
NEGLIGIBLE = 3e-5  # of the light: where the transform ends, for the degree of the series
BATCH = 1024
BLOCK = 128  # rows of one product
ANNULUS = (7.0, 12.0)  # radii of the sky annulus, pixels


@dataclass(frozen=True)
class FieldGrid:
    """Nodes over a chip, and how to go between them.

    Parameters
    ----------
    x, y : tuple of float
        Node positions, pixels, ascending.
    kind : {"polynomial", "linear"}
        Lagrange polynomials through all nodes, or linear between neighbours and constant outside.
    """

    x: tuple[float, ...]
    y: tuple[float, ...]
    kind: Literal["polynomial", "linear"] = "polynomial"

    @classmethod
    def chebyshev(cls, shape: tuple[int, int], count: int) -> Self:
        """Polynomial nodes that keep the interpolation error even over an image of this shape."""
        t = np.sort(np.cos(np.pi * (np.arange(count) + 0.5) / count))
        ny, nx = shape
        return cls(tuple((t + 1) / 2 * nx - 0.5), tuple((t + 1) / 2 * ny - 0.5), "polynomial")

    @property
    def points(self) -> list[tuple[float, float]]:
        """All nodes as (x, y), x varying fastest."""
        return [(x, y) for y in self.y for x in self.x]

    def weights(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Weight of every node for stars at (x, y): shape (n, nodes)."""
        wx, wy = self._axis(np.asarray(x, float), self.x), self._axis(np.asarray(y, float), self.y)
        return (wy[:, :, None] * wx[:, None, :]).reshape(len(wx), wy.shape[1] * wx.shape[1])

    def _axis(self, positions: FloatArray, nodes: tuple[float, ...]) -> FloatArray:
        knots = np.array(nodes)
        if len(knots) == 1:
            return np.ones((len(positions), 1))
        if self.kind == "linear":
            p = np.clip(positions, knots[0], knots[-1])
            unit = np.eye(len(knots))
            return np.stack([np.interp(p, knots, u) for u in unit], axis=1)
        columns = []
        for k, knot in enumerate(knots):
            others = np.delete(knots, k)
            columns.append(np.prod((positions[:, None] - others) / (knot - others), axis=1))
        return np.stack(columns, axis=1)


@dataclass(frozen=True, eq=False)
class PhaseTable:
    """A field-varying PSF over a fixed box as Chebyshev series in the sub-pixel position.

    Parameters
    ----------
    box : int
        Odd size of the box.
    nodes : FieldGrid
        Field nodes.
    coefficients : (nodes, box * box * degree * degree) float array
        Chebyshev coefficients, ``[node][pixel y, pixel x, order y, order x]`` flattened.
    degree : int
        Number of orders in each axis.
    """

    box: int
    nodes: FieldGrid
    coefficients: NDArray[np.floating[Any]]
    degree: int

    def local(self, x: FloatArray, y: FloatArray) -> NDArray[np.floating[Any]]:
        """Series for stars at (x, y), to be evaluated at their phases again and again.

        Returns
        -------
        (n, box * box * degree, degree) array
        """
        d = self.degree
        weights = self.nodes.weights(x, y).astype(self.coefficients.dtype)
        series = _rows_alike(weights, self.coefficients)
        return series.reshape(len(weights), self.box**2 * d, d)

    def evaluate(
        self, local: NDArray[np.floating[Any]], px: FloatArray, py: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """PSF and its derivatives by the star's position.

        Parameters
        ----------
        local : array
            From `local`.
        px, py : (n,) array
            Star position minus the centre of its box, pixels.

        Returns
        -------
        value, by_x, by_y : (n, box * box) arrays
        """
        n, d = len(px), self.degree
        tx, dtx = chebyshev(px, d)
        ty, dty = chebyshev(py, d)
        both = np.stack([tx, dtx], axis=2).astype(local.dtype)
        along_x = (local @ both).reshape(n, self.box**2, d, 2)
        row = np.stack([ty, dty], axis=1)[:, None].astype(local.dtype)
        table = row @ along_x
        return table[..., 0, 0], table[..., 0, 1], table[..., 1, 0]

    def values(self, x: FloatArray, y: FloatArray, px: FloatArray, py: FloatArray) -> FloatArray:
        """PSF alone of stars at (x, y) with these phases: (n, box * box).

        Field, rows and columns make one basis, so that no star needs a series of its own: large
        boxes would not fit the cache.
        """
        n, d = len(px), self.degree
        weights, tx, ty = (
            a.astype(np.float32)
            for a in (self.nodes.weights(x, y), chebyshev(px, d)[0], chebyshev(py, d)[0])
        )
        orders = (ty[:, :, None] * tx[:, None, :]).reshape(n, 1, d * d)
        product = _rows_alike((weights[:, :, None] * orders).reshape(n, -1), self._by_order)
        return np.asarray(product)

    @cached_property
    def _by_order(self) -> NDArray[np.floating[Any]]:
        """The coefficients as (nodes * degree * degree, box * box)."""
        by_pixel = self.coefficients.reshape(-1, self.box**2, self.degree**2)
        return np.ascontiguousarray(by_pixel.transpose(0, 2, 1)).reshape(-1, self.box**2)


def _rows_alike(
    rows: NDArray[np.floating[Any]], matrix: NDArray[np.floating[Any]]
) -> NDArray[np.floating[Any]]:
    """Product in which no row depends on how many others there are, to the last bit.

    BLAS takes other paths for small and large products and for rows left over from its blocks, and
    one bit decides whether a fit that goes to and fro is called converged.
    """
    n, k = rows.shape
    blocks = np.zeros((-(-n // BLOCK), BLOCK, k), rows.dtype)
    blocks.reshape(-1, k)[:n] = rows
    product: NDArray[np.floating[Any]] = blocks @ matrix
    return product.reshape(-1, matrix.shape[1])[:n]


def chebyshev(phase: FloatArray, degree: int) -> tuple[FloatArray, FloatArray]:
    """Chebyshev polynomials over the range of phases and their derivatives: (n, degree) each."""
    t = np.asarray(phase, float) / PHASE_RANGE
    value, slope = np.empty((len(t), degree)), np.zeros((len(t), degree))
    value[:, 0] = 1
    value[:, 1] = t
    slope[:, 1] = 1
    for k in range(2, degree):
        value[:, k] = 2 * t * value[:, k - 1] - value[:, k - 2]
        slope[:, k] = 2 * value[:, k - 1] + 2 * t * slope[:, k - 1] - slope[:, k - 2]
    return value, slope / PHASE_RANGE


def series_degree(transforms: NDArray[np.complexfloating], grid: FrequencyGrid) -> int:
    """Orders that a Chebyshev series needs to follow the highest frequency of a PSF.

    The coefficients of exp(2 pi i f t) fall off faster than exponentially once their order is
    past ``2 pi f PHASE_RANGE``.
    """
    strength = np.abs(transforms).max(axis=tuple(range(transforms.ndim - 2)))
    fy, fx = np.abs(grid.fy)[:, None], grid.fx[None, :]
    present = strength > NEGLIGIBLE * grid.period  # many small terms of random phase add up
    highest = max(np.max(np.where(present, fy, 0)), np.max(np.where(present, fx, 0)))
    return int(2 * np.pi * highest * PHASE_RANGE) + 5


def phase_series(
    transforms: NDArray[np.complexfloating], grid: FrequencyGrid, box: int, degree: int
) -> NDArray[np.float64]:
    """Chebyshev series of every pixel of a box.

    Parameters
    ----------
    transforms : (..., samples, samples // 2 + 1) complex array
        Transforms.
    grid : FrequencyGrid
        Their frequencies.
    box : int
        Odd box size.
    degree : int
        Number of orders in each axis, see `series_degree`.

    Returns
    -------
    (..., box * box * degree * degree) float array
    """
    d, half = degree, box // 2
    angles = np.pi * (np.arange(d) + 0.5) / d
    phases = PHASE_RANGE * np.cos(angles)
    offsets = (np.arange(-half, half + 1)[:, None] - phases).ravel()
    sampled = values(transforms, grid, offsets, offsets)
    to_series = 2 / d * np.cos(np.outer(angles, np.arange(d)))
    to_series[:, 0] /= 2
    to_series = to_series.astype(sampled.dtype)  # no finer than what it is applied to
    along_x = sampled.reshape(-1, d, box, d) @ to_series
    series = to_series.T @ along_x.reshape(-1, d, box * d)
    series = series.reshape(-1, box, d, box, d).swapaxes(2, 3)
    return np.asarray(series.reshape(*transforms.shape[:-2], -1))


@dataclass(frozen=True, eq=False)
class FieldPSF:
    """An effective PSF in Fourier space that varies over a chip.

    Parameters
    ----------
    transforms : (nodes, samples, samples // 2 + 1) complex64 array
        Transforms of the effective PSF, pixel integration included, at the nodes.
    grid : FrequencyGrid
        Their frequencies.
    nodes : FieldGrid
        Where on the chip.
    name : str
        What it is, for catalogues and reports.
    parameters : dict
        Facts about it, for catalogues and reports.
    """

    transforms: NDArray[np.complex64]
    grid: FrequencyGrid
    nodes: FieldGrid
    name: str = ""
    parameters: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expected = (len(self.nodes.x) * len(self.nodes.y), *self.grid.shape)
        if self.transforms.shape != expected:
            raise ParameterError("transforms", self.transforms.shape, f"the shape {expected}")
        object.__setattr__(self, "_tables", {})

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return replace(self, **changes)

    @one_blas_thread
    def table(self, box: int) -> PhaseTable:
        """Prepare the PSF for a box (kept for the next call).

        Raises
        ------
        ParameterError
            If the box is even or not positive.
        """
        if box < 1 or box % 2 == 0:
            raise ParameterError("box", box, "an odd number of pixels")
        tables: dict[int, PhaseTable] = self._tables  # type: ignore[attr-defined]
        if box not in tables:
            degree = series_degree(self.transforms, self.grid)
            series = phase_series(self.transforms, self.grid, box, degree)
            tables[box] = PhaseTable(box, self.nodes, series.astype(np.float32), degree)
        return tables[box]

    @one_blas_thread
    def stamps(self, x: FloatArray, y: FloatArray, box: int) -> FloatArray:
        """Images of stars of unit flux.

        Parameters
        ----------
        x, y : (n,) array
            Star positions, pixels.
        box : int
            Odd size of the stamps.

        Returns
        -------
        (n, box, box) float array
            ``[star, y, x]``; the centre is the pixel (rint(x), rint(y)).
        """
        x, y = np.atleast_1d(np.asarray(x, float)), np.atleast_1d(np.asarray(y, float))
        table = self.table(box)
        stamps = np.empty((len(x), box * box))
        for start in range(0, len(x), BATCH):
            part = slice(start, start + BATCH)
            px, py = x[part] - np.rint(x[part]), y[part] - np.rint(y[part])
            stamps[part] = table.values(x[part], y[part], px, py)
        return stamps.reshape(-1, box, box)

    def annulus_mean(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Mean of the unit-flux PSF of stars at (x, y) over their sky annulus: (n,)."""
        cache: dict[int, Any] = self._tables  # type: ignore[attr-defined]
        if 0 not in cache:
            half = int(ANNULUS[1])
            offsets = np.arange(-half, half + 1.0)
            stamps = values(self.transforms, self.grid, offsets, offsets)
            dy, dx = annulus_offsets(*ANNULUS)
            cache[0] = stamps[:, dy + half, dx + half].mean(axis=1)
        return np.asarray(np.einsum("ij,j->i", self.nodes.weights(x, y), cache[0]))

    def thinned(self, count: int) -> FieldPSF:
        """The same on fewer nodes: faster, where the last per mille of the peak does not matter.

        Parameters
        ----------
        count : int
            Chebyshev nodes per axis over the span of the present ones.

        Returns
        -------
        FieldPSF
            The PSF itself where it has no more nodes than that.
        """
        if len(self.nodes.x) * len(self.nodes.y) <= count * count:
            return self
        cache: dict[int, Any] = self._tables  # type: ignore[attr-defined]
        if -count not in cache:
            shape = (round(self.nodes.y[-1] + self.nodes.y[0]) + 1,
                     round(self.nodes.x[-1] + self.nodes.x[0]) + 1)  # fmt: skip
            nodes = FieldGrid.chebyshev(shape, count)
            weights = self.nodes.weights(*np.array(nodes.points).T).astype(np.float32)
            transforms = np.tensordot(weights, self.transforms, axes=1)
            # kept with its tables
            cache[-count] = self.replace(transforms=transforms, nodes=nodes)
        thin: FieldPSF = cache[-count]
        return thin

    def at(self, x: float, y: float) -> NDArray[np.complex64]:
        """Transform at one place of the chip."""
        weights = self.nodes.weights(np.array([x]), np.array([y]))[0]
        return np.asarray(np.tensordot(weights.astype(np.float32), self.transforms, axes=1))


def annulus_offsets(inner: float, outer: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns, relative to the centre, of the pixels between two radii."""
    span = np.arange(-int(outer), int(outer) + 1)
    dy, dx = np.meshgrid(span, span, indexing="ij")
    r = np.hypot(dy, dx)
    ring = (r >= inner) & (r <= outer)
    return dy[ring], dx[ring]
