"""What H24 say, and what is found here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from experiments.ast_tables.judged import Row
from experiments.ast_tables.text import OURS
from filar.completeness.curves import CompletenessCurves


def statements(rows: Sequence[Row], curves: Mapping[str, CompletenessCurves]) -> str:
    """Set the paper's statements beside our figures.

    Parameters
    ----------
    rows : sequence of Row
        Of recipes trained on artificial stars of both scenes, on all and on fewer.
    curves : mapping of str to CompletenessCurves
        By scene.

    Returns
    -------
    str
        A Markdown table.
    """
    lines = ["| Harris & Speagle 2024 | here |", "|---|---|"]
    tables = list(dict.fromkeys(row.table for row in rows))
    full = {(r.table, r.recipe): r for r in sorted(rows, key=lambda r: r.trained_on)}
    text = "; ".join(_accuracies(table, full) for table in tables)
    lines.append(
        f"| networks reach 94% accuracy, several points above logistic regression | {text} |"
    )
    text = "; ".join(f"{table}: {_enough(table, rows)}" for table in tables)
    lines.append(f"| a few thousand artificial stars exceed logistic regression | {text} |")
    text = "; ".join(
        f"{scene}: {one.limit(0.5, against='input'):.2f} against input,"
        f" {one.limit(0.5, against='measured'):.2f} against measured {one.band}, excess at most"
        f" {np.nanmax(np.where(one.inserted > 100, one.excess, np.nan)):+.2f}"
        for scene, one in curves.items()
    )
    lines.append(
        "| bin jumping: a spike near the 50% level; against measured magnitude it shifts by"
        f" a quarter of a magnitude | {text} |"
    )
    return "\n".join(lines)


def _accuracies(table: str, full: Mapping[tuple[str, str], Row]) -> str:
    parts = [
        f"{recipe} {100 * full[table, recipe].accuracy:.1f}% ({full[table, recipe].trained_on})"
        for recipe in ("logistic", "boosting", "cointoss", OURS)
        if (table, recipe) in full
    ]
    return f"{table}: " + ", ".join(parts)


def _enough(table: str, rows: Sequence[Row]) -> str:
    """Fewest stars with which our recipe is better than logistic regression on all of them."""
    own = [row for row in rows if row.table == table]
    logistic = [row for row in own if row.recipe == "logistic" and row.size == 0]
    ours = sorted((row for row in own if row.recipe == OURS), key=lambda row: row.trained_on)
    if not logistic:
        return "no logistic regression"
    better = [row for row in ours if row.accuracy > logistic[0].accuracy]
    return f"{better[0].trained_on}" if better else "never"
