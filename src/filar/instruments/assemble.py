"""The last step of every reader: pixel values and bad pixels become an Exposure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError
from filar.exposure import BoolImage, Exposure
from filar.instruments.fits import warn
from filar.instruments.options import ReadOptions

# A run of saturated pixels this long has overflowed along its column; the pixel beyond either end
# holds part of that charge without being saturated.
BLEED_RUN = 5


def make_exposure(
    path: Path,
    electrons: NDArray[np.float32],
    *,
    bad: BoolImage,
    saturated: BoolImage,
    edge: BoolImage,
    facts: Mapping[str, Any],
    options: ReadOptions,
    grow: bool = True,
) -> Exposure:
    """Build the exposure of one chip and check that something of it can be used.

    Parameters
    ----------
    path : Path
        The file.
    electrons : (ny, nx) float32 array
        Pixel values; may hold NaN. Changed in place.
    bad, saturated, edge : (ny, nx) bool arrays
        True where a pixel is unusable, saturated, outside of the field of view.
    facts : mapping
        Further fields of :class:`~filar.exposure.Exposure`.
    options : ReadOptions
        Of which the exposure time, filter and pixel scale take precedence over `facts`.
    grow : bool
        Whether to add the ends of bleed trails; not where the mask has a margin of its own.

    Returns
    -------
    Exposure
        With finite data, 0 where masked.

    Raises
    ------
    InputFileError
        If every pixel is NaN or masked.
    """
    finite = np.isfinite(electrons)
    label = f"chip {facts['chip']}: " if facts.get("chip") else ""
    if not finite.any():
        raise InputFileError(path, f"{label}every pixel is NaN", "an image with values")
    mask = bad | edge | ~finite
    saturated = saturated & ~edge
    if grow:
        saturated = grow_bleeding(saturated) & ~edge
    if (mask | saturated).all():
        raise InputFileError(
            path, f"{label}every pixel is masked or saturated", "at least some usable pixels"
        )
    electrons[mask] = 0
    fields = dict(facts)
    for name in ("exposure_time", "filter", "pixel_scale"):
        value = getattr(options, name)
        if value is not None:
            fields[name] = value
    return Exposure(data=electrons, mask=mask, saturated=saturated, edge=edge, path=path, **fields)


def usable_chips(path: Path, readers: Sequence[Callable[[], Exposure]]) -> list[Exposure]:
    """Read several chips; one that cannot be used costs a warning while others can.

    Parameters
    ----------
    path : Path
        The file, for messages.
    readers : sequence of callables
        Each reads one chip.

    Returns
    -------
    list of Exposure
        Those that can be used.

    Raises
    ------
    InputFileError
        What the first chip raised, if none can be used.
    """
    exposures: list[Exposure] = []
    failures: list[InputFileError] = []
    for reader in readers:
        try:
            exposures.append(reader())
        except InputFileError as error:
            failures.append(error)
    if failures and not exposures:
        raise failures[0]
    for failure in failures:
        warn(str(failure), "this chip is left out")
    return exposures


def grow_bleeding(saturated: BoolImage, run: int = BLEED_RUN) -> BoolImage:
    """Add the pixel beyond either end of each long vertical run of saturated pixels.

    Parameters
    ----------
    saturated : (ny, nx) bool array
        Saturated pixels.
    run : int
        Shortest run, in pixels, that counts as charge that bled.

    Returns
    -------
    (ny, nx) bool array
        The pixels given and those added.
    """
    if not saturated.any():
        return saturated
    from scipy.ndimage import binary_dilation, binary_opening

    column = np.ones((run, 1), dtype=bool)
    runs = binary_opening(saturated, structure=column)
    grown: BoolImage = saturated | binary_dilation(runs, structure=np.ones((3, 1), dtype=bool))
    return grown
