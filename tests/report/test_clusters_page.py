import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filar.clusters.evaluate import Estimates
from filar.clusters.posterior import PARAMETERS, Predictions
from filar.errors import ParameterError
from filar.report import clusters_page
from filar.report.clusters_corners import HELD, contour_levels, contours, corner_figures
from filar.report.clusters_facts import ClustersFacts, Given, choose, confusion, gather_clusters
from filar.report.clusters_figures import parameter_figures, running
from filar.report.clusters_page import report_figures, write_clusters_report
from filar.report.frames_figures import draw
from filar.report.frames_panels import Cells, Figure, Line, Marks
from tests.clusters.evaluatetoys import toy_estimates, toy_posterior, toy_truth
from tests.report.test_frames_page import links

FIGURES = {
    "inferred", "errors_log_age", "errors_a_v", "errors_log_mass", "errors_log_r_h",
    "errors_log_snr", "told", "age_extinction", "confusion", "coverage", "quarters", "ranks",
    "pulls", "detection", "probabilities", "visibility",
}  # fmt: skip
DRAWN = {"told", "confusion", "detection"}
"""Those that the pages of these tests show: drawing all takes long."""
OURS, TREES = "<i>ours", "trees"


@pytest.fixture(scope="module")
def facts():
    truth = toy_truth(500, 300)
    return gather_clusters(
        "<b>set", truth, {OURS: toy_posterior(truth, draws=100), TREES: toy_estimates(truth)},
        given={OURS: Given("<u>about", "3 <mocks>", 0.5)}, baseline=TREES,
        rule="All <of> them.", remarks=["<s>remark"],
    )  # fmt: skip


@pytest.fixture
def few(monkeypatch) -> None:
    monkeypatch.setattr(clusters_page, "report_figures", few_figures)


def few_figures(facts: ClustersFacts) -> list[Figure]:
    return [one for one in report_figures(facts) if one.name in DRAWN]


@pytest.fixture(scope="module")
def page(facts, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "clusters.html"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clusters_page, "report_figures", few_figures)
        write_clusters_report(path, facts)
    return path


def test_all_figures_are_there(facts) -> None:
    names = [one.name for one in report_figures(facts)]
    assert len(names) == len(set(names))
    corners = {f"corner_{one.name}" for one in facts.chosen}
    assert set(names) == FIGURES | corners
    assert "corner_clear" in corners


def test_the_page_holds_everything_itself(page: Path) -> None:
    text = page.read_text()
    assert all(link.startswith("#") for link in links(text))
    assert {p.name for p in page.parent.iterdir()} == {
        "clusters.html",
        "clusters.json",
        "clusters_figures",
    }
    drawn = {p.stem for p in (page.parent / "clusters_figures").iterdir()}
    assert drawn == DRAWN
    assert all(f'id="{name}"' in text for name in drawn)
    body = text.split("</head>")[-1].split("<script")[0]
    for name in (OURS, "<b>set", "<u>about", "3 <mocks>", "All <of> them", "<s>remark"):
        assert name not in body
        assert name.replace("<", "&lt;").replace(">", "&gt;") in body
    assert "500 mock clusters and 300 backgrounds" in body
    assert "rms of log_age and log_mass below that of trees" in body


def test_the_numbers_are_strict_json_and_those_of_the_page(page: Path, facts) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    numbers = json.loads((page.parent / "clusters.json").read_text(), parse_constant=refuse)
    assert numbers["parameters"] == list(PARAMETERS)
    assert numbers["judged"] == {"clusters": 500, "backgrounds": 300, "rule": "All <of> them."}
    ours, trees = (numbers["methods"][name] for name in (OURS, TREES))
    assert ours["about"] == "<u>about"
    body = page.read_text()
    for whole in (ours["whole"], trees["whole"]):
        assert whole["number"] == 500
        for rms, error in zip(whole["rms"], whole["rms_err"], strict=True):
            assert f"{rms:.3f} ± {error:.3f}" in body
    assert ours["ranks"]["log_age"]["number"] == 500
    assert ours["classification"]["clusters"] == 500
    assert trees["classification"] is trees["visibility_rms"] is None
    assert trees["ranks"]["joint"]["p"] is None
    assert sum(one["number"] for one in ours["quarters_of_truth"]["a_v"]) == 500
    assert [one["what"] for one in numbers["criteria"][OURS]][-1].endswith("trees")
    assert set(numbers["figures"]) == DRAWN
    assert numbers["remarks"] == ["<s>remark"]


def test_values_alone_have_no_figures_of_posteriors() -> None:
    truth = toy_truth(120)
    facts = gather_clusters("x", truth, {"bare": Estimates(truth.values + 0.1)})
    names = {one.name for one in report_figures(facts)}
    assert names.isdisjoint({"coverage", "ranks", "quarters", "pulls", "detection", "visibility"})
    assert {"inferred", "told", "confusion"} <= names
    assert not facts.chosen
    assert facts.verdicts["bare"][3].met is False


def test_a_method_that_is_silent_about_some_parameters_is_drawn(tmp_path: Path, few) -> None:
    truth = toy_truth(120)
    value = np.where(np.arange(4) < 1, truth.values + 0.1, np.nan)
    facts = gather_clusters("x", truth, {"age": Estimates(value)})
    assert len(report_figures(facts)) > len(DRAWN)
    write_clusters_report(tmp_path / "x.html", facts)
    assert "nan" not in (tmp_path / "x.html").read_text().split("<script")[0]


def test_the_baseline_must_be_there() -> None:
    truth = toy_truth(50)
    with pytest.raises(ParameterError, match="baseline"):
        gather_clusters("x", truth, {"a": toy_estimates(truth)}, baseline="b")


def test_odd_posteriors_are_chosen(facts) -> None:
    truth, judged = facts.truth, facts.methods[0]
    samples = judged.answer.samples.copy()
    rng = np.random.default_rng(0)
    samples[7, :, 0] = 7 + np.sign(rng.random(100) - 0.5)
    samples[9, :, 0] = rng.normal(7, 2, 100)
    samples[9, :, 1] = 3 - samples[9, :, 0]
    rest = judged.answer
    odd = Predictions(samples, rest.p_cluster, rest.log_snr, rest.in_domain)
    found = {one.name: one for one in choose(replace(judged, answer=odd), truth)}
    assert found["two_ages"].row == 7
    assert found["degenerate"].row == 9
    assert "-1.00" in found["degenerate"].why
    snr = truth.log_snr[:500]
    assert snr[found["faint"].row] < snr[found["typical"].row] < snr[found["clear"].row]


def test_a_corner_has_the_truth_and_all_pairs(facts) -> None:
    figure = corner_figures(facts)[0]
    assert [len(row) for row in figure.rows] == [1, 2, 3, 4]
    truth = facts.values[facts.chosen[0].row]
    assert draw(replace(figure, rows=figure.rows[:2])) is not None
    for k, row in enumerate(figure.rows):
        assert row[-1].layers[0].value == truth[k]
        for j, panel in enumerate(row[:-1]):
            assert [layer.value for layer in panel.layers[-2:]] == [truth[j], truth[k]]
            assert sum(isinstance(layer, Marks) for layer in panel.layers) == 1
            assert sum(isinstance(layer, Line) for layer in panel.layers) == len(HELD)


def test_contours_hold_what_they_say() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 20000))
    lines = contours(x, y, ((-5.0, 5.0), (-5.0, 5.0)))
    for part, (own_x, own_y) in zip(HELD, lines, strict=True):
        # Of two independent Gaussians, and what smoothing adds.
        radius = np.sqrt(-2 * np.log(1 - part)) * np.hypot(1, 2 * 10 / 44)
        assert np.nanmedian(np.hypot(own_x, own_y)) == pytest.approx(radius, rel=0.06)
    assert contours(x + 100, y, ((-5.0, 5.0), (-5.0, 5.0))) == []
    assert contour_levels(np.array([1.0, 2.0, 3.0, 4.0]), (0.3, 0.9)) == [4.0, 2.0]


def test_confusion_adds_up_and_lies_where_it_should(facts) -> None:
    for one in facts.methods:
        edges, values = confusion(one, facts.truth, 1, bins=6)
        assert len(edges) == 7
        np.testing.assert_allclose(values.sum(0), 1)
        assert np.mean(np.abs(np.argmax(values, axis=0) - np.arange(6))) <= 1
    figure = next(one for one in parameter_figures(facts) if one.name == "confusion")
    assert all(isinstance(panel.layers[0], Cells) for row in figure.rows for panel in row)


def test_running_quantiles() -> None:
    x = np.repeat([0.0, 1.0, 2.0], [100, 5, 100])
    y = np.concatenate([np.arange(100.0), np.zeros(5), np.full(100, np.nan)])
    centre, sides = running(x, y, bins=2)
    np.testing.assert_allclose(centre, [0.25, 0.75])
    np.testing.assert_allclose(sides[:, 0], [15.84, 49.5, 83.16])
    assert np.isnan(sides[:, 1]).all()
    assert np.isnan(running(x, np.full(205, np.nan))[1]).all()
