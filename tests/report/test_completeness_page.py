import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filar.completeness.evaluate import scores
from filar.completeness.evaluate_errors import judge_errors
from filar.completeness.learning_curve import LearningCurve, LearningPoint
from filar.completeness.table import ArtificialStars, RealStars
from filar.errors import ParameterError
from filar.report.completeness_cells import cmd_figures
from filar.report.completeness_facts import CLASSIC, Given, gather_completeness, pull_rms
from filar.report.completeness_figures import axis_label, difference_range, part_label
from filar.report.completeness_page import report_figures, write_completeness_report
from filar.report.completeness_products import gather_products
from filar.report.frames_figures import draw
from filar.report.frames_panels import Cells, Line, Marks
from tests.completeness.test_evaluate_errors import Gaussian
from tests.completeness.toys import toy_stars, true_probability
from tests.report.test_frames_page import links

CALIBRATION = {"thresholds", "reliability", "quantities"}
FIGURES = CALIBRATION | {"halves", "cmd", "learning_curve", "learning_cmd", "bin_jumping",
                         "limits", "limit_maps", "luminosity", "magnitude_errors"}  # fmt: skip
NOISE = "sky_noise_F555W"


class Truth:
    """The true probability, its logit shifted."""

    def __init__(self, shift: float = 0.0, blind: bool = False) -> None:
        self.shift, self.blind = shift, blind

    def p_recovered(self, stars: ArtificialStars | RealStars) -> np.ndarray:
        noise = stars.covariates[NOISE]
        p = true_probability(stars.magnitudes("input"), np.full_like(noise, 3.0) if self.blind
                             else noise)  # fmt: skip
        return np.asarray(1 / (1 + (1 / np.maximum(p, 1e-12) - 1) * np.exp(-self.shift)))


MODELS = {"<i>net": Truth(), "shifted": Truth(0.7), CLASSIC: Truth(blind=True)}


def given(stars: ArtificialStars) -> dict[str, Given]:
    return {name: Given(model.p_recovered(stars)) for name, model in MODELS.items()}


def learnt(stars: ArtificialStars) -> LearningCurve:
    points = [
        LearningPoint(name, number, scores(p, stars.recovered, draws=5), p, number / 1e3, model)
        for name, model in MODELS.items()
        for number in (200, 1000, 4000)
        for p in (model.p_recovered(stars),)
    ]
    return LearningCurve(stars, tuple(points), (("shifted", 20, "too <few>"),))


@pytest.fixture(scope="module")
def facts():
    stars = toy_stars(8000, seed=2)
    real = toy_stars(3000, seed=5)
    real = real.select(real.recovered)
    found = gather_completeness(
        "<b>table", stars, given(stars), rule="All of them.", curve=learnt(stars),
        remarks=["<u>remark"], draws=50,
    )  # fmt: skip
    sky = RealStars(real.bands, real.mag_out, real.covariates, real.x, real.y)
    models = {name: MODELS[name] for name in (CLASSIC, "<i>net")}
    products = gather_products(stars, models, real=sky)
    errors = {"<i>net": [judge_errors(Gaussian(), stars, band) for band in stars.bands]}
    return replace(found, products=products, errors=errors)


@pytest.fixture(scope="module")
def page(facts, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "stars.html"
    write_completeness_report(path, facts)
    return path


def test_the_page_holds_everything_itself(page: Path) -> None:
    text = page.read_text()
    assert all(link.startswith("#") for link in links(text))
    assert {p.name for p in page.parent.iterdir()} == {"stars.html", "stars.json", "stars_figures"}
    drawn = {p.stem for p in (page.parent / "stars_figures").iterdir()}
    assert drawn == FIGURES
    assert all(f'id="{name}"' in text for name in drawn)
    body = text.split("</head>")[-1].split("<script")[0]
    for name in ("<i>net", "<b>table", "<u>remark", "too <few>"):
        assert name not in body
        assert name.replace("<", "&lt;").replace(">", "&gt;") in body


def test_the_numbers_are_strict_json_and_right(page: Path) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    numbers = json.loads((page.parent / "stars.json").read_text(), parse_constant=refuse)
    assert numbers["cuts"] == {"snr": 5.0, "bands": 2}
    by_name = {row["model"]: row for row in numbers["summary"]}
    assert list(by_name) == [CLASSIC, "<i>net", "shifted"]
    honest, shifted, classic = (by_name[name] for name in ("<i>net", "shifted", CLASSIC))
    assert honest["calibration_error"] < 1.3 * honest["chance_calibration_error_95"]
    assert shifted["calibration_error"] > 2 * shifted["chance_calibration_error_95"]
    assert shifted["worst_decile"] > 5 * shifted["worst_decile_err"]
    assert honest["log_loss"] < min(shifted["log_loss"], classic["log_loss"])
    assert 0.8 < honest["cmd_pull_rms"] < 1.2
    # Blind to the sky, a model is honest on average, and in neither half.
    low, high = (classic["parts"][f"log10 {NOISE}, {half} half"] for half in ("lower", "upper"))
    assert low["predicted"] - low["recovered"] < -5 * low["chance"]
    assert high["predicted"] - high["recovered"] > 5 * high["chance"]
    part = honest["parts"][f"log10 {NOISE}, lower half"]
    assert abs(part["predicted"] - part["recovered"]) < 4 * part["chance"]
    assert part["number"] == 4000
    assert set(numbers["figures"]) == FIGURES
    assert [row["stars"] for row in numbers["learning_curve"]] == 3 * [200, 1000, 4000]


def test_products_are_those_of_the_true_probability(page: Path, facts) -> None:
    limit = next(
        one for one in facts.products.along
        if (one.model, one.along, one.limits.band, one.limits.level)
        == ("<i>net", NOISE, "F555W", 0.5)
    )  # fmt: skip
    # As the toys have it, the limit follows 1.25 log10(noise), 1 mag per factor 6.3.
    slope = np.polyfit(np.log10(limit.values), limit.limits.mag, 1)[0]
    assert slope == pytest.approx(-1.25, abs=0.1)
    counts = facts.products.counts[0].corrected
    good = counts.reliable & (counts.centres > 21.5) & (counts.centres < 25)
    # Flat over 7 mag, 3000 stars.
    expected = 3000 * np.diff(counts.edges)[0] / 7
    pull = (counts.number[good] - expected) / counts.number_err[good]
    assert np.abs(pull).max() < 4
    numbers = json.loads((page.parent / "stars.json").read_text())["products"]
    assert {row["band"] for row in numbers["limits_of_the_counts"]} == {"F555W", "F814W"}
    assert len(numbers["limits_over_the_image"]) == 4


def test_the_errors_of_magnitudes_have_their_coverage(page: Path, facts) -> None:
    numbers = json.loads((page.parent / "stars.json").read_text())["magnitude_errors"]
    assert [(row["model"], row["band"]) for row in numbers] == [
        ("<i>net", "F555W"), ("<i>net", "F814W"),
    ]  # fmt: skip
    assert 0 <= facts.stars.recovered.sum() - numbers[0]["stars"] < 60
    # The toys' errors are 0.05 mag at all magnitudes, without bias.
    assert numbers[0]["below_median"] > 0.6


def test_classic_is_always_drawn_and_the_truth_is_black(facts) -> None:
    figures = {figure.name: figure for figure in report_figures(facts)}
    for name in ("thresholds", "reliability", "quantities", "halves", "learning_curve", "limits"):
        assert {CLASSIC, "<i>net"} <= {label for _, _, label in figures[name].legend()}, name
    for row in figures["quantities"].rows:
        truth = [la for la in row[0].layers if isinstance(la, Marks) and la.label == "true"]
        assert [la.colour for la in truth] == ["#222222"]
        lines = [la.label for la in row[0].layers if isinstance(la, Line)]
        assert lines == [CLASSIC, "<i>net", "shifted"]
        for panel in row:
            assert panel.x_label
            assert panel.y_label
    assert [len(row) for row in figures["cmd"].rows] == [3, 3, 3]
    cells = figures["cmd"].rows[1][2].layers[0]
    assert isinstance(cells, Cells)
    assert cells.signed
    assert cells.low == -cells.high
    bright, faint = figures["cmd"].rows[0][0].y_range[::-1]
    assert bright < faint


def test_the_learning_curve_tells_losses_above_the_best(facts) -> None:
    figures = {figure.name: figure for figure in report_figures(facts)}
    panels = [panel for row in figures["learning_curve"].rows for panel in row]
    (excess,) = [panel for panel in panels if "above the best" in panel.y_label]
    assert excess.log
    marks = {la.label: la.y for la in excess.layers if isinstance(la, Marks)}
    losses = {one.name: one.scores.log_loss for one in facts.curve.points}
    np.testing.assert_allclose(marks["shifted"], 100 * (losses["shifted"] / losses["<i>net"] - 1))
    assert np.isnan(marks["<i>net"]).all()


def test_measured_magnitudes_are_for_models_that_are_given_them() -> None:
    stars = toy_stars(3000)
    own = given(stars)
    own["seen"] = replace(own["shifted"], magnitudes="measured")
    facts = gather_completeness("t", stars, own, draws=5)
    seen = [one for one in facts.quantities if one.kind == "measured"]
    assert [one.name for one in seen] == ["F555W", "F814W", "F555W - F814W"]
    assert all(list(one.bins) == ["seen"] for one in seen)
    others = [one for one in facts.quantities if one.kind != "measured"]
    assert all(set(one.bins) == set(own) for one in others)
    assert facts.best().name == "<i>net"
    assert facts.best("measured").name == "seen"


def single(stars: ArtificialStars) -> ArtificialStars:
    """The first band alone, without covariates and positions."""
    found = np.where(stars.recovered, stars.mag_out[:, 0], np.nan)
    return ArtificialStars(("V",), stars.mag_in[:, :1], found[:, None], stars.recovered)


def test_one_band_without_covariates_has_fewer_figures() -> None:
    stars = toy_stars(500)
    facts = gather_completeness("t", single(stars), {"a": given(stars)["shifted"]}, draws=5)
    assert facts.models[0].cells is None
    assert facts.models[0].number == 1
    facts = replace(facts, products=gather_products(single(stars), {}))
    assert {figure.name for figure in report_figures(facts)} == CALIBRATION | {"bin_jumping"}


def test_a_dozen_stars_that_were_all_lost_make_a_page_too(tmp_path) -> None:
    stars = toy_stars(200)
    lost = stars.select(~stars.recovered).select(slice(0, 12))
    facts = gather_completeness("t", single(lost), given(lost), draws=5)
    write_completeness_report(tmp_path / "a.html", facts)
    assert (tmp_path / "a.json").exists()
    (diagram,) = cmd_figures(gather_completeness("t", lost, given(lost), draws=5))
    assert [len(row) for row in diagram.rows] == [3, 3, 3]
    assert draw(diagram).axes


def test_what_makes_no_sense_is_refused(tmp_path) -> None:
    stars = toy_stars(300)
    with pytest.raises(ParameterError, match="one model or more"):
        gather_completeness("t", stars, {})
    with pytest.raises(ParameterError, match="299 probabilities of a"):
        gather_completeness("t", stars, {"a": Given(np.zeros(299))})
    facts = gather_completeness("t", stars, given(stars), draws=5)
    with pytest.raises(ParameterError, match=r"\.html"):
        write_completeness_report(tmp_path / "a.pdf", facts)
    assert list(tmp_path.iterdir()) == []


def test_labels_have_units() -> None:
    assert axis_label("V - I", "input") == "input V - I (mag)"
    assert axis_label("log10 sky_noise_V") == "log10 of the sky noise in V (electrons)"
    assert axis_label("surface_brightness_V") == "surface brightness in V (mag per area)"
    assert axis_label("x") == "x (pixels)"
    assert part_label("log10 sky_noise_V, upper half") == "high sky noise in V"
    assert (
        part_label("surface_brightness_V, lower half") == "bright half of surface brightness in V"
    )
    assert part_label("crowding, quarter 2") == "crowding, quarter 2"


def test_panels_are_wide_enough_for_all_but_the_classic(facts) -> None:
    bins = [(one, one.deciles) for one in facts.models]
    low, high = difference_range(bins)
    assert low == -high
    for one, found in bins:
        if one.name != CLASSIC:
            assert 100 * np.nanquantile(np.abs(found.difference), 0.9) < high
    assert pull_rms(facts.models[1].deciles) < 2
