"""The published catalogues, reduced to what the comparison takes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.clusters.legus import read_legus
from filar.clusters.m83 import read_m83

FloatArray = NDArray[np.float64]

BANDS = ("F336W", "F438W", "F555W", "F814W")
"""Of the comparison."""
LARGEST_ERROR = 0.3
"""Of a magnitude that is compared."""
LIMIT = -6.0
"""Of both catalogues, absolute magnitude in F555W."""
SAME_Z = 0.01
"""Of metallicities that are the same, dex."""
_LEGUS_BANDS = ("F275W", "F336W", "F435W", "F555W", "F814W")


@dataclass(frozen=True, eq=False)
class Observed:
    """Clusters of a catalogue.

    Parameters
    ----------
    name, key : str
        For people and for files.
    modulus, z : float
        Distance modulus, metallicity nearest to the galaxy's among the isochrones'.
    mags, errors : (n, 4) arrays
        In `BANDS`.
    log_age, a_v, log_mass : (n,) arrays
        As published.
    remark : str
        What differs from the mocks' bands.
    """

    name: str
    key: str
    modulus: float
    z: float
    mags: FloatArray
    errors: FloatArray
    log_age: FloatArray
    a_v: FloatArray
    log_mass: FloatArray
    remark: str = ""

    def column(self, band: str) -> FloatArray:
        """One band's magnitudes."""
        return self.mags[:, BANDS.index(band)]

    def is_own(self, z: float) -> bool:
        """Whether a metallicity is the galaxy's."""
        return bool(abs(np.log10(z / self.z)) < SAME_Z)


def m83(shared: Path) -> Observed:
    """Clusters of M 83 that are neither saturated nor artefacts nor the nucleus."""
    folder = shared / "clusters"
    table = read_m83(
        folder / "hlsp_wfc3ers_hst_wfc3_m83_cat_cluster_auto_v1.txt",
        folder / "hlsp_m83_autocat_ages_public.data",
    )
    table = table[table["source_flag"] == 0]
    return _observed(table, BANDS, name="M 83 (Chandar et al. 2010)", key="m83", modulus=28.29,
                     z=0.030)  # fmt: skip


def ngc628(shared: Path) -> Observed:
    """Clusters of the centre of NGC 628 that people called clusters: classes 1 to 3."""
    table = read_legus(shared / "clusters" / "legus_hlsp_ngc628c.tab", _LEGUS_BANDS)
    table = table[(table["class_mode"] >= 1) & (table["class_mode"] <= 3)]
    bands = ("F336W", "F435W", "F555W", "F814W")
    return _observed(
        table, bands, name="NGC 628 (LEGUS)", key="ngc628", modulus=29.98, z=0.0155,
        remark="ACS F435W, F555W and F814W are taken for WFC3 F438W, F555W and F814W",
    )  # fmt: skip


def _observed(table: Any, bands: tuple[str, ...], **facts: Any) -> Observed:
    mags = np.stack([table[f"mag_{band}"].value for band in bands], axis=1)
    errors = np.stack([table[f"mag_err_{band}"].value for band in bands], axis=1)
    good = np.isfinite(mags).all(axis=1) & (np.nan_to_num(errors, nan=9) < LARGEST_ERROR).all(
        axis=1
    )
    columns = [np.asarray(table["log_age"]), table["a_v"].value, np.asarray(table["log_mass"])]
    return Observed(
        mags=mags[good], errors=errors[good], log_age=columns[0][good], a_v=columns[1][good],
        log_mass=columns[2][good], **facts,
    )  # fmt: skip
