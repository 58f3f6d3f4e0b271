"""Panels of frames drawn by bokeh, to zoom and hover in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from filar.report.frames_panels import Cells, Figure, Layer, Level, Line, Marks, Panel, style

WIDTH, HEIGHT = 560, 320
NARROW, TALL = 335, 400  # of three or more panels side by side; of panels with cells
_SIGNED = 11  # colours of the palette that diverges


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

    rows = [[_panel(panel, _width(figure)) for panel in row] for row in figure.rows]
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
    return _embed({figure.name: plot(figure) for figure in figures})


def embedded_rows(figures: Sequence[Figure]) -> tuple[str, dict[str, str]]:
    """Draw figures for a page on which panels that do not fit side by side go below each other.

    Parameters
    ----------
    figures : sequence of Figure
        What to draw.

    Returns
    -------
    script : str
        To go into the page once.
    divs : dict
        From a figure's name to its rows: elements of the class "panels", to be styled as flexible
        boxes that wrap.
    """
    drawn = {}
    for figure in figures:
        width = _width(figure)
        for i, row in enumerate(figure.rows):
            for j, panel in enumerate(row):
                drawn[f"{figure.name} {i} {j}"] = _panel(panel, width)
    script, divs = _embed(drawn)
    found = {}
    for figure in figures:
        rows = [
            "".join(divs[f"{figure.name} {i} {j}"] for j in range(len(row)))
            for i, row in enumerate(figure.rows)
        ]
        found[figure.name] = "".join(f'<div class="panels">{row}</div>' for row in rows)
    return script, found


def _embed(drawn: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    from bokeh.document import Document
    from bokeh.embed import components

    document = Document()
    # Bokeh goes through all models again for each figure that is added, unless it is told to wait.
    with document.models.freeze():
        for root in drawn.values():
            document.add_root(root)
    script, divs = components(dict(drawn))
    return str(script), {name: str(div) for name, div in divs.items()}


def _width(figure: Figure) -> int:
    return WIDTH if max(len(row) for row in figure.rows) < 3 else NARROW


def _panel(panel: Panel, width: int) -> Any:
    from bokeh.plotting import figure

    options: dict[str, Any] = {}
    if panel.x_range is not None:
        options["x_range"] = tuple(float(v) for v in panel.x_range)
    if panel.y_range is not None:
        options["y_range"] = tuple(float(v) for v in panel.y_range)
    shown = figure(
        width=width,
        height=_height(panel),
        title=panel.title,
        x_axis_label=panel.x_label,
        y_axis_label=panel.y_label,
        y_axis_type="log" if panel.log else "linear",
        match_aspect=panel.equal,
        toolbar_location="right" if width > NARROW else "above",
        tools="pan,wheel_zoom,box_zoom,reset,save",
        **options,
    )
    shown.toolbar.logo = None
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


def _height(panel: Panel) -> int:
    if panel.equal:
        return 500
    return TALL if any(isinstance(layer, Cells) for layer in panel.layers) else HEIGHT


def _add_hover(shown: Any, renderers: list[Any], panel: Panel) -> None:
    from bokeh.models import HoverTool

    tips = [("", "@name"), (panel.x_label, "@x{0.000}"), (panel.y_label, "@y{0.00}")]
    shown.add_tools(HoverTool(renderers=renderers, tooltips=tips))


def _cells(shown: Any, cells: Cells) -> Any:
    from bokeh.models import LinearColorMapper
    from bokeh.models.annotations import ColorBar
    from bokeh.palettes import Cividis256, RdBu, interp_palette

    palette = interp_palette(RdBu[_SIGNED], 255) if cells.signed else Cividis256
    # Empty cells show the panel's ground, which is grey since white is a value of no difference.
    mapper = LinearColorMapper(palette=palette, low=float(cells.low), high=float(cells.high),
                               nan_color="rgba(0, 0, 0, 0)")  # fmt: skip
    x, y = cells.x_edges, cells.y_edges
    shown.background_fill_color = "#dddddd"
    shown.grid.visible = False
    drawn = shown.image([np.asarray(cells.values, np.float32)], x=float(x[0]), y=float(y[0]),
                        dw=float(x[-1] - x[0]), dh=float(y[-1] - y[0]), color_mapper=mapper,
                        level="image")  # fmt: skip
    shown.add_layout(ColorBar(color_mapper=mapper, width=10, padding=4), "right")
    return drawn


def _layer(shown: Any, layer: Layer) -> Any:
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
    if isinstance(layer, Cells):
        return _cells(shown, layer)
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
