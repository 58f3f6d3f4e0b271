import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filar.errors import ParameterError
from filar.frames.truth import Truth
from filar.report.centering_facts import CenteringFacts
from filar.report.centering_gather import Material, gather_centering
from filar.report.centering_page import write_centering_report
from filar.report.frames_panels import Line
from filar.stamps.split import split_by_stamp
from tests.centering.stores import Reader, make_store
from tests.report.test_frames_page import links

FIGURES = {"errors_magnitude", "errors_flux", "errors_bound", "errors_pulls", "errors_coverage",
           "errors_phase", "errors_field", "domain", "curves_phase", "curves_offset", "methods",
           "rms", "phases", "sensitivity_place", "sensitivity_magnitude", "loss"}  # fmt: skip
HISTORY = [
    {"epoch": i, "train_loss": 1 / (i + 1), "validation_loss": 0.1 + (i - 6) ** 2}
    for i in range(12)
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    store, sky = make_store(tmp_path_factory.mktemp("s") / "pc")
    lists = sky.lists()
    material = Material(
        stores=[store],
        networks={"<i>net": Reader(), "worse": Reader(excess=2, quoted=1, bias=0.01)},
        catalogs={"own": lists},
        truth=Truth.from_table(sky.truth()),
        history={"<i>net": HISTORY},
    )
    return material, gather_centering(material)


@pytest.fixture(scope="module")
def page(made, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("report") / "centers.html"
    write_centering_report(path, made[1])
    return path


def test_the_page_holds_everything_itself(page: Path) -> None:
    text = page.read_text()
    assert all(link.startswith("#") for link in links(text))
    names = {p.name for p in page.parent.iterdir()}
    assert names == {"centers.html", "centers.json", "centers_figures"}
    drawn = {p.stem for p in (page.parent / "centers_figures").iterdir()}
    assert drawn == FIGURES
    assert all(f'id="{name}"' in text for name in drawn)
    body = text.split("</head>")[-1].split("<script")[0]
    assert "&lt;i&gt;net" in body
    assert "<i>net" not in body


def test_the_numbers_are_strict_json_and_right(page: Path) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    numbers = json.loads((page.parent / "centers.json").read_text(), parse_constant=refuse)
    classic, net, worse, own = numbers["summary"]
    assert [one["method"] for one in (classic, net, worse, own)] == [
        "classic", "<i>net", "worse", "own",
    ]  # fmt: skip
    assert abs(classic["phase_amplitude_x_mpix"] - 30) < 2
    assert net["phase_amplitude_x_mpix"] < 1
    assert abs(own["phase_amplitude_y_mpix"] - 30) < 2
    assert net["against"] == own["against"] == "truth"
    assert net["stars"] >= 150
    # Only stars held out of the training are judged, in the catalogue too.
    assert own["stars"] == net["stars"] <= 180
    assert own["judged"] == net["judged"]
    for one in net["flux_bins"]["both"]:
        assert abs(one["pull"] - 1) < 4 * one["pull_err"] + 0.02
        assert 0.6 < one["inside68"] < 0.75
    for one in worse["flux_bins"]["both"]:
        assert one["pull"] > 1.7
    assert worse["out_of_domain"] == net["out_of_domain"] > 0
    assert classic["out_of_domain"] == 0
    assert net["table3"]["number"] == worse["table3"]["number"]
    assert net["table3"]["sigma_x_mpix"] < worse["table3"]["sigma_x_mpix"]
    curves = {row["method"]: row for row in numbers["curves"]}
    assert abs(curves["classic"]["bias_x_mpix"] - 30) < 5
    assert curves["<i>net"]["bias_x_limit_mpix"] < 8
    assert curves["<i>net"]["rms_ratio_y"] > 1.5
    assert numbers["table3_magnitudes"] == [-11.5, -8.5]
    assert set(numbers["figures"]) == FIGURES


def test_classic_and_bound_are_always_drawn(made) -> None:
    from filar.report.centering_page import report_figures

    figures = {figure.name: figure for figure in report_figures(made[1])}
    for name in ("errors_magnitude", "errors_flux", "errors_bound"):
        entries = [label for _, _, label in figures[name].legend()]
        assert {"classic", "<i>net", "Cramér-Rao bound"} <= set(entries), name
    bound = figures["errors_flux"].rows[0][0].layers[0]
    assert isinstance(bound, Line)
    assert bound.label == "Cramér-Rao bound"
    best = figures["loss"].rows[0][0].layers[0]
    assert best.value == 6
    arrows = figures["sensitivity_place"]
    assert [panel.title.split(":")[0] for panel in arrows.rows[0]] == [
        "PC F555W, <i>net", "PC F555W, worse",
    ]  # fmt: skip


def test_stamps_alone_are_judged_against_their_labels(made, tmp_path) -> None:
    facts = gather_centering(Material(stores=made[0].stores))
    (only,) = facts.judged["PC F555W"]
    assert only.errors.against == "labels"
    assert math.isfinite(only.bins["both"][0].ratio)
    assert not facts.sensitivity


def test_a_split_by_stamp_is_told_and_all_stars_tie(tmp_path) -> None:
    part = split_by_stamp(100, (0.3, 0.1, 0.6))
    store, _ = make_store(tmp_path / "s", stars=100, exposures=8)
    mixed, _ = make_store(tmp_path / "m", stars=100, exposures=8, part=np.roll(part, 5))
    none, _ = make_store(tmp_path / "n", stars=100, exposures=3, part=np.zeros(100))
    told = [" ".join(gather_centering(Material(stores=[s])).remarks) for s in (store, mixed, none)]
    assert "tied together with all stars" in told[0]
    assert "no test part" in told[2]


def test_a_foreign_truth_is_told(made) -> None:
    table = {name: column.copy() for name, column in made[0].truth.columns.items()}
    table["chip"] = np.full(len(table["chip"]), "WF4")
    facts = gather_centering(Material(stores=made[0].stores, truth=Truth.from_table(table)))
    assert "truth is not that of these exposures" in " ".join(facts.remarks)
    assert facts.judged["PC F555W"][0].errors.against == "labels"


def test_sets_of_one_chip_are_told_apart(made, tmp_path) -> None:
    other, _ = make_store(tmp_path / "b", exposures=8, seed=4)
    facts = gather_centering(Material(stores=[*made[0].stores, other]))
    assert list(facts.judged) == list(facts.curves) == ["PC F555W set 1", "PC F555W set 2"]
    assert [len(one[0].frame.ties) for one in facts.curves.values()] == [20, 8]
    assert f"set 2: {other.path}" in facts.remarks


def test_catalogues_that_lack_most_stars_are_not_judged(made) -> None:
    few = [stars[:100] for stars in made[0].catalogs["own"]]
    facts = gather_centering(replace(made[0], networks={}, catalogs={"few": few}))
    assert [one.method for one in facts.judged["PC F555W"]] == ["classic"]
    assert "the catalogue few has 33% of the stars" in " ".join(facts.remarks)


def test_catalogues_without_stamps_are_judged_against_the_truth(made) -> None:
    facts = gather_centering(replace(made[0], stores=[], networks={}))
    (own,) = facts.judged["PC F555W"]
    assert own.errors.against == "truth"
    assert len(np.unique(own.errors.id[own.errors.judged])) > 250
    assert abs(own.wave["x"].amplitude - 0.03) < 0.002


def test_nothing_makes_no_page(tmp_path) -> None:
    with pytest.raises(ParameterError, match="nothing to show"):
        write_centering_report(tmp_path / "a.html", CenteringFacts({}))
    assert list(tmp_path.iterdir()) == []
