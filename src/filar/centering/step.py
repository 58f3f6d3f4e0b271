"""The classic fit as a layer: Gauss-Newton steps of position and flux, the sky known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from filar.centering.rasterpsf import DEGREE, REACH

Batch = dict[str, Tensor]
LEAST_FLUX = 30.0  # electrons
STEP_LIMIT = 0.3  # pixels
SETTLED = 0.01  # pixels: after a smaller step the next one would be below 0.2 mpix
_RIDGE = 1e-6  # relative, so that rasters without good pixels do no harm


@dataclass(frozen=True)
class Fit:
    """Fitted stars.

    Parameters
    ----------
    place, error : (n, 2) tensors
        Offsets from the middle of the raster and their formal errors, pixels.
    flux : (n,) tensor
        Electrons.
    residual : (n, pixels) tensor
        Data minus model in standard deviations; 0 in bad pixels.
    change : (n,) tensor
        Length of the last step, pixels.
    """

    place: Tensor
    error: Tensor
    flux: Tensor
    residual: Tensor
    change: Tensor


def chebyshev(offset: Tensor) -> tuple[Tensor, Tensor]:
    """Chebyshev polynomials at offsets in pixels, and their slopes: (n, degree) each."""
    t = offset / REACH
    value, slope = [torch.ones_like(t), t], [torch.zeros_like(t), torch.ones_like(t)]
    for _ in range(2, DEGREE):
        slope.append(2 * value[-1] + 2 * t * slope[-1] - slope[-2])
        value.append(2 * t * value[-1] - value[-2])
    return torch.stack(value, 1), torch.stack(slope, 1) / REACH


def star_image(local: Tensor, place: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Images of stars of unit flux, and their slopes by the stars' x and y.

    Parameters
    ----------
    local : (n, pixels, degree, degree) tensor
        Series, see `RasterPSF.local`.
    place : (n, 2) tensor
        Offsets (x, y) from the middle of the raster, pixels.

    Returns
    -------
    value, by_x, by_y : (n, pixels) tensors
    """
    n, pixels = local.shape[:2]
    tx, dx = chebyshev(place[:, 0])
    ty, dy = chebyshev(place[:, 1])
    along = torch.bmm(local.reshape(n, pixels * DEGREE, DEGREE), torch.stack([tx, dx], 2))
    along = along.reshape(n, pixels, DEGREE, 2)
    rows = torch.einsum("npik,nij->npkj", along, torch.stack([ty, dy], 2))
    return rows[:, :, 0, 0], rows[:, :, 1, 0], rows[:, :, 0, 1]


def expected_flux(batch: Batch, place: Tensor, total: Tensor) -> Tensor:
    """Electrons of whole stars, from the light in the good pixels of their rasters: (n,)."""
    inside = (star_image(batch["local"], place)[0] * batch["good"]).sum(1)
    return (total / inside.clamp(min=0.2)).clamp(min=LEAST_FLUX)


def converge(batch: Batch, place: Tensor, flux: Tensor, steps: int, model_error: float) -> Fit:
    """Take steps until a star has settled, at most `steps`.

    Parameters
    ----------
    batch : dict of tensors
        ``light`` (n, pixels) electrons less sky, ``good`` (n, pixels) 1 or 0, ``sky``,
        ``read_noise`` (n,) electrons, ``local`` (n, pixels, degree, degree).
    place : (n, 2) tensor
        Where to start, offsets from the middle of the raster.
    flux : (n,) tensor
        Electrons.
    steps : int
        Steps at most, at least one is taken.
    model_error : float
        Relative error of the PSF.

    Returns
    -------
    Fit
    """
    fit = gauss_newton(batch, place, flux, model_error)
    for _ in range(1, steps):
        moving = torch.nonzero(fit.change > SETTLED)[:, 0]
        if not len(moving):
            break
        some = {
            name: batch[name][moving] for name in ("light", "good", "sky", "read_noise", "local")
        }
        again = gauss_newton(some, fit.place[moving], fit.flux[moving], model_error)
        for name in ("place", "error", "flux", "residual", "change"):
            getattr(fit, name)[moving] = getattr(again, name)
    return fit


def gauss_newton(batch: Batch, place: Tensor, flux: Tensor, model_error: float) -> Fit:
    """Take one step; the variance is the model's, as in `filar.fit`."""
    value, by_x, by_y = star_image(batch["local"], place)
    star = flux[:, None] * value
    noise = star.clamp(min=0) + batch["sky"].clamp(min=0)[:, None]
    noise = noise + batch["read_noise"][:, None] ** 2 + (model_error * star) ** 2
    root = batch["good"] * noise.rsqrt()
    residual = (batch["light"] - star) * root
    # flux in units of itself, so that all three unknowns are of one size
    slopes = torch.stack([flux[:, None] * by_x, flux[:, None] * by_y, star], 2) * root[:, :, None]
    matrix = slopes.transpose(1, 2) @ slopes
    vector = (slopes.transpose(1, 2) @ residual[:, :, None])[:, :, 0]
    scale = matrix.diagonal(dim1=1, dim2=2).clamp(min=1e-9).rsqrt()
    matrix = matrix * scale[:, :, None] * scale[:, None, :]
    matrix = matrix + _RIDGE * torch.eye(3, device=matrix.device)
    inverse = torch.linalg.inv(matrix) * scale[:, :, None] * scale[:, None, :]
    change = (inverse @ vector[:, :, None])[:, :, 0]
    step = change[:, :2].clamp(-STEP_LIMIT, STEP_LIMIT)
    brighter = change[:, 2].clamp(-0.5, 1.0)
    moved = torch.cat([step, brighter[:, None]], 1)
    left = residual - (slopes @ moved[:, :, None])[:, :, 0]
    return Fit(
        place=(place + step).clamp(-REACH, REACH),
        error=inverse.diagonal(dim1=1, dim2=2)[:, :2].clamp(min=1e-10).sqrt(),
        flux=(flux * (1 + brighter)).clamp(min=LEAST_FLUX),
        residual=left,
        change=step.abs().amax(1),
    )
