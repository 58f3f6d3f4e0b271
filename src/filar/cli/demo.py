"""``filar demo``: simulate a field, measure it, compare with the truth; offline."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from filar.cli import console

if TYPE_CHECKING:
    from astropy.table import QTable

app = typer.Typer()

_NAME = "demo"
_MIN_SNR = 30.0
_MATCH_RADIUS = 1.0


@app.command()
def demo(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder to write to.")] = Path(
        "demo"
    ),
    chips: Annotated[
        str, typer.Option(metavar="PC,WF3", help="Chips to simulate, with commas.")
    ] = "PC,WF3",
    stars: Annotated[int, typer.Option(min=1, help="Stars per chip.")] = 1500,
    focus: Annotated[
        float,
        typer.Option(help="Microns that the telescope is out of focus; the fit must find out."),
    ] = 2.0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same files.")] = 1,
) -> None:
    """Simulate a WFPC2 star field, measure it with its own PSF, and compare with the truth.

    Example: filar demo --output demo
    """
    science = output / f"{_NAME}_c0m.fits"
    catalog, report = output / f"{_NAME}.ecsv", output / f"{_NAME}.html"
    _run("simulate", "field", "-o", output, "--name", _NAME, "--chips", chips,
         "--stars", stars, "--focus", focus, "--seed", seed)  # fmt: skip
    _run("measure", science, "-o", catalog, "--report", report)
    from astropy.table import QTable

    truth = QTable.read(output / f"{_NAME}_truth.ecsv")
    show = console.output()
    show.print(_table(compare(QTable.read(catalog), truth)))
    show.print(f"Open {report}", markup=False, soft_wrap=True)


def _run(*arguments: object) -> None:
    """Run another command as if it had been typed, and say so."""
    from filar.cli import main

    words = [str(argument) for argument in arguments]
    console.messages().print(f"$ filar {shlex.join(words)}", markup=False, soft_wrap=True)
    command: Any = typer.main.get_command(main.app)
    status = command.main(words, prog_name="filar", standalone_mode=False)
    if status:
        raise typer.Exit(status)


def compare(catalog: QTable, truth: QTable) -> list[dict[str, Any]]:
    """Compare measured with true positions and fluxes, chip by chip.

    Well-measured stars are those without flags and with a signal-to-noise ratio of at least 30.

    Parameters
    ----------
    catalog : QTable
        As `filar measure` writes it.
    truth : QTable
        As `filar simulate` writes it.

    Returns
    -------
    list of dict
        Per chip: ``chip``, numbers of ``simulated`` and ``measured`` stars, number of
        ``compared`` ones (well measured, with a true star within a pixel), their robust
        scatter ``error`` and median ``formal`` error of a coordinate in mpix, and the robust
        widths of error over formal error of positions (``pull``) and flux (``flux_pull``).
    """
    import numpy as np
    from scipy.spatial import cKDTree

    from filar.robust import robust_rms

    rows = []
    for chip in dict.fromkeys(str(name) for name in truth["chip"]):
        true, all_found = truth[truth["chip"] == chip], catalog[catalog["chip"] == chip]
        found = all_found[(all_found["flags"] == 0) & (all_found["snr"] >= _MIN_SNR)]
        positions = [np.column_stack([t[x].value, t[y].value])
                     for t, x, y in ((true, "x", "y"), (found, "x_fit", "y_fit"))]  # fmt: skip
        distance, nearest = cKDTree(positions[0]).query(positions[1])
        near = distance < _MATCH_RADIUS
        found, matched = found[near], true[nearest[near]]
        row = {"chip": chip, "simulated": len(true), "measured": len(all_found)}
        row["compared"] = len(found)
        if len(found):
            shift = (positions[1][near] - positions[0][nearest[near]]).ravel()
            formal = np.column_stack([found["x_err"].value, found["y_err"].value]).ravel()
            light = (found["flux_fit"] - matched["flux"]) / found["flux_err"]
            row["error"], row["formal"] = 1000 * robust_rms(shift), 1000 * float(np.median(formal))
            row["pull"], row["flux_pull"] = robust_rms(shift / formal), robust_rms(light.value)
        rows.append(row)
    return rows


def _table(rows: list[dict[str, Any]]) -> Any:
    from rich.table import Table

    columns = {
        "chip": ("chip", ""),
        "simulated": ("stars", "d"),
        "measured": ("measured", "d"),
        "compared": ("compared", "d"),
        "error": ("error\n(mpix)", ".1f"),
        "formal": ("formal\n(mpix)", ".1f"),
        "pull": ("pull", ".2f"),
        "flux_pull": ("flux\npull", ".2f"),
    }
    table = Table(
        title=f"Unflagged stars with S/N >= {_MIN_SNR:g} against the truth; pull: error / formal",
        title_justify="left",
    )
    for title, _ in columns.values():
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            *(format(row[name], form) if name in row else "" for name, (_, form) in columns.items())
        )
    return table
