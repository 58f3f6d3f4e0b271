import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import filar.centering.data as data
from filar.centering.data import batches
from filar.errors import ParameterError
from filar.stamps.store import StampStore
from filar.stamps.writer import StampWriter
from tests.stamps import samples

N = 5000


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Two exposures: rows are numbered, and their parts take turns."""
    path = tmp_path_factory.mktemp("stamps") / "set"
    with StampWriter(path, 6) as writer:
        for first in (0, N // 2):
            group = (samples.group(str(first)),)
            writer.append(samples.stamps(N // 2, 6, first, group), samples.labels(N // 2, first))
    return StampStore.open(path)


@pytest.fixture
def small_pools(monkeypatch):
    monkeypatch.setattr(data, "CHUNK", 32)
    monkeypatch.setattr(data, "POOL", 8)


def rows(some) -> list[np.ndarray]:
    return [labels.star for _, labels in some]


@given(
    part=st.sampled_from([None, 0, 1, 2]),
    size=st.integers(1, 2000),
    epoch=st.integers(0, 3),
    shuffle=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_every_stamp_of_the_part_comes_once(store, part, size, epoch, shuffle):
    found = rows(batches(store, part, size, seed=1, epoch=epoch, shuffle=shuffle))
    expected = store.rows(part)
    everything = np.concatenate(found)
    assert np.array_equal(np.sort(everything) if shuffle else everything, expected)


@pytest.mark.parametrize("part", [None, 1])
@pytest.mark.parametrize("size", [1, 7, 100, 1000, 10_000])
def test_batches_are_full_but_for_the_last(store, small_pools, part, size):
    some = batches(store, part, size)
    lengths = [len(found) for found in rows(some)]
    assert len(lengths) == len(some)
    assert set(lengths[:-1]) <= {size}
    assert 0 < lengths[-1] <= size


def test_stamps_and_labels_stay_together(store, small_pools):
    for stamps, labels in batches(store, 2, 64, seed=3):
        assert np.array_equal(stamps.flux, labels.star)
        assert np.array_equal(stamps.pixels[:, 0, 1], labels.star)
        names = [int(stamps.groups[g].exposure) for g in stamps.group]
        assert np.array_equal(names, labels.star // (N // 2) * (N // 2))


def test_the_order_is_that_of_seed_and_epoch(store, small_pools):
    def order(seed, epoch):
        return np.concatenate(rows(batches(store, 0, 100, seed, epoch)))

    assert np.array_equal(order(1, 2), order(1, 2))
    assert not np.array_equal(order(1, 2), order(1, 3))
    assert not np.array_equal(order(1, 2), order(2, 2))


def test_small_pools_mix_well(store, small_pools):
    """Pools of 256 of 5000 stamps: yet every batch comes from all over the set."""
    found = rows(batches(store, None, 250, seed=1))
    spread = np.array([np.std(batch) for batch in found[:-1]])
    middle = np.array([np.mean(batch) for batch in found[:-1]])
    assert spread.min() > 0.5 * N / np.sqrt(12)
    # 8 chunks drawn at random: the means scatter by a third of a stamp's own scatter
    assert np.std(middle) < 0.6 * N / np.sqrt(12)
    # and within a batch neighbours in the set are no neighbours
    assert np.mean(np.abs(np.diff(found[0])) == 1) < 0.05


def test_the_pools_bound_what_is_in_memory(store, small_pools, monkeypatch):
    alive = []
    original = data.from_records

    def watch(records, groups):
        base = records
        while base.base is not None:
            base = base.base
        alive.append(len(base))
        return original(records, groups)

    monkeypatch.setattr(data, "from_records", watch)
    for _ in batches(store, None, 50):
        pass
    assert max(alive) < 32 * 8 + 50


def test_a_batch_of_nothing_is_refused(store):
    with pytest.raises(ParameterError, match="batch_size"):
        batches(store, 0, 0)
