import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from filar.cli import console, main
from filar.errors import ParameterError
from filar.measure.saturation_samples import Collected
from filar.report import saturation_page
from filar.saturation.data import Samples
from filar.saturation.estimator import SaturationModel
from filar.saturation.store import load_samples, save_samples
from tests.saturation.toys import small_recipe, toy_samples


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """Samples with one classic estimate, others, and a model of the first."""
    folder = tmp_path_factory.mktemp("in")
    for name, seed in (("stars", 0), ("others", 5)):
        own = toy_samples(stars=150, images=3, seed=seed)
        evidence = np.stack([own.log_n + 0.004, np.full(len(own), 0.004)], axis=1)
        own = replace(own, evidence=evidence, columns=("psf", "psf_err"))
        save_samples(folder / f"{name}.safetensors", own)
        if name == "stars":
            SaturationModel(small_recipe()).fit(own).save(folder / "model.safetensors")
            bare = Samples.build(own.stamp)
            save_samples(folder / "bare.safetensors", bare)
    (folder / "image.fits").write_bytes(b"no image")
    return folder


@pytest.fixture(autouse=True)
def one_figure(monkeypatch) -> None:
    """The page has tests of its own."""
    drawn = saturation_page.report_figures
    monkeypatch.setattr(saturation_page, "report_figures", lambda facts: drawn(facts)[:1])


def invoke(*arguments: object) -> tuple[int, str]:
    """Run the command in this process; the exit status and what was told."""
    console.set_verbosity(0)
    found = CliRunner().invoke(main.app, ["evaluate", "saturation", *map(str, arguments)])
    status = 2 if isinstance(found.exception, ParameterError) else found.exit_code
    return status, f"{found.output} {found.exception}"


def test_a_model_is_judged_by_its_test_part(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    status, told = invoke(
        made / "stars.safetensors", "--model", f"net={made / 'model.safetensors'}", "-o", out
    )
    assert status == 0, told
    assert {p.name for p in tmp_path.iterdir()} == {"page.html", "page.json", "page_figures"}
    numbers = json.loads((tmp_path / "page.json").read_text())
    assert list(numbers["methods"]) == ["net", "psf"]
    assert numbers["judged"]["stars"] == 30
    card = SaturationModel.load(made / "model.safetensors").card_
    net = numbers["methods"]["net"]
    assert net["whole"]["bias"] == pytest.approx(card.figures["bias"], rel=1e-4)
    assert net["parts"]["saturated"]["half68"] == pytest.approx(
        card.figures["half68_saturated"], rel=1e-4
    )
    assert "net: bias" in told
    assert "psf: bias -0.0100" in told
    assert "pulls from 0.9 to 1.1 in every bin: " in told


def test_several_files_are_judged_whole(made: Path, tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    files = [made / "others.safetensors", made / "stars.safetensors"]
    status, told = invoke(*files, "-o", out)
    assert status == 0, told
    numbers = json.loads((tmp_path / "page.json").read_text())
    assert numbers["judged"]["stamps"] == 900
    assert numbers["data"] == "2 files"
    assert numbers["criteria"] == {}
    assert "all that have a label" in told


def test_an_image_that_gives_nothing_is_told(made: Path, tmp_path: Path, monkeypatch) -> None:
    def collect_samples(paths, how, **options) -> Collected:
        return Collected(load_samples(made / "stars.safetensors"), ("b.fits: other stars",))

    monkeypatch.setattr("filar.measure.saturation_samples.collect_samples", collect_samples)
    out, kept = tmp_path / "page.html", tmp_path / "kept.safetensors"
    status, told = invoke("a.fits", "b.fits", "--catalog", "c.ecsv", "-o", out, "--samples", kept)
    assert status == 1
    assert "warning: b.fits: other stars" in told
    assert "2 files" in out.read_text()
    assert len(load_samples(kept)) == 450


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["{d}/none.safetensors"], 1, "none.safetensors"),
        (["{d}/model.safetensors"], 1, "samples"),
        (["{d}/bare.safetensors"], 2, "labels"),
        (["{d}/image.fits"], 2, "--catalog"),
        (["{d}/stars.safetensors", "--model", "{d}/no.safetensors"], 1, "there is no such file"),
        (["{d}/stars.safetensors", "--model", "{d}/stars.safetensors"], 1, "stars.safetensors"),
        (["{d}/stars.safetensors", "--model", "psf={d}/model.safetensors"], 2, "which is taken"),
        (["{d}/stars.safetensors", "--model", "=x"], 2, "NAME=FILE"),
        (["{d}/stars.safetensors", "--epochs", "1"], 2, "epochs"),
        (["{d}/stars.safetensors", "{d}/image.fits"], 2, "images, or samples"),
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
    status, told = invoke(made / "stars.safetensors", "-o", tmp_path / "page.pdf")
    assert status == 2
    assert ".html" in told
