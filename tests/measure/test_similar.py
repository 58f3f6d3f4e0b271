"""PSF fits of a set that begin with its first."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

import filar.measure.tasks as tasks
from filar.catalogfile import read_catalog
from filar.instruments.options import ReadOptions
from filar.measure import Settings, measure_files
from filar.measure.similar import TRIES, Known
from filar.measure.summary import ChipSummary, FileResult
from filar.measure.tasks import Outcome, Task
from filar.psf.fitted import NearFit

from . import samples


def fit(chip: str, label: str = "", band: str = "F555W") -> NearFit:
    return NearFit("WFPC2", chip, band, {"focus": 0.01}, 0.003, label)


def exposure(chip: str, band: str = "F555W") -> Any:
    return SimpleNamespace(instrument="WFPC2", chip=chip, filter=band)


def lesson(chip: str, label: str | None) -> Any:
    return ("WFPC2", chip, "F555W"), None if label is None else fit(chip, label)


def test_the_first_fit_of_a_chip_and_filter_is_kept() -> None:
    known = Known(learning=True).learn([lesson("PC", "a"), lesson("PC", "b"), lesson("WF3", "c")])
    known = known.learn([lesson("PC", "d")])
    assert known.near(exposure("PC")) == fit("PC", "a")
    assert known.near(exposure("WF3")) == fit("WF3", "c")
    assert known.near(exposure("PC", "F814W")) is None
    assert not known.is_open([exposure("PC"), exposure("WF3")])
    assert known.is_open([exposure("PC"), exposure("PC", "F814W")])


def test_what_cannot_be_fitted_is_not_waited_for_for_ever() -> None:
    known = Known(learning=True)
    for _ in range(TRIES):
        assert known.is_open([exposure("PC")])
        known = known.learn([lesson("PC", None)])
    assert not known.is_open([exposure("PC")])
    assert known.learn([lesson("PC", "late")]).near(exposure("PC")) is None


def test_what_is_given_is_used_but_nothing_learnt_unless_asked_for() -> None:
    known = Known.of([fit("PC", "first"), fit("PC", "second")])
    assert known.near(exposure("PC")) == fit("PC", "first")
    assert known.learn([lesson("WF3", "a")]).near(exposure("WF3")) is None
    assert not known.is_open([exposure("WF3")])


def pretend(script: list[dict[str, bool]], log: list[int]) -> Any:
    """A stand-in for `measure_task`: chips whose fits succeed or not, as the script says."""

    def measure(task: Task, progress: Any = None) -> Outcome:
        number = int(task.path.name)
        chips = [exposure(name) for name in script[number]]
        if task.patient and task.known.is_open(chips):
            return Outcome(None)
        log.append(number)
        begun = [task.known.near(chip) for chip in chips]
        labels = ["" if near is None else near.label for near in begun]
        done = tuple(ChipSummary(label, 1, 0, 1, (), 0.0) for label in labels)
        lessons = [
            lesson(name, task.path.name if good else None) for name, good in script[number].items()
        ]
        return Outcome(FileResult(task.path, done), tuple(lessons))

    return measure


class Threads(ThreadPoolExecutor):
    """In the place of processes."""

    def __init__(self, workers: int, mp_context: object) -> None:
        super().__init__(workers)


FILE = st.dictionaries(st.sampled_from(["PC", "WF2", "WF3"]), st.booleans(), max_size=3)


@given(st.lists(FILE, min_size=1, max_size=12), st.booleans())
@settings(max_examples=60, deadline=None)
def test_workers_begin_with_the_same_fits(script: list[dict[str, bool]], learning: bool) -> None:
    todo = [
        Task(Path(str(i)), Path("part"), Settings(), ReadOptions(), 1, None)
        for i in range(len(script))
    ]
    known, log = Known(learning), list[int]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "measure_task", pretend(script, log))
        patch.setattr(tasks, "ProcessPoolExecutor", Threads)
        alone = tasks.run_one_by_one(todo, known, None)
        assert log == list(range(len(script)))
        log.clear()
        together = tasks.run_in_processes(todo, known, 3, None)
    assert sorted(log) == list(range(len(script)))
    assert together == alone
    succeeded = {name for file in script[:-1] for name, good in file.items() if good}
    if not learning or not succeeded:
        assert not any(chip.label for result in alone for chip in result.chips)


def test_the_second_file_begins_with_the_fit_of_the_first(tmp_path: Path) -> None:
    paths = [samples.write(tmp_path / f"image{i}.fits", seed=i) for i in (1, 2)]
    out = tmp_path / "stars.parquet"
    assert measure_files(paths, out, Settings(similar=True, method="psf")).complete
    table = read_catalog(out)
    facts = table.meta["exposures"]
    assert "solution" not in facts[0]["psf"]["message"]
    assert facts[1]["psf"]["message"].endswith("from the solution of image1")
    assert table.meta["parameters"]["similar"] is True
    second = table[table["exposure"] == "image2"]
    x, y = samples.positions(2)
    distance, index = cKDTree(np.c_[x, y]).query(np.c_[second["x_fit"], second["y_fit"]])
    pulls = ((second["x_fit"].value - x[index]) / second["x_err"].value)[distance < 0.5]
    assert len(pulls) > 60
    assert np.sqrt(np.median(pulls**2) / 0.455) < 1.3
