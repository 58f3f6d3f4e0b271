"""Text tables of numbers."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from filar.clusters.numbertable import log10, read_numbers, without
from filar.errors import FilarError, InputFileError


@given(
    arrays(
        np.float64,
        st.tuples(st.integers(1, 6), st.integers(1, 5)),
        elements=st.floats(-1e9, 1e9, allow_nan=False),
    ),
    st.sampled_from(["# a comment\n", "", "\n"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, values: np.ndarray, comment: str, end: str
) -> None:
    path = tmp_path_factory.mktemp("tables") / "t.txt"
    lines = "".join("  ".join(map(repr, map(float, row))) + " " + end for row in values)
    path.write_bytes((comment + lines).encode())
    np.testing.assert_array_equal(read_numbers(path, None, "a table"), values)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.mktemp("tables") / "t.txt"
    path.write_bytes(content)
    try:
        values = read_numbers(path, None, "a table")
    except FilarError as error:
        assert str(path) in str(error)
    else:
        assert values.ndim == 2


def test_words_for_nothing_are_nan(tmp_path: Path) -> None:
    path = tmp_path / "t.txt"
    path.write_text("1 INDEF 3\n4 nan --\n")
    np.testing.assert_array_equal(
        read_numbers(path, 3, "a table"), [[1, np.nan, 3], [4, np.nan, np.nan]]
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 2\n3\n", "line 2 has 1 fields"),
        ("1 2\n3 x\n", "line 2: could not convert string to float: 'x'"),
        ("# nothing\n\n", "no line of numbers"),
    ],
)
def test_bad_tables_are_told(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "t.txt"
    path.write_text(text)
    with pytest.raises(InputFileError, match=words):
        read_numbers(path, 2, "a table")


def test_no_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="no such file; expected a table"):
        read_numbers(tmp_path / "t.txt", None, "a table")


def test_numbers_for_nothing_are_nan() -> None:
    values = np.array([66.666, 66.67, 21.0, -999.0])
    np.testing.assert_array_equal(without(values, (66.666, -999.0)), [np.nan, 66.67, 21.0, np.nan])
    assert values[0] == 66.666


def test_logarithms_of_what_is_not_positive_are_nan() -> None:
    np.testing.assert_array_equal(log10(np.array([100.0, 0.0, -1.0, np.nan])), [2, *[np.nan] * 3])
