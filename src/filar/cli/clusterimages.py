"""Real images as backgrounds of mock clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError, ParameterError

if TYPE_CHECKING:
    from filar.instruments.bandimage import BandImage
    from filar.simulate.clusters.camera import ClusterCamera


def real_backgrounds(
    paths: Sequence[Path], camera: ClusterCamera, size: int, *, timed: bool = False
) -> tuple[ClusterCamera, NDArray[np.float32]]:
    """Cut real images into pieces to put mock clusters on.

    Parameters
    ----------
    paths : sequence of Path
        One image for each of the camera's filters, in their order.
    camera : ClusterCamera
        Filters; instrument, distance and read noise.
    size : int
        Rows and columns of the pieces.
    timed : bool
        Whether the camera's exposure times take the place of the headers'.

    Returns
    -------
    camera : ClusterCamera
        With the images' pixel scale, exposure times and zero points.
    pieces : (n, bands, size, size) float32 array
        Electrons, with the images' own sky and noise.

    Raises
    ------
    InputFileError
        If a file cannot be used, or no piece is free of missing data.
    ParameterError
        If the filters are others than the camera's.
    """
    from filar.instruments.bandimage import BandOptions, read_band_image
    from filar.instruments.regrid import onto_grid

    times = camera.exposure_times.tolist() if timed else [None] * len(paths)
    found = [
        read_band_image(path, BandOptions(exposure_time=time))
        for path, time in zip(paths, times, strict=False)
    ]
    given = tuple(image.filter for image in found)
    if given != camera.filters or len(found) != len(paths):
        allowed = f"one image in each of {', '.join(camera.filters)}, in this order"
        raise ParameterError("--background", f"{len(paths)} in {', '.join(given)}", allowed)
    first = found[0]
    images = [onto_grid(image, first) for image in found]
    bands = tuple(
        replace(band, zero_point=image.zero_point, exposure_time=image.exposure_time)
        for band, image in zip(camera.bands, images, strict=True)
    )
    scale = first.pixel_scale if first.pixel_scale > 0 else camera.pixel_scale
    pieces = _pieces(images, size)
    if not len(pieces):
        raise InputFileError(
            paths[0], f"no {size} x {size} pixels without missing data", "a larger image",
            "give a smaller --scene-size",
        )  # fmt: skip
    return replace(camera, bands=bands, pixel_scale=round(scale, 6)), pieces


def _pieces(images: Sequence[BandImage], size: int) -> NDArray[np.float32]:
    """Pieces without missing data, side by side; the last ones end at the edge."""
    ny, nx = images[0].shape
    kept = []
    for y in _starts(ny, size):
        for x in _starts(nx, size):
            part = np.stack([
                image.rate[y : y + size, x : x + size] * image.exposure_time for image in images
            ])  # fmt: skip
            if np.isfinite(part).all():
                kept.append(part)
    return np.array(kept, np.float32)


def _starts(length: int, size: int) -> list[int]:
    if length < size:
        return []
    steps = -(-(length - size) // size)
    return [min(i * size, length - size) for i in range(steps + 1)]
