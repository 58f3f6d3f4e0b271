"""Labels of a simulated survey's targets against the electrons that they were given."""

from pathlib import Path

import numpy as np
import pytest

from filar import read_exposures
from filar.catalogfile import read_catalog
from filar.saturation.catalogs import read_star_catalog
from filar.saturation.labels import make_labels
from filar.saturation.overlap import check_overlap
from filar.saturation.skymatch import match_to_sky
from filar.saturation.zeropoint import fit_zero_point
from tests.survey_samples import tiny_survey


def test_labels_are_the_electrons(tmp_path: Path) -> None:
    survey = tiny_survey(tmp_path / "s", targets=60, size=256, variables=0.0)
    light = read_catalog(survey.light)
    stars = read_star_catalog(survey.stars, filter="g")
    rng = np.random.default_rng(1)
    for path in survey.files:
        (exposure,) = read_exposures(path)
        assert exposure.filter == "g"
        assert exposure.wcs is not None
        assert check_overlap(stars, exposure.wcs, exposure.shape, exposure.label) >= 60
        here = light[light["image"] == exposure.name]
        x, y = (here[name].value + 0.05 * rng.normal(size=len(here)) for name in ("x", "y"))
        electrons = here["electrons"].value
        match = match_to_sky(stars, exposure.wcs, x, y, exposure.shape, flux=electrons)
        assert (stars.id[match.row] == here["id"]).mean() > 0.95
        faint = ~np.asarray(here["saturated"], bool) & (match.row >= 0)
        error = np.sqrt(electrons + 1e4)
        measured = electrons + error * rng.normal(size=len(here))
        zero = fit_zero_point(
            x[faint], y[faint], measured[faint], error[faint], stars.mag[match.row[faint]],
            exposure.shape,
        )  # fmt: skip
        labels = make_labels(stars.select(match.row), zero, x, y)
        off = 2.5 * (labels.log_n - np.log10(electrons))[match.row >= 0]
        assert abs(np.median(off)) < 0.01
        assert np.std(off) < 0.05
        assert np.median(off / (2.5 * labels.log_n_err[match.row >= 0])) == pytest.approx(0, abs=2)
