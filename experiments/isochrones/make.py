"""Make the two small tables that the packaged isochrones need, from PARSEC's and Kurucz's.

::

    python -m experiments.isochrones.make ../shared/data/isochrones

writes ``parsec_ends.csv`` and ``hst_colour_terms.csv`` beside `filar.populations`, and prints by
how much the integrated colours then differ from those of PARSEC's tables.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from experiments.isochrones import ends, terms
from filar import populations
from filar.wholefile import whole_file

FloatArray = NDArray[np.float64]
BANDS = ("F336W", "F438W", "F555W", "F814W")
TABLE = "parsec12S_wfc3_Z{:.6f}.dat.gz"


def main(folder: Path) -> None:
    target = Path(str(populations.__file__)).parent
    tables = {z: np.loadtxt(folder / TABLE.format(z)) for z in (0.0155, 0.03)}
    with np.load(folder / "kurucz93_bc.npz") as kurucz:
        atmospheres = dict(kurucz)
    for name, text in (
        ("parsec_ends.csv", ends.text(tables)),
        ("hst_colour_terms.csv", terms.text(atmospheres, tables[0.0155])),
    ):
        with whole_file(target / name) as path:
            path.write_text(text)
        print(f"{target / name}: {text.count(chr(10))} lines")
    for z in tables:
        report(folder / TABLE.format(z), z)


def report(path: Path, z: float) -> None:
    """Print differences of integrated magnitudes."""
    for module in ("bolometric", "parsecends", "packaged"):
        for thing in vars(import_module(f"filar.populations.{module}")).values():
            if hasattr(thing, "cache_clear"):
                thing.cache_clear()
    truth = populations.read_isochrones(path, BANDS)
    packaged = populations.packaged_isochrones(BANDS)
    print(f"Z = {z}: log age, packaged minus table in {', '.join(BANDS)}")
    for age in np.round(np.arange(6.6, 10.01, 0.1), 2):
        found = populations.integrated_mags(packaged.at(age, z))
        wrong = found - populations.integrated_mags(truth.at(age))
        print(f"{age:5.2f}", *(f"{value:7.3f}" for value in wrong))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
