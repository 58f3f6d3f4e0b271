"""Panels of frames drawn as PNG files by matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from filar.report.frames_panels import Cells, Figure, Layer, Level, Line, Panel, style
from filar.wholefile import whole_file

PANEL = (3.9, 2.6)  # inches, the axes alone
CELLS = (2.9, 3.2)  # of figures with cells in them
_LEFT, _RIGHT, _BELOW, _ABOVE = 0.75, 0.15, 0.75, 0.75
_ABOVE_ALONE = 0.35  # without a legend
_ROW = 0.22  # more for each row of a legend after the second
_BETWEEN, _STACKED = 0.85, 0.95
_CHARACTER = 0.09  # of a number along y
_BAR = 0.55  # for a bar of colours beside each panel
DPI = 110
_DASHES = {"solid": "-", "dashed": "--", "dotted": ":"}
_COARSE, _FINE = (1.0, 2.0, 5.0), (1.0, 1.2, 1.5, 2.0, 3.0, 5.0, 7.0)
_NARROW = 12.0  # ends of an axis: more places are labelled on shorter ones
_RASTER = 2000  # more points than this have no visible edges


def write_png(path: Path, figure: Figure) -> None:
    """Draw a figure and write it, whole or not at all.

    Parameters
    ----------
    path : Path
        ``.png``.
    figure : Figure
        What to draw.

    Raises
    ------
    OutputFileError
        If the file cannot be written.
    """
    drawn = draw(figure)
    with whole_file(path) as temporary:
        drawn.savefig(temporary, format="png", dpi=DPI)


def draw(figure: Figure) -> Any:
    """Draw the panels of a figure.

    Parameters
    ----------
    figure : Figure
        What to draw.

    Returns
    -------
    matplotlib Figure
        Its legend above all panels.
    """
    from matplotlib.figure import Figure as Canvas

    rows, columns = len(figure.rows), max(len(row) for row in figure.rows)
    cells = any(_has_cells(panel) for row in figure.rows for panel in row)
    wide, tall = CELLS if cells else PANEL
    if any(panel.equal for row in figure.rows for panel in row):
        tall = wide
    bar = _BAR if cells else 0.0
    labels = max(_long_labels(panel) for row in figure.rows for panel in row)
    left, between, right = _LEFT + labels, _BETWEEN + labels + bar, _RIGHT + 1.3 * bar
    width = left + columns * wide + (columns - 1) * between + right
    beside = min(3 if columns > 1 else 2, max(len(figure.legend()), 1))
    above = _ABOVE if figure.legend() else _ABOVE_ALONE
    above += _ROW * max(-(-len(figure.legend()) // beside) - 2, 0)
    height = _BELOW + rows * tall + (rows - 1) * _STACKED + above
    canvas = Canvas(figsize=(width, height))
    # Margins in inches: matplotlib's own layout takes as long as the drawing.
    canvas.subplots_adjust(left=left / width, right=1 - right / width, bottom=_BELOW / height,
                           top=1 - above / height, wspace=between / wide,
                           hspace=_STACKED / tall)  # fmt: skip
    axes = canvas.subplots(rows, columns, squeeze=False)
    handles: dict[str, Any] = {}
    for row, places in zip(figure.rows, axes, strict=True):
        for place in places[len(row) :]:
            place.set_visible(False)
        for panel, place in zip(row, places, strict=False):
            _draw_panel(place, panel)
            for handle, label in zip(*place.get_legend_handles_labels(), strict=True):
                handles.setdefault(label, handle)
    if handles:
        shown = canvas.legend(handles.values(), [_plain(label) for label in handles],
                      loc="upper center", ncols=beside, fontsize=10,
                      frameon=False, borderaxespad=0.2)  # fmt: skip
        handles_shown: list[Any] = list(shown.legend_handles)
        for handle in handles_shown:
            handle.set(alpha=1.0, markersize=7)
    return canvas


def _long_labels(panel: Panel) -> float:
    """Inches that numbers along y need beyond five characters, as magnitudes in a narrow range."""
    if panel.log or panel.y_range is None or panel.y_range[0] == panel.y_range[1]:
        return 0.0
    step = abs(panel.y_range[1] - panel.y_range[0]) / 6
    digits = max(0, int(np.ceil(-np.log10(step))))
    longest = max(len(f"{value:.{digits}f}") for value in panel.y_range)
    return _CHARACTER * max(longest - 5, 0)


def _has_cells(panel: Panel) -> bool:
    return any(isinstance(layer, Cells) for layer in panel.layers)


def _draw_panel(place: Any, panel: Panel) -> None:
    place.set_title(_plain(panel.title), fontsize=11)
    place.set_xlabel(panel.x_label, fontsize=11)
    place.set_ylabel(panel.y_label, fontsize=11)
    place.tick_params(direction="in", top=True, right=True, labelsize=10)
    if panel.log:
        low, high = panel.y_range or (1.0, 100.0)
        _log_axis(place, _FINE if high < _NARROW * low else _COARSE)
    for layer in panel.layers:
        _draw_layer(place, layer)
    if panel.equal:
        place.set_aspect("equal", adjustable="box")
    if panel.ticks:
        place.set_xticks(range(len(panel.ticks)), [_plain(tick) for tick in panel.ticks])
    if panel.x_range is not None:
        place.set_xlim(*panel.x_range)
    if panel.y_range is not None:
        place.set_ylim(*panel.y_range)


def _log_axis(place: Any, labelled: tuple[float, ...]) -> None:
    """Logarithmic, with plain numbers at some places of each decade."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    place.set_yscale("log")
    place.yaxis.set_major_locator(LogLocator(subs=labelled))
    place.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    place.yaxis.set_minor_formatter(NullFormatter())


def _draw_cells(place: Any, cells: Cells) -> None:
    drawn = place.pcolormesh(cells.x_edges, cells.y_edges, np.ma.masked_invalid(cells.values),
                             cmap="RdBu_r" if cells.signed else "cividis", vmin=cells.low,
                             vmax=cells.high, rasterized=True)  # fmt: skip
    place.set_facecolor("#dddddd")  # not white, which is no difference
    beside = place.inset_axes((1.03, 0.0, 0.05, 1.0))
    place.figure.colorbar(drawn, cax=beside).set_label(cells.title, fontsize=10)
    beside.tick_params(labelsize=9)


def _draw_layer(place: Any, layer: Layer) -> None:
    if isinstance(layer, Cells):
        _draw_cells(place, layer)
        return
    label = layer.label or "_nolegend_"
    if isinstance(layer, Level):
        span = place.axhline if layer.across == "y" else place.axvline
        span(layer.value, color=layer.colour, ls=_DASHES[layer.dash], lw=1, label=label, zorder=0)
        return
    if isinstance(layer, Line):
        place.plot(layer.x, layer.y, color=layer.colour, ls=_DASHES[layer.dash], lw=layer.width,
                   label=label)  # fmt: skip
        return
    colour, marker, _, _ = style(layer.method)
    if layer.error is not None and np.isfinite(layer.error).any():
        place.errorbar(layer.x, layer.y, layer.error, ls="none", color=colour, elinewidth=1,
                       label="_nolegend_")  # fmt: skip
    place.plot(
        layer.x,
        layer.y,
        ls="none",
        marker="o" if layer.dot else marker,
        ms=layer.size,
        mfc="none" if layer.hollow else colour,
        mec=colour,
        mew=0 if len(layer.x) > _RASTER and not layer.hollow else 0.8,
        alpha=layer.alpha,
        label=label,
    )


def _plain(text: str) -> str:
    """Text in which matplotlib sees no formulas."""
    return text.replace("$", r"\$")
