"""The command line: finds commands, sets verbosity, turns errors into exit statuses.

Each command has a module of its own here, which defines ``app``, a :class:`typer.Typer`, and
imports heavy libraries only inside its command functions. Exit status 0: everything asked for was
done; 1: a failure; 2: wrong usage.
"""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from filar.cli import console
from filar.errors import FilarError, ParameterError

COMMANDS = (
    "demo",
    "info",
    "measure",
    "mean",
    "lightcurve",
    "asts",
    "evaluate",
    "completeness",
    "clusters",
    "train",
    "simulate",
    "psf",
    "fetch",
)


class LazyGroup(TyperGroup):
    """A group that imports a command's module when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the commands, in the order of the help page."""
        return [name for name in COMMANDS if find_spec(f"filar.cli.{name}")]

    def get_command(self, ctx: Any, name: str) -> Any:
        """Import the module of a command and give it the options that all commands share."""
        if name not in self.list_commands(ctx):
            return None
        command: Any = typer.main.get_command(import_module(f"filar.cli.{name}").app)
        command.name = name
        command.params = [p for p in command.params if not str(p.name).endswith("_completion")]
        _add_shared_options(command)
        return command


def _verbosity_to(level: int) -> Any:
    def callback(value: bool) -> None:
        if value:
            console.set_verbosity(level)

    return callback


_shared = typer.Typer(add_completion=False)


@_shared.command()
def _shared_options(
    verbose: Annotated[
        bool,
        typer.Option(
            "-v",
            "--verbose",
            is_eager=True,
            expose_value=False,
            callback=_verbosity_to(1),
            help="Say more: the warnings of the libraries too.",
        ),
    ] = False,
    quiet: Annotated[
        bool,
        typer.Option(
            "-q",
            "--quiet",
            is_eager=True,
            expose_value=False,
            callback=_verbosity_to(-1),
            help="Only say what failed.",
        ),
    ] = False,
) -> None:
    """Carry the options that every command has."""


def _add_shared_options(command: Any) -> None:
    """Add ``-v`` and ``-q`` to a command, or to each command of a group."""
    subcommands = getattr(command, "commands", None)
    if subcommands is None:
        command.params.extend(typer.main.get_command(_shared).params)
        return
    for subcommand in subcommands.values():
        _add_shared_options(subcommand)


def _show_version(value: bool) -> None:
    if value:
        from filar import __version__

        typer.echo(f"filar {__version__}")
        raise typer.Exit


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def filar(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Measure stars in undersampled CCD images: positions and magnitudes with honest errors.

    Example: filar measure u40x010hm_c0f.fits -o omega.ecsv --report omega.html
    """


def main() -> None:
    """Run the command line; known errors become one line on stderr and an exit status."""
    console.set_verbosity(0)
    warnings.showwarning = console.show_warning
    try:
        app()
    except ParameterError as error:
        console.error(str(error))
        sys.exit(2)
    except FilarError as error:
        console.error(str(error))
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)
