"""Sets of artificial and real stars: what they refuse, how they are shared out, their tables."""

from pathlib import Path

import numpy as np
import pytest

from filar.catalogfile import read_catalog, write_catalog
from filar.completeness.table import ArtificialStars, RealStars
from filar.errors import ParameterError


def artificial(n: int = 50, seed: int = 1) -> ArtificialStars:
    """Stars in two bands, of which some are lost in one, in both, or to a cut."""
    rng = np.random.default_rng(seed)
    mag_in = rng.uniform(20, 28, (n, 2))
    mag_out = np.where(rng.random((n, 2)) < 0.8, mag_in + rng.normal(0, 0.1, (n, 2)), np.nan)
    recovered = np.isfinite(mag_out).all(axis=1) & (rng.random(n) < 0.9)
    noise = np.where(rng.random(n) < 0.1, np.nan, rng.uniform(5, 50, n))
    return ArtificialStars(
        ("F555W", "F814W"),
        mag_in,
        mag_out,
        recovered,
        {"sky_noise_F555W": noise},
        rng.uniform(0, 800, n),
        rng.uniform(0, 800, n),
        {"cuts": {"snr": 5.0}, "seed": 7},
    )


def same(a: ArtificialStars, b: ArtificialStars, atol: float) -> bool:
    """Whether two sets are equal but for the digits that a file keeps."""
    pairs = [(getattr(a, name), getattr(b, name)) for name in ("mag_in", "mag_out", "x", "y")]
    pairs += [(a.covariates[name], b.covariates[name]) for name in a.covariates]
    return (
        a.bands == b.bands
        and a.meta == b.meta
        and list(a.covariates) == list(b.covariates)
        and np.array_equal(a.recovered, b.recovered)
        and all(np.allclose(u, v, rtol=0, atol=atol, equal_nan=True) for u, v in pairs)
    )


@pytest.mark.parametrize("suffix", [".parquet", ".ecsv", ".fits"])
def test_a_table_comes_back_from_each_kind_of_file(tmp_path: Path, suffix: str) -> None:
    stars = artificial()
    write_catalog(stars.to_table(), tmp_path / f"asts{suffix}")
    again = ArtificialStars.from_table(read_catalog(tmp_path / f"asts{suffix}"))
    assert same(stars, again, 0.0 if suffix != ".ecsv" else 1e-3)


def test_real_stars_come_back_and_are_not_taken_for_artificial_ones() -> None:
    mag = np.array([[20.0, 21.0], [22.0, np.nan]])
    stars = RealStars(("B", "V"), mag, {"crowding": np.array([1.0, 2.0])}, meta={"cuts": {}})
    table = stars.to_table()
    again = RealStars.from_table(table)
    assert np.array_equal(again.mag, mag, equal_nan=True)
    assert again.bands == ("B", "V")
    assert again.meta == {"cuts": {}}
    assert np.isnan(again.x).all()
    with pytest.raises(ParameterError, match=r"a table of stars.*artificial stars"):
        ArtificialStars.from_table(table)


def test_bands_are_those_of_the_columns_where_meta_does_not_say() -> None:
    table = artificial().to_table()
    table.meta.clear()
    assert ArtificialStars.from_table(table).bands == ("F555W", "F814W")


def test_a_star_not_found_has_no_output_magnitude_whatever_the_file_says() -> None:
    table = artificial().to_table()
    table["found_F814W"][:] = False
    table["recovered"][:] = np.isfinite(table["mag_out_F555W"])
    assert not ArtificialStars.from_table(table).found[:, 1].any()


def test_measured_magnitudes_are_the_given_ones_where_a_star_was_lost() -> None:
    stars = artificial()
    measured = stars.magnitudes("measured")
    assert np.array_equal(measured[stars.found], stars.mag_out[stars.found])
    assert np.array_equal(measured[~stars.found], stars.mag_in[~stars.found])
    with pytest.raises(ParameterError, match="input"):
        stars.magnitudes("true")


def test_parts_share_no_star_and_depend_on_the_seed_alone() -> None:
    stars = artificial(100)
    parts = stars.split((0.6, 0.25, 0.15), seed=3)
    together = np.concatenate([part.x for part in parts])
    assert [len(part) for part in parts] == [60, 25, 15]
    assert np.array_equal(np.sort(together), np.sort(stars.x))
    assert np.array_equal(stars.split((0.6, 0.25, 0.15), seed=3)[1].x, parts[1].x)
    assert not np.array_equal(stars.split((0.6, 0.25, 0.15), seed=4)[1].x, parts[1].x)
    for wrong in ((), (0.5, 0.6), (1.2, -0.2), (0.99, 0.001)):
        with pytest.raises(ParameterError, match="fractions"):
            stars.split(wrong)


def test_selected_rows_stay_together() -> None:
    stars = artificial()
    some = stars.select(stars.recovered)
    assert len(some) == stars.recovered.sum()
    assert some.recovered.all()
    assert np.array_equal(
        some.covariates["sky_noise_F555W"][:3],
        np.asarray(stars.covariates["sky_noise_F555W"][stars.recovered][:3]),
        equal_nan=True,
    )


def test_sets_that_make_no_sense_are_refused() -> None:
    mag, lost = np.full((3, 2), 20.0), np.full((3, 2), np.nan)
    no, bands = np.zeros(3, bool), ("B", "V")
    with pytest.raises(ParameterError, match="one or more stars"):
        ArtificialStars(bands, mag[:0], mag[:0], no[:0])
    with pytest.raises(ParameterError, match="each of them once"):
        ArtificialStars(("B", "B"), mag, mag, no)
    with pytest.raises(ParameterError, match="mag_out of shape"):
        ArtificialStars(bands, mag, mag[:, :1], no)
    with pytest.raises(ParameterError, match="crowding of shape"):
        ArtificialStars(bands, mag, mag, no, {"crowding": np.zeros(2)})
    with pytest.raises(ParameterError, match="3 stars without"):
        ArtificialStars(bands, mag, lost, ~no)
    with pytest.raises(ParameterError, match="infinite"):
        RealStars(bands, np.full((3, 2), np.inf))
    with pytest.raises(ParameterError, match="one value for 3 stars"):
        ArtificialStars(bands, mag, mag, no[:2])


def test_missing_columns_and_text_are_told() -> None:
    table = artificial().to_table()
    del table["mag_out_F814W"]
    with pytest.raises(ParameterError, match="a column mag_out_F814W too"):
        ArtificialStars.from_table(table)
    table["mag_out_F814W"] = ["bright"] * len(table)
    with pytest.raises(ParameterError, match=r"column mag_out_F814W.*numbers"):
        ArtificialStars.from_table(table)
    del table["mag_in_F555W"], table["mag_in_F814W"], table.meta["bands"]
    with pytest.raises(ParameterError, match="one or more bands"):
        ArtificialStars.from_table(table)
