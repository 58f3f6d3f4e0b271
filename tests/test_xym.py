import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from filar import xym
from filar.errors import InputFileError, OutputFileError
from filar.flags import Flag

from .catalog_samples import make_table


def test_the_first_pixel_is_one_in_the_file():
    assert xym.to_one_based(np.array([0.0])) == 1.0
    assert xym.from_one_based(np.array([1.0])) == 0.0


@given(st.floats(-1e4, 1e4))
def test_counting_from_one_inverts(x):
    assert xym.from_one_based(xym.to_one_based(np.array([x])))[0] == pytest.approx(x, abs=1e-9)


def test_round_trip(tmp_path):
    tables = [make_table(0), make_table(3), make_table(2, name="second", chip="")]
    tables[1]["flags"][1] = Flag.SATURATED
    path = tmp_path / "stars.xym"
    assert xym.write_xym(tables, path, mag_system="vega") == 5
    read = xym.read_xym(path)
    np.testing.assert_allclose(read["x"][:3].value, tables[1]["x_fit"].value, atol=5.1e-5)
    np.testing.assert_allclose(read["m"][:3], tables[1]["mag"].value, atol=5.1e-5)
    assert list(read["f"]) == [0, Flag.SATURATED, 0, 0, 0]
    assert list(read["n"]) == ["u1"] * 3 + ["second"] * 2
    assert list(read["k"]) == ["PC"] * 3 + [""] * 2
    assert np.isnan(read["q"][0])
    header = path.read_text().splitlines()
    assert "# OUT=xymqefkn" in header
    assert any("magnitude, vega" in line for line in header)
    first = next(line for line in header if not line.startswith("#"))
    assert float(first.split()[0]) == pytest.approx(tables[1]["x_fit"][0].value + 1, abs=1e-4)


def test_hst1pass_s_own_layout_is_read(tmp_path):
    path = tmp_path / "a.xyMq"
    path.write_text(
        "# OUT=XYMq\n# (01)  X -- dist-cor x posn   c001-c010  F008\n"
        "# (02)  Y -- dist-cor y posn\n# (03)  M -- instl mag (1000s)\n"
        "# (04)  q -- quality of fit\n#\n#....X....\n  153.2518 5.9927 -12.669 0.031\n"
    )
    read = xym.read_xym(path)
    assert read["X"][0].value == pytest.approx(152.2518)
    assert read["M"][0] == -12.669
    assert read["q"][0] == 0.031


def test_columns_are_named_by_out_where_no_line_explains_them(tmp_path):
    path = tmp_path / "a.xyMq"
    path.write_text("#  ARG0010: OUT=XYMq\n#     FILT:      F814W\n 2.0 3.0 -12.669 0.031\n")
    read = xym.read_xym(path)
    assert read.colnames == ["X", "Y", "M", "q"]
    assert read["X"][0].value == 1.0
    assert read.meta["filter"] == "F814W"


def test_numbers_too_long_for_their_columns_are_missing(tmp_path):
    path = tmp_path / "a.xym"
    path.write_text("# OUT=xym\n 2.0 3.0 ********\n")
    assert np.isnan(xym.read_xym(path)["m"][0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 2 3\n", "no header line"),
        ("# (01)  x -- x\n# (02)  y -- y\n1\n", "another number of values"),
        ("# (01)  x -- x\n# (02)  y -- y\n1 two\n", "not a number"),
    ],
)
def test_bad_lists_are_refused(tmp_path, text, message):
    path = tmp_path / "bad.xym"
    path.write_text(text)
    with pytest.raises(InputFileError, match=message):
        xym.read_xym(path)


def test_missing_places_are_named(tmp_path):
    with pytest.raises(InputFileError, match="cannot be read"):
        xym.read_xym(tmp_path / "none.xym")
    with pytest.raises(OutputFileError, match="cannot write"):
        xym.write_xym([make_table(1)], tmp_path / "none" / "out.xym")
