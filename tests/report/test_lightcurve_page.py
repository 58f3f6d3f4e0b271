import json

import numpy as np
import pytest

from filar.errors import OutputFileError
from filar.lightcurve.make import make_light_curves
from filar.lightcurve.read import read_observed
from filar.report.lightcurve_figures import camera_style, star_figure
from filar.report.lightcurve_page import report_figures, saturated_stars, write_lightcurve_report
from tests.lightcurve.samples import simulate


@pytest.fixture(scope="module")
def curves(tmp_path_factory):
    def change(mjd):
        values = np.zeros(30)
        values[4] = 0.3 * np.sin(2 * np.pi * mjd / 3.3)
        return values

    folder = tmp_path_factory.mktemp("report")
    done = simulate(folder, n_stars=30, epochs=15, per_epoch=2, change=change, bad=0.01,
                    saturation=10.0)  # fmt: skip
    return make_light_curves(read_observed(done.paths))


def test_figures_and_their_names(curves):
    figures = report_figures(curves)
    names = [figure.name for figure in figures]
    assert names[:2] == ["dispersion", "zero_points"]
    assert sum(name.startswith("star_") for name in names) >= 1
    assert len(report_figures(curves, most=0)) == 2


def test_a_star_s_figure_has_the_folded_curve_and_rejected_epochs(curves):
    i = int(np.flatnonzero(curves.variable)[0])
    figure = star_figure(curves, i)
    panels = figure.rows[0]
    assert [panel.x_label for panel in panels][-1] == "phase"
    assert "Period 3.3" in figure.note
    assert "Offsets: " in figure.note
    rejected = [layer for layer in panels[1].layers if layer.label == "rejected"]
    assert len(rejected) == int(curves.rejected[curves.rows(i)].any())
    for panel in panels:
        assert panel.y_range[0] > panel.y_range[1]  # bright stars on top


def test_cameras_never_look_rejected():
    assert 0 not in {camera_style(k) for k in range(20)}


def test_page_numbers_and_pictures(curves, tmp_path):
    page = write_lightcurve_report(tmp_path / "new", curves, most=2)
    text = page.read_text()
    assert "Light curves" in text
    numbers = json.loads((tmp_path / "new" / "lightcurves.json").read_text())
    assert numbers["stars"] == len(curves.stars)
    assert numbers["dispersion"]["unsaturated"][0] > 0
    assert (tmp_path / "new" / "lightcurves_figures" / "dispersion.png").exists()
    assert saturated_stars(curves).sum() > 0
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFileError):
        write_lightcurve_report(tmp_path / "file", curves)
