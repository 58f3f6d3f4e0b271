"""Static pictures: the PSF over the chip, the stars' mean residual, maps of sky and noise."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.measure import Measurement
from filar.psf.model import FieldPSF

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FloatArray = NDArray[np.float64]
PSF_BOX = 21
FIELD = (0.12, 0.5, 0.88)


def png_uri(figure: Figure) -> str:
    """Picture as text that a page can hold.

    Parameters
    ----------
    figure : matplotlib Figure
        What to draw.

    Returns
    -------
    str
        A ``data:`` URI.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=90)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def psf_montage(psf: FieldPSF, shape: tuple[int, int], box: int = PSF_BOX) -> FloatArray:
    """PSF at nine places of the chip, side by side as they lie on it.

    Parameters
    ----------
    psf : FieldPSF
        The PSF.
    shape : (int, int)
        Rows and columns of the chip.
    box : int
        Odd size of each stamp.

    Returns
    -------
    (3 box, 3 box) array
        Fractions of the light; the lowest row first.
    """
    ny, nx = shape
    x, y = (np.rint(a.ravel()) for a in np.meshgrid(np.array(FIELD) * nx, np.array(FIELD) * ny))
    stamps = psf.stamps(x, y, box).reshape(3, 3, box, box)
    return stamps.transpose(0, 2, 1, 3).reshape(3 * box, 3 * box)


def psf_picture(measurement: Measurement) -> Figure:
    """Draw the PSF over the chip, and the stars' mean residual with it and with the default.

    Parameters
    ----------
    measurement : Measurement
        One chip.

    Returns
    -------
    matplotlib Figure
        Two to four panels.
    """
    from matplotlib.figure import Figure

    fit = measurement.psf_fit
    residuals: list[tuple[str, FloatArray]] = []
    if fit is not None and fit.residual_mean.size:
        residuals.append(("mean residual, fitted PSF", fit.residual_mean))
    if fit is not None and fit.default_residual_mean.size:
        residuals.append(("mean residual, default PSF", fit.default_residual_mean))
    n = 1 + len(residuals)
    figure = Figure(figsize=(4.2 * n, 3.8), layout="constrained")
    axes = np.atleast_1d(figure.subplots(1, n))
    draw_montage(figure, axes[0], psf_montage(measurement.psf, measurement.exposure.shape))
    axes[0].set_title("PSF at 3 x 3 places of the chip", fontsize=9)
    if residuals:
        limit = 100 * max(float(np.abs(r).max()) for _, r in residuals)
        for axis, (title, residual) in zip(axes[1:], residuals, strict=True):
            _draw_residual(figure, axis, 100 * residual, max(limit, 1e-3))
            axis.set_title(f"{title}\nsum of |r| {100 * np.abs(residual).sum():.2f} %", fontsize=9)
    return figure


def draw_montage(figure: Figure, axis: Any, montage: FloatArray) -> None:
    """Draw a montage of PSFs on a logarithmic scale.

    Parameters
    ----------
    figure, axis : matplotlib objects
        Where.
    montage : array
        Fractions of the light.
    """
    low = -5.0
    picture = np.log10(np.maximum(montage, 10**low))
    drawn = axis.imshow(picture, origin="lower", cmap="cividis", vmin=low, vmax=-0.3)
    axis.set_xticks([])
    axis.set_yticks([])
    for line in range(1, 3):
        at = line * montage.shape[0] / 3 - 0.5
        axis.axhline(at, color="white", lw=0.5)
        axis.axvline(at, color="white", lw=0.5)
    figure.colorbar(drawn, ax=axis, label="log10 of light per pixel", shrink=0.85)


def _draw_residual(figure: Figure, axis: Any, percent: FloatArray, limit: float) -> None:
    half = percent.shape[0] / 2
    drawn = axis.imshow(percent, origin="lower", cmap="RdBu_r", vmin=-limit, vmax=limit,
                        extent=(-half, half, -half, half))  # fmt: skip
    axis.set_xlabel("pixels from the star")
    figure.colorbar(drawn, ax=axis, label="% of the flux per pixel", shrink=0.85)


def sky_picture(sky: FloatArray, noise: FloatArray) -> Figure:
    """Draw the maps of sky and noise.

    Parameters
    ----------
    sky, noise : (ny, nx) arrays
        Electrons.

    Returns
    -------
    matplotlib Figure
        Two panels.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 3.6), layout="constrained")
    for axis, values, title in zip(
        figure.subplots(1, 2), (sky, noise), ("sky (e-/pixel)", "noise (e-/pixel)"), strict=True
    ):
        good = values[np.isfinite(values)]
        low, high = np.quantile(good, (0.01, 0.99)) if good.size else (0.0, 1.0)
        extent = (-0.5, values.shape[1] - 0.5, -0.5, values.shape[0] - 0.5)
        drawn = axis.imshow(
            values[::4, ::4], origin="lower", cmap="cividis", vmin=low, vmax=high, extent=extent
        )
        axis.set(xlabel="x (pixels)", ylabel="y (pixels)")
        figure.colorbar(drawn, ax=axis, shrink=0.85, label=title)
    return figure
