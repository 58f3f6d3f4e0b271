"""What the networks of the experiment give, and what they are to be compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.c23.sample import Made
from experiments.trials.folder import read_json, write_json
from experiments.trials.training import model_path, training_speed
from filar.centering.estimator import StarCenterer
from filar.centering.evaluate import Table3Row, table3
from filar.centering.limits import raster_bound
from filar.flags import Flag
from filar.frames.truth import mapped_errors
from filar.stamps.cut import crop
from filar.stamps.labels import TEST, Labels
from filar.stamps.store import StampStore

FloatArray = NDArray[np.float64]
BOUND = "bound"
FITTED, TRUE = "classic, fitted PSF", "classic, true PSF"
CLASSICS = (TRUE, FITTED)
DRAWS = 20
WELL_MEASURED = 30.0
"""Signal to noise of the stars that define maps."""
ANY = 0
"""The size of what does not depend on the rasters' size."""


@dataclass(frozen=True)
class Row:
    """Standard deviations of differences from the truth: one trial, or what it is compared with.

    Parameters
    ----------
    magnitudes, chip : str
        The sample.
    method : str
        Name of a recipe, `BOUND`, or one of `CLASSICS`.
    size : int
        Of the rasters, pixels; `ANY` for the classic fits.
    repeat : int
        Number of the division into parts, from 0.
    x, y, x_err, y_err : float
        After 3-sigma clipping, mpix.
    number : int
        Stars in the range of magnitudes.
    speed : float
        Stamps per second of training; NaN where there is none.
    """

    magnitudes: str
    chip: str
    method: str
    size: int
    repeat: int
    x: float
    y: float
    x_err: float
    y_err: float
    number: int
    speed: float = float("nan")


def trial_row(
    made: Made, store: Path, models: Path, name: str, *, method: str, size: int, repeat: int
) -> Row:
    """Judge a trained network by the stars that it has not seen.

    Parameters
    ----------
    made : Made
        The sample.
    store : Path
        The network's stamps.
    models : Path
        Folder of the trained networks.
    name : str
        The trial's.
    method, size, repeat
        See `Row`.

    Returns
    -------
    Row
    """
    kept = models / f"{name}-row.json"
    if not kept.exists():
        held = StampStore.open(store)
        stamps, labels = held.read(held.rows(TEST))
        found = StarCenterer.load(model_path(models, name)).predict(stamps)
        dx = found.x - stamps.corner_x - labels.x
        dy = found.y - stamps.corner_y - labels.y
        write_json(kept, asdict(_judge(made, labels, dx, dy)))
    values = read_json(kept)
    speed = training_speed(models, name)
    return _row(made, Table3Row(**values), method, size, repeat, speed=speed)


def comparisons(made: Made, sizes: Sequence[int]) -> list[Row]:
    """The classic fits of all stars of a sample, and the bound for each size of raster.

    Parameters
    ----------
    made : Made
        The sample.
    sizes : sequence of int
        Pixels.

    Returns
    -------
    list of Row
        The bound is what Gaussian errors as small as the true PSF allows would give.
    """
    rows = []
    for method, store in ((TRUE, made.with_truth), (FITTED, made.stamps)):
        _, labels = store.read()
        rows.append(_row(made, _judge(made, labels, *_classic(store)), method, ANY))
    stamps, labels = made.with_truth.read()
    stamps = replace(stamps, flux=made.true_flux(labels).astype(np.float32))
    rng = np.random.default_rng(0)
    for size in sizes:
        small, known = crop(stamps, labels, size)
        bounds = raster_bound(small, known.x.astype(float), known.y.astype(float))
        drawn = (np.tile(b, DRAWS) * rng.normal(size=DRAWS * len(b)) for b in bounds)
        judged = _judge(made, labels[np.tile(np.arange(len(labels)), DRAWS)], *drawn)
        judged = replace(judged, x_err=0.0, y_err=0.0, number=judged.number // DRAWS)
        rows.append(_row(made, judged, BOUND, size))
    return rows


def _classic(store: StampStore) -> tuple[FloatArray, FloatArray]:
    """Errors of classic positions after a cubic map: where a fitted PSF's centre is, is custom."""
    stamps, labels = store.read()
    good = (labels.snr >= WELL_MEASURED) & ((labels.flags & int(Flag.SATURATED)) == 0)
    corners = stamps.corner_x.astype(float), stamps.corner_y.astype(float)
    found = labels.x_classic + corners[0], labels.y_classic + corners[1]
    true = labels.x + corners[0], labels.y + corners[1]
    good &= np.isfinite(found[0]) & np.isfinite(found[1])
    return mapped_errors(*found, *true, good)


def _judge(made: Made, labels: Labels, dx: FloatArray, dy: FloatArray) -> Table3Row:
    """3-sigma clipped standard deviations within C23's range of (true) magnitudes, pixels."""
    low, high = (-2.5 * np.log10(flux) for flux in reversed(made.sample.flux_range))
    return table3(dx, dy, -2.5 * np.log10(made.true_flux(labels)), (low, high))


def _row(
    made: Made, judged: Table3Row, method: str, size: int, repeat: int = 0, **facts: float
) -> Row:
    sample = made.sample
    mpix = [1e3 * value for value in (judged.x, judged.y, judged.x_err, judged.y_err)]
    return Row(sample.magnitudes, sample.chip, method, size, repeat, *mpix, judged.number, **facts)
