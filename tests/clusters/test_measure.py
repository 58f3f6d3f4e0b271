"""A catalogue of clusters: columns, flags, posteriors, and clusters that were found."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from filar.catalogfile import read_catalog, write_catalog
from filar.clusters.catalog import columns_table, read_posterior, write_posterior
from filar.clusters.measure import AT_ONCE, detect, measure
from filar.clusters.posterior import PARAMETERS
from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.flags import Flag
from tests.clusters.fakemodel import TRUTH, FakeModel
from tests.clusters.fields import PLACES, field

FIELD = field()


def test_every_place_has_a_row_with_the_posterior_in_figures() -> None:
    found = measure(FIELD, FakeModel(), PLACES[:, 0], PLACES[:, 1], meta={"model": "fake"})
    table = found.table
    assert found.samples is None
    assert table["id"].tolist() == [1, 2, 3]
    for k, name in enumerate(("log_age", "a_v", "log_mass", "r_h")):
        value = 10 ** TRUTH[k] if name == "r_h" else TRUTH[k]
        columns = [np.asarray(getattr(table[f"{name}{s}"], "value", table[f"{name}{s}"]))
                   for s in ("_lo95", "_lo", "_med", "_hi", "_hi95")]  # fmt: skip
        assert np.all(np.diff(np.stack(columns), axis=0) > 0)
        np.testing.assert_allclose(columns[2], value, rtol=0.05)
    assert str(table["r_h"].unit) == "arcsec"
    assert str(table["a_v"].unit) == "mag"
    assert np.all(table["p_cluster"] > 0.9)
    assert np.all(table["snr"] > 10)
    assert table["flags"].tolist() == [0, 0, 0]
    back = FIELD.wcs.all_world2pix(table["ra"].value, table["dec"].value, 0)  # type: ignore[union-attr]
    np.testing.assert_allclose(np.column_stack(back), PLACES, atol=1e-5)
    assert table.meta["model"] == "fake"
    assert [fact["filter"] for fact in table.meta["images"]] == list(FIELD.bands)


def test_places_that_cannot_be_measured_are_rows_of_nan_with_a_flag() -> None:
    x = np.array([PLACES[0, 0], -20.0, 3.0, PLACES[0, 0] + 3, np.nan])
    y = np.array([PLACES[0, 1], 50.0, 75.0, PLACES[0, 1], 1.0])
    model = FakeModel()
    table = measure(FIELD, model, x, y, keep=True)
    assert len(model.asked[0]) == 3
    flags = table.table["flags"]
    assert flags[1] == flags[4] == Flag.OFF_IMAGE
    assert flags[2] == Flag.EDGE
    assert flags[0] == flags[3] == Flag.NEIGHBOUR
    lost = np.array([False, True, False, False, True])
    for name in ("log_age", "p_cluster", "snr", "log_mass_hi95"):
        np.testing.assert_array_equal(np.isnan(table.table[name]), lost)
    assert not table.table["in_domain"][lost].any()
    assert table.samples is not None
    np.testing.assert_array_equal(np.isnan(table.samples).all(axis=(1, 2)), lost)


def test_what_is_outside_of_the_domain_is_flagged() -> None:
    bright = replace(FIELD, flux=FIELD.flux * 1e6, noise=FIELD.noise)
    model = FakeModel()
    lifted = bright.flux + np.random.default_rng(0).normal(0, FIELD.noise[0], bright.flux.shape)
    bright = replace(bright, flux=lifted.astype(np.float32))
    bright.flux[:, 45:55, 35:45] += 1e9
    flags = measure(bright, model, PLACES[:1, 0], PLACES[:1, 1]).table["flags"]
    assert flags[0] & Flag.OUTSIDE_DOMAIN


def test_many_clusters_are_measured_in_pieces_and_none_are_no_fault() -> None:
    model, seen = FakeModel(size=8), []
    x = np.linspace(20, 130, AT_ONCE + 30)
    table = measure(
        FIELD, model, x, np.full(len(x), 75.0), draws=2,
        progress=lambda part, text: seen.append(part),
    ).table  # fmt: skip
    assert [len(cutouts) for cutouts in model.asked] == [AT_ONCE, 30]
    assert len(table) == len(x)
    assert seen[-1] == 1.0
    empty = measure(FIELD, model, np.empty(0), np.empty(0), keep=True)
    assert len(empty.table) == 0
    assert empty.table.colnames == table.colnames


def test_images_in_other_bands_than_the_model_s_are_refused() -> None:
    with pytest.raises(ParameterError, match="F475W"):
        measure(FIELD, FakeModel(bands=("F475W",)), PLACES[:, 0], PLACES[:, 1])


def test_clusters_are_found_where_they_are_and_once() -> None:
    images = replace(FIELD, flux=FIELD.flux.copy())
    images.flux[1, 95:, :50] = np.nan
    found = detect(images, FakeModel())
    assert len(found) == 3
    order = np.argsort(found.x)
    places = np.column_stack([found.x, found.y])[order]
    np.testing.assert_allclose(places, PLACES[np.argsort(PLACES[:, 0])], atol=0.15)
    hole = replace(FIELD, flux=FIELD.flux.copy())
    hole.flux[2, 40:60, 30:50] = np.nan
    assert len(detect(hole, FakeModel())) == 2


@pytest.mark.parametrize("suffix", [".fits", ".parquet"])
def test_posteriors_survive_their_files(tmp_path: Path, suffix: str) -> None:
    found = measure(
        FIELD, FakeModel(), PLACES[:, 0], PLACES[:, 1], keep=True, draws=50,
        id=np.array([4, 9, 2]),
    )  # fmt: skip
    assert found.samples is not None
    path = tmp_path / f"posterior{suffix}"
    write_posterior(path, np.asarray(found.table["id"]), found.samples, {"model": "fake"})
    ids, samples = read_posterior(path)
    assert ids.tolist() == [4, 9, 2]
    np.testing.assert_array_equal(samples, found.samples)
    assert samples.shape == (3, 50, len(PARAMETERS))
    assert read_catalog(path).meta["model"] == "fake"


def test_files_of_posteriors_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="fits"):
        write_posterior(tmp_path / "a.ecsv", np.array([1]), np.zeros((1, 2, 4), "f4"), {})
    with pytest.raises(OutputFileError, match="no folder"):
        write_posterior(tmp_path / "b" / "a.fits", np.array([1]), np.zeros((1, 2, 4), "f4"), {})
    found = measure(FIELD, FakeModel(), PLACES[:, 0], PLACES[:, 1])
    write_catalog(found.table, tmp_path / "c.parquet")
    with pytest.raises(InputFileError, match="no column log_r_h"):
        read_posterior(tmp_path / "c.parquet")


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".parquet"])
def test_catalogues_survive_their_files_and_all_columns_are_documented(
    tmp_path: Path, suffix: str
) -> None:
    names = {"name": np.array(["a", "b", "c"]), "p_map": np.array([0.9, 0.8, 0.7])}
    table = measure(FIELD, FakeModel(), PLACES[:, 0], PLACES[:, 1], extra=names).table
    write_catalog(table, tmp_path / f"c{suffix}")
    found = read_catalog(tmp_path / f"c{suffix}")
    assert found.colnames == table.colnames
    assert str(found["r_h_med"].unit) == "arcsec"
    assert all(f"| `{name}` |" in columns_table() for name in table.colnames)
    assert all(table[name].info.description for name in table.colnames)
