"""Small made-up stars for the tests of catalogues."""

from dataclasses import dataclass

import numpy as np

from filar import catalog
from filar.exposure import Exposure


@dataclass(frozen=True)
class Found:
    x: np.ndarray
    y: np.ndarray
    isolation: np.ndarray
    flags: np.ndarray

    def __len__(self):
        return len(self.x)


@dataclass(frozen=True)
class Fitted:
    x: np.ndarray
    y: np.ndarray
    flux: np.ndarray
    sky: np.ndarray
    x_err: np.ndarray
    y_err: np.ndarray
    flux_err: np.ndarray
    qfit: np.ndarray
    chi2: np.ndarray
    n_pixels: np.ndarray
    flags: np.ndarray


def make_exposure(**changes):
    blank = np.zeros((20, 30), bool)
    facts = {
        "gain": 7.0,
        "read_noise": 5.0,
        "exposure_time": 100.0,
        "chip": "PC",
        "filter": "F555W",
    }
    facts |= {"name": "u1", "photflam": 3.483e-18, "photplam": 5442.9, "vega_zeropoint": 22.545}
    return Exposure(blank.astype(np.float32), blank, blank, blank, **(facts | changes))


def make_stars(n=3, seed=1):
    rng = np.random.default_rng(seed)
    x, y = rng.uniform(2, 18, n), rng.uniform(2, 18, n)
    zeros = np.zeros(n, np.int32)
    found = Found(np.rint(x), np.rint(y), rng.uniform(3, 50, n), zeros)
    flux = 10 ** rng.uniform(2, 5, n)
    fitted = Fitted(
        x, y, flux, rng.normal(40, 1, n), 1 / np.sqrt(flux), 1 / np.sqrt(flux), np.sqrt(flux),
        rng.uniform(0, 0.1, n), rng.uniform(0.5, 2, n), np.full(n, 25), zeros,
    )  # fmt: skip
    return found, fitted


def make_table(n=4, **changes):
    found, fitted = make_stars(n)
    meta = {"psf": {"focus_micron": -1.25, "n_stars": 31}, "messages": ["déjà vu & 'quoted'"]}
    table = catalog.build_catalog(make_exposure(**changes), found, fitted, meta=meta)
    if n:
        table["qfit"][0] = np.nan
        table["in_domain"][0] = True
    table.meta["filar_version"] = "0.1.0"
    return table
