"""Whether the colours of mock clusters cover those of real ones.

Mock clusters, their stars drawn one by one, behind dust, brighter than the catalogues' limit and
with the catalogues' errors, against the clusters of M 83 (Chandar et al. 2010) and of NGC 628
(LEGUS): the part of the real ones that lies outside of the regions which hold 50, 95 and 99% of
the mocks.

    python -m experiments.cluster_catalogs -o cluster_catalogs [--shared ../shared/data]
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from experiments.cluster_catalogs import catalogs
from experiments.cluster_catalogs.catalogs import BANDS, LIMIT, Observed
from experiments.cluster_catalogs.coverage import Density, density
from experiments.cluster_catalogs.figure import Plane, draw_figure
from experiments.cluster_catalogs.mocks import ALL, PAPER, Mocks, draw, listed
from experiments.cluster_catalogs.text import table
from experiments.trials.folder import claim, write_json
from filar.populations import read_isochrones
from filar.wholefile import whole_file

PLANES: tuple[Plane, ...] = (
    (("F438W", "F814W"), ("F336W", "F438W")),
    (("F555W", "F814W"), ("F336W", "F438W")),
)
AGE_ERROR = 0.15
"""Of the catalogues' ages, dex: nearer to the oldest age there are clusters that are older."""


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("cluster_catalogs"))
    shared = Path(os.environ.get("FILAR_SHARED", "../shared")) / "data"
    parser.add_argument("--shared", type=Path, default=shared, help="where the real files are")
    parser.add_argument(
        "--isochrones", type=Path, nargs="+", help="tables; by default those in --shared"
    )
    parser.add_argument("-n", "--number", type=int, default=8000, help="mocks of each kind")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> None:
    """Run the experiment."""
    options = arguments(words)
    claim(options.output, {"number": options.number, "seed": options.seed})
    warnings.simplefilter("ignore", UserWarning)
    started = perf_counter()

    def say(text: str) -> None:
        print(f"{perf_counter() - started:6.0f} s  {text}", flush=True)

    files = options.isochrones or sorted((options.shared / "isochrones").glob("*.dat.gz"))
    isochrones = read_isochrones(files, bands=BANDS)
    observed = [catalogs.m83(options.shared), catalogs.ngc628(options.shared)]
    rows: list[dict[str, Any]] = []
    panels: list[tuple[Observed, Plane, Density, Density]] = []
    for z in isochrones.metallicities:
        mocks = {
            ranges: draw(isochrones, z, ranges, options.number, options.seed)
            for ranges in (PAPER, ALL)
        }
        say(f"mocks of Z = {z:g}")
        for catalogue in observed:
            found, drawn = compare(catalogue, mocks[PAPER], mocks[ALL], z, options.seed)
            rows += found
            if catalogue.is_own(z):
                panels += drawn
    draw_figure(sorted(panels, key=lambda panel: panel[0].key), isochrones,
                options.output / "colours.png")  # fmt: skip
    result = {"rows": rows, "isochrones": isochrones.source, "remarks": [
        f"{one.name}: {one.remark}" for one in observed if one.remark]}  # fmt: skip
    write_json(options.output / "coverage.json", result)
    with whole_file(options.output / "coverage.md") as temporary:
        temporary.write_text(table(result) + "\n", encoding="utf-8")
    say(f"\n{table(result)}\n")


def compare(
    catalogue: Observed, paper: Mocks, everything: Mocks, z: float, seed: int
) -> tuple[list[dict[str, Any]], list[tuple[Observed, Plane, Density, Density]]]:
    """Hold a catalogue against mocks of one metallicity.

    Parameters
    ----------
    catalogue : Observed
        The clusters.
    paper, everything : Mocks
        Of the model's ranges and of all ages.
    z : float
        The mocks' metallicity.
    seed : int
        Of the mocks' errors.

    Returns
    -------
    rows : list of dict
        For each plane: the clusters that the catalogue puts into the model's ranges, and those of
        them that are clearly within, against mocks of those; all clusters against mocks of all
        ages.
    panels : list
        What the figure takes.
    """
    within = PAPER.holds(catalogue.log_age, catalogue.a_v, catalogue.log_mass)
    inner = within & (catalogue.log_age < PAPER.log_age[1] - AGE_ERROR)
    everyone = np.ones_like(within)
    groups = {
        "in the model's ranges": (paper, within),
        f"the same, log age < {PAPER.log_age[1] - AGE_ERROR:g}": (paper, inner),
        "all": (everything, everyone),
    }
    rows, panels = [], []
    for plane in PLANES:
        densities = {}
        x, y = _colours(catalogue, plane)
        for name, (mocks, chosen) in groups.items():
            shown = listed(mocks, catalogue.modulus, LIMIT, catalogue.column("F555W"),
                           catalogue.errors, seed)  # fmt: skip
            found = density(*_colours(shown, plane))
            densities[name] = found
            rows.append({
                "catalogue": catalogue.name, "clusters": name, "number": int(chosen.sum()),
                "z": float(z), "colours": ", ".join(" - ".join(pair) for pair in plane),
                "mocks": len(shown.mags), "own": catalogue.is_own(z),
                "outside": found.outside(x[chosen], y[chosen]),
            })  # fmt: skip
        panels.append((catalogue, plane, densities["in the model's ranges"], densities["all"]))
    return rows, panels


def _colours(source: Mocks | Observed, plane: Plane) -> tuple[Any, Any]:
    (a, b), (c, d) = plane
    return source.column(a) - source.column(b), source.column(c) - source.column(d)


if __name__ == "__main__":
    main()
