"""``filar simulate dithers``."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from filar.catalogfile import read_catalog
from filar.instruments import read_exposures
from tests.cli.test_simulate import filar


def test_options_reach_the_set(tmp_path):
    done = filar(
        "simulate", "dithers", "-o", str(tmp_path), "--exposures", "2", "--chips", "wf2",
        "--filter", "F814W", "--stars", "30", "--flux", "2000,50000", "--focus", "3",
        "--breathing", "0", "--offset", "1", "--gain", "15", "--exposure-time", "60",
        "--no-cosmic-rays", "--effects", "default,rows", "--seed", "7", "--workers", "1",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "2 exposures made" in done.stderr
    (exposure,) = read_exposures(tmp_path / "dither_002_c0m.fits")
    assert (exposure.chip, exposure.filter, exposure.exposure_time) == ("WF2", "F814W", 60)
    assert exposure.gain == pytest.approx(14.5)
    truth = read_catalog(tmp_path / "truth.parquet")
    assert truth["flux"].value.min() >= 2000
    assert {fact["focus"] for fact in truth.meta["exposures"]} == {3.0}
    assert truth.meta["settings"]["effects"] == "default,rows,-cosmic_rays"
    again = filar(
        "simulate", "dithers", "-o", str(tmp_path), "--exposures", "2", "--chips", "wf2",
        "--workers", "1",
    )  # fmt: skip
    assert again.returncode == 1
    assert "other settings" in again.stderr
    assert "Traceback" not in again.stderr


def test_help_shows_an_example():
    done = filar("simulate", "dithers", "--help")
    assert done.returncode == 0
    assert "filar simulate dithers -o" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "wrong",
    [
        ("--exposures", "0"),
        ("--chips", "PC,XX"),
        ("--magnitudes", "dull"),
        ("--flux", "9,1"),
        ("--offset", "-1"),
        ("--gain", "9"),
        ("--filter", "F1W"),
        ("--effects", "default,magic"),
        ("--workers", "0"),
        ("--sky", "nan"),
    ],
)
def test_wrong_usage_exits_with_2_and_writes_nothing(tmp_path, wrong):
    done = filar("simulate", "dithers", "-o", str(tmp_path / "out"), "--stars", "5", *wrong)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_measured_centres_agree_with_the_truth(tmp_path):
    """Through the files, by the whole pipeline, with roll and scale on: no half pixels lost."""
    made = filar(
        "simulate", "dithers", "-o", str(tmp_path), "--exposures", "2", "--stars", "500",
        "--breathing", "0", "--jitter-spread", "0", "--roll", "0.02", "--scale", "1e-4",
        "--flux", "3000,60000", "--separation", "12", "--workers", "1",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    catalog = tmp_path / "two.parquet"
    done = filar(
        "measure", str(tmp_path / "dither_002_c0m.fits"), "--psf", "default", "-o", str(catalog)
    )
    assert done.returncode == 0, done.stderr
    found, truth = read_catalog(catalog), read_catalog(tmp_path / "truth.parquet")
    for chip in ("PC", "WF3"):
        stars = found[(found["chip"] == chip) & (found["flags"] == 0)]
        true = truth[(truth["chip"] == chip) & (truth["exposure"] == stars["exposure"][0])]
        tree = cKDTree(np.c_[true["x"].value, true["y"].value])
        distance, near = tree.query(np.c_[stars["x_fit"].value, stars["y_fit"].value])
        stars, near = stars[distance < 1], near[distance < 1]
        assert len(near) > 350
        for axis in ("x", "y"):
            error = stars[f"{axis}_fit"].value - true[axis].value[near]
            bound = true[f"{axis}_bound"].value[near]
            weight = (np.abs(error) < 5 * bound) / bound**2
            mean = np.sum(error * weight) / np.sum(weight)
            assert abs(mean) < 4 / np.sqrt(np.sum(weight))
            assert 0.85 < 1.4826 * np.median(np.abs(error / bound)) < 1.3
        assert abs(np.median(stars["mag"].value - true["mag"].value[near])) < 0.01
