"""A stand-in for Gaia's archive: astroquery.gaia with a few stars and no network."""

import re
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from astropy.table import MaskedColumn, Table

from filar.archive import COLUMNS


class FakeGaia:
    """Answers the two statements that are sent, and keeps them."""

    def __init__(self, stars: int = 40, cut: int | None = None, error: Exception | None = None):
        self.queries: list[str] = []
        self.number, self.cut, self.error = stars, cut, error

    def launch_job_async(self, query: str) -> Any:
        """Keep the statement; the job is this object itself."""
        print("INFO: Query finished.")  # as astroquery does
        self.queries.append(query)
        if self.error is not None:
            raise self.error
        return self

    def get_results(self) -> Table:
        """The stars, or their number."""
        if "COUNT(*)" in self.queries[-1]:
            return Table({"number": [self.number]})
        ra, dec, radius = map(
            float, re.findall(r"CIRCLE\('ICRS', (.*?), (.*?), (.*?)\)", self.queries[-1])[0]
        )
        n = self.number if self.cut is None else self.cut
        rng = np.random.default_rng(0)
        table = Table({name: rng.uniform(1, 2, n) for name in COLUMNS})
        table["source_id"] = 6_913_000_000_000_000_001 + np.arange(n)
        table["ra"] = ra + radius * rng.uniform(-0.5, 0.5, n)
        table["dec"] = dec + radius * rng.uniform(-0.5, 0.5, n)
        table["ref_epoch"] = 2016.0
        table["phot_g_mean_mag"] = rng.uniform(9, 17, n)
        table["phot_rp_mean_mag"] = table["phot_g_mean_mag"] - 0.55
        table["phot_bp_mean_mag"] = MaskedColumn(
            table["phot_g_mean_mag"] + 0.4, mask=np.arange(n) == 2
        )
        table["phot_variable_flag"] = np.where(np.arange(n) == 1, "VARIABLE", "NOT_AVAILABLE")
        return table


def install(monkeypatch: pytest.MonkeyPatch, server: FakeGaia | None) -> None:
    """Put it in the place of astroquery.gaia; None: astroquery is not installed."""
    module = ModuleType("astroquery.gaia")
    module.Gaia = server  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "astroquery.gaia", None if server is None else module)
