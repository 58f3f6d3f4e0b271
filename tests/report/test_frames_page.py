import json
import math
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from filar.errors import OutputFileError, ParameterError
from filar.frames.starlist import StarList
from filar.report.frames_page import write_frames_report
from tests.frames.synthetic import Sky, frame_of, left_out

TRUTH_FIGURES = {"error_magnitude", "error_rms", "error_ratio", "error_phase", "error_field",
                 "mean_magnitude", "rows"}  # fmt: skip
FIGURES = {"curves_offset", "curves_phase", "methods", "rms", "rms_magnitude", "phases", "quality",
           "offsets"}  # fmt: skip


def links(text: str) -> list[str]:
    """Everything that the page's elements refer to."""
    found: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.extend(value for name, value in attrs if name in ("src", "href"))

    Parser().feed(text)
    return found


def sky(**values) -> Sky:
    return Sky(**({"stars": 120, "exposures": 18} | values))


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    """Two methods, two chips, truth, an exposure left out, and names to escape."""
    skies = {"PC": {}, "WF3": {"chip": "WF3", "reach": 1.0, "seed": 3}}
    classic = [sky(bias=0.03, row_jump=0.03, **more) for more in skies.values()]
    other = [sky(bias=0.0, noise=0.012, row_jump=0.03, **more) for more in skies.values()]
    classic[0].names[3] = "<b>&e3"
    methods = {
        "<i>net": [one.frame() for one in other],
        "classic": [left_out(classic[0].frame(), 5, "<too> few"), classic[1].frame()],
    }
    tables = [one.truth() for one in classic]
    truth = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    path = tmp_path_factory.mktemp("report") / "mean.html"
    write_frames_report(path, methods, truth)
    return path


def test_the_page_holds_everything_itself(page: Path) -> None:
    text = page.read_text()
    assert all(link.startswith("#") for link in links(text))
    assert page.stat().st_size < 5_000_000
    assert {p.name for p in page.parent.iterdir()} == {"mean.html", "mean.json", "mean_figures"}
    drawn = {p.stem for p in (page.parent / "mean_figures").iterdir()}
    assert drawn == FIGURES | TRUTH_FIGURES
    assert all(f'id="{name}"' in text for name in drawn)


def test_text_is_escaped(page: Path) -> None:
    body = page.read_text().split("</head>")[-1].split("<script")[0]
    assert "<i>net" not in body
    assert "&lt;i&gt;net" in body
    assert "&lt;too&gt; few" in body
    assert "<b>&e3" not in page.read_text()


def test_the_numbers_are_strict_json_and_right(page: Path) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    numbers = json.loads((page.parent / "mean.json").read_text(), parse_constant=refuse)
    rows = {(row["method"], row["chip"]): row for row in numbers["summary"]}
    assert [row["method"] for row in numbers["summary"]] == ["classic", "<i>net"] * 2
    classic, other = rows["classic", "PC"], rows["<i>net", "PC"]
    assert classic["exposures_used"] == 17
    assert classic["left_out"] == [{"exposure": "e005 PC", "reason": "<too> few"}]
    assert classic["bias_x_mpix"] == pytest.approx(30, abs=4)
    assert classic["phase_amplitude_x_mpix"] == pytest.approx(30, abs=4)
    assert abs(other["bias_x_significance"]) < 4
    assert classic["weighted_bias_x_mpix"] == pytest.approx(30, abs=4)
    expected = math.hypot(10, 30 / math.sqrt(2)) / 12
    assert other["rms_ratio_x"] == pytest.approx(expected, rel=0.12)
    assert "rms_ratio_x" not in classic
    assert other["error_over_bound_x"] == pytest.approx(1.2, rel=0.1)
    assert classic["row_jump_mpix"] == pytest.approx(30, rel=0.35)
    assert set(numbers["figures"]) == FIGURES | TRUTH_FIGURES


def test_one_method_without_truth(tmp_path: Path) -> None:
    write_frames_report(tmp_path / "a.html", {"psf": [sky().frame()]})
    assert {p.stem for p in (tmp_path / "a_figures").iterdir()} == FIGURES
    text = (tmp_path / "a.html").read_text()
    assert "34th-row error is not shown" in text
    assert "truth is not that of these" not in text
    assert "true error of a measure" not in text
    assert "rms, first / this" not in text


def test_a_truth_of_other_exposures_is_told(tmp_path: Path) -> None:
    ours = {"psf": [sky(exposures=3).frame()]}
    page = tmp_path / "a.html"
    for chip, seed in (("WF2", 1), ("PC", 9)):
        assert not write_frames_report(page, ours, sky(exposures=3, chip=chip, seed=seed).truth())
        assert "truth is not that of these exposures" in page.read_text()
        assert "true error of a measure" not in page.read_text()
    assert write_frames_report(page, ours, sky(exposures=3).truth())


def test_a_method_of_too_few_exposures_has_no_scatter(tmp_path: Path) -> None:
    field = sky(exposures=12)
    few = sky(exposures=2).frame()
    write_frames_report(tmp_path / "a.html", {"classic": [field.frame()], "few": [few]})
    for panel in json.loads((tmp_path / "a.json").read_text())["figures"]["rms"]:
        assert panel["title"].endswith("ratio –")
        assert [layer["label"] for layer in panel["layers"]] == ["classic"]


def test_large_dithers_show_the_rows_without_truth(tmp_path: Path) -> None:
    frame = sky(bias=0.0, stars=400, reach=40.0, row_jump=0.03).frame()
    write_frames_report(tmp_path / "a.html", {"psf": [frame]})
    row = json.loads((tmp_path / "a.json").read_text())["summary"][0]
    assert row["row_jump_mpix"] == pytest.approx(30, rel=0.15)


def test_few_stars_exposures_and_unknown_columns(tmp_path: Path) -> None:
    few = sky(stars=25, exposures=3)
    lists = [StarList.build(s.x, s.y, exposure=s.exposure, chip=s.chip) for s in few.lists()]
    frame = frame_of(lists, few.offsets, "psf")
    write_frames_report(tmp_path / "a.html", {"psf": [frame]}, few.truth())
    row = json.loads((tmp_path / "a.json").read_text())["summary"][0]
    assert row["bias_x_mpix"] is None
    assert "quality" not in {p.stem for p in (tmp_path / "a_figures").iterdir()}


def test_no_star_and_no_exposure_used(tmp_path: Path) -> None:
    frame = sky(exposures=2).frame()
    for number in range(2):
        frame = left_out(frame, number, "nothing in common")
    nothing = {name: getattr(frame, name)[:0] for name in
               ("x", "y", "mag", "x_rms", "y_rms", "mag_rms", "n_found", "n_used", "snr",
                "flags")}  # fmt: skip
    write_frames_report(tmp_path / "a.html", {"psf": [replace(frame, **nothing)]}, sky().truth())
    assert "nothing in common" in (tmp_path / "a.html").read_text()


def test_wrong_calls_are_refused(tmp_path: Path) -> None:
    frames = {"psf": [sky(exposures=2).frame()]}
    with pytest.raises(ParameterError, match="at least one"):
        write_frames_report(tmp_path / "a.html", {"psf": []})
    with pytest.raises(ParameterError, match=r"\.html"):
        write_frames_report(tmp_path / "a.pdf", frames)
    with pytest.raises(OutputFileError, match="no folder"):
        write_frames_report(tmp_path / "none" / "a.html", frames)
    with pytest.raises(ParameterError, match="columns"):
        write_frames_report(tmp_path / "a.html", frames, {"exposure": np.array(["a"])})
    (tmp_path / "b_figures").write_text("in the way")
    with pytest.raises(OutputFileError, match="b_figures"):
        write_frames_report(tmp_path / "b.html", frames)
