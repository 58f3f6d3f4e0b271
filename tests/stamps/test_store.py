import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.stamps.store import META_FILE, PSF_FILE, RECORDS_FILE, StampStore
from filar.stamps.writer import StampWriter, write_stamps

from . import samples


def same(found, expected) -> None:
    for name, column in expected.columns().items():
        np.testing.assert_array_equal(getattr(found, name), column, err_msg=name)


@pytest.fixture
def store(tmp_path):
    groups = samples.group("a", facts={"focus": 1.5}), samples.group("b", psf=samples.psf(2))
    meta = {"why": "test"}
    return write_stamps(
        tmp_path / "set", samples.stamps(50, groups=groups), samples.labels(50), meta
    )


def test_what_was_written_comes_back(store):
    stamps, labels = store.read()
    same(stamps, samples.stamps(50, groups=(samples.group(), samples.group())))
    same(labels, samples.labels(50))
    assert len(store) == 50
    assert store.size == 6
    assert store.meta == {"why": "test"}
    assert [g.exposure for g in store.groups] == ["a", "b"]
    assert store.groups[0].facts == {"focus": 1.5}
    np.testing.assert_array_equal(store.groups[1].psf.values, samples.psf(2).values)
    assert store.groups[1].psf.nodes == samples.psf().nodes


@given(st.lists(st.integers(0, 49), max_size=20), st.integers(-60, 60), st.integers(-60, 60))
@settings(max_examples=30, deadline=None)
def test_any_rows_can_be_read(tmp_path_factory, rows, start, stop):
    path = tmp_path_factory.getbasetemp() / "any"
    if not path.exists():
        write_stamps(path, samples.stamps(50), samples.labels(50))
    store, (stamps, labels) = StampStore.open(path), (samples.stamps(50), samples.labels(50))
    chosen = np.zeros(50, bool)
    chosen[rows] = True
    for index in (np.array(rows, int), slice(start, stop), slice(start, stop, 3), chosen):
        found = store.read(index)
        same(found[0], stamps[index])
        same(found[1], labels[index])


@pytest.mark.parametrize("size", [4, 9, 12])
def test_pieces_make_the_same_store_as_the_whole(tmp_path, size):
    groups = samples.group("a"), samples.group("b")
    with StampWriter(tmp_path / "pieces", size) as writer:
        for first in (0, 20, 40):
            part = samples.stamps(20, size, first, groups)
            writer.append(part, samples.labels(20, first))
    whole = samples.stamps(60, size, 0, groups)
    write_stamps(tmp_path / "whole", whole, samples.labels(60))
    pieces, whole = (StampStore.open(tmp_path / name) for name in ("pieces", "whole"))
    same(pieces.read()[0], whole.read()[0])
    assert len(pieces.groups) == 2
    assert pieces.digest == whole.digest


def test_the_digest_knows_the_content_and_not_the_place(store, tmp_path):
    shutil.copytree(store.path, tmp_path / "copy")
    assert StampStore.open(tmp_path / "copy").digest == store.digest
    stamps, labels = store.read()
    labels.x[7] += 1e-3
    assert write_stamps(tmp_path / "other", stamps, labels).digest != store.digest


def test_columns_and_parts(store):
    assert np.array_equal(store.column("flux"), np.arange(50))
    assert store.column("pixels").shape == (50, 6, 6)
    assert np.array_equal(store.rows(1), np.arange(1, 50, 3))
    assert np.array_equal(store.rows(), np.arange(50))
    with pytest.raises(ParameterError, match="name"):
        store.column("colour")


def test_stamps_without_psf_and_no_stamps_at_all(tmp_path):
    bare = samples.stamps(5, groups=(samples.group(psf=None),))
    store = write_stamps(tmp_path / "bare", bare, samples.labels(5))
    assert store.groups[0].psf is None
    assert not (store.path / PSF_FILE).exists()
    empty = write_stamps(tmp_path / "empty", samples.stamps(0), samples.labels(0))
    assert len(empty.read()[0]) == len(empty.column("x")) == 0
    assert empty.groups == ()


def test_nothing_is_left_of_an_interrupted_write(tmp_path):
    with (
        pytest.raises(ZeroDivisionError),
        StampWriter(tmp_path / "set", 6) as writer,
    ):
        writer.append(samples.stamps(5), samples.labels(5))
        raise ZeroDivisionError
    assert not list(tmp_path.iterdir())


def test_a_set_is_replaced_only_on_demand(store):
    before = store.digest
    with pytest.raises(OutputFileError, match="it exists"):
        write_stamps(store.path, samples.stamps(5), samples.labels(5))
    assert StampStore.open(store.path).digest == before
    new = write_stamps(store.path, samples.stamps(5), samples.labels(5), overwrite=True)
    assert len(new) == 5
    assert [path.name for path in store.path.parent.iterdir()] == ["set"]


def test_what_is_no_set_of_stamps_is_never_replaced(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(OutputFileError, match="no stamps"):
        write_stamps(tmp_path / "mine", samples.stamps(5), samples.labels(5), overwrite=True)
    assert (tmp_path / "mine" / "thesis.txt").exists()
    with pytest.raises(OutputFileError, match="no folder"):
        write_stamps(tmp_path / "none" / "set", samples.stamps(5), samples.labels(5))


def _cut_off(path):
    data = (path / RECORDS_FILE).read_bytes()
    (path / RECORDS_FILE).write_bytes(data[:-100])


def _other_version(path):
    facts = json.loads((path / META_FILE).read_text()) | {"version": 99}
    (path / META_FILE).write_text(json.dumps(facts))


def _pickled(path):
    np.save(path / RECORDS_FILE, np.array([{"a": 1}], dtype=object), allow_pickle=True)


def _half_a_meta(path):
    (path / META_FILE).write_text((path / META_FILE).read_text()[:40])


def _other_psf(path):
    np.save(path / PSF_FILE, np.zeros((3, 5, 5), np.float32))


def _less_meta(path):
    facts = json.loads((path / META_FILE).read_text())
    del facts["digest"]
    (path / META_FILE).write_text(json.dumps(facts))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_cut_off, "damaged"),
        (_pickled, "damaged"),
        (_other_psf, "damaged"),
        (_less_meta, "damaged"),
        (_half_a_meta, "cannot be read"),
        (_other_version, "version 99"),
        (lambda path: (path / META_FILE).write_text("[1]"), "another program"),
        (lambda path: (path / RECORDS_FILE).unlink(), "damaged"),
        (lambda path: (path / META_FILE).unlink(), "cannot be read"),
        (shutil.rmtree, "no such folder"),
    ],
)
def test_damaged_and_foreign_folders_are_refused(store, damage, message):
    damage(store.path)
    with pytest.raises(InputFileError, match=message) as caught:
        StampStore.open(store.path)
    assert str(store.path) in str(caught.value)


def test_what_does_not_fit_is_refused(tmp_path):
    with pytest.raises(ParameterError, match="size"):
        StampWriter(tmp_path / "set", 3)
    with StampWriter(tmp_path / "set", 6) as writer:
        with pytest.raises(ParameterError, match="stamps"):
            writer.append(samples.stamps(5, 8), samples.labels(5))
        with pytest.raises(ParameterError, match="labels"):
            writer.append(samples.stamps(5), samples.labels(4))
        writer.append(samples.stamps(5), samples.labels(5))
        other = samples.stamps(5, groups=(samples.group(psf=samples.psf(1, 9)),))
        with pytest.raises(ParameterError, match="9 x 9 samples"):
            writer.append(other, samples.labels(5))
