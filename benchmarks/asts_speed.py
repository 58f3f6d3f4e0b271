"""Artificial stars per second, from two files to the table, and the memory that it takes.

Two simulated exposures of one WF chip in F555W and F814W, as crowded as DOLPHOT's synthetic field
in ../shared/data/dolphot (4000 stars in 1000 x 1000 pixels), whose own speed was 27 artificial
stars per second and core.

    python -m benchmarks.asts_speed [--number 20000] [--workers 2] [--lf flat] [--million]
"""

from __future__ import annotations

import argparse
import resource
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from filar.asts.field import read_fields
from filar.asts.run import run_asts
from filar.asts.settings import ASTSettings
from filar.catalogfile import write_catalog
from filar.measure import Settings
from filar.psf.library import default_psf_for
from filar.simulate import Effects, draw_stars, simulate_exposure, write_simulation
from filar.simulate.files import truth_table

STARS = 2560  # per chip
DOLPHOT = 27.0
"""DOLPHOT 2.0's artificial stars per second and core, two images."""


def make(folder: Path) -> list[Path]:
    """Write the two exposures."""
    stars = draw_stars(STARS, limits=(60.0, 100_000.0), slope=1.6, seed=1)
    paths = []
    for number, name in enumerate(("F555W", "F814W")):
        psf = default_psf_for("WFPC2", "WF3", name, focus=1.0)
        exposure = simulate_exposure(
            psf,
            stars,
            chip="WF3",
            filter_name=name,
            effects=Effects.parse("default,-cosmic_rays"),
            seed=number,
        )
        made = write_simulation([exposure], truth_table({"WF3": stars}, {}), folder, name.lower())
        paths.append(made[0])
    return paths


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--lf", default="flat", choices=("flat", "exponential"))
    parser.add_argument("--million", action="store_true", help="10^6 stars")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    number = 1_000_000 if options.million else options.number
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        paths = make(folder)
        started = perf_counter()
        fields = read_fields(paths, Settings(method="psf"))
        ready = perf_counter()
        settings = ASTSettings(
            number=number, mag=(18.0, 25.5), function=options.lf, colors=((-1.0, 2.0),),
            seed=options.seed,
        )  # fmt: skip
        table = run_asts(fields, settings, folder=folder / "run", workers=options.workers)
        done = perf_counter()
        write_catalog(table, folder / "asts.parquet")
        written = perf_counter()
    seconds = done - ready
    found = [len(band.stars) for band in fields[0].bands]
    own, others = (
        resource.getrusage(who).ru_maxrss / 1e6
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    print(f"{found} real stars found; measured with their PSFs in {ready - started:.1f} s")
    print(f"{number} artificial stars, {options.lf}, two filters, {options.workers} processes:")
    print(f"  {seconds:.1f} s: {number / seconds:.0f} stars/s", end="")
    print(f", {number / seconds / options.workers / DOLPHOT:.0f} times DOLPHOT's per core")
    print(f"  recovered {100 * float(table['recovered'].mean()):.1f} %")
    print(f"  written in {written - done:.1f} s; all {written - started:.1f} s")
    print(f"  largest memory: {own:.2f} GB, workers {others:.2f} GB each")


if __name__ == "__main__":
    main()
