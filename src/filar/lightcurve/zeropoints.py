"""Zero points of images from the ensemble of their stars: which fit all magnitudes best."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from filar.frames.clipping import group_median
from filar.frames.starlist import DOUBTFUL
from filar.lightcurve.chipmap import ZeroPoints, n_terms, terms
from filar.lightcurve.images import FloatArray, Images, IntArray, Measures
from filar.robust import MAD_TO_SIGMA

PER_IMAGE = 500
"""Stars of an image that define its zero point, those with the least errors."""
FEWEST = 3
_PER_TERM = 8
_AUTOMATIC = 3
_ROUNDS = 5
_FLOOR = 0.002  # magnitudes: no ensemble is better than its flat field
_LARGEST_ERROR = 0.2
_HUBER = 2.0
_SLOPE = 0.1
"""Magnitudes: what coefficients beyond the constant may be. Without that, a slope that all images
have in common could not be told from constants and the stars' means."""
Progress = Callable[[float, str], None]


def solve_zero_points(
    images: Images,
    measures: Measures,
    *,
    degree: int | None = None,
    progress: Progress | None = None,
) -> ZeroPoints:
    """Find the zero points of images that make the magnitudes of their stars agree.

    Every star has one mean magnitude per camera and filter, which takes up colour terms; every
    image has a zero point, a polynomial over the chip. Both are solved together by least squares,
    the stars weighted by their quoted errors and by how much each scatters by itself, so that
    variable stars count little. Saturated and doubtful measures take no part. Within each camera
    and filter (and each set of images that stars connect) the zero points' median is 0.

    Parameters
    ----------
    images : Images
        m images.
    measures : Measures
        Rows whose ``star`` is known.
    degree : int, optional
        Degree of the polynomials; by default what the Bayesian information criterion of each
        camera and filter wants, up to 3. Images of few stars get a lower one.
    progress : callable, optional
        Called with the part done, 0 to 1, and a text.

    Returns
    -------
    ZeroPoints
        Without any for images of fewer than three such stars.
    """
    rows = _chosen(images, measures)
    frame = _Frame.of(images, measures, rows)
    solution = _solve(frame, np.zeros(len(images), np.int64), progress, 0.0)
    wanted = _wanted_degrees(frame, solution, images.group) if degree is None else None
    degrees = np.full(len(images), degree or 0) if wanted is None else wanted[images.group]
    degrees = np.minimum(degrees, _affordable(frame.number, int(degrees.max(initial=0))))
    if degrees.any():
        solution = _solve(frame, degrees, progress, 0.5)
    return _anchored(frame, solution, degrees, images)


def _chosen(images: Images, measures: Measures) -> IntArray:
    """Rows of the stars that define zero points, at most `PER_IMAGE` of each image."""
    err = np.where(np.isfinite(measures.mag_err), measures.mag_err, _LARGEST_ERROR / 2)
    good = (measures.star >= 0) & np.isfinite(measures.mag) & (err < _LARGEST_ERROR)
    good &= (measures.flags & int(DOUBTFUL)) == 0
    rows = np.flatnonzero(good)
    pair = measures.star[rows] * len(images.groups) + images.group[measures.image[rows]]
    several = np.bincount(pair)[pair] > 1 if len(pair) else np.zeros(0, bool)
    rows = rows[several]
    # Faint ones of well-observed stars first: a star seen once more ties images together.
    seen = np.bincount(measures.star[rows]) if len(rows) else np.zeros(0, np.int64)
    cost = err[rows] / np.sqrt(np.maximum(seen[measures.star[rows]], 1))
    order = np.lexsort([cost, measures.image[rows]])
    rows = rows[order]
    start = np.searchsorted(measures.image[rows], np.arange(len(images)))
    rank = np.arange(len(rows)) - start[measures.image[rows]]
    return np.asarray(np.sort(rows[rank < PER_IMAGE]))


@dataclass(frozen=True, eq=False)
class _Frame:
    """The rows that define zero points."""

    image: IntArray
    mean: IntArray  # star and group, from 0
    mag: FloatArray
    err: FloatArray
    u: FloatArray
    v: FloatArray
    centre: FloatArray
    half: FloatArray
    number: IntArray
    group: IntArray  # of each mean

    @classmethod
    def of(cls, images: Images, measures: Measures, rows: IntArray) -> _Frame:
        image = measures.image[rows].astype(np.int64)
        group, n_groups = images.group, max(len(images.groups), 1)
        key = measures.star[rows] * n_groups + group[image]
        unique, mean = np.unique(key, return_inverse=True)
        # The chip is what the camera's stars fill, the same for all its images.
        centre, half = np.zeros((len(images), 2)), np.ones((len(images), 2))
        for one in range(n_groups):
            mine = group[measures.image] == one
            for axis, values in enumerate((measures.x[mine], measures.y[mine])):
                finite = values[np.isfinite(values)].astype(float)
                if len(finite):
                    low, high = np.percentile(finite, (0.5, 99.5))
                    centre[group == one, axis] = (low + high) / 2
                    half[group == one, axis] = max((high - low) / 2, 1.0)
        err = measures.mag_err[rows]
        err = np.where(np.isfinite(err) & (err > 0), err, np.nanmedian(err) if len(err) else 1.0)
        u = (measures.x[rows] - centre[image, 0]) / half[image, 0]
        v = (measures.y[rows] - centre[image, 1]) / half[image, 1]
        number = np.bincount(image, minlength=len(images))
        return cls(image, mean, measures.mag[rows], np.nan_to_num(err, nan=0.05), u, v,
                   centre, half, number, unique % n_groups)  # fmt: skip


@dataclass(frozen=True, eq=False)
class _Solution:
    coefficients: FloatArray
    residual: FloatArray
    weight: FloatArray
    scatter: FloatArray


def _affordable(number: IntArray, most: int) -> IntArray:
    """Highest degree for which an image has enough stars: (m,) array."""
    degree = np.zeros(len(number), np.int64)
    for d in range(1, most + 1):
        degree[number >= _PER_TERM * n_terms(d)] = d
    return degree


def _solve(frame: _Frame, degrees: IntArray, progress: Progress | None, done: float) -> _Solution:
    """Robust least squares for means and coefficients together."""
    from scipy import sparse
    from scipy.sparse.linalg import lsmr

    m, n_means, n = len(degrees), len(frame.group), len(frame.mag)
    width = n_terms(int(degrees.max(initial=0)))
    columns = terms(frame.u, frame.v, width) * (
        np.arange(width)[None] < ((degrees + 1) * (degrees + 2) // 2)[frame.image][:, None]
    )
    place = np.concatenate([n_means + frame.image[:, None] * width + np.arange(width),
                            frame.mean[:, None]], axis=1)  # fmt: skip
    values = np.concatenate([columns, np.ones((n, 1))], axis=1)
    pointer = np.arange(0, n * (width + 1) + 1, width + 1)
    design = sparse.csr_matrix((values.ravel(), place.ravel(), pointer),
                               shape=(n, n_means + m * width))  # fmt: skip
    slopes = n_means + np.arange(m * width).reshape(m, width)[:, 1:].ravel()
    prior = sparse.csr_matrix(
        (np.full(len(slopes), 1 / _SLOPE), (np.arange(len(slopes)), slopes)),
        shape=(len(slopes), n_means + m * width),
    )
    guess = np.zeros(n_means + m * width)
    guess[:n_means] = group_median(frame.mean, frame.mag, n_means)
    weight = 1 / (frame.err**2 + _FLOOR**2)
    scatter, residual = np.zeros(n_means), np.zeros(n)
    for i in range(_ROUNDS):
        if progress is not None:
            progress(done + 0.5 * i / _ROUNDS, "zero points of the images")
        root = np.sqrt(weight)
        scaled = sparse.diags(root) @ design
        both = sparse.vstack([scaled, prior])
        target = np.concatenate([root * (frame.mag - design @ guess), -(prior @ guess)])
        step = lsmr(both, target, atol=1e-8, btol=1e-8, maxiter=500)[0]
        guess = guess + step
        residual = frame.mag - design @ guess
        scatter = _own_scatter(frame, residual, n_means)
        variance = frame.err**2 + _FLOOR**2 + scatter[frame.mean] ** 2
        far = np.abs(residual) / np.sqrt(variance)
        weight = np.minimum(1.0, _HUBER / np.maximum(far, 1e-9)) / variance
    return _Solution(guess[n_means:].reshape(m, width), residual, weight, scatter)


def _own_scatter(frame: _Frame, residual: FloatArray, n: int) -> FloatArray:
    """What each star scatters beyond its quoted errors: (n,) array of magnitudes."""
    total = (MAD_TO_SIGMA * group_median(frame.mean, np.abs(residual), n)) ** 2
    count = np.bincount(frame.mean, minlength=n)
    # Of few measures the least squares leave less than there was.
    total *= count / np.maximum(count - 1, 0.5)
    return np.sqrt(np.maximum(total - group_median(frame.mean, frame.err**2, n), 0))


def _wanted_degrees(frame: _Frame, solution: _Solution, group: IntArray) -> IntArray:
    """Degree that the residuals of each camera and filter want: (groups,) array."""
    n_groups = int(group.max(initial=-1)) + 1
    gain = np.zeros((n_groups, _AUTOMATIC + 1))
    width = n_terms(_AUTOMATIC)
    rows = terms(frame.u, frame.v, width)
    order = np.argsort(frame.image, kind="stable")
    borders = np.searchsorted(frame.image[order], np.arange(len(group) + 1))
    affordable = _affordable(frame.number, _AUTOMATIC)
    for i in range(len(group)):
        mine = order[borders[i] : borders[i + 1]]
        root = np.sqrt(solution.weight[mine])
        target = root * solution.residual[mine]
        for d in range(1, affordable[i] + 1):
            design = root[:, None] * rows[mine, : n_terms(d)]
            left = target - design @ np.linalg.lstsq(design, target, rcond=None)[0]
            drop = float(target @ target - left @ left)
            gain[group[i], d] += drop - (n_terms(d) - 1) * np.log(len(mine))
    return np.asarray(np.argmax(gain, axis=1))


def _anchored(frame: _Frame, solution: _Solution, degrees: IntArray, images: Images) -> ZeroPoints:
    """Covariances, and zero points whose median over connected images of a camera is 0."""
    m, width = solution.coefficients.shape
    coefficients = solution.coefficients.copy()
    covariance = np.zeros((m, width, width))
    scatter = np.full(m, np.nan)
    rows = terms(frame.u, frame.v, width)
    alone = np.bincount(images.group, minlength=1)[images.group] == 1
    order = np.argsort(frame.image, kind="stable")
    borders = np.searchsorted(frame.image[order], np.arange(m + 1))
    for i in range(m):
        mine = order[borders[i] : borders[i + 1]]
        if len(mine) < FEWEST:
            # An image that is alone of its camera and filter defines their zero point.
            coefficients[i] = 0.0 if alone[i] else np.nan
            continue
        k = n_terms(int(degrees[i]))
        design = np.sqrt(solution.weight[mine])[:, None] * rows[mine, :k]
        left = np.sqrt(solution.weight[mine]) * solution.residual[mine]
        excess = max(float(left @ left) / max(len(mine) - k, 1), 1.0)
        covariance[i, :k, :k] = excess * np.linalg.pinv(design.T @ design)
        scatter[i] = MAD_TO_SIGMA * np.median(np.abs(solution.residual[mine]))
    part, remarks = _components(frame, images)
    for one in np.unique(part[part >= 0]):
        its = part == one
        coefficients[its, 0] -= np.nanmedian(coefficients[its, 0])
    degree = np.where(np.isfinite(coefficients[:, 0]), degrees, -1)
    lost = [name for name, d in zip(images.name, degree, strict=True) if d < 0]
    why = f"left out: fewer than {FEWEST} good stars in common with the others of its camera"
    errors = tuple(f"exposure {name}: {why}" for name in lost)
    return ZeroPoints(degree, coefficients, covariance, frame.centre, frame.half,
                      frame.number, scatter, tuple(remarks), errors)  # fmt: skip


def _components(frame: _Frame, images: Images) -> tuple[IntArray, list[str]]:
    """Sets of images of a camera and filter that stars connect: number of each image's, -1 none."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    m, n = len(images), len(frame.group)
    links = sparse.coo_matrix(
        (np.ones(len(frame.image)), (frame.image, m + frame.mean)), shape=(m + n, m + n)
    )
    _, label = connected_components(links, directed=False)
    part = np.where(frame.number >= FEWEST, label[:m], -1)
    remarks = []
    for number, (camera, band) in enumerate(images.groups):
        sets = np.unique(part[(images.group == number) & (part >= 0)])
        if len(sets) > 1:
            which = " ".join(filter(None, (camera, band))) or "the images"
            remarks.append(f"{which}: {len(sets)} sets of images have no stars in common")
    return part, remarks
