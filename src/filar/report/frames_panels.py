"""What a figure shows, apart from the library that draws it: marks, lines, levels and cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Dash = Literal["solid", "dashed", "dotted"]
Shade = tuple[str, str, str, str]

# Okabe & Ito (2008): colours that all eyes tell apart; the shapes differ as well. Each is a colour,
# the marker's name in matplotlib and in bokeh, and the letter that stands for it in text.
STYLES: tuple[Shade, ...] = (
    ("#D55E00", "o", "circle", "●"),
    ("#0072B2", "^", "triangle", "▲"),
    ("#009E73", "s", "square", "■"),
    ("#CC79A7", "D", "diamond", "◆"),
    ("#E69F00", "v", "inverted_triangle", "▼"),
    ("#56B4E9", "h", "hex", "⬢"),
)
BLACK = "#222222"
TRUTH = -1
"""Number of what is no method but the truth: black."""
GREY = "#777777"
MPIX = 1000.0
_LETTERS: dict[Dash, str] = {"solid": "━━", "dashed": "╍╍", "dotted": "┈┈"}


def style(number: int) -> Shade:
    """Colour and shapes of a method by its number; black circles for the truth."""
    if number < 0:
        return BLACK, "o", "circle", "●"
    return STYLES[number % len(STYLES)]


@dataclass(frozen=True, eq=False)
class Marks:
    """Points.

    Parameters
    ----------
    x, y : (n,) arrays
        In the units of the axes.
    label : str
        What they are; empty for no legend.
    method : int
        Number that chooses the style.
    error : (n,) array, optional
        Error bars along y.
    names : tuple of str
        Shown where the pointer rests.
    size : float
        Diameter in points.
    alpha : float
        Opacity.
    hollow : bool
        Whether the marks are open.
    dot : bool
        Whether they are round, whatever the method's shape.
    """

    x: FloatArray
    y: FloatArray
    label: str = ""
    method: int = 0
    error: FloatArray | None = None
    names: tuple[str, ...] = ()
    size: float = 5.0
    alpha: float = 0.8
    hollow: bool = False
    dot: bool = False

    @property
    def letter(self) -> str:
        """How a legend in text shows them."""
        return style(self.method)[3]

    @property
    def colour(self) -> str:
        """As ``#rrggbb``."""
        return style(self.method)[0]


@dataclass(frozen=True, eq=False)
class Line:
    """A line; gaps where a coordinate is NaN.

    Parameters
    ----------
    x, y : (n,) arrays
        In the units of the axes.
    label : str
        What it is; empty for no legend.
    colour : str
        As ``#rrggbb``.
    dash : {"solid", "dashed", "dotted"}
        How it is drawn.
    width : float
        Points.
    """

    x: FloatArray
    y: FloatArray
    label: str = ""
    colour: str = BLACK
    dash: Dash = "solid"
    width: float = 1.6

    @property
    def letter(self) -> str:
        """How a legend in text shows it."""
        return _LETTERS[self.dash]


@dataclass(frozen=True)
class Level:
    """A straight line across the panel.

    Parameters
    ----------
    value : float
        Where.
    across : {"x", "y"}
        The axis on which the value lies.
    dash : {"solid", "dashed", "dotted"}
        How it is drawn.
    label : str
        What it is; empty for no legend.
    colour : str
        As ``#rrggbb``.
    """

    value: float
    across: Literal["x", "y"] = "y"
    dash: Dash = "dashed"
    label: str = ""
    colour: str = GREY

    @property
    def letter(self) -> str:
        """How a legend in text shows it."""
        return _LETTERS[self.dash]


@dataclass(frozen=True, eq=False)
class Cells:
    """Values in cells of equal size, as colours with a bar beside the panel.

    Parameters
    ----------
    x_edges : (nx + 1,) array
        Of the cells along x, evenly spaced.
    y_edges : (ny + 1,) array
        Along y.
    values : (ny, nx) array
        NaN cells stay empty.
    title : str
        What the values are, with their unit; for the bar.
    low, high : float
        Ends of the bar.
    signed : bool
        Whether colours diverge from the middle, for differences.
    """

    x_edges: FloatArray
    y_edges: FloatArray
    values: FloatArray
    title: str
    low: float = 0.0
    high: float = 1.0
    signed: bool = False

    # Colours are explained by the bar, not by the legend.
    label = ""
    letter = ""
    colour = BLACK


Layer = Marks | Line | Level | Cells


@dataclass(frozen=True, eq=False)
class Panel:
    """One pair of axes.

    Parameters
    ----------
    title, x_label, y_label : str
        Labels with their units.
    layers : tuple of Marks, Line, Level or Cells
        From the back to the front.
    x_range, y_range : (float, float), optional
        Limits; the data's by default.
    log : bool
        Whether y is logarithmic.
    equal : bool
        Whether both axes have the same scale.
    ticks : tuple of str
        Names of x = 0, 1, 2, ...
    """

    title: str
    x_label: str
    y_label: str
    layers: tuple[Layer, ...]
    x_range: tuple[float, float] | None = None
    y_range: tuple[float, float] | None = None
    log: bool = False
    equal: bool = False
    ticks: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Figure:
    """Panels in rows and what to say about them.

    Parameters
    ----------
    name : str
        Of the PNG file, without suffix.
    title, note : str
        A heading, and how to read the figure.
    rows : tuple of tuples of Panel
        From the top.
    """

    name: str
    title: str
    note: str
    rows: tuple[tuple[Panel, ...], ...]

    def legend(self) -> list[tuple[str, str, str]]:
        """Letter, colour and label of everything that has a label, once."""
        found: dict[str, tuple[str, str, str]] = {}
        for row in self.rows:
            for panel in row:
                for layer in panel.layers:
                    if layer.label and layer.label not in found:
                        found[layer.label] = (layer.letter, layer.colour, layer.label)
        return list(found.values())


def steps(counts: NDArray[Any], low: float, high: float) -> tuple[FloatArray, FloatArray]:
    """Outline of a histogram with bins of equal width: corners (x, y)."""
    edges = np.linspace(low, high, len(counts) + 1)
    return np.repeat(edges, 2)[1:-1], np.repeat(np.asarray(counts, float), 2)


def thinned(number: int, most: int) -> NDArray[np.int64]:
    """Rows of at most so many of a number of points, drawn evenly but in no pattern."""
    if number <= most:
        return np.arange(number)
    return np.sort(np.random.default_rng(0).choice(number, most, replace=False))
