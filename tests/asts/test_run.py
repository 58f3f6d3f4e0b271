"""Tables of artificial stars: the same whatever the number of processes, after any interruption."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from filar.asts import chunk
from filar.asts.chunk import draw_chunk, place_weights
from filar.asts.cuts import Cuts
from filar.asts.run import catalogue_of, run_asts
from filar.asts.settings import ASTSettings
from filar.completeness.table import ArtificialStars, RealStars
from filar.errors import FilarError, ParameterError

from .fields import SHIFT, ZERO, field_of

SETTINGS = ASTSettings(number=150, mag=(14.0, 20.5), colors=((-0.5, 0.5),), seed=5)


@pytest.fixture(scope="module")
def field():
    return field_of("F555W", "F814W")


@pytest.fixture(scope="module")
def table(field):
    return run_asts([field], SETTINGS)


def equal(one, other) -> None:
    assert one.colnames == other.colnames
    for name in one.colnames:
        np.testing.assert_array_equal(np.asarray(one[name]), np.asarray(other[name]))


def test_stars_lie_where_and_are_what_was_asked_for(field, table) -> None:
    stars = ArtificialStars.from_table(table)
    assert stars.bands == ("F555W", "F814W") and len(stars) == 150
    first, second = stars.mag_in.T
    assert first.min() >= 14 and first.max() <= 20.5
    assert np.abs(first - second).max() <= 0.5
    assert 0.2 < stars.recovered.mean() < 0.95
    assert stars.recovered[first < 16].mean() > 0.8 > 0.2 > stars.recovered[first > 20].mean()


def test_the_second_image_gets_the_star_at_the_same_place_of_the_sky(table) -> None:
    both = np.asarray(table["recovered"]) & (np.asarray(table["mag_in_F555W"]) < 17)
    dx = np.asarray(table["x_out_F814W"] - table["x_out_F555W"])[both]
    dy = np.asarray(table["y_out_F814W"] - table["y_out_F555W"])[both]
    assert np.median(dx) == pytest.approx(SHIFT[0], abs=0.03)
    assert np.median(dy) == pytest.approx(SHIFT[1], abs=0.03)
    delta = np.asarray(table["mag_out_F814W"] - table["mag_in_F814W"])[both]
    assert abs(np.median(delta)) < 0.02


def test_found_means_passing_the_cuts_and_detected_does_not(field) -> None:
    strict = ASTSettings(
        number=150, mag=(14.0, 20.5), colors=((-0.5, 0.5),), seed=5, cuts=Cuts(min_snr=40)
    )
    result = run_asts([field], strict)
    found, detected = (np.asarray(result[f"{name}_F555W"]) for name in ("found", "detected"))
    assert (found <= detected).all() and found.sum() < detected.sum()
    assert np.asarray(result["snr_F555W"])[found].min() >= 40
    assert np.isnan(np.asarray(result["mag_out_F555W"])[~found]).all()
    assert result.meta["cuts"]["min_snr"] == 40


def test_one_band_suffices_if_the_cuts_say_so(field, table) -> None:
    loose = ASTSettings(
        number=150, mag=(14.0, 20.5), colors=((-0.5, 0.5),), seed=5, cuts=Cuts(bands=1)
    )
    either = np.asarray(run_asts([field], loose)["recovered"])
    found = np.stack([np.asarray(table[f"found_{b}"]) for b in ("F555W", "F814W")], axis=1)
    assert np.array_equal(either, found.any(axis=1))
    assert either.sum() > np.asarray(table["recovered"]).sum()


def test_the_seed_alone_makes_the_table(field, table) -> None:
    equal(run_asts([field], SETTINGS), table)
    other = ASTSettings(number=150, mag=(14.0, 20.5), colors=((-0.5, 0.5),), seed=6)
    assert not np.array_equal(np.asarray(run_asts([field], other)["x"]), np.asarray(table["x"]))


def test_processes_and_interruptions_do_not_change_the_table(
    field, table, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("filar.asts.run.CHUNK", 40)
    whole = run_asts([field], SETTINGS)
    folder = tmp_path / "run"
    seen: list[float] = []

    def stop(done: float, text: str) -> None:
        seen.append(done)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_asts([field], SETTINGS, folder=folder, progress=stop)
    ready = sorted(path.name for path in folder.glob("*.npz"))
    assert len(ready) == 2
    (folder / ready[1]).write_bytes(b"half")  # a chunk that was being written when power failed
    equal(run_asts([field], SETTINGS, folder=folder, resume=True, workers=2), whole)
    assert not folder.exists()


def test_another_run_s_chunks_are_not_taken(field, tmp_path) -> None:
    folder = tmp_path / "run"

    def stop(done: float, text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_asts([field], SETTINGS, folder=folder, progress=stop)
    other = ASTSettings(number=150, mag=(14.0, 21.0), colors=((-0.5, 0.5),), seed=5)
    with pytest.raises(ParameterError, match="resume"):
        run_asts([field], other, folder=folder, resume=True)
    full = tmp_path / "mine"
    full.mkdir()
    (full / "thesis.tex").write_text("years of work")
    with pytest.raises(ParameterError, match="folder"):
        run_asts([field], SETTINGS, folder=full)
    assert (full / "thesis.tex").exists()


def test_a_killed_run_goes_on(tmp_path, field) -> None:
    code = (
        "from tests.asts.fields import field_of\n"
        "from tests.asts.test_run import SETTINGS\n"
        "import filar.asts.run as r, sys\n"
        "r.CHUNK = 20\n"
        "r.run_asts([field_of('F555W', 'F814W')], SETTINGS, folder=sys.argv[1])\n"
    )
    folder = tmp_path / "run"
    root = Path(__file__).resolve().parents[2]
    job = subprocess.Popen([sys.executable, "-c", code, str(folder)], cwd=root)
    while job.poll() is None and len(list(folder.glob("*.npz"))) < 2:
        time.sleep(0.02)
    job.send_signal(signal.SIGKILL)
    job.wait()
    assert len(list(folder.glob("*.npz"))) >= 2
    import filar.asts.run as run

    before = run.CHUNK
    run.CHUNK = 20
    try:
        made: list[str] = []
        original = run._make
        run._make = lambda piece, work: (made.append(piece.name), original(piece, work))[1]
        resumed = run.run_asts([field], SETTINGS, folder=folder, resume=True)
        run._make = original
        equal(resumed, run.run_asts([field], SETTINGS))
    finally:
        run.CHUNK = before
    assert len(made) <= 6


def test_weights_put_stars_where_they_say(field, tmp_path) -> None:
    shape = field.bands[0].exposure.shape
    left = np.zeros(shape)
    left[:, :50] = 1
    x, _, _ = draw_chunk(field, place_weights(field, left), SETTINGS, 500, (0, 0))
    assert x.max() < 50
    from astropy.io import fits

    fits.writeto(tmp_path / "map.fits", left)
    again = place_weights(field, tmp_path / "map.fits")
    assert np.array_equal(again, place_weights(field, left))
    with pytest.raises(ParameterError, match="shape"):
        place_weights(field, np.ones((3, 3)))
    with pytest.raises(ParameterError, match="negative"):
        place_weights(field, -left)
    with pytest.raises(ParameterError, match="weight"):
        place_weights(field, 0 * left)


def test_no_star_is_put_beyond_the_second_image(field) -> None:
    allowed = field.allowed()
    assert not allowed[:, -3:].any() and allowed[20:, 10:100].all()
    x, y, _ = draw_chunk(field, place_weights(field, "stars"), SETTINGS, 500, (0, 0))
    u, v = field.from_first[1](x, y)
    ny, nx = field.bands[1].exposure.shape
    assert (u > -1).all() and (u < nx).all() and (v > -1).all() and (v < ny).all()


def test_real_stars_pass_the_same_cuts_and_have_the_same_covariates(field, table) -> None:
    real = catalogue_of([field], SETTINGS)
    stars, artificial = RealStars.from_table(real), ArtificialStars.from_table(table)
    assert stars.bands == artificial.bands
    assert list(stars.covariates) == list(artificial.covariates)
    assert real.meta["cuts"] == table.meta["cuts"]
    assert np.isfinite(stars.mag).all() and (np.asarray(real["snr_F814W"]) >= 5).all()
    # the same stars were put into both images
    assert np.median(stars.mag[:, 0] - stars.mag[:, 1]) == pytest.approx(0, abs=0.05)
    for name, values in stars.covariates.items():
        middle = np.nanmedian(artificial.covariates[name])
        spread = np.nanstd(artificial.covariates[name])
        assert abs(np.nanmedian(values) - middle) < spread, name
    assert ZERO - 2.5 * np.log10(1e5) < stars.mag.min()


def test_what_does_not_suit_the_field_is_refused(field) -> None:
    with pytest.raises(ParameterError, match="color"):
        run_asts([field], ASTSettings(number=5, colors=((0, 1), (0, 1), (0, 1))))
    with pytest.raises(ParameterError, match="bands"):
        run_asts([field], ASTSettings(number=5, cuts=Cuts(bands=3)))


def test_a_dead_worker_is_told(field, monkeypatch) -> None:
    from concurrent.futures.process import BrokenProcessPool

    class Dead:
        def __init__(self, *args) -> None: ...
        def submit(self, *args):
            raise BrokenProcessPool

        def shutdown(self, **how) -> None: ...

    monkeypatch.setattr("filar.asts.run.ProcessPoolExecutor", Dead)
    with pytest.raises(FilarError, match="worker"):
        run_asts([field], SETTINGS, workers=2)


def test_chunks_are_drawn_by_their_numbers(field) -> None:
    weight = place_weights(field, "uniform")
    one = draw_chunk(field, weight, SETTINGS, 30, (0, 3))
    again = draw_chunk(field, weight, SETTINGS, 30, (0, 3))
    other = draw_chunk(field, weight, SETTINGS, 30, (0, 4))
    assert all(np.array_equal(a, b) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0], other[0])
    assert chunk.CHUNK > 100
