"""Tables of the experiment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from experiments.saturated_real.m2 import AT_PLACES

LEAST_MEDIAN, LEAST_RMS, LEAST_KEPLER = 0.1, 0.2, 0.05
"""What had to be shown."""


def markdown(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Write a table."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def m2_text(found: dict[str, Any]) -> str:
    """Every method by magnitude, and whether the goal is met."""
    rows = []
    for name, bins in found["bins"].items():
        for row in bins:
            if row["measured"]:
                pull = f"{row['pull']:.2f}" if "pull" in row else ""
                numbers = [f"{row[key]:+.3f}" for key in ("median",)]
                numbers += [f"{row[key]:.3f}" for key in ("rms", "robust")]
                rows.append(
                    [name, f"{row['low']:g}-{row['high']:g}", row["measured"], *numbers, pull]
                )
    head = ["method", "R", "stars", "median", "rms", "robust", "pull"]
    verdicts = []
    for where, text in (("", "where they are found"), (AT_PLACES, "at the catalogue's places")):
        ours = [
            bins[-1]
            for name, bins in found["bins"].items()
            if name.startswith("ours") and name.endswith(AT_PLACES) == bool(where)
        ]
        met = [abs(b["median"]) <= LEAST_MEDIAN and b["rms"] <= LEAST_RMS for b in ours]
        verdicts.append(f"{sum(met)} of {len(met)} trainings with the stars {text}")
    return "\n\n".join([
        "## M 2, SDSS r against Stetson's R (measured - true, mag)",
        f"Zero point {found['zero_point']:.3f} of {found['unsaturated']} unsaturated stars, "
        f"r - R = {found['slope']:.3f} (V - R) + const, scatter {found['scatter']:.3f}; "
        f"{found['training']} training samples.",
        markdown(head, rows),
        f"|median| <= {LEAST_MEDIAN} and rms <= {LEAST_RMS}: {'; '.join(verdicts)}.",
    ])  # fmt: skip


def kepler_text(found: dict[str, Any]) -> str:
    """The star's light by every method."""
    rows = [
        [name, f"{found[name]:.4g}", f"{found[name] / found['expected'] - 1:+.3%}",
         f"{found[f'{name}_error']:.2%}"]
        for name in ("trail", "aperture", "wings", "ours")
    ]  # fmt: skip
    met = abs(found["ours"] / found["expected"] - 1) <= LEAST_KEPLER
    return "\n\n".join([
        "## Kepler: the bleeding star",
        f"Full pixels recognised above {found['level']:.4g} e-/s "
        f"({found['saturated_pixels']} pixels). Sum along the trail {found['trail_sum']:.5g} e-/s; "
        f"the PSF fit's flux of unsaturated stars is {found['fit_over_aperture']:.3f} "
        f"+- {found['fit_over_aperture_error']:.3f} of the sums in such a box, so "
        f"{found['expected']:.5g} is expected. {found['training']} training samples.",
        markdown(["method", "e-/s", "from the sum", "claimed error"], rows),
        f"Within {LEAST_KEPLER:.0%}: {'yes' if met else 'no'}.",
    ])  # fmt: skip


def omega_text(found: dict[str, Any]) -> str:
    """How methods agree, and the relation."""
    pairs = [
        [name, value["stars"], f"{value['median']:+.3f}", f"{value['robust']:.3f}",
         f"{value['pull']:.2f}", f"{value['within 2 errors']:.0%}"]
        for name, value in found.items()
        if isinstance(value, dict) and "within 2 errors" in value
    ]  # fmt: skip
    relation = found["relation"]
    on = [
        [name, relation[name]["stars"], f"{relation[name]['median']:+.3f}",
         f"{relation[name]['robust']:.3f}"]
        for name in ("wings", "trail", "ours")
    ]  # fmt: skip
    return "\n\n".join([
        "## Omega Cen, WFPC2 WF3 (mag)",
        f"{found['saturated']} saturated stars, {found['training']} training samples.",
        markdown(["difference", "stars", "median", "robust", "pull", "within 2 errors"], pairs),
        "From the relation between the light in a far ring and the star's, as the "
        f"{relation['unsaturated']} brightest unsaturated stars give it "
        f"(+- {relation['error']:.3f}, scatter {relation['scatter']:.3f}):",
        markdown(["method", "stars", "median", "robust"], on),
    ])  # fmt: skip
