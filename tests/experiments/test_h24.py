"""H24 on simulated fields, with very small numbers."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from experiments.ast_tables.judged import Row
from experiments.ast_tables.text import OURS
from experiments.h24.__main__ import main
from experiments.h24.fields import _found, joined, steep
from experiments.h24.statements import statements
from experiments.h24.truth import Functions, calibration, subsets, truth_text, zones
from experiments.trials.folder import read_json
from filar.completeness.curves import completeness_curves
from filar.completeness.luminosity import LuminosityFunction
from tests.completeness.toys import toy_stars, true_probability


def test_a_detection_is_a_stars_if_half_of_its_light_is():
    stars = SimpleNamespace(
        x=np.array([10.0, 50.0, np.nan]), y=np.array([10.0, 50.0, 3.0]),
        flux=np.array([1000.0, 300.0, 5.0]),
    )  # fmt: skip
    at = np.array([[10.3, 10.0], [11.0, 10.4], [50.0, 51.0], [80.0, 80.0], [3.0, 3.0]])
    flux = np.array([900.0, 400.0, 290.0, 500.0, 5.0])
    np.testing.assert_array_equal(_found(at, flux, stars), [0, -1, 1, -1, -1])


def test_regions_are_rings_about_the_galaxy_and_strips_of_the_halo():
    x, y = np.array([416.0, 500.0, 416.0, 10.0]), np.array([440.0, 440.0, 650.0, 10.0])
    np.testing.assert_array_equal(zones("galaxy", x, y), [0, 1, 2, 2])
    np.testing.assert_array_equal(zones("halo", x, y), [2, 2, 2, 0])


def toy_truth(number):
    stars = toy_stars(number)
    light = {"surface_brightness_F555W": 25.0 - stars.covariates["sky_noise_F555W"]}
    return replace(stars, covariates=stars.covariates | light)


class Honest:
    """The probabilities that the toys were made with, and a part more."""

    def __init__(self, more=0.0):
        self.more = more

    def in_domain(self, stars):
        return np.ones(len(stars), bool)

    def p_recovered(self, stars):
        p = true_probability(stars.mag_in, stars.covariates["sky_noise_F555W"])
        return np.clip(p + self.more, 0, 1)


def test_honest_probabilities_are_told_from_others():
    true = toy_truth(20_000)
    parts = subsets(true)
    assert parts["all"].all()
    assert parts["bright sky"].mean() == pytest.approx(0.25, abs=0.01)
    np.testing.assert_array_equal(parts["bright sky"], parts["much light around"])
    right, wrong = calibration(Honest(), true), calibration(Honest(0.05), true)
    for row in right:
        assert row["rms_pull"] < 1.8
        assert abs(row["mean"]) < 0.012
    assert wrong[0]["mean"] == pytest.approx(0.045, abs=0.02)
    assert wrong[0]["rms_pull"] > 5
    text = truth_text({"galaxy": right, "halo": wrong}).splitlines()
    assert len(text) == 2 + 8
    assert len({line.count("|") for line in text}) == 1


def test_functions_are_compared_where_they_can_be():
    edges = np.arange(20.0, 25.1, 1.0)
    true = np.array([[50.0, 100.0, 200.0, 5.0, 900.0]])
    arrays = {
        "observed": np.array([50.0, 95.0, 120.0, 4.0, 10.0]),
        "number": np.array([50.0, 110.0, 180.0, 6.0, 500.0]),
        "field_err": np.full(5, 10.0), "number_err": np.full(5, 20.0),
        "efficiency": np.array([1, 0.9, 0.6, 0.5, 0.05]), "artificial": np.full(5, 1e3),
        "reliable": np.array([True, True, True, True, False]),
    }  # fmt: skip
    found = Functions(edges, true, [LuminosityFunction("V", edges, **arrays)], 1.2 * true)
    # The outermost bins and those with few stars are left out.
    np.testing.assert_array_equal(found.compared(), [[False, True, True, False, False]])
    told = found.figures()
    assert told["bins"] == 2
    assert told["pull_mean"] == pytest.approx(-0.5)
    np.testing.assert_allclose(told["over_true"]["corrected"][1:3], [1.1, 0.9])
    np.testing.assert_allclose(told["over_true"]["one over p"][1:3], 1.2)


def row(recipe, size, accuracy):
    return Row("halo", recipe, size, size or 9000, 1000, accuracy, 0.2, 0.01, 0.07, 0.006, 0.005,
               0.009, 0.01, 9.0, 9.0)  # fmt: skip


def test_the_papers_statements_stand_beside_ours():
    rows = [
        row("logistic", 0, 0.9),
        row(OURS, 300, 0.88),
        row(OURS, 1000, 0.92),
        row(OURS, 0, 0.95),
    ]
    curves = {"halo": completeness_curves(toy_stars(3000), np.arange(21.0, 28.1, 0.5))}
    text = statements(rows, curves)
    assert "logistic 90.0% (9000), filar-completeness 95.0% (9000)" in text
    assert "halo: 1000" in text
    assert "against measured F555W" in text


def test_realisations_are_put_one_after_the_other():
    first, second = toy_stars(10, 1), toy_stars(20, 2)
    both = joined([first, second])
    assert len(both) == 30
    np.testing.assert_array_equal(both.mag_out[10:], second.mag_out)
    np.testing.assert_array_equal(both.covariates["crowding"][:10], first.covariates["crowding"])


def test_thinned_stars_follow_a_steep_function():
    stars = steep(toy_stars(100_000), seed=1)
    counts = np.histogram(stars.mag_in[:, 0], [25.0, 26.0, 27.0, 28.0])[0]
    np.testing.assert_allclose(counts[1:] / counts[:-1], 10**0.8, rtol=0.12)
    assert len(steep(toy_stars(1000), seed=1)) < 1000


@pytest.mark.slow
def test_it_runs_and_is_resumed(tmp_path, capsys):
    few = "--galaxies 0 --halos 1 --artificial 1500,2000 --stars 4000 --sizes 300"
    words = ["-o", str(tmp_path / "h24"), *few.split(), "--recipes", f"logistic,{OURS}"]
    main(words)
    found = read_json(tmp_path / "h24" / "table.json")
    assert {one["recipe"] for one in found["rows"]} == {"logistic", OURS}
    whole = found["truth"]["halo"][0]
    assert abs(whole["mean"]) < 0.05
    assert 22 < found["limits"]["halo"]["input"] < 28
    for name in ("curves", "truth", "luminosity", "cmd-halo"):
        path = tmp_path / "h24" / f"{name}.png"
        assert path.read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()
    main(words)
    again = read_json(tmp_path / "h24" / "table.json")
    assert again["rows"] == found["rows"]
