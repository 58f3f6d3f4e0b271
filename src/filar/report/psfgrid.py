"""A picture of how a PSF changes over its chip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.psf.files import ChipPSF
from filar.psf.fourier import values
from filar.psf.model import FieldPSF

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]
PLACES = 5  # per axis
RADIUS = 6.0  # pixels shown around the star
FINE = 6  # samples per pixel of the oversampled view
FAINTEST = -5.0  # log10 of the fraction of the light


def psf_grid(chips: Sequence[ChipPSF]) -> Figure:
    """Draw PSFs at 5x5 places of their chips: oversampled, in pixels, and how they vary.

    Parameters
    ----------
    chips : sequence of ChipPSF
        A row of three panels each.

    Returns
    -------
    matplotlib Figure
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 4.9 * len(chips)), layout="constrained")
    for row, one in zip(figure.subplots(len(chips), 3, squeeze=False), chips, strict=True):
        fine, pixels = views(one.psf, one.shape)
        names = [one.instrument, one.chip, one.filter, f"({one.psf.name})" if one.psf.name else ""]
        nodes, peaks = one.psf.nodes, pixels.max(axis=(2, 3))
        _tiles(figure, row[0], np.log10(np.maximum(fine, 10**FAINTEST)), one, log=True)
        row[0].set_title(f"{' '.join(filter(None, names))}\noversampled {FINE} times", fontsize=10)
        _tiles(figure, row[1], np.log10(np.maximum(pixels, 10**FAINTEST)), one, log=True)
        row[1].set_title(
            f"pixels, star on a pixel's centre ({len(nodes.x)}x{len(nodes.y)} {nodes.kind} nodes)\n"
            f"brightest pixel {peaks.min():.3f} to {peaks.max():.3f} of the light",
            fontsize=10,
        )
        change = 100 * (fine - fine.mean(axis=(0, 1))) / fine.max()
        _tiles(figure, row[2], change, one, log=False)
        row[2].set_title(
            f"difference from the mean over the chip\nrms {np.std(change):.2f} %", fontsize=10
        )
    return figure


def views(psf: FieldPSF, shape: tuple[int, int]) -> tuple[FloatArray, FloatArray]:
    """PSFs at 5x5 places, `FINE` times oversampled and in pixels.

    Parameters
    ----------
    psf : FieldPSF
        The PSF.
    shape : (int, int)
        Rows and columns of the chip.

    Returns
    -------
    fine, pixels : (5, 5, n, n) arrays
        ``[place y, place x, y, x]``, fractions of the light per pixel.
    """
    y, x = (places(size) for size in shape)
    reach = min(RADIUS, psf.grid.period / 2 - 1)
    fine = np.arange(-round(reach * FINE), round(reach * FINE) + 1) / FINE
    pixels = np.arange(-int(reach), int(reach) + 1.0)
    at = np.array([psf.at(px, py) for py in y for px in x])
    both = []
    for offsets in (fine, pixels):
        stamps = values(at, psf.grid, offsets, offsets)
        both.append(stamps.reshape(PLACES, PLACES, len(offsets), len(offsets)))
    return both[0], both[1]


def places(size: int) -> FloatArray:
    """Where along an axis of the chip the PSF is drawn: (5,) pixels."""
    return (np.arange(PLACES) + 0.5) * size / PLACES - 0.5


def _tiles(figure: Figure, axis: Any, stamps: FloatArray, one: ChipPSF, log: bool) -> None:
    """Stamps side by side, on the axes of the chip."""
    ny, nx = one.shape
    side = stamps.shape[2]
    picture = stamps.transpose(0, 2, 1, 3).reshape(PLACES * side, PLACES * side)
    limit = max(float(np.abs(picture).max()), 1e-3)
    drawn = axis.imshow(
        picture,
        origin="lower",
        extent=(-0.5, nx - 0.5, -0.5, ny - 0.5),
        aspect="auto" if nx != ny else "equal",
        cmap="cividis" if log else "RdBu_r",
        vmin=FAINTEST if log else -limit,
        vmax=-0.3 if log else limit,
        interpolation="nearest",
    )
    axis.set_box_aspect(1)
    for line in range(1, PLACES):
        colour = "white" if log else "0.6"
        axis.axhline(line * ny / PLACES - 0.5, color=colour, lw=0.5)
        axis.axvline(line * nx / PLACES - 0.5, color=colour, lw=0.5)
    axis.set_xticks(places(nx), [f"{p:.0f}" for p in places(nx)])
    axis.set_yticks(places(ny), [f"{p:.0f}" for p in places(ny)])
    axis.set_xlabel(f"x on the chip, pixels; each tile is {2 * RADIUS:.0f} pixels wide")
    axis.set_ylabel("y on the chip, pixels")
    label = "log10 (fraction of light per pixel)" if log else "% of the highest value"
    figure.colorbar(drawn, ax=axis, label=label, shrink=0.85)
