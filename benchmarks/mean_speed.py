"""Speed and memory of ``filar mean``: a made-up catalogue of many exposures of 2500 stars.

Run: python -m benchmarks.mean_speed [--exposures 600] [--stars 2500] [--suffix .parquet]

Positions have noise that grows with magnitude; a tenth of the entries are cosmic rays, stars are
missing at random, exposures are dithered by up to 2 pixels and turned a little. The command runs
in a process of its own, on the cores that it finds.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from filar.catalog import COLUMNS, make_table
from filar.catalogfile import read_catalog, write_catalog


def one_exposure(k: int, x0: np.ndarray, y0: np.ndarray, mag0: np.ndarray) -> dict[str, np.ndarray]:
    """Values of the columns for one exposure, those that are not needed NaN."""
    rng = np.random.default_rng([k, 1])
    n = len(x0)
    error = 0.01 * 10 ** (0.2 * (mag0 + 12))
    turn, (dx, dy) = rng.normal(0, 3e-5), rng.uniform(-2, 2, 2) * (k > 0)
    x = x0 - turn * (y0 - 400) + dx + rng.normal(0, error)
    y = y0 + turn * (x0 - 400) + dy + rng.normal(0, error)
    seen = (np.minimum(x, y) > 0) & (np.maximum(x, y) < 799) & (rng.uniform(size=n) < 0.95)
    rays = n // 10
    mag = np.concatenate([mag0[seen] + rng.normal(0, error[seen]), rng.uniform(-13, -8, rays)])
    x, y = (np.concatenate([v[seen], rng.uniform(0, 799, rays)]) for v in (x, y))
    error = 0.01 * 10 ** (0.2 * (mag + 12))
    values: dict[str, np.ndarray] = {
        c.name: np.full(len(x), "" if c.dtype == "str" else 0 if "int" in c.dtype else np.nan)
        for c in COLUMNS
    }
    names = {"exposure": f"bench_{k:04d}", "chip": "PC", "filter": "F555W", "method": "psf-fit"}
    values |= {name: np.full(len(x), text) for name, text in names.items()}
    numbers = {"x_fit": x, "y_fit": y, "x_err": error, "y_err": error, "mag": mag}
    return values | numbers | {"snr": 0.8 / error, "id": np.arange(1, len(x) + 1)}


def write_set(path: Path, exposures: int, stars: int) -> None:
    rng = np.random.default_rng(0)
    x0, y0 = rng.uniform(-2, 801, (2, stars))
    mag0 = -8 + 2.5 * np.log10(rng.uniform(1e-2, 1, stars))
    parts = [one_exposure(k, x0, y0, mag0) for k in range(exposures)]
    values = {c.name: np.concatenate([part[c.name] for part in parts]) for c in COLUMNS}
    write_catalog(make_table(values, {"exposures": []}), path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exposures", type=int, default=600)
    parser.add_argument("--stars", type=int, default=2500)
    parser.add_argument("--suffix", default=".parquet", choices=[".parquet", ".fits", ".ecsv"])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        catalog = Path(folder, f"set{given.suffix}")
        # Written by a child, so that the peak below is the command's alone.
        code = "import sys; from pathlib import Path; from benchmarks.mean_speed import write_set; "
        code += "write_set(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))"
        counts = [str(given.exposures), str(given.stars)]
        subprocess.run([sys.executable, "-c", code, str(catalog), *counts], check=True)
        mean = Path(folder, "mean.parquet")
        command = "import resource; from filar.cli.main import app; app(standalone_mode=False); "
        command += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
        start = time.perf_counter()
        arguments = ["mean", str(catalog), "-o", str(mean)]
        done = subprocess.run(
            [sys.executable, "-c", command, *arguments], check=True, capture_output=True, text=True
        )
        seconds = time.perf_counter() - start
        cpu = resource.getrusage(resource.RUSAGE_CHILDREN)
        gigabytes = int(done.stdout.split()[-1]) * 1024 / 1e9
        megabytes = catalog.stat().st_size / 1e6
        rows = len(read_catalog(mean))
    print(done.stderr.strip())
    print(f"{given.exposures} exposures x {given.stars} stars, {megabytes:.0f} MB {given.suffix}:")
    print(f"{seconds:.1f} s, peak {gigabytes:.2f} GB, {rows} stars in the mean catalogue")
    print(f"(processor time of this and of writing the catalogue: {cpu.ru_utime:.1f} s)")


if __name__ == "__main__":
    main()
