"""``filar evaluate clusters``: which clusters judge, the baseline, what is told and refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from filar.cli import console, main
from filar.clusters.data import SetFolder
from filar.clusters.estimator import ClusterModel
from filar.clusters.parts import share_out
from filar.errors import ParameterError
from filar.learn.recipe import Recipe, load_recipe, override
from filar.report import clusters_gather, clusters_page
from filar.report.clusters_gather import TREES, Material, gather_from_models, held_out
from tests.clusters.samples import write_set

CLUSTERS = 240
SMALL = {"size": 16, "extent": 48, "scenes": 8}


def small() -> Recipe:
    return override(load_recipe("filar-clusters"), {
        "network.channels": [4, 4], "network.blocks": 1, "network.hidden": 16, "network.bins": 8,
        "budget.epochs": 1, "budget.batch_size": 64, "mocks.fractions": [0.5, 0.1, 0.4],
        "mocks.away": [0.3, 0.45],
    })  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A set, a model trained on it, another set, and one of larger images."""
    folder = tmp_path_factory.mktemp("in")
    write_set(folder / "mocks", CLUSTERS, **SMALL)
    write_set(folder / "others", 60, **SMALL, seed=5)
    write_set(folder / "larger", 60, **SMALL | {"size": 20}, seed=6)
    ClusterModel(small(), seed=3).fit(SetFolder(folder / "mocks")).save(folder / "m.safetensors")
    return folder


@pytest.fixture(autouse=True)
def one_figure(monkeypatch) -> None:
    """The page has tests of its own."""
    drawn = clusters_page.report_figures
    monkeypatch.setattr(
        clusters_page,
        "report_figures",
        lambda facts: [figure for figure in drawn(facts) if figure.name == "told"],
    )


def invoke(*arguments: object) -> tuple[int, str]:
    """Run the command in this process; the exit status and what was told."""
    console.set_verbosity(0)
    found = CliRunner().invoke(main.app, ["evaluate", "clusters", *map(str, arguments)])
    status = 2 if isinstance(found.exception, ParameterError) else found.exit_code
    return status, f"{found.output} {found.exception}"


def test_a_model_is_judged_by_its_test_part(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    model = made / "m.safetensors"
    status, told = invoke(made / "mocks", "--model", f"net={model}", "-o", out, "--draws", 20)
    assert status == 0, told
    assert {p.name for p in tmp_path.iterdir()} == {"page.html", "page.json", "page_figures"}
    numbers = json.loads((tmp_path / "page.json").read_text())
    assert numbers["judged"]["clusters"] + numbers["judged"]["backgrounds"] == 0.4 * CLUSTERS
    assert numbers["judged"]["backgrounds"] > 0
    assert numbers["baseline"] == ""
    assert numbers["remarks"] == []
    assert numbers["methods"]["net"]["about"] == "recipe filar-clusters"
    assert numbers["methods"]["net"]["trained_on"] == "test, F336W F438W F814W"
    assert "held out when net was trained" in told
    assert "net: log age rms" in told
    assert "net: ranks uniform (chi-square, p at least 0.01): " in told


def test_on_another_set_all_judge_and_trees_get_the_first(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    status, told = invoke(
        made / "others", "--model", made / "m.safetensors", "--boosting", made / "mocks",
        "-o", out, "--draws", 20,
    )  # fmt: skip
    assert status == 0, told
    numbers = json.loads((tmp_path / "page.json").read_text())
    assert list(numbers["methods"]) == ["m", TREES]
    assert numbers["judged"]["clusters"] + numbers["judged"]["backgrounds"] == 60
    assert numbers["baseline"] == TREES
    assert numbers["methods"][TREES]["whole"]["inside68"][0] is not None
    assert "none of the models was trained on it" in told
    assert f"m: rms of log_age and log_mass below that of {TREES}: " in told
    assert f"{TREES}: bias" not in told


def test_trees_never_learn_from_what_judges(made: Path, monkeypatch) -> None:
    data = SetFolder(made / "mocks")
    model = ClusterModel.load(made / "m.safetensors")
    held = held_out(data, {"m": model})
    parts = share_out(data, model.recipe_, 3)
    np.testing.assert_array_equal(held.clusters, np.sort(parts.clusters[2]))
    np.testing.assert_array_equal(held.scenes, np.sort(parts.scenes[2]))
    seen = []
    composed = clusters_gather._pieces

    def pieces(material, given, rows, scenes, *, purpose):
        seen.append((rows, scenes))
        return composed(material, given, rows, scenes, purpose=purpose)

    monkeypatch.setattr(clusters_gather, "_pieces", pieces)
    monkeypatch.setattr("filar.clusters.boosting.Boosting.fit", lambda self, columns, truth: self)
    clusters_gather.grow(Material("x", data, {"m": model}, data), held)
    rows, scenes = seen[0]
    assert len(rows) + len(held.clusters) == CLUSTERS
    assert not np.isin(rows, held.clusters).any()
    assert not np.isin(scenes, held.scenes).any()


def test_pieces_and_most_keep_rows_apart(made: Path, monkeypatch) -> None:
    data = SetFolder(made / "others")
    model = ClusterModel.load(made / "m.safetensors")
    material = Material("x", data, {"m": model}, most=50, draws=20)
    monkeypatch.setattr(clusters_gather, "AT_ONCE", 20)
    parts: list[float] = []
    facts = gather_from_models(material, lambda part, text: parts.append(part))
    assert len(facts.truth) == 50
    values = facts.truth.values[facts.truth.cluster]
    assert len(np.unique(values[:, 0])) == len(values)
    assert parts == sorted(parts)
    assert parts[-1] == 1
    again = gather_from_models(material)
    np.testing.assert_array_equal(again.methods[0].point, facts.methods[0].point)


def test_what_is_unlike_the_training_is_told(made: Path) -> None:
    data = SetFolder(made / "others")
    model = ClusterModel.load(made / "m.safetensors")
    data.facts = replace(data.facts, camera="other", ranges=data.facts.ranges | {"a_v": (0.0, 1.0)})
    facts = gather_from_models(Material("x", data, {"m": model}, draws=20))
    assert any("images of test, not of other" in text for text in facts.remarks)
    assert any("its prior is not" in text for text in facts.remarks)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["{d}/none", "--model", "{d}/m.safetensors"], 1, "set.json"),
        (["{d}/mocks"], 2, "--boosting"),
        (["{d}/mocks", "--model", "{d}/no.safetensors"], 1, "there is no such file"),
        (["{d}/mocks", "--model", "{d}/mocks/set.json"], 1, "set.json"),
        (["{d}/mocks", "--model", "boosting={d}/m.safetensors"], 2, "which is taken"),
        (["{d}/mocks", "--model", "=x"], 2, "NAME=FILE"),
        (["{d}/larger", "--model", "{d}/m.safetensors"], 2, "16"),
        (["{d}/mocks", "--boosting", "{d}/mocks"], 2, "0 clusters do not judge"),
        (["{d}/mocks", "--model", "{d}/m.safetensors", "--draws", "2"], 2, "draws"),
    ],
)
def test_what_cannot_be_done_is_told(
    made: Path, tmp_path: Path, arguments: list[str], status: int, message: str
) -> None:
    out = tmp_path / "page.html"
    found, told = invoke(*(part.format(d=made) for part in arguments), "-o", out)
    assert (found, message in told) == (status, True), told
    assert not list(tmp_path.iterdir())


def test_the_page_must_be_html(made: Path, tmp_path: Path) -> None:
    model = made / "m.safetensors"
    status, told = invoke(made / "mocks", "--model", model, "-o", tmp_path / "page.pdf")
    assert status == 2
    assert ".html" in told
