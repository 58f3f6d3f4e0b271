"""Patches of a chip side by side in one image, which is then treated like any exposure.

Each patch is what the chip holds around one artificial star. Detection and fit run on the mosaic as
they run on a chip; only the PSF must know where on the chip a patch comes from.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from filar.ground import Ground
from filar.psf.model import FieldGrid, FieldPSF, PhaseTable
from filar.psf.render import drawn_boxes, star_images

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Pixel = TypeVar("Pixel", bound=np.generic)

GAP = 3
"""Masked pixels between patches, so that saturated trails of two do not become one."""


@dataclass(frozen=True, eq=False)
class Patches:
    """Where n patches come from and where they lie in the mosaic.

    Parameters
    ----------
    left, bottom : (n,) int arrays
        First column and row of each patch on the chip; they may lie outside.
    size : int
        Odd number of pixels on a patch's side.
    """

    left: IntArray
    bottom: IntArray
    size: int
    _known: dict[tuple[int, int], tuple[IntArray, NDArray[np.bool_]]] = field(
        default_factory=dict, init=False, repr=False
    )

    @classmethod
    def around(cls, x: FloatArray, y: FloatArray, half: int) -> Patches:
        """Patches whose central pixel is the one nearest to (x, y)."""
        left, bottom = (np.rint(p).astype(np.int64) - half for p in (x, y))
        return cls(left, bottom, 2 * half + 1)

    def __len__(self) -> int:
        return len(self.left)

    @property
    def pitch(self) -> int:
        """Pixels from one patch to the next."""
        return self.size + GAP

    @property
    def columns(self) -> int:
        """Patches in a row of the mosaic."""
        return max(1, int(np.ceil(np.sqrt(len(self)))))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the mosaic."""
        rows = -(-len(self) // self.columns)
        return max(rows, 1) * self.pitch, self.columns * self.pitch

    @cached_property
    def shift(self) -> tuple[IntArray, IntArray]:
        """Mosaic minus chip coordinates of each patch, x and y."""
        row, column = np.divmod(np.arange(len(self)), self.columns)
        return column * self.pitch - self.left, row * self.pitch - self.bottom

    def patch_of(self, x: FloatArray, y: FloatArray) -> IntArray:
        """Patch that mosaic positions lie in; the nearest one for those in a gap."""
        last = self.shape[0] // self.pitch - 1
        column = np.clip(np.rint(x).astype(np.int64) // self.pitch, 0, self.columns - 1)
        row = np.clip(np.rint(y).astype(np.int64) // self.pitch, 0, last)
        return np.asarray(np.minimum(row * self.columns + column, len(self) - 1))

    def to_chip(self, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Positions on the chip of mosaic positions, pixels."""
        patch = self.patch_of(x, y)
        return x - self.shift[0][patch], y - self.shift[1][patch]

    def to_mosaic(
        self, patch: IntArray, x: FloatArray, y: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Positions in the mosaic of chip positions in given patches, pixels."""
        return x + self.shift[0][patch], y + self.shift[1][patch]

    def cut(self, image: NDArray[Pixel], outside: float | bool) -> NDArray[Pixel]:
        """Patches of an image of the chip: (n, size, size)."""
        flat, beyond = self._pixels_of(image.shape[0], image.shape[1])
        result = image.ravel().take(flat)
        if beyond.any():
            result[beyond] = outside
        return result

    def _pixels_of(self, ny: int, nx: int) -> tuple[IntArray, NDArray[np.bool_]]:
        """Flat indices of the pixels in an image of that shape, and which are beyond it."""
        if (ny, nx) not in self._known:
            span = np.arange(self.size)
            rows, columns = self.bottom[:, None] + span, self.left[:, None] + span
            out_y, out_x = (rows < 0) | (rows >= ny), (columns < 0) | (columns >= nx)
            rows, columns = np.clip(rows, 0, ny - 1), np.clip(columns, 0, nx - 1)
            flat = rows[:, :, None] * nx + columns[:, None, :]
            self._known[ny, nx] = flat, out_y[:, :, None] | out_x[:, None, :]
        return self._known[ny, nx]

    def join(self, stack: NDArray[Pixel], gap: float | bool) -> NDArray[Pixel]:
        """Put (n, size, size) patches side by side: an image of `shape`."""
        rows, columns = self.shape[0] // self.pitch, self.columns
        image = np.full((rows * columns, self.pitch, self.pitch), gap, stack.dtype)
        image[: len(self), : self.size, : self.size] = stack
        image = image.reshape(rows, columns, self.pitch, self.pitch).swapaxes(1, 2)
        return image.reshape(self.shape)

    def inner(self, half: int) -> NDArray[np.bool_]:
        """The middle of every patch, up to half pixels from its central one."""
        inside = np.abs(np.arange(self.pitch) - self.size // 2) <= half
        rows, columns = (np.tile(inside, n // self.pitch) for n in self.shape)
        return np.asarray(rows[:, None] & columns)

    def ground(self, ground: Ground) -> Ground:
        """What is known of the chip, for the mosaic."""
        sky, noise, smear = (
            self.join(self.cut(image, value), value)
            for image, value in (
                (ground.sky, float(np.nanmedian(ground.sky))),
                (ground.noise, float(np.nanmedian(ground.noise))),
                (ground.smear, 0.0),
            )
        )
        return replace(ground, sky=sky, noise=noise, smear=smear)

    def draw(self, psf: FieldPSF, x: FloatArray, y: FloatArray, flux: FloatArray) -> FloatArray:
        """Light of stars, each in its own patch alone.

        Parameters
        ----------
        psf : FieldPSF
            The mosaic's.
        x, y : (n,) arrays
            Mosaic positions, pixels.
        flux : (n,) array
            Electrons; negative ones take light away.

        Returns
        -------
        float array of `shape`
            Electrons.
        """
        image = np.zeros(self.shape[0] * self.shape[1])
        sizes = np.minimum(drawn_boxes(psf, np.abs(flux)), self.size)
        for size in np.unique(sizes):
            chosen = np.flatnonzero(sizes == size)
            stamps = star_images(psf, x[chosen], y[chosen], int(size)) * flux[chosen, None, None]
            flat, inside = self._pixels(x[chosen], y[chosen], int(size))
            image += np.bincount(flat[inside], stamps[inside], image.size)
        return image.reshape(self.shape)

    def _pixels(self, x: FloatArray, y: FloatArray, box: int) -> tuple[IntArray, NDArray[np.bool_]]:
        """Flat indices of the pixels of boxes, and which lie in the patch of the box's centre."""
        span = np.arange(-(box // 2), box // 2 + 1)
        patch = self.patch_of(x, y)
        row, column = np.divmod(patch, self.columns)
        rows = np.rint(y).astype(np.int64)[:, None] + span
        columns = np.rint(x).astype(np.int64)[:, None] + span
        in_y = (rows >= (row * self.pitch)[:, None]) & (
            rows < (row * self.pitch + self.size)[:, None]
        )
        in_x = (columns >= (column * self.pitch)[:, None]) & (
            columns < (column * self.pitch + self.size)[:, None]
        )
        flat = rows[:, :, None] * self.shape[1] + columns[:, None, :]
        return flat, in_y[:, :, None] & in_x[:, None, :]


@dataclass(frozen=True)
class _Nodes(FieldGrid):
    """The chip's field nodes, asked for mosaic positions."""

    patches: Patches | None = None

    def weights(self, x: FloatArray, y: FloatArray) -> FloatArray:
        assert self.patches is not None
        return super().weights(*self.patches.to_chip(np.asarray(x, float), np.asarray(y, float)))


@dataclass(frozen=True, eq=False)
class MosaicPSF(FieldPSF):
    """The chip's PSF in a mosaic of its patches.

    Parameters
    ----------
    patches : Patches
        The patches.
    chip : FieldPSF
        The chip's PSF; its tables are used, so that nothing is computed twice.
    """

    patches: Patches | None = None
    chip: FieldPSF | None = None

    @classmethod
    def of(cls, chip: FieldPSF, patches: Patches) -> MosaicPSF:
        """Make the PSF of a mosaic."""
        nodes = _Nodes(chip.nodes.x, chip.nodes.y, chip.nodes.kind, patches)
        return cls(chip.transforms, chip.grid, nodes, chip.name, chip.parameters, patches, chip)

    def table(self, box: int) -> PhaseTable:
        """See `FieldPSF.table`."""
        assert self.chip is not None
        return replace(self.chip.table(box), nodes=self.nodes)

    def stamps(self, x: FloatArray, y: FloatArray, box: int) -> FloatArray:
        """See `FieldPSF.stamps`."""
        assert self.chip is not None and self.patches is not None
        places = (np.atleast_1d(np.asarray(p, float)) for p in (x, y))
        return self.chip.stamps(*self.patches.to_chip(*places), box)

    def annulus_mean(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """See `FieldPSF.annulus_mean`."""
        assert self.chip is not None and self.patches is not None
        return self.chip.annulus_mean(*self.patches.to_chip(x, y))

    def thinned(self, count: int) -> FieldPSF:
        """See `FieldPSF.thinned`."""
        assert self.chip is not None and self.patches is not None
        thin = self.chip.thinned(count)
        return self if thin is self.chip else MosaicPSF.of(thin, self.patches)
