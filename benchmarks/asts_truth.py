"""Artificial against true stars on images that another program made.

The two images in ../shared/data/dolphot (or $FILAR_SHARED) are synthetic, with a Moffat PSF, a
bright disc and a list of true stars. Artificial stars are put into them, a completeness model is
trained on these, and its probability for each TRUE star is compared with whether the pipeline
recovered it. Covariates of true stars are measured at their true places.

    python -m benchmarks.asts_truth [--number 20000] [--workers 2] [--seed 0]
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import numpy as np
from astropy.table import Table
from scipy.spatial import cKDTree

from filar.asts.field import Field, read_fields
from filar.asts.run import catalogue_of, run_asts
from filar.asts.settings import ASTSettings
from filar.asts.surroundings import covariates
from filar.completeness.estimator import CompletenessModel
from filar.completeness.table import ArtificialStars, RealStars
from filar.measure import Settings

SHARED = Path(os.environ.get("FILAR_SHARED", Path(__file__).resolve().parents[2] / "shared"))
ZERO = 32.5  # 1000 electrons are magnitude 25
MATCH = 1.5  # pixels


def true_stars(field: Field, path: Path) -> tuple[RealStars, np.ndarray]:
    """The true stars in the first image's pixels, with the covariates of their places."""
    truth = Table.read(path)
    x, y = np.asarray(truth["x"]) - 0.5, np.asarray(truth["y"]) - 0.5
    places = [transform(x, y) for transform in field.from_first]
    around = covariates(field.bands, field.surroundings, places)
    mag = np.stack([truth["mag1"], truth["mag2"]], axis=1).astype(float)
    return RealStars(field.names, mag, around, x, y), mag[:, 0]


def recovered(stars: RealStars, found: Table) -> np.ndarray:
    """Which true stars are in the catalogue, by the rule for artificial ones.

    The nearest star of it within `MATCH` that has at most twice the true star's light.
    """
    tree = cKDTree(np.c_[np.asarray(found["x"]), np.asarray(found["y"])])
    distance, row = tree.query(np.c_[stars.x, stars.y], distance_upper_bound=MATCH)
    close = np.isfinite(distance)
    mag = np.stack([np.asarray(found[f"mag_{b}"]) for b in stars.bands], axis=1)
    own = mag[np.where(close, row, 0)] > stars.mag - 2.5 * np.log10(2)
    return np.asarray(close & own.all(axis=1))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    folder = SHARED / "data" / "dolphot"
    fields = read_fields(
        [folder / "img1.fits", folder / "img2.fits"], Settings(method="psf"),
        bands=["A", "B"], zero_points=[ZERO, ZERO],
    )  # fmt: skip
    settings = ASTSettings(
        number=options.number, mag=(20.0, 29.0), colors=((-0.5, 2.5),), seed=options.seed
    )
    asts = ArtificialStars.from_table(run_asts(fields, settings, workers=options.workers))
    model = CompletenessModel(seed=options.seed).fit(asts)
    stars, mag = true_stars(fields[0], folder / "truth.csv")
    p, r = model.p_recovered(stars), recovered(stars, catalogue_of(fields, settings))
    print(f"{len(asts)} artificial stars, held-out log loss {model.card_.figures['log_loss']:.4f}")
    sky = stars.covariates["sky_noise_A"]
    crowd = stars.covariates["crowding"]
    groups = [("all", np.ones(len(p), bool))]
    for name, values in (("sky noise", sky), ("crowding", crowd)):
        middle = np.nanmedian(values)
        groups += [(f"{name} low", values <= middle), (f"{name} high", values > middle)]
    groups += [(f"{a:.1f}-{a + 0.5:.1f} mag", (mag >= a) & (mag < a + 0.5))
               for a in np.arange(24.5, 28, 0.5)]  # fmt: skip
    groups += [(f"p {a:.1f}-{a + 0.1:.1f}", (p >= a) & (p < a + 0.1)) for a in np.arange(0, 1, 0.1)]
    print(f"{'true stars':16s} {'number':>6s} {'found':>6s} {'expected':>9s} {'pull':>6s}")
    for name, chosen in groups:
        expected, spread = p[chosen].sum(), np.sqrt((p * (1 - p))[chosen].sum())
        pull = (r[chosen].sum() - expected) / spread if spread > 0 else np.nan
        print(f"{name:16s} {chosen.sum():6d} {r[chosen].sum():6d} {expected:9.1f} {pull:6.2f}")


if __name__ == "__main__":
    main()
