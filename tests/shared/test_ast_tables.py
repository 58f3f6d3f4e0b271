"""Real tables of artificial stars: three LMC clusters and Crater, and the catalogues beside."""

from pathlib import Path

import numpy as np
import pytest

from filar.completeness.readers import read_artificial_stars, read_real_stars

TABLES = {
    "12257_HODGE2_F475W-F814W.gst.matchfake": (("F475W", "F814W"), 95_998, 0.8133),
    "9891_NGC1644_F555W-F814W.gst.matchfake": (("F555W", "F814W"), 96_000, 0.7681),
    "9891_NGC1795_F555W-F814W.gst.matchfake": (("F555W", "F814W"), 95_077, 0.7882),
    "crater.fake.dat": (("mag1", "mag2"), 33_180, 0.9275),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_are_read_as_they_are(shared: Path, name: str) -> None:
    bands, number, fraction = TABLES[name]
    stars = read_artificial_stars(shared / "ast" / name)
    assert stars.bands == bands
    assert len(stars) == number
    assert np.mean(stars.recovered) == pytest.approx(fraction, abs=5e-5)
    assert np.nanmax(np.abs(stars.delta)) < 9.0
    assert np.abs(np.nanmedian(stars.delta)) < 0.02
    assert stars.found.any(axis=1).sum() > stars.recovered.sum()


def test_completeness_falls_to_the_faint_end_in_every_table(shared: Path) -> None:
    for name in TABLES:
        stars = read_artificial_stars(shared / "ast" / name)
        edges = np.quantile(stars.mag_in[:, 0], [0.0, 0.25, 0.5, 0.75, 0.9, 1.0])
        number = np.histogram(stars.mag_in[:, 0], edges)[0]
        fraction = np.histogram(stars.mag_in[stars.recovered, 0], edges)[0] / number
        assert np.all(np.diff(fraction[1:]) < 0.01), name
        assert fraction[1] > 0.9 > 0.85 > fraction[-1], name


def test_observed_catalogues(shared: Path) -> None:
    cluster = read_real_stars(shared / "ast" / "9891_NGC1644_F555W-F814W_gst.fits")
    assert cluster.bands == ("F555W", "F814W")
    assert len(cluster) == 15_292
    assert np.isfinite(cluster.mag).mean(axis=0) == pytest.approx([0.6070, 0.8625], abs=1e-4)
    assert np.nanmax(cluster.mag) < 30
    crater = read_real_stars(shared / "ast" / "crater.phot.dat", bands=["V", "I"])
    assert crater.mag.shape == (3770, 2)
    assert np.isfinite(crater.mag).all()
