"""Tables of the experiment."""

from __future__ import annotations

from typing import Any

HEAD = (
    "catalogue", "clusters", "number", "Z of the mocks", "colours",
    "outside 50%", "outside 95%", "outside 99%",
)  # fmt: skip


def table(found: dict[str, Any]) -> str:
    """Parts of the observed clusters outside of the mocks' regions, as Markdown.

    Mocks of each galaxy's own metallicity first, then the others.
    """
    parts = []
    for own, title in ((True, "the galaxy's metallicity"), (False, "other metallicities")):
        rows = [row for row in found["rows"] if row["own"] == own]
        if rows:
            parts.append("\n".join([f"Mocks of {title}:", "", *_lines(rows)]))
    return "\n\n".join(parts)


def _lines(rows: list[dict[str, Any]]) -> list[str]:
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---|---:|---:|---|---:|---:|---:|"]
    for row in rows:
        shares = [f"{row['outside'][part]:.1%}" for part in ("0.5", "0.95", "0.99")]
        cells = [
            row["catalogue"], row["clusters"], str(row["number"]), f"{row['z']:g}",
            row["colours"], *shares,
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return lines
