import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from filar.cli.demo import compare


def made(number: int, pull: float, seed: int) -> tuple[QTable, QTable]:
    """A truth table, and a catalogue whose errors are `pull` times what it says."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(10.0 * np.arange(number), 10.0 * np.arange(number))
    flux = np.full(number**2, 1e4)
    truth = QTable(
        {
            "chip": np.repeat("PC", number**2),
            "x": x.ravel() * u.pix,
            "y": y.ravel() * u.pix,
            "flux": flux * u.electron,
        }
    )
    catalog = QTable(
        {
            "chip": truth["chip"],
            "x_fit": truth["x"] + rng.normal(0, 0.01 * pull, number**2) * u.pix,
            "y_fit": truth["y"] + rng.normal(0, 0.01 * pull, number**2) * u.pix,
            "x_err": np.full(number**2, 0.01) * u.pix,
            "y_err": np.full(number**2, 0.01) * u.pix,
            "flux_fit": truth["flux"] + rng.normal(0, 100 * pull, number**2) * u.electron,
            "flux_err": np.full(number**2, 100.0) * u.electron,
            "snr": np.full(number**2, 100.0),
            "flags": np.zeros(number**2, np.int32),
        }
    )
    return catalog, truth


@pytest.mark.parametrize("pull", [1.0, 2.0])
def test_compare_finds_how_far_the_errors_are_off(pull: float) -> None:
    (row,) = compare(*made(40, pull, seed=3))
    assert (row["simulated"], row["measured"], row["compared"]) == (1600, 1600, 1600)
    assert row["error"] == pytest.approx(10 * pull, rel=0.06)
    assert row["formal"] == pytest.approx(10)
    assert row["pull"] == pytest.approx(pull, rel=0.06)
    assert row["flux_pull"] == pytest.approx(pull, rel=0.08)


def test_compare_leaves_out_flagged_faint_and_false_stars() -> None:
    catalog, truth = made(10, 1.0, seed=4)
    catalog["flags"][0] = 1
    catalog["snr"][1] = 29
    catalog["x_fit"][2] += 5 * u.pix
    (row,) = compare(catalog, truth)
    assert (row["measured"], row["compared"]) == (100, 97)


def test_compare_with_nothing_measured() -> None:
    catalog, truth = made(3, 1.0, seed=5)
    (row,) = compare(catalog[:0], truth)
    assert row == {"chip": "PC", "simulated": 9, "measured": 0, "compared": 0}
