"""PARSEC's own tables, and the packaged isochrones beside them."""

from pathlib import Path

import numpy as np
import pytest

from filar.errors import InputFileError
from filar.populations import (
    Extinction,
    IsochroneSet,
    Population,
    draw_stars,
    integrated_mags,
    packaged_isochrones,
    read_isochrones,
)

BANDS = ("F336W", "F438W", "F555W", "F814W")
TABLES = ("Z0.015500", "Z0.020500", "Z0.030000")


@pytest.fixture(scope="module")
def tables(shared: Path) -> IsochroneSet:
    names = [shared / "isochrones" / f"parsec12S_wfc3_{name}.dat.gz" for name in TABLES]
    return read_isochrones(names)


def test_all_stars_and_bands_are_read(tables: IsochroneSet) -> None:
    assert tables.bands == ("U", "B", "V", "R", "I", *BANDS)
    assert tables.source == "PARSEC v1.2S (CMD 2.7)"
    np.testing.assert_allclose(tables.metallicities, [0.0155, 0.0205, 0.03])
    assert len(tables.log_ages) == 77
    assert len(tables.mass) == 18897 + 19500 + 19010


def test_a_star_is_where_the_table_has_it(tables: IsochroneSet) -> None:
    young = tables.at(6.3, 0.0155)
    assert young.mass[0] == 0.09
    np.testing.assert_allclose(young.mags[0, 5:], [15.504, 13.439, 11.949, 7.929])
    assert np.log10(young.teff[0]) == pytest.approx(3.4367)
    assert tables.at(7.0, 0.0155).mass[-1] == pytest.approx(19.230829)


def test_a_missing_band_is_told(shared: Path) -> None:
    path = shared / "isochrones" / f"parsec12S_wfc3_{TABLES[0]}.dat.gz"
    with pytest.raises(InputFileError, match=r"F475W.*some of U, B"):
        read_isochrones(path, bands=("F336W", "F475W"))


@pytest.mark.parametrize(("age", "scatter"), [(7.0, (0.32, 0.61, 0.82)), (8.0, (0.14, 0.13, 0.33))])
def test_small_clusters_scatter_by_their_few_giants(
    tables: IsochroneSet, age: float, scatter: tuple[float, ...]
) -> None:
    population = Population(tables.with_bands(("F336W", "F438W", "F814W")).at(age, 0.0155))
    rng = np.random.default_rng(2)
    light = np.array([draw_stars(population, 3e3, rng).total for _ in range(1500)])
    mean = 3e3 * population.light
    np.testing.assert_allclose(light.mean(axis=0) / mean, 1, atol=0.08)
    np.testing.assert_allclose(light.std(axis=0) / mean, scatter, rtol=0.12)
    mags = -2.5 * np.log10(light)
    # as the papers say of 3000 suns at 10 Myr: about 0.8 mag in F814W
    assert mags[:, 2].std() == pytest.approx(0.9 if age == 7.0 else 0.36, rel=0.15)


def test_extinction_is_that_of_model_atmospheres(shared: Path) -> None:
    with np.load(shared / "isochrones" / "kurucz93_bc.npz") as kurucz:
        bands = tuple(str(name) for name in kurucz["bands"])
        teff, amounts, truth = kurucz["Teff"].astype(float), kurucz["AV"], kurucz["AX"]
    dust = Extinction(bands)
    gravity = 8  # log g = 4
    wrong = np.stack(
        [
            dust.coefficients(teff, float(amount)) - truth[:, gravity, :, i]
            for i, amount in enumerate(amounts)
        ],
        axis=-1,
    )
    worst = np.abs(wrong[teff >= 4000]).max(axis=(0, 2))
    assert dict(zip(bands, worst, strict=True)) == {
        band: pytest.approx(0, abs=0.027 if band in {"U", "B", "F336W", "F555W"} else 0.011)
        for band in bands
    }
    assert np.abs(wrong).max() < 0.06


def test_packaged_isochrones_have_the_colours_of_the_tables(tables: IsochroneSet) -> None:
    packaged = packaged_isochrones(BANDS)
    own = tables.with_bands(BANDS)
    # at 7.9 the tables' last points are stretched in mass against those of 7.85 and 7.95
    ages = np.setdiff1d(np.round(np.arange(6.6, 10.01, 0.05), 2), [7.9])
    difference = np.array(
        [integrated_mags(packaged.at(a, 0.0152)) - integrated_mags(own.at(a, 0.0155)) for a in ages]
    )
    colours = difference - difference[:, [2]]
    assert np.abs(colours[:, 0]).max() < 0.15
    assert np.abs(colours[:, [1, 3]]).max() < 0.05
    # and not only the colours
    assert np.sqrt(np.mean(difference**2)) < 0.06


def test_packaged_isochrones_of_twice_solar_abundance_are_near_the_tables(
    tables: IsochroneSet,
) -> None:
    packaged = packaged_isochrones(BANDS)
    own = tables.with_bands(BANDS)
    ages = np.setdiff1d(np.round(np.arange(6.6, 10.01, 0.1), 2), [7.9])
    # the grid has Z = 0.027, the tables 0.03
    difference = np.array(
        [integrated_mags(packaged.at(a, 0.027)) - integrated_mags(own.at(a, 0.03)) for a in ages]
    )
    assert np.abs(difference - difference[:, [2]]).max() < 0.15
