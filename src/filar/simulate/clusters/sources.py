"""Isochrones by the names of their files, kept for the next call."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filar.populations.isochrone import IsochroneSet


@lru_cache(maxsize=4)
def load_isochrones(files: tuple[str, ...], bands: tuple[str, ...]) -> IsochroneSet:
    """Read isochrones.

    Parameters
    ----------
    files : tuple of str
        Their files; none for the packaged ones.
    bands : tuple of str
        Filters wanted.

    Returns
    -------
    IsochroneSet
        With those bands.

    Raises
    ------
    InputFileError
        If they cannot be read, or lack a band.
    """
    if files:
        from filar.populations import read_isochrones

        return read_isochrones(list(files), bands=bands)
    from filar.populations import packaged_isochrones

    return packaged_isochrones(bands)
