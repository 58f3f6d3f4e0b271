"""Many stars: means for most at once, a Gaussian process for some, in processes of their own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from filar.errors import FilarError
from filar.lightcurve.process import Process
from filar.lightcurve.settings import LightCurveSettings
from filar.lightcurve.solve import Curve, Solution, faintest, offsets_of, solve_curve
from filar.robust import MAD_TO_SIGMA
from filar.threads import one_blas_thread

Progress = Callable[[float, str], None]
_TEXT = "inter-calibrating stars"
_NOTHING = Process(0.0, float("nan"), 0.0)
_AT_ONCE = 8  # stars that are handed to a worker together


def solve_many(
    curves: Sequence[Curve | None],
    chosen: NDArray[np.bool_],
    search: NDArray[np.bool_],
    settings: LightCurveSettings,
    progress: Progress | None = None,
) -> list[Solution | None]:
    """Solve the light curves of many stars.

    Parameters
    ----------
    curves : sequence of Curve or None
        Of s stars.
    chosen : (s,) bool array
        Stars that a Gaussian process is for; the others get means.
    search : (s,) bool array
        Stars whose period is searched for, if the settings want that.
    settings : LightCurveSettings
        How, and by how many processes.
    progress : callable, optional
        Called with the part done, 0 to 1, and a text.

    Returns
    -------
    list of Solution or None
        None where there is no curve.

    Raises
    ------
    FilarError
        If a worker dies.
    """
    solutions: list[Solution | None] = [
        None if curve is None or wanted else _by_means(curve, settings)
        for curve, wanted in zip(curves, chosen, strict=True)
    ]
    work: list[tuple[int, Curve, bool]] = [
        (i, curve, bool(search[i]) and settings.periods)
        for i, curve in enumerate(curves)
        if curve is not None and chosen[i]
    ]
    parts = [work[k : k + _AT_ONCE] for k in range(0, len(work), _AT_ONCE)]
    if settings.workers > 1 and len(parts) > 1:
        done = _in_processes(parts, settings, progress)
    else:
        done = []
        for k, part in enumerate(parts):
            for j, one in enumerate(part):
                if progress is not None:
                    progress((k * _AT_ONCE + j) / len(work), _TEXT)
                done += _solve_part([one], settings)
    for i, solution in done:
        solutions[i] = solution
    return solutions


@one_blas_thread
def _solve_part(
    part: list[tuple[int, Curve, bool]], settings: LightCurveSettings
) -> list[tuple[int, Solution]]:
    return [(i, solve_curve(curve, settings, search=search)) for i, curve, search in part]


def _in_processes(
    parts: list[list[tuple[int, Curve, bool]]],
    settings: LightCurveSettings,
    progress: Progress | None,
) -> list[tuple[int, Solution]]:
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    done: list[tuple[int, Solution]] = []
    with ProcessPoolExecutor(settings.workers, get_context("spawn")) as pool:
        futures = [pool.submit(_solve_part, part, settings) for part in parts]
        try:
            for number, future in enumerate(as_completed(futures), start=1):
                done += future.result()
                if progress is not None:
                    progress(number / len(parts), _TEXT)
        except BrokenProcessPool as error:
            raise FilarError("a worker process died: give fewer --workers") from error
    return done


def _by_means(curve: Curve, settings: LightCurveSettings) -> Solution:
    """Weighted means of cameras and filters, for stars that do not vary."""
    groups, member = np.unique(curve.group, return_inverse=True)
    g = len(groups)
    left = curve.mag - np.array([np.median(curve.mag[member == k]) for k in range(g)])[member]
    rejected = np.zeros(len(curve), bool)
    if settings.reject == "faintest":
        rejected = faintest(left, member)
    elif settings.reject == "gp" and len(curve) > 3:
        scale = np.hypot(curve.mag_err, MAD_TO_SIGMA * np.median(np.abs(left)))
        rejected = np.abs(left) > settings.clip * scale
    weight = np.where(rejected, 1e-12, 1.0) / curve.mag_err**2
    total = np.bincount(member, weight, g)
    means = np.bincount(member, weight * curve.mag, g) / total
    offsets, errors = offsets_of(means, np.diag(1 / total))
    return Solution(groups, means, 1 / np.sqrt(total), offsets, errors, rejected, _NOTHING)
