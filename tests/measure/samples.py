"""Small star fields with known truth, of a camera that nobody knows."""

from functools import lru_cache
from pathlib import Path

import numpy as np
from astropy.io import fits

from filar.exposure import Exposure
from filar.psf.library import default_psf_for
from filar.psf.model import FieldPSF
from filar.psf.render import render_image

SHAPE = (140, 160)
GAIN, READ_NOISE, SKY = 2.0, 5.0, 30.0


@lru_cache
def psf() -> FieldPSF:
    return default_psf_for("", "", "", shape=SHAPE)


def positions(seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Stars on a jittered mesh, so that none has a close neighbour."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[12 : SHAPE[0] - 8 : 16, 12 : SHAPE[1] - 8 : 16].astype(float)
    return x.ravel() + rng.uniform(-1, 1, x.size), y.ravel() + rng.uniform(-1, 1, x.size)


def exposure(seed: int = 1, **changes: object) -> tuple[Exposure, np.ndarray, np.ndarray]:
    """A field of stars of 3000 to 30,000 electrons; with it the true x and y."""
    rng = np.random.default_rng(seed)
    x, y = positions(seed)
    expected = SKY + render_image(psf(), SHAPE, x, y, 10 ** rng.uniform(3.5, 4.5, len(x)))
    data = rng.poisson(expected) + rng.normal(0, READ_NOISE, SHAPE)
    blank = np.zeros(SHAPE, bool)
    facts: dict[str, object] = {"gain": GAIN, "read_noise": READ_NOISE, "name": f"field{seed}"}
    return Exposure(data.astype(np.float32), blank, blank, blank, **(facts | changes)), x, y


def write(path: Path, seed: int = 1, **cards: object) -> Path:
    """The field as a FITS image in DN."""
    image = fits.PrimaryHDU((exposure(seed)[0].data / GAIN).astype(np.float32))
    image.header.update({"GAIN": GAIN, "RDNOISE": READ_NOISE, "EXPTIME": 100.0, **cards})
    image.writeto(path, overwrite=True)
    return path
