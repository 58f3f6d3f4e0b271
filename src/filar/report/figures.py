"""Figures to zoom and hover in: the image with its stars, errors, fit quality, pixel phases."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.exposure import Exposure
from filar.flags import Flag, decode
from filar.measure import Measurement
from filar.report.facts import PHASE_BINS, ErrorCurve, Phases

# Okabe & Ito (2008): colours that all eyes tell apart; the shapes differ as well. The first kind
# that fits a star is shown.
KINDS: tuple[tuple[str, int, str, str], ...] = (
    ("saturated", Flag.SATURATED | Flag.BY_MODEL | Flag.NO_MAGNITUDE, "#D55E00", "square"),
    ("cosmic ray, hot pixel", Flag.COSMIC_RAY | Flag.HOT_PIXEL, "#CC79A7", "x"),
    ("edge, no or bad fit",
     Flag.EDGE | Flag.OFF_IMAGE | Flag.NO_FIT | Flag.NOT_CONVERGED | Flag.NON_POSITIVE,
     "#E69F00", "triangle"),
    ("wider than a star", Flag.EXTENDED, "#009E73", "diamond"),
    ("masked pixels", Flag.MASKED, "#F0E442", "inverted_triangle"),
    ("neighbour within 5 pixels", Flag.NEIGHBOUR, "#56B4E9", "hex"),
    ("outside of the network's domain", Flag.OUTSIDE_DOMAIN, "#000000", "cross"),
)  # fmt: skip
CLEAN = ("no flag", "#FFFFFF", "circle")
_DARK = "#0072B2"
_GREY = "#777777"
MAX_IMAGE_PIXELS = 1_200_000


def stretch(exposure: Exposure, sky: float, noise: float) -> NDArray[np.uint8]:
    """Image as bytes: linear near the sky, logarithmic in the stars; binned if it is large.

    Parameters
    ----------
    exposure : Exposure
        One chip.
    sky, noise : float
        Level and standard deviation of the sky, electrons.

    Returns
    -------
    (my, mx) uint8 array
        At most `MAX_IMAGE_PIXELS`; unusable pixels are 0.
    """
    data = np.where(exposure.mask, np.nan, exposure.data)
    ny, nx = data.shape
    step = int(np.ceil(np.sqrt(max(1.0, nx * ny / MAX_IMAGE_PIXELS))))
    if step > 1:
        data = data[: ny // step * step, : nx // step * step]
        blocks = data.reshape(ny // step, step, nx // step, step)
        good = np.isfinite(blocks)
        total = np.where(good, blocks, 0).sum(axis=(1, 3))
        n_good = good.sum(axis=(1, 3))
        data = np.where(n_good > 0, total / np.maximum(n_good, 1), np.nan)
    good = np.isfinite(data)
    if not good.any():
        return np.zeros(data.shape, np.uint8)
    scaled = np.arcsinh((data - sky) / (3 * max(noise, 1e-3)))
    top = max(float(np.quantile(scaled[good], 0.9995)), 1.0)
    level = np.where(good, np.clip((scaled + 0.7) / (top + 0.7), 0, 1), 0)
    return (level * 255).astype(np.uint8)


def kind_of(flags: NDArray[np.integer[Any]]) -> NDArray[np.str_]:
    """Name the kind under which each star is shown.

    Parameters
    ----------
    flags : (n,) int array
        The ``flags`` column.

    Returns
    -------
    (n,) str array
        One of the names in `KINDS` and `CLEAN`.
    """
    kinds = np.full(len(flags), CLEAN[0], dtype="U32")
    for name, bits, _, _ in reversed(KINDS):
        kinds[(flags & int(bits)) != 0] = name
    return kinds


def star_source(measurement: Measurement) -> Any:
    """Stars of a chip as bokeh's source, shared by its figures.

    Parameters
    ----------
    measurement : Measurement
        One chip.

    Returns
    -------
    bokeh.models.ColumnDataSource
        With the columns that the figures show and hover over.
    """
    from bokeh.models import ColumnDataSource

    table = measurement.catalog
    flags = np.asarray(table["flags"])
    names = {bits: ", ".join(decode(int(bits))) or "none" for bits in np.unique(flags)}

    def column(name: str) -> NDArray[np.float32]:
        return np.asarray(getattr(table[name], "value", table[name]), dtype=np.float32)

    columns = ("x_fit", "y_fit", "x_err", "y_err", "flux_fit", "mag", "mag_err", "qfit",
               "reduced_chi2", "isolation", "local_bkg")  # fmt: skip
    data: dict[str, Any] = {name: column(name) for name in columns}
    data["id"] = np.asarray(table["id"])
    data["kind"] = kind_of(flags).tolist()
    data["flags"] = [names[bits] for bits in flags]
    return ColumnDataSource(data)


TOOLTIPS = [
    ("star", "@id"),
    ("x, y", "@x_fit{0.000}, @y_fit{0.000}"),
    ("errors", "@x_err{0.0000}, @y_err{0.0000}"),
    ("magnitude", "@mag{0.000} ± @mag_err{0.000}"),
    ("electrons", "@flux_fit{0,0}"),
    ("sky", "@local_bkg{0.0}"),
    ("q, chi2", "@qfit{0.000}, @reduced_chi2{0.00}"),
    ("isolation", "@isolation{0.0}"),
    ("flags", "@flags"),
]


def _figure(**options: Any) -> Any:
    from bokeh.plotting import figure

    tools = "pan,wheel_zoom,box_zoom,reset,save"
    shown = figure(tools=tools, active_scroll="wheel_zoom", **options)
    shown.toolbar.logo = None
    return shown


def _scatter(plot: Any, source: Any, x: str, y: str, size: int, dark: bool) -> list[Any]:
    """Draw the stars by kind; clicks on the legend hide a kind."""
    from bokeh.models import CDSView, GroupFilter

    drawn = []
    present = set(source.data["kind"])
    styles = [(CLEAN[0], CLEAN[1] if dark else _DARK, CLEAN[2])]
    styles += [(name, colour, marker) for name, _, colour, marker in reversed(KINDS)]
    for name, colour, marker in styles:
        if name not in present:
            continue
        drawn.append(
            plot.scatter(
                x,
                y,
                source=source,
                view=CDSView(filter=GroupFilter(column_name="kind", group=name)),
                marker=marker,
                size=size,
                line_color=colour,
                fill_color=None if dark else colour,
                fill_alpha=0.5,
                line_alpha=0.9 if dark else 0.5,
                legend_label=name,
            )
        )
    if drawn:
        plot.legend.click_policy = "hide"
    return drawn


def image_figure(measurement: Measurement, source: Any, sky: float, noise: float) -> Any:
    """Draw the image with the stars over it.

    Parameters
    ----------
    measurement : Measurement
        One chip.
    source : bokeh.models.ColumnDataSource
        Its stars.
    sky, noise : float
        Level and standard deviation of the sky, electrons.

    Returns
    -------
    bokeh figure
        Axes in pixels from 0.
    """
    from bokeh.models import HoverTool

    ny, nx = measurement.exposure.shape
    plot = _figure(
        width=860,
        height=int(np.clip(800 * ny / nx, 200, 1200)) + 90,
        x_range=(-0.5, nx - 0.5),
        y_range=(-0.5, ny - 0.5),
        match_aspect=True,
        x_axis_label="x (pixels from 0)",
        y_axis_label="y (pixels from 0)",
    )
    pixels = stretch(measurement.exposure, sky, noise)
    plot.image([pixels], x=-0.5, y=-0.5, dw=nx, dh=ny, palette="Greys256")
    drawn = _scatter(plot, source, "x_fit", "y_fit", 8, dark=True)
    if drawn:
        plot.add_tools(HoverTool(renderers=drawn, tooltips=TOOLTIPS))
        legend = plot.legend[0]
        legend.orientation, legend.background_fill_color = "horizontal", "#444444"
        legend.label_text_color, legend.background_fill_alpha = "white", 1.0
        legend.ncols, legend.label_text_font_size = 4, "9pt"
        plot.add_layout(legend, "above")
    plot.grid.visible = False
    return plot


def error_figure(measurement: Measurement, source: Any, curve: ErrorCurve | None) -> Any:
    """Draw magnitude against the error of x, with the Cramer-Rao bound.

    Parameters
    ----------
    measurement : Measurement
        One chip.
    source : bokeh.models.ColumnDataSource
        Its stars.
    curve : ErrorCurve or None
        The bound.

    Returns
    -------
    bokeh figure
        Logarithmic in the error.
    """
    plot = _against_magnitude(measurement, source, "x_err", "error of x (pixels)")
    if curve is not None:
        plot.line(curve.mag, curve.error, color="black", line_width=2, line_dash="dashed",
                  legend_label="Cramér-Rao bound, chip centre")  # fmt: skip
    return plot


def quality_figure(measurement: Measurement, source: Any) -> Any:
    """Draw magnitude against q.

    Parameters
    ----------
    measurement : Measurement
        One chip.
    source : bokeh.models.ColumnDataSource
        Its stars.

    Returns
    -------
    bokeh figure
        Logarithmic in q.
    """
    return _against_magnitude(measurement, source, "qfit", "q (summed |residual| / flux)")


def _against_magnitude(measurement: Measurement, source: Any, column: str, label: str) -> Any:
    from bokeh.models import HoverTool

    values = np.asarray(source.data[column], dtype=float)
    good = values[np.isfinite(values) & (values > 0)]
    low, high = np.quantile(good, (0.001, 0.995)) if good.size else (0.01, 1.0)
    plot = _figure(
        width=560,
        height=400,
        y_axis_type="log",
        y_range=(float(low) / 1.5, float(high) * 1.5),
        x_axis_label=f"magnitude ({measurement.settings.mag_system})",
        y_axis_label=label,
    )
    drawn = _scatter(plot, source, "mag", column, 4, dark=False)
    if drawn:
        plot.add_tools(HoverTool(renderers=drawn, tooltips=TOOLTIPS))
        plot.legend.location, plot.legend.label_text_font_size = "top_left", "8pt"
        plot.legend.background_fill_alpha = 0.7
    return plot


def phase_figure(phases: list[Phases], axis: str) -> Any:
    """Draw the histogram of pixel phases with each PSF, and what counting noise allows.

    Parameters
    ----------
    phases : list of Phases
        One per PSF.
    axis : {"x", "y"}
        Which coordinate.

    Returns
    -------
    bokeh figure
        Stars per bin.
    """
    from bokeh.models.annotations import BoxAnnotation, Span

    edges = np.linspace(-0.5, 0.5, PHASE_BINS + 1)
    plot = _figure(width=560, height=330, x_axis_label=f"pixel phase of {axis}",
                   y_axis_label="stars", x_range=(-0.5, 0.5))  # fmt: skip
    for entry, colour, dash in zip(phases, (_DARK, "#D55E00"), ("solid", "dashed"), strict=False):
        counts = entry.x if axis == "x" else entry.y
        chi2 = entry.x_chi2 if axis == "x" else entry.y_chi2
        plot.step(
            np.append(edges, edges[-1]),
            np.concatenate([counts[:1], counts, counts[-1:]]),
            mode="before",
            color=colour,
            line_width=2,
            line_dash=dash,
            legend_label=f"{entry.title}: reduced chi2 {chi2:.2f}",
        )
    mean = phases[0].n_stars / PHASE_BINS
    noise = np.sqrt(mean)
    plot.add_layout(BoxAnnotation(bottom=mean - noise, top=mean + noise, fill_color=_GREY,
                                  fill_alpha=0.2, line_alpha=0))  # fmt: skip
    plot.add_layout(Span(location=mean, dimension="width", line_color=_GREY))
    highest = max(max(entry.x.max(), entry.y.max()) for entry in phases)
    plot.y_range.start, plot.y_range.end = 0, max(float(highest) * 1.35, 1.0)
    plot.legend.location = "top_left"
    plot.legend.label_text_font_size = "9pt"
    return plot
