"""Published catalogues of clusters."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filar.clusters.legus import read_legus
from filar.clusters.m83 import read_m83

LEGUS_BANDS = ("F275W", "F336W", "F435W", "F555W", "F814W")


@pytest.fixture(scope="module")
def legus(shared: Path) -> Any:
    return read_legus(shared / "clusters" / "legus_hlsp_ngc628c.tab", LEGUS_BANDS)


@pytest.fixture(scope="module")
def m83(shared: Path) -> Any:
    folder = shared / "clusters"
    return read_m83(
        folder / "hlsp_wfc3ers_hst_wfc3_m83_cat_cluster_auto_v1.txt",
        folder / "hlsp_m83_autocat_ages_public.data",
    )


def test_ngc_628(legus: Any) -> None:
    assert len(legus) == 3080
    clusters = legus[(legus["class_mode"] >= 1) & (legus["class_mode"] <= 3)]
    assert len(clusters) == 1017
    for name in ("log_age", "log_mass", "a_v", "mag_F555W"):
        assert np.isfinite(clusters[name]).all()
    known = np.isfinite(legus["log_age_lo"])
    assert (legus["log_age_lo"] <= legus["log_age_hi"])[known].all()
    for band in LEGUS_BANDS:
        assert np.nanmax(legus[f"mag_{band}"].value) < 35
    assert np.nanmax(legus["a_v"].value) == pytest.approx(4.65)
    row = legus[legus["id"] == 2000][0]
    assert (row["mag_F275W"].value, row["mag_F814W"].value) == (22.176, 23.119)
    assert (row["log_age"], row["log_age_hi"]) == pytest.approx((6.0, np.log10(2e6)))
    assert (row["log_mass"], row["a_v"].value) == pytest.approx((np.log10(1401), 0.961))
    assert (row["n_bands"], row["class_mode"], row["class_mean"]) == (5, 1, 2.0)


def test_m83(m83: Any) -> None:
    assert len(m83) == 658
    assert np.isfinite(m83["log_age"]).sum() == 655
    # the file gives the absolute magnitude, of its own distance modulus, and two colours
    absolute = m83["mag_F555W"].value - 28.29
    np.testing.assert_allclose(absolute, m83["mag_abs_F555W"].value, atol=1e-5)
    first = m83[m83["id"] == 41860][0]
    assert first["mag_F336W"].value - first["mag_F438W"].value == pytest.approx(-0.683)
    assert first["mag_F555W"].value - first["mag_F814W"].value == pytest.approx(0.467)
    known = np.isfinite(m83["log_age"])
    assert (m83["log_age_lo"] <= m83["log_age_hi"])[known].all()
    assert m83["a_v"][known].max().value == pytest.approx(1.55)
