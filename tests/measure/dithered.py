"""Small dithered exposures of one field, of a camera that nobody knows, with the truth."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from astropy.table import QTable

from filar.catalogfile import write_catalog
from filar.psf.render import render_image

from . import samples


@dataclass(frozen=True)
class Dithers:
    """Files, the truth beside them, and the stars in the first exposure's system."""

    files: list[Path]
    truth: Path
    x: np.ndarray
    y: np.ndarray
    flux: np.ndarray
    offsets: np.ndarray


def write(folder: Path, number: int = 8, seed: int = 1, most: int = 99, **cards: object) -> Dithers:
    """Exposures shifted by up to 2 pixels; the last star has a neighbour at 4.6 pixels."""
    rng = np.random.default_rng([seed, 9])
    x, y = (place[:most] for place in positions(rng))
    x, y = np.append(x, x[-1] - 4.6), np.append(y, y[-1])
    flux = 10 ** rng.uniform(3.5, 4.5, len(x))
    flux[-2:] = 2e4
    offsets = rng.uniform(-2, 2, (number, 2))
    offsets[0] = 0
    files, rows = [], []
    for k, (dx, dy) in enumerate(offsets):
        name = f"d{k:02d}"
        expected = samples.SKY + render_image(samples.psf(), samples.SHAPE, x + dx, y + dy, flux)
        data = rng.poisson(expected) + rng.normal(0, samples.READ_NOISE, samples.SHAPE)
        files.append(write_image(folder / f"{name}.fits", data, **cards))
        rows.append({"exposure": np.full(len(x), name), "x": x + dx, "y": y + dy})
    table = {k: np.concatenate([row[k] for row in rows]) for k in rows[0]}
    table["id"] = np.tile(np.arange(1, len(x) + 1), number)
    table["chip"] = np.full(len(table["x"]), "")
    write_catalog(QTable(table), folder / "truth.parquet")
    return Dithers(files, folder / "truth.parquet", x, y, flux, offsets)


def positions(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Some 75 places, none within 10 pixels of another."""
    kept = np.empty((0, 2))
    for place in rng.uniform(10, np.array(samples.SHAPE[::-1]) - 10.0, (400, 2)):
        if not (np.hypot(*(kept - place).T) < 10).any():
            kept = np.vstack([kept, place])
    return kept[:, 0], kept[:, 1]


def write_image(path: Path, data: np.ndarray, **cards: object) -> Path:
    """An image in electrons as a FITS file in DN."""
    image = fits.PrimaryHDU((data / samples.GAIN).astype(np.float32))
    facts = {"GAIN": samples.GAIN, "RDNOISE": samples.READ_NOISE, "FILTER": "F555W"}
    image.header.update({**facts, **cards})
    image.writeto(path, overwrite=True)
    return path
