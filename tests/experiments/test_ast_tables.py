"""The tables of real artificial stars, with made-up ones in their place."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.ast_tables.__main__ import main
from experiments.ast_tables.dolphot import compare
from experiments.ast_tables.folds import out_of_fold
from experiments.ast_tables.judged import Row, Task, judge, split
from experiments.ast_tables.text import OURS, markdown, verdicts
from experiments.trials.folder import read_json
from filar.errors import InputFileError
from tests.completeness.toys import toy_stars, true_probability


def row(recipe, size, loss, cpu=1.0):
    return Row("A", recipe, size, size or 9000, 1000, 0.9, loss, 0.01, 0.07, 0.006, 0.005, 0.009,
               0.01, 9 * cpu, cpu)  # fmt: skip


def test_ours_is_set_beside_the_best():
    rows = [row("logistic", 0, 0.5), row("boosting", 0, 0.25), row(OURS, 0, 0.255),
            row("cointoss", 0, 0.26, 40.0), row(OURS, 3000, 0.2601)]  # fmt: skip
    (line,) = verdicts(rows)
    assert "+2.00% of the best (boosting)" in line
    assert "with 3000 stars: filar-completeness +2.0%" in line
    assert "40th" in line
    table = markdown(rows).splitlines()
    assert len(table) == 7
    assert len({text.count("|") for text in table}) == 1


def test_all_recipes_are_judged_by_the_same_stars(tmp_path):
    stars = toy_stars(1200)
    rows = [judge(Task("A", name, 0, 1), stars, 0.2, tmp_path) for name in ("logistic", "boosting")]
    assert {one.judged_by for one in rows} == {240}
    assert {one.trained_on for one in rows} == {960}
    few = judge(Task("A", "logistic", 100, 1), stars, 0.2, tmp_path)
    assert few.trained_on == 100
    train, test = split(stars, 0.2, 1)
    assert not set(train.x) & set(test.x)
    # What is there is read, not trained again.
    again = judge(Task("A", "logistic", 0, 1), stars.select(slice(10)), 0.2, tmp_path)
    assert again == rows[0]


def test_dolphots_fractions_are_compared_by_magnitude_and_sky():
    stars = toy_stars(20_000)
    noise = stars.covariates["sky_noise_F555W"]
    p = true_probability(stars.mag_in, noise)
    # With 5 electrons of read noise in it the noise is that of 11 to 1200 electrons.
    stars = replace(stars, covariates={"sky_noise_F555W": 3.0 + 3.0 * noise})
    right = compare(stars, p)
    assert {one["sky"] for one in right} == {"all", "0 to 80", "80 to 300", "300 to inf"}
    pulls = np.array([one["pull"] for one in right])
    assert np.sqrt(np.mean(pulls**2)) < 1.5
    wrong = np.array([one["pull"] for one in compare(stars, np.clip(p + 0.1, 0, 1))])
    assert np.sqrt(np.mean(wrong**2)) > 2.5
    assert sum(one["number"] for one in right if one["sky"] == "all") <= 20_000


def test_it_runs_and_is_resumed(tmp_path, capsys):
    rng = np.random.default_rng(0)
    mag = rng.uniform(20, 28, (600, 2))
    lost = (rng.random((600, 2)) < 1 / (1 + np.exp(25 - mag))).any(axis=1)
    delta = np.where(lost[:, None], 99.999, 0.01)
    (tmp_path / "ast").mkdir()
    np.savetxt(tmp_path / "ast" / "crater.fake.dat", np.c_[mag, delta, delta], fmt="%.3f")
    words = ["-o", str(tmp_path / "out"), "--data", str(tmp_path), "--tables", "Crater",
             "--recipes", "logistic,boosting", "--sizes", "0,200", "--no-dolphot"]  # fmt: skip
    main(words)
    found = read_json(tmp_path / "out" / "table.json")
    assert [(one["recipe"], one["trained_on"]) for one in found] == [
        ("logistic", 480), ("boosting", 480), ("logistic", 200), ("boosting", 200),
    ]  # fmt: skip
    capsys.readouterr()
    main(words)
    assert "log loss 0" not in capsys.readouterr().out
    assert read_json(tmp_path / "out" / "table.json") == found
    with pytest.raises(InputFileError, match="NGC 1644"):
        main([*words, "--tables", "M 13"])


def test_every_star_is_judged_by_a_model_that_has_not_seen_it():
    stars = toy_stars(1500)
    p = out_of_fold(stars, "logistic", 1)
    assert np.isfinite(p).all()
    one = int(np.flatnonzero(stars.recovered)[0])
    chosen = np.arange(len(stars)) == one
    lost = np.where(chosen[:, None], np.nan, stars.mag_out)
    turned = replace(stars, recovered=stars.recovered & ~chosen, mag_out=lost)
    again = out_of_fold(turned, "logistic", 1)
    fold = np.random.default_rng(1).permutation(len(stars)) % 5
    own = fold == fold[one]  # only the models of the others have seen it
    np.testing.assert_array_equal(p[own], again[own])
    assert (p[~own] != again[~own]).mean() > 0.9
