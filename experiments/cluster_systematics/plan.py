"""What is changed: each variant's set, and how its images are taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from experiments.cluster_systematics.noise import drop_of, in_apertures
from experiments.cluster_systematics.widths import changes, wider
from filar.psf.bandpass import HST_FILTERS
from filar.simulate.clusters.store import SetSettings

TRAINED = "as trained"
PSF = (1.05, 1.10, 0.95, 0.90)
"""Full widths at half maximum over those trained with."""
TWICE_SOLAR = 0.0304
R_V = (2.5, 4.0)
OFFSETS = (1.0, 2.0)
"""Pixels rms along each axis; 0.7 in sets to train on."""
ZERO_POINT = 0.05
"""Magnitudes by which the bluest band is told too faint."""
DEPTHS = (0.5, 2.0)


@dataclass(frozen=True)
class Seen:
    """How images are taken of a set.

    Parameters
    ----------
    depth : float
        Factor of the exposure times.
    faint : tuple of float
        Magnitudes by which each band is told too faint; none for no such error.
    drop : float
        Side of the drizzle's drop in pixels, by which noise is correlated; 0 for white noise.
    rms : float
        Noise of a pixel over that of white noise.
    """

    depth: float = 1.0
    faint: tuple[float, ...] = ()
    drop: float = 0.0
    rms: float = 1.0


@dataclass(frozen=True)
class Variant:
    """One thing that is not as trained.

    Parameters
    ----------
    name : str
        For tables and files.
    about : str
        What exactly is changed.
    settings : SetSettings
        Of its set.
    folder : str
        The set's; some variants share one.
    seen : Seen
        How its images are taken.
    """

    name: str
    about: str
    settings: SetSettings
    folder: str
    seen: Seen = field(default_factory=Seen)


def file_name(name: str) -> str:
    """A variant's name without blanks and signs."""
    return re.sub(r"[^\w.]+", "_", name).strip("_")


def variants(
    trained: SetSettings, other_isochrones: tuple[str, ...]
) -> dict[str, Callable[[], Variant]]:
    """All variants, each made when it is called.

    Parameters
    ----------
    trained : SetSettings
        Of sets like the one trained on.
    other_isochrones : tuple of str
        Files; none to leave the variant out.

    Returns
    -------
    dict of str to callable
        By name, what was trained on first.
    """
    makers: dict[str, Callable[[], Variant]] = {}

    def add(name: str, about: str, make: Callable[[], SetSettings], **seen: Any) -> None:
        folder = file_name(TRAINED if seen else name)
        makers[name] = lambda: Variant(name, about, make(), folder, Seen(**seen))

    def mock(**changed: Any) -> Callable[[], SetSettings]:
        return lambda: replace(trained, mock=replace(trained.mock, **changed))

    add(TRAINED, "other clusters and galaxies of the same kinds", lambda: trained)
    for factor in PSF:
        makers[_psf_name(factor)] = partial(_psf, trained, factor)
    if other_isochrones:
        add("other isochrones", "of clusters and galaxies",
            lambda: replace(trained, isochrones=other_isochrones))  # fmt: skip
    add("twice solar metals", f"of all stars: the tabulated Z nearest to {TWICE_SOLAR}",
        lambda: _metals(trained, TWICE_SOLAR))  # fmt: skip
    low, high = trained.mock.concentration
    add("King profiles", f"concentrations of {low:g} to {high:g}", mock(profile="king"))
    for r_v in R_V:
        add(f"R_V {r_v:g}", f"of the clusters; {trained.mock.r_v:g} trained", mock(r_v=r_v))
    for offset in OFFSETS:
        about = f"rms along each axis; {trained.mock.offset:g} trained"
        add(f"positions off by {offset:g} px", about, mock(offset=offset))
    for depth in DEPTHS:
        add(f"exposures x {depth:g}", "of all bands", lambda: trained, depth=depth)
    blue = min(trained.camera.filters, key=lambda name: HST_FILTERS[name][0])
    add(f"{blue} {ZERO_POINT:g} mag too faint", "by a wrong zero point", lambda: trained,
        faint=tuple(ZERO_POINT * (name == blue) for name in trained.camera.filters))  # fmt: skip
    drop = drop_of(trained.camera)
    large = in_apertures(drop)
    add("drizzled noise, same per pixel", f"so that apertures have {large:.2f} times the noise",
        lambda: trained, drop=drop)  # fmt: skip
    add("drizzled noise, same in apertures", f"so that pixels have {1 / large:.2f} times the noise",
        lambda: trained, drop=drop, rms=1 / large)  # fmt: skip
    return makers


def _psf_name(factor: float) -> str:
    return f"PSF {abs(factor - 1):.0%} {'wider' if factor > 1 else 'sharper'}"


def _psf(trained: SetSettings, factor: float) -> Variant:
    name, camera = _psf_name(factor), wider(trained.camera, factor)
    found = changes(trained.camera, camera)
    about = "blurred otherwise: " + ", ".join(f"{one} {by:+.1%}" for one, by in found.items())
    settings = replace(trained, mock=replace(trained.mock, camera=camera))
    return Variant(name, about, settings, file_name(name))


def _metals(trained: SetSettings, z: float) -> SetSettings:
    scene = replace(trained.scene, z=z)
    return replace(trained, mock=replace(trained.mock, metallicities=(z,)), scene=scene)
