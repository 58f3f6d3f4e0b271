"""`filar simulate scene`: two filters of one field, and its truth."""

import numpy as np
import pytest

from filar.catalogfile import read_catalog
from filar.cli import main
from filar.instruments import read_exposures


def run(monkeypatch, capsys, *arguments):
    """Status and what is told."""
    monkeypatch.setattr("sys.argv", ["filar", "simulate", "scene", *map(str, arguments)])
    with pytest.raises(SystemExit) as end:
        main.main()
    return int(end.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize("name", ["galaxy", "halo"])
def test_both_filters_and_the_truth_are_written(monkeypatch, capsys, tmp_path, name):
    folder = tmp_path / "new"
    status, told = run(monkeypatch, capsys, name, "-o", folder, "--stars", 300, "--seed", 4)
    assert status == 0
    assert "300 stars in F555W and F814W (seed 4)" in told
    truth = read_catalog(folder / f"{name}_truth.ecsv")
    assert len(truth) == 300
    for band in ("F555W", "F814W"):
        (exposure,) = read_exposures(folder / f"{name}_{band}_c0m.fits")
        assert exposure.filter == band
        # The brightest star on the usable part stands out where the truth says.
        x, y = (np.rint(truth[axis].value).astype(int) for axis in ("x", "y"))
        inside = (x > 70) & (x < 780) & (y > 70) & (y < 780)
        k = np.flatnonzero(inside)[np.argmax(truth[f"flux_{band}"].value[inside])]
        box = exposure.data[y[k] - 20 : y[k] + 21, x[k] - 20 : x[k] + 21]
        row, column = np.unravel_index(box.argmax(), box.shape)
        assert abs(row - 20) <= 1
        assert abs(column - 20) <= 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nebula"], "nebula"),
        (["halo", "--chip", "WF9"], "WF9"),
        (["halo", "--exposure-time", "-1"], "exposure_time"),
        (["galaxy", "--sky", "-3"], "--sky"),
    ],
)
def test_senseless_wishes_are_wrong_usage(monkeypatch, capsys, tmp_path, words, message):
    status, told = run(monkeypatch, capsys, *words, "-o", tmp_path / "new")
    assert status == 2
    assert message in told
    assert not (tmp_path / "new" / "halo_truth.ecsv").exists()
