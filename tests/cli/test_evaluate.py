import json
from pathlib import Path

import pytest
from astropy.table import Table
from typer.testing import CliRunner

from filar.cli import console, main
from filar.errors import ParameterError
from filar.measure.assembly import Assembly
from tests.centering.stores import Reader, make_store
from tests.cli.test_info import run
from tests.cli.test_mean import write
from tests.measure.test_assembly import member


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Stamps, their truth, a catalogue by another method, and a model with its history."""
    folder = tmp_path_factory.mktemp("in")
    _, sky = make_store(folder / "stamps", stars=150, exposures=8)
    Table(sky.truth()).write(folder / "truth.parquet")
    write(folder / "own.parquet", sky.lists())
    (folder / "net.safetensors").write_bytes(b"")
    (folder / "net_training").mkdir()
    (folder / "net_training" / "history.csv").write_text(
        "epoch,train_loss,validation_loss\n0,1.0,1.2\n1,0.5,0.9\n"
    )
    return folder


@pytest.fixture(autouse=True)
def fake_models(monkeypatch) -> None:
    """Whatever the file, the model is the same."""
    monkeypatch.setattr(
        Assembly, "load", lambda paths: Assembly(tuple(member(Reader()) for _ in paths))
    )


def invoke(*arguments: object) -> tuple[int, str]:
    """Run the command in this process; the exit status and what was told."""
    console.set_verbosity(0)
    found = CliRunner().invoke(main.app, ["evaluate", "centering", *map(str, arguments)])
    status = 2 if isinstance(found.exception, ParameterError) else found.exit_code
    return status, f"{found.output} {found.exception}"


def test_judges_a_model_and_tells(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    status, told = invoke(made / "stamps", "--model", made / "net.safetensors", "-o", out,
                          "--truth", made / "truth.parquet")  # fmt: skip
    assert status == 0, told
    assert {p.name for p in tmp_path.iterdir()} == {"page.html", "page.json", "page_figures"}
    numbers = json.loads((tmp_path / "page.json").read_text())
    assert [row["method"] for row in numbers["summary"]] == ["classic", "network"]
    assert {row["against"] for row in numbers["summary"]} == {"truth"}
    losses = numbers["figures"]["loss"][0]["layers"]
    assert [one["y"] for one in losses] == [[1, 0.5], [1.2, 0.9]]
    assert "PC F555W, network: sigma" in told
    assert "of the bound, phase bias" in told
    assert f"report in {out}".split("/")[0] in told


def test_catalogues_alone_will_do(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    status, told = invoke("--catalog", f"own={made / 'own.parquet'}", "-o", out)
    assert status == 0, told
    numbers = json.loads((tmp_path / "page.json").read_text())
    assert numbers["summary"] == []
    assert [row["method"] for row in numbers["curves"]] == ["own"]
    assert abs(numbers["curves"][0]["bias_x_mpix"] - 30) < 8


def test_broken_catalogues_are_told_and_the_rest_is_judged(made: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.parquet").write_bytes(b"no catalogue")
    status, told = invoke(
        "--catalog", f"own={made / 'own.parquet'}", "--catalog", f"bad={tmp_path / 'bad.parquet'}",
        "-o", tmp_path / "page.html",
    )  # fmt: skip
    assert status == 1
    assert "bad.parquet" in told
    assert (tmp_path / "page.json").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        ((), 2, ["STAMPS", "catalogues by --catalog"]),
        (("{in}/stamps", "--model", "classic={in}/net.safetensors"), 2, ["another name"]),
        (("{in}/stamps", "{in}/stamps"), 2, ["each folder once"]),
        (("--model", "{in}/net.safetensors", "--catalog", "own={in}/own.parquet"), 2,
         ["without stamps"]),
        (("{in}/stamps", "--catalog", "{in}/own.parquet"), 2, ["NAME=FILE"]),
        (("{in}/stamps", "--catalog", "network={in}/own.parquet"), 2, ["another name"]),
        (("{in}/stamps", "--mag", "-8,-12"), 2, ["brighter one first"]),
        (("{in}/stamps", "--model", "{in}/none.safetensors"), 1, ["none.safetensors", "no such"]),
        (("{in}/stamps", "--truth", "{in}/own.parquet"), 1, ["own.parquet", "without"]),
        (("{in}/own.parquet",), 1, ["own.parquet", "it is a file"]),
    ],
)  # fmt: skip
def test_wrong_use_is_told_before_anything_is_written(
    made: Path, tmp_path: Path, arguments, status, words
) -> None:
    given = [text.replace("{in}", str(made)) for text in arguments]
    found, told = invoke(*given, "-o", tmp_path / "page.html")
    assert found == status
    for word in words:
        assert word in told
    assert list(tmp_path.iterdir()) == []


def test_another_page_than_html_is_refused(made: Path, tmp_path: Path) -> None:
    status, _, told = run("evaluate", "centering", made / "stamps", "-o", tmp_path / "page.pdf")
    assert status == 2
    assert "page.pdf" in told
