"""Rows as a Markdown table, and what they have to show."""

from __future__ import annotations

from collections.abc import Sequence

from experiments.ast_tables.judged import Row

OURS = "filar-completeness"
_HEAD = (
    "table", "recipe", "trained on", "accuracy %", "log loss", "Brier", "ECE %", "by chance %",
    "worst decile %", "CPU s",
)  # fmt: skip


def markdown(rows: Sequence[Row]) -> str:
    """Write the rows as a table.

    Parameters
    ----------
    rows : sequence of Row
        In the order in which they are to stand.

    Returns
    -------
    str
        Markdown. The ECE's "by chance" is what perfect probabilities have on average.
    """
    lines = ["| " + " | ".join(_HEAD) + " |", "|" + "---|" * 2 + "---:|" * (len(_HEAD) - 2)]
    for row in rows:
        cells = [
            row.table, row.recipe, f"{row.trained_on}", f"{100 * row.accuracy:.2f}",
            f"{row.log_loss:.4f}", f"{row.brier:.4f}", f"{100 * row.ece:.2f}",
            f"{100 * row.ece_chance:.2f}", f"{100 * row.worst_decile:+.2f}",
            f"{row.cpu_seconds:.1f}",
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def verdicts(rows: Sequence[Row]) -> list[str]:
    """Compare our recipe with the others, table by table.

    Parameters
    ----------
    rows : sequence of Row
        All of them.

    Returns
    -------
    list of str
        A line for each table in which our recipe was trained on everything.
    """
    lines = []
    for table in dict.fromkeys(row.table for row in rows):
        full = {row.recipe: row for row in rows if row.table == table and row.size == 0}
        few = {row.recipe: row for row in rows if row.table == table and row.size != 0}
        if OURS not in full:
            continue
        ours = full[OURS]
        best = min(full.values(), key=lambda row: row.log_loss)
        ratio = 100 * (ours.log_loss / best.log_loss - 1)
        text = f"{table}: log loss {ratio:+.2f}% of the best ({best.recipe})"
        text += f", ECE {100 * ours.ece:.2f}%"
        if few:
            losses = [
                f"{name} {100 * (row.log_loss / full[name].log_loss - 1):+.1f}%"
                for name, row in few.items()
                if name in full
            ]
            text += f"; with {next(iter(few.values())).size} stars: " + ", ".join(losses)
        if "cointoss" in full:
            ratio = full["cointoss"].cpu_seconds / ours.cpu_seconds
            text += f"; trained in a {ratio:.0f}th of cointoss's CPU time"
        lines.append(text)
    return lines
