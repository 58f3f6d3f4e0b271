from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from filar.errors import OutputFileError, ParameterError
from filar.flags import Flag
from filar.measure import ChipSummary, FileResult, Settings, Summary, measure_exposure
from filar.psf.fitted import PSFFit
from filar.report import page_path, write_file_report, write_index, write_report
from tests.measure import samples


@pytest.fixture(scope="module")
def measured():
    exposure = samples.exposure(meta={"target": "<script>alert(1)</script>", "programme": "6941"})
    return measure_exposure(exposure[0], Settings(psf=samples.psf()))


def links(text: str) -> list[str]:
    """Everything that the page's elements refer to."""
    found: list[str] = []

    class Parser(HTMLParser):
        def handle_starttag(self, tag, attrs):
            found.extend(value for name, value in attrs if name in ("src", "href"))

    Parser().feed(text)
    return found


def test_the_page_holds_everything_itself(measured, tmp_path):
    path = tmp_path / "page.html"
    write_report(path, [measured, measured])
    text = path.read_text()
    assert all(link.startswith(("#", "data:")) for link in links(text))
    assert path.stat().st_size < 5_000_000
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"]
    assert "programme 6941" in text
    assert text.count('id="chip') == 2
    assert f"<td>{len(measured.catalog)}</td>" in text
    for words in ("default PSF", "Pixel phases", "Sky and noise", "another detection within"):
        assert words in text


def test_text_from_files_is_escaped(measured, tmp_path):
    path = tmp_path / "page.html"
    named = replace(measured, exposure=measured.exposure.replace(name="a<b>&c"))
    write_report(path, [named])
    text = path.read_text()
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "Stars of a&lt;b&gt;&amp;c" in text


def test_a_fitted_psf_shows_residuals(measured, tmp_path):
    noise = np.random.default_rng(1).normal(0, 1e-3, (9, 9))
    fit = PSFFit(measured.psf, 40, False, "from 40 stars", {}, residual_mean=noise,
                 default_residual_mean=3 * noise)  # fmt: skip
    write_report(tmp_path / "page.html", [replace(measured, psf_fit=fit)])
    assert "fitted PSF: reduced chi2" in (tmp_path / "page.html").read_text()


def test_no_stars_are_no_problem(measured, tmp_path):
    exposure = measured.exposure.replace(data=np.full(samples.SHAPE, 30, np.float32))
    empty = measure_exposure(exposure, psf=samples.psf())
    assert not len(empty.catalog)
    write_report(tmp_path / "page.html", [empty])
    assert "no star above 5 sigma" in (tmp_path / "page.html").read_text()


def test_missing_magnitudes_and_every_flag_can_be_drawn(measured, tmp_path):
    table = measured.catalog.copy()
    table["flags"][: len(Flag)] = [int(flag) for flag in Flag]
    table["mag"][:] = np.nan * table["mag"].unit
    write_report(tmp_path / "page.html", [replace(measured, catalog=table)])
    assert "inverted_triangle" in (tmp_path / "page.html").read_text()


def test_wrong_calls_are_refused(measured, tmp_path):
    with pytest.raises(ParameterError, match="at least one"):
        write_report(tmp_path / "page.html", [])
    with pytest.raises(ParameterError, match=r"\.html"):
        write_report(tmp_path / "page.pdf", [measured])
    with pytest.raises(OutputFileError, match="no folder"):
        write_report(tmp_path / "none" / "page.html", [measured])


def test_names_of_pages():
    report = Path("out/page.html")
    assert page_path(report, Path("in/u1_c0f.fits"), many=False) == report
    assert page_path(report, Path("in/u1_c0f.fits"), many=True) == Path("out/page-u1_c0f.html")


def test_the_index_links_to_pages_that_exist(measured, tmp_path):
    report = tmp_path / "page.html"
    good, bad = tmp_path / "a b.fits", tmp_path / "bad.fits"
    write_file_report(report, True, good, [measured])
    chip = ChipSummary("a", 10, 1, 0, ("few stars",), 1.0)
    files = (FileResult(good, (chip,)), FileResult(bad, (), ("bad.fits: <nothing>",)))
    write_index(report, Summary(files, 10, tmp_path / "c.fits"))
    text = report.read_text()
    assert 'href="page-a%20b.html"' in text
    assert "few stars" in text
    assert "bad.fits: &lt;nothing&gt;" in text
    assert text.count("href") == 1
