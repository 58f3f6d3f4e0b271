"""From stores, networks and catalogues to the facts that a page about centres shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from filar.centering.evaluate import WELL_MEASURED_MAG
from filar.centering.sensitivity import Sensitivity, central_star, sensitivity
from filar.flags import Flag
from filar.frames.frame import Frame
from filar.frames.mean import solve_frames
from filar.frames.settings import FrameSettings
from filar.frames.starlist import DOUBTFUL, StarList
from filar.frames.truemap import reweighted
from filar.frames.truth import Truth, belongs, truth_errors
from filar.measure.heldlists import positions_of, star_lists
from filar.measure.heldout import (
    CLASSIC,
    MIN_SNR,
    Centerer,
    CenterErrors,
    Measured,
    Positions,
    errors_of,
    measure_store,
)
from filar.report.centering_facts import CenteringFacts, History, Judged, judge
from filar.report.frames_facts import FrameFacts, Groups, gather
from filar.stamps.labels import TEST
from filar.stamps.store import StampStore

Progress = Callable[[float, str], None]
Kind = tuple[str, str]
MIN_TIE = 60
"""Well-measured stars held out per exposure below which all stars tie the exposures together."""
LEAST_SHARE = 0.5
"""Part of the stars with stamps that a catalogue must have to be judged beside them."""
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
    max_neighbours : float
        With truth: nor are stars with more light than this share of their own from neighbours.
    mag_range : (float, float)
        Of table 3.
    """

    stores: Sequence[StampStore] = ()
    networks: Mapping[str, Centerer] = field(default_factory=dict)
    catalogs: Mapping[str, Sequence[StarList]] = field(default_factory=dict)
    truth: Truth | None = None
    history: Mapping[str, History] = field(default_factory=dict)
    min_snr: float = MIN_SNR
    max_neighbours: float = np.inf
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
    lists: dict[str, dict[str, list[StarList]]] = {}
    looked: dict[str, list[tuple[str, Sensitivity]]] = {}
    remarks: list[str] = []

    def add(label: str, errors: Mapping[str, CenterErrors]) -> None:
        judged[label] = [
            judge(label, name, numbers[name], one, material.mag_range)
            for name, one in errors.items()
        ]

    names = _set_names(material.stores, remarks)
    for i, store in enumerate(material.stores):
        tell = _part(progress, i, len(material.stores))
        measured = measure_store(store, material.networks, progress=tell)
        beside = {name: positions_of(measured, own) for name, own in material.catalogs.items()}
        for kind in measured.kinds:
            label = _label((*kind, names[i]))
            own = _with_catalogs(measured, kind, label, beside, remarks)
            add(label, _judge_store(own, kind, label, material, remarks))
            lists[label] = _lists(own, kind, label, remarks)
            looked[label] = _look(store, measured, kind, material)
    alone = {_label(kind[:2]) for kind in _kinds(material.stores)}
    for name, stars_of in material.catalogs.items():
        for stars in stars_of:
            label = _label((stars.chip, stars.filter))
            if label not in alone:
                lists.setdefault(label, {}).setdefault(name, []).append(stars)
    curves = _tie(lists, numbers, remarks, progress)
    if material.truth is not None:
        for label in [label for label in lists if label not in judged]:
            add(label, _judge_catalogs(curves.get(label, ()), material))
    return CenteringFacts(
        {label: methods for label, methods in judged.items() if methods},
        curves,
        {label: networks for label, networks in looked.items() if networks},
        material.history,
        tuple(remarks),
        material.mag_range,
    )


def _label(names: Sequence[str]) -> str:
    return " ".join(filter(None, names)) or "all stars"


def _kinds(stores: Sequence[StampStore]) -> list[tuple[str, str, int]]:
    """Chips and filters of stores, and the store's number, each once."""
    return list(dict.fromkeys(
        (group.chip, group.filter, i) for i, store in enumerate(stores) for group in store.groups
    ))  # fmt: skip


def _set_names(stores: Sequence[StampStore], remarks: list[str]) -> list[str]:
    """Names to tell sets of stamps apart, empty where all are of other chips or filters."""
    kinds = [kind[:2] for kind in _kinds(stores)]
    if len(set(kinds)) == len(kinds):
        return [""] * len(stores)
    names = [f"set {i + 1}" for i in range(len(stores))]
    remarks += [f"{name}: {store.path}" for name, store in zip(names, stores, strict=True)]
    return names


def _part(progress: Progress | None, number: int, count: int) -> Progress | None:
    if progress is None:
        return None
    return lambda done, text: progress(0.7 * (number + done) / count, text)


def _with_catalogs(
    measured: Measured,
    kind: Kind,
    label: str,
    beside: Mapping[str, Positions],
    remarks: list[str],
) -> Measured:
    """Let catalogues that have most of a chip's stars be judged by the same measures."""
    rows = measured.of(kind)
    classic = rows & np.isfinite(measured.methods[CLASSIC].x)
    methods = dict(measured.methods)
    for name, own in beside.items():
        share = float(np.isfinite(own.x[classic]).mean()) if classic.any() else 0.0
        if share >= LEAST_SHARE:
            methods[name] = own
        elif share > 0:
            remarks.append(f"{label}: the catalogue {name} has {100 * share:.0f}% of the "
                           "stars with stamps: too few to judge it.")  # fmt: skip
    return replace(measured, methods=methods)


def _judge_store(
    measured: Measured, kind: Kind, label: str, material: Material, remarks: list[str]
) -> dict[str, CenterErrors]:
    """Errors of the stars held out, or of all where none are."""
    part: int | None = TEST
    if not (measured.part[measured.of(kind)] == TEST).any():
        part = None
        remarks.append(f"{label}: no stars are held out (no test part): all are judged.")
    elif not measured.split_by_star:
        remarks.append(
            f"{label}: the parts were divided by stamp, so that stars that are judged were trained "
            "with too, in other exposures; their labels' errors are then learnt as well."
        )
    judged = partial(errors_of, measured, kind, part=part, min_snr=material.min_snr)
    errors = judged(truth=material.truth, max_neighbours=material.max_neighbours)
    if material.truth is not None and not len(next(iter(errors.values()))):
        remarks.append(f"{label}: the truth is not that of these exposures; labels are taken.")
        errors = judged()
    return errors


def _lists(
    measured: Measured, kind: Kind, label: str, remarks: list[str]
) -> dict[str, list[StarList]]:
    """Star lists of all methods: of the stars held out if they can tie exposures together."""
    rows = measured.of(kind)
    good = rows & (measured.snr >= 30) & ((measured.flags & int(DOUBTFUL)) == 0)
    tested = good & (measured.part == TEST)
    groups = max(len(np.unique(measured.group[rows])), 1)
    enough = np.count_nonzero(tested) >= MIN_TIE * groups and measured.split_by_star
    if not enough:
        remarks.append(
            f"{label}: the exposures are tied together with all stars, those of the training "
            "included, because too few are held out."
        )
    return {
        method: [
            stars
            for stars in star_lists(measured, method, TEST if enough else None, common=True)
            if (stars.chip, stars.filter) == kind
        ]
        for method in measured.methods
    }


def _look(
    store: StampStore, measured: Measured, kind: Kind, material: Material
) -> list[tuple[str, Sensitivity]]:
    """Sensitivities of all networks to what they are told about one star."""
    own = measured.of(kind)
    clean = own & ((measured.flags & int(DOUBTFUL)) == 0) & np.isfinite(measured.snr)
    rows = np.flatnonzero(clean)
    rows = np.sort(rows[np.argsort(-measured.snr[rows], kind="stable")[:_BRIGHTEST]])
    if not material.networks or not len(rows):
        return []
    stamps, labels = store.read(rows)
    usable = np.asarray(~stamps.bad.any(axis=(1, 2)))
    if not usable.any():
        return []
    star = stamps[np.array([central_star(stamps, labels.snr, usable)])]
    low, high = np.nanquantile(measured.mag[own], (0.005, 0.995)).tolist()
    return [
        (name, sensitivity(network.predict, star, (low, high)))
        for name, network in material.networks.items()
    ]


def _tie(
    lists: Mapping[str, Mapping[str, list[StarList]]],
    numbers: Mapping[str, int],
    remarks: list[str],
    progress: Progress | None,
) -> Groups:
    """Tie the exposures of each method together, all to one reference."""
    found: dict[str, Sequence[FrameFacts]] = {}
    for i, (label, own) in enumerate(lists.items()):
        if progress is not None:
            progress(0.7 + 0.3 * i / len(lists), f"tying {label} together")
        # The order of the methods gives their colours, here as in the other figures.
        methods: dict[str, list[Frame]] = {name: [] for name in numbers}
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
                # What tells sets of one filter apart belongs into the figures' titles.
                further = label.removeprefix(frame.label).strip()
                methods[name] = [replace(frame, filter=_label((frame.filter, further)))]
            else:
                remarks.append(f"{label}, {name}: no exposures could be tied together.")
        for facts in gather(methods).values():
            found[label] = facts
    return found


def _judge_catalogs(methods: Sequence[FrameFacts], material: Material) -> dict[str, CenterErrors]:
    """Errors of catalogues against the truth, where there are no stamps: of all their stars."""
    found: dict[str, CenterErrors] = {}
    for facts in methods:
        frame = facts.frame
        assert material.truth is not None
        errors = truth_errors(frame, material.truth)
        if not belongs(frame, errors):
            continue
        errors = reweighted(errors)
        snr, flags = np.full(len(errors), np.nan), np.zeros(len(errors), np.int64)
        for tie in np.unique(errors.tie).tolist():
            at, stars = errors.tie == tie, frame.ties[tie].stars
            snr[at], flags[at] = (column[errors.row[at]] for column in (stars.snr, stars.flags))
        counts = (snr >= material.min_snr) & ((flags & int(DOUBTFUL)) == 0)
        columns = [getattr(errors, column) for column in errors.__dataclass_fields__]
        columns += [10 ** (-0.4 * errors.mag), snr, (flags & int(Flag.OUTSIDE_DOMAIN)) == 0]
        columns.append(counts & np.isfinite(errors.dx))
        one = CenterErrors(*columns)
        found[facts.method] = replace(one, against="truth")
    return found
