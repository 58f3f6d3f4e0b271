"""One image of a field, measured: all that artificial stars in it need to know."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.asts.cuts import Cuts
from filar.errors import InputFileError, ParameterError
from filar.exposure import Exposure
from filar.ground import Ground
from filar.psf.model import FieldPSF
from filar.psf.render import render_image

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

    from filar.measure import Measurement, Settings

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
SAME = 1.0
"""Pixels within which two places are of one star."""
FEWEST_STARS = 10
"""Real stars below which neither PSF nor sky of an image can be trusted."""


@dataclass(frozen=True, eq=False)
class FoundStars:
    """Real stars of an image, as the pipeline measured them: arrays of shape (n,).

    Parameters
    ----------
    x, y : float arrays
        Pixels.
    flux, flux_err : float arrays
        Electrons.
    qfit, chi2, sharpness : float arrays
        Quality, see `filar.fit.StarFits` and `filar.detect.Detections`.
    flags : int32 array
        Bits of `filar.flags.Flag`.
    """

    x: FloatArray
    y: FloatArray
    flux: FloatArray
    flux_err: FloatArray
    qfit: FloatArray
    chi2: FloatArray
    sharpness: FloatArray
    flags: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.x)

    @cached_property
    def tree(self) -> cKDTree:
        """Of their positions; stars without one are far away."""
        from scipy.spatial import cKDTree

        return cKDTree(np.c_[np.nan_to_num(self.x, nan=-1e9), np.nan_to_num(self.y, nan=-1e9)])

    @property
    def snr(self) -> FloatArray:
        """Flux over its error; NaN where there is none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(self.flux_err > 0, self.flux / self.flux_err, np.nan)

    def select(self, index: Any) -> FoundStars:
        """Those chosen by a mask or indices."""
        return FoundStars(*(getattr(self, name)[index] for name in FoundStars.__annotations__))

    def passing(self, cuts: Cuts) -> BoolArray:
        """Which pass the cuts of one band: (n,)."""
        return cuts.passes(
            snr=self.snr, qfit=self.qfit, chi2=self.chi2, sharpness=self.sharpness, flags=self.flags
        )


@dataclass(frozen=True, eq=False)
class Band:
    """One image, and what the pipeline found in it.

    Parameters
    ----------
    name : str
        Its filter; the key of its columns.
    exposure : Exposure
        The image.
    psf : FieldPSF
        Its PSF.
    ground : Ground
        What detection knows of it.
    stars : FoundStars
        All detections.
    known : KnownLight
        The light that its last pass of fits took off other stars.
    zero : float
        Magnitude of a star of one electron.
    box : int
        Odd size of the fitted box, pixels.
    model_error : float
        Relative error of the PSF.
    settings : Settings
        How it was measured; artificial stars are measured likewise.
    facts : dict
        Plain values for the table's ``meta``.
    """

    name: str
    exposure: Exposure
    psf: FieldPSF
    ground: Ground
    stars: FoundStars
    known: KnownLight
    zero: float
    box: int
    model_error: float
    settings: Settings
    facts: dict[str, Any] = field(default_factory=dict)

    def flux(self, mag: FloatArray) -> FloatArray:
        """Electrons of magnitudes."""
        return np.asarray(10 ** (-0.4 * (mag - self.zero)))

    def mag(self, flux: FloatArray) -> FloatArray:
        """Magnitudes of electrons; NaN where there are none."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(flux > 0, self.zero - 2.5 * np.log10(flux), np.nan)


def measure_band(exposure: Exposure, settings: Settings, zero: float, name: str) -> Band:
    """Measure an image as `filar measure` does and keep what artificial stars need.

    Parameters
    ----------
    exposure : Exposure
        One chip.
    settings : Settings
        How to measure; positions are the PSF fit's.
    zero : float
        Magnitude of a star of one electron.
    name : str
        The band's name.

    Returns
    -------
    Band

    Raises
    ------
    ParameterError
        If there is no zero point.
    InputFileError
        If too few stars are found in it.
    """
    from filar.detect import survey
    from filar.measure import measure_exposure

    if not np.isfinite(zero):
        allowed = "another --mag-system, or --zero-point"
        raise ParameterError("mag_system", f"no zero point of {exposure.label}", allowed)
    ground = survey(exposure, threshold=settings.threshold)
    drawn = _Recorder(exposure.shape)
    measured = measure_exposure(exposure, settings, method="psf", model=None, draw=drawn)
    if len(measured.catalog) < FEWEST_STARS:
        found = f"only {len(measured.catalog)} stars found"
        raise InputFileError(exposure.label, found, f"{FEWEST_STARS} and more")
    stars = found_stars(measured)
    facts = measured.catalog.meta["exposures"][0]
    error = 0.0 if measured.psf_fit is None else float(measured.psf_fit.model_error)
    return Band(
        name=name, exposure=exposure, psf=measured.psf, ground=ground, stars=stars,
        known=drawn.light_of(stars), zero=zero, box=int(facts["box"]), model_error=error,
        settings=settings,
        facts={"psf": facts["psf"]["name"], "messages": facts["messages"], "n_stars": len(stars)},
    )  # fmt: skip


@dataclass(frozen=True, eq=False)
class KnownLight:
    """What the last pass of fits knew of the stars around each one.

    Parameters
    ----------
    image : (ny, nx) float array
        Their light, electrons; 0 if there was one pass only.
    x, y, flux : (n,) float arrays
        Each star's own part in it, pixels and electrons; NaN for those that were not drawn.
    """

    image: FloatArray
    x: FloatArray
    y: FloatArray
    flux: FloatArray


class _Recorder:
    """Draws stars as fits do by default and remembers the last picture."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.image: FloatArray = np.zeros(shape)
        self.stars: tuple[FloatArray, ...] = (np.empty(0), np.empty(0), np.empty(0))

    def __call__(self, psf: FieldPSF, x: FloatArray, y: FloatArray, flux: FloatArray) -> FloatArray:
        self.image = render_image(psf, (self.image.shape[0], self.image.shape[1]), x, y, flux)
        self.stars = x.copy(), y.copy(), flux.copy()
        return self.image

    def light_of(self, found: FoundStars) -> KnownLight:
        """What was drawn last, star by star of the catalogue."""
        from filar.frames.matching import mutual_nearest

        nothing = np.full(len(found), np.nan)
        columns = [nothing.copy(), nothing.copy(), nothing.copy()]
        if len(self.stars[0]):
            x, y, _ = self.stars
            i, j = mutual_nearest(found.x, found.y, x, y, SAME)
            for column, drawn in zip(columns, self.stars, strict=True):
                column[i] = drawn[j]
        return KnownLight(self.image, *columns)


def found_stars(measured: Measurement) -> FoundStars:
    """The stars of a measurement as plain arrays."""
    catalog, detections = measured.catalog, measured.detections
    columns = ("x_fit", "y_fit", "flux_fit", "flux_err", "qfit", "reduced_chi2")
    x, y, flux, flux_err, qfit, chi2 = (
        np.asarray(getattr(catalog[name], "value", catalog[name]), float) for name in columns
    )
    flags = np.asarray(catalog["flags"], np.int32)
    return FoundStars(x, y, flux, flux_err, qfit, chi2, detections.sharpness, flags)
