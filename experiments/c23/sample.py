"""C23's simulated images: one PSF for a whole chip, true positions, two laws of magnitudes."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import vstack
from numpy.typing import NDArray

from filar.catalogfile import read_catalog, write_catalog
from filar.flags import Flag
from filar.instruments import write_wfpc2
from filar.measure.labels import make_stamps
from filar.psf.family import OpticalFamily
from filar.psf.library import family_for, field_psf
from filar.psf.model import FieldGrid, FieldPSF
from filar.psf.optics import FOCUS_WAVES_PER_MICRON
from filar.simulate.detector import wfpc2_detector
from filar.simulate.dither_draw import SHAPE
from filar.simulate.dither_truth import dither_truth
from filar.simulate.dithers import DitherSettings, draw_pointing, expose_chip, view_chip
from filar.simulate.effects import Effects
from filar.stamps.cut import crop
from filar.stamps.labels import Labels
from filar.stamps.settings import StampSettings
from filar.stamps.split import FRACTIONS, split_by_star
from filar.stamps.stamps import Stamps
from filar.stamps.store import StampStore
from filar.stamps.writer import write_stamps

FloatArray = NDArray[np.float64]
PAPERS: Mapping[str, Any] = tomllib.loads(
    files("experiments.c23").joinpath("papers.toml").read_text(encoding="utf-8")
)
SAMPLES = ("natural", "bright-enhanced")
FILTER = "F555W"
LARGEST = 12

ZERO_POINT = 27.35
"""Magnitude of one electron. C23 does not tell its own; with this one the charge of stars on the PC
begins to bleed (90,000 electrons in the central pixel, a quarter of the light) at 13.5, where C23
sees that it does. How well measured the stars of a range of magnitudes are hangs on it."""

FLUX = {"natural": (2_800.0, 1e6), "bright-enhanced": (1_000.0, 8e5)}
"""Electrons. The faint limit of the natural sample leaves the part of its stars in C23's range of
magnitudes that table 2 says (600 of 930); the bright one goes beyond the range's bright end."""

SEPARATION = {"natural": 5.2, "bright-enhanced": 10.0}
"""Pixels. C23 assumes that no other star is in a raster. Its natural sample is as dense as the
cluster; there 5 pixels are the limit that C23 has for real stars."""

PER_IMAGE = {"natural": 100_000, "bright-enhanced": 2_200}
"""Most stars in one image: C23's 8493 bright ones would bleed into each other."""

_IMAGE = 1_000_000


@dataclass(frozen=True)
class Sample:
    """One law of magnitudes on one chip.

    Parameters
    ----------
    magnitudes : {"natural", "bright-enhanced"}
        The law.
    chip : str
        WFPC2's.
    stars : int
        How many are drawn.
    seed : int
        The same seed gives the same image.
    """

    magnitudes: str
    chip: str
    stars: int
    seed: int

    @property
    def name(self) -> str:
        """For files."""
        return f"{self.magnitudes}-{self.chip}"

    @property
    def settings(self) -> list[DitherSettings]:
        """Sets of one exposure; charge transfer is perfect and no cosmic ray falls, as in C23."""
        images = -(-self.stars // PER_IMAGE[self.magnitudes])
        share = [self.stars // images + (k < self.stars % images) for k in range(images)]
        return [
            DitherSettings(
                exposures=1, chips=(self.chip,), filter=FILTER, stars=stars, breathing=0.0,
                jitter_spread=0.0, magnitudes=self.magnitudes, flux=FLUX[self.magnitudes],
                separation=SEPARATION[self.magnitudes], effects=Effects(cosmic_rays=0.0),
                seed=1000 * self.seed + k,
            )
            for k, stars in enumerate(share)
        ]  # fmt: skip

    def uniform_psf(self) -> FieldPSF:
        """The PSF of the middle of the chip, everywhere."""
        family = family_for("WFPC2", self.chip, FILTER)
        assert isinstance(family, OpticalFamily)
        pointing = draw_pointing(self.settings[0], 1)
        xx, yy, xy = pointing.blur(self.chip)
        focus = pointing.focus * FOCUS_WAVES_PER_MICRON
        local = family.start(focus=focus, blur_xx=xx, blur_yy=yy, blur_xy=xy)
        ny, nx = SHAPE
        middle = FieldGrid(((nx - 1) / 2,), ((ny - 1) / 2,))
        return field_psf(family, SHAPE, local, name="truth, uniform", nodes=middle)

    @property
    def flux_range(self) -> tuple[float, float]:
        """C23's range of magnitudes for the evaluation, as electrons."""
        bright, faint = PAPERS[self.magnitudes]["mag"]
        low, high = (float(10 ** (0.4 * (ZERO_POINT - m))) for m in (faint, bright))
        return low, high


@dataclass(frozen=True, eq=False)
class Made:
    """A sample's files.

    Parameters
    ----------
    sample : Sample
        What it is.
    stamps, with_truth : StampStore
        The largest rasters; PSFs and classic positions are those of a fit to the image itself, and
        of the true PSF, which C23's hst1pass has.
    flux : dict
        From a star's number to its true electrons.
    """

    sample: Sample
    stamps: StampStore
    with_truth: StampStore
    flux: Mapping[int, float]

    def true_flux(self, labels: Labels) -> FloatArray:
        """True electrons of stars: (n,) array."""
        return np.array([self.flux[int(star)] for star in labels.star])

    @property
    def full(self) -> float:
        """What a saturated pixel of the image holds, electrons."""
        return float(wfpc2_detector(self.sample.chip, gain_setting=7).saturation)


def make_sample(sample: Sample, folder: Path) -> Made:
    """Simulate images, measure them and cut the rasters; what is there is kept.

    Parameters
    ----------
    sample : Sample
        What it is.
    folder : Path
        For its files.

    Returns
    -------
    Made
    """
    folder = folder / sample.name
    folder.mkdir(parents=True, exist_ok=True)
    truth, psf = folder / "truth.parquet", sample.uniform_psf()
    images = [folder / f"image{k}_c0m.fits" for k in range(len(sample.settings))]
    if not truth.exists():
        tables = [_simulate(sample, k, psf, image) for k, image in enumerate(images)]
        write_catalog(vstack(tables, metadata_conflicts="silent"), truth)
    stores = [
        make_stamps(
            images, folder / name, labels=truth, psf=own, seed=sample.seed,
            data=StampSettings(size=LARGEST, q=(0.0, 1.0), saturated=True),
        )
        for name, own in (("stamps", "fit"), ("true-psf", psf))
    ]  # fmt: skip
    columns = read_catalog(truth)
    flux = dict(zip(columns["id"].tolist(), columns["flux"].value.tolist(), strict=True))
    return Made(sample, *stores, flux)


def _simulate(sample: Sample, number: int, psf: FieldPSF, path: Path) -> Any:
    """Write an image; give the table of its stars, which no other image has."""
    view = replace(view_chip(sample.settings[number], sample.chip, 1), psf=psf)
    name = f"image{number}"
    write_wfpc2([expose_chip(view).replace(name=name)], path)
    table = dither_truth([view])
    table["exposure"] = np.full(len(table), name)
    table["id"] += number * _IMAGE
    return table


def trial_store(
    made: Made, source: StampStore, path: Path, size: int, seed: int, *, as_filed: bool
) -> None:
    """Write smaller rasters of the same stars, divided at random 70:10:20; kept if there.

    Parameters
    ----------
    made : Made
        A sample.
    source : StampStore
        One of its sets of stamps.
    path : Path
        The set of stamps to write.
    size : int
        Side of the rasters, pixels.
    seed : int
        Of the division.
    as_filed : bool
        Whether saturated pixels hold what the file has, as the papers' networks see them.
    """
    if path.exists():
        return
    stamps, labels = crop(*source.read(), size)
    if as_filed:
        stamps = with_saturated(stamps, labels, made.full)
    part = split_by_star(labels.star, FRACTIONS, seed)
    path.parent.mkdir(exist_ok=True)
    write_stamps(path, stamps, replace(labels, part=part), {"sample": made.sample.name})


def with_saturated(stamps: Stamps, labels: Labels, full: float) -> Stamps:
    """Give the saturated pixels of saturated stars the converter's largest number back."""
    hidden = stamps.bad & ((labels.flags & int(Flag.SATURATED)) != 0)[:, None, None]
    pixels = np.where(hidden, np.float32(full), stamps.pixels)
    return replace(stamps, pixels=pixels, bad=stamps.bad & ~hidden)
