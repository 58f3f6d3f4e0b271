"""The pages: text, tables and figures put together and written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from filar.catalogfile import check_output
from filar.errors import ParameterError
from filar.flags import Flag
from filar.measure import Measurement
from filar.report.facts import Phases, all_phases, bound_curve, chip_rows, credit, flag_rows, median
from filar.report.figures import (
    error_figure,
    image_figure,
    phase_figure,
    quality_figure,
    star_source,
)
from filar.report.pictures import png_uri, psf_picture, sky_picture
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from filar.measure import Summary


def write_report(path: str | os.PathLike[str], measurements: Sequence[Measurement]) -> None:
    """Write one self-contained page about the chips of an exposure.

    Parameters
    ----------
    path : path-like
        The page, ``.html``.
    measurements : sequence of Measurement
        At least one.

    Raises
    ------
    ParameterError
        If there is no measurement or the suffix is another one.
    OutputFileError
        If the page cannot be written; nothing is left behind then.
    """
    from bokeh.embed import components
    from bokeh.resources import Resources
    from markupsafe import Markup

    from filar import __version__

    target = check_output(path, (".html", ".htm"))
    if not measurements:
        raise ParameterError("measurements", measurements, "at least one")
    chips, figures = zip(*map(_chip, measurements), strict=True)
    script, divs = components(
        {f"{i}:{name}": f for i, chip in enumerate(figures) for name, f in chip.items()}
    )
    for i, chip in enumerate(chips):
        own = {name.split(":")[1]: Markup(div) for name, div in divs.items()
               if name.split(":")[0] == str(i)}  # fmt: skip
        chip["divs"] = own
    exposure = measurements[0].exposure
    settings = measurements[0].settings.facts()
    text = ", ".join(f"{name} {value}" for name, value in settings.items())
    page = _template("page.html").render(
        title=f"Stars of {exposure.name}",
        subtitle=credit(exposure),
        chips=chips,
        resources=Markup(Resources(mode="inline", components=["bokeh"]).render()),
        script=Markup(script),
        footer=f"filar {__version__}; {text}. Pixels count from 0 at the first pixel's centre.",
    )
    with whole_file(target) as temporary:
        temporary.write_text(page, encoding="utf-8")


def page_path(report: Path, source: Path, many: bool) -> Path:
    """Name of the page about one file.

    Parameters
    ----------
    report : Path
        The name that the user gave.
    source : Path
        The file that was measured.
    many : bool
        Whether other files were measured too: then each has a page beside `report`.

    Returns
    -------
    Path
        ``report`` itself, or the same with the file's name added.
    """
    return report.with_name(f"{report.stem}-{source.stem}{report.suffix}") if many else report


def write_file_report(
    report: Path, many: bool, source: Path, measurements: list[Measurement]
) -> None:
    """Write the page about one of the files of a call.

    Parameters
    ----------
    report, many, source
        See `page_path`.
    measurements : list of Measurement
        The chips of the file.

    Raises
    ------
    OutputFileError
        If the page cannot be written.
    """
    write_report(page_path(report, source, many), measurements)


def write_index(report: Path, summary: Summary) -> None:
    """Write the page that leads to the pages of many files.

    Parameters
    ----------
    report : Path
        The page.
    summary : Summary
        What became of the files.

    Raises
    ------
    OutputFileError
        If the page cannot be written.
    """
    rows = []
    for result in summary.files:
        page = page_path(report, result.path, True)
        messages = [m for chip in result.chips for m in chip.messages]
        rows.append(
            {
                "name": result.path.name,
                "href": quote(page.name) if page.exists() and result.chips else "",
                "chips": len(result.chips),
                "stars": sum(chip.n_stars for chip in result.chips),
                "saturated": sum(chip.n_saturated for chip in result.chips),
                "remarks": "; ".join(dict.fromkeys([*result.errors, *result.warnings, *messages])),
            }
        )
    title = f"{summary.n_rows} measurements of stars in {len(rows)} files"
    with whole_file(report) as temporary:
        text = _template("index.html").render(title=title, rows=rows)
        temporary.write_text(text, encoding="utf-8")


def _template(name: str) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("filar.report", "."), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(name)


def _chip(measurement: Measurement) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the template needs about a chip, and its figures."""
    from filar.sky import background

    sky, noise = background(measurement.exposure)
    level, sigma = (median(a[~measurement.exposure.mask]) for a in (sky, noise))
    source = star_source(measurement)
    phases = all_phases(measurement)
    figures = {
        "image": image_figure(measurement, source, level, sigma),
        "error": error_figure(measurement, source, bound_curve(measurement)),
        "quality": quality_figure(measurement, source),
    }
    if phases[0].n_stars:
        figures |= {f"phase_{axis}": phase_figure(phases, axis) for axis in "xy"}
    rows = chip_rows(measurement)
    rows.insert(-1, ("sky noise, median", f"{sigma:.2f} e-/pixel"))
    chip = {
        "label": measurement.exposure.label,
        "rows": rows,
        "flags": flag_rows(np.asarray(measurement.catalog["flags"])),
        "n_well": phases[0].n_stars,
        "summary": [_summary(measurement, entry) for entry in phases],
        "psf": png_uri(psf_picture(measurement)),
        "sky": png_uri(sky_picture(sky, noise)),
    }
    return chip, figures


def _summary(measurement: Measurement, phases: Phases) -> dict[str, Any]:
    flags = np.asarray(measurement.catalog["flags"])
    return {
        "label": f"{measurement.exposure.label}, {phases.title}",
        "stars": len(flags),
        "saturated": int(np.count_nonzero(flags & Flag.SATURATED)),
        "well": phases.n_stars,
        "q": f"{phases.median_q:.3f}",
        "chi2_x": f"{phases.x_chi2:.2f}",
        "chi2_y": f"{phases.y_chi2:.2f}",
    }
