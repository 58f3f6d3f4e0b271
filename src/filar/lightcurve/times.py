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
    # In 1e-5 days the Earth moves by a tenth of a millisecond of light.
    some, which = np.unique(np.round(mjd, 5), return_inverse=True)
    time = Time(some, format="mjd", scale="utc")
    with solar_system_ephemeris.set("builtin"):
        earth = get_body_barycentric("earth", time)
    light_days = earth.xyz.to_value(lyr) * year.to("day")  # (3, unique times)
    later = (time.tdb.jd1 - time.utc.jd1) + (time.tdb.jd2 - time.utc.jd2)
    a, d = np.radians(ra), np.radians(dec)
    toward = np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)])
    mine = which[image]
    days = np.einsum("kn,kn->n", light_days[:, mine], toward[:, star])
    return np.asarray(mjd[image] + 2400000.5 + later[mine] + days)
