"""What optics cannot describe: a smooth correction to a fitted PSF, solved linearly.

The correction is a sum of Gaussian bumps on a half-pixel grid around the star, each a low-order
polynomial over the chip. Positions, fluxes and skies of the stars are projected out, so whatever
the stars cannot tell from a shift stays zero: in particular the pixel-phase remapping to which
single undersampled exposures are blind, and for which the optical model alone decides. The bumps'
prior follows the PSF's own light; its strength maximises the evidence, which makes the correction
vanish where stars are few or optics suffices.

References
----------
Anderson, J. & King, I. R. 2000, PASP 112, 1360 (effective PSFs from residuals);
MacKay, D. J. C. 1992, Neural Computation 4, 415 (evidence).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.psf.boxes import Boxes
from filar.psf.familyfit import field_basis
from filar.psf.fourier import FrequencyGrid, values
from filar.psf.leastsq import BoxFits, own_directions
from filar.psf.model import FieldPSF

FloatArray = NDArray[np.float64]
SPACING = 0.5  # pixels between bumps
WIDTH = 0.4  # standard deviation of a bump, pixels: nothing sharper than optics allows
FIELD_PENALTY = 0.5  # prior of each higher order over the chip, relative to the one below
PRIOR_LIGHT = 0.02  # prior of a bump relative to the light around it
PRIOR_FLOOR = 5e-5  # and at least this, in fractions of the star's light per pixel
PRIOR_TOTAL = 1e-4  # of the sum of the bumps: light is moved about, not added
SCALES = np.geomspace(0.05, 10, 24)


@dataclass(frozen=True, eq=False)
class Correction:
    """A smooth addition to a PSF.

    Parameters
    ----------
    coefficients : (terms, bumps) array
        Field terms by bumps.
    centres : (bumps, 2) array
        Offsets (x, y) of the bumps from the star, pixels.
    shape : (int, int)
        Rows and columns of the chip.
    order : int
        Of the polynomial over the chip.
    scale : float
        Strength of the prior that was chosen.
    """

    coefficients: FloatArray
    centres: FloatArray
    shape: tuple[int, int]
    order: int
    scale: float

    def apply(self, psf: FieldPSF) -> FieldPSF:
        """Add the correction to a PSF."""
        x, y = np.array(psf.nodes.points).T
        terms = field_basis(x, y, self.shape, self.order)
        bumps = bump_transforms(psf.grid, self.centres)
        change = np.tensordot((terms @ self.coefficients).astype(np.complex64), bumps, axes=1)
        facts = psf.parameters | {"correction": self.scale}
        return psf.replace(
            transforms=(psf.transforms + change).astype(np.complex64), parameters=facts
        )


def bump_centres(radius: float) -> FloatArray:
    """Offsets of the bumps within a radius: (bumps, 2)."""
    span = np.arange(-np.floor(radius / SPACING), np.floor(radius / SPACING) + 1) * SPACING
    x, y = (a.ravel() for a in np.meshgrid(span, span))
    inside = np.hypot(x, y) <= radius
    return np.stack([x[inside], y[inside]], axis=1)


def bump_transforms(grid: FrequencyGrid, centres: FloatArray) -> NDArray[np.complex64]:
    """Transforms of bumps of unit height: (bumps, samples, samples // 2 + 1)."""
    fy, fx = grid.fy, grid.fx
    norm = 2 * np.pi * WIDTH**2
    along_y = np.exp(-2 * (np.pi * WIDTH * fy) ** 2 - 2j * np.pi * np.outer(centres[:, 1], fy))
    along_x = np.exp(-2 * (np.pi * WIDTH * fx) ** 2 - 2j * np.pi * np.outer(centres[:, 0], fx))
    return (norm * along_y[:, :, None] * along_x[:, None, :]).astype(np.complex64)


def bump_images(
    centres: FloatArray, dx: FloatArray, dy: FloatArray, box: int
) -> NDArray[np.float64]:
    """Bumps in the boxes of stars at sub-pixel positions (dx, dy): (n, bumps, box * box)."""
    span = np.arange(-(box // 2), box // 2 + 1)
    off_x = span[None, None, :] - dx[:, None, None] - centres[None, :, 0, None]
    off_y = span[None, None, :] - dy[:, None, None] - centres[None, :, 1, None]
    gx, gy = np.exp(-0.5 * (off_x / WIDTH) ** 2), np.exp(-0.5 * (off_y / WIDTH) ** 2)
    return (gy[:, :, :, None] * gx[:, :, None, :]).reshape(len(dx), len(centres), -1)


def fit_correction(
    psf: FieldPSF,
    boxes: Boxes,
    fits: BoxFits,
    weight: FloatArray,
    box: int,
    shape: tuple[int, int],
    *,
    order: int = 1,
) -> Correction:
    """Solve for the correction that the residuals of fitted stars ask for.

    Parameters
    ----------
    psf : FieldPSF
        The PSF with which the stars were fitted.
    boxes : Boxes
    fits : BoxFits
        Their fits, with free sky.
    weight : (n, box * box) array
        Inverse variances, robust, 0 for pixels that do not count.
    box : int
    shape : (int, int)
        Rows and columns of the chip.
    order : int
        Polynomial order over the chip.

    Returns
    -------
    Correction
    """
    centres = bump_centres(box / 2)
    terms = field_basis(fits.x, fits.y, shape, order)
    matrix, vector = _normal(psf, boxes, fits, weight, box, centres, terms)
    sigma = prior(psf, centres, shape, order)
    count = len(centres)
    for a in range(terms.shape[1]):
        same = slice(a * count, (a + 1) * count)
        matrix[same, same] += 1 / PRIOR_TOTAL**2
    scaled = matrix * sigma[:, None] * sigma[None, :]
    stiffness, vectors = np.linalg.eigh(scaled)
    stiffness = np.maximum(stiffness, 0)
    along = vectors.T @ (vector * sigma)
    squares = SCALES[:, None] ** 2
    gain = 0.5 * squares * along**2 / (1 + squares * stiffness) - 0.5 * np.log1p(
        squares * stiffness
    )
    evidence = gain.sum(axis=1)
    best = int(np.argmax(evidence))
    scale = float(SCALES[best]) if evidence[best] > 0 else 0.0
    solution = sigma * (vectors @ (along * scale**2 / (1 + scale**2 * stiffness)))
    return Correction(solution.reshape(terms.shape[1], -1), centres, shape, order, scale)


def prior(psf: FieldPSF, centres: FloatArray, shape: tuple[int, int], order: int) -> FloatArray:
    """Prior standard deviations of the coefficients, field terms by bumps, flattened."""
    middle = psf.at(shape[1] / 2, shape[0] / 2)
    span_x, span_y = np.unique(centres[:, 0]), np.unique(centres[:, 1])
    light = np.abs(values(middle, psf.grid, span_y, span_x))
    at = light[np.searchsorted(span_y, centres[:, 1]), np.searchsorted(span_x, centres[:, 0])]
    bumps = PRIOR_LIGHT * at + PRIOR_FLOOR
    orders = np.repeat(np.arange(order + 1), np.arange(1, order + 2))
    return np.asarray((FIELD_PENALTY**orders)[:, None] * bumps).ravel()


def _normal(
    psf: FieldPSF, boxes: Boxes, fits: BoxFits, weight: FloatArray, box: int,
    centres: FloatArray, terms: FloatArray,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Normal equations of the coefficients, the stars' own parameters projected out."""
    table = psf.table(box)
    count, width = len(centres), terms.shape[1]
    products = (terms[:, :, None] * terms[:, None, :]).reshape(len(terms), -1)
    matrix = np.zeros((width * width, count * count))
    vector = np.zeros((width, count))
    for start in range(0, len(fits.x), 64):
        part = slice(start, start + 64)
        dx, dy = fits.x[part] - boxes.x[part], fits.y[part] - boxes.y[part]
        flux, root = fits.flux[part], np.sqrt(weight[part])
        q = own_directions(table, boxes[part], fits[part], root)
        rows = bump_images(centres, dx, dy, box) * (flux[:, None] * root)[:, None]
        rows -= (rows @ q) @ q.transpose(0, 2, 1)
        residual = np.where(boxes.good[part], fits.residual[part], 0) * root
        right = (rows @ residual[:, :, None])[:, :, 0]
        vector += terms[part].T @ right
        gram = (rows @ rows.transpose(0, 2, 1)).reshape(len(rows), -1)
        matrix += products[part].T @ gram
    size = width * count
    matrix = matrix.reshape(width, width, count, count).transpose(0, 2, 1, 3)
    return matrix.reshape(size, size), vector.ravel()
