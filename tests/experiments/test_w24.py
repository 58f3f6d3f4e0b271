"""W24 on a simulated survey, with made-up stamps."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from astropy import units as u
from astropy.table import QTable

from experiments.trials.folder import read_json
from experiments.w24 import __main__ as experiment
from experiments.w24 import stamps, table
from experiments.w24.models import OURS, PAPERS, recipe_of
from experiments.w24.plan import CORRECTED, RAW, SIZES, plan
from experiments.w24.results import Result
from filar.catalogfile import write_catalog
from filar.errors import OutputFileError
from filar.report.saturation_facts import gather_saturation
from filar.saturation.criteria import judge_bias
from tests.saturation.judgedtoys import toy_answer, toy_judged
from tests.saturation.toys import small_recipe, toy_samples


def made_up(part, folder, workers, tell):
    """Samples of a survey that is not there: other stars for each, epochs in pairs."""
    known = [name for survey in part.surveys for name in survey.cameras]
    images = 2 * len(known) if part.role != "curves" else 24 * len(known)
    seed = sum(map(ord, part.name))
    made = toy_samples(stars=150, images=images, seed=seed)
    noise = np.random.default_rng(seed).normal(0, 0.01, len(made))
    evidence = np.stack([made.log_n + noise, np.full(len(made), 0.01)], axis=1)
    cameras = tuple(f"sim-{known[k % len(known)]}" for k in range(images))
    mjd = [58_000 + 5 * (k // len(known) // 2) + 0.001 * k for k in range(images)]
    return replace(
        made, evidence=evidence, columns=("psf", "psf_err"), cameras=cameras,
        star=made.star + 1000 * seed, meta={"mjd": mjd, "variable": []},
        images=tuple(f"{part.name}-{k}" for k in range(images)),
    )  # fmt: skip


def test_stars_are_held_out_and_cameras_are_the_same():
    parts = {part.name: part for part in plan(SIZES["default"], seed=4)}
    fields: dict[str, set[int]] = {}
    for name, part in parts.items():
        own = [set(survey.field_numbers) for survey in part.surveys]
        fields[name] = set().union(*own)
        # No two cameras see the same stars, but where light curves are compared.
        assert (sum(map(len, own)) == len(fields[name])) == (part.role != "curves")
    assert not fields["train"] & (fields["test"] | fields["curves"] | fields["camera"])
    assert not fields["train-corrected"] & fields["test-damaged"]
    assert not fields["test"] & (fields["curves"] | fields["camera"])
    assert fields["test-corrected"] == fields["test-damaged"]
    surveys = [(part, survey) for part in parts.values() for survey in part.surveys]
    assert {survey.seed for _, survey in surveys} == {4}
    cameras = {name: {c for s in p.surveys for c in s.cameras} for name, p in parts.items()}
    assert not cameras["train"] & cameras["camera"]
    assert {part.regime for part, survey in surveys if survey.correct} == {CORRECTED}
    assert {part.name for part, survey in surveys if survey.damage} == {"test-damaged"}
    bare = replace(SIZES["quick"], corrected=0)
    assert {part.regime for part in plan(bare, 1)} == {RAW}


def test_recipes_are_shortened_only_where_that_is_asked_for():
    assert dict(recipe_of(PAPERS, False, False).network.options)["trainings"] == 24
    assert recipe_of(PAPERS, False, False).budget.epochs == 150
    assert dict(recipe_of(PAPERS, False, True).network.options)["race"] == [5, 15, 50]
    assert recipe_of(PAPERS, True, True).budget.epochs == 10
    assert recipe_of(PAPERS, False, True, CORRECTED).network.options["trainings"] == 6
    assert recipe_of(OURS, True, True) == recipe_of(OURS, False, False)
    assert recipe_of(OURS, False, False).stars.fractions == (0.6, 0.4, 0.0)


@pytest.fixture(scope="module")
def result():
    judged = toy_judged(300, epochs=12)
    psf = toy_answer(judged)
    psf = psf._replace(log_n=np.where(judged.saturated, np.nan, psf.log_n))
    models = {OURS: toy_answer(judged), PAPERS: toy_answer(judged, bias=0.03, sigma=0.1)}
    facts = gather_saturation("toys", judged, models, {"psf": psf}, draws=20)
    return Result("curves", "made up", RAW, facts, {"saturated": 0.875})


def test_tables_set_the_papers_numbers_beside_ours(result):
    text = table.summary([result])
    assert "| W24's camera | its network | about 66,000 |  | -0.004 | 0.12 | 0.34 | 0.168 |" in text
    assert "curves: 87.5% of the saturated" in text
    assert "filar, saturated" in text
    bins = table.bins(result).splitlines()
    assert len({line.count("|") for line in bins}) == 1
    assert bins[0].startswith("| magnitude | stars (stamps) | filar: bias | 68% | 95% | pulls")
    assert len(bins) == 2 + 18
    curves = table.dispersions([result])
    assert "| W24 | its network |  | 0.037 | 0.17 |  | 0.048 | 3.00 |" in curves
    assert len({line.count("|") for line in curves.splitlines()}) == 1
    assert "| curves | psf | 0 | – | – |" in curves


def test_bins_that_miss_are_named(result):
    biased = judge_bias(result.facts.methods[1].coarse)
    text = table.criteria({"w24, test": [biased]})
    assert (
        "| w24, test | absolute bias below 0.01 mag in every bin over at least 9 mag | missed"
        in text
    )
    assert "missed at 5 to 5.5: " in text
    assert len(text.splitlines()) < 8


def light_of(folder, samples):
    """True light of the first stars: a part more than the labels say."""
    few = samples.star < 12
    write_catalog(QTable({
        "id": samples.star[few], "image": np.array(samples.images)[samples.image[few]],
        "x": samples.x[few] * u.pix, "y": samples.y[few] * u.pix, "mag": samples.mag[few] * u.mag,
        "electrons": 10 ** (samples.log_n[few] + 0.02) * u.electron,
        "saturated": samples.star[few] == 7,
    }), folder / "light.parquet")  # fmt: skip


def test_the_truth_takes_the_place_of_labels(tmp_path):
    part = SimpleNamespace(name="s", surveys=[SimpleNamespace(size=10_000)])
    samples = toy_samples(stars=40, images=2)
    (tmp_path / "s-0").mkdir()
    light_of(tmp_path / "s-0", samples)
    wrong = samples.log_n.copy()
    wrong[samples.star == 8] += 0.3
    seen = samples.star != 7
    judged = stamps.with_truth(part, tmp_path, replace(samples, log_n=wrong).select(seen))
    few = seen & (samples.star < 12)
    assert judged.star.tolist() == samples.star[few].tolist()
    # The label that is wrong is put right, and the factor of the image is in all of them.
    np.testing.assert_allclose(judged.log_n, samples.log_n[few], atol=1e-9)
    np.testing.assert_allclose(judged.mag, samples.mag[few])
    shares = stamps.share_found(part, tmp_path, samples.select(seen))
    assert shares == {"saturated": 0.0, "unsaturated": 1.0}
    small = SimpleNamespace(name="s", surveys=[SimpleNamespace(size=100)])
    assert np.isnan(list(stamps.share_found(small, tmp_path, samples).values())).all()


def test_it_runs_and_is_resumed(tmp_path, monkeypatch, capsys):
    made = []

    def samples_of(part, folder, workers, tell):
        made.append(part.name)
        return made_up(part, folder, workers, tell)

    monkeypatch.setattr(experiment, "samples_of", samples_of)
    monkeypatch.setattr(experiment, "share_found", lambda *_: {})
    monkeypatch.setattr(experiment, "with_truth", lambda part, folder, own: own)
    monkeypatch.setattr(experiment, "recipe_of", lambda *_: small_recipe())
    monkeypatch.setattr("experiments.w24.results.write_saturation_report", lambda *_: None)
    words = ["-o", str(tmp_path / "w24"), "--quick", "--workers", "1"]
    experiment.main(words)
    assert made == [part.name for part in plan(SIZES["quick"], 1)]
    found = read_json(tmp_path / "w24" / "table.json")
    assert set(found["results"]) == {"both", *made} - {"train", "train-corrected"}
    assert {f"{m}, both" for m in (OURS, PAPERS)} <= set(found["criteria"])
    # Light curves belong to the criteria of known and new cameras together.
    assert len(found["criteria"][f"{OURS}, both"]) == 4
    assert found["results"]["curves"]["dispersions"]["unsaturated"][0]["curves"] > 50
    assert found["results"]["camera"]["judged"]["stars"] == 150
    text = (tmp_path / "w24" / "table.md").read_text()
    assert text in capsys.readouterr().out
    weights = (tmp_path / "w24" / f"{OURS}-{RAW}.safetensors").stat().st_mtime_ns
    experiment.main(words)
    again = read_json(tmp_path / "w24" / "table.json")
    assert again["results"]["both"]["methods"] == found["results"]["both"]["methods"]
    assert (tmp_path / "w24" / f"{OURS}-{RAW}.safetensors").stat().st_mtime_ns == weights
    with pytest.raises(OutputFileError, match="made with"):
        experiment.main([*words, "--seed", "2"])
