"""What all pages of figures have in common: page, PNG files and numbers side by side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from filar.catalogfile import check_output
from filar.errors import OutputFileError
from filar.report.frames_figures import write_png
from filar.report.frames_panels import Figure
from filar.report.frames_plots import embedded, embedded_rows
from filar.report.numbers import write_numbers, write_text


def write_figure_page(
    path: str | os.PathLike[str],
    template: str,
    figures: Sequence[Figure],
    numbers: Any,
    *,
    wrapped: bool = False,
    **values: Any,
) -> None:
    """Write a self-contained page, a PNG file per figure and the numbers.

    ``NAME.html`` gets a folder ``NAME_figures``, and ``NAME.json``.

    Parameters
    ----------
    path : path-like
        The page, ``.html``.
    template : str
        Name of the template, which extends ``base.html``.
    figures : sequence of Figure
        In the order of the page.
    numbers : dict
        For the JSON file.
    wrapped : bool
        Whether panels that do not fit side by side go below each other.
    **values
        What the template asks for besides the figures.

    Raises
    ------
    ParameterError
        If the suffix is another one.
    OutputFileError
        If something cannot be written.
    """
    target = check_output(path, (".html", ".htm"))
    folder = target.with_name(f"{target.stem}_figures")
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputFileError(folder, error.strerror or str(error)) from error
    for figure in figures:
        write_png(folder / f"{figure.name}.png", figure)
    write_numbers(target.with_suffix(".json"), numbers)
    write_text(target, _page(template, figures, wrapped, values | {"folder": folder.name}))


def _page(template: str, figures: Sequence[Figure], wrapped: bool, values: dict[str, Any]) -> str:
    from bokeh.resources import Resources
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    from filar import __version__

    script, divs = embedded_rows(figures) if wrapped else embedded(figures)
    environment = Environment(
        loader=PackageLoader("filar.report", "."), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template(template).render(
        figures=[(figure, figure.legend(), Markup(divs[figure.name])) for figure in figures],
        resources=Markup(Resources(mode="inline", components=["bokeh"]).render()),
        script=Markup(script),
        version=__version__,
        **values,
    )
