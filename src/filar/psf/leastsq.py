"""Weighted least squares for position, flux and sky of many stars at once, in boxes of pixels.

Weights are the inverse variance of what the *model* predicts, updated with it (Fisher scoring):
weights from the data themselves would bias faint fluxes low. The inverse of the normal matrix is
then the Cramer-Rao bound of the box.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.psf.boxes import Boxes
from filar.psf.model import BATCH, PhaseTable
from filar.threads import one_blas_thread

FloatArray = NDArray[np.float64]
MAX_STEP = 0.3  # pixels per iteration
MAX_OFFSET = 0.74  # from the centre of the box
FINEST = 2.0**-30  # pixels: positions of this grid mean the same to the last bit all over a chip
PATIENCE = 6  # iterations with full steps
TOLERANCE = 2e-4  # pixels; the next step of a quadratic method is far below


@dataclass(frozen=True)
class BoxFits:
    """Result of `fit_boxes`.

    Parameters
    ----------
    x, y, flux, sky : (n,) float array
        Pixels and electrons.
    covariance : (n, 4, 4) float array
        Of (x, y, flux, sky); sky's row is 0 where it was not fitted. NaN where no fit was possible.
    converged : (n,) bool array
    residual, expected : (n, box * box) float array
        Data minus model, and the model (sky included), electrons.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    sky: FloatArray
    covariance: FloatArray
    converged: NDArray[np.bool_]
    residual: FloatArray
    expected: FloatArray

    def __getitem__(self, index: NDArray[np.int64] | slice) -> BoxFits:
        return BoxFits(*(getattr(self, name)[index] for name in BoxFits.__annotations__))

    @property
    def star(self) -> FloatArray:
        """(n, box * box) the star's part of the expected light, electrons."""
        return self.expected - self.sky[:, None]


def normal_equations(
    jacobian: FloatArray, weight: FloatArray, residual: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Normal matrix and right-hand side for each star.

    Parameters
    ----------
    jacobian : (n, parameters, pixels) array
    weight, residual : (n, pixels) array

    Returns
    -------
    matrix : (n, parameters, parameters) array
    vector : (n, parameters) array
    """
    weighted = jacobian * weight[:, None]
    return weighted @ jacobian.transpose(0, 2, 1), (weighted @ residual[:, :, None])[:, :, 0]


def solve_scaled(matrix: FloatArray, vector: FloatArray) -> FloatArray:
    """Solve small symmetric systems whose parameters differ by orders of magnitude."""
    scale = 1 / np.sqrt(np.maximum(np.einsum("nii->ni", matrix), 1e-60))
    scaled = matrix * scale[:, :, None] * scale[:, None, :]
    scaled += 1e-10 * np.eye(matrix.shape[1])
    solution = np.linalg.solve(scaled, (vector * scale)[:, :, None])[:, :, 0]
    return np.asarray(solution * scale)


def invert_scaled(matrix: FloatArray) -> FloatArray:
    """Invert small symmetric matrices whose parameters differ by orders of magnitude."""
    scale = 1 / np.sqrt(np.maximum(np.einsum("nii->ni", matrix), 1e-60))
    scaled = matrix * scale[:, :, None] * scale[:, None, :]
    scaled += 1e-10 * np.eye(matrix.shape[1])
    return np.asarray(np.linalg.inv(scaled) * scale[:, :, None] * scale[:, None, :])


def jacobian(
    table: PhaseTable,
    local: NDArray[np.floating],
    px: FloatArray,
    py: FloatArray,
    flux: FloatArray,
    fit_sky: bool,
) -> tuple[FloatArray, FloatArray]:
    """PSF of every star, and the derivatives of its image by x, y, flux (and sky).

    Returns
    -------
    value : (n, pixels) array
        Fraction of the light.
    derivatives : (n, 3 or 4, pixels) array
    """
    value, by_x, by_y = table.evaluate(local, px, py)
    rows = [flux[:, None] * by_x, flux[:, None] * by_y, value]
    if fit_sky:
        rows.append(np.ones_like(value))
    return value, np.stack(rows, axis=1).astype(np.float64)


def inverse_variance(
    boxes: Boxes, model: FloatArray, star: FloatArray, model_error: float
) -> FloatArray:
    """Weights of the pixels: 0 where they do not count.

    Parameters
    ----------
    boxes : Boxes
    model, star : (n, pixels) array
        Expected content with sky, and the star's part of it, electrons.
    model_error : float
        Relative error of the PSF, added in quadrature to the noise.
    """
    variance = np.maximum(model, 0) + boxes.read_noise**2 + (model_error * star) ** 2
    return np.where(boxes.good, 1 / np.maximum(variance, 1e-6), 0.0)


@one_blas_thread
def fit_boxes(
    table: PhaseTable,
    boxes: Boxes,
    x: FloatArray,
    y: FloatArray,
    flux: FloatArray,
    sky: FloatArray,
    *,
    fit_sky: bool = False,
    model_error: float = 0.0,
    iterations: int = 12,
) -> BoxFits:
    """Fit stars in their boxes.

    Parameters
    ----------
    table : PhaseTable
        The PSF, for the boxes' size.
    boxes : Boxes
        Data.
    x, y, flux, sky : (n,) array
        Start values, pixels and electrons; sky is held unless `fit_sky`.
    fit_sky : bool
        Whether the sky is a free parameter of every star.
    model_error : float
        Relative error of the PSF.
    iterations : int
        At most.

    Returns
    -------
    BoxFits
    """
    parts = []
    for start in range(0, len(boxes), BATCH):
        part = slice(start, start + BATCH)
        parts.append(
            _fit_batch(table, boxes[part], x[part], y[part], flux[part], sky[part], fit_sky,
                       model_error, iterations)
        )  # fmt: skip
    if not parts:
        empty, pixels = np.empty(0), np.empty((0, table.box**2))
        return BoxFits(empty, empty, empty, empty, np.empty((0, 4, 4)), np.empty(0, bool),
                       pixels, pixels)  # fmt: skip
    columns = [
        np.concatenate([getattr(p, name) for p in parts]) for name in BoxFits.__annotations__
    ]
    return BoxFits(*columns)


def _fit_batch(
    table: PhaseTable, boxes: Boxes, x: FloatArray, y: FloatArray, flux: FloatArray,
    sky: FloatArray, fit_sky: bool, model_error: float, iterations: int,
) -> BoxFits:  # fmt: skip
    parameters = np.stack([x - boxes.x, y - boxes.y, flux, sky], axis=1).astype(np.float64)
    parameters[:, :2] = np.clip(parameters[:, :2], -MAX_OFFSET, MAX_OFFSET)
    local = table.local(x, y)
    free = 4 if fit_sky else 3
    active = np.arange(len(boxes))
    for count in range(iterations):
        p, sub = parameters[active], boxes if len(active) == len(boxes) else boxes[active]
        part = local if len(active) == len(boxes) else local[active]
        matrix, vector, _, _ = _equations(table, part, sub, p, fit_sky, model_error)
        step = solve_scaled(matrix, vector)
        length = np.max(np.abs(step[:, :2]), axis=1)
        # the few that go to and fro around the minimum settle with shorter steps
        full = 1.0 if count < PATIENCE else 0.5
        step *= np.minimum(full, MAX_STEP / np.maximum(length, 1e-12))[:, None]
        new = p.copy()
        new[:, :free] += step
        new[:, :2] = np.clip(new[:, :2], -MAX_OFFSET, MAX_OFFSET)
        moved = np.max(np.abs(new[:, :2] - p[:, :2]), axis=1)
        parameters[active] = new
        active = active[moved > TOLERANCE]
        if not len(active):
            break
    converged = np.ones(len(boxes), bool)
    converged[active] = False
    fitted = boxes.good.sum(axis=1) > free
    parameters[fitted, :2] = np.rint(parameters[fitted, :2] / FINEST) * FINEST
    matrix, _, residual, expected = _equations(
        table, local, boxes, parameters, fit_sky, model_error
    )
    covariance = np.zeros((len(boxes), 4, 4))
    covariance[:, :free, :free] = invert_scaled(matrix)
    covariance[~fitted] = np.nan
    px, py, flux, sky = parameters.T
    return BoxFits(boxes.x + px, boxes.y + py, flux, sky, covariance, converged, residual, expected)


def _equations(
    table: PhaseTable, local: NDArray[np.floating], boxes: Boxes, p: FloatArray,
    fit_sky: bool, model_error: float,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:  # fmt: skip
    px, py, flux, sky = p.T
    # a star of no flux has no position: keep the system regular
    value, derivatives = jacobian(table, local, px, py, np.maximum(flux, 1.0), fit_sky)
    star = flux[:, None] * value
    expected = star + sky[:, None]
    if boxes.other is not None:
        expected = expected + boxes.other
    residual = boxes.pixels - expected
    weight = inverse_variance(boxes, expected, star, model_error)
    matrix, vector = normal_equations(derivatives, weight, np.where(boxes.good, residual, 0.0))
    return matrix, vector, residual, expected


def own_directions(table: PhaseTable, boxes: Boxes, fits: BoxFits, root: FloatArray) -> FloatArray:
    """Orthonormal directions of the pixels along which position, flux and sky can move a fit.

    Parameters
    ----------
    table : PhaseTable
    boxes : Boxes
    fits : BoxFits
        With free sky.
    root : (n, pixels) array
        Square roots of the weights.

    Returns
    -------
    (n, pixels, 4) array
        Of the weighted pixels.
    """
    local = table.local(fits.x, fits.y)
    flux = np.maximum(fits.flux, 1.0)
    _, own = jacobian(table, local, fits.x - boxes.x, fits.y - boxes.y, flux, True)
    q, _ = np.linalg.qr((own * root[:, None]).transpose(0, 2, 1))
    return np.asarray(q)


def sky_response(table: PhaseTable, boxes: Boxes, fits: BoxFits, model_error: float) -> FloatArray:
    """How x, y and flux change per electron by which the sky of a fit is too low: (n, 4).

    The last column is 0: for adding the uncertainty of a sky measured elsewhere.
    """
    response = np.zeros((len(boxes), 4))
    for start in range(0, len(boxes), BATCH):
        part = slice(start, start + BATCH)
        sub = boxes[part]
        px, py = fits.x[part] - sub.x, fits.y[part] - sub.y
        local = table.local(fits.x[part], fits.y[part])
        flux = np.maximum(fits.flux[part], 1.0)
        value, rows = jacobian(table, local, px, py, flux, False)
        weight = inverse_variance(sub, fits.expected[part], flux[:, None] * value, model_error)
        matrix, vector = normal_equations(rows, weight, np.ones_like(weight))
        response[part, :3] = solve_scaled(matrix, vector)
    return response
