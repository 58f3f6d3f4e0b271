"""Figures of the networks themselves: losses while training, and what the centres hang on."""

from __future__ import annotations

import numpy as np

from filar.centering.sensitivity import Sensitivity
from filar.report.centering_facts import CenteringFacts, History
from filar.report.frames_panels import GREY, MPIX, Figure, Layer, Level, Line, Marks, Panel, style
from filar.report.frames_truth import arrows

_PAIR = (("x", 0), ("y", 1))


def network_figures(facts: CenteringFacts) -> list[Figure]:
    """Losses and sensitivities.

    Parameters
    ----------
    facts : CenteringFacts
        What is known.

    Returns
    -------
    list of Figure
        Those for which there is something to show.
    """
    losses = [_loss_panel(name, rows) for name, rows in facts.history.items() if rows]
    found = []
    if losses:
        note = (
            "Loss of the training and the validation part after each epoch, as in C24's figure 2. "
            "A validation loss that rises again while the other falls is overfitting. Dotted: the "
            "epoch whose weights were kept, that of the smallest validation loss."
        )
        found.append(Figure("loss", "Loss curves", note, _pairs(losses)))
    every = [
        (f"{label}, {name}", number + 1, one)
        for label, networks in facts.sensitivity.items()
        for number, (name, one) in enumerate(networks)
    ]
    if every:
        found += [_place_figure(every), _magnitude_figure(every)]
    return found


def _pairs(panels: list[Panel]) -> tuple[tuple[Panel, ...], ...]:
    return tuple(tuple(panels[i : i + 2]) for i in range(0, len(panels), 2))


def _loss_panel(name: str, rows: History) -> Panel:
    epoch = np.array([row.get("epoch", i + 1) for i, row in enumerate(rows)], float)
    layers: list[Layer] = []
    best = np.nan
    for part, number in (("train", 0), ("validation", 1)):
        loss = np.array([row.get(f"{part}_loss", np.nan) for row in rows], float)
        if part == "validation" and np.isfinite(loss).any():
            best = float(epoch[np.nanargmin(loss)])
        label = {"train": "training", "validation": "validation"}[part]
        layers.append(Line(epoch, loss, label, style(number)[0], width=1.4))
    if np.isfinite(best):
        layers.insert(0, Level(best, "x", "dotted"))
    positive = all((layer.y[np.isfinite(layer.y)] > 0).all() for layer in layers
                   if isinstance(layer, Line))  # fmt: skip
    return Panel(name, "epoch", "loss", tuple(layers), log=positive)


def _place_figure(every: list[tuple[str, int, Sensitivity]]) -> Figure:
    panels = []
    for label, number, one in every:
        layers, unit = arrows(one.grid_x, one.grid_y, one.place_dx, one.place_dy, number)
        cross = Line(
            np.array([one.x - 20, one.x + 20, np.nan, one.x, one.x]),
            np.array([one.y, one.y, np.nan, one.y - 20, one.y + 20]),
            "where the star is",
        )
        longest = MPIX * float(np.nanmax(np.hypot(one.place_dx, one.place_dy), initial=0.0))
        told = f"x that is told (pixels); 80 pixels of arrow = {unit:g} mpix"
        panels.append(Panel(f"{label}: up to {longest:.0f} mpix", told, "y that is told (pixels)",
                            (*layers, cross), equal=True))  # fmt: skip
    note = (
        "One bright star near the middle of the chip (cross): how its centre changes if the "
        "network is told that the same raster lies at each dot, as in C24's figures 12 and 13 "
        "(there up to 160 mpix). This is what the network knows of the PSF's change over the chip."
    )
    return Figure("sensitivity_place", "Sensitivity to the place on the chip", note, _pairs(panels))


def _magnitude_figure(every: list[tuple[str, int, Sensitivity]]) -> Figure:
    panels = []
    for label, _, one in every:
        layers: list[Layer] = [Level(one.mag, "x", "dotted", "the star's own magnitude", GREY),
                               Level(0.0, dash="solid")]  # fmt: skip
        top = 1.0
        for axis, number in _PAIR:
            change = getattr(one, f"mag_d{axis}") * MPIX
            top = max(top, 1.1 * float(np.nanmax(np.abs(change), initial=0.0)))
            layers.append(Line(one.mags, change, colour=style(number + 2)[0], width=0.8))
            layers.append(Marks(one.mags, change, f"change of {axis}", number + 2))
        panels.append(Panel(label, "instrumental magnitude that is told", "change (mpix)",
                            tuple(layers), y_range=(-top, top)))  # fmt: skip
    note = (
        "The same star if the network is told other magnitudes, as in C24's figure 14 (there 10 to "
        "20 mpix over 6 magnitudes). A network that is told no magnitude shows no change."
    )
    return Figure("sensitivity_magnitude", "Sensitivity to the magnitude", note, _pairs(panels))
