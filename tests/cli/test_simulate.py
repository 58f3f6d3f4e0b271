"""``filar simulate``."""

import subprocess
import sys

import pytest
from astropy.table import QTable

from filar.instruments import read_exposures


def filar(*arguments):
    command = [sys.executable, "-c", "from filar.cli.main import main; main()", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_field_is_written_and_reproducible(tmp_path):
    options = ("simulate", "field", "-o", str(tmp_path), "--chips", "WF3", "--stars", "40",
               "--filter", "F814W", "--exposure-time", "60", "--no-cosmic-rays")  # fmt: skip
    for name in ("a", "b"):
        done = filar(*options, "--seed", "7", "--name", name)
        assert done.returncode == 0, done.stderr
    (exposure,) = read_exposures(tmp_path / "a_c0m.fits")
    assert (exposure.chip, exposure.filter, exposure.exposure_time) == ("WF3", "F814W", 60)
    first, second = (QTable.read(tmp_path / f"{n}_truth.ecsv") for n in ("a", "b"))
    assert len(first) == 40
    assert first.meta["seed"] == 7
    assert (first["x"] == second["x"]).all()
    (again,) = read_exposures(tmp_path / "b_c0m.fits")
    assert (exposure.data == again.data).all()


def test_help_shows_an_example():
    done = filar("simulate", "field", "--help")
    assert done.returncode == 0
    assert "filar simulate field" in done.stdout


@pytest.mark.parametrize(
    "wrong",
    [
        ("--chips", "WF9"),
        ("--chips", "PC,PC"),
        ("--flux", "10"),
        ("--flux", "9,1"),
        ("--stars", "many"),
        ("--sky", "-3"),
        ("--gain", "3"),
        ("--effects", "magic"),
    ],
)
def test_wrong_usage_exits_with_2_and_writes_nothing(tmp_path, wrong):
    done = filar("simulate", "field", "-o", str(tmp_path / "out"), "--stars", "5", *wrong)
    assert done.returncode == 2
    assert not (tmp_path / "out").exists()


def test_unwritable_folder_exits_with_1(tmp_path):
    (tmp_path / "file").write_text("")
    done = filar("simulate", "field", "-o", str(tmp_path / "file"), "--chips", "PC", "--stars", "1")
    assert done.returncode == 1
    assert "file" in done.stderr
    assert "Traceback" not in done.stderr
