"""Centres by network: which model serves a chip, and its positions in place of the fit's."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from filar.catalog import sky_positions
from filar.errors import InputFileError
from filar.exposure import Exposure
from filar.flags import Flag
from filar.frames.starlist import SPOILT
from filar.threads import torch_threads

if TYPE_CHECKING:
    from astropy.table import QTable

    from filar.centering.estimator import Centers
    from filar.learn.modelfile import Card
    from filar.measure.chip import Measurement
    from filar.stamps.stamps import Stamps

Models = str | Path | tuple[str | Path, ...]
Method = Literal["auto", "psf", "network"]
METHODS: tuple[Method, ...] = ("auto", "psf", "network")
BY_NETWORK = "network"
"""In the column ``method``."""
BoolArray = NDArray[np.bool_]
_ONE_AT_A_TIME = Lock()  # chips are measured in threads


class Centerer(Protocol):
    """What is asked of a trained model, see `filar.centering.estimator.StarCenterer`."""

    card_: Card

    def predict(self, stamps: Stamps) -> Centers:
        """Give centres of stamps."""
        ...


@dataclass(frozen=True, eq=False)
class Network:
    """A model that is ready to measure.

    Parameters
    ----------
    centerer : Centerer
        The estimator.
    name : str
        The file's name.
    digest : str
        SHA-256 of the file.
    packaged : bool
        Whether it is one of filar's own, which nobody asked for by name.
    """

    centerer: Centerer
    name: str
    digest: str
    packaged: bool = False

    def facts(self) -> dict[str, Any]:
        """What a catalogue remembers about the model."""
        return {
            "model": self.name,
            "digest": self.digest,
            "recipe": str(self.centerer.card_.recipe.name),
            "packaged": self.packaged,
        }


def load_network(path: str | os.PathLike[str], *, packaged: bool = False) -> Network:
    """Load a model, once per process.

    Parameters
    ----------
    path : path-like
        A model file of `filar train centering`.
    packaged : bool
        Whether it is one of filar's own.

    Returns
    -------
    Network

    Raises
    ------
    InputFileError
        If there is no such file, or it is damaged or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        raise InputFileError(path, "there is no such model file", "a file of filar train centering")
    facts = path.stat()
    return _load(path, packaged, (facts.st_mtime_ns, facts.st_size))


@lru_cache(maxsize=8)
def _load(path: Path, packaged: bool, version: tuple[int, int]) -> Network:
    from filar.centering.estimator import StarCenterer

    digest = sha256(path.read_bytes()).hexdigest()
    return Network(StarCenterer.load(path), path.name, digest, packaged)


def model_paths(model: Models) -> tuple[Path, ...]:
    """One model file or several, as a tuple."""
    return tuple(map(Path, model)) if isinstance(model, tuple) else (Path(model),)


def choose_network(exposure: Exposure, method: Method, model: Models | None) -> Network | None:
    """Find the model for a chip.

    Parameters
    ----------
    exposure : Exposure
        The chip.
    method : {"auto", "psf", "network"}
        See `filar.measure.Settings`.
    model : path, tuple of paths or None
        The models asked for, of which the first that is for this camera, chip and filter is
        taken; None takes filar's own.

    Returns
    -------
    Network or None
        None where the classic fit is to stand.

    Raises
    ------
    InputFileError
        If the models are for other cameras, chips or filters, or cannot be read; or if none was
        given for ``"network"`` and filar has none of its own.
    """
    if method == "psf":
        return None
    if model is not None:
        return _chosen(model_paths(model), exposure)
    path = _packaged(exposure)
    if path is not None:
        return load_network(path, packaged=True)
    if method == "auto":
        return None
    raise InputFileError(
        exposure.path or exposure.name,
        f"filar has no model of its own for {_named(exposure)}",
        advice="train one with filar train centering and give it with --model, or measure with "
        "--method psf",
    )


def _packaged(exposure: Exposure) -> Path | None:
    from filar.centering.packaged import packaged_model

    return packaged_model(exposure.instrument, exposure.chip, exposure.filter)


def _chosen(paths: tuple[Path, ...], exposure: Exposure) -> Network:
    """The first model that is for the chip."""
    from filar.learn.modelfile import check_chip

    names = {"instrument": exposure.instrument, "chip": exposure.chip, "filter": exposure.filter}
    refusals = []
    for path in paths:
        network = load_network(path)
        try:
            check_chip(network.centerer.card_, path, **names)
        except InputFileError as error:
            refusals.append(error)
        else:
            return network
    raise refusals[0]


def _named(exposure: Exposure) -> str:
    names = (exposure.instrument or "an unknown camera", exposure.chip, exposure.filter)
    return " ".join(name for name in names if name)


def apply_network(measurement: Measurement, network: Network, method: Method) -> Measurement:
    """Put a network's positions in the place of the classic fit's.

    Parameters
    ----------
    measurement : Measurement
        By the classic fit.
    network : Network
        The model, see `choose_network`.
    method : {"auto", "network"}
        ``"network"`` replaces the positions of all stars that have enough good pixels, and flags
        those outside of what the network was trained on. ``"auto"`` replaces only those within,
        not saturated and not spoilt, and only where the PSF that the network is told is the
        exposure's.

    Returns
    -------
    Measurement
        With x_fit, y_fit, x_err, y_err, ra, dec, method, in_domain and flags as they now are.
    """
    started = perf_counter()
    if method == "auto" and not knows_psf(measurement, network):
        return measurement
    rows, stamps = _stamps(measurement, network.centerer.card_)
    with _ONE_AT_A_TIME, torch_threads(1):
        centers = network.centerer.predict(stamps)
    flags = np.asarray(measurement.catalog["flags"])[rows]
    inside = np.asarray(centers.in_domain) & ((flags & Flag.SATURATED) == 0)
    chosen = _usable(stamps, centers)
    if method == "auto":
        chosen &= inside & ((flags & SPOILT) == 0)
    catalog = _replaced(measurement, rows[chosen], centers, chosen, inside[chosen])
    counts = {"n_stars": int(chosen.sum()), "n_outside": int((chosen & ~inside).sum())}
    catalog.meta["exposures"][0]["network"] = network.facts() | counts
    seconds = measurement.seconds | {"network": perf_counter() - started}
    return replace(measurement, catalog=catalog, seconds=seconds)


def knows_psf(measurement: Measurement, network: Network) -> bool:
    """Whether the PSF at hand is the exposure's own, as far as the network needs it.

    A packaged model wants the PSF that was fitted to the exposure. Who gives a model and a PSF
    says that they belong together; a default PSF that took a failed fit's place does not.
    """
    if network.packaged:
        return measurement.own_psf
    return measurement.psf_fit is None or measurement.own_psf


def _stamps(measurement: Measurement, card: Card) -> tuple[NDArray[np.int64], Stamps]:
    """Rows of the stars that were fitted, and their stamps."""
    from filar.measure.stamping import stamps_of

    subtract = card.recipe.data.subtract_neighbours
    stamps = stamps_of(measurement, card.size, subtract_neighbours=subtract)
    rows = np.flatnonzero(np.isfinite(stamps.mag) & np.isfinite(stamps.sky))
    return rows, stamps[rows]


def _usable(stamps: Stamps, centers: Centers) -> BoolArray:
    """Stars of which most pixels are good and whose centre was found within their raster."""
    half = stamps.size / 2
    usable = stamps.bad.mean(axis=(1, 2)) < 0.5
    for found, corner in ((centers.x, stamps.corner_x), (centers.y, stamps.corner_y)):
        with np.errstate(invalid="ignore"):
            usable &= np.abs(found - corner - half + 0.5) <= half
    return np.asarray(usable & np.isfinite(centers.x_err) & np.isfinite(centers.y_err))


def _replaced(
    measurement: Measurement,
    rows: NDArray[np.int64],
    centers: Centers,
    chosen: BoolArray,
    inside: BoolArray,
) -> QTable:
    """Give a copy of the catalogue in which the network's answers stand in some rows."""
    table = measurement.catalog.copy()
    for name, values in (
        ("x_fit", centers.x), ("y_fit", centers.y), ("x_err", centers.x_err),
        ("y_err", centers.y_err),
    ):  # fmt: skip
        table[name].value[rows] = values[chosen]
    table["ra"].value[rows], table["dec"].value[rows] = sky_positions(
        measurement.exposure, centers.x[chosen], centers.y[chosen]
    )
    by_network = np.zeros(len(table), bool)
    by_network[rows] = True
    info = table["method"].info.description
    table["method"] = np.where(by_network, BY_NETWORK, np.asarray(table["method"]))
    table["method"].info.description = info
    table["in_domain"][rows] = inside
    table["flags"][rows[~inside]] |= int(Flag.OUTSIDE_DOMAIN)
    return table
