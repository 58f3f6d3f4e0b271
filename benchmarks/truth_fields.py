"""Errors of `filar measure` on simulated WFPC2 fields against truth and the Cramer-Rao bound.

The fields come from the brute-force optics of `benchmarks.truth`, are written in WFPC2's own file
layout, and are measured from those files. After a cubic map per exposure, for isolated stars with
S/N >= 30 (and for those above 20,000 electrons apart): rms error over the bound, harmonic of the
error in the pixel phase, and the standard deviation of error over quoted error. The bound is that
of an 11 x 11 box with the true PSF and known sky, whatever box the fit used.

    python -m benchmarks.truth_fields [--quick] [--psf fit network default true]

`network` is the packaged model, told the PSF of the fit; `network=FILE` another one.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from benchmarks.truth import OVERSAMPLE, Field, TruthPSF, make_field, make_truth
from filar.exposure import Exposure
from filar.instruments import read_exposures
from filar.instruments.wfpc2_write import write_wfpc2
from filar.measure import measure_exposure
from filar.psf.bound import cramer_rao
from filar.psf.fourier import FrequencyGrid
from filar.psf.model import FieldGrid, FieldPSF

REACH = 25.0
SIMPLE_REACH, SIMPLE_ISOLATION = 7.0, 0.01
ISOLATION = 1e-3  # no neighbour's flux / distance^3 above this part of the star's own flux
BRIGHT = 20_000.0


@dataclass(frozen=True)
class Case:
    """One exposure: chip, filter, focus (microns), number of stars, diffusion law, seed."""

    chip: str
    band: str
    focus: float
    stars: int
    law: str
    seed: int


CASES = (
    Case("PC", "F555W", 0.0, 1500, "kernel", 101),
    Case("PC", "F555W", -4.0, 700, "exponential", 102),
    Case("PC", "F814W", 3.0, 1500, "gauss", 103),
    Case("WF3", "F555W", 0.0, 2500, "kernel", 104),
    Case("WF2", "F555W", 5.0, 1500, "exponential", 105),
    Case("WF4", "F555W", -3.0, 800, "gauss", 106),
    Case("WF3", "F814W", 2.0, 2500, "gauss", 107),
    Case("WF4", "F814W", -5.0, 1200, "kernel", 108),
    Case("WF3", "F555W", 9.0, 250, "exponential", 109),
    Case("PC", "F814W", -8.0, 150, "kernel", 110),
)
# the hardest sampling there is, kept apart from the totals
ULTRAVIOLET = (
    Case("PC", "F336W", -3.0, 1200, "kernel", 111),
    Case("WF2", "F336W", -3.0, 1200, "kernel", 112),
)


def true_psf(truth: TruthPSF) -> FieldPSF:
    """The truth as a `FieldPSF`, for the bound and as the PSF that knows everything."""
    size = truth.cube.shape[-1] - 1
    grid = FrequencyGrid(size / OVERSAMPLE, size)
    cube = truth.cube[..., :size, :size].reshape(-1, size, size)
    centred = np.roll(cube, (-(size // 2), -(size // 2)), axis=(1, 2))
    transforms = np.fft.rfft2(centred) / OVERSAMPLE**2
    nodes = tuple(truth.nodes)
    return FieldPSF(
        transforms.astype(np.complex64), grid, FieldGrid(nodes, nodes, "linear"), "truth"
    )


def as_file(case: Case, field: Field, folder: Path) -> Path:
    """The field as a WFPC2 exposure on disk."""
    blank = np.zeros(field.image.shape, bool)
    data = np.minimum(field.image, 27_500.0).astype(np.float32)
    exposure = Exposure(
        data=data, mask=blank, saturated=data >= 27_500.0, edge=blank, gain=7.0,
        read_noise=field.read_noise, saturation=27_500.0, exposure_time=100.0, instrument="WFPC2",
        chip=case.chip, filter=case.band, name=f"truth{case.seed}",
    )  # fmt: skip
    path = folder / f"truth{case.seed}_c0m.fits"
    write_wfpc2([exposure], path)
    return path


@dataclass(frozen=True)
class Errors:
    """Matched isolated stars of one exposure: errors after a cubic map, bounds, quoted errors."""

    error: np.ndarray  # (2, n) pixels
    bound: np.ndarray  # (2, n)
    quoted: np.ndarray  # (2, n)
    phase: np.ndarray  # (2, n)
    flux: np.ndarray  # true
    flux_pull: np.ndarray


def compare(catalog, field: Field, psf: FieldPSF, simple: bool) -> Errors:
    """Match a catalogue with the truth and take a cubic map off.

    `simple` isolation looks 7 pixels far only, for a hundredth of the star's light.
    """
    points = np.c_[field.x, field.y]
    tree = cKDTree(points)
    found = np.c_[catalog["x_fit"].value, catalog["y_fit"].value]
    clean = (catalog["flags"] & ~4) == 0
    clean &= np.isfinite(found).all(axis=1) & (catalog["flux_fit"] > 30 * catalog["flux_err"])
    distance, index = tree.query(np.nan_to_num(found, nan=-99))
    clean &= distance < 0.5
    for row in np.flatnonzero(clean):
        reach = SIMPLE_REACH if simple else REACH
        near = [k for k in tree.query_ball_point(points[index[row]], reach) if k != index[row]]
        distance = np.hypot(*(points[near] - points[index[row]]).T)
        share = field.flux[near] / field.flux[index[row]]
        light = share if simple else share / np.maximum(distance, 1) ** 3
        clean[row] = not np.any(light > (SIMPLE_ISOLATION if simple else ISOLATION))
    inside = np.all((points[index] > 60) & (points[index] < 792), axis=1)
    rows = np.flatnonzero(clean & inside)
    k = index[rows]
    limit = cramer_rao(
        psf, field.x[k], field.y[k], field.flux[k],
        sky=field.sky, read_noise=field.read_noise, box=11,
    )  # fmt: skip
    bound = np.stack([limit.x, limit.y])
    quoted = np.stack([catalog["x_err"].value[rows], catalog["y_err"].value[rows]])
    u, v = (field.x[k] - 400) / 400, (field.y[k] - 400) / 400
    basis = np.stack([u**i * v**j for i in range(4) for j in range(4 - i)], axis=1)
    error = np.empty_like(bound)
    for axis, truth in enumerate((field.x[k], field.y[k])):
        difference = found[rows, axis] - truth
        keep = np.ones(len(rows), bool)
        for _ in range(4):
            weight = 1 / bound[axis]
            terms, *_ = np.linalg.lstsq(
                (basis * weight[:, None])[keep], (difference * weight)[keep], rcond=None
            )
            error[axis] = difference - basis @ terms
            keep = np.abs(error[axis] * weight) < 6
    good = np.all(np.abs(error / bound) < 6, axis=0)
    flux, flux_err = catalog["flux_fit"].value[rows], catalog["flux_err"].value[rows]
    scale = np.average(flux / field.flux[k], weights=(field.flux[k] / flux_err) ** 2)
    pull = (flux / scale - field.flux[k]) / flux_err
    positions = np.stack([field.x[k], field.y[k]])
    phase = positions - np.rint(positions)
    lost = 1 - good.mean()
    if lost > 0.01:
        print(f"  {lost:.1%} of the stars are off by more than 6 times the bound", flush=True)
    return Errors(
        error[:, good],
        bound[:, good],
        quoted[:, good],
        phase[:, good],
        field.flux[k][good],
        pull[good],
    )


def harmonic(errors: Errors, axis: int, use: np.ndarray) -> tuple[float, float]:
    """Semi-amplitude of the first harmonic in the phase, mpix, and its standard error."""
    weight = 1 / errors.bound[axis, use] ** 2
    angle = 2 * np.pi * errors.phase[axis, use]
    basis = np.stack([np.sin(angle), np.cos(angle), np.ones(len(angle))], axis=1)
    matrix = basis.T @ (basis * weight[:, None])
    terms = np.linalg.solve(matrix, basis.T @ (weight * errors.error[axis, use]))
    sigma = np.sqrt(np.linalg.inv(matrix)[0, 0])
    return 1e3 * float(np.hypot(*terms[:2])), 1e3 * float(sigma)


def summary(errors: Errors, use: np.ndarray) -> str:
    """One line of figures."""
    ratio = [np.sqrt(np.mean((errors.error[a, use] / errors.bound[a, use]) ** 2)) for a in (0, 1)]
    waves = [harmonic(errors, a, use) for a in (0, 1)]
    pulls = [np.std(errors.error[a, use] / errors.quoted[a, use]) for a in (0, 1)]
    return (
        f"{use.sum():5d}  {ratio[0]:.3f} {ratio[1]:.3f}  {waves[0][0]:4.1f} {waves[1][0]:4.1f}"
        f" +-{waves[0][1]:.1f}  {pulls[0]:.2f} {pulls[1]:.2f} {np.std(errors.flux_pull[use]):.2f}"
    )


def main() -> None:
    """Run the cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="three cases only")
    parser.add_argument("--psf", nargs="+", default=["fit", "true", "default"])
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--seed-offset", type=int, default=0, help="other draws of the cases")
    parser.add_argument("--reflected", action="store_true", help="pads on the other side")
    parser.add_argument("--simple", action="store_true", help="isolation within 7 pixels only")
    parser.add_argument("--ultraviolet", action="store_true", help="F336W alone")
    parser.add_argument("--cases", type=int, nargs="+", help="by number")
    args = parser.parse_args()
    chosen = args.cases or ((0, 3, 6) if args.quick else range(len(CASES)))
    cases = ULTRAVIOLET if args.ultraviolet else [CASES[i] for i in chosen]
    cases = [replace(case, seed=case.seed + args.seed_offset) for case in cases]
    print("case                                   psf      stars |    n  rms/bound    phase mpix"
          "       pulls x y flux | the same for stars above 20,000 e-")  # fmt: skip
    pooled: dict[tuple[str, bool], list[Errors]] = {}
    for case in cases:
        truth = make_truth(
            case.chip,
            case.band,
            focus=case.focus,
            seed=case.seed,
            law=case.law,
            reflected=args.reflected,
        )
        field = make_field(truth, case.stars, seed=case.seed + 1)
        psf = true_psf(truth)
        with tempfile.TemporaryDirectory() as folder:
            (exposure,) = read_exposures(as_file(case, field, Path(folder)))
        for kind in args.psf:
            name, _, model = kind.partition("=")
            network = {"method": "network", "model": model or None}
            options = network if name == "network" else {"method": "psf"}
            wanted = {"true": psf, "network": "fit"}.get(name, kind)
            result = measure_exposure(exposure, psf=wanted, passes=args.passes, **options)
            errors = compare(result.catalog, field, psf, args.simple)
            everything = np.ones(errors.flux.size, bool)
            name = f"{case.chip} {case.band} {case.focus:+.0f} um {case.law} {case.stars} stars"
            used = result.psf_fit.n_stars if result.psf_fit else 0
            print(f"{name:38s} {kind[:8]:8s} {used:4d}  | {summary(errors, everything)} | "
                  f"{summary(errors, errors.flux > BRIGHT)}", flush=True)  # fmt: skip
            pooled.setdefault((kind, case.chip == "PC"), []).append(errors)
    for (kind, pc), parts in pooled.items():
        joined = Errors(*(np.concatenate([getattr(p, f) for p in parts], axis=-1)
                          for f in Errors.__annotations__))  # fmt: skip
        everything = np.ones(joined.flux.size, bool)
        bright = summary(joined, joined.flux > BRIGHT)
        name = "all PC" if pc else "all WF"
        print(f"{name:38s} {kind:8s}       | {summary(joined, everything)} | {bright}")


if __name__ == "__main__":
    main()
