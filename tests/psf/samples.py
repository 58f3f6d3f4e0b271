"""PSFs and star fields that several tests share."""

from functools import lru_cache

import numpy as np

from filar.exposure import Exposure
from filar.psf.family import OpticalFamily
from filar.psf.fourier import FrequencyGrid, gaussian_transfer, pixel_transfer
from filar.psf.library import family_for, field_psf
from filar.psf.model import FieldGrid, FieldPSF
from filar.psf.render import render_image

SHAPE = (800, 800)
SKY, READ_NOISE = 20.0, 5.0


@lru_cache
def optical(chip: str, focus: float = 0.03, band: str = "F555W", nodes: int = 3) -> FieldPSF:
    """WFPC2's PSF, slightly out of focus (waves rms), on few nodes."""
    family = family_for("WFPC2", chip, band)
    assert isinstance(family, OpticalFamily)
    local = family.start(focus=focus, coma_x=0.02, astig0=-0.02)
    return field_psf(family, SHAPE, local, nodes=FieldGrid.chebyshev(SHAPE, nodes))


@lru_cache
def gaussian(sigma: float = 1.2, shape: tuple[int, int] = SHAPE) -> FieldPSF:
    """A round Gaussian integrated over pixels, the same everywhere."""
    grid = FrequencyGrid(24.0, 96)
    transfer = gaussian_transfer(grid, sigma**2, sigma**2) * pixel_transfer(grid)
    nodes = FieldGrid((shape[1] / 2,), (shape[0] / 2,))
    return FieldPSF(transfer[None].astype(np.complex64), grid, nodes, "Gaussian")


def mesh(shape: tuple[int, int], spacing: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Stars on a jittered mesh, none near the edge or another."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[20 : shape[0] - 20 : spacing, 20 : shape[1] - 20 : spacing]
    shift = rng.uniform(-2, 2, (2, x.size))
    return x.ravel() + shift[0], y.ravel() + shift[1]


def expose(
    psf: FieldPSF,
    x: np.ndarray,
    y: np.ndarray,
    flux: np.ndarray,
    *,
    shape: tuple[int, int] = SHAPE,
    seed: int = 0,
    **facts: object,
) -> Exposure:
    """A noisy image without defects."""
    rng = np.random.default_rng(seed)
    expected = SKY + render_image(psf, shape, x, y, flux)
    data = rng.poisson(expected) + rng.normal(0, READ_NOISE, shape)
    clear = np.zeros(shape, bool)
    known: dict[str, object] = {"gain": 7.0, "read_noise": READ_NOISE, "name": "field"}
    return Exposure(data.astype(np.float32), clear, clear.copy(), clear.copy(), **(known | facts))
