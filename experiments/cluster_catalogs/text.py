"""Tables of the experiment."""

from __future__ import annotations

from typing import Any

HEAD = (
    "catalogue", "clusters", "number", "Z of the mocks", "colours",
    "outside 50%", "outside 95%", "outside 99%",
)  # fmt: skip


def table(found: dict[str, Any]) -> str:
    """Parts of the observed clusters outside of the mocks' regions, as Markdown."""
    lines = ["| " + " | ".join(HEAD) + " |", "|---|---|---:|---:|---|---:|---:|---:|"]
    for row in found["rows"]:
        shares = [f"{row['outside'][part]:.1%}" for part in ("0.5", "0.95", "0.99")]
        cells = [
            row["catalogue"], row["clusters"], str(row["number"]), f"{row['z']:g}",
            row["colours"], *shares,
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
