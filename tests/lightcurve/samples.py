"""Simulated catalogues with known truth: exposures of a field by several cameras."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from astropy.table import QTable, vstack
from astropy.time import Time

from filar.catalog import make_table
from filar.catalogfile import write_catalog
from filar.flags import Flag

PIXEL = 8.0  # arcsec
MIDDLE = (60.0, -30.0)
SIZE = 800


@dataclass
class Simulated:
    """What was put in."""

    paths: list[Path]
    mag: np.ndarray  # (stars,) means
    ra: np.ndarray
    dec: np.ndarray
    zero: dict = field(default_factory=dict)  # exposure -> zero point at the middle
    true: dict = field(default_factory=dict)  # exposure -> (stars,) true magnitudes
    mjd: dict = field(default_factory=dict)


def simulate(
    folder,
    *,
    n_stars=150,
    cameras=(("a", "g"), ("b", "g")),
    epochs=8,
    per_epoch=3,
    seed=1,
    offsets=(0.0, 0.3, -0.2, 0.15),
    colour=0.0,
    change=None,
    gradient=0.0,
    noise=0.01,
    wcs=True,
    shift=20.0,
    bad=0.0,
    spacing=1.0,
    saturation=None,
    time=True,
):
    """One catalogue per exposure. ``change(mjd) -> (stars,)`` is added to the magnitudes."""
    rng = np.random.default_rng(seed)
    x0, y0 = rng.uniform(0, SIZE, (2, n_stars))
    mag = rng.uniform(9, 14, n_stars)
    colours = rng.normal(0, colour, (len(cameras), n_stars))
    ra, dec = to_sky(x0, y0)
    done = Simulated([], mag, ra, dec)
    for k, (camera, band) in enumerate(cameras):
        for e in range(epochs):
            start = 59000 + spacing * (e + rng.uniform(-0.1, 0.1)) + 0.3 * k
            for j in range(per_epoch):
                mjd = start + j * 2 / 1440
                name = f"{camera}{band}{e:03d}{j}"
                zero = offsets[k] + rng.normal(0, 0.05)
                true = mag + colours[k] + (0 if change is None else change(mjd))
                done.zero[name], done.true[name], done.mjd[name] = zero, true, mjd
                dx, dy = rng.normal(0, shift, 2)
                x, y = x0 + dx + rng.normal(0, 0.05, n_stars), y0 + dy
                err = noise * 10 ** (0.1 * (mag - 9))
                seen = true + zero + gradient * (x / SIZE - 0.5) + rng.normal(0, err)
                outlier = rng.random(n_stars) < bad
                seen = seen + outlier * rng.uniform(0.5, 2, n_stars)
                table = catalog(name, camera, band, mjd if time else None, x, y, seen, err,
                                (ra, dec) if wcs else None, saturation, rng)  # fmt: skip
                path = Path(folder) / f"{name}.parquet"
                write_catalog(table, path)
                done.paths.append(path)
    return done


def to_sky(x, y):
    dec = MIDDLE[1] + (y - SIZE / 2) * PIXEL / 3600
    return MIDDLE[0] + (x - SIZE / 2) * PIXEL / 3600 / np.cos(np.radians(dec)), dec


def catalog(name, camera, band, mjd, x, y, mag, err, sky, saturation=None, rng=None):
    inside = (x > 0) & (x < SIZE) & (y > 0) & (y < SIZE)
    order = np.flatnonzero(inside)
    if rng is not None:
        rng.shuffle(order)
    n = len(order)
    flags = np.zeros(n, np.int32)
    if saturation is not None:
        flags[mag[order] < saturation] |= int(Flag.SATURATED)
    nan = np.full(n, np.nan)
    wobble = 0 if rng is None else rng.normal(0, 0.3 / 3600, (2, n))
    values = {
        "id": np.arange(1, n + 1), "exposure": np.full(n, name), "chip": np.full(n, ""),
        "filter": np.full(n, band), "method": np.full(n, "psf-fit"),
        "x_init": x[order], "y_init": y[order], "x_fit": x[order], "y_fit": y[order],
        "x_err": np.full(n, 0.02), "y_err": np.full(n, 0.02),
        "flux_fit": 10 ** (-0.4 * (mag[order] - 25)), "flux_err": err[order], "local_bkg": nan,
        "qfit": nan, "reduced_chi2": nan, "snr": 1 / err[order], "isolation": nan,
        "n_pixels_fit": np.full(n, 25), "mag": mag[order], "mag_err": err[order],
        "ra": sky[0][order] + wobble[0] if sky is not None else nan,
        "dec": sky[1][order] + wobble[1] if sky is not None else nan,
        "in_domain": np.zeros(n, bool), "flags": flags,
    }  # fmt: skip
    facts = {"exposure": name, "chip": "", "filter": band, "instrument": camera,
             "exposure_time_s": 90.0, "pixel_scale_arcsec": PIXEL if sky is not None else np.nan,
             "time": "" if mjd is None else Time(mjd - 45 / 86400, format="mjd").isot}  # fmt: skip
    if mjd is not None:
        facts["mid_time"] = Time(mjd, format="mjd").isot
    return make_table(values, {"mag_system": "instrumental", "exposures": [facts]})


def joined(paths, path):
    """Several catalogues as one file."""
    from filar.catalogfile import join_catalogs

    join_catalogs(paths, path)
    return path


__all__ = ["QTable", "Simulated", "catalog", "joined", "simulate", "to_sky", "vstack"]
