import numpy as np

from filar.frames.curves import fit_bias
from filar.report.frames_curves import offset_curves, phase_curves
from filar.report.frames_facts import gather
from filar.report.frames_figures import draw
from filar.report.frames_panels import (
    STYLES,
    TRUTH,
    Cells,
    Figure,
    Level,
    Line,
    Marks,
    Panel,
    steps,
    style,
    thinned,
)
from filar.report.frames_plots import embedded_rows, plot
from filar.report.frames_stars import rms_figure
from filar.report.frames_truth import truth_figures
from tests.frames.synthetic import Sky


def groups():
    sky = {"stars": 150, "exposures": 20}
    return gather({"psf": [Sky(**sky).frame()], "net": [Sky(**sky, bias=0.0).frame()]})


def test_methods_differ_in_colour_and_in_shape() -> None:
    for column in range(4):
        assert len({style[column] for style in STYLES}) == len(STYLES)
    assert style(TRUTH)[0] not in {style[0] for style in STYLES}


def test_histogram_outline_has_the_counts_as_heights() -> None:
    x, y = steps(np.array([3, 1]), -0.5, 0.5)
    assert x.tolist() == [-0.5, 0.0, 0.0, 0.5]
    assert y.tolist() == [3, 3, 1, 1]


def test_thinning_keeps_what_is_asked_for() -> None:
    assert thinned(5, 10).tolist() == [0, 1, 2, 3, 4]
    some = thinned(10_000, 100)
    assert len(np.unique(some)) == 100
    assert abs(some.mean() - 5000) < 1500


def test_curves_are_in_mpix_with_a_panel_per_axis_and_a_row_per_chip() -> None:
    facts = groups()
    for figure, levels in ((offset_curves(facts), [20, 40]), (phase_curves(facts), [20])):
        assert [len(row) for row in figure.rows] == [2]
        panel = figure.rows[0][0]
        marked = [la.value for la in panel.layers if isinstance(la, Level) and la.across == "y"]
        assert marked == levels
        marks = [layer for layer in panel.layers if isinstance(layer, Marks)]
        assert [mark.label for mark in marks] == ["psf", "net"]
        assert 35 < marks[0].y.max() < 50
        assert marks[0].names[0] == "e001"
        lines = [layer for layer in panel.layers if isinstance(layer, Line)]
        best = fit_bias(facts["PC F555W"][0].curve["x"])
        np.testing.assert_allclose(lines[0].y, 1000 * best(lines[0].x))
    assert 0 <= marks[0].x.min() < marks[0].x.max() < 1


def test_rms_distributions_have_the_stars_as_area() -> None:
    for line in rms_figure(groups()).rows[0][0].layers:
        assert isinstance(line, Line)
        step = line.x[1] - line.x[0]
        assert 0.9 * 150 < line.y.sum() * step < 1.01 * 150


def test_clipped_measures_are_in_the_histograms_of_phases() -> None:
    """Clipping prefers the phases at which stars are measured worst."""
    frame = Sky(stars=100, exposures=8).frame()
    frame.measures.used[:300] = False
    (facts,) = gather({"psf": [frame]})["PC F555W"]
    assert facts.phases["x"].counts.sum() == 800


def test_without_truth_nothing_is_drawn_against_it() -> None:
    assert truth_figures(groups()) == []


def test_signs_of_formulas_are_plain_text() -> None:
    panel = Panel("a $x_0$", "x", "y", (Marks(np.zeros(1), np.zeros(1), "cost $1 and $2"),))
    canvas = draw(Figure("a", "b", "c", ((panel,),)))
    canvas.canvas.draw()
    assert canvas.axes[0].get_title() == r"a \$x_0\$"


def test_cells_are_drawn_by_both_libraries() -> None:
    values = np.array([[0.0, 0.5, np.nan], [1.0, -1.0, 0.2]])
    edges = np.arange(4.0), np.array([20.0, 22, 24])
    panel = Panel("a", "x", "y", (Cells(*edges, values, "fraction (1)", -1.0, 1.0, True),))
    figure = Figure("f", "a", "b", ((panel, panel, panel),))
    assert figure.legend() == []
    canvas = draw(figure)
    mesh = canvas.axes[0].collections[0]
    np.testing.assert_allclose(mesh.get_array().filled(np.nan), values)
    # Red is above: the bar's upper end.
    top, bottom = mesh.cmap(1.0), mesh.cmap(0.0)
    assert top[0] > top[2]
    assert bottom[2] > bottom[0]
    script, divs = embedded_rows([figure])
    assert divs["f"].count('class="panels"') == 1
    assert divs["f"].count("<div") == 4
    assert "ColorBar" in script
    shown, *_ = plot(figure).children[0]
    assert shown.width < 560
