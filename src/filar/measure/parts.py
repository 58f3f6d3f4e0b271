"""What is kept of each measured file until the labels are known: its lists of stars and stamps."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from filar.frames.starlist import FloatArray, StarList
from filar.measure.chip import Measurement, Settings
from filar.measure.similar import Lesson
from filar.measure.stamping import stamps_of
from filar.psf.fitted import NearFit
from filar.psf.model import FieldGrid, FieldPSF
from filar.psf.samples import PSFSamples
from filar.stamps.labels import Labels
from filar.stamps.records import from_records, to_records
from filar.stamps.settings import StampSettings
from filar.stamps.stamps import Group, Stamps
from filar.wholefile import whole_file

_LIST = {
    "x_fit": "x", "y_fit": "y", "mag": "mag", "x_err": "x_err", "y_err": "y_err", "snr": "snr",
    "qfit": "q", "flags": "flags",
}  # fmt: skip
_DETECTION = ("x_init", "y_init", "isolation")


@dataclass(frozen=True)
class PartWriter:
    """Writes the part of a file as soon as it is measured: an ``inspect`` of `measure_files`.

    Parameters
    ----------
    folder : Path
        Where the parts go.
    key : str
        What the parts depend on besides their files, see `key_of`.
    settings : StampSettings
        How stamps are cut.
    """

    folder: Path
    key: str
    settings: StampSettings

    def path(self, source: Path) -> Path:
        """The part of a file: another content, another name."""
        facts = [*state_of(source), self.key]
        return self.folder / f"{hashlib.sha256(repr(facts).encode()).hexdigest()[:24]}.npz"

    def __call__(self, source: Path, measurements: list[Measurement]) -> None:
        """Cut the stamps of a file's chips and write them with its star lists.

        Raises
        ------
        OutputFileError
            If the part cannot be written.
        """
        arrays: dict[str, Any] = {}
        chips = []
        for number, measurement in enumerate(measurements):
            stamps = stamps_of(
                measurement,
                self.settings.size,
                subtract_neighbours=self.settings.subtract_neighbours,
            )
            chips.append(_facts(source, measurement, stamps.groups[0]))
            arrays |= {
                f"{name}{number}": array for name, array in _arrays(measurement, stamps).items()
            }
        text = json.dumps(chips).encode()
        with whole_file(self.path(source)) as temporary, temporary.open("wb") as file:
            np.savez(file, allow_pickle=False, facts=np.frombuffer(text, np.uint8), **arrays)


@dataclass(frozen=True)
class ChipPart:
    """One measured chip in a part file; what is large is read when it is asked for.

    Parameters
    ----------
    path : Path
        The part file.
    number : int
        Of the chip in it.
    facts : dict
        Names, number of stars, PSF nodes.
    """

    path: Path
    number: int
    facts: dict[str, Any]

    @property
    def chip(self) -> str:
        """Name of the chip."""
        return str(self.facts["chip"])

    @property
    def filter(self) -> str:
        """Name of the filter."""
        return str(self.facts["filter"])

    @property
    def exposure(self) -> str:
        """Name of the exposure."""
        return str(self.facts["exposure"])

    @property
    def lesson(self) -> Lesson:
        """What its PSF fit teaches other exposures'."""
        key = (str(self.facts["instrument"]), self.chip, self.filter)
        solved = self.facts["solved"]
        return key, None if solved is None else NearFit(**solved)

    def star_list(self) -> StarList:
        """All stars measured, row by row of the chip's catalogue."""
        columns = self._array("list")
        values: dict[str, Any] = {name: columns[name].copy() for name in _LIST.values()}
        return StarList.build(
            values.pop("x"), values.pop("y"), exposure=self.exposure, chip=self.chip,
            filter=self.filter, method=str(self.facts["method"]), source=str(self.facts["source"]),
            **values,
        )  # fmt: skip

    def detection(self, name: str) -> FloatArray:
        """A column of what the detection found, pixels: ``x_init``, ``y_init``, ``isolation``."""
        return np.asarray(self._array("list")[name])

    def stamps(self) -> tuple[Stamps, Labels]:
        """Stamps of all stars, with labels that hold the classic fit's part only."""
        psf = self.facts["psf"]
        nodes = FieldGrid(tuple(psf["x"]), tuple(psf["y"]), psf["kind"])
        samples = PSFSamples(self._array("psf"), nodes, psf["radius"], psf["step"])
        names = {k: self.facts[k] for k in ("exposure", "chip", "filter", "instrument")}
        ny, nx = self.facts["shape"]
        group = Group(shape=(ny, nx), psf=samples, facts=self.facts["psf_facts"], **names)
        return from_records(self._array("records"), (group,))

    def _array(self, name: str) -> Any:
        with np.load(self.path, allow_pickle=False) as arrays:
            return arrays[f"{name}{self.number}"]


def read_parts(path: Path) -> list[ChipPart]:
    """Open the part of a file.

    Parameters
    ----------
    path : Path
        As `PartWriter` wrote it.

    Returns
    -------
    list of ChipPart
        In the order of the file.
    """
    with np.load(path, allow_pickle=False) as arrays:
        facts = json.loads(arrays["facts"].tobytes())
    return [ChipPart(path, number, one) for number, one in enumerate(facts)]


def state_of(path: Path) -> list[Any]:
    """Tell one version of a file from another: its full name, size and time."""
    try:
        state = path.stat()
    except OSError:
        return [str(path)]
    return [str(path.resolve()), state.st_size, state.st_mtime_ns]


def key_of(measure: Settings, stamps: StampSettings, read: Any) -> str:
    """Name all that parts depend on besides their files.

    Parameters
    ----------
    measure : Settings
        How stars are measured.
    stamps : StampSettings
        How stamps are cut.
    read : ReadOptions
        How files are read.

    Returns
    -------
    str
    """
    from filar import __version__

    psf: Any = measure.psf
    if isinstance(psf, FieldPSF):
        psf = hashlib.sha256(psf.transforms.tobytes()).hexdigest()
    elif psf not in ("fit", "default"):
        psf = state_of(Path(psf))
    facts = [__version__, measure.facts(), psf, stamps.size, stamps.subtract_neighbours, read]
    return hashlib.sha256(repr(facts).encode()).hexdigest()


def _facts(source: Path, measurement: Measurement, group: Group) -> dict[str, Any]:
    table, psf = measurement.catalog, group.psf
    assert psf is not None
    solved = measurement.psf_fit.solved if measurement.psf_fit is not None else None
    return {
        "source": str(source), "exposure": group.exposure, "chip": group.chip,
        "filter": group.filter, "instrument": group.instrument, "shape": list(group.shape),
        "n_stars": len(table), "method": str(table["method"][0]) if len(table) else "",
        "messages": list(measurement.messages), "psf_facts": group.facts,
        "solved": None if solved is None else asdict(solved),
        "psf": {
            "x": list(psf.nodes.x), "y": list(psf.nodes.y), "kind": psf.nodes.kind,
            "radius": psf.radius, "step": psf.step,
        },
    }  # fmt: skip


def _arrays(measurement: Measurement, stamps: Stamps) -> dict[str, Any]:
    table, psf = measurement.catalog, stamps.groups[0].psf
    assert psf is not None
    columns: dict[str, Any] = {
        name: np.asarray(getattr(table[name], "value", table[name]))
        for name in ("id", *_DETECTION, *_LIST)
    }
    kinds = [(name, "<f8") for name in _DETECTION]
    kinds += [(to, "<i4" if to == "flags" else "<f8") for to in _LIST.values()]
    stars = np.empty(len(table), kinds)
    for name, to in {**{name: name for name in _DETECTION}, **_LIST}.items():
        stars[to] = columns[name]
    nothing = np.full(len(table), np.nan)
    labels = Labels.build(
        nothing, nothing, row=columns["id"],
        x_classic=columns["x_fit"] - stamps.corner_x, y_classic=columns["y_fit"] - stamps.corner_y,
        x_classic_err=columns["x_err"], y_classic_err=columns["y_err"],
        flags=columns["flags"], snr=columns["snr"],
    )  # fmt: skip
    return {"list": stars, "records": to_records(stamps, labels), "psf": psf.values}
