"""Processes that train side by side: a killed one is told of, and none outlives its parent."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from filar.errors import OutputFileError
from filar.saturation.batches import Columns
from filar.saturation.crew import Crew

DATA = {"train": {"log_n": torch.zeros(3)}}


@dataclass(frozen=True)
class Job:
    """Writes a history of two epochs, dies, or sleeps."""

    place: Path
    what: str = "work"

    def run(self, columns: dict[str, Columns], tell: Any = None) -> None:
        """Do it."""
        self.place.mkdir()
        (self.place / "pid").write_text(str(os.getpid()))
        if self.what == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.what == "sleep":
            time.sleep(600)
        if self.what == "fail":
            raise ValueError("no such thing")
        assert columns["train"]["log_n"].tolist() == [0, 0, 0]
        (self.place / "history.csv").write_text("epoch\n0\n1\n")


def test_epochs_are_told_and_nothing_is_left(tmp_path: Path) -> None:
    told: list[int] = []
    with Crew(tmp_path, DATA, 2) as crew:
        crew.train([Job(tmp_path / "a"), Job(tmp_path / "b")], told.append)
    assert told[-1] == 4
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


@pytest.mark.parametrize(
    ("what", "error", "named"),
    [("die", OutputFileError, "killed.*--resume"), ("fail", ValueError, "no such thing")],
)
def test_a_failure_ends_the_others(
    what: str, error: type[Exception], named: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=named), Crew(tmp_path, DATA, 2) as crew:
        crew.train([Job(tmp_path / "a", "sleep"), Job(tmp_path / "b", what)], lambda n: None)
    assert not list(tmp_path.glob(".*"))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # a container's first process may leave the dead unburied
    state = Path(f"/proc/{pid}/stat")
    return not state.is_file() or "Z" not in state.read_text().rsplit(")")[1].split()[0]


def test_no_process_outlives_a_parent_that_was_killed(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-m", "tests.saturation.test_crew", str(tmp_path)])
    pid = tmp_path / "a" / "pid"
    for _ in range(600):
        if pid.is_file() and pid.read_text():
            break
        time.sleep(0.1)
    parent.kill()
    parent.wait()
    for _ in range(300):
        if not alive(int(pid.read_text())):
            break
        time.sleep(0.1)
    assert not alive(int(pid.read_text()))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    from tests.saturation.test_crew import Job as Told

    with Crew(folder, DATA, 1) as own:
        own.train([Told(folder / "a", "sleep")], lambda n: None)
