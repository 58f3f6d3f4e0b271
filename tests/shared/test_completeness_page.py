"""The page about a real table shows what H24's figures 11, 12 and 16 show of theirs."""

from pathlib import Path

import numpy as np

from filar.completeness.readers import read_artificial_stars
from filar.report.completeness_gather import Material, gather_from_models

NAME = "12257_HODGE2_F475W-F814W.gst.matchfake"


def test_logistic_regression_fails_over_the_diagram_and_trees_do_not(shared: Path) -> None:
    stars = read_artificial_stars(shared / "ast" / NAME)
    facts = gather_from_models(Material(NAME, stars, recipes=("boosting",)))
    classic, trees = facts.models
    assert (classic.name, trees.name) == ("logistic", "boosting")
    assert len(facts.stars) == round(0.2 * len(stars))
    assert classic.cell_pull_rms > 2
    assert 0.9 < trees.cell_pull_rms < 1.15
    assert classic.scores.calibration_error > 3 * classic.scores.chance_calibration_error_95
    assert trees.scores.calibration_error < 1.5 * trees.scores.chance_calibration_error_95
    assert facts.best().name == "boosting"


def test_the_completeness_falls_later_against_measured_magnitude(shared: Path) -> None:
    stars = read_artificial_stars(shared / "ast" / NAME)
    facts = gather_from_models(Material(NAME, stars))
    assert facts.products is not None
    blue = facts.products.curves[0]
    assert blue.limit(0.5, against="measured") - blue.limit(0.5, against="input") > 0.05
    # Faint stars that scattered up gather about the limit.
    near = np.abs(blue.centres - blue.limit(0.5)) < 0.3
    assert blue.excess[near].max() > 0.05
    assert np.abs(blue.excess[(blue.centres > 18) & (blue.centres < 25)]).max() < 0.05
