import pickle
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import filar.instruments
from filar.catalogfile import read_catalog
from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.instruments.options import ReadOptions
from filar.measure import Settings, measure_file, measure_files
from filar.xym import read_xym

from . import samples

DEFAULT = Settings(psf="default")


@pytest.fixture
def images(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    return [samples.write(folder / f"image{i}.fits", seed=i) for i in (1, 2)]


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir() if not p.is_dir())


def test_one_file(images):
    (measurement,), errors = measure_file(images[0], DEFAULT)
    assert not errors
    assert len(measurement.catalog) > 60
    assert measurement.exposure.gain == samples.GAIN


def test_options_take_precedence_over_the_header(images):
    (measurement,), _ = measure_file(images[0], DEFAULT, read=ReadOptions(gain=4.0, read_noise=10))
    assert measurement.exposure.gain == 4.0
    assert measurement.exposure.read_noise == 10.0


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".parquet"])
def test_many_files_into_one_catalogue(images, tmp_path, suffix):
    told = []
    out, xym = tmp_path / f"stars{suffix}", tmp_path / "stars.xym"
    summary = measure_files(
        images, out, DEFAULT, xym=xym, progress=lambda done, text: told.append(done)
    )
    table = read_catalog(out)
    assert summary.complete
    assert summary.output == out
    assert summary.n_rows == len(table)
    assert [r.path for r in summary.files] == images
    counts = [r.chips[0].n_stars for r in summary.files]
    assert list(table["exposure"]) == ["image1"] * counts[0] + ["image2"] * counts[1]
    assert [e["exposure"] for e in table.meta["exposures"]] == ["image1", "image2"]
    assert table.meta["parameters"]["psf"] == "default"
    assert len(read_xym(xym)) == len(table)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert names(tmp_path) == [out.name, xym.name]


def test_workers_give_the_same(images, tmp_path):
    alone = measure_files(images, tmp_path / "one.parquet", DEFAULT)
    together = measure_files(images, tmp_path / "two.parquet", DEFAULT, workers=2)
    assert together.n_rows == alone.n_rows
    one, two = (read_catalog(tmp_path / f"{name}.parquet") for name in ("one", "two"))
    np.testing.assert_allclose(one["x_fit"].value, two["x_fit"].value, atol=1e-9)
    assert list(one["exposure"]) == list(two["exposure"])


def test_a_bad_file_does_not_keep_the_good_ones_from_being_written(images, tmp_path):
    bad = tmp_path / "in" / "bad.fits"
    bad.write_text("no image")
    out = tmp_path / "stars.fits"
    summary = measure_files([bad, *images, tmp_path / "absent.fits"], out, DEFAULT)
    assert not summary.complete
    assert [bool(r.errors) for r in summary.files] == [True, False, False, True]
    assert "bad.fits" in summary.files[0].errors[0]
    assert len(read_catalog(out)) == summary.n_rows > 0


def test_nothing_is_written_when_nothing_can_be_measured(tmp_path):
    out = tmp_path / "stars.fits"
    summary = measure_files([tmp_path / "absent.fits"], out, DEFAULT)
    assert summary.output is None
    assert not summary.complete
    assert not names(tmp_path)


def test_a_camera_without_default_psf_is_an_error_of_that_file(tmp_path, images):
    odd = samples.write(tmp_path / "odd.fits", INSTRUME="WFPC2", FILTER="F999X")
    summary = measure_files([odd, images[0]], tmp_path / "o.fits", DEFAULT, read=ReadOptions(hdu=0))
    assert [bool(r.errors) for r in summary.files] == [True, False]
    assert "odd.fits" in summary.files[0].errors[0]


def _fail(path, measurements):
    raise OutputFileError(path.with_suffix(".html"), "disk full")


def _note(folder, path, measurements):
    (folder / f"{path.stem}.txt").write_text(str(len(measurements[0].catalog)))


def test_inspectors_see_every_file_and_may_fail(images, tmp_path):
    note = partial(_note, tmp_path)
    pickle.dumps(note)
    measure_files(images, tmp_path / "a.fits", DEFAULT, inspect=note, workers=2)
    assert int((tmp_path / "image2.txt").read_text()) > 60
    summary = measure_files(images, tmp_path / "b.fits", DEFAULT, inspect=_fail)
    assert not summary.complete
    assert summary.n_rows > 0
    assert "disk full" in summary.files[0].errors[0]


def test_warnings_about_a_file_are_kept(images, tmp_path, monkeypatch):
    import warnings

    original = filar.instruments.read_exposures

    def warn(path, *arguments, **options):
        warnings.warn(f"{path}: no quality file", UserWarning, stacklevel=2)
        return original(path, *arguments, **options)

    monkeypatch.setattr(filar.instruments, "read_exposures", warn)
    summary = measure_files(images[:1], tmp_path / "a.fits", DEFAULT)
    assert "no quality file" in summary.files[0].warnings[0]


def test_memory_of_a_file_is_freed_before_the_next(images, tmp_path, monkeypatch):
    import gc
    import weakref

    seen = []

    def look(path, measurements):
        gc.collect()
        assert all(reference() is None for reference in seen)
        seen.extend(weakref.ref(m) for m in measurements)

    measure_files(images, tmp_path / "a.parquet", DEFAULT, inspect=look)
    assert len(seen) == 2


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([], "a.fits"), ParameterError, "at least one"),
        ((["x.fits", "x.fits"], "a.fits"), ParameterError, "once"),
        ((["x.fits"], "x.fits"), OutputFileError, "also an input"),
        ((["x.fits"], "a.csv"), ParameterError, r"\.ecsv, \.fits, \.parquet"),
        ((["x.fits"], "none/a.fits"), OutputFileError, "no folder"),
    ],
)
def test_wrong_calls_are_refused_before_any_work(tmp_path, monkeypatch, arguments, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        measure_files(*arguments)
    assert not names(tmp_path)


def test_wrong_lists_and_workers_are_refused(tmp_path):
    source, out = tmp_path / "x.fits", tmp_path / "a.ecsv"
    with pytest.raises(ParameterError, match="another name"):
        measure_files([source], out, xym=out)
    with pytest.raises(OutputFileError, match="no folder"):
        measure_files([source], out, xym=tmp_path / "none" / "a.xym")
    with pytest.raises(ParameterError, match="workers"):
        measure_files([source], out, workers=0)


def test_an_unreadable_file_raises_when_measured_alone(tmp_path):
    with pytest.raises(InputFileError, match=r"absent\.fits"):
        measure_file(tmp_path / "absent.fits")
