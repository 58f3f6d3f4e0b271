"""Small files in each camera's layout, made for the tests."""

from pathlib import Path

import numpy as np
from astropy.io import fits

SHAPE = (30, 40)


def pixels(shape: tuple[int, ...] = SHAPE, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(10, 2, shape).astype(np.float32)


def wcs_cards(scale: float = 0.1) -> dict[str, object]:
    return {
        "CTYPE1": "RA---TAN",
        "CTYPE2": "DEC--TAN",
        "CRVAL1": 150.0,
        "CRVAL2": 2.0,
        "CRPIX1": 11.0,
        "CRPIX2": 21.0,
        "CD1_1": -scale / 3600,
        "CD1_2": 0.0,
        "CD2_1": 0.0,
        "CD2_2": scale / 3600,
    }


WFPC2_CARDS = {
    "INSTRUME": "WFPC2",
    "FILTNAM1": "F555W",
    "FILTNAM2": "",
    "FILTER1": 25,
    "ATODGAIN": 7.0,
    "EXPTIME": 100.0,
    "DATE-OBS": "1997-06-13",
    "TIME-OBS": "11:30:14",
    "EXPSTART": 50612.47933522,
    "PROPOSID": 6941,
    "TARGNAME": "OMEGA-CEN",
    "ROOTNAME": "u4",
}


def wfpc2_cube(path: Path, data: np.ndarray, *, table: bool = True) -> Path:
    """An old-layout file: cube, and the group table as its extension."""
    primary = fits.PrimaryHDU(data)
    primary.header.update(WFPC2_CARDS)
    primary.header.update(wcs_cards())
    primary.header["DETECTOR"] = 1
    primary.header["PHOTFLAM"] = 3.4e-18
    hdus = fits.HDUList([primary])
    if table:
        hdus.append(group_table(len(data)))
    hdus.writeto(path, overwrite=True)
    return path


def group_table(groups: int) -> fits.BinTableHDU:
    columns = [
        fits.Column("CRVAL1", "D", array=150.0 + np.arange(groups)),
        fits.Column("CRVAL2", "D", array=np.full(groups, 2.0)),
        fits.Column("CRPIX1", "E", array=np.full(groups, 11.0)),
        fits.Column("CRPIX2", "E", array=np.full(groups, 21.0)),
        fits.Column("CTYPE1", "8A", array=["RA---TAN"] * groups),
        fits.Column("CTYPE2", "8A", array=["DEC--TAN"] * groups),
        fits.Column("CD1_1", "D", array=np.full(groups, -0.1 / 3600)),
        fits.Column("CD2_2", "D", array=np.full(groups, 0.1 / 3600)),
        fits.Column("DETECTOR", "J", array=np.arange(groups) + 1),
        fits.Column("PHOTFLAM", "D", array=(1 + np.arange(groups)) * 1e-18),
        fits.Column("DEZERO", "D", array=np.full(groups, 295.0)),
    ]
    return fits.BinTableHDU.from_columns(columns)


def flt(
    path: Path,
    *,
    primary: dict[str, object],
    chips: dict[int, np.ndarray],
    quality: dict[int, np.ndarray] | None = None,
    keyword: str = "CCDCHIP",
    units: str = "ELECTRONS",
) -> Path:
    """Science and quality extensions in one file; `chips` by chip number."""
    hdus = fits.HDUList([fits.PrimaryHDU()])
    hdus[0].header.update(primary)
    for version, (chip, data) in enumerate(chips.items(), start=1):
        science = fits.ImageHDU(data, name="SCI", ver=version)
        science.header.update(wcs_cards(0.05) | {keyword: chip, "BUNIT": units})
        hdus.append(science)
        if quality is not None:
            hdus.append(fits.ImageHDU(quality.get(chip), name="DQ", ver=version))
    hdus[0].header["NEXTEND"] = len(hdus) - 1
    hdus.writeto(path, overwrite=True)
    return path


def image(path: Path, data: np.ndarray | None, **cards: object) -> Path:
    """A plain image in the primary extension."""
    primary = fits.PrimaryHDU(data)
    primary.header.update(cards)
    primary.writeto(path, overwrite=True)
    return path
