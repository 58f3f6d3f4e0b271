"""C24's table 3, with very small numbers."""

import pytest

from experiments.c24.__main__ import main
from experiments.c24.results import BOUND, Row
from experiments.c24.table import PAPER, table
from experiments.trials.folder import read_json
from filar.measure.heldout import CLASSIC


def test_the_table_has_ours_beside_the_papers():
    rows = [
        Row("F814W", chip, method, x, x + 0.2, 0.1, 0.1, 900, x - 1, x - 2, 3.0, 3.1, 0.4)
        for chip, shift in (("WF2", 0), ("WF4", 1))
        for method, x in ((CLASSIC, 10.0 + shift), ("c24-vgg8", 20.0 + shift), (BOUND, 9.0))
    ]
    lines = [line.split() for line in table(rows).splitlines()]
    assert ["classic", "10.0/10.2", "11.0/11.2"] in lines
    assert ["VGG8", "20.0/20.2", "21.0/21.2"] in lines
    assert ["VGG8", "19.0/18.0", "20.0/19.0"] in lines
    paper = [f"{PAPER['F814W'][chip][0]}/{PAPER['F814W'][chip][1]}" for chip in ("WF2", "WF4")]
    assert ["C24,", "VGG8", *paper] in lines


@pytest.mark.slow
def test_it_runs_and_is_resumed(tmp_path, capsys):
    few = "--filters F555W --chips PC --stars 220 --exposures 5 --psf default --passes 60"
    words = ["-o", str(tmp_path / "c24"), *few.split(), "--own-epochs", "1", "--workers", "1"]
    main(words)
    assert "2 of 2 trained" in capsys.readouterr().out
    found = read_json(tmp_path / "c24" / "table.json")
    rows = {row["method"]: row for row in found["ours"]}
    assert set(rows) == {CLASSIC, "c24-vgg8", "filar-centering", BOUND}
    assert rows[CLASSIC]["trained"] is None
    # Nothing measures better than the bound; the classic fit comes near.
    assert 0.8 * rows[BOUND]["true_x"] < rows[CLASSIC]["true_x"] < 2 * rows[BOUND]["true_x"]
    assert (tmp_path / "c24" / "figure.png").read_bytes().startswith(b"\x89PNG")
    main(words)
    assert "trained: " not in capsys.readouterr().out
    assert read_json(tmp_path / "c24" / "table.json") == found
