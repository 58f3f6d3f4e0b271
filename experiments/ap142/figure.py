"""The figure: the image, the probability, the sizes, and the mocks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.ap142.network import to_image
from filar.clusters.posterior import PARAMETERS
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from experiments.ap142.injection import Injected
    from experiments.ap142.network import Looked
    from filar.instruments.bandimage import BandImage


def draw_figure(
    image: BandImage, looked: Looked, injected: Injected, found: dict[str, Any], path: Path
) -> None:
    """Draw four panels.

    Parameters
    ----------
    image : BandImage
        As read.
    looked, injected : Looked, Injected
        Of the first model.
    found : dict
        What the report tells.
    path : Path
        PNG file.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 11), layout="constrained")
    panels = figure.subplots(2, 2)
    _image(panels[0, 0], image, found)
    _map(figure, panels[0, 1], image, looked)
    _sizes(panels[1, 0], looked, found)
    _mocks(panels[1, 1], injected, found)
    with whole_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)


def _image(axes: Axes, image: BandImage, found: dict[str, Any]) -> None:
    from matplotlib.patches import Circle

    sky = np.median(image.rate)
    axes.imshow(np.arcsinh((image.rate - sky) / 0.05), origin="lower", cmap="gray_r", vmax=5)
    centre = found["centre"]
    for value, colour, name in (
        (found["published"]["growth"][0], "C0", "half of the published stars' light"),
        (found["models"][0]["r_h"][0], "C3", "half-light radius of the model"),
    ):
        radius = value / image.pixel_scale
        axes.add_patch(Circle(centre, radius, fill=False, color=colour, label=name))
    axes.legend(fontsize=8, loc="upper right")
    axes.set_title("AP 142, ACS F475W (PHAT), 15 x 15 arcsec")


def _map(figure: Any, axes: Axes, image: BandImage, looked: Looked) -> None:
    p_map = looked.p_map
    corners = [
        float(to_image(p_map.x0 - p_map.step / 2)),
        float(to_image(p_map.y0 - p_map.step / 2)),
    ]
    sides = [2 * p_map.step * n for n in p_map.p.shape[::-1]]
    extent = (corners[0], corners[0] + sides[0], corners[1], corners[1] + sides[1])
    shown = axes.imshow(p_map.p, origin="lower", extent=extent, vmin=0, vmax=1, cmap="magma")
    axes.set_xlim(0, image.shape[1] - 1)
    axes.set_ylim(0, image.shape[0] - 1)
    figure.colorbar(shown, ax=axes, label="probability of a cluster", shrink=0.8)
    axes.set_title("Map of the model, where a cutout fits")


def _sizes(axes: Axes, looked: Looked, found: dict[str, Any]) -> None:
    samples = 10 ** looked.answer.samples[0, :, PARAMETERS.index("log_r_h")].astype(float)
    axes.hist(samples, np.linspace(0, 2.5, 51).tolist(), density=True, color="C3", alpha=0.4,
              label="posterior of the model")  # fmt: skip
    for (name, label), colour in zip(
        (("growth", "stars within 2 arcsec"), ("profile", "stars, EFF profile")), ("C0", "C2"),
        strict=True,
    ):  # fmt: skip
        middle, low, high = found["published"][name]
        axes.axvline(middle, color=colour, label=label)
        axes.axvspan(low, high, color=colour, alpha=0.15)
    for k, value in enumerate(found["image"].values()):
        axes.axvline(value, color="0.5", ls=":", label="rings of the image" if k == 0 else None)
    axes.set_xlabel("half-light radius (arcsec)")
    axes.legend(fontsize=8)


def _mocks(axes: Axes, injected: Injected, found: dict[str, Any]) -> None:
    from matplotlib.ticker import NullFormatter

    error = np.abs(np.stack([injected.low, injected.high]) - injected.median)
    axes.errorbar(injected.true, injected.median, error, fmt="o", ms=3, lw=0.6, color="C3")
    line = np.array([0.15, 2.5])
    axes.plot(line, line, "k-", lw=0.8)
    axes.axvline(found["published"]["growth"][0], color="C0", lw=0.8)
    ticks = (0.2, 0.5, 1.0, 2.0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("true half-light radius (arcsec)")
    axes.set_ylabel("the model's (arcsec)")
    axes.set_title("Mocks of its age, dust and mass in the same image")
