"""Tables of other programs: bare numbers, named columns, and what is no table at all."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import MaskedColumn, Table
from hypothesis import given
from hypothesis import strategies as st

from filar.catalogfile import SUFFIXES, write_catalog
from filar.completeness.matchfake import filters_in, read_magnitudes, read_matchfake
from filar.completeness.named import read_named, read_named_stars
from filar.completeness.readers import read_artificial_stars
from filar.completeness.tables import found_magnitudes, read_numbers, read_table
from filar.errors import FilarError, InputFileError, ParameterError
from tests.completeness.toys import toy_stars

LOST = ("99.99", "99.999", "9.999", "nan", "-99.9", "1e30", "inf")
NAMED = "id x y V I Vout Iout ok sky\n"
ROWS = """1 10.5 20.5 20.1 19.5 20.11 19.52 1 3.5
2 11.5 21.5 27.0 26.0 99.999 26.3 0 4.5
3 12.5 22.5 28.0 27.0 99.999 99.999 0 nan
"""
COLUMNS = {"mag_in": ["V", "I"], "mag_out": ["Vout", "Iout"]}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("lost", LOST)
def test_every_way_to_say_lost_is_understood(tmp_path: Path, lost: str) -> None:
    text = f"20.00 19.00 0.01 -0.02\n25.00 24.00 {lost} 0.10\n26.00 25.00 {lost} {lost}\n"
    stars = read_matchfake(write(tmp_path, "a_F475W-F814W.gst.matchfake", text))
    assert stars.bands == ("F475W", "F814W")
    assert stars.found.tolist() == [[True, True], [False, True], [False, False]]
    assert stars.recovered.tolist() == [True, False, False]
    assert np.allclose(stars.delta[0], [0.01, -0.02])
    assert stars.meta == {
        "source": "a_F475W-F814W.gst.matchfake",
        "cuts": {"bands": list(stars.bands)},
    }
    one = read_matchfake(tmp_path / "a_F475W-F814W.gst.matchfake", ("B", "I"), ["I"])
    assert one.bands == ("B", "I")
    assert one.recovered.tolist() == [True, True, False]


@given(
    st.integers(1, 4),
    st.lists(st.tuples(st.integers(0, 40_000), st.integers(-8999, 8999)), min_size=1, max_size=20),
    st.randoms(),
)
def test_a_matchfake_table_is_read_as_it_was_written(b, stars, random) -> None:  # type: ignore[no-untyped-def]
    rows = [[random.choice(stars) for _ in range(b)] for _ in stars]
    lost = [[random.random() < 0.3 for _ in range(b)] for _ in stars]
    lines = [
        " ".join(
            [f"{m / 1000:.3f}" for m, _ in row]
            + [
                random.choice(LOST) if out else f"{d / 1000:.3f}"
                for (_, d), out in zip(row, flags, strict=True)
            ]
        )
        for row, flags in zip(rows, lost, strict=True)
    ]
    with TemporaryDirectory() as folder:
        found = read_matchfake(write(Path(folder), "stars.dat", "\n".join(lines)))
    given_ = np.array(rows, float) / 1000
    assert found.bands == tuple(f"mag{k + 1}" for k in range(b))
    assert np.array_equal(found.mag_in, given_[:, :, 0])
    assert np.array_equal(found.found, ~np.array(lost))
    assert np.allclose(found.delta[found.found], given_[:, :, 1][found.found])
    assert np.array_equal(found.recovered, ~np.array(lost).any(axis=1))


def test_output_magnitudes_of_nines_are_lost_but_for_a_bright_star() -> None:
    given_ = np.array([[9.99], [18.5], [25.0], [25.0], [12.0]])
    found = found_magnitudes(given_, np.array([[9.999], [9.999], [9.999], [99.99], [12.01]]))
    assert np.isnan(found[:, 0]).tolist() == [False, True, True, True, False]


def test_bare_magnitudes_are_real_stars(tmp_path: Path) -> None:
    stars = read_magnitudes(write(tmp_path, "phot.dat", "# V I\n20.1 19.2\n99.999 21.0\n"))
    assert np.array_equal(stars.mag, [[20.1, 19.2], [np.nan, 21.0]], equal_nan=True)


def test_names_of_filters_are_found_in_names() -> None:
    assert filters_in("9891_NGC1644_F555W-F814W.gst.matchfake") == ("F555W", "F814W")
    assert filters_in("jw_f090w_vs_F1000W_f850lp") == ("F090W", "F1000W", "F850LP")
    assert filters_in("F5 OFF555WX F814") == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no row"),
        ("# only words\n", "no row"),
        ("1 2 3 4\n1 2 3\n", "columns changed from 4 to 3"),
        ("20 21 0.1 bright\n", "bright"),
        ("20 21 0.1\n", "3 columns"),
    ],
)
def test_faults_of_bare_tables(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(InputFileError, match=rf"a\.matchfake: .*{why}"):
        read_matchfake(write(tmp_path, "a.matchfake", text))
    with pytest.raises(InputFileError, match="there is no such file"):
        read_numbers(tmp_path / "b.dat")


def test_names_for_another_number_of_bands_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.dat", "20 21 0.1 0.2\n")
    with pytest.raises(InputFileError, match="2 bands; expected 1"):
        read_matchfake(path, ["V"])
    with pytest.raises(ParameterError, match="some of the bands V, I"):
        read_matchfake(path, ["V", "I"], ["B"])


@pytest.mark.parametrize("name", ["a.csv", "a.txt", "a.ecsv", "a.fits", "a.parquet", "hash.txt"])
def test_any_table_by_its_names(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    table = Table.read(NAMED + ROWS, format="ascii.basic")
    if name == "hash.txt":
        write(tmp_path, name, "# made by hand\n#" + NAMED + ROWS)
    elif name == "a.txt":
        write(tmp_path, name, NAMED + ROWS)
    else:
        kind = {".csv": "ascii.csv", ".ecsv": "ascii.ecsv"}.get(path.suffix, path.suffix[1:])
        table.write(path, format=kind)
    columns = COLUMNS | {"x": "x", "y": "y", "origin": 1, "covariates": {"noise": "sky"}}
    stars = read_named(path, columns)
    assert stars.bands == ("V", "I")
    assert stars.recovered.tolist() == [True, False, False]
    assert np.array_equal(stars.x, [9.5, 10.5, 11.5])
    assert np.array_equal(stars.covariates["noise"], [3.5, 4.5, np.nan], equal_nan=True)
    assert read_named(path, COLUMNS, need=["I"]).recovered.tolist() == [True, True, False]
    said = read_named(path, COLUMNS | {"recovered": "ok"}, bands=("a", "b"))
    assert said.recovered.tolist() == [True, False, False]
    assert "cuts" not in said.meta
    real = read_named_stars(path, {"mag": ["Vout", "Iout"], "covariates": ["sky"]})
    assert real.bands == ("Vout", "Iout")
    assert np.isnan(real.mag).tolist() == [[False, False], [True, False], [True, True]]


def test_differences_and_words_for_truth(tmp_path: Path) -> None:
    text = "F555W_in,d,ok\n20.0,0.1,True\n21.0,99.99,false\n22.0,,F\n"
    columns = {"mag_in": "F555W_in", "delta": "d", "recovered": "ok"}
    stars = read_named(write(tmp_path, "a.csv", text), columns)
    assert stars.bands == ("F555W",)
    assert np.allclose(stars.mag_out[0], 20.1)
    assert stars.recovered.tolist() == [True, False, False]
    with pytest.raises(InputFileError, match="column ok has 'maybe'"):
        read_named(write(tmp_path, "b.csv", text.replace("True", "maybe")), columns)
    with pytest.raises(InputFileError, match="1 stars are called recovered"):
        read_named(write(tmp_path, "c.csv", text.replace("false", "true")), columns)


def test_numbers_without_names_are_col1_and_so_on(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "a.txt", "# a remark of five words\n20.5 20.6\n21 22\n"))
    assert table.colnames == ["col1", "col2"]
    assert len(table) == 2


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ({"mag_in": ["V", "I"], "mag_out": ["Vout", "Rout"]}, "no column Rout.*among id, x, y"),
        ({"mag_in": ["V"], "mag_out": ["Vout", "Iout"]}, "as many outputs"),
        ({"mag_in": ["V"]}, "one of mag_out, delta"),
        ({"mag_out": ["V"]}, "mag_in"),
        (COLUMNS | {"sky": "sky"}, "'sky'.*covariates"),
        (COLUMNS | {"covariates": ["word"]}, "column word.*numbers"),
    ],
)
def test_columns_that_make_no_sense(tmp_path: Path, columns: dict[str, object], why: str) -> None:
    text = "".join(
        f"{line} {word}\n"
        for line, word in zip((NAMED + ROWS).splitlines(), ["word", *"abc"], strict=True)
    )
    with pytest.raises(FilarError, match=why):
        read_named(write(tmp_path, "a.txt", text), columns)


def test_a_catalogue_of_the_dolphot_pipelines_needs_no_names(tmp_path: Path) -> None:
    table = Table({"X": [1.5], "Y": [2.5], "F555W_VEGA": [20.0], "F814W_VEGA": [99.999]})
    table.write(tmp_path / "a.fits")
    stars = read_named_stars(tmp_path / "a.fits")
    assert stars.bands == ("F555W", "F814W")
    assert (stars.x[0], stars.y[0]) == (1.0, 2.0)
    assert np.isnan(stars.mag[0, 1])
    Table({"V": [1.0]}).write(tmp_path / "b.fits")
    with pytest.raises(InputFileError, match=r"columns V; expected mag_B.*say which"):
        read_named_stars(tmp_path / "b.fits")


@given(st.one_of(st.text(max_size=80).map(str.encode), st.binary(max_size=80)))
def test_any_bytes_are_a_table_or_a_clear_fault(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        for name in ("a.dat", "a.csv", "a.ecsv", "a.fits", "a.parquet"):
            path = Path(folder) / name
            path.write_bytes(content)
            for read in (read_numbers, read_table):
                try:
                    table = read(path)
                except InputFileError as error:
                    assert str(path) in str(error)
                else:
                    assert len(table) > 0


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_damaged_tables_are_clear_faults(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    write_catalog(toy_stars(5).to_table(), path)
    whole, rng = path.read_bytes(), np.random.default_rng(8)
    failed = 0
    for _ in range(40):
        damaged = bytearray(whole)
        start = int(rng.integers(len(whole)))
        del damaged[start : start + int(rng.integers(1, 400))]
        path.write_bytes(damaged)
        try:
            read_artificial_stars(path)
        except InputFileError as error:
            assert str(path) in str(error)
            failed += 1
    assert failed > 10


@pytest.mark.parametrize("suffix", [".ecsv", ".fits"])
def test_nothing_stays_masked_unsigned_or_a_time(tmp_path: Path, suffix: str) -> None:
    mask = [False, True, False]
    table = Table({"name": MaskedColumn(["a", "b", "c"], mask=mask)})
    table["mag"] = MaskedColumn([20.0, 21.0, 22.0], mask=mask, unit="mag", description="V")
    table["n"] = MaskedColumn([1, 2, 3], mask=mask)
    table["id"] = np.array([1, 2**62, 3], np.uint64)
    if suffix == ".ecsv":
        table["place"] = SkyCoord([1, 2, 3], [4, 5, 6], unit="deg")
    table.write(tmp_path / f"a{suffix}")
    found = read_table(tmp_path / f"a{suffix}")
    for name in ("mag", "n"):
        assert np.array_equal(np.isnan(np.asarray(found[name])), mask)
    assert list(found["name"]) == ["a", "", "c"]
    assert found["id"][1] == 2**62
    assert str(found["mag"].unit) == "mag"
    assert not any(hasattr(found[name], "mask") for name in found.colnames)
    if suffix == ".ecsv":
        assert np.array_equal(found["place.dec"], [4, 5, 6])
    real = read_named_stars(tmp_path / f"a{suffix}", {"mag": ["mag"]})
    assert np.isnan(real.mag[:, 0]).tolist() == mask
