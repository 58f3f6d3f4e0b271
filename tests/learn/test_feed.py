"""Batches: passes cut into epochs, shared out among processes."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from filar.learn.feed import Feed, rows_of

Named = tuple[int, int]


def of_length(length: int) -> object:
    """A source whose batches tell their pass and place."""
    return lambda number: [(number, place) for place in range(length)]


def epoch(feed: Feed, number: int) -> list[Named]:
    feed.epoch = number
    return list(feed)


def test_an_epoch_is_a_pass() -> None:
    feed = Feed(of_length(3), 5, 0)  # type: ignore[arg-type]
    assert epoch(feed, 2) == [(2, 0), (2, 1), (2, 2)]
    assert feed.steps == 3


def test_batches_without_a_length_leave_the_steps_unknown() -> None:
    def source(number: int) -> Iterator[Named]:
        yield number, 0

    feed = Feed(source, 5, 0)
    assert epoch(feed, 1) == [(1, 0)]
    assert feed.steps is None


@given(
    length=st.integers(1, 9),
    steps=st.integers(1, 20),
    epochs=st.integers(1, 5),
    world=st.integers(1, 3),
)
def test_epochs_of_so_many_steps_never_see_a_pass_twice(
    length: int, steps: int, epochs: int, world: int
) -> None:
    seen: list[Named] = []
    for number in range(epochs):
        shares = []
        for rank in range(world):
            feed = Feed(of_length(length), epochs, steps)  # type: ignore[arg-type]
            feed.rank, feed.world = rank, world
            shares.append(epoch(feed, number))
        assert {len(share) for share in shares} == {steps}
        seen += [batch for share in shares for batch in share]
    assert len(set(seen)) == len(seen)


def test_processes_share_a_pass_evenly_and_drop_the_rest() -> None:
    shares = []
    for rank in range(3):
        feed = Feed(of_length(8), 5, 0)  # type: ignore[arg-type]
        feed.rank, feed.world = rank, 3
        shares.append(epoch(feed, 0))
    assert shares == [[(0, 0), (0, 3)], [(0, 1), (0, 4)], [(0, 2), (0, 5)]]


def test_no_data_end_an_epoch_of_so_many_steps() -> None:
    assert epoch(Feed(lambda number: [], 5, 10), 0) == []


@pytest.mark.parametrize(
    "batch",
    [
        torch.zeros(7, 2),
        (torch.zeros(7), torch.zeros(3)),
        {"a": [torch.zeros(7, 1, 1)], "b": torch.zeros(2)},
    ],
)
def test_rows_are_counted_in_the_first_tensor(batch: object) -> None:
    assert rows_of(batch) == 7


def test_what_has_no_rows_counts_once() -> None:
    assert rows_of(torch.tensor(3.0)) == rows_of((5,)) == 1
