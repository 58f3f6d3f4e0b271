"""The exception family of filar: messages name the culprit, what was expected, what to do."""

from __future__ import annotations

from os import PathLike
from typing import Any


class FilarError(Exception):
    """Base of everything that filar raises on purpose; it can cross to another process."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, dict(self.__dict__))


class InputFileError(FilarError):
    """A file cannot be used.

    Parameters
    ----------
    path : str or path-like
        The file.
    found, expected, advice : str
        What is wrong with it, what was expected, and what the user can do.
    """

    def __init__(
        self, path: str | PathLike[str], found: str, expected: str = "", advice: str = ""
    ) -> None:
        self.path = str(path)
        parts = [f"{self.path}: {found}"]
        if expected:
            parts.append(f"expected {expected}")
        if advice:
            parts.append(advice)
        super().__init__("; ".join(parts))


class OutputFileError(FilarError):
    """A file cannot be written.

    Parameters
    ----------
    path : str or path-like
        The file.
    reason, advice : str
        Why, and what the user can do.
    """

    def __init__(self, path: str | PathLike[str], reason: str, advice: str = "") -> None:
        self.path = str(path)
        parts = (f"{self.path}: cannot write: {reason}", advice)
        super().__init__("; ".join(part for part in parts if part))


class ParameterError(FilarError, ValueError):
    """An argument has a value that makes no sense.

    Parameters
    ----------
    name : str
        The argument.
    value : object
        The offending value.
    allowed : str
        What would have been accepted.
    """

    def __init__(self, name: str, value: Any, allowed: str) -> None:
        self.name, self.value = name, value
        super().__init__(f"{name} = {value!r}: allowed is {allowed}")


def _restore(kind: type[FilarError], args: tuple[Any, ...], facts: dict[str, Any]) -> FilarError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error
