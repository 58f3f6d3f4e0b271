"""The pipeline: from an exposure to the catalogue of its stars."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from filar.catalog import MAG_SYSTEMS, build_catalog, versions
from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.flags import Flag
from filar.measure.judge import duplicates, outside, select_fits, shape_flags
from filar.measure.network import (
    METHODS,
    Method,
    Models,
    apply_network,
    choose_network,
    model_paths,
)
from filar.measure.saturation import apply_judge, load_judge, without_damage
from filar.psf.model import FieldPSF

if TYPE_CHECKING:
    from astropy.table import QTable

    from filar.detect import Detections
    from filar.fit import Drawing, StarFits
    from filar.psf.fitted import NearFit, PSFFit

STEPS = ("stars found", "PSF ready", "stars fitted")
SKY_METHODS = ("annulus", "fit")


@dataclass(frozen=True)
class Settings:
    """How stars are measured.

    Parameters
    ----------
    psf : {"fit", "default"}, path or FieldPSF
        Fit the PSF to the exposure's own stars, take the camera's default, or take this one.
    threshold : float
        Significance limit of a detection, standard deviations of the local noise.
    box : int or None
        Odd size of the box of pixels that is fitted; by default the smallest that keeps the
        information, see `filar.fit.best_box`.
    sky : {"annulus", "fit"}
        Where the sky under a star comes from.
    passes : int
        1 fits every star alone; 2 or 3 fit again, neighbours as found before subtracted.
    mag_system : {"instrumental", "vega", "st", "ab"}
        System of the magnitudes.
    method : {"auto", "psf", "network"}
        Whose positions the catalogue gives: the classic fit's; a network's for all stars; or a
        network's for the stars that it was trained for and the classic fit's for the others.
        Fluxes, sky and quality are always the fit's.
    model : path, tuple of paths or None
        Model file of the network; of several that of the chip and filter. None takes filar's own,
        where there is one for the chip.
    saturated : path or None
        Model file of `filar train saturation`, for the magnitudes of saturated stars.
    positions : path or None
        Stars with ra and dec, such as Gaia's: where saturated stars are. In crowds their pixels do
        not tell it well enough. Only with `saturated`.
    similar : bool
        Whether the PSF fits of many files (`measure_files`) begin with that of the first exposure
        of the same chip and filter. They take less than half the time, and the stars' errors are
        the same; but what one exposure gives then depends a little on which one is listed first.

    Raises
    ------
    ParameterError
        For a value that makes no sense.
    """

    psf: str | Path | FieldPSF = "fit"
    threshold: float = 5.0
    box: int | None = None
    sky: Literal["annulus", "fit"] = "annulus"
    passes: int = 2
    mag_system: str = "instrumental"
    method: Method = "auto"
    model: Models | None = None
    similar: bool = False
    saturated: str | Path | None = None
    positions: str | Path | None = None

    def __post_init__(self) -> None:
        if not 0 < self.threshold < np.inf:
            raise ParameterError("threshold", self.threshold, "a positive number of sigma")
        if self.box is not None and self.box not in range(3, 22, 2):
            raise ParameterError("box", self.box, "an odd number of pixels from 3 to 21")
        if self.sky not in SKY_METHODS:
            raise ParameterError("sky", self.sky, "one of " + ", ".join(SKY_METHODS))
        if self.passes not in (1, 2, 3):
            raise ParameterError("passes", self.passes, "1, 2 or 3")
        if self.mag_system not in MAG_SYSTEMS:
            allowed = "one of " + ", ".join(MAG_SYSTEMS)
            raise ParameterError("mag_system", self.mag_system, allowed)
        if self.method not in METHODS:
            raise ParameterError("method", self.method, "one of " + ", ".join(METHODS))
        if self.method == "psf" and self.model is not None:
            raise ParameterError("model", self._model_name(), "none with the method psf")
        if self.positions is not None and self.saturated is None:
            allowed = "none without a model for saturated stars (--saturated)"
            raise ParameterError("positions", str(self.positions), allowed)

    def facts(self) -> dict[str, Any]:
        """The settings as plain values, for a catalogue's ``meta``."""
        psf = self.psf.name if isinstance(self.psf, FieldPSF) else str(self.psf)
        return {
            "psf": psf,
            "threshold": float(self.threshold),
            "box": self.box or "auto",
            "sky": self.sky,
            "passes": int(self.passes),
            "mag_system": self.mag_system,
            "method": self.method,
            "model": self._model_name(),
            "similar": bool(self.similar),
            "saturated": "none" if self.saturated is None else Path(self.saturated).name,
            "positions": "none" if self.positions is None else Path(self.positions).name,
        }

    def _model_name(self) -> str:
        if self.model is None:
            return "none" if self.method == "psf" else "packaged"
        return ", ".join(path.name for path in model_paths(self.model))


DEFAULT_SETTINGS = Settings()


@dataclass(frozen=True, eq=False)
class Measurement:
    """What was measured on one chip of one exposure.

    Parameters
    ----------
    exposure : Exposure
        The chip.
    settings : Settings
        How it was measured.
    catalog : QTable
        One row per star, see `filar.catalog`.
    detections : Detections
        The stars as they were found, row by row of the catalogue.
    psf : FieldPSF
        The PSF that measured them.
    psf_fit : PSFFit or None
        The fit that made it, if one did.
    messages : tuple of str
        What the user should know.
    seconds : dict
        Time that each step took.
    """

    exposure: Exposure
    settings: Settings
    catalog: QTable
    detections: Detections
    psf: FieldPSF
    psf_fit: PSFFit | None = None
    messages: tuple[str, ...] = ()
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def own_psf(self) -> bool:
        """Whether the PSF was fitted to this exposure."""
        return self.psf_fit is not None and not self.psf_fit.fallback


def measure_exposure(
    exposure: Exposure,
    settings: Settings = DEFAULT_SETTINGS,
    *,
    near: NearFit | None = None,
    on_step: Callable[[str], None] | None = None,
    draw: Drawing | None = None,
    **changes: Any,
) -> Measurement:
    """Find the stars of a chip, get its PSF, and fit it to every star.

    Parameters
    ----------
    exposure : Exposure
        The chip.
    settings : Settings
        How to measure.
    near : NearFit or None
        A similar exposure's PSF fit to begin with, see `filar.psf.fitted.fit_psf`.
    on_step : callable, optional
        Called with one of `STEPS` after each step.
    draw : callable, optional
        Draws the stars whose light is taken off others, see `filar.fit.fit_stars`.
    **changes
        Fields of `Settings` to change, for example ``psf="default"``.

    Returns
    -------
    Measurement
        A chip without stars gives an empty catalogue and a message.

    Raises
    ------
    ParameterError
        For settings that make no sense, or a camera or filter without a default PSF.
    InputFileError
        If a PSF file or a model cannot be used for this exposure.
    """
    from filar.detect import detect_stars
    from filar.fit import best_box

    settings = replace(settings, **changes)
    network = choose_network(exposure, settings.method, settings.model)
    judge = None if settings.saturated is None else load_judge(settings.saturated)
    if judge is not None:
        exposure = without_damage(exposure)
    report = on_step or (lambda step: None)
    started = [perf_counter()]

    def done(step: str) -> None:
        started.append(perf_counter())
        report(step)

    detections = detect_stars(exposure, threshold=settings.threshold)
    done(STEPS[0])
    psf, psf_fit = choose_psf(exposure, detections, settings.psf, near)
    done(STEPS[1])
    box = settings.box or best_box(psf, exposure.shape)
    error = 0.0 if psf_fit is None else psf_fit.model_error
    detections, fits = _fit(exposure, psf, detections, settings, box, error, draw)
    flags = shape_flags(exposure, psf, detections, fits)
    if psf_fit is not None and psf_fit.fallback:
        flags |= int(Flag.DEFAULT_PSF)
    done(STEPS[2])
    messages = _messages(exposure, settings, len(detections), psf_fit)
    catalog = build_catalog(
        exposure,
        detections,
        fits,
        method=_method(settings.psf, psf_fit),
        mag_system=settings.mag_system,
        flags=flags,
        meta={"box": box, "psf": psf_facts(psf, psf_fit), "messages": list(messages)},
    )
    catalog.meta |= {"versions": versions(), "parameters": settings.facts()}
    seconds = dict(zip(("detect", "psf", "fit"), np.diff(started).tolist(), strict=True))
    measured = Measurement(exposure, settings, catalog, detections, psf, psf_fit, messages, seconds)
    if network is not None:
        measured = apply_network(measured, network, settings.method)
    return measured if judge is None else apply_judge(measured, judge, settings.positions)


def _fit(
    exposure: Exposure,
    psf: FieldPSF,
    detections: Detections,
    settings: Settings,
    box: int,
    model_error: float,
    draw: Drawing | None,
) -> tuple[Detections, StarFits]:
    """Fit the stars in one or more passes; what ran away to another star is dropped."""
    from filar.fit import fit_stars

    def once(previous: StarFits | None) -> tuple[Detections, StarFits]:
        fits = fit_stars(
            exposure,
            psf,
            detections.x,
            detections.y,
            box=box,
            sky=settings.sky,
            previous=previous,
            model_error=model_error,
            saturated=(detections.flags & Flag.SATURATED) != 0,
            draw=draw,
        )
        # Before neighbours are subtracted, no star may be there twice.
        keep = ~(duplicates(detections, fits) | outside(exposure, fits))
        return detections.select(keep), select_fits(fits, keep)

    detections, fits = once(None)
    for _ in range(1, settings.passes):
        detections, fits = once(fits)
    return detections, fits


def choose_psf(
    exposure: Exposure,
    detections: Detections,
    wanted: str | Path | FieldPSF,
    near: NearFit | None = None,
) -> tuple[FieldPSF, PSFFit | None]:
    """Get the PSF that the settings ask for.

    Parameters
    ----------
    exposure : Exposure
        The chip.
    detections : Detections
        Its stars.
    wanted : {"fit", "default"}, path or FieldPSF
        See `Settings`.
    near : NearFit or None
        A similar exposure's fit to begin with.

    Returns
    -------
    psf : FieldPSF
        The PSF.
    fit : PSFFit or None
        The fit that made it, where one was asked for.

    Raises
    ------
    ParameterError
        If the camera or filter has no default PSF.
    InputFileError
        If the PSF file cannot be used for this exposure.
    """
    from filar.psf.fitted import fit_psf
    from filar.psf.library import default_psf

    if isinstance(wanted, FieldPSF):
        return wanted, None
    if wanted == "fit":
        fit = fit_psf(exposure, detections, near=near)
        return fit.psf, fit
    if wanted == "default":
        return default_psf(exposure), None
    from filar.psf.files import load_psf

    return load_psf(wanted, exposure), None


def _method(wanted: str | Path | FieldPSF, psf_fit: PSFFit | None) -> str:
    if psf_fit is not None:
        return "psf-default" if psf_fit.fallback else "psf-fit"
    return "psf-default" if isinstance(wanted, str) and wanted == "default" else "psf-given"


def psf_facts(psf: FieldPSF, psf_fit: PSFFit | None) -> dict[str, Any]:
    """What a catalogue remembers about its PSF.

    Parameters
    ----------
    psf : FieldPSF
        The PSF.
    psf_fit : PSFFit or None
        The fit that made it.

    Returns
    -------
    dict
        Plain values.
    """
    facts: dict[str, Any] = {"name": psf.name}
    if psf_fit is not None:
        facts |= {
            "n_stars": int(psf_fit.n_stars),
            "fallback": bool(psf_fit.fallback),
            "model_error": float(psf_fit.model_error),
            "message": psf_fit.message,
        }
    parameters = psf.parameters if psf_fit is None else psf_fit.parameters
    return facts | {
        "parameters": {
            name: float(value)
            for name, value in parameters.items()
            if isinstance(value, int | float)
        }
    }


def _messages(
    exposure: Exposure, settings: Settings, n_stars: int, psf_fit: PSFFit | None
) -> tuple[str, ...]:
    from filar.catalog import zero_point

    messages = []
    if not n_stars:
        messages.append(f"no star above {settings.threshold:g} sigma")
    elif psf_fit is not None and psf_fit.fallback and psf_fit.message:
        messages.append(psf_fit.message)
    if not np.isfinite(zero_point(exposure, settings.mag_system)):
        messages.append(
            f"no {settings.mag_system} magnitudes: the header's photometric keywords are missing"
        )
    return tuple(messages)
