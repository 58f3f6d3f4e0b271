"""Scatter of the light curves of constant stars, as Winecki & Kochanek (2024, figure 4) judge it.

A light curve is one star's in one camera and filter: medians of the exposures of each epoch. Its
dispersion is half of its 15-85% range, and of few epochs that is too small: it is divided by what
it would be of so many Gaussian values. All methods are compared on the same stamps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.robust import dispersion, dispersion_of_few, group_medians
from filar.saturation.judged import DEX, BoolArray, FloatArray, IntArray, Judged

LEAST_EPOCHS = 10
"""Epochs of a light curve that is judged; the paper has 50."""

DRAWS = 400


@dataclass(frozen=True, eq=False)
class Dispersions:
    """Dispersions of light curves by several methods, from the same stamps.

    Parameters
    ----------
    star : (n,) int array
        Whose light curve it is.
    camera, filter : (n,) arrays of str
        In which it was seen.
    mag : (n,) array
        True magnitude: median over its stamps.
    saturated : (n,) bool array
        Whether at least half of its stamps are saturated.
    epochs : (n,) int array
        That it has.
    values : dict of str to (n,) array
        By method, magnitudes: as of many epochs.
    told : dict of str to (n,) array
        By method: part of all its stamps that the method gives a magnitude for.
    """

    star: IntArray
    camera: NDArray[np.str_]
    filter: NDArray[np.str_]
    mag: FloatArray
    saturated: BoolArray
    epochs: IntArray
    values: Mapping[str, FloatArray]
    told: Mapping[str, FloatArray]

    def __len__(self) -> int:
        return len(self.star)


@dataclass(frozen=True)
class MedianDispersion:
    """The typical dispersion of some light curves.

    Attributes
    ----------
    method : str
        Its name.
    curves : int
        Light curves.
    median, median_err : float
        Magnitudes, with the bootstrap error over stars; NaN without light curves.
    ratio, ratio_err : float
        Over the median of the method it is compared with, and its error.
    """

    method: str
    curves: int
    median: float
    median_err: float
    ratio: float = np.nan
    ratio_err: float = np.nan

    def figures(self) -> dict[str, Any]:
        """All of them by name."""
        return asdict(self)


def curve_dispersions(
    judged: Judged, answers: Mapping[str, FloatArray], *, least: int = LEAST_EPOCHS
) -> Dispersions:
    """Dispersions of the light curves of constant stars.

    Parameters
    ----------
    judged : Judged
        n stamps with zero points, of images whose epochs are known.
    answers : mapping of str to (n,) array
        By method, log10 of the electrons; NaN without an estimate.
    least : int
        Epochs that a light curve has at least.

    Returns
    -------
    Dispersions
        Of the stamps for which all methods give a magnitude, except methods that give none for a
        light curve: these have NaN there, and the others are compared without them.

    Raises
    ------
    ParameterError
        If the epochs are not known, or an answer has another length.
    """
    if not len(judged.epoch):
        raise ParameterError("epoch", "unknown", "the epochs of all images")
    for name, values in answers.items():
        if np.shape(values) != (len(judged),):
            raise ParameterError("answers", f"{np.shape(values)} of {name}", f"({len(judged)},)")
    pairs = list(zip(judged.cameras, judged.filters, strict=True))
    kinds = {pair: k for k, pair in enumerate(dict.fromkeys(pairs))}
    kind = np.array([kinds[pair] for pair in pairs], np.int64)[judged.image]
    epoch = judged.epoch[judged.image]
    usable = ~judged.variable & (epoch >= 0) & np.isfinite(judged.zero_point + judged.log_n)
    rows = np.flatnonzero(usable)
    _, curve = np.unique(
        np.stack([judged.star[rows], kind[rows]], axis=1), axis=0, return_inverse=True
    )
    found = []
    order = np.argsort(curve, kind="stable")
    borders = np.flatnonzero(np.diff(curve[order])) + 1
    for own in np.split(rows[order], borders) if len(rows) else []:
        one = _one_curve(judged, own, epoch[own], answers, least)
        if one is not None:
            found.append({**one, "kind": list(kinds)[kind[own[0]]], "star": judged.star[own[0]]})
    return Dispersions(
        np.array([one["star"] for one in found], np.int64),
        np.array([one["kind"][0] for one in found], np.str_),
        np.array([one["kind"][1] for one in found], np.str_),
        np.array([one["mag"] for one in found], float),
        np.array([one["saturated"] for one in found], bool),
        np.array([one["epochs"] for one in found], np.int64),
        {name: np.array([one["values"][name] for one in found], float) for name in answers},
        {name: np.array([one["told"][name] for one in found], float) for name in answers},
    )


def _one_curve(
    judged: Judged, rows: IntArray, epoch: IntArray, answers: Mapping[str, FloatArray], least: int
) -> dict[str, Any] | None:
    """Dispersions of one light curve by all methods that have enough of it."""
    told = {name: np.isfinite(values[rows]) for name, values in answers.items()}
    full = {
        name: len(np.unique(epoch[given])) >= least and given.mean() >= 0.5
        for name, given in told.items()
    }
    shared = np.ones(len(rows), bool)
    for name, given in told.items():
        shared &= given | (not full[name])
    if not any(full.values()) or len(np.unique(epoch[shared])) < least:
        return None
    values, few = {}, dispersion_of_few(len(np.unique(epoch[shared])))
    for name in answers:
        mag = judged.zero_point[rows] - DEX * answers[name][rows]
        medians = group_medians(epoch[shared], mag[shared])[1]
        values[name] = dispersion(medians) / few if full[name] else float("nan")
    return {
        "values": values,
        "told": {name: float(given.mean()) for name, given in told.items()},
        "mag": float(np.median(judged.mag[rows])),
        "saturated": bool(judged.saturated[rows].mean() >= 0.5),
        "epochs": len(np.unique(epoch[shared])),
    }


def median_dispersions(
    found: Dispersions, rows: NDArray[np.bool_], reference: str = "", *, seed: int = 0
) -> list[MedianDispersion]:
    """Typical dispersions of some light curves, and their ratios to one method's.

    Parameters
    ----------
    found : Dispersions
        Of n light curves.
    rows : (n,) bool array
        Those that count.
    reference : str
        Method to compare with, on the light curves that both have; none by default.
    seed : int
        Of the bootstrap.

    Returns
    -------
    list of MedianDispersion
        One per method.

    Raises
    ------
    ParameterError
        If there is no such method.
    """
    if reference and reference not in found.values:
        raise ParameterError("reference", reference, f"one of {', '.join(found.values)}")
    medians = []
    for name, values in found.values.items():
        good = rows & np.isfinite(values)
        if not good.any():
            medians.append(MedianDispersion(name, 0, float("nan"), float("nan")))
            continue
        boot = _bootstrap(found.star[good], values[good][:, None], seed)
        own = MedianDispersion(
            name, int(good.sum()), float(np.median(values[good])), float(boot[:, 0].std())
        )
        medians.append(_with_ratio(own, found, good, reference, seed) if reference else own)
    return medians


def _with_ratio(
    own: MedianDispersion, found: Dispersions, good: BoolArray, reference: str, seed: int
) -> MedianDispersion:
    both = good & np.isfinite(found.values[reference])
    if not both.any():
        return own
    pair = np.stack([found.values[own.method][both], found.values[reference][both]], axis=1)
    ours, theirs = np.median(pair, axis=0)
    boot = _bootstrap(found.star[both], pair, seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio, spread = ours / theirs, float(np.std(boot[:, 0] / boot[:, 1]))
    return MedianDispersion(**{**asdict(own), "ratio": float(ratio), "ratio_err": spread})


def _bootstrap(star: IntArray, values: FloatArray, seed: int) -> FloatArray:
    """Medians (draws, m) of values (n, m) with the stars drawn anew."""
    _, index = np.unique(star, return_inverse=True)
    groups = np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1])
    rng = np.random.default_rng(seed)
    found = np.empty((DRAWS, values.shape[1]))
    for k in range(DRAWS):
        rows = np.concatenate([groups[g] for g in rng.integers(0, len(groups), len(groups))])
        found[k] = np.median(values[rows], axis=0)
    return found


def epochs_from_times(
    mjd: FloatArray, cameras: tuple[str, ...], filters: tuple[str, ...], *, gap: float = 0.02
) -> IntArray:
    """Number the epochs: images of one camera and filter taken one right after the other.

    Parameters
    ----------
    mjd : (n,) array
        Days; NaN unknown.
    cameras, filters : tuple of str
        Of n images.
    gap : float
        Days from one exposure to the next above which another epoch begins.

    Returns
    -------
    (n,) int array
        -1 where the time is unknown.
    """
    mjd = np.asarray(mjd, float)
    epoch, number = np.full(len(mjd), -1, np.int64), 0
    pairs = np.array([f"{c}\n{f}" for c, f in zip(cameras, filters, strict=True)], np.str_)
    for pair in dict.fromkeys(pairs.tolist()):
        rows = np.flatnonzero((pairs == pair) & np.isfinite(mjd))
        rows = rows[np.argsort(mjd[rows], kind="stable")]
        if len(rows):
            later = np.cumsum(np.diff(mjd[rows], prepend=mjd[rows[0]]) > gap)
            epoch[rows] = number + later
            number += int(later[-1]) + 1
    return epoch
