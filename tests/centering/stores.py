"""Stores of made-up stamps whose pixels tell where the star is, and networks that read it there."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from filar.centering.limits import raster_bound
from filar.flags import Flag
from filar.psf.samples import sample_psf
from filar.stamps.cut import corner
from filar.stamps.labels import Labels
from filar.stamps.split import split_by_star
from filar.stamps.stamps import Group, Stamps
from filar.stamps.store import StampStore
from filar.stamps.writer import StampWriter
from tests.frames.synthetic import Sky
from tests.psf.samples import READ_NOISE, SKY, optical

SIZE = 6
LABEL_ERROR = 0.001


@dataclass
class Found:
    """What a network answers."""

    x: np.ndarray
    y: np.ndarray
    x_err: np.ndarray
    y_err: np.ndarray
    in_domain: np.ndarray


@dataclass
class Reader:
    """A network with errors of so many bounds, a bias, and a taste for places and magnitudes."""

    excess: float = 1.0
    bias: float = 0.0
    quoted: float = 1.0
    bend: float = 0.02
    slope: float = 0.002

    def predict(self, stamps: Stamps) -> Found:
        place = stamps.pixels[:, 0, 0].astype(float), stamps.pixels[:, 0, 1].astype(float)
        middle = (stamps.corner_x - 400) / 400, (stamps.corner_y - 400) / 400
        # The raster's own place and magnitude are in it too: only what is told instead matters.
        own = (stamps.pixels[:, 1, 0] - 400) / 400, (stamps.pixels[:, 1, 1] - 400) / 400
        told = stamps.mag - stamps.pixels[:, 1, 2]
        bounds = raster_bound(stamps, *place)
        found = []
        for k, first in enumerate((stamps.corner_x, stamps.corner_y)):
            noise = stamps.pixels[:, 2, k] * np.nan_to_num(bounds[k]) * self.excess
            pull = self.bend * (middle[k] - own[k]) * (1 + middle[1 - k]) + self.slope * told
            wave = self.bias * np.sin(2 * np.pi * place[k])
            found.append(first + place[k] + noise + pull + wave)
        errs = [self.quoted * bound for bound in bounds]
        return Found(*found, *errs, stamps.flux < 8e4)


def make_store(
    path: Path,
    *,
    chip: str = "PC",
    stars: int = 300,
    exposures: int = 20,
    bias: float = 0.03,
    seed: int = 1,
    part: np.ndarray | None = None,
) -> tuple[StampStore, Sky]:
    """Stamps of a dithered set with biased classic centres, and the sky they are of."""
    sky = Sky(stars=stars, exposures=exposures, chip=chip, seed=seed)
    rng = np.random.default_rng(seed)
    samples = sample_psf(optical("PC"), SIZE / 2 + 1)
    ident = np.arange(1, stars + 1)
    if part is None:
        part = split_by_star(ident, (0.3, 0.1, 0.6))
    with StampWriter(path, SIZE, {"labels": "mean"}) as writer:
        for i, name in enumerate(sky.names):
            group = Group(name, chip, "F555W", "WFPC2", (800, 800), samples)
            x, y = sky.place(i)
            stamps = _stamps(x, y, sky.flux, group, rng)
            cx, cy = stamps.corner_x, stamps.corner_y
            bounds = raster_bound(stamps, x - cx, y - cy)
            classic = [
                t - c + bias * np.sin(2 * np.pi * t) + 1.3 * b * rng.normal(size=stars)
                for t, c, b in ((x, cx, bounds[0]), (y, cy, bounds[1]))
            ]
            labels = [t - c + LABEL_ERROR * rng.normal(size=stars) for t, c in ((x, cx), (y, cy))]
            flags = np.where(np.arange(stars) == 3, int(Flag.SATURATED), 0)
            known = Labels.build(
                *labels,
                x_err=np.full(stars, LABEL_ERROR),
                y_err=np.full(stars, LABEL_ERROR),
                star=ident,
                part=part,
                x_classic=classic[0],
                y_classic=classic[1],
                x_classic_err=bounds[0],
                y_classic_err=bounds[1],
                flags=flags,
                snr=sky.flux / np.sqrt(sky.flux + 36 * (SKY + READ_NOISE**2)),
            )
            writer.append(stamps, known)
    return StampStore.open(path), sky


def _stamps(x: np.ndarray, y: np.ndarray, flux: np.ndarray, group: Group, rng) -> Stamps:
    n = len(x)
    cx, cy = corner(x, SIZE).astype(np.int32), corner(y, SIZE).astype(np.int32)
    mag = (-2.5 * np.log10(flux)).astype(np.float32)
    pixels = np.zeros((n, SIZE, SIZE), np.float32)
    pixels[:, 0, 0], pixels[:, 0, 1] = x - cx, y - cy
    pixels[:, 1, 0], pixels[:, 1, 1], pixels[:, 1, 2] = cx, cy, mag
    pixels[:, 2, :2] = rng.normal(size=(n, 2))
    return Stamps(
        pixels=pixels,
        bad=np.zeros((n, SIZE, SIZE), bool),
        corner_x=cx,
        corner_y=cy,
        x_start=x,
        y_start=y,
        flux=flux.astype(np.float32),
        sky=np.full(n, SKY, np.float32),
        read_noise=np.full(n, READ_NOISE, np.float32),
        mag=mag,
        group=np.zeros(n, np.int32),
        groups=(group,),
    )
