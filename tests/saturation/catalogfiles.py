"""Catalogues of stars for the tests, as archives and people write them."""

from pathlib import Path

import numpy as np
from astropy.table import Table

RA, DEC = 323.36, -0.82


def star_table(n: int = 30, seed: int = 1) -> Table:
    """A catalogue with plain names."""
    rng = np.random.default_rng(seed)
    table = Table({"id": np.arange(100, 100 + n)})
    table["ra"] = RA + rng.uniform(-0.1, 0.1, n)
    table["dec"] = DEC + rng.uniform(-0.1, 0.1, n)
    table["g_mag"] = rng.uniform(8, 15, n)
    table["g_mag_err"] = rng.uniform(0.001, 0.01, n)
    table["V_mag"] = table["g_mag"] - rng.uniform(0.1, 1, n)
    table["variable"] = rng.uniform(size=n) < 0.2
    return table


def gaia_table(n: int = 30, seed: int = 1) -> Table:
    """A catalogue as Gaia's archive gives it."""
    rng = np.random.default_rng(seed)
    table = Table({"source_id": 6_913_000_000_000_000_001 + 16 * np.arange(n)})
    table["ra"] = RA + rng.uniform(-0.1, 0.1, n)
    table["dec"] = DEC + rng.uniform(-0.1, 0.1, n)
    table["ref_epoch"] = 2016.0
    table["pmra"], table["pmdec"] = rng.normal(0, 5, (2, n))
    table["phot_g_mean_mag"] = rng.uniform(8.5, 16, n)
    colour = rng.uniform(0.4, 2.5, n)
    table["phot_bp_mean_mag"] = table["phot_g_mean_mag"] + 0.45 * colour
    table["phot_rp_mean_mag"] = table["phot_g_mean_mag"] - 0.55 * colour
    table["phot_variable_flag"] = np.where(np.arange(n) % 5 == 0, "VARIABLE", "NOT_AVAILABLE")
    return table


def stetson_pair(folder: Path) -> Path:
    """A small pair of Stetson's files; returns the first's path."""
    (folder / "FIELD.pho").write_text(
        "Reference          V    sigma    N    n     R    sigma    N    n   vary?\n"
        " F-S1          13.412 0.0028   86  106  12.931 0.0059   22   30  -0.117\n"
        " F-S2          15.794 0.0035   77  109  99.999 9.9999    0    0   0.071\n"
        " F-S3          18.157 0.0044   90  111  17.762 0.0094   22   30   0.033\n"
    )
    (folder / "FIELD.pos").write_text(
        "323.36209232807  -00.84555554920  21 33 26.90 -00 50 44.0  0.00  0.00 1.0 2.0 Reference\n"
        "323.39497161912  - 0.86221652031  21 33 34.79 -00 51 44.0  1.00 -5.98 8.9 6.1 F-S1   \n"
        "323.38866620064  + 0.82577629195  21 33 33.28 +00 49 32.8  9.66 71.20 8.8 7.0 F-S2   \n"
        "323.39287765821  -10.84881764942  21 33 34.29 -10 50 55.7  1.81 -1.74 8.1 7.3 F-S3   \n"
    )
    return folder / "FIELD.pho"
