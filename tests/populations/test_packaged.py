"""Default isochrones from data files of other packages."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from filar.errors import InputFileError, ParameterError
from filar.populations import Isochrone, bolometric, integrated_mags, packaged, packaged_isochrones
from filar.populations.parsecends import complete


def test_the_young_are_blue_and_the_old_are_red() -> None:
    stars = packaged_isochrones(("F336W", "F438W", "F814W"))
    assert stars.bands == ("F336W", "F438W", "F814W")
    assert stars.log_ages[[0, -1]] == pytest.approx([6.3, 10.1])
    assert stars.metallicities[[0, -1]] == pytest.approx([0.00152, 0.0481], rel=1e-3)
    mags = np.array([integrated_mags(stars.at(age)) for age in (6.6, 7.0, 8.0, 9.0, 10.0)])
    assert np.all(np.diff(mags[:, 0] - mags[:, 1]) > 0)
    assert np.all(np.diff(mags[:, 1]) > 0)
    # 1e4 suns of 10 Myr, as in figures of population synthesis: M_V about -9.5 to -9
    v = integrated_mags(packaged_isochrones(("V",)).at(7.0), mass=1e4)
    assert v == pytest.approx(-9.4, abs=0.4)


def test_ages_between_are_between() -> None:
    stars = packaged_isochrones(("V",))
    mags = [integrated_mags(stars.at(age))[0] for age in (8.0, 8.02, 8.04, 8.05)]
    assert np.all(np.diff(mags) > 0)
    # massive stars have no phases in common
    assert stars.at(6.96).log_age == 6.95


def test_every_isochrone_is_whole() -> None:
    stars = packaged_isochrones(("F475W", "F814W"))
    for z in stars.metallicities:
        for age in (6.3, 6.8, 7.35, 7.41, 9.99, 10.1):
            one = stars.at(age, float(z))
            assert one.mass[0] < 0.13
            assert np.all(np.diff(one.mass) >= 0)
            assert np.isfinite(one.mags).all()
            assert np.all((one.teff > 2000) & (one.teff < 3e5))


def test_thinning_loses_no_light() -> None:
    whole = packaged._isochrones(packaged._locate(*packaged.GRID))
    metal, log_age, rows = next(one for one in whole if one[:2] == (0.0, 9.0))
    rows = complete(log_age, metal, rows)
    path = packaged._locate(*packaged.TABLES)
    found = bolometric.corrections(path, ("V", "I"), metal, 10 ** rows[:, 2], rows[:, 4])
    mags = packaged.SUN_MBOL - 2.5 * rows[:, [3]] - found
    dense = Isochrone(
        ("V", "I"),
        rows[:, 1],
        mags,
        rows[:, 2],
        rows[:, 4],
        9.0,
        0.0152,
    )
    thin = packaged_isochrones(("V", "I")).at(9.0)
    assert len(thin.mass) < 0.6 * len(dense.mass)
    assert integrated_mags(thin) == pytest.approx(integrated_mags(dense), abs=0.002)


def test_no_code_of_the_packages_is_imported() -> None:
    code = (
        "import sys; from filar.populations import packaged_isochrones; "
        "packaged_isochrones(('V',)); "
        "assert not {'lachesis', 'lachesis_grids', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_f475w_lies_between_b_and_v() -> None:
    path = packaged._locate(*packaged.TABLES)
    teff = np.array([5000.0, 6000.0, 8000.0, 9500.0, 15000.0, 30000.0])
    found = bolometric.corrections(path, ("B", "V", "F475W"), 0.0, teff, np.full(6, 4.0))
    part = np.log(474.7 / 436.0) / np.log(545.0 / 436.0)
    wanted = (1 - part) * found[:, 0] + part * found[:, 1]
    np.testing.assert_allclose(found[:, 2], wanted, atol=0.03)
    # a star like Vega has no colour
    assert found[3] == pytest.approx(np.full(3, found[3, 1]), abs=0.03)


def test_an_unknown_band_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"F999W.*F336W"):
        packaged_isochrones(("V", "F999W"))


def test_absent_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "GRID", ("no-such-grids", "grids/parsec.h5"))
    with pytest.raises(InputFileError, match=r"no-such-grids.*pip install 'filar\[isochrones\]'"):
        packaged_isochrones(("V",))


def test_absent_files_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "GRID", ("numpy", "numpy/parsec.h5"))
    with pytest.raises(InputFileError, match=r"parsec\.h5: no such file.*numpy"):
        packaged_isochrones(("V",))


@pytest.mark.parametrize("content", [b"no HDF5", None])
def test_other_files_are_refused(
    tmp_path: Path, content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "grid.h5"
    if content is None:
        h5py.File(path, "w").close()
    else:
        path.write_bytes(content)
    with pytest.raises(InputFileError, match=r"grid\.h5: no grid of isochrones"):
        packaged._isochrones(path)
    with pytest.raises(InputFileError, match=r"grid\.h5: no table UBVRIplus"):
        bolometric.corrections(path, ("V",), 0.0, np.array([5000.0]), np.array([4.0]))


def stars(last: float) -> np.ndarray:
    """A main sequence: phase, mass, log temperature, log luminosity, log gravity."""
    mass = np.geomspace(0.1, last, 40)
    log = np.log10(mass)
    return np.stack([np.arange(40.0), mass, 3.76 + 0.5 * log, 3.5 * log, 4.4 - 0.3 * log], axis=1)


@pytest.mark.parametrize(("age", "last"), [(6.8, 30.7), (7.2, 13.6)])
@pytest.mark.parametrize("feh", [-0.5, 0.0, 0.25])
def test_massive_stars_leave_the_main_sequence(age: float, last: float, feh: float) -> None:
    whole = complete(age, feh, stars(last))
    assert np.all(np.diff(whole[:, 1]) >= 0)
    assert whole[-1, 1] == pytest.approx(last)
    assert np.isnan(whole[:, 0]).all()
    # red supergiants of 30 and 14 suns
    assert whole[whole[:, 1] > 0.9 * last, 2].min() < 3.65
    assert whole[:, 3].max() > 4.5


def test_old_stars_climb_the_asymptotic_giant_branch() -> None:
    old = stars(5.3)
    whole = complete(8.02, 0.0, old)
    np.testing.assert_array_equal(whole[:40], old)
    assert np.all(np.diff(whole[:, 0]) > 0)
    assert whole[-1, 3] - old[-1, 3] == pytest.approx(1.0, abs=0.1)
    assert whole[-1, 1] / old[-1, 1] == pytest.approx(1.0027, abs=0.001)


def test_ages_without_known_ends_stay_as_they_are() -> None:
    old = stars(5.3)
    np.testing.assert_array_equal(complete(5.0, 0.0, old), old)
