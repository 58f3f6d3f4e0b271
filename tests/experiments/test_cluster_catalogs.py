"""Colours of mocks against catalogues: regions, selection, and the run on the real tables."""

from pathlib import Path

import numpy as np
import pytest

from experiments.cluster_catalogs import __main__ as program
from experiments.cluster_catalogs.coverage import PARTS, density
from experiments.cluster_catalogs.mocks import PAPER, Mocks, listed
from experiments.cluster_catalogs.text import table


def test_points_of_the_mocks_own_distribution_are_outside_as_often_as_they_should_be() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(0.5, 0.4, (2, 20000))
    found = density(x, y)
    assert found.values.sum() * 0.05**2 == pytest.approx(1)
    outside = found.outside(*rng.normal(0.5, 0.4, (2, 20000)))
    for part in PARTS:
        assert outside[f"{part:g}"] == pytest.approx(1 - part, abs=0.015)


def test_points_elsewhere_are_outside_and_unknown_ones_do_not_count() -> None:
    rng = np.random.default_rng(2)
    found = density(*rng.normal(0, 0.3, (2, 4000)))
    away = np.array([0.0, 3.0, 50.0, np.nan])
    shares = found.outside(away, np.zeros(4))
    assert shares == {"0.5": pytest.approx(2 / 3), "0.95": pytest.approx(2 / 3),
                      "0.99": pytest.approx(2 / 3)}  # fmt: skip
    assert np.isnan(list(found.outside(away[3:], away[3:]).values())).all()


def test_mocks_are_listed_above_the_limit_with_the_errors_of_like_clusters() -> None:
    bands = ("F336W", "F438W", "F555W", "F814W")
    rng = np.random.default_rng(3)
    visual = rng.uniform(-12, -4, 4000)
    mocks = Mocks(bands, np.repeat(visual[:, None], 4, axis=1))
    observed = np.array([22.0, 18.0])
    errors = np.array([[0.5] * 4, [0.01] * 4])
    shown = listed(mocks, 28.0, -6.0, observed, errors, seed=4)
    assert len(shown.mags) == (visual < -6).sum()
    true = visual[visual < -6] + 28
    for band, rows, expected in (("F336W", true > 20, 0.5), ("F814W", true < 20, 0.01)):
        scatter = (shown.column(band) - true)[rows].std()
        assert scatter == pytest.approx(expected, rel=0.1)
    assert np.array_equal(shown.mags, listed(mocks, 28.0, -6.0, observed, errors, seed=4).mags)


def test_ranges_hold_what_is_in_all_of_them() -> None:
    held = PAPER.holds(np.array([7.0, 9.0, 7.0]), np.array([1.0, 1.0, np.nan]), np.full(3, 4.0))
    assert held.tolist() == [True, False, False]


def test_the_table_has_a_line_for_each_comparison_the_own_metallicity_first() -> None:
    row = {"catalogue": "M 83", "clusters": "all", "number": 7, "z": 0.03, "colours": "U - B",
           "own": True, "outside": {"0.5": 0.5, "0.95": 0.052, "0.99": 0.0}}  # fmt: skip
    text = table({"rows": [{**row, "own": False, "z": 0.01}, row]})
    lines = [line for line in text.splitlines() if line.startswith("| M 83")]
    assert lines == [
        f"| M 83 | all | 7 | {z} | U - B | 50.0% | 5.2% | 0.0% |" for z in ("0.03", "0.01")
    ]


def test_the_run_on_the_real_catalogues(shared: Path, tmp_path: Path) -> None:
    isochrones = str(shared / "isochrones" / "parsec12S_wfc3_Z0.030000.dat.gz")
    words = ["-o", str(tmp_path), "--shared", str(shared), "-n", "300", "--isochrones", isochrones]
    program.main(words)
    text = (tmp_path / "coverage.md").read_text()
    assert text.count("| M 83") == text.count("| NGC 628") == 6
    assert (tmp_path / "colours.png").read_bytes()[:4] == b"\x89PNG"
    assert "F435W" in (tmp_path / "coverage.json").read_text()
