from pathlib import Path

import numpy as np
import pytest
from astropy.table import vstack

from filar.catalogfile import SUFFIXES, write_catalog
from filar.errors import InputFileError, ParameterError
from filar.flags import Flag
from filar.frames.read import read_hst1pass, read_lists
from filar.xym import write_xym
from tests import catalog_samples as samples


def catalog():
    """Three exposures and two chips, rows of one list not all together."""
    parts = [
        samples.make_table(3, name="a"),
        samples.make_table(4, name="a", chip="WF3"),
        samples.make_table(2, name="b", filter="F814W"),
        samples.make_table(2, name="c", chip=""),
    ]
    parts[0]["flags"][1] = Flag.COSMIC_RAY
    table = vstack(parts, metadata_conflicts="silent")
    table.meta = {}
    return table


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_catalogues_of_many_exposures(tmp_path: Path, suffix: str) -> None:
    table = catalog()
    path = tmp_path / f"all{suffix}"
    write_catalog(table, path)
    lists, errors = read_lists([path])
    assert errors == []
    assert [(s.exposure, s.chip, s.filter, len(s)) for s in lists] == [
        ("a", "PC", "F555W", 3),
        ("a", "WF3", "F555W", 4),
        ("b", "PC", "F814W", 2),
        ("c", "", "F555W", 2),
    ]
    first = lists[0]
    assert (first.method, first.source) == ("psf", str(path))
    atol = 6e-6 if suffix == ".ecsv" else 0
    for name, column in (("x", "x_fit"), ("y", "y_fit"), ("x_err", "x_err"), ("mag", "mag")):
        np.testing.assert_allclose(getattr(first, name), table[column][:3].value, atol=atol)
    assert list(first.flags) == [0, Flag.COSMIC_RAY, 0]
    assert first.flags.dtype == np.int32
    assert np.isnan(first.q[0])
    assert first.q[1] == pytest.approx(table["qfit"][1], abs=1e-5)
    np.testing.assert_allclose(first.snr, table["snr"][:3], atol=0.006)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_rows_of_a_list_may_lie_anywhere(tmp_path: Path, suffix: str) -> None:
    table = catalog()
    write_catalog(table[np.random.default_rng(1).permutation(len(table))], tmp_path / f"a{suffix}")
    lists, _ = read_lists([tmp_path / f"a{suffix}"])
    assert sorted((s.exposure, s.chip, len(s)) for s in lists) == [
        ("a", "PC", 3),
        ("a", "WF3", 4),
        ("b", "PC", 2),
        ("c", "", 2),
    ]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_bad_are_told_and_the_good_are_read(tmp_path: Path, suffix: str) -> None:
    good, bad, short, empty = (tmp_path / f"{n}{suffix}" for n in ("good", "bad", "short", "no"))
    write_catalog(catalog(), good)
    bad.write_bytes(b"garbage\x00\xff" * 1000)
    without = catalog()
    without.remove_column("x_fit")
    write_catalog(without, short)
    write_catalog(catalog()[:0], empty)
    absent = tmp_path / f"absent{suffix}"
    cut = tmp_path / f"cut{suffix}"
    cut.write_bytes(good.read_bytes()[: good.stat().st_size // 2])
    lists, errors = read_lists([bad, absent, good, short, empty, cut])
    assert len(lists) >= 4
    assert {s.source for s in lists} <= {str(good), str(cut)}
    messages = dict(zip(("bad", "absent", "short", "no"), errors[:4], strict=True))
    for name, message in messages.items():
        assert f"{name}{suffix}" in message
    assert "no such file" in messages["absent"]
    assert "x_fit" in messages["short"]
    assert "no stars" in messages["no"]
    if suffix != ".ecsv":  # half of a text file is a shorter text file, up to its last row
        assert "cut" in errors[4]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_stars_of_one_exposure_by_two_methods_make_one_list(tmp_path: Path, suffix: str) -> None:
    table = catalog()
    table["method"] = np.where(np.asarray(table["id"]) % 2, "network", "psf-fit")
    write_catalog(table, tmp_path / f"a{suffix}")
    lists, _ = read_lists([tmp_path / f"a{suffix}"])
    assert [(s.exposure, s.chip, len(s), s.method) for s in lists] == [
        ("a", "PC", 3, "auto"),
        ("a", "WF3", 4, "auto"),
        ("b", "PC", 2, "auto"),
        ("c", "", 2, "auto"),
    ]
    lists, _ = read_lists([tmp_path / f"a{suffix}"], method="network")
    assert [(s.exposure, s.chip, len(s), s.method) for s in lists] == [
        ("a", "PC", 2, "network"),
        ("a", "WF3", 2, "network"),
        ("b", "PC", 1, "network"),
        ("c", "", 1, "network"),
    ]


def test_a_method_can_be_chosen(tmp_path: Path) -> None:
    table = catalog()
    other = catalog()
    other["method"] = np.full(len(other), "network")
    write_catalog(vstack([table, other], metadata_conflicts="silent"), tmp_path / "a.parquet")
    both, _ = read_lists([tmp_path / "a.parquet"])
    assert len(both) == 8
    lists, _ = read_lists([tmp_path / "a.parquet"], method="network")
    assert {s.method for s in lists} == {"network"}
    assert len(lists) == 4
    _, errors = read_lists([tmp_path / "a.parquet"], method="none")
    assert "one of network, psf" in errors[0]


HEADER = """#
#  ARG0010: OUT=uvwXYMpq
#     FILT:      F814W
# (01)  u -- u ref-frame           c002-c010    F001
# (02)  v -- v ref-frame
# (03)  w -- dist-corr inst mag
# (04)  X -- dist-cor x posn
# (05)  Y -- dist-cor y posn
# (06)  M -- instl mag (1000s)
# (07)  q -- quality of fit
#
  157.6324   86.4352 -12.670  153.2518    5.9927 -12.669 0.031
  361.3400   99.0173  -9.211  358.3996    6.2207  -9.207 0.000
  361.3400   99.0173  ******  358.3996    6.2207  -9.207 0.100
"""


@pytest.mark.parametrize(
    ("positions", "x", "mag"),
    [("auto", 156.6324, -12.67), ("uv", 156.6324, -12.67), ("XY", 152.2518, -12.669)],
)
def test_hst1pass_lists(tmp_path: Path, positions: str, x: float, mag: float) -> None:
    path = tmp_path / "ie8j01xlq_flt.uvwXYMq"
    path.write_text(HEADER)
    (stars,) = read_hst1pass(path, positions=positions)
    assert (stars.exposure, stars.chip, stars.filter) == ("ie8j01xlq", "", "F814W")
    assert stars.x[0] == pytest.approx(x)
    assert stars.mag[0] == pytest.approx(mag)
    assert list(stars.flags) == [0, Flag.SATURATED, 0]
    assert np.isnan(stars.x_err).all()
    assert np.isnan(stars.mag[2]) == (positions != "XY")


def test_measured_positions_are_preferred(tmp_path: Path) -> None:
    path = tmp_path / "u1_c0m.xyuvmk"
    path.write_text("# OUT=xyuvmk\n 11.5 21 500 600 -9 3\n 12.5 22 500 600 -9 1\n")
    lists = read_hst1pass(path)
    assert [(s.exposure, s.chip, s.x[0], s.y[0]) for s in lists] == [
        ("u1", "3", 10.5, 20.0),
        ("u1", "1", 11.5, 21.0),
    ]
    assert read_hst1pass(path, positions="uv")[0].x[0] == 499
    with pytest.raises(InputFileError, match="positions XY"):
        read_hst1pass(path, positions="XY")
    with pytest.raises(ParameterError, match="auto, xy, uv, XY"):
        read_lists([path], positions="ab")


def test_our_own_text_lists(tmp_path: Path) -> None:
    tables = [samples.make_table(3, name="a"), samples.make_table(2, name="a", chip="WF3")]
    write_xym(tables, tmp_path / "a.xym")
    lists, errors = read_lists([tmp_path / "a.xym"])
    assert errors == []
    assert [(s.exposure, s.chip, len(s)) for s in lists] == [("a", "PC", 3), ("a", "WF3", 2)]
    np.testing.assert_allclose(lists[0].x, tables[0]["x_fit"].value, atol=6e-5)
    np.testing.assert_allclose(lists[0].x_err, tables[0]["x_err"].value, atol=6e-5)


def test_texts_that_are_no_lists_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("no list\n")
    (tmp_path / "b.xyq").write_text("# OUT=xyq\n")
    (tmp_path / "c.mq").write_text("# OUT=mq\n1 2\n")
    lists, errors = read_lists([tmp_path / name for name in ("a.txt", "b.xyq", "c.mq")])
    assert not lists
    for text, message in zip(("names a column", "no stars", "columns are mq"), errors, strict=True):
        assert text in message
