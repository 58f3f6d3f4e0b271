"""Labels for a network as C23 makes them, on a simulated set whose truth is known.

A dithered set is simulated and its centres are measured three times: with a library PSF that is
4 microns off in focus (on average: the telescope breathes), with the PSF fitted to each exposure,
and with the true PSF. For each: the curves of the standard error of the transformation against the
offset, the mean catalogue, and its error against the truth for 10 to 200 exposures, as it is and
with the pixel-phase bias measured on the set itself taken out.

    python -m experiments.c23_labels -o c23_labels [--exposures 200] [--quick]

Steps whose files are there already are not repeated.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from experiments.c23_labels.centres import METHODS, measure_set
from experiments.c23_labels.growth import as_numbers, draw, growth, table
from filar.catalogfile import read_catalog
from filar.frames.curves import fit_bias, transformation_curve
from filar.frames.excess import fit_weighted_bias
from filar.frames.frame import Frame
from filar.frames.mean import solve_frames
from filar.frames.phasebias import lists_without_phase_bias
from filar.frames.read import read_lists
from filar.frames.settings import FrameSettings
from filar.frames.truth import Truth
from filar.report.frames_page import write_frames_report
from filar.simulate.dither_files import write_dither_set
from filar.simulate.dither_settings import DitherSettings

PAPER = (
    "C23, 636 exposures of 47 Tuc, hst1pass: standard error some 20 mpix at whole-pixel offsets\n"
    "on the WF chips, rising to 40 at mid phase; V curves on the WF chips, W on the PC. hst1pass\n"
    "with a library 4 microns off on 60 simulated exposures of another program: mean positions\n"
    "good to 2.2 (PC) and 4.9 mpix (WF)."
)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("c23_labels"))
    parser.add_argument("--exposures", type=int, default=200)
    parser.add_argument("--stars", type=int, default=2500)
    parser.add_argument("--magnitudes", default="natural", choices=("natural", "bright-enhanced"))
    parser.add_argument("--chips", default="PC,WF3")
    parser.add_argument("--filter", default="F555W")
    parser.add_argument("--focus-error", type=float, default=4.0, help="microns")
    parser.add_argument("--separation", type=float, default=0.0, help="pixels")
    parser.add_argument("--breathing", type=float, default=2.0, help="microns")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="12 exposures, 800 stars: minutes")
    return parser.parse_args()


def name_of(method: str, settings: DitherSettings, given: argparse.Namespace) -> str:
    """A catalogue's name says what it was made from: other choices do not take it for theirs."""
    focus = f"_{given.focus_error:+g}um" if method == "library" else ""
    return f"{method}{focus}_{settings.exposures}.parquet"


def nominal(exposures: list[dict[str, Any]], settings: DitherSettings) -> str:
    """The exposure closest to the nominal focus, as the reference of the curves.

    Its own bias is half of every curve: against one that happens to fit the library nothing shows.
    """
    return str(min(exposures, key=lambda one: abs(one["focus"] - settings.focus))["exposure"])


def bias_text(frame: Frame) -> str:
    """Noise and bias amplitude of the curves as C23 makes them, and of pairs weighted by errors."""
    parts = []
    for axis in "xy":
        curve, weighted = (
            fit_bias(transformation_curve(frame, axis)),
            fit_weighted_bias(frame, axis),
        )
        text = f"{axis}: {1000 * curve.sigma:5.1f}"
        for fit in (curve, weighted):
            text += f" {1000 * fit.amplitude:6.1f} +- {1000 * fit.amplitude_err:.1f}"
        parts.append(text)
    return ", ".join(parts)


def main() -> None:
    """Run the experiment."""
    given = arguments()
    settings = DitherSettings(
        exposures=12 if given.quick else given.exposures,
        stars=800 if given.quick else given.stars,
        chips=tuple(given.chips.split(",")),
        filter=given.filter,
        magnitudes=given.magnitudes,
        breathing=given.breathing,
        separation=given.separation,
        seed=given.seed,
    )
    folder = given.output
    write_dither_set(settings, folder / "set", workers=given.workers)
    catalogs = {
        method: measure_set(
            method, folder / "set", settings, folder / name_of(method, settings, given),
            focus_error=given.focus_error, workers=given.workers,
        )
        for method in given.methods
    }  # fmt: skip
    true_stars = read_catalog(folder / "set" / "truth.parquet")
    lists = {method: read_lists([path])[0] for method, path in catalogs.items()}
    curves = FrameSettings(reference=nominal(true_stars.meta["exposures"], settings))
    frames = {method: solve_frames(some, curves) for method, some in lists.items()}
    frames |= {
        f"{m}, bias removed": solve_frames(lists_without_phase_bias(lists[m]), curves)
        for m in given.methods
        if m != "true"
    }
    print(PAPER + "\n\nFrom the curves (mpix): noise of one measure, amplitude of the phase bias,")
    print("and the same of pairs weighted by their errors, free of what clipping does:")
    for method, some in frames.items():
        for frame in some:
            print(f"  {frame.chip:4s} {method:22s} {bias_text(frame)}")
    write_frames_report(folder / "centres.html", frames, truth=true_stars)
    rows = growth(lists, Truth.from_table(true_stars))
    print("\n" + table(rows))
    draw(rows, folder / "growth.png")
    (folder / "growth.json").write_text(json.dumps(as_numbers(rows), indent=1))
    print(f"\n{folder / 'centres.html'}, {folder / 'growth.png'}")


if __name__ == "__main__":
    main()
