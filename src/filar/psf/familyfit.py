"""The PSF of one exposure: a parametric family fitted to the exposure's own stars.

Every star's position, flux and sky are free and are projected out of each Gauss-Newton step
(variable projection), so that only the family's parameters, as polynomials over the chip, remain;
their priors keep the solution stable where stars are few.

References
----------
Golub, G. & Pereyra, V. 2003, Inverse Problems 19, R1 (variable projection).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.psf.boxes import Boxes
from filar.psf.family import Family
from filar.psf.leastsq import BoxFits, fit_boxes, inverse_variance, own_directions
from filar.psf.model import (
    FieldGrid,
    FieldPSF,
    PhaseTable,
    chebyshev,
    phase_series,
    series_degree,
)

FloatArray = NDArray[np.float64]
VALUE_NODES = 5
SLOPE_NODES = 3
SMOOTHNESS = 0.7  # prior of each order of the variation relative to the one below
SLOPES_LAST = 2  # iterations: they change slowly and cost most of the time
CLIP = 4.0  # standard deviations beyond which a pixel's weight falls (Huber)


def field_basis(x: FloatArray, y: FloatArray, shape: tuple[int, int], order: int) -> FloatArray:
    """Legendre products over the chip up to a total order: (n, terms), the constant first."""
    u = 2 * (np.asarray(x) + 0.5) / shape[1] - 1
    v = 2 * (np.asarray(y) + 0.5) / shape[0] - 1
    pu = np.polynomial.legendre.legvander(u, order)
    pv = np.polynomial.legendre.legvander(v, order)
    terms = [(i, k - i) for k in range(order + 1) for i in range(k, -1, -1)]
    return np.stack([pu[:, i] * pv[:, j] for i, j in terms], axis=1)


@dataclass(frozen=True)
class Layout:
    """How the family's parameters and their field terms make up one vector."""

    family: Family
    shape: tuple[int, int]

    @property
    def columns(self) -> list[tuple[int, int]]:
        """(local parameter, field term) of every unknown."""
        return [
            (k, j)
            for k, p in enumerate(self.family.parameters)
            for j in range((p.order + 1) * (p.order + 2) // 2)
        ]

    def prior(self) -> tuple[FloatArray, FloatArray]:
        """Mean and standard deviation of every unknown."""
        mean, sigma = [], []
        for k, j in self.columns:
            p = self.family.parameters[k]
            mean.append(p.start if j == 0 else 0.0)
            order = int((np.sqrt(8 * j + 1) - 1) // 2)  # terms are sorted by total order
            sigma.append(p.sigma if j == 0 else p.variation * SMOOTHNESS ** (order - 1))
        return np.array(mean), np.array(sigma)

    def basis(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Field terms at (x, y), up to the highest order in use."""
        highest = max(p.order for p in self.family.parameters)
        return field_basis(x, y, self.shape, highest)

    def local(self, unknowns: FloatArray, x: FloatArray, y: FloatArray) -> FloatArray:
        """Local parameters at (x, y): (n, parameters)."""
        terms = self.basis(x, y)
        result = np.zeros((len(terms), len(self.family.parameters)))
        for value, (k, j) in zip(unknowns, self.columns, strict=True):
            result[:, k] += value * terms[:, j]
        return result


@dataclass(frozen=True)
class Solution:
    """State of the fit: the unknowns, their PSF, the stars fitted with it, weights and cost."""

    unknowns: FloatArray
    table: PhaseTable
    fits: BoxFits
    weight: FloatArray
    cost: float


class FamilyFit:
    """Gauss-Newton over the unknowns of one exposure.

    Parameters
    ----------
    family : Family
    boxes : Boxes
        Stars.
    box : int
        Their size.
    shape : (int, int)
        Rows and columns of the chip.
    model_error : float
        Relative error of the PSF, so that bright stars do not rule alone.
    nodes : int
        Places per axis at which PSFs are made.
    """

    def __init__(
        self,
        family: Family,
        boxes: Boxes,
        box: int,
        shape: tuple[int, int],
        model_error: float,
        *,
        nodes: int = VALUE_NODES,
    ) -> None:
        self.layout = Layout(family, shape)
        self.family, self.boxes, self.box, self.shape = family, boxes, box, shape
        self.model_error = model_error
        self.mean, self.sigma = self.layout.prior()
        self.nodes = FieldGrid.chebyshev(shape, nodes)
        self.slope_nodes = FieldGrid.chebyshev(shape, SLOPE_NODES)

    def vector(self, values: dict[str, float]) -> FloatArray:
        """Unknowns at the centre of their priors, but for those given by `named`'s keys."""
        unknowns = self.mean.copy()
        for i, (k, j) in enumerate(self.layout.columns):
            name = self.family.parameters[k].name
            unknowns[i] = values.get(name if j == 0 else f"{name}:{j}", unknowns[i])
        return unknowns

    def named(self, unknowns: FloatArray) -> dict[str, float]:
        """Unknowns by name, field terms as ``name:term``."""
        names = [(self.family.parameters[k].name, j) for k, j in self.layout.columns]
        return {
            (name if j == 0 else f"{name}:{j}"): float(value)
            for (name, j), value in zip(names, unknowns, strict=True)
        }

    def table(self, unknowns: FloatArray) -> PhaseTable:
        """PSF of these unknowns, ready for the boxes."""
        points = self.nodes.points
        local = self.layout.local(unknowns, *np.array(points).T)
        transforms = self.family.transforms(points, local)
        degree = series_degree(transforms, self.family.grid)
        series = phase_series(transforms, self.family.grid, self.box, degree)
        return PhaseTable(self.box, self.nodes, series.astype(np.float32), degree)

    def evaluate(
        self, unknowns: FloatArray, x: FloatArray, y: FloatArray, flux: FloatArray, sky: FloatArray
    ) -> Solution:
        """Fit the stars with the PSF of these unknowns."""
        table = self.table(unknowns)
        fits = fit_boxes(table, self.boxes, x, y, flux, sky, fit_sky=True,
                         model_error=self.model_error)  # fmt: skip
        star = fits.expected - fits.sky[:, None]
        weight = inverse_variance(self.boxes, fits.expected, star, self.model_error)
        pull = np.abs(fits.residual) * np.sqrt(weight)
        loss = np.where(pull < CLIP, pull**2, 2 * CLIP * pull - CLIP**2)
        weight = weight * np.minimum(1, CLIP / np.maximum(pull, 1e-9))
        prior = np.sum(((unknowns - self.mean) / self.sigma) ** 2)
        # the determinant of the noise keeps the model-based variance from growing for free
        variance = np.maximum(fits.expected, 0) + self.boxes.read_noise**2
        variance = variance + (self.model_error * star) ** 2
        determinant = np.sum(np.log(variance), where=self.boxes.good)
        return Solution(unknowns, table, fits, weight, float(loss.sum() + determinant + prior))

    def step(self, now: Solution, slopes: FloatArray, damping: float) -> FloatArray:
        """Gauss-Newton step of the unknowns from here, with `slopes` from here or nearby."""
        matrix, vector = self._normal(now, slopes)
        precision = 1 / self.sigma**2
        matrix[np.diag_indices_from(matrix)] += precision * (1 + damping)
        vector += precision * (self.mean - now.unknowns)
        matrix[np.diag_indices_from(matrix)] *= 1 + damping
        return np.asarray(np.linalg.solve(matrix, vector), np.float64)

    def _normal(self, now: Solution, slopes: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Normal equations of the unknowns, the stars' own parameters projected out."""
        rows = self._projected(now, slopes)
        root = np.sqrt(now.weight)
        residual = np.where(self.boxes.good, now.fits.residual, 0) * root
        terms = self.layout.basis(now.fits.x, now.fits.y)
        local_matrix = rows @ rows.transpose(0, 2, 1)
        local_vector = (rows @ residual[:, :, None])[:, :, 0]
        k, j = np.array(self.layout.columns).T
        # sum over stars of (local matrix) x (field terms), for the pairs of unknowns that exist
        products = terms[:, :, None] * terms[:, None, :]
        count, width = local_matrix.shape[1], terms.shape[1]
        full = local_matrix.reshape(len(terms), -1).T @ products.reshape(len(terms), -1)
        full = full.reshape(count, count, width, width)
        matrix = full[k[:, None], k[None, :], j[:, None], j[None, :]]
        vector = (local_vector.T @ terms)[k, j]
        return matrix, vector

    def _projected(self, now: Solution, slopes: FloatArray) -> FloatArray:
        """Weighted derivatives of the boxes by the local parameters, orthogonal to the stars' own.

        Returns
        -------
        (n, parameters, pixels) array
        """
        fits, root = now.fits, np.sqrt(now.weight)
        q = own_directions(now.table, self.boxes, fits, root)
        rows = slopes * (fits.flux[:, None] * root)[:, None]
        return np.asarray(rows - (rows @ q) @ q.transpose(0, 2, 1))

    def slopes(self, now: Solution) -> FloatArray:
        """Derivatives of every star's unit image by the local parameters.

        Returns
        -------
        (n, parameters, pixels) array
        """
        points = self.slope_nodes.points
        local = self.layout.local(now.unknowns, *np.array(points).T)
        fits = now.fits
        weights = self.slope_nodes.weights(fits.x, fits.y)
        result = np.zeros((len(fits.x), len(self.family.parameters), self.box**2))
        for n, point in enumerate(points):
            transforms = self.family.derivatives([point], local[n : n + 1])[0]
            degree = series_degree(transforms, self.family.grid)
            series = phase_series(transforms, self.family.grid, self.box, degree)
            tx, _ = chebyshev(fits.x - self.boxes.x, degree)
            ty, _ = chebyshev(fits.y - self.boxes.y, degree)
            phases = (ty[:, :, None] * tx[:, None, :]).reshape(len(tx), -1)
            flat = series.reshape(-1, degree**2)
            image = (phases * weights[:, n : n + 1]).astype(np.float32) @ flat.T.astype(np.float32)
            result += image.reshape(result.shape)
        return result

    def psf(self, unknowns: FloatArray, nodes: FieldGrid, name: str) -> FieldPSF:
        """The fitted PSF on a finer grid of nodes."""
        points = nodes.points
        local = self.layout.local(unknowns, *np.array(points).T)
        facts = {
            p.name: float(v) for p, v in zip(self.family.parameters, local.mean(0), strict=True)
        }
        return FieldPSF(self.family.transforms(points, local), self.family.grid, nodes, name, facts)


def fit_family(
    fit: FamilyFit,
    start: FloatArray,
    x: FloatArray,
    y: FloatArray,
    flux: FloatArray,
    sky: FloatArray,
    *,
    iterations: int = 12,
    tolerance: float = 10.0,
) -> Solution:
    """Levenberg-Marquardt from one start until the cost falls by less than `tolerance`."""
    now = fit.evaluate(start, x, y, flux, sky)
    damping, age, slopes = 0.1, 0, fit.slopes(now)
    for _ in range(iterations):
        if age == SLOPES_LAST:
            age, slopes = 0, fit.slopes(now)
        f = now.fits
        proposal = now.unknowns + fit.step(now, slopes, damping)
        new = fit.evaluate(proposal, f.x, f.y, np.maximum(f.flux, 1), f.sky)
        age += 1
        if new.cost < now.cost:
            gain, now = now.cost - new.cost, new
            damping *= 0.2
            if gain < tolerance:
                break
        elif age > 1:
            age = SLOPES_LAST  # perhaps only the slopes are too old
        else:
            damping = max(damping * 10, 0.1)
            if damping > 1e4:
                break
    return now
