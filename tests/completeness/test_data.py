"""Batches: every star once, nested parts in stepped trainings, the same for the same seed."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from filar.completeness.data import (
    VALIDATED_AT_ONCE,
    digest,
    parts,
    training_batches,
    validation_batches,
)
from filar.learn.recipe import load_recipe
from tests.completeness.toys import small_recipe, stepped_recipe, toy_stars

NUMBER = 1000


def seen(batches) -> list[int]:
    return [int(row) for batch in batches for row in batch["row"]]


def columns(number: int = NUMBER) -> dict[str, torch.Tensor]:
    return {"row": torch.arange(number), "twice": 2 * torch.arange(number)}


def test_an_epoch_has_every_star_once_in_an_order_of_its_own() -> None:
    epoch = training_batches(columns(), small_recipe(), seed=3)
    first, second = seen(epoch(0)), seen(epoch(1))
    assert sorted(first) == sorted(second) == list(range(NUMBER))
    assert first != second
    assert first == seen(training_batches(columns(), small_recipe(), seed=3)(0))
    assert first != seen(training_batches(columns(), small_recipe(), seed=4)(0))
    assert len(epoch(0)) == len(list(epoch(0))) == 8
    assert all(torch.equal(batch["twice"], 2 * batch["row"]) for batch in epoch(0))


def test_stepped_trainings_see_nested_parts() -> None:
    epoch = training_batches(columns(), stepped_recipe(), seed=0)
    assert [len(seen(epoch(k))) for k in range(6)] == [200] * 4 + [1000] * 2
    small = set(seen(epoch(0)))
    assert set(seen(epoch(3))) == small < set(seen(epoch(5)))


@pytest.mark.parametrize(("stars", "rows"), [(61_600, 200), (10_000, 100), (800, 32)])
def test_cointoss_scales_its_batches_with_the_stars(stars: int, rows: int) -> None:
    assert load_recipe("cointoss").budget.batch_rows(stars) == rows
    epoch = training_batches(columns(stars), load_recipe("cointoss"), 0)
    assert len(next(iter(epoch(1349)))["row"]) == rows
    assert len(seen(epoch(0))) == max(round(0.05 * stars), 50)
    assert len(seen(epoch(600))) == max(round(0.1 * stars), 50)
    assert len(seen(epoch(850))) == round(0.2 * stars)
    assert len(seen(epoch(1100))) == stars


def test_validation_is_in_order() -> None:
    number = VALIDATED_AT_ONCE + 5
    batches = list(validation_batches(columns(number))())
    assert seen(batches) == list(range(number))
    assert len(batches) == 2


def test_parts_share_the_stars_out() -> None:
    stars = toy_stars(100)
    stars = replace(stars, x=np.arange(100.0))
    train, validation, test = parts(stars, (0.7, 0.1, 0.2), 0)
    assert [len(part) for part in (train, validation, test)] == [70, 10, 20]
    everyone = np.concatenate([part.x for part in (train, validation, test)])
    assert sorted(everyone) == list(range(100))
    train, validation, test = parts(stars, (0.8, 0.0, 0.2), 0)
    assert (len(train), validation, len(test)) == (80, None, 20)


def test_the_digest_tells_stars_apart() -> None:
    stars = toy_stars(60)
    assert digest(stars) == digest(toy_stars(60))
    others = [
        toy_stars(60, 1),
        stars.select(slice(None, None, -1)),
        replace(stars, bands=("F555W", "F606W")),
        replace(stars, covariates={"crowding": stars.covariates["crowding"]}),
        replace(stars, mag_out=np.where(stars.recovered[:, None], stars.mag_out, np.nan)),
    ]
    assert len({digest(stars), *map(digest, others)}) == 6
