import numpy as np
import pytest
from astropy.table import QTable
from astropy.timeseries import TimeSeries

from filar.catalogfile import read_catalog, write_catalog
from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.frames.matching import mutual_nearest_points
from filar.lightcurve.lists import read_reference, read_wanted, with_period
from filar.lightcurve.make import make_light_curves
from filar.lightcurve.match import unit_vectors
from filar.lightcurve.read import read_observed
from filar.lightcurve.settings import LightCurveSettings
from filar.lightcurve.table import (
    epochs_table,
    images_table,
    offsets_table,
    stars_table,
    to_timeseries,
    write_timeseries,
)

from .samples import simulate

PERIOD, AMPLITUDE = 3.7, 0.6
CAMERAS = (("a", "g"), ("b", "g"), ("c", "V"))


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    def change(mjd):
        values = np.zeros(60)
        values[7] = AMPLITUDE / 2 * np.sin(2 * np.pi * mjd / PERIOD)
        return values

    folder = tmp_path_factory.mktemp("curves")
    return simulate(folder, n_stars=60, cameras=CAMERAS, epochs=20, colour=0.1, change=change,
                    bad=0.003, seed=3)  # fmt: skip


@pytest.fixture(scope="module")
def observed(simulated):
    return read_observed(simulated.paths)


@pytest.fixture(scope="module")
def curves(observed):
    return make_light_curves(observed)


def rows_of(curves, simulated):
    """Row of each simulated star in what was made, -1 for none."""
    ours = unit_vectors(curves.stars.ra, curves.stars.dec)
    mine, theirs = mutual_nearest_points(ours, unit_vectors(simulated.ra, simulated.dec), 4.0)
    found = np.full(len(simulated.ra), -1)
    found[theirs] = mine
    return found


def test_all_stars_are_found_once(curves, simulated):
    assert not curves.errors
    rows = rows_of(curves, simulated)
    assert (rows >= 0).sum() >= 58
    assert len(curves.stars) <= 60


def test_constant_stars_are_constant_and_their_errors_honest(curves, simulated):
    rows = rows_of(curves, simulated)
    constant = np.delete(rows, 7)
    constant = constant[constant >= 0]
    assert curves.variable[constant].sum() <= 1
    kept = ~curves.rejected & np.isin(curves.epochs.star, constant)
    pull = (curves.mag - curves.statistics.mean[curves.epochs.star])[kept]
    pull = pull / curves.epochs.mag_err[kept]
    assert np.std(pull) == pytest.approx(1, abs=0.15)


def test_the_variable_star_its_period_and_amplitude(curves, simulated):
    row = rows_of(curves, simulated)[7]
    assert curves.variable[row]
    solution = curves.solutions[row]
    assert solution.periodic.period == pytest.approx(PERIOD, rel=0.01)
    assert solution.periodic.amplitude == pytest.approx(AMPLITUDE, rel=0.05)


def test_offsets_of_cameras_take_up_colour_terms(curves, simulated, observed):
    """The median zero point of each camera is 0; star by star, cameras differ by colours alone."""
    row = rows_of(curves, simulated)
    for star in (3, 11, 30):
        part = curves.rows(row[star])
        for k in range(len(CAMERAS)):
            mine = curves.epochs.group[part] == k
            assert abs(np.median(curves.mag[part][mine]) - np.median(curves.mag[part])) < 0.02
    assert curves.solutions[row[3]].offsets_err.max() < 0.01


def test_times_are_barycentric(curves):
    assert curves.barycentric
    light_time = curves.time - (curves.epochs.mjd + 2400000.5)
    assert np.abs(light_time).max() < 0.0067
    from astropy.coordinates import EarthLocation, SkyCoord
    from astropy.time import Time

    star = curves.epochs.star[0]
    place = SkyCoord(curves.stars.ra[star], curves.stars.dec[star], unit="deg")
    time = Time(curves.epochs.mjd[0], format="mjd", scale="utc",
                location=EarthLocation.from_geocentric(0, 0, 0, "m"))  # fmt: skip
    expected = time.tdb + time.light_travel_time(place, ephemeris="builtin")
    assert curves.time[0] == pytest.approx(expected.jd, abs=2e-6)


def test_only_wanted_stars(observed, simulated, curves, tmp_path):
    table = QTable({"id": [900, 901], "ra": simulated.ra[[7, 12]], "dec": simulated.dec[[7, 12]]})
    write_catalog(table, tmp_path / "want.ecsv")
    wanted = with_period(read_wanted(tmp_path / "want.ecsv"), PERIOD)
    few = make_light_curves(observed, wanted=wanted)
    assert few.stars.id.tolist() == [900, 901]
    assert set(few.epochs.star) == {0, 1}
    assert few.solutions[0].periodic.given
    row = rows_of(curves, simulated)[12]
    assert few.epochs.mag[few.rows(1)] == pytest.approx(curves.epochs.mag[curves.rows(row)])


def test_a_wanted_star_outside_of_all_images_is_told_of(observed, tmp_path):
    write_catalog(QTable({"ra": [10.0], "dec": [80.0]}), tmp_path / "want.ecsv")
    found = make_light_curves(observed, wanted=read_wanted(tmp_path / "want.ecsv"))
    assert found.errors == ("star 1: in none of the images",)
    assert len(found.epochs) == 0
    assert len(stars_table(found)) == 1
    assert len(offsets_table(found)) == 0


def test_lists_that_are_wrong(tmp_path):
    write_catalog(QTable({"x": [10.0], "y": [80.0]}), tmp_path / "a.ecsv")
    with pytest.raises(InputFileError, match="x, y"):
        read_wanted(tmp_path / "a.ecsv")
    write_catalog(QTable({"ra": [1.0, 2], "dec": [8.0, 9], "id": [4, 4]}), tmp_path / "b.ecsv")
    with pytest.raises(InputFileError, match="twice"):
        read_wanted(tmp_path / "b.ecsv")
    write_catalog(QTable({"ra": [1.0, np.nan], "dec": [8.0, 9]}), tmp_path / "c.ecsv")
    with pytest.raises(InputFileError, match="no position"):
        read_wanted(tmp_path / "c.ecsv")
    with pytest.raises(InputFileError, match="no magnitudes in filter g"):
        read_reference(tmp_path / "b.ecsv", ("g",))


def test_a_reference_ties_the_zero_points_of_its_filter(observed, simulated, tmp_path):
    table = QTable({"ra": simulated.ra, "dec": simulated.dec, "g_mag": simulated.mag + 3})
    write_catalog(table, tmp_path / "reference.ecsv")
    reference = read_reference(tmp_path / "reference.ecsv", ("g", "V"))
    found = make_light_curves(observed, reference=reference)
    assert found.absolute == (True, True, False)
    rows = rows_of(found, simulated)
    star = found.epochs.star
    mine = (found.epochs.group == 0) & np.isin(star, rows)
    inverse = np.full(len(found.stars), -1)
    inverse[rows[rows >= 0]] = np.flatnonzero(rows >= 0)
    away = found.epochs.mag[mine] - simulated.mag[inverse[star[mine]]] - 3
    assert abs(np.median(away)) < 0.05
    assert any("V" in remark and "fewer" in remark for remark in found.remarks)
    assert epochs_table(found).meta["mag_system"] == "reference magnitudes for a g, b g"


@pytest.mark.parametrize("suffix", [".ecsv", ".fits", ".parquet"])
def test_tables_survive_their_files(curves, tmp_path, suffix):
    for maker in (epochs_table, stars_table, offsets_table, images_table):
        table = maker(curves)
        path = tmp_path / f"{maker.__name__}{suffix}"
        write_catalog(table, path)
        read = read_catalog(path)
        assert read.colnames == table.colnames
        assert len(read) == len(table)
        assert read.meta["time_system"].startswith("BJD (TDB)")
        for name in table.colnames:
            assert read[name].info.description
    epochs = read_catalog(tmp_path / f"epochs_table{suffix}")
    assert epochs["mag"].value == pytest.approx(curves.mag, abs=1e-5)
    assert epochs["rejected"].sum() == curves.rejected.sum()
    assert set(epochs["filter"]) == {"g", "V"}


def test_tables_agree_with_each_other(curves):
    epochs, stars, offsets = epochs_table(curves), stars_table(curves), offsets_table(curves)
    i = 5
    number = stars["star"][i]
    mine = epochs[(epochs["star"] == number) & ~epochs["rejected"]]
    assert len(mine) == stars["n_epochs"][i]
    assert np.median(mine["mag"].value) == pytest.approx(stars["median"].value[i])
    low, high = np.quantile(mine["mag"].value, (0.15, 0.85))
    assert (high - low) / 2 == pytest.approx(stars["dispersion"].value[i])
    for row in offsets[offsets["star"] == number]:
        both = mine[(mine["camera"] == row["camera"]) & (mine["filter"] == row["filter"])]
        assert len(both) == row["n_epochs"]
        assert (both["mag"] - both["mag_camera"]).value == pytest.approx(row["offset"].value)


def test_zero_points_are_those_put_in(curves, simulated):
    table = images_table(curves)
    true = np.array([simulated.zero[name] for name in table["exposure"]])
    for camera, _ in CAMERAS:
        mine = table["camera"] == camera
        left = table["zero_point"].value[mine] - true[mine]
        assert np.std(left) < 0.01


def test_time_series(curves, tmp_path):
    series = to_timeseries(curves, int(curves.stars.id[3]))
    assert isinstance(series, TimeSeries)
    assert series.time.scale == "tdb"
    assert len(series) == np.sum(curves.epochs.star == 3)
    with pytest.raises(ParameterError, match="star"):
        to_timeseries(curves, 10**6)
    paths = write_timeseries(curves, tmp_path / "series")
    assert len(paths) == len(curves.stars)
    read = TimeSeries.read(paths[3])
    assert read["mag"].value == pytest.approx(series["mag"].value)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputFileError):
        write_timeseries(curves, tmp_path / "file")


def test_without_a_wcs(tmp_path):
    truth = simulate(tmp_path, n_stars=80, cameras=(("a", "g"),), epochs=5, wcs=False)
    found = make_light_curves(read_observed(truth.paths))
    assert not found.barycentric
    assert not found.errors
    assert len(found.stars) > 70
    assert np.isfinite(found.stars.x).all()
    assert "JD (UTC)" in epochs_table(found).meta["time_system"]
    assert found.time == pytest.approx(found.epochs.mjd + 2400000.5)


def test_settings():
    for wrong in (
        {"epoch_gap": -1.0}, {"radius": 0.0}, {"clip": np.nan}, {"min_images": 0}, {"workers": 0},
        {"degree": 7}, {"reject": "all"}, {"processes": "some"}, {"period_range": (3.0, 1.0)},
    ):  # fmt: skip
        with pytest.raises(ParameterError, match=next(iter(wrong))):
            LightCurveSettings(**wrong)


def test_workers_give_the_same(observed, curves):
    settings = LightCurveSettings(processes="all", periods=False, workers=2)
    found = make_light_curves(observed, settings)
    alone = make_light_curves(observed, LightCurveSettings(processes="all", periods=False))
    assert found.mag == pytest.approx(alone.mag, abs=1e-9)
    assert (found.rejected == alone.rejected).all()


def test_without_images_there_is_nothing_to_make(tmp_path):
    with pytest.raises(ParameterError, match="whose time is known"):
        make_light_curves(read_observed([tmp_path / "none.ecsv"]))


def test_magnitudes_may_be_taken_as_they_are(observed):
    settings = LightCurveSettings(zero_points=False, processes="none", reject="none")
    found = make_light_curves(observed, settings)
    known = found.epochs.n_exposures == 3
    first = int(np.flatnonzero(known)[0])
    matched = found.epochs.mag[first]
    assert np.abs(observed.measures.mag - matched).min() < 1e-9
    assert images_table(found)["zero_point"].value == pytest.approx(0)


@pytest.mark.parametrize(
    "changes",
    [
        {"cameras": (("a", "g"),), "epochs": 1, "per_epoch": 1},
        {"cameras": (("a", "g"), ("b", "V")), "epochs": 1, "per_epoch": 1},
        {"n_stars": 1, "epochs": 3},
        {"saturation": 30.0, "epochs": 2, "n_stars": 20},
    ],
)
def test_little_to_go_by(tmp_path, changes):
    truth = simulate(tmp_path, **{"n_stars": 30, **changes})
    found = make_light_curves(read_observed(truth.paths))
    for maker in (epochs_table, stars_table, offsets_table, images_table):
        assert maker(found) is not None
    left_out = (found.zero.degree < 0).sum()
    assert len(found.errors) == left_out
    assert (left_out > 0) == (changes.get("n_stars") == 1 or "saturation" in changes)
