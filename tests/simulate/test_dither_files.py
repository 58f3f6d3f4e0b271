"""Dither sets on disk: complete, the same however they were made, resumed."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from filar.catalogfile import read_catalog
from filar.errors import FilarError, InputFileError, OutputFileError, ParameterError
from filar.instruments import read_exposures
from filar.simulate import dither_files
from filar.simulate.dither_files import write_dither_set
from filar.simulate.dithers import DitherSettings, view_chip

SETTINGS = DitherSettings(exposures=3, stars=40, chips=("PC", "WF3"), seed=5)


def digests(folder):
    return {path.name: sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dithers") / "set"
    return write_dither_set(SETTINGS, folder)


def test_a_set_holds_its_files_and_nothing_else(made):
    names = {f"dither_00{k}_c{j}m.fits" for k in (1, 2, 3) for j in (0, 1)}
    names |= {"truth.parquet", "exposures.ecsv", "settings.json"}
    assert {path.name for path in made.folder.iterdir()} == names
    assert (made.made, made.kept) == (3, 0)
    assert [path.name for path in made.files] == [f"dither_00{k}_c0m.fits" for k in (1, 2, 3)]
    exposures = read_exposures(made.files[1])
    assert [e.label for e in exposures] == ["dither_002[PC]", "dither_002[WF3]"]
    assert exposures[0].exposure_time == SETTINGS.exposure_time
    assert exposures[0].time > read_exposures(made.files[0])[0].time


def test_the_truth_is_what_was_simulated(made):
    truth = read_catalog(made.truth)
    assert truth.colnames == [
        "exposure", "chip", "id", "x", "y", "flux", "mag", "x_bound", "y_bound", "x_ref", "y_ref"
    ]  # fmt: skip
    assert truth["id"].dtype == np.int64
    assert {c: str(truth[c].unit) for c in ("x", "flux", "mag", "y_bound", "x_ref")} == {
        "x": "pix", "flux": "electron", "mag": "mag", "y_bound": "pix", "x_ref": "pix"
    }  # fmt: skip
    for number, chip in ((1, "PC"), (3, "WF3")):
        rows = truth[(truth["exposure"] == f"dither_{number:03d}") & (truth["chip"] == chip)]
        view = view_chip(SETTINGS, chip, number)
        star = np.asarray(rows["id"]) - 1
        np.testing.assert_array_equal(rows["x"].value, view.stars.x[star])
        np.testing.assert_array_equal(rows["y_ref"].value, view.reference.y[star])
        np.testing.assert_allclose(rows["mag"].value, -2.5 * np.log10(view.stars.flux[star]))
        faint_first = np.argsort(rows["flux"].value)
        assert rows["x_bound"].value[faint_first[0]] > rows["x_bound"].value[faint_first[-1]] > 0
    first = truth[truth["exposure"] == "dither_001"]
    assert len(first) == 80
    np.testing.assert_allclose(first["x"].value, first["x_ref"].value, atol=1e-9)


def test_meta_and_table_tell_what_each_exposure_is(made):
    meta = read_catalog(made.truth).meta
    assert meta["settings"]["seed"] == 5
    assert meta["settings"]["chips"] == ["PC", "WF3"]
    facts = meta["exposures"]
    assert [fact["exposure"] for fact in facts] == [f"dither_00{k}" for k in (1, 2, 3)]
    table = read_catalog(made.exposures)
    assert len(table) == 3
    for name in ("dx", "dy", "roll", "scale", "focus", "jitter", "dx_PC", "dy_WF3"):
        values = [fact[name] for fact in facts]
        np.testing.assert_allclose(np.asarray(table[name]), values, atol=1e-4)
    assert table["focus"].unit == "um"
    pointing = view_chip(SETTINGS, "WF3", 2).pointing
    assert facts[1]["dx_WF3"] == pointing.middle_offset("WF3")[0]


def test_workers_change_nothing(made, tmp_path):
    write_dither_set(SETTINGS, tmp_path, workers=2)
    assert digests(tmp_path) == digests(made.folder)


def test_a_short_set_is_the_beginning_of_a_long_one(made, tmp_path):
    short = write_dither_set(replace(SETTINGS, exposures=1), tmp_path)
    before = (short.files[0]).stat().st_mtime_ns
    told = []
    longer = write_dither_set(SETTINGS, tmp_path, progress=lambda done, text: told.append(done))
    assert (longer.made, longer.kept) == (2, 1)
    assert longer.files[0].stat().st_mtime_ns == before
    assert told == sorted(told)
    assert told[-1] == 1
    assert digests(tmp_path) == digests(made.folder)


def test_what_is_lost_is_made_again(made, tmp_path):
    write_dither_set(SETTINGS, tmp_path)
    (tmp_path / "dither_002_c1m.fits").unlink()
    (tmp_path / "truth.parquet").unlink()
    damaged = tmp_path / "dither_003_c0m.fits"
    damaged.write_bytes(damaged.read_bytes()[:100_000])
    assert write_dither_set(SETTINGS, tmp_path).made == 2
    assert digests(tmp_path) == digests(made.folder)
    assert write_dither_set(SETTINGS, tmp_path).made == 0


def test_a_second_run_in_the_same_folder_is_refused(tmp_path):
    def disturb(done: float, text: str) -> None:
        with pytest.raises(OutputFileError, match="another run is writing"):
            write_dither_set(SETTINGS, tmp_path)

    assert write_dither_set(SETTINGS, tmp_path, progress=disturb).made == SETTINGS.exposures


def test_a_killed_run_goes_on_to_the_same_set(made, tmp_path):
    script = "from filar.cli.main import main; main()"
    command = [
        sys.executable, "-c", script, "simulate", "dithers", "-o", str(tmp_path), "--exposures",
        "3", "--stars", "40", "--seed", "5", "--workers", "2",
    ]  # fmt: skip
    first = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob("dither_*_c0m.fits")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert not (tmp_path / "truth.parquet").exists()
    assert list(tmp_path.glob("dither_*_c0m.fits"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "kept" in done.stderr
    assert digests(tmp_path) == digests(made.folder)


def test_other_settings_are_refused_by_name(made):
    with pytest.raises(OutputFileError, match=r"sky = 20\.0 instead of 33\.0.*choose another"):
        write_dither_set(replace(SETTINGS, sky=33.0), made.folder)
    with pytest.raises(OutputFileError, match="3 exposures"):
        write_dither_set(replace(SETTINGS, exposures=2), made.folder)


def test_a_folder_of_unknown_files_is_refused_and_left_alone(tmp_path):
    (tmp_path / "dither_001_c0m.fits").write_text("mine")
    with pytest.raises(OutputFileError, match="settings"):
        write_dither_set(SETTINGS, tmp_path)
    assert (tmp_path / "dither_001_c0m.fits").read_text() == "mine"


@pytest.mark.parametrize("text", ["{", "[]", json.dumps({"exposures": "many"})])
def test_broken_settings_are_named(tmp_path, text):
    (tmp_path / "settings.json").write_text(text)
    with pytest.raises((InputFileError, OutputFileError), match="settings"):
        write_dither_set(SETTINGS, tmp_path)


def test_impossible_sets_write_nothing(tmp_path):
    for wrong in ({"filter": "F1W"}, {"stars": 9000, "separation": 50.0}):
        with pytest.raises(ParameterError):
            write_dither_set(replace(SETTINGS, **wrong), tmp_path / "new")
    with pytest.raises(ParameterError, match="workers"):
        write_dither_set(SETTINGS, tmp_path / "new", workers=0)
    assert not (tmp_path / "new").exists()


def test_a_failure_in_a_run_keeps_what_is_finished(tmp_path, monkeypatch):
    real = dither_files.expose_chip

    def fail(view):
        if view.number == 2:
            raise OutputFileError(tmp_path, "disk full")
        return real(view)

    monkeypatch.setattr(dither_files, "expose_chip", fail)
    with pytest.raises(FilarError, match="disk full"):
        write_dither_set(SETTINGS, tmp_path)
    assert (tmp_path / "dither_001_c0m.fits").exists()
    assert not (tmp_path / "truth.parquet").exists()
    monkeypatch.undo()
    assert write_dither_set(SETTINGS, tmp_path).kept == 1


def test_no_stars_still_make_a_set(tmp_path):
    made = write_dither_set(replace(SETTINGS, stars=0, exposures=1, chips=("PC",)), tmp_path)
    assert len(read_catalog(made.truth)) == 0
    assert len(read_exposures(made.files[0])) == 1
