"""Stars of Gaia's archive, fetched through astroquery."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from filar.errors import FilarError, ParameterError

if TYPE_CHECKING:
    from astropy.table import QTable

    from filar.exposure import Exposure

TABLE = "gaiadr3.gaia_source"
COLUMNS = {
    "source_id": "",
    "ra": "deg",
    "dec": "deg",
    "ra_error": "mas",
    "dec_error": "mas",
    "ref_epoch": "yr",
    "pmra": "mas / yr",
    "pmdec": "mas / yr",
    "pmra_error": "mas / yr",
    "pmdec_error": "mas / yr",
    "phot_g_mean_mag": "mag",
    "phot_bp_mean_mag": "mag",
    "phot_rp_mean_mag": "mag",
    "phot_g_mean_flux_over_error": "",
    "phot_bp_mean_flux_over_error": "",
    "phot_rp_mean_flux_over_error": "",
    "phot_bp_rp_excess_factor": "",
    "phot_variable_flag": "",
    "ruwe": "",
}
"""What is fetched, and the units."""
MOST_ROWS = 3_000_000
"""The archive cuts longer answers to anonymous users."""
LARGEST = 10.0
"""Largest radius, degrees."""
MARGIN = 60.0
"""What is fetched around an image, arcsec: stars beside it shine into it."""

Tell = Callable[[float, str], None]


class ArchiveError(FilarError):
    """An archive did not give what was asked for."""


@dataclass(frozen=True)
class Field:
    """A circle in the sky.

    Parameters
    ----------
    ra, dec : float
        Its middle, degrees, ICRS.
    radius : float
        Degrees, at most 10.

    Raises
    ------
    ParameterError
        If that is none.
    """

    ra: float
    dec: float
    radius: float

    def __post_init__(self) -> None:
        if not 0 <= self.ra < 360:
            raise ParameterError("ra", self.ra, "0 to 360 degrees")
        if not -90 <= self.dec <= 90:
            raise ParameterError("dec", self.dec, "-90 to 90 degrees")
        if not 0 < self.radius <= LARGEST:
            raise ParameterError("radius", self.radius, f"above 0, at most {LARGEST:g} degrees")

    @classmethod
    def around(cls, exposures: Sequence[Exposure], margin: float = MARGIN) -> Field:
        """Make the circle that holds images.

        Parameters
        ----------
        exposures : sequence of Exposure
            Chips; those without WCS do not count.
        margin : float
            Added around, arcsec.

        Returns
        -------
        Field

        Raises
        ------
        ArchiveError
            If no chip has a WCS.
        """
        corners = [_corners(one) for one in exposures if one.wcs is not None]
        if not corners:
            names = ", ".join(one.label for one in exposures)
            raise ArchiveError(f"{names}: no celestial WCS; give --ra, --dec and --radius")
        ra, dec = np.radians(np.concatenate(corners)).T
        places = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
        middle = places.mean(axis=1)
        middle /= np.linalg.norm(middle)
        farthest = np.degrees(np.arccos(np.clip(middle @ places, -1, 1))).max()
        return cls(
            float(np.degrees(np.arctan2(middle[1], middle[0])) % 360),
            float(np.degrees(np.arcsin(middle[2]))),
            float(farthest + margin / 3600),
        )


def _corners(exposure: Exposure) -> Any:
    rows, columns = exposure.shape
    x, y = np.array([-0.5, columns - 0.5] * 2), np.repeat([-0.5, rows - 0.5], 2)
    assert exposure.wcs is not None
    return np.column_stack(exposure.wcs.all_pix2world(x, y, 0))


def gaia_query(field: Field, brightest: float | None, faintest: float | None, what: str) -> str:
    """Write the ADQL that asks for a field.

    Parameters
    ----------
    field : Field
        Where.
    brightest, faintest : float, optional
        Limits of G.
    what : str
        What to select.

    Returns
    -------
    str
        One statement, without limit of rows.

    Raises
    ------
    ParameterError
        If the limits leave no star.
    """
    limits = ""
    if brightest is not None:
        limits += f" AND phot_g_mean_mag >= {brightest:.4f}"
    if faintest is not None:
        limits += f" AND phot_g_mean_mag <= {faintest:.4f}"
        if brightest is not None and not brightest < faintest:
            raise ParameterError("faintest", faintest, f"fainter than the brightest, {brightest}")
    circle = f"CIRCLE('ICRS', {field.ra:.8f}, {field.dec:.8f}, {field.radius:.8f})"
    inside = f"1 = CONTAINS(POINT('ICRS', ra, dec), {circle})"
    return f"SELECT {what} FROM {TABLE} WHERE {inside}{limits}"


def fetch_gaia(
    field: Field,
    *,
    brightest: float | None = None,
    faintest: float | None = None,
    progress: Tell | None = None,
) -> QTable:
    """Fetch all of Gaia DR3's stars in a field.

    The archive is asked for their number first, so that an answer that was cut is noticed.

    Parameters
    ----------
    field : Field
        Where.
    brightest, faintest : float, optional
        Limits of G, magnitude.
    progress : callable, optional
        Called with the part done and a text.

    Returns
    -------
    QTable
        The columns of `COLUMNS`, with units; missing numbers are NaN. ``meta["query"]`` is the
        statement that was sent.

    Raises
    ------
    ArchiveError
        If astroquery is not installed, the archive does not answer, there is no star or more
        than it gives at once, or some are missing.
    ParameterError
        If the limits make no sense.
    """
    tell = progress or (lambda done, text: None)
    count = gaia_query(field, brightest, faintest, "COUNT(*) AS number")
    query = gaia_query(field, brightest, faintest, ", ".join(COLUMNS))
    tell(0.05, "counting the stars")
    number = int(_ask(count)["number"][0])
    place = f"within {field.radius:g} degrees of RA {field.ra:.5f}, Dec {field.dec:+.5f}"
    if not number:
        raise ArchiveError(f"Gaia has no star {place} in these limits of G")
    if number > MOST_ROWS:
        raise ArchiveError(
            f"Gaia has {number} stars {place}, more than the {MOST_ROWS} that its archive gives at "
            "once; ask for a smaller field or give --faintest"
        )
    tell(0.3, f"fetching {number} stars")
    table = _ask(query)
    if len(table) != number:
        raise ArchiveError(
            f"Gaia's archive gave {len(table)} of {number} stars; nothing was kept: try again "
            "later, or ask for a smaller field"
        )
    tell(1.0, "done")
    return _plain(table, query)


def _ask(query: str) -> Any:
    """Send a statement to the archive."""
    try:
        # astroquery greets and reports on stdout, which is for what was asked for
        with redirect_stdout(io.StringIO()):
            from astroquery.gaia import Gaia
    except ImportError as error:
        advice = "install it with: pip install 'filar[fetch]'"
        raise ArchiveError(f"astroquery, which fetches, is not installed; {advice}") from error
    try:
        with redirect_stdout(io.StringIO()):
            return Gaia.launch_job_async(query).get_results()
    except Exception as error:  # requests, astroquery and the archive raise many kinds
        reason = str(error).strip() or type(error).__name__
        advice = (
            "see that this machine has a network, or try again later; a table fetched elsewhere "
            "(VizieR I/355/gaiadr3, the archive's own page) serves as well"
        )
        raise ArchiveError(f"Gaia's archive did not answer: {reason}; {advice}") from error


def _plain(answer: Any, query: str) -> QTable:
    """Make a table that filar's files can hold."""
    from astropy.table import Column, QTable
    from astropy.units import Quantity

    table = QTable(meta={"catalog": "Gaia DR3", "table": TABLE, "query": query})
    absent = [name for name in COLUMNS if name not in answer.colnames]
    if absent:
        raise ArchiveError(f"Gaia's archive gave no columns {', '.join(absent)}")
    for name, unit in COLUMNS.items():
        values = np.ma.asanyarray(getattr(answer[name], "value", answer[name]))
        if name == "source_id":
            column = Column(np.asarray(values).astype(np.int64))
        elif values.dtype.kind in "USO":
            texts = [v.decode() if isinstance(v, bytes) else str(v) for v in values.tolist()]
            column = Column(np.array(texts))
        else:
            numbers = values.astype(float).filled(np.nan)
            column = Quantity(numbers, unit) if unit else Column(numbers)
        table[name] = column
    return table
