"""From stores, networks and catalogues to the facts that a page about centres shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from filar.centering.evaluate import WELL_MEASURED_MAG
from filar.centering.sensitivity import Sensitivity, central_star, sensitivity
from filar.flags import Flag
from filar.frames.frame import Frame
from filar.frames.mean import solve_frames
from filar.frames.settings import FrameSettings
from filar.frames.starlist import DOUBTFUL, StarList
from filar.frames.truemap import reweighted
from filar.frames.truth import Truth, belongs, truth_errors
from filar.measure.heldout import (
    CLASSIC,
    MIN_SNR,
    Centerer,
    CenterErrors,
    Measured,
    errors_of,
    measure_store,
    star_lists,
)
from filar.report.centering_facts import CenteringFacts, History, Judged, judge
from filar.report.frames_facts import Groups, gather
from filar.stamps.labels import TEST
from filar.stamps.store import StampStore

Progress = Callable[[float, str], None]
Kind = tuple[str, str]
MIN_TIE = 60
"""Well-measured stars held out per exposure below which all stars tie the exposures together."""
_BRIGHTEST = 2000


@dataclass(frozen=True, eq=False)
class Material:
    """What is to be judged.

    Parameters
    ----------
    stores : sequence of StampStore
        Stamps with labels.
    networks : dict
        From a name to a network; each is applied to all stores.
    catalogs : dict
        From the name of a method to its star lists.
    truth : Truth, optional
        Of a simulated set.
    history : dict
        From a model to its training's epochs.
    min_snr : float
        Fainter measures are not judged.
    mag_range : (float, float)
        Of table 3.
    """

    stores: Sequence[StampStore] = ()
    networks: Mapping[str, Centerer] = field(default_factory=dict)
    catalogs: Mapping[str, Sequence[StarList]] = field(default_factory=dict)
    truth: Truth | None = None
    history: Mapping[str, History] = field(default_factory=dict)
    min_snr: float = MIN_SNR
    mag_range: tuple[float, float] = WELL_MEASURED_MAG


def gather_centering(material: Material, *, progress: Progress | None = None) -> CenteringFacts:
    """Judge all that there is.

    Parameters
    ----------
    material : Material
        Stores, networks, catalogues and truth.
    progress : callable, optional
        Called with the part that is done, 0 to 1, and what is being done.

    Returns
    -------
    CenteringFacts
        For `filar.report.centering_page.write_centering_report`.
    """
    numbers = {CLASSIC: 0}
    for name in (*material.networks, *material.catalogs):
        numbers.setdefault(name, len(numbers))
    judged: dict[str, list[Judged]] = {}
    lists: dict[Kind, dict[str, list[StarList]]] = {}
    looked: dict[str, list[tuple[str, Sensitivity]]] = {}
    held: dict[Kind, NDArray[np.int64]] = {}
    remarks: list[str] = []
    for i, store in enumerate(material.stores):
        tell = _part(progress, i, len(material.stores))
        measured = measure_store(store, material.networks, progress=tell)
        for kind in measured.kinds:
            errors = _judge_store(measured, kind, material, remarks)
            held[kind] = np.unique(next(iter(errors.values())).id)
            judged.setdefault(_label(kind), []).extend(
                judge(_label(kind), name, numbers[name], one, material.mag_range)
                for name, one in errors.items()
            )
            _add_lists(lists.setdefault(kind, {}), measured, kind, remarks)
        looked |= _look(store, measured, material)
    for name, own in material.catalogs.items():
        for stars in own:
            lists.setdefault((stars.chip, stars.filter), {}).setdefault(name, []).append(stars)
    curves = _tie(lists, numbers, remarks, progress)
    for name in material.catalogs:
        for label, one in _judge_catalog(curves, name, held, material).items():
            judged.setdefault(label, []).append(
                judge(label, name, numbers[name], one, material.mag_range)
            )
    return CenteringFacts(judged, curves, looked, material.history, tuple(remarks),
                          material.mag_range)  # fmt: skip


def _label(kind: Kind) -> str:
    return " ".join(filter(None, kind)) or "all stars"


def _part(progress: Progress | None, number: int, count: int) -> Progress | None:
    if progress is None:
        return None
    return lambda done, text: progress(0.7 * (number + done) / count, text)


def _judge_store(
    measured: Measured, kind: Kind, material: Material, remarks: list[str]
) -> dict[str, CenterErrors]:
    """Errors of the stars held out, or of all where none are."""
    label = _label(kind)
    part: int | None = TEST
    if not (measured.part[measured.of(kind)] == TEST).any():
        part = None
        remarks.append(f"{label}: no stars are held out (no test part): all are judged.")
    elif not measured.split_by_star:
        remarks.append(
            f"{label}: the parts were divided by stamp, so that stars that are judged were trained "
            "with too, in other exposures; their labels' errors are then learnt as well."
        )
    errors = errors_of(measured, kind, truth=material.truth, part=part, min_snr=material.min_snr)
    if material.truth is not None and not len(next(iter(errors.values()))):
        remarks.append(f"{label}: the truth is not that of these exposures; labels are taken.")
        errors = errors_of(measured, kind, part=part, min_snr=material.min_snr)
    return errors


def _add_lists(
    found: dict[str, list[StarList]], measured: Measured, kind: Kind, remarks: list[str]
) -> None:
    """Star lists of all methods: of the stars held out if they can tie exposures together."""
    rows = measured.of(kind)
    good = rows & (measured.snr >= 30) & ((measured.flags & int(DOUBTFUL)) == 0)
    tested = good & (measured.part == TEST)
    groups = max(len(np.unique(measured.group[rows])), 1)
    enough = np.count_nonzero(tested) >= MIN_TIE * groups and measured.split_by_star
    if not enough:
        remarks.append(
            f"{_label(kind)}: the exposures are tied together with all stars, those of the "
            "training included, because too few are held out."
        )
    part = TEST if enough else None
    for method in measured.methods:
        lists = star_lists(measured, method, part)
        found.setdefault(method, []).extend(s for s in lists if (s.chip, s.filter) == kind)


def _look(
    store: StampStore, measured: Measured, material: Material
) -> dict[str, list[tuple[str, Sensitivity]]]:
    """Sensitivities of all networks to what they are told about one star of each kind."""
    found: dict[str, list[tuple[str, Sensitivity]]] = {}
    if not material.networks:
        return found
    clean = (measured.flags & int(DOUBTFUL)) == 0
    for kind in measured.kinds:
        rows = np.flatnonzero(measured.of(kind) & clean & np.isfinite(measured.snr))
        rows = np.sort(rows[np.argsort(-measured.snr[rows], kind="stable")[:_BRIGHTEST]])
        if not len(rows):
            continue
        stamps, labels = store.read(rows)
        usable = np.asarray(~stamps.bad.any(axis=(1, 2)))
        if not usable.any():
            continue
        at = central_star(stamps, labels.snr, usable)
        star = stamps[np.array([at])]
        mags = measured.mag[measured.of(kind)]
        low, high = np.nanquantile(mags, (0.005, 0.995)).tolist()
        found[_label(kind)] = [
            (name, sensitivity(network.predict, star, (low, high)))
            for name, network in material.networks.items()
        ]
    return found


def _tie(
    lists: Mapping[Kind, Mapping[str, list[StarList]]],
    numbers: Mapping[str, int],
    remarks: list[str],
    progress: Progress | None,
) -> Groups:
    """Tie the exposures of each method together, all to one reference."""
    methods: dict[str, list[Frame]] = {}
    for i, (kind, own) in enumerate(lists.items()):
        if progress is not None:
            progress(0.7 + 0.3 * i / len(lists), f"tying {_label(kind)} together")
        reference = None
        for name in sorted(own, key=lambda name: numbers[name]):
            if len({stars.exposure for stars in own[name]}) < 2:
                continue
            settings = FrameSettings()
            if reference in {stars.exposure for stars in own[name]}:
                settings = replace(settings, reference=reference)
            (frame,) = solve_frames(own[name], settings)
            if len(frame):
                reference = reference or frame.reference
                methods.setdefault(name, []).append(frame)
            else:
                remarks.append(f"{_label(kind)}, {name}: no exposures could be tied together.")
    if not methods:
        return {}
    # The order of the methods gives their colours, here as in the other figures.
    ordered = {name: methods.get(name, []) for name in numbers}
    return {label: facts for label, facts in gather(ordered).items() if facts}


def _judge_catalog(
    curves: Groups, name: str, held: Mapping[Kind, NDArray[np.int64]], material: Material
) -> dict[str, CenterErrors]:
    """Errors of a catalogue against the truth, of the stars held out where these are known."""
    found: dict[str, CenterErrors] = {}
    if material.truth is None:
        return found
    for label, methods in curves.items():
        for frame in (facts.frame for facts in methods if facts.method == name):
            errors = truth_errors(frame, material.truth)
            if not belongs(frame, errors):
                continue
            errors = reweighted(errors)
            snr, flags = np.full(len(errors), np.nan), np.zeros(len(errors), np.int64)
            for tie in np.unique(errors.tie).tolist():
                at, stars = errors.tie == tie, frame.ties[tie].stars
                snr[at], flags[at] = (c[errors.row[at]] for c in (stars.snr, stars.flags))
            counts = (snr >= material.min_snr) & ((flags & int(DOUBTFUL)) == 0)
            counts &= np.isfinite(errors.dx)
            kind = (frame.chip, frame.filter)
            keep = np.isin(errors.id, held[kind]) if kind in held else np.ones(len(errors), bool)
            columns = [getattr(errors, column)[keep] for column in errors.__dataclass_fields__]
            flux = 10 ** (-0.4 * errors.mag)
            inside = (flags & int(Flag.OUTSIDE_DOMAIN)) == 0
            found[label] = replace(
                CenterErrors(*columns, *(c[keep] for c in (flux, snr, inside, counts))),
                against="truth",
            )
    return found
