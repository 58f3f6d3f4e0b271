"""Made-up stamps with known brightness, and what made-up methods say of them."""

import numpy as np

from filar.saturation.evaluate import Answer
from filar.saturation.judged import Judged

LIMIT = 11.5


def toy_judged(
    stars: int = 600, *, cameras: int = 2, epochs: int = 1, exposures: int = 3, seed: int = 0
) -> Judged:
    """Stars of magnitude 5 to 14, each once in every image; the first twenty vary."""
    rng = np.random.default_rng(seed)
    mags = np.sort(rng.uniform(5, 14, stars))[rng.permutation(stars)]
    images = cameras * epochs * exposures
    star, image = (a.ravel() for a in np.meshgrid(np.arange(stars), np.arange(images)))
    zero = np.full(len(star), 22.5)
    mag = mags[star]
    return Judged(
        star=star.astype(np.int64),
        image=image.astype(np.int64),
        x=rng.uniform(0, 500, len(star)),
        y=rng.uniform(0, 400, len(star)),
        mag=mag,
        log_n=(zero - mag) / 2.5,
        log_n_err=np.zeros(len(star)),
        zero_point=zero,
        saturated=mag < LIMIT,
        variable=star < 20,
        images=tuple(f"image{k}" for k in range(images)),
        cameras=tuple(f"cam{k // (epochs * exposures)}" for k in range(images)),
        filters=("g",) * images,
        epoch=(np.arange(images) // exposures).astype(np.int64),
    )


def toy_answer(judged: Judged, *, bias: float = 0.0, sigma: float = 0.02, told: float = 1.0,
               factor: float = 1.0, seed: int = 1) -> Answer:  # fmt: skip
    """A method with a bias and a Gaussian scatter (mag) that tells its error a factor wrong."""
    rng = np.random.default_rng(seed)
    miss = bias + rng.normal(0, sigma, len(judged))
    log_n = judged.log_n - miss / 2.5
    return Answer(np.where(rng.random(len(judged)) < told, log_n, np.nan),
                  np.full(len(judged), sigma * factor / 2.5))  # fmt: skip
