"""A set of mock clusters and backgrounds on disk, and the cutouts that are composed of it.

Clusters and galaxies are kept apart and without noise, so that every cluster can be seen in front
of any part of any galaxy, with noise of its own: a training never sees the same image twice.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.clusters.cutouts import flux_of
from filar.clusters.posterior import PARAMETERS
from filar.errors import InputFileError, ParameterError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.integer[Any]]

ADVICE = "make it by filar simulate clusters"
NEEDED = (
    "bands", "zero_point", "exposure_time", "read_noise", "psf_half_light", "pixel_scale", "size",
    "camera", "distance_mpc", "ranges",
)  # fmt: skip
"""What the settings of a set must say."""
PER_BAND = ("zero_point", "exposure_time", "read_noise", "psf_half_light")
TABLES = ("clusters.parquet", "clusters.ecsv")
DIGESTED = 1 << 20
"""Bytes of each array's beginning and end that its digest looks at."""


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of n cutouts.

    Parameters
    ----------
    values : (n, 4) float array
        `PARAMETERS`; NaN where there is no cluster.
    cluster : (n,) bool array
        Whether there is one in the middle.
    log_snr : (n,) float array
        log10 of the cluster's signal-to-noise ratio, see `filar.simulate.clusters.noise`; NaN
        where there is no cluster.
    """

    values: FloatArray
    cluster: NDArray[np.bool_]
    log_snr: FloatArray

    def __len__(self) -> int:
        return len(self.cluster)

    def select(self, index: NDArray[Any] | slice) -> Self:
        """Take some of them.

        Parameters
        ----------
        index : int array, bool array or slice
            Which.

        Returns
        -------
        Truth
        """
        return replace(
            self,
            values=self.values[index],
            cluster=self.cluster[index],
            log_snr=self.log_snr[index],
        )


@dataclass(frozen=True, eq=False)
class Facts:
    """What a set says of its images.

    Parameters
    ----------
    bands : tuple of str
        Filters.
    zero_point, exposure_time, read_noise, psf_half_light : (bands,) float arrays
        Vega magnitude of one electron per second; seconds; electrons rms per pixel; pixels.
    pixel_scale : float
        Arcsec.
    size : int
        Pixels on a cutout's side.
    camera : str
        Its name.
    distance_mpc : float
        Of the clusters.
    ranges : dict of str to (float, float)
        Of `PARAMETERS`.
    """

    bands: tuple[str, ...]
    zero_point: FloatArray
    exposure_time: FloatArray
    read_noise: FloatArray
    psf_half_light: FloatArray
    pixel_scale: float
    size: int
    camera: str
    distance_mpc: float
    ranges: dict[str, tuple[float, float]]

    @property
    def gain(self) -> FloatArray:
        """Electrons of one unit of flux, a star of magnitude 25: (bands,)."""
        return np.asarray(self.exposure_time / flux_of(self.zero_point))


class SetFolder:
    """A folder that ``filar simulate clusters`` wrote; arrays stay on disk until they are needed.

    Parameters
    ----------
    folder : path-like
        It.

    Attributes
    ----------
    folder : Path
        It.
    settings : dict
        All settings.
    facts : Facts
        Those that matter here.
    clusters : (n, bands, size, size) float16 array
        Roots of electrons, without noise and background.
    scenes : list of (bands, ny, nx) arrays
        Backgrounds with their sky: float16 roots of electrons without noise, or float32 electrons
        of real images, which have noise.
    values : (n, 4) float array
        `PARAMETERS` of the clusters.

    Raises
    ------
    InputFileError
        If the folder holds no set, or a damaged one.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        self.folder = Path(folder)
        self.settings = _settings(self.folder)
        self.facts = _facts(self.folder, self.settings)
        self.clusters = _array(self.folder / "clusters.npy", 4)
        self.values = _values(self.folder)
        facts = self.facts
        shape = (len(self.values), len(facts.bands), facts.size, facts.size)
        if self.clusters.shape != shape:
            found = f"images of shape {self.clusters.shape}"
            raise InputFileError(self.folder, found, f"{shape}, as its table says", ADVICE)
        self.scenes = []
        for name in ("scenes.npy", "scenes_real.npy"):
            if (self.folder / name).exists():
                self.scenes += list(_array(self.folder / name, 4))
        if not self.scenes:
            raise InputFileError(self.folder, "no scenes.npy", "backgrounds", ADVICE)
        for scene in self.scenes:
            if scene.shape[0] != shape[1] or min(scene.shape[1:]) < facts.size:
                found = f"a background of shape {scene.shape}"
                allowed = f"{shape[1]} bands of {facts.size} x {facts.size} pixels or more"
                raise InputFileError(self.folder, found, allowed, ADVICE)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def bands(self) -> tuple[str, ...]:
        """Filters."""
        return self.facts.bands

    def digest(self) -> str:
        """Name the set by its settings, its truth and samples of its images.

        Returns
        -------
        str
            SHA-256.
        """
        found = hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode())
        found.update(np.ascontiguousarray(self.values).tobytes())
        for path in sorted(self.folder.glob("*.npy")):
            with path.open("rb") as file:
                found.update(file.read(DIGESTED))
                file.seek(max(0, path.stat().st_size - DIGESTED))
                found.update(file.read())
        return found.hexdigest()


def _settings(folder: Path) -> dict[str, Any]:
    path = folder / "set.json"
    expected = "the settings of a set of mock clusters"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputFileError(folder, "no set.json in it", expected, ADVICE) from error
    except (OSError, ValueError) as error:
        raise InputFileError(path, f"cannot be read: {error}", expected, ADVICE) from error
    missing = [name for name in NEEDED if not isinstance(found, dict) or name not in found]
    if missing:
        raise InputFileError(path, f"no {', '.join(missing)}", expected, ADVICE)
    return dict(found)


def _facts(folder: Path, settings: dict[str, Any]) -> Facts:
    try:
        bands = tuple(str(band) for band in settings["bands"])
        per_band = {name: np.array(settings[name], np.float64) for name in PER_BAND}
        ranges = {name: settings["ranges"][name] for name in PARAMETERS}
        facts = Facts(
            bands=bands, **per_band, pixel_scale=float(settings["pixel_scale"]),
            size=int(settings["size"]), camera=str(settings["camera"]),
            distance_mpc=float(settings["distance_mpc"]),
            ranges={name: (float(low), float(high)) for name, (low, high) in ranges.items()},
        )  # fmt: skip
        good = all(values.shape == (len(bands),) for values in per_band.values())
        if not good or not all(low < high for low, high in facts.ranges.values()):
            raise ValueError("numbers that do not fit each other")
    except (KeyError, TypeError, ValueError) as error:
        raise InputFileError(folder / "set.json", f"damaged: {error}", "", ADVICE) from error
    return facts


def _array(path: Path, axes: int) -> NDArray[Any]:
    """Map a file into memory; no object in it is made."""
    try:
        found: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InputFileError(path, f"cannot be read: {error}", "an array", ADVICE) from error
    if found.ndim != axes or found.dtype.kind != "f":
        raise InputFileError(path, f"{found.dtype} of shape {found.shape}", "images", ADVICE)
    return found


def _values(folder: Path) -> FloatArray:
    from filar.catalogfile import read_catalog

    for name in TABLES:
        if (folder / name).exists():
            table = read_catalog(folder / name)
            missing = [column for column in PARAMETERS if column not in table.colnames]
            if missing:
                raise InputFileError(folder / name, f"no column {missing[0]}", "", ADVICE)
            columns = [np.asarray(table[column], np.float64) for column in PARAMETERS]
            return np.stack(columns, axis=1)
    raise InputFileError(folder, f"no {' or '.join(TABLES)}", "the clusters' truth", ADVICE)


def check_rows(rows: IntArray, total: int) -> None:
    """See that rows exist.

    Parameters
    ----------
    rows : int array
        Numbers of clusters.
    total : int
        How many there are.

    Raises
    ------
    ParameterError
        If one does not exist.
    """
    if len(rows) and (rows.min() < 0 or rows.max() >= total):
        raise ParameterError("rows", [int(rows.min()), int(rows.max())], f"0 to {total - 1}")
