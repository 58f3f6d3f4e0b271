"""The classic fit as a layer: Gauss-Newton steps of position and flux, the sky known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from filar.centering.rasterpsf import DEGREE, REACH

Batch = dict[str, Tensor]
LEAST_FLUX = 30.0  # electrons
LEAST_INSIDE = 0.2  # of a star's light in the good pixels of its raster
STEP_LIMIT = 0.3  # pixels
SETTLED = 0.015  # pixels: after a smaller step the next one would be below half a mpix
_NEEDED = ("light", "good", "sky", "read_noise", "local")
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


def star_image(local: Tensor, place: Tensor) -> Tensor:
    """Images of stars of unit flux, and their slopes by the stars' x and y.

    Parameters
    ----------
    local : (n, pixels, degree, degree) tensor
        Series, see `RasterPSF.local`.
    place : (n, 2) tensor
        Offsets (x, y) from the middle of the raster, pixels.

    Returns
    -------
    (n, 3, pixels) tensor
        Image, slope by x, slope by y.
    """
    n, pixels = local.shape[:2]
    tx, dx = chebyshev(place[:, 0])
    ty, dy = chebyshev(place[:, 1])
    rows, columns = torch.stack([ty, ty, dy], 1), torch.stack([tx, dx, tx], 1)
    orders = (rows[:, :, :, None] * columns[:, :, None, :]).reshape(n, 3, DEGREE**2)
    # one product: the series are many and are best read once
    return torch.bmm(orders, local.reshape(n, pixels, DEGREE**2).transpose(1, 2))


def converge(batch: Batch, place: Tensor, steps: int, model_error: float) -> Fit:
    """Take steps until a star has settled, at most `steps`.

    Parameters
    ----------
    batch : dict of tensors
        ``light`` (n, pixels) electrons less sky, ``good`` (n, pixels) 1 or 0, ``sky``,
        ``read_noise`` (n,) electrons, ``local`` (n, pixels, degree, degree).
    place : (n, 2) tensor
        Where to start, offsets from the middle of the raster.
    steps : int
        Steps at most, at least one is taken.
    model_error : float
        Relative error of the PSF.

    Returns
    -------
    Fit
    """
    fit = gauss_newton(batch, place, None, model_error)
    for _ in range(1, steps):
        moving = torch.nonzero(fit.change > SETTLED)[:, 0]
        if not len(moving):
            break
        some = {name: batch[name][moving] for name in _NEEDED}
        again = gauss_newton(some, fit.place[moving], fit.flux[moving], model_error)
        for name in ("place", "error", "flux", "residual", "change"):
            getattr(fit, name)[moving] = getattr(again, name)
    return fit


def gauss_newton(batch: Batch, place: Tensor, flux: Tensor | None, model_error: float) -> Fit:
    """Take one step; the variance is the model's, as in `filar.fit`.

    Without a flux, that which explains the light in the good pixels is taken to begin with.
    """
    good, light = batch["good"], batch["light"]
    image = star_image(batch["local"], place)
    if flux is None:
        inside = (image[:, 0] * good).sum(1).clamp(min=LEAST_INSIDE)
        flux = (light * good).sum(1) / inside
    flux = flux.clamp(min=LEAST_FLUX)
    star = flux[:, None] * image[:, 0]
    noise = star.clamp(min=0) + batch["sky"].clamp(min=0)[:, None]
    noise = noise + batch["read_noise"][:, None] ** 2 + (model_error * star) ** 2
    root = good * noise.rsqrt()
    residual = (light - star) * root
    # the flux in units of itself, so that all three unknowns are of one size
    slopes = image * (flux[:, None] * root)[:, None]
    matrix = slopes @ slopes.transpose(1, 2)
    vector = (slopes @ residual[:, :, None])[:, :, 0]
    scale = matrix.diagonal(dim1=1, dim2=2).clamp(min=1e-9).rsqrt()
    matrix = matrix * scale[:, :, None] * scale[:, None, :]
    matrix = matrix + _RIDGE * torch.eye(3, device=matrix.device)
    inverse = torch.linalg.inv(matrix) * scale[:, :, None] * scale[:, None, :]
    change = (inverse @ vector[:, :, None])[:, :, 0]
    brighter, step = change[:, 0].clamp(-0.5, 1.0), change[:, 1:].clamp(-STEP_LIMIT, STEP_LIMIT)
    moved = torch.cat([brighter[:, None], step], 1)
    return Fit(
        place=(place + step).clamp(-REACH, REACH),
        error=inverse.diagonal(dim1=1, dim2=2)[:, 1:].clamp(min=1e-10).sqrt(),
        flux=(flux * (1 + brighter)).clamp(min=LEAST_FLUX),
        residual=residual - (moved[:, None] @ slopes)[:, 0],
        change=step.abs().amax(1),
    )
