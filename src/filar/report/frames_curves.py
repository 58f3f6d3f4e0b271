"""Figures of offsets and of standard errors against them: C23's 1, 2, 7 and 10, C24's 3."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from filar.frames.accuracy import accuracy
from filar.frames.curves import AXES
from filar.frames.truephase import phase_over_field
from filar.report.frames_facts import FrameFacts, Groups, median_rms
from filar.report.frames_panels import (
    BLACK,
    MPIX,
    Figure,
    Layer,
    Level,
    Line,
    Marks,
    Panel,
    style,
)

_LOWEST_TOP = 25.0  # mpix
_HEADROOM = 1.15
_OPEN = "open: rms about the means; weighted bias"
_SMALL = "small: from the truth"


def offsets_figure(groups: Groups) -> Figure:
    """Draw where the exposures lie, as in C23's figure 1."""
    panels = []
    for label, facts in groups.items():
        ties = [tie for tie in facts[0].frame.ties if tie.used]
        names = tuple(tie.stars.exposure for tie in ties)
        x, y = (np.array([getattr(tie, f"offset_{axis}") for tie in ties]) for axis in AXES)
        layers = (
            Level(0.0, "x", "dotted"),
            Level(0.0, "y", "dotted"),
            Marks(x, y, method=facts[0].number, names=names, size=4),
        )
        title = f"{label}: {len(ties)} exposures"
        panels.append(
            Panel(title, "offset in x (pixels)", "offset in y (pixels)", layers, equal=True)
        )
    rows = tuple(tuple(panels[i : i + 2]) for i in range(0, len(panels), 2))
    note = (
        "Offsets of the exposures from the reference, which is at (0, 0), in pixels of the chip. "
        "A fit of the bias needs offsets that cover all fractions of a pixel evenly."
    )
    return Figure("offsets", "Offsets of the exposures", note, rows)


def offset_curves(groups: Groups) -> Figure:
    """Draw standard errors against offset, as in C23's figure 2."""
    note = (
        "Each point is an exposure: the standard error of the cubic transformation of its stars "
        "to the reference's. Where the error rises between whole-pixel offsets, centres are pulled "
        "towards the middle or the edge of their pixels: a V where the offsets stay within half a "
        "pixel, a W where they reach one, and more arches beyond. Lines are the fitted bias; "
        "dashed lines mark 20 and 40 mpix."
    )
    rows = tuple(
        tuple(_curve_panel(facts, axis, folded=False) for axis in AXES) for facts in groups.values()
    )
    return Figure("curves_offset", "Transformation error against offset", note, rows)


def phase_curves(groups: Groups) -> Figure:
    """Draw standard errors against offset phase, as in C24's figure 3."""
    note = (
        "The same against the fraction of the offset. A flat curve means no pixel-phase bias; a "
        "hump at 0.5 is the bias, and the level at 0 and 1 the noise of two single measures, "
        "1.4 times that of one. The dotted line marks 20 mpix."
    )
    rows = tuple(
        tuple(_curve_panel(facts, axis, folded=True) for axis in AXES) for facts in groups.values()
    )
    return Figure("curves_phase", "Transformation error against offset phase", note, rows)


def _curve_panel(methods: Sequence[FrameFacts], axis: str, *, folded: bool) -> Panel:
    levels = (20.0,) if folded else (20.0, 40.0)
    layers: list[Layer] = [Level(level, dash="dotted" if folded else "dashed") for level in levels]
    if not folded:
        layers.append(Level(0.0, "x", "solid"))
    tops, reach = [_LOWEST_TOP], 0.0
    for facts in methods:
        curve = facts.curve[axis]
        if not len(curve):
            continue
        tops.append(float(np.quantile(curve.error, 0.98)) * MPIX * _HEADROOM)
        reach = max(reach, float(np.abs(curve.offset).max()))
        layers.append(
            Marks(
                curve.phase if folded else curve.offset,
                curve.error * MPIX,
                facts.method,
                facts.number,
                names=curve.exposure,
                size=3.5 if len(curve) > 150 else 5,
                alpha=0.6,
            )
        )
    span = np.linspace(0, 1, 101) if folded else np.linspace(-1.05 * reach, 1.05 * reach, 241)
    for facts in methods:
        if len(facts.curve[axis]) and np.isfinite(facts.bias[axis].sigma):
            layers.append(Line(span, facts.bias[axis](span) * MPIX,
                               colour=style(facts.number)[0], width=1.2))  # fmt: skip
    return Panel(
        f"{methods[0].label}, {axis}",
        f"offset phase in {axis} (pixels)" if folded else f"offset in {axis} (pixels)",
        "standard error (mpix)",
        tuple(layers),
        x_range=(-0.02, 1.02) if folded else None,
        y_range=(0.0, max(tops)),
    )


def methods_figure(groups: Groups) -> Figure:
    """Draw the methods' errors and biases side by side, in the manner of C23's figure 7."""
    note = (
        "Left: the error of one measure in three ways, from the level of the curves at whole-pixel "
        "offsets (filled: bias apart), from the scatter about the means (open: bias included) and, "
        "with truth, from the true positions (small), beside the Cramér-Rao bound. Right: the "
        "amplitude of the pixel-phase bias (filled: from the curves; open: the quoted errors taken "
        "off star by star, free of what clipping does to unequal noise), below 0 where noise "
        "makes its square negative; "
        "small, with truth: the rms over the chip of the bias against true phase. "
        "x and y side by side."
    )
    rows = tuple((_error_panel(facts), _bias_panel(facts)) for facts in groups.values())
    return Figure("methods", "Methods side by side", note, rows)


def _error_panel(methods: Sequence[FrameFacts]) -> Panel:
    ticks = AXES * len(methods)
    layers: list[Layer] = []
    bounds = np.full(len(ticks), np.nan)
    for i, facts in enumerate(methods):
        at = 2.0 * i + np.arange(2.0)
        fits = [facts.bias[axis] for axis in AXES]
        sigma, err = (
            np.array([getattr(f, n) for f in fits]) * MPIX for n in ("sigma", "sigma_err")
        )
        rms = np.array([median_rms(facts, axis) for axis in AXES]) * MPIX
        number = facts.number
        layers.append(Marks(at - 0.2, sigma, facts.method, number, error=err, size=7))
        layers.append(
            Marks(
                at,
                rms,
                "" if i else _OPEN,
                number,
                size=8,
                hollow=True,
            )
        )
        if facts.errors is not None:
            short = [accuracy(facts.errors, axis) for axis in AXES]
            true, err = (
                np.array([getattr(s, n) for s in short]) * MPIX for n in ("rms", "rms_err")
            )
            layers.append(Marks(at + 0.2, true, "" if i else _SMALL, number, error=err, size=4))
            bounds[2 * i : 2 * i + 2] = np.array([s.bound for s in short]) * MPIX
    if np.isfinite(bounds).any():
        label = "Cramér-Rao bound (median)"
        layers.append(Line(np.arange(float(len(ticks))), bounds, label, BLACK, "dashed"))
    tops = [np.nanmax(layer.y) for layer in layers if np.isfinite(layer.y).any()]  # type: ignore[union-attr]
    return Panel(
        f"{methods[0].label}: error of one measure",
        "axis, by method in the order of the legend",
        "error (mpix)",
        tuple(layers),
        x_range=(-0.5, len(ticks) - 0.5),
        y_range=(0.0, 1.2 * max(tops, default=10.0)),
        ticks=ticks,
    )


def _bias_panel(methods: Sequence[FrameFacts]) -> Panel:
    ticks = AXES * len(methods)
    layers: list[Layer] = [Level(0.0, dash="solid")]
    for i, facts in enumerate(methods):
        at = 2.0 * i + np.arange(2.0)
        for own, shift, hollow in ((facts.bias, -0.2, False), (facts.weighted, 0.0, True)):
            values = np.array([own[axis].amplitude for axis in AXES]) * MPIX
            errors = np.array([own[axis].amplitude_err for axis in AXES]) * MPIX
            label = "" if hollow else facts.method
            layers.append(Marks(at + shift, values, label, facts.number, error=errors,
                                size=8 if hollow else 7, hollow=hollow))  # fmt: skip
        if facts.errors is not None:
            true = [phase_over_field(facts.errors, axis) for axis in AXES]
            found = np.array([wave.amplitude for wave in true]) * MPIX
            layers.append(Marks(at + 0.2, found, "", facts.number, size=4))
    return Panel(
        f"{methods[0].label}: pixel-phase bias",
        "axis, by method in the order of the legend",
        "amplitude (mpix)",
        tuple(layers),
        x_range=(-0.5, len(ticks) - 0.5),
        ticks=ticks,
    )
