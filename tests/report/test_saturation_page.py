import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.report.frames_figures import draw
from filar.report.frames_panels import Cells, Marks
from filar.report.saturation_facts import Given, chip_medians, gather_saturation
from filar.report.saturation_page import report_figures, write_saturation_report
from filar.saturation.evaluate import Answer
from tests.report.test_frames_page import links
from tests.saturation.judgedtoys import toy_answer, toy_judged

FIGURES = {"misses", "bias", "scatter", "pulls", "errors", "light_curves", "chip", "groups"}
OURS, OTHER = "<i>ours", "w24"


def psf_alone(judged) -> Answer:
    """A method that says nothing of saturated stars."""
    good = toy_answer(judged, sigma=0.02, seed=4)
    return Answer(np.where(judged.saturated, np.nan, good.log_n), good.log_n_err)


@pytest.fixture(scope="module")
def facts():
    judged = toy_judged(300, epochs=12)
    models = {OURS: toy_answer(judged), OTHER: toy_answer(judged, bias=0.05, sigma=0.1, factor=0.5)}
    return gather_saturation(
        "<b>survey", judged, models, {"psf": psf_alone(judged)},
        given={OURS: Given("<u>about", 0.99, "3 <stars>", 0.5)}, rule="All <of> them.",
        remarks=["<s>remark"], draws=40,
    )  # fmt: skip


@pytest.fixture(scope="module")
def page(facts, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "stars.html"
    write_saturation_report(path, facts)
    return path


def test_the_page_holds_everything_itself(page: Path) -> None:
    text = page.read_text()
    assert all(link.startswith("#") for link in links(text))
    assert {p.name for p in page.parent.iterdir()} == {"stars.html", "stars.json", "stars_figures"}
    drawn = {p.stem for p in (page.parent / "stars_figures").iterdir()}
    assert drawn == FIGURES
    assert all(f'id="{name}"' in text for name in drawn)
    body = text.split("</head>")[-1].split("<script")[0]
    for name in (OURS, "<b>survey", "<u>about", "3 <stars>", "All <of> them", "<s>remark"):
        assert name not in body
        assert name.replace("<", "&lt;").replace(">", "&gt;") in body


def test_the_numbers_are_strict_json_and_those_of_the_page(page: Path, facts) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    numbers = json.loads((page.parent / "stars.json").read_text(), parse_constant=refuse)
    assert numbers["judged"]["stamps"] == 300 * 72
    assert numbers["judged"]["saturation_limit"] == pytest.approx(11.5, abs=0.05)
    ours, other, psf = (numbers["methods"][name] for name in (OURS, OTHER, "psf"))
    assert abs(ours["whole"]["bias"]) < 0.002
    assert other["whole"]["bias"] == pytest.approx(0.05, abs=0.005)
    assert psf["parts"]["saturated"]["bias"] is None
    assert psf["parts"]["saturated"]["told"] == 0
    body = page.read_text()
    for bins in (ours["bins_0.5"], other["bins_0.5"]):
        assert sum(one["stamps"] for one in bins) == 300 * 72
        for one in bins:
            assert f"{one['bias']:+.4f} ± {one['bias_err']:.4f}" in body
    silent = [one for one in psf["bins_0.5"] if not one["enough"]]
    assert body.count("fewer than 10 stars with a magnitude") == len(silent) > 5
    bias, pulls, saturated, unsaturated = numbers["criteria"][OTHER]
    assert bias["met"] is pulls["met"] is saturated["met"] is unsaturated["met"] is False
    assert [one["met"] for one in numbers["criteria"][OURS]][2:] == [True, True]
    by_method = {one["method"]: one for one in numbers["dispersions"]["unsaturated"]}
    assert by_method[OURS]["ratio"] == pytest.approx(1, abs=0.15)
    assert by_method[OTHER]["ratio"] > 3
    assert numbers["dispersions"]["saturated"][2]["curves"] == 0
    assert set(numbers["figures"]) == FIGURES
    assert numbers["remarks"] == ["<s>remark"]


def test_without_epochs_or_errors_there_are_no_such_figures() -> None:
    judged = replace(toy_judged(60), epoch=np.zeros(0, int))
    bare = Answer(toy_answer(judged).log_n, np.full(len(judged), np.nan))
    facts = gather_saturation("x", judged, {"a": bare}, {}, draws=10)
    assert {one.name for one in report_figures(facts)} == {
        "misses",
        "bias",
        "scatter",
        "chip",
        "groups",
    }
    assert [one.word for one in facts.verdicts["a"]][1:] == ["not judged"] * 3
    classic = gather_saturation("x", judged, {}, {"psf": toy_answer(judged)}, draws=10)
    assert "pulls" in {one.name for one in report_figures(classic)}
    with pytest.raises(ParameterError, match="one method"):
        gather_saturation("x", judged, {}, {})


def test_a_tilted_chip_shows(facts) -> None:
    judged = facts.judged
    tilt = 0.1 * (judged.x - 250) / 250
    model = {"tilted": Answer(judged.log_n - tilt / 2.5, np.full(len(judged), 0.01))}
    tilted = gather_saturation("x", judged, model, {}, draws=5)
    x, _, values = chip_medians(tilted, tilted.methods[0])
    middle = (x[1:] + x[:-1]) / 2
    np.testing.assert_allclose(values, np.tile(0.1 * (middle - 250) / 250, (8, 1)), atol=0.01)
    places = report_figures(tilted)[-2]
    cells = places.rows[0][0].layers[0]
    assert isinstance(cells, Cells)
    np.testing.assert_allclose(cells.values, 1000 * values)
    assert draw(places) is not None


def test_far_misses_are_told_in_numbers_but_not_drawn() -> None:
    judged = toy_judged(60)
    far = Answer(judged.log_n + 4, np.full(len(judged), 0.01))
    facts = gather_saturation("x", judged, {"far": far}, {}, draws=5)
    figure = report_figures(facts)[0]
    cloud = figure.rows[0][0].layers[0]
    assert isinstance(cloud, Marks)
    assert len(cloud.x) == 0
    assert facts.methods[0].whole.bias == pytest.approx(-10)
    assert draw(figure) is not None
