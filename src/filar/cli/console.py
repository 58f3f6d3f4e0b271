"""What all commands share to speak to the user: consoles, verbosity, warnings, error lines."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from rich.console import Console

_verbosity = 0


def set_verbosity(level: int) -> None:
    """Set how much is said.

    Parameters
    ----------
    level : int
        -1 only errors, 0 filar's own warnings too, 1 the libraries' warnings as well.
    """
    global _verbosity
    _verbosity = level
    if level > 0:
        warnings.simplefilter("default")
    elif level < 0:
        warnings.simplefilter("ignore")
    else:
        warnings.simplefilter("ignore")
        warnings.filterwarnings("always", category=UserWarning, module=r"filar\b")


def verbosity() -> int:
    """How much is said: -1 quiet, 0 normal, 1 verbose."""
    return _verbosity


def output() -> Console:
    """Console on stdout, for what was asked for."""
    from rich.console import Console

    return Console(soft_wrap=False, highlight=False)


def messages() -> Console:
    """Console on stderr, for progress and remarks; silent when ``-q`` was given."""
    from rich.console import Console

    return Console(stderr=True, quiet=_verbosity < 0, highlight=False)


@contextmanager
def progress() -> Iterator[Callable[[float, str], None] | None]:
    """Show a progress bar on a terminal, nothing elsewhere.

    Yields
    ------
    callable or None
        To be called with the part done, 0 to 1, and a text; None where nothing is shown.
    """
    if not sys.stderr.isatty() or _verbosity < 0:
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=messages(), transient=True) as bar:
        task = bar.add_task("reading", total=1.0)
        yield lambda done, text: bar.update(task, completed=done, description=text)


def error(text: str) -> None:
    """Write one line about a failure to stderr."""
    _write_line(f"filar: error: {text}")


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> Any:
    """Show a warning as one line; takes the place of :func:`warnings.showwarning`."""
    _write_line(f"filar: warning: {message}")


def _write_line(text: str) -> None:
    # Through sys.stderr, not a rich console: messages hold brackets and paths, which must
    # neither be read as markup nor be wrapped. A live progress bar redirects sys.stderr.
    sys.stderr.write(" ".join(text.split("\n")) + "\n")
