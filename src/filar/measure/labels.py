"""From exposures of one field to stamps with labels: C23's chain, in one call."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filar.catalogfile import SUFFIXES
from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.frames.labels import TruePlaces
from filar.frames.read import read_lists
from filar.frames.starlist import StarList
from filar.instruments.options import ReadOptions
from filar.measure.chip import Settings
from filar.measure.choosing import Chosen
from filar.measure.files import AS_THE_FILE_SAYS, measure_files
from filar.measure.labelling import (
    FEWEST_EXPOSURES,
    LabelledChip,
    Progress,
    label_by_lists,
    label_by_mean,
    label_by_truth,
)
from filar.measure.parts import ChipPart, PartWriter, key_of, read_parts, state_of
from filar.measure.similar import TRIES, Known
from filar.psf.model import FieldPSF
from filar.stamps.settings import StampSettings
from filar.stamps.store import StampStore
from filar.stamps.writer import StampWriter, check_store_output

LabelSource = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
_MEASURING = 0.9  # of the time


def make_stamps(
    files: Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    data: Any = None,
    labels: LabelSource = "mean",
    psf: str | Path | FieldPSF = "fit",
    chips: Sequence[str] | None = None,
    read: ReadOptions = AS_THE_FILE_SAYS,
    workers: int = 1,
    seed: int = 0,
    remove_bias: bool = False,
    similar: bool = True,
    parts: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> StampStore:
    """Measure exposures, find out where their stars truly are, and keep their stamps.

    If it is interrupted, the same call goes on where it stopped; if all is done already, it opens
    what is there.

    Parameters
    ----------
    files : sequence of path-like
        Exposures of one field in one filter.
    folder : path-like
        The set of stamps to make.
    data : StampSettings or a recipe's ``data``, optional
        Which stars, and how their stamps are cut and divided.
    labels : "mean", path-like or sequence of path-like
        The mean of the exposures' own centres; a table of true positions as `filar simulate
        dithers` writes it (``.parquet``, ``.ecsv``, ``.fits``); or star lists of hst1pass.
    psf : {"fit", "default"}, path or FieldPSF
        See `filar.measure.Settings`.
    chips : sequence of str, optional
        Chips wanted.
    read : ReadOptions
        What takes precedence over the files' headers.
    workers : int
        Processes. With more than one, a script that calls this needs the usual
        ``if __name__ == "__main__"``.
    seed : int
        Of the division into parts.
    remove_bias : bool
        Whether the pixel-phase bias that the set itself shows is taken out of its centres before
        they are averaged: for measurements with a PSF that is not the exposures' own.
    similar : bool
        Whether the PSF fits begin with that of the first exposure: faster, see
        `filar.measure.Settings`.
    parts : path-like, optional
        A folder where the measurements are kept for other sets from the same files. By default
        they lie beside `folder` until it is complete.
    progress : callable, optional
        Called with the part done (0 to 1) and a text.

    Returns
    -------
    StampStore
        Its ``meta`` tells by ``messages`` and ``left_out`` which files and exposures could not be
        used, and by ``chips`` how many stars and stamps there are.

    Raises
    ------
    ParameterError
        For too few files, different filters, or an argument that makes no sense.
    InputFileError
        If labels cannot be read or belong to other exposures, none of the files can be measured,
        or too few exposures or stars are left of every chip.
    OutputFileError
        If the folder holds something else, or cannot be written.
    """
    job = _Job(
        tuple(Path(path) for path in files), Path(folder),
        StampSettings() if data is None else StampSettings.like(data), _kind(labels),
        Settings(psf=psf, method="psf"),
        read if chips is None else replace(read, chips=tuple(chips)), seed, remove_bias,
        similar and psf == "fit",
    )  # fmt: skip
    if job.is_done():
        return StampStore.open(job.folder)
    known = _read_labels(job.labels)
    work = Path(parts) if parts is not None else job.folder.with_name(f".{job.folder.name}.work")
    measured, failed = _measured(job, work, workers, progress)
    _write(job, known, _by_chip(measured), failed, progress)
    if parts is None:
        shutil.rmtree(work, ignore_errors=True)
    return StampStore.open(job.folder)


@dataclass(frozen=True)
class _Job:
    """What is asked for."""

    files: tuple[Path, ...]
    folder: Path
    settings: StampSettings
    labels: tuple[str, tuple[Path, ...]]
    measure: Settings
    read: ReadOptions
    seed: int
    remove_bias: bool
    similar: bool

    def __post_init__(self) -> None:
        if not self.files:
            raise ParameterError("files", [], "at least one FITS file")
        if self.labels[0] != "truth" and len(self.files) < FEWEST_EXPOSURES:
            allowed = f"{FEWEST_EXPOSURES} exposures or more, or true positions as labels"
            raise ParameterError("files", f"{len(self.files)} files", allowed)

    @property
    def key(self) -> str:
        """All that the stamps depend on."""
        kind, paths = self.labels
        states = [state_of(path) for path in (*self.files, *paths)]
        facts = [states, kind, self.part_key, self.settings, self.seed, self.remove_bias]
        return hashlib.sha256(repr(facts).encode()).hexdigest()

    @property
    def part_key(self) -> str:
        """All that the measurements depend on besides their files."""
        first = state_of(self.files[0]) if self.similar else None
        return key_of(self.measure, self.settings, (self.read, first))

    def is_done(self) -> bool:
        """Whether the stamps are there already; what is there instead is never replaced."""
        if not self.folder.exists():
            check_store_output(self.folder)
            return False
        try:
            made = StampStore.open(self.folder).meta.get("made_from")
        except InputFileError as error:
            raise OutputFileError(self.folder, str(error), "choose another name") from error
        if made != self.key:
            reason = "it holds stamps of other files, labels or settings"
            raise OutputFileError(self.folder, reason, "choose another name, or remove it first")
        return True


@dataclass(frozen=True, eq=False)
class _Outside:
    """Labels that come from outside."""

    kind: str
    truth: TruePlaces | None = None
    lists: list[StarList] = field(default_factory=list)


def _kind(labels: LabelSource) -> tuple[str, tuple[Path, ...]]:
    """Tell what the labels are to be made from."""
    if isinstance(labels, str | os.PathLike):
        if labels == "mean":
            return "mean", ()
        path = Path(labels)
        return "truth" if path.suffix.lower() in SUFFIXES else "lists", (path,)
    if not labels:
        raise ParameterError("labels", labels, "mean, a truth table, or star lists")
    return "lists", tuple(Path(path) for path in labels)


def _read_labels(labels: tuple[str, tuple[Path, ...]]) -> _Outside:
    kind, paths = labels
    if kind == "truth":
        return _Outside(kind, TruePlaces.read(paths[0]))
    if kind == "lists":
        lists, errors = read_lists(paths, positions="xy")
        if errors:
            raise InputFileError(paths[0].parent, "; ".join(errors[:3]))
        return _Outside(kind, lists=lists)
    return _Outside(kind)


def _measured(
    job: _Job, work: Path, workers: int, progress: Progress | None
) -> tuple[list[Path], list[str]]:
    """Measure the files that have no part yet: parts in the order of the files, and errors."""
    try:
        work.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputFileError(work, error.strerror or str(error)) from error
    writer = PartWriter(work, job.part_key, job.settings)
    errors: list[str] = []

    def measure(files: Sequence[Path], known: Known) -> None:
        todo = [path for path in files if not writer.path(path).exists()]
        if not todo:
            return
        left = sum(not writer.path(path).exists() for path in job.files)
        done = len(job.files) - left

        def tell(part: float, text: str) -> None:
            if progress is not None:
                progress(_MEASURING * (done + part * len(todo)) / len(job.files), text)

        out = work / "measured.parquet"
        summary = measure_files(
            todo, out, job.measure, read=job.read, workers=workers,
            near=tuple(known.fits.values()), inspect=writer, progress=tell,
        )  # fmt: skip
        out.unlink(missing_ok=True)
        errors.extend(error for result in summary.files for error in result.errors)

    measure(job.files, _taught(job, writer, measure))
    found = [part for part in map(writer.path, job.files) if part.exists()]
    if not found:
        raise InputFileError(job.files[0], errors[0] if errors else "it could not be measured")
    return found, list(dict.fromkeys(errors))


def _taught(
    job: _Job, writer: PartWriter, measure: Callable[[Sequence[Path], Known], None]
) -> Known:
    """Measure the first files alone, until they have taught the PSF fits of the others.

    They are asked again when the job is resumed, so that the others are as if it never stopped.
    """
    known = Known(learning=True)
    if not job.similar:
        return known
    for path in job.files[:TRIES]:
        measure([path], known)
        part = writer.path(path)
        lessons = [chip.lesson for chip in read_parts(part)] if part.exists() else []
        known = known.learn(lessons)
        if lessons and all(key in known.fits for key, _ in lessons):
            break
    return known


def _by_chip(parts: Sequence[Path]) -> dict[str, list[ChipPart]]:
    """Sort the measured chips; all of a chip must be in one filter."""
    chips: dict[str, list[ChipPart]] = {}
    for path in parts:
        for part in read_parts(path):
            chips.setdefault(part.chip, []).append(part)
    for chip, members in chips.items():
        filters: dict[str, list[str]] = {}
        for part in members:
            filters.setdefault(part.filter or "unknown", []).append(part.exposure)
        if len(filters) > 1:
            found = ", ".join(
                f"{name} ({len(names)}, e.g. {names[0]})" for name, names in filters.items()
            )
            raise ParameterError("files", f"{chip} in {found}".strip(), "exposures in one filter")
    return dict(sorted(chips.items()))


def _write(
    job: _Job,
    known: _Outside,
    chips: dict[str, list[ChipPart]],
    failed: list[str],
    progress: Progress | None,
) -> None:
    """Label chip by chip, and write."""
    meta: dict[str, Any] = {
        "made_from": job.key, "labels": job.labels[0], "settings": job.settings.facts(),
        "measure": job.measure.facts(), "seed": job.seed, "messages": list(failed),
        "left_out": [], "chips": {},
    }  # fmt: skip
    with StampWriter(job.folder, job.settings.size, meta) as writer:
        for number, (chip, parts) in enumerate(chips.items()):

            def tell(part: float, text: str, before: int = number) -> None:
                if progress is not None:
                    done = (before + part) / len(chips)
                    progress(_MEASURING + (1 - _MEASURING) * done, text)

            try:
                labelled = _labelled(job, known, parts, tell)
                chosen = Chosen.of(labelled, job.settings)
            except InputFileError as error:
                if len(chips) == 1:
                    raise
                meta["messages"].append(str(error))
                continue
            chosen.write(writer, job.settings, number, job.seed)
            meta["chips"][chip] = chosen.facts() | labelled.facts
            for exposure, reason in labelled.left_out:
                meta["left_out"].append({"exposure": exposure, "chip": chip, "reason": reason})
                meta["messages"].append(f"{exposure} {chip} left out: {reason}")
        if not meta["chips"]:
            raise InputFileError(job.files[0], "; ".join(meta["messages"]))


def _labelled(
    job: _Job, known: _Outside, parts: list[ChipPart], progress: Progress
) -> LabelledChip:
    if known.kind == "truth":
        assert known.truth is not None
        labelled = label_by_truth(parts, known.truth)
        if not labelled.places:
            found = f"none of the {len(parts)} exposures of chip {parts[0].chip} is in it"
            raise InputFileError(job.labels[1][0], found, "the truth of these exposures")
        return labelled
    if known.kind == "lists":
        return label_by_lists(parts, known.lists, remove_bias=job.remove_bias, progress=progress)
    return label_by_mean(parts, remove_bias=job.remove_bias, progress=progress)
