"""Panels of frames drawn by bokeh, to zoom and hover in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from filar.report.frames_panels import Figure, Level, Line, Marks, Panel, style

WIDTH, HEIGHT = 560, 320


def plot(figure: Figure) -> Any:
    """Draw the panels of a figure.

    Parameters
    ----------
    figure : Figure
        What to draw.

    Returns
    -------
    bokeh grid plot
        One toolbar for all panels; the legend is left to the page.
    """
    from bokeh.layouts import gridplot

    rows = [[_panel(panel) for panel in row] for row in figure.rows]
    grid = gridplot(rows, merge_tools=True, toolbar_location="right")
    grid.toolbar.logo = None
    return grid


def embedded(figures: Sequence[Figure]) -> tuple[str, dict[str, str]]:
    """Draw figures for a page.

    Parameters
    ----------
    figures : sequence of Figure
        What to draw.

    Returns
    -------
    script : str
        To go into the page once.
    divs : dict
        From a figure's name to the element that shows it.
    """
    from bokeh.document import Document
    from bokeh.embed import components

    drawn = {figure.name: plot(figure) for figure in figures}
    document = Document()
    # Bokeh goes through all models again for each figure that is added, unless it is told to wait.
    with document.models.freeze():
        for root in drawn.values():
            document.add_root(root)
    script, divs = components(drawn)
    return str(script), {name: str(div) for name, div in divs.items()}


def _panel(panel: Panel) -> Any:
    from bokeh.plotting import figure

    options: dict[str, Any] = {}
    if panel.x_range is not None:
        options["x_range"] = tuple(float(v) for v in panel.x_range)
    if panel.y_range is not None:
        options["y_range"] = tuple(float(v) for v in panel.y_range)
    shown = figure(
        width=WIDTH,
        height=500 if panel.equal else HEIGHT,
        title=panel.title,
        x_axis_label=panel.x_label,
        y_axis_label=panel.y_label,
        y_axis_type="log" if panel.log else "linear",
        match_aspect=panel.equal,
        tools="pan,wheel_zoom,box_zoom,reset,save",
        **options,
    )
    for axis in shown.axis:
        axis.axis_label_text_font_style, axis.axis_label_text_font_size = "normal", "11pt"
        axis.major_label_text_font_size = "10pt"
    if panel.ticks:
        shown.xaxis.ticker = list(range(len(panel.ticks)))
        shown.xaxis.major_label_overrides = dict(enumerate(panel.ticks))
    hovering = []
    for layer in panel.layers:
        drawn = _layer(shown, layer)
        if isinstance(layer, Marks) and layer.names:
            hovering.append(drawn)
    if hovering:
        _add_hover(shown, hovering, panel)
    return shown


def _add_hover(shown: Any, renderers: list[Any], panel: Panel) -> None:
    from bokeh.models import HoverTool

    tips = [("", "@name"), (panel.x_label, "@x{0.000}"), (panel.y_label, "@y{0.00}")]
    shown.add_tools(HoverTool(renderers=renderers, tooltips=tips))


def _layer(shown: Any, layer: Marks | Line | Level) -> Any:
    from bokeh.models import ColumnDataSource
    from bokeh.models.annotations import Span

    if isinstance(layer, Level):
        shown.add_layout(
            Span(
                location=float(layer.value),
                dimension="width" if layer.across == "y" else "height",
                line_color=layer.colour,
                line_dash=layer.dash,
            )
        )
        return None
    x, y = (np.asarray(values, np.float32) for values in (layer.x, layer.y))
    if isinstance(layer, Line):
        return shown.line(x, y, color=layer.colour, line_width=layer.width,
                          line_dash=layer.dash)  # fmt: skip
    colour, _, marker, _ = style(layer.method)
    if layer.error is not None and np.isfinite(layer.error).any():
        error = np.asarray(layer.error, np.float32)
        shown.segment(x, y - error, x, y + error, color=colour)
    data: dict[str, Any] = {"x": x, "y": y}
    if layer.names:
        data["name"] = list(layer.names)
    return shown.scatter(
        "x",
        "y",
        source=ColumnDataSource(data),
        marker="circle" if layer.dot else marker,
        size=layer.size * 1.3,
        line_color=colour,
        fill_color=None if layer.hollow else colour,
        alpha=layer.alpha,
    )
