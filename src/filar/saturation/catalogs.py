"""Catalogues of stars with known magnitudes, as users have them."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError, ParameterError
from filar.gaia import RELATIONS, band_of, magnitude_in
from filar.saturation import starcolumns as columns
from filar.tablefile import listed, sky_positions

if TYPE_CHECKING:
    from astropy.table import Table

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_LARGEST_DEC = 90.0
_MAS_PER_DEGREE = 3.6e6


def _none() -> NDArray[Any]:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class CatalogStars:
    """Stars of a catalogue.

    Parameters
    ----------
    id : (n,) int64 array
        The catalogue's numbers, or rows from 0 where it has names or nothing.
    ra, dec : (n,) float64 arrays
        Degrees, ICRS, at `epoch`.
    mag, mag_err : (n,) float64 arrays
        Magnitude in `filter` and its error; NaN where there is none.
    variable : (n,) bool array
        Whether the catalogue calls it variable.
    g, bp, rp : (n,) float64 arrays
        Gaia's magnitudes as listed; NaN where there are none.
    name : (n,) str array
        The catalogue's names; empty where it has none.
    pm_ra, pm_dec : (n,) float64 arrays
        Proper motions, mas per year, that in right ascension times cos(dec); NaN: not known.
    epoch : float
        Of the positions, Julian year; NaN: not known.
    filter, source : str
        What `mag` is, and from which column or relation.

    Raises
    ------
    ParameterError
        If the arrays are not of one length.
    """

    id: NDArray[np.int64]
    ra: FloatArray
    dec: FloatArray
    mag: FloatArray
    mag_err: FloatArray
    variable: BoolArray
    g: FloatArray = field(default_factory=_none)
    bp: FloatArray = field(default_factory=_none)
    rp: FloatArray = field(default_factory=_none)
    name: NDArray[np.str_] = field(default_factory=_none)
    pm_ra: FloatArray = field(default_factory=_none)
    pm_dec: FloatArray = field(default_factory=_none)
    epoch: float = np.nan
    filter: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        n = len(self.id)
        for name in self.arrays():
            values = np.asarray(getattr(self, name))
            if not values.size and n:
                values = np.full(n, "" if name == "name" else np.nan)
            if values.shape != (n,):
                raise ParameterError(name, values.shape, f"one value for each of {n} stars")
            object.__setattr__(self, name, values)

    @classmethod
    def arrays(cls) -> tuple[str, ...]:
        """Names of the fields that have a value for each star."""
        alone = ("epoch", "filter", "source")
        return tuple(f.name for f in fields(cls) if f.name not in alone)

    def __len__(self) -> int:
        return len(self.id)

    def select(self, index: Any) -> Self:
        """Keep some stars.

        Parameters
        ----------
        index : slice, bool or int array
            Which, and in what order.

        Returns
        -------
        CatalogStars
        """
        return replace(self, **{name: getattr(self, name)[index] for name in self.arrays()})

    def at(self, year: float) -> Self:
        """Move the stars by their proper motions.

        Parameters
        ----------
        year : float
            Julian year, as 2019.4.

        Returns
        -------
        CatalogStars
            At that epoch. Stars without known motion stay, and all do if the catalogue's epoch
            is not known.
        """
        years = year - self.epoch
        if not np.isfinite(years):
            return self
        step = np.nan_to_num(np.stack([self.pm_ra, self.pm_dec])) * years / _MAS_PER_DEGREE
        ra = (self.ra + step[0] / np.cos(np.radians(self.dec))) % 360
        return replace(self, ra=ra, dec=self.dec + step[1], epoch=year)


def read_star_catalog(
    path: str | PathLike[str], *, mag: str | None = None, filter: str = "", fewest: int = 1
) -> CatalogStars:
    """Read a catalogue of stars with positions and magnitudes.

    The columns are found by the names that they usually have: ``ra, dec``, ``RA_ICRS, DE_ICRS``,
    ``RAJ2000, DEJ2000`` ...; ``g_mag, mag_g, MAG_g, gmag`` ... for filter g; Gaia's
    ``phot_*_mean_mag`` (or VizieR's ``Gmag, BPmag, RPmag``) give g, r, i, V, R and I if there is
    no column for the filter, see `filar.gaia`. The documentation lists them all.

    Parameters
    ----------
    path : str or path-like
        ``.ecsv``, ``.fits``, ``.csv``, ``.parquet``, VOTable (``.vot``, ``.xml``), text with a
        line of column names, or one of Stetson's pair ``NAME.pho`` and ``NAME.pos``.
    mag : str, optional
        The column that holds the magnitudes.
    filter : str
        The filter in which magnitudes are wanted.
    fewest : int
        Least number of stars with position and magnitude.

    Returns
    -------
    CatalogStars
        All stars that have a position; of several with the same number the first.

    Raises
    ------
    InputFileError
        If the file cannot be read, lacks positions or magnitudes in that filter, has positions
        that are none, or fewer stars than are needed.
    """
    path = Path(path)
    table = columns.read_table(path)
    ra, dec, where = sky_positions(path, table)
    _check_positions(path, ra, dec, where)
    gaia = {band: columns.gaia_magnitude(path, table, band) for band in ("g", "bp", "rp")}
    mags, errors, source = _magnitudes(path, table, mag, filter, gaia)
    number, name = columns.identity(table)
    pm_ra, pm_dec, epoch = columns.proper_motions(path, table)
    stars = CatalogStars(
        id=number, name=name, ra=ra, dec=dec, mag=mags, mag_err=errors,
        variable=columns.variability(table), **gaia,
        pm_ra=pm_ra, pm_dec=pm_dec, epoch=epoch, filter=filter, source=source,
    )  # fmt: skip
    stars = stars.select(_kept(stars))
    usable = int(np.isfinite(stars.mag).sum())
    if usable < max(fewest, 1):
        found = f"{usable} of {len(table)} stars have a position and a magnitude ({source})"
        raise InputFileError(path, found, f"at least {max(fewest, 1)}", _why_none(stars, source))
    return stars


def read_positions(path: str | PathLike[str]) -> CatalogStars:
    """Read a catalogue of which only the positions are wanted.

    Parameters
    ----------
    path : str or path-like
        As for `read_star_catalog`.

    Returns
    -------
    CatalogStars
        With whatever magnitudes come first, to tell bright stars from faint ones; 0 if there are
        none.

    Raises
    ------
    InputFileError
        If the file cannot be read, or lacks positions.
    """
    path = Path(path)
    table = columns.read_table(path)
    g = columns.gaia_magnitude(path, table, "g")
    named = columns.magnitude_columns(table)
    if not np.isfinite(g).any() and named:
        return read_star_catalog(path, mag=named[0])
    ra, dec, where = sky_positions(path, table)
    _check_positions(path, ra, dec, where)
    number, name = columns.identity(table)
    pm_ra, pm_dec, epoch = columns.proper_motions(path, table)
    stars = CatalogStars(
        id=number, name=name, ra=ra, dec=dec, mag=g if np.isfinite(g).any() else np.zeros(len(ra)),
        mag_err=np.full(len(ra), np.nan), variable=columns.variability(table),
        pm_ra=pm_ra, pm_dec=pm_dec, epoch=epoch,
    )  # fmt: skip
    return stars.select(_kept(stars))


def _kept(stars: CatalogStars) -> NDArray[np.int64]:
    """Rows with a position, each number once."""
    rows = np.flatnonzero(np.isfinite(stars.ra) & np.isfinite(stars.dec))
    _, first = np.unique(stars.id[rows], return_index=True)
    return rows[np.sort(first)]


def _check_positions(path: Path, ra: FloatArray, dec: FloatArray, where: str) -> None:
    finite = np.isfinite(ra) & np.isfinite(dec)
    if not finite.any():
        raise InputFileError(path, f"no position in {where}", "degrees, or 21:33:27 -00:49:24")
    ra, dec = ra[finite], dec[finite]
    if np.abs(dec).max() > _LARGEST_DEC or ra.min() < -180 or ra.max() > 360:
        found = f"{where} reach from {ra.min():g} to {ra.max():g} and {dec.min():g} to "
        raise InputFileError(path, f"{found}{dec.max():g}", "degrees, -90 to 90 in declination")


def _magnitudes(
    path: Path, table: Table, mag: str | None, filter: str, gaia: dict[str, FloatArray]
) -> tuple[FloatArray, FloatArray, str]:
    """Magnitudes and errors from the column named, the filter's own, or Gaia's."""
    found = mag if mag is not None else columns.magnitude_column(table, filter)
    if found is not None:
        if found not in table.colnames:
            raise InputFileError(path, f"no column {found}", "", _has(table, gaia))
        mags = columns.magnitudes(path, table, found)
        return mags, columns.magnitude_errors(path, table, found), f"column {found}"
    if not filter:
        advice = f"give --filter, or a column by --mag; {_has(table, gaia)}"
        raise InputFileError(path, "which of its magnitudes to take is not clear", "", advice)
    if band_of(filter) and all(np.isfinite(values).any() for values in gaia.values()):
        mags, errors = magnitude_in(filter, gaia["g"], gaia["bp"], gaia["rp"])
        return mags, errors, f"{filter} from Gaia's G, BP and RP"
    expected = f"a column such as {filter}_mag"
    if band_of(filter):
        expected += ", or Gaia's phot_g_mean_mag, phot_bp_mean_mag and phot_rp_mean_mag"
    advice = f"{_has(table, gaia)}; name a column by --mag"
    raise InputFileError(path, f"no magnitudes in filter {filter}", expected, advice)


def _has(table: Table, gaia: dict[str, FloatArray]) -> str:
    bands = columns.magnitude_columns(table)
    text = f"magnitudes in it: {', '.join(bands)}" if bands else "it has no magnitudes"
    if all(np.isfinite(values).any() for values in gaia.values()):
        text += f" (and {', '.join(RELATIONS)} by Gaia's)"
    return f"{text}; its columns: {listed(table)}"


def _why_none(stars: CatalogStars, source: str) -> str:
    if "Gaia" not in source:
        return "choose another column by --mag"
    with np.errstate(invalid="ignore"):
        colour = stars.bp - stars.rp
    if not np.isfinite(colour).any():
        return "no star has G, BP and RP"
    return (
        f"their BP - RP reach from {np.nanmin(colour):.2f} to {np.nanmax(colour):.2f}; the "
        "relation holds in a narrower range, and for G > 2"
    )
