"""Saturated stars of a measured exposure: what its image tells of them, as samples for a model."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.catalog import sky_positions, zero_point
from filar.errors import InputFileError
from filar.exposure import Exposure
from filar.flags import Flag

if TYPE_CHECKING:
    from astropy.table import QTable

    from filar.measure.chip import Measurement
    from filar.psf.model import FieldPSF
    from filar.saturation.chain import Stars
    from filar.saturation.data import Samples
    from filar.saturation.estimator import SaturationModel

SPOILT = (
    Flag.SATURATED | Flag.MASKED | Flag.NEIGHBOUR | Flag.EDGE | Flag.NOT_CONVERGED | Flag.NO_FIT
    | Flag.EXTENDED | Flag.COSMIC_RAY | Flag.HOT_PIXEL | Flag.NON_POSITIVE
)  # fmt: skip
"""Stars with one of these flags say nothing of the PSF's wings or the zero point."""
BELOW = 3.0
"""Magnitudes below saturation down to which a model for saturated stars is asked too."""
STAMP = 21
RAN_AWAY, CENTRE_ERROR = 1.0, 0.3
"""Pixels: a fit farther from the saturated pixels' centre is wrong, and how good that one is."""
DAMAGED = "damaged"
"""Damaged pixels in an exposure's meta, and how many a stamp has in the evidence."""
BY_MODEL = "saturation"
"""In an exposure's facts in the catalogue."""


def without_damage(exposure: Exposure) -> Exposure:
    """Mask pixels that an overflow has set to one count.

    Parameters
    ----------
    exposure : Exposure
        The image.

    Returns
    -------
    Exposure
        The same if there are none.
    """
    from filar.saturation.damage import damaged_pixels

    damaged = damaged_pixels(exposure)
    if not damaged.any():
        return exposure
    return exposure.replace(
        mask=exposure.mask | damaged, saturated=exposure.saturated & ~damaged,
        data=np.where(damaged, 0, exposure.data).astype(np.float32),
        meta=exposure.meta | {DAMAGED: damaged},
    )  # fmt: skip


def stars_of(measured: Measurement) -> Stars:
    """Give the stars of a measurement as the evidence needs them.

    Parameters
    ----------
    measured : Measurement
        Of one chip.

    Returns
    -------
    Stars
        Row by row of the catalogue.
    """
    from filar.saturation.chain import Stars
    from filar.saturation.windows import cut

    catalog = measured.catalog
    flags = np.asarray(catalog["flags"])

    def column(name: str) -> NDArray[np.float64]:
        return np.asarray(getattr(catalog[name], "value", catalog[name]), float)

    x, y = column("x_fit"), column("y_fit")
    # a fit of the wings may run away; saturated stars stay where their pixels are
    found = measured.detections
    centre = cut(measured.exposure.saturated, found.x, found.y, 1, False)
    saturated = np.asarray(centre.any(axis=(1, 2)))
    lost = saturated | ~np.isfinite(x + y)
    x, y = np.where(lost, found.x, x), np.where(lost, found.y, y)
    reliable = (flags & int(SPOILT)) == 0
    return Stars(x, y, column("flux_fit"), column("flux_err"), saturated, reliable)


def placed(exposure: Exposure, stars: Stars, positions: str | os.PathLike[str]) -> Stars:
    """Put saturated stars where a catalogue has them.

    Parameters
    ----------
    exposure : Exposure
        The image, with a WCS; its error is put right by all stars.
    stars : Stars
        As they were found.
    positions : path-like
        The catalogue, see `filar.saturation.catalogs.read_star_catalog`.

    Returns
    -------
    Stars
        Those of the saturated ones that are in the catalogue in its places.

    Raises
    ------
    InputFileError
        If the catalogue cannot be used, or none of its stars is in the image.
    """
    from filar.saturation.catalogs import read_positions
    from filar.saturation.overlap import check_overlap
    from filar.saturation.skymatch import match_to_sky

    catalog = read_positions(positions)
    if exposure.time is not None:
        catalog = catalog.at(float(exposure.time.jyear))
    check_overlap(catalog, exposure.wcs, exposure.shape, exposure.label)
    assert exposure.wcs is not None
    match = match_to_sky(
        catalog, exposure.wcs, stars.x, stars.y, exposure.shape, saturated=stars.saturated
    )
    known = stars.saturated & (match.row >= 0)
    row = np.maximum(match.row, 0)
    x, y = np.where(known, match.x[row], stars.x), np.where(known, match.y[row], stars.y)
    return replace(stars, x=x, y=y)


def central_light(psf: FieldPSF, shape: tuple[int, int]) -> float:
    """Part of a star's light in the pixel that it is centred on, in the middle of a chip."""
    ny, nx = shape
    return float(psf.stamps(np.array([nx // 2]), np.array([ny // 2]), 1)[0, 0, 0])


def candidates(measured: Measurement, stars: Stars) -> NDArray[np.intp]:
    """Rows of the stars that are saturated or not far below.

    Parameters
    ----------
    measured : Measurement
        Of one chip.
    stars : Stars
        Its stars.

    Returns
    -------
    (n,) int array
    """
    from filar.saturation.blobs import held_charge

    exposure = measured.exposure
    peak = central_light(measured.psf, exposure.shape)
    level = held_charge(exposure)
    bright = stars.flux * peak > level * 10 ** (-0.4 * BELOW)
    return np.flatnonzero(stars.saturated | bright)


def samples_of(measured: Measurement, stars: Stars, chosen: NDArray[np.intp]) -> Samples:
    """Cut stamps of some stars and measure all there is to know of them.

    Parameters
    ----------
    measured : Measurement
        Of one chip.
    stars : Stars
        Its stars.
    chosen : (n,) int array
        Rows of those wanted.

    Returns
    -------
    Samples
        Without labels; `star` is the row in the catalogue.
    """
    from filar.saturation.data import Samples
    from filar.saturation.evidence import COLUMNS, gather
    from filar.saturation.windows import cut

    exposure = measured.exposure
    evidence = gather(exposure, measured.psf, stars, chosen)
    half, x, y = STAMP // 2, evidence.x, evidence.y
    data = np.where(exposure.mask & ~exposure.saturated, np.nan, exposure.data)
    lost = exposure.meta.get(DAMAGED, np.zeros(exposure.shape, bool))
    damaged = cut(lost, x, y, half, False).sum(axis=(1, 2))
    mid = exposure.time
    if mid is not None and np.isfinite(exposure.exposure_time):
        mjd = float(mid.utc.mjd) + exposure.exposure_time / 2 / 86400
    else:
        mjd = None
    return Samples.build(
        cut(data, x, y, half, np.nan),
        star=chosen, x=x, y=y,
        saturated=cut(exposure.saturated, x, y, half, False),
        sky=evidence.sky, noise=evidence.noise,
        level=np.full(len(x), exposure.saturation),
        evidence=np.column_stack([evidence.values, damaged]), columns=(*COLUMNS, DAMAGED),
        flags=np.asarray(measured.catalog["flags"])[chosen],
        images=(exposure.label,), cameras=(camera_of(exposure),), filters=(exposure.filter,),
        meta={"mjd": [mjd], "fwhm": [evidence.width], "count": [exposure.gain]},
    )  # fmt: skip


def camera_of(exposure: Exposure) -> str:
    """Name of the camera: instrument and chip."""
    return " ".join(part for part in (exposure.instrument, exposure.chip) if part)


@dataclass(frozen=True, eq=False)
class Judge:
    """A model for saturated stars that is ready to measure.

    Parameters
    ----------
    model : SaturationModel
        The estimator.
    name : str
        The file's name.
    digest : str
        SHA-256 of the file.
    """

    model: SaturationModel
    name: str
    digest: str

    def facts(self) -> dict[str, Any]:
        """What a catalogue remembers about the model."""
        recipe = str(self.model.card_.recipe.name)
        return {"model": self.name, "digest": self.digest, "recipe": recipe}


def load_judge(path: str | os.PathLike[str]) -> Judge:
    """Load a model for saturated stars, once per process.

    Parameters
    ----------
    path : path-like
        A model file of `filar train saturation`.

    Returns
    -------
    Judge

    Raises
    ------
    InputFileError
        If there is no such file, or it is damaged or holds something else.
    """
    path = Path(path)
    if not path.is_file():
        expected = "a file of filar train saturation"
        raise InputFileError(path, "there is no such model file", expected)
    facts = path.stat()
    return _load(path, (facts.st_mtime_ns, facts.st_size))


@lru_cache(maxsize=4)
def _load(path: Path, version: tuple[int, int]) -> Judge:
    from filar.saturation.estimator import SaturationModel

    return Judge(SaturationModel.load(path), path.name, sha256(path.read_bytes()).hexdigest())


def apply_judge(
    measured: Measurement, judge: Judge, positions: str | os.PathLike[str] | None = None
) -> Measurement:
    """Give saturated stars the magnitudes of a model.

    Parameters
    ----------
    measured : Measurement
        By the classic fit.
    judge : Judge
        The model.
    positions : path-like, optional
        Stars with ra and dec, such as Gaia's, for the places of saturated stars.

    Returns
    -------
    Measurement
        With mag, mag_err and flags of saturated stars as the model says; NaN where it has nothing
        to say. Their flux_fit is still that of the fit, and so is their position but where the fit
        ran away from the saturated pixels.

    Raises
    ------
    InputFileError
        If the list of positions cannot be used, or none of its stars is in the image.
    """
    started = perf_counter()
    stars = stars_of(measured)
    if positions is not None:
        stars = placed(measured.exposure, stars, positions)
    chosen = np.flatnonzero(stars.saturated)
    samples = samples_of(measured, stars, chosen)
    told = judge.model.predict(samples)
    table = measured.catalog.copy()
    zero = zero_point(measured.exposure, measured.settings.mag_system)
    table["mag"].value[chosen] = zero - 2.5 * told.log_n
    table["mag_err"].value[chosen] = 2.5 * told.log_n_err
    _put_back(table, measured.exposure, chosen, samples)
    flags = np.asarray(table["flags"])
    known = np.isfinite(told.log_n)
    flags[chosen] |= np.where(known, int(Flag.BY_MODEL), int(Flag.NO_MAGNITUDE)).astype(flags.dtype)
    flags[chosen[known & ~told.in_domain]] |= flags.dtype.type(Flag.OUTSIDE_DOMAIN)
    table["flags"] = flags
    counts = {"n_stars": int(known.sum()), "n_outside": int((known & ~told.in_domain).sum())}
    table.meta["exposures"][0][BY_MODEL] = judge.facts() | counts
    seconds = measured.seconds | {BY_MODEL: perf_counter() - started}
    return replace(measured, catalog=table, seconds=seconds)


def _put_back(
    table: QTable, exposure: Exposure, chosen: NDArray[np.intp], samples: Samples
) -> None:
    """Stars that a fit of their wings carried away, back to where the light about them says."""
    x, y = (table[name].value[chosen] for name in ("x_fit", "y_fit"))
    far = ~(np.hypot(x - samples.x, y - samples.y) < RAN_AWAY)
    rows = chosen[far]
    table["x_fit"].value[rows], table["y_fit"].value[rows] = samples.x[far], samples.y[far]
    for name in ("x_err", "y_err"):
        table[name].value[rows] = CENTRE_ERROR
    table["ra"].value[rows], table["dec"].value[rows] = sky_positions(
        exposure, samples.x[far], samples.y[far]
    )
