"""Figures like H24's: the CMD with its two-segment boundary, curves, calibration, functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.h24.truth import Functions
from filar.completeness.curves import CompletenessCurves
from filar.completeness.table import ArtificialStars
from filar.wholefile import whole_file

FloatArray = NDArray[np.float64]
# Okabe and Ito's colours, told apart by the colour-blind.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
CELLS = (0.15, 0.15)
LEAST = 4


def _figure(size: tuple[float, float]) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _save(figure: Any, path: Path) -> None:
    with whole_file(path) as temporary:
        figure.savefig(temporary, dpi=130, format="png")


def cmd(stars: ArtificialStars, models: Mapping[str, FloatArray], path: Path) -> None:
    """Recovered fraction over the diagram of measured magnitudes, true and predicted.

    Parameters
    ----------
    stars : ArtificialStars
        Held out ones.
    models : mapping of str to (n,) arrays
        Probabilities by name.
    path : Path
        The PNG file.
    """
    mag = stars.magnitudes("measured")
    color, bright = mag[:, 0] - mag[:, 1], mag[:, 0]
    ranges = [np.nanquantile(v, [0.002, 0.998]) for v in (color, bright)]
    edges = [
        np.arange(low, high + step, step) for (low, high), step in zip(ranges, CELLS, strict=True)
    ]

    def mean(values: Any) -> FloatArray:
        total = np.histogram2d(color, bright, edges, weights=np.asarray(values, float))[0]
        count = np.histogram2d(color, bright, edges)[0]
        return np.where(count >= LEAST, total / np.maximum(count, 1), np.nan)

    true = mean(stars.recovered)
    figure = _figure((3.6 * (1 + len(models)), 7.2))
    panels = figure.subplots(2, 1 + len(models), sharex=True, sharey=True)
    images = {"artificial stars": true} | {name: mean(p) for name, p in models.items()}
    for panel, (name, image) in zip(panels[0], images.items(), strict=True):
        shown = panel.pcolormesh(*edges, image.T, cmap="viridis", vmin=0, vmax=1)
        panel.set_title(name)
    figure.colorbar(shown, ax=panels[0], label="recovered")
    panels[1, 0].axis("off")
    for panel, image in zip(panels[1, 1:], list(images.values())[1:], strict=True):
        shown = panel.pcolormesh(*edges, (image - true).T, cmap="RdBu_r", vmin=-0.4, vmax=0.4)
        panel.set_xlabel(f"{stars.bands[0]} - {stars.bands[1]}, measured")
    figure.colorbar(shown, ax=panels[1], label="predicted - true")
    panels[0, 0].set_ylabel(f"{stars.bands[0]}, measured")
    panels[0, 0].invert_yaxis()
    _save(figure, path)


def curves(found: Mapping[str, CompletenessCurves], path: Path) -> None:
    """Completeness against input and measured magnitude, and the fractional excess (figure 11).

    Parameters
    ----------
    found : mapping of str to CompletenessCurves
        By scene.
    path : Path
        The PNG file.
    """
    figure = _figure((4.6 * len(found), 5.6))
    panels = figure.subplots(
        2, len(found), sharex="col", sharey="row", squeeze=False, height_ratios=[2.2, 1]
    )
    for column, (name, one) in enumerate(found.items()):
        upper, lower = panels[:, column]
        for label, value, error, color in (
            ("input", one.against_input, one.against_input_err, COLORS[1]),
            ("measured", one.against_measured, one.against_measured_err, "black"),
        ):
            upper.errorbar(
                one.centres, value, error, color=color, marker=".", ms=4, lw=1, capsize=0,
                label=f"against {label} magnitude",
            )  # fmt: skip
        upper.axhline(0.5, color="0.8", lw=0.8, zorder=0)
        upper.set_title(name)
        lower.axhline(0, color="0.8", lw=0.8, zorder=0)
        lower.step(one.centres, one.excess, where="mid", color="black", lw=1)
        lower.set_xlabel(one.band)
    panels[0, 0].set_ylabel("completeness")
    panels[0, 0].set_ylim(-0.03, 1.3)
    panels[1, 0].set_ylabel("fractional excess")
    panels[0, 0].legend(fontsize=8, loc="lower left")
    _save(figure, path)


def truth(rows: Mapping[str, Sequence[Mapping[str, Any]]], path: Path) -> None:
    """Predicted less true recovered fraction of true stars, tenth by tenth.

    Parameters
    ----------
    rows : mapping of str to sequence of dict
        From `experiments.h24.truth.calibration`, by scene.
    path : Path
        The PNG file.
    """
    figure = _figure((4.8 * len(rows), 3.8))
    panels = figure.subplots(1, len(rows), sharey=True, squeeze=False)[0]
    for panel, (name, parts) in zip(panels, rows.items(), strict=True):
        panel.axhspan(-1, 1, color="0.93", zorder=0)
        for k, row in enumerate(parts):
            place = np.array(row["predicted"]) + 0.006 * (k - 1.5)
            panel.errorbar(
                place, 100 * np.array(row["difference"]), 100 * np.array(row["chance"]),
                ls="", marker="os^D"[k % 4], ms=4, color=COLORS[k % 4], lw=1, label=row["subset"],
            )  # fmt: skip
        panel.set_title(name)
        panel.set_xlabel("predicted probability (tenths of the stars)")
    panels[0].set_ylabel("predicted - true fraction, %")
    panels[-1].legend(fontsize=8)
    _save(figure, path)


def luminosity(found: Mapping[str, Functions], path: Path) -> None:
    """Luminosity functions: observed, true, corrected, and by one over the probability.

    Parameters
    ----------
    found : mapping of str to Functions
        By scene.
    path : Path
        The PNG file.
    """
    figure = _figure((4.8 * len(found), 6.2))
    panels = figure.subplots(2, len(found), sharex="col", squeeze=False, height_ratios=[1.6, 1])
    for column, (name, one) in enumerate(found.items()):
        upper, lower = panels[:, column]
        centres = 0.5 * (one.edges[1:] + one.edges[:-1])
        first = one.found[0]
        upper.stairs(one.true[0], one.edges, color="black", label="true")
        upper.stairs(first.observed, one.edges, color="0.6", ls="--", label="observed")
        upper.errorbar(
            centres, first.number, first.field_err, ls="", marker="o", ms=4, color=COLORS[0],
            label="corrected",
        )  # fmt: skip
        upper.set_yscale("log")
        upper.set_ylim(1, 3 * one.true[0].max())
        upper.set_title(f"{name}, one realisation")
        ratio = one.figures()["over_true"]
        spread = np.nanstd(
            np.where(one.compared(), one.number() / np.maximum(one.true, 1), np.nan), axis=0
        )
        lower.axhline(1, color="0.8", lw=0.8, zorder=0)
        lower.errorbar(
            centres, ratio["corrected"], spread, marker="o", ms=4, ls="", color=COLORS[0],
            label="corrected (spread of realisations)",
        )  # fmt: skip
        lower.plot(
            centres, ratio["one over p"], "s", ms=4, mfc="none", color=COLORS[1], label="sum of 1/p"
        )
        lower.set_ylim(0.4, 1.6)
        lower.set_xlabel(first.band)
    panels[0, 0].set_ylabel("stars per bin")
    panels[1, 0].set_ylabel("found / true, all realisations")
    panels[0, 0].legend(fontsize=8)
    panels[1, 0].legend(fontsize=8)
    _save(figure, path)
