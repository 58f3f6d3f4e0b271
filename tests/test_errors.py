"""Errors of filar."""

import pickle

import pytest

from filar.errors import FilarError, InputFileError, OutputFileError, ParameterError


@pytest.mark.parametrize(
    "error",
    [
        FilarError("plain"),
        InputFileError("a.fits", "empty", "an image", "check it"),
        OutputFileError("b.fits", "disk full"),
        ParameterError("gain", 3, "7 or 15"),
    ],
)
def test_errors_cross_to_another_process(error: FilarError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)
