"""Where in magnitude each band begins and ceases to find stars: a first guess for the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

FloatArray = NDArray[np.float64]
BEYOND = 1.0
"""Magnitudes outside the data at which an edge is put that the data do not show."""


@dataclass(frozen=True, eq=False)
class Edges:
    """Steps that best part the stars found from those lost, band by band.

    Parameters
    ----------
    faint, bright : (b,) arrays
        Magnitudes, in the batch's zero point; outside the data where a band loses none there.
    faintest, brightest : (b,) arrays
        The ends of the data.
    """

    faint: FloatArray
    bright: FloatArray
    faintest: FloatArray
    brightest: FloatArray


def guess_edges(batch: dict[str, Tensor]) -> Edges:
    """Find the steps.

    Parameters
    ----------
    batch : dict of str to tensor
        All training stars: ``mag``, ``mag_known``, ``found`` (n, b), ``recovered`` (n,).

    Returns
    -------
    Edges

    Notes
    -----
    A star that was found in all bands and yet lost by a cut counts as lost in each of them, one
    that was recovered as found in each. The steps have the fewest stars on the wrong side: the
    faint one among the fainter half, the bright one among the brighter half.
    """
    mag = batch["mag"].double().numpy()
    known, seen, recovered = (
        batch[name].numpy().astype(bool) for name in ("mag_known", "found", "recovered")
    )
    seen = recovered[:, None] | (seen & ~seen.all(axis=1, keepdims=True))
    bands = [_steps(mag[known[:, b], b], seen[known[:, b], b]) for b in range(mag.shape[1])]
    return Edges(*np.array(bands).T)


def _steps(mag: FloatArray, seen: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    order = np.argsort(mag, kind="stable")
    mag, seen = mag[order], seen[order]
    half = len(mag) // 2
    bright = _most_wrong_before(seen[:half][::-1])
    faint = _most_wrong_before(seen[half:])
    return (
        mag[half + faint] if half + faint < len(mag) else mag[-1] + BEYOND,
        mag[half - bright] if bright < half else mag[0] - BEYOND,
        mag[-1],
        mag[0],
    )


def _most_wrong_before(seen: NDArray[np.bool_]) -> int:
    """How many stars a step keeps, counted from the middle outwards, to be wrong least often."""
    lost_inside = np.concatenate([[0], np.cumsum(~seen)])
    found_outside = seen.sum() - np.concatenate([[0], np.cumsum(seen)])
    wrong = lost_inside + found_outside
    # of equally good steps the outermost
    return int(len(wrong) - 1 - np.argmin(wrong[::-1]))
