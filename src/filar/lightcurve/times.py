"""Times at the solar system's barycentre."""

from __future__ import annotations

import numpy as np

from filar.lightcurve.images import FloatArray, IntArray


def barycentric(
    mjd: FloatArray, ra: FloatArray, dec: FloatArray, image: IntArray, star: IntArray
) -> FloatArray:
    """Barycentric Julian dates (TDB) of light that reached the Earth's centre.

    The observatory's place on the Earth (21 ms at most) is left out, as headers often do.

    Parameters
    ----------
    mjd : (m,) array
        Times on the Earth, MJD (UTC).
    ra, dec : (s,) arrays
        Of stars, degrees.
    image, star : (n,) int arrays
        Rows of time and star that belong together.

    Returns
    -------
    (n,) array
        NaN where a star has no position.
    """
    from astropy.coordinates import get_body_barycentric, solar_system_ephemeris
    from astropy.time import Time
    from astropy.units import lyr, year

    if not len(mjd):
        return np.zeros(0)
    time = Time(mjd, format="mjd", scale="utc").tdb
    with solar_system_ephemeris.set("builtin"):
        earth = get_body_barycentric("earth", time)
    light_years = earth.xyz.to_value(lyr)  # (3, m)
    a, d = np.radians(ra), np.radians(dec)
    toward = np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    days = np.einsum("kn,kn->n", light_years[:, image], toward[:, star]) * year.to("day")
    return np.asarray(time.jd[image] + days)
