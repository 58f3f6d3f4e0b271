"""Clusters in images measured by a model: at listed places, or wherever it finds some."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from filar.clusters.catalog import build_catalog, parameter_columns
from filar.clusters.cutouts import Cutouts
from filar.clusters.cutting import cut
from filar.clusters.detect import THRESHOLD, Found, filled, one_each, peaks, recentred
from filar.clusters.images import ClusterImages
from filar.clusters.posterior import PARAMETERS, Predictions
from filar.errors import ParameterError
from filar.flags import Flag

if TYPE_CHECKING:
    from astropy.table import QTable

    from filar.clusters.pmap import PMap

FloatArray = NDArray[np.float64]
Progress = Callable[[float, str], None]

AT_ONCE = 512
"""Clusters whose cutouts are in memory together."""
NEAR = 5.0
"""Pixels within which another cluster is a neighbour."""
DRAWS = 1000
_UNMEASURED = int(Flag.OFF_IMAGE)


class Takes(Protocol):
    """What cutouts a model takes."""

    @property
    def bands(self) -> tuple[str, ...]:
        """Filters in order."""

    @property
    def size(self) -> int:
        """Pixels on a cutout's side."""

    @property
    def pixel_scale(self) -> float:
        """Arcsec per pixel."""


class Model(Protocol):
    """What measuring needs of a model; `filar.clusters.estimator.ClusterModel` has it."""

    @property
    def inputs_(self) -> Takes:
        """Which cutouts it takes."""

    def predict(self, cutouts: Cutouts, draws: int = ..., *, seed: int = ...) -> Predictions:
        """Say what is in cutouts."""

    def p_map(
        self, flux: NDArray[np.float32], *, progress: Callable[[float], None] | None = ...
    ) -> PMap:
        """Say where in images clusters are likely."""


@dataclass(frozen=True, eq=False)
class Measured:
    """What was found.

    Parameters
    ----------
    table : QTable
        The catalogue, see `filar.clusters.catalog`.
    samples : (n, draws, 4) float32 array or None
        Draws from the posteriors, NaN for clusters that were not measured; None if not kept.
    """

    table: QTable
    samples: NDArray[np.float32] | None

    def select(self, keep: NDArray[np.bool_]) -> Measured:
        """Keep some clusters; they are numbered anew from 1.

        Parameters
        ----------
        keep : (n,) bool array
            Which.

        Returns
        -------
        Measured
        """
        chosen = np.asarray(keep, bool)
        table = self.table[chosen]
        table["id"] = np.arange(1, len(table) + 1)
        table["id"].info.description = self.table["id"].info.description
        return Measured(table, None if self.samples is None else self.samples[chosen])


def measure(
    images: ClusterImages,
    model: Model,
    x: FloatArray,
    y: FloatArray,
    *,
    id: NDArray[np.int64] | None = None,
    extra: dict[str, NDArray[Any]] | None = None,
    meta: dict[str, Any] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
    keep: bool = False,
    progress: Progress | None = None,
) -> Measured:
    """Measure clusters at given places.

    Parameters
    ----------
    images : ClusterImages
        Of the model's bands and pixel scale.
    model : Model
        The model.
    x, y : (n,) arrays
        Places, pixels.
    id : (n,) int array, optional
        Numbers; 1, 2 ... by default.
    extra : dict, optional
        Further columns, such as ``name``.
    meta : dict, optional
        Facts for the table.
    draws : int
        From each posterior.
    seed : int
        Of the draws.
    keep : bool
        Whether to keep the draws.
    progress : callable, optional
        Told which part is done.

    Returns
    -------
    Measured
        A row for each place; where nothing could be measured all figures are NaN.

    Raises
    ------
    ParameterError
        If the images are others than the model takes, or the arrays differ in length.
    """
    takes = model.inputs_
    if images.bands != takes.bands:
        allowed = f"the model's: {', '.join(takes.bands)}"
        raise ParameterError("images", f"in {', '.join(images.bands)}", allowed)
    x, y, n = np.asarray(x, float), np.asarray(y, float), len(x)
    samples = np.full((n, draws, len(PARAMETERS)), np.nan, np.float32) if keep else None
    pieces = []
    for start in range(0, n, AT_ONCE) or [0]:
        rows = slice(start, start + AT_ONCE)
        columns, drawn = _piece(images, model, x[rows], y[rows], draws, seed + start)
        pieces.append(columns)
        if samples is not None:
            samples[rows] = drawn
        if progress is not None:
            progress(min(start + AT_ONCE, n) / max(n, 1), "measuring")
    table = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    table |= {"x": x, "y": y, "id": np.arange(1, n + 1) if id is None else id, **(extra or {})}
    table["ra"], table["dec"] = _on_sky(images, x, y)
    table["flags"] = table["flags"] | _neighbours(x, y)
    facts = {"images": list(images.facts), "pixel_scale_arcsec": images.pixel_scale}
    return Measured(build_catalog(table, (meta or {}) | facts), samples)


def _piece(
    images: ClusterImages, model: Model, x: FloatArray, y: FloatArray, draws: int, seed: int
) -> tuple[dict[str, NDArray[Any]], NDArray[np.float32]]:
    """Columns of some clusters, and their draws."""
    cutouts = cut(images, x, y, model.inputs_.size)
    good = np.flatnonzero((cutouts.flags & _UNMEASURED) == 0)
    found = model.predict(cutouts.select(good), draws, seed=seed) if len(good) else _none(draws)
    values: dict[str, NDArray[Any]] = parameter_columns(found)
    values |= {"p_cluster": found.p_cluster, "snr": 10.0**found.log_snr}
    columns: dict[str, NDArray[Any]] = {}
    for name, known in values.items():
        columns[name] = np.full(len(x), np.nan)
        columns[name][good] = known
    columns["in_domain"] = np.zeros(len(x), bool)
    columns["in_domain"][good] = found.in_domain
    outside = np.zeros(len(x), np.int32)
    outside[good[~found.in_domain]] = int(Flag.OUTSIDE_DOMAIN)
    columns["flags"] = cutouts.flags | outside
    samples = np.full((len(x), draws, len(PARAMETERS)), np.nan, np.float32)
    samples[good] = found.samples
    return columns, samples


def _none(draws: int) -> Predictions:
    nothing = np.empty((0, draws, len(PARAMETERS)), np.float32)
    return Predictions(nothing, np.empty(0), np.empty(0), np.empty(0, bool))


def _on_sky(images: ClusterImages, x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    ra, dec = np.full(len(x), np.nan), np.full(len(x), np.nan)
    good = np.isfinite(x + y)
    if images.wcs is not None and good.any():
        ra[good], dec[good] = images.wcs.all_pix2world(x[good], y[good], 0)
    return ra, dec


def _neighbours(x: FloatArray, y: FloatArray) -> NDArray[np.int32]:
    from scipy.spatial import cKDTree

    flags = np.zeros(len(x), np.int32)
    good = np.flatnonzero(np.isfinite(x + y))
    if len(good) > 1:
        tree = cKDTree(np.column_stack([x[good], y[good]]))
        flags[good[tree.query_pairs(NEAR, output_type="ndarray").ravel()]] = int(Flag.NEIGHBOUR)
    return flags


def detect(
    images: ClusterImages,
    model: Model,
    *,
    threshold: float = THRESHOLD,
    progress: Progress | None = None,
) -> Found:
    """Find clusters in images.

    Peaks of the model's map of probability, moved onto the light there.

    Parameters
    ----------
    images : ClusterImages
        Of the model's bands and pixel scale.
    model : Model
        The model.
    threshold : float
        Least probability in the map, whose places are 4 pixels apart: candidates, not more.
    progress : callable, optional
        Told which part is done.

    Returns
    -------
    Found
        The most probable first; no two closer than `filar.clusters.detect.APART`, none where a
        band has no usable pixels.

    Raises
    ------
    ParameterError
        If the images are too small or others than the model takes.
    """
    told = None if progress is None else (lambda part: progress(part, "looking for clusters"))
    found = peaks(model.p_map(filled(images), progress=told), threshold)
    x, y = recentred(images, found.x, found.y)
    found = one_each(Found(x, y, found.p))
    off = cut(images, found.x, found.y, 2 * int(NEAR)).flags & _UNMEASURED
    return found.select(off == 0)
