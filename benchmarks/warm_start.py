"""PSF fits that begin at another exposure's solution beside those that begin from nothing.

Sets of exposures of the same stars with breathing focus and changing jitter, as `filar simulate
dithers` makes them; the PSFs are those of our own optics with aberrations ("ours"), or of the
brute-force program of `benchmarks.truth` ("second"), which has polishing errors and another law of
charge diffusion. Every exposure is measured with its PSF fitted cold and, but for the first, warm
from the first. Printed, with those exposures together: CPU seconds of one PSF fit; and as in
`benchmarks.truth_fields` for isolated stars, rms error over the Cramer-Rao bound in x and y,
semi-amplitude of the error in the pixel phase, error over quoted error; the same for bright stars.
"PSF" is the rms error of the PSF over its peak, 1e-4, and "common" that of the mean of all
exposures' errors: what averaging leaves, which a warm start must not raise.

    python -m benchmarks.warm_start [--exposures 5] [--chips PC,WF3] [--filters F555W,F814W]
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, field, replace
from time import process_time

import numpy as np

from benchmarks.truth import Field, make_truth
from benchmarks.truth_fields import BRIGHT, Errors, compare, summary, true_psf
from filar.exposure import Exposure
from filar.measure import Measurement, Settings, measure_exposure
from filar.psf.fitted import NearFit
from filar.psf.model import FieldPSF
from filar.simulate.dither_settings import DitherSettings
from filar.simulate.dithers import ChipView, expose_chip, view_chip

LAWS = {"PC": "exponential", "WF3": "gauss"}
SURFACE = 31  # seed of the polishing errors: the same mirror in all exposures
PLACES = np.meshgrid(np.linspace(80.3, 720.3, 5), np.linspace(80.4, 720.4, 5))
BOX = 9
STEP = 0.05  # pixels


@dataclass
class Tally:
    """What is gathered of one kind of fit."""

    seconds: list[float] = field(default_factory=list)
    errors: list[Errors] = field(default_factory=list)
    psf: list[np.ndarray] = field(default_factory=list)
    stars: list[int] = field(default_factory=list)

    def line(self) -> str:
        """The figures."""
        joined = Errors(
            *(np.concatenate([getattr(e, f) for e in self.errors], axis=-1)
              for f in Errors.__annotations__)
        )  # fmt: skip
        everything = np.ones(joined.flux.size, bool)
        wrong = np.array(self.psf)
        rms, common = np.sqrt(np.mean(wrong**2)), np.sqrt(np.mean(wrong.mean(axis=0) ** 2))
        return (
            f"{np.mean(self.seconds):5.2f} s {np.mean(self.stars):4.0f} | PSF {1e4 * rms:5.2f}"
            f" common {1e4 * common:5.2f} | {summary(joined, everything)} |"
            f" {summary(joined, joined.flux > BRIGHT)}"
        )


def exposure_of(
    settings: DitherSettings, chip: str, number: int, program: str
) -> tuple[ChipView, Exposure]:
    """One chip of one exposure, and what is true of it."""
    view = view_chip(settings, chip, number)
    if program == "second":
        pointing = view.pointing
        jitter = (pointing.jitter / 1e3, pointing.jitter / 1e3 * pointing.jitter_ratio)
        truth = make_truth(
            chip, settings.filter, focus=pointing.focus, seed=SURFACE, law=LAWS.get(chip, "kernel"),
            jitter=jitter, nodes=5,
        )  # fmt: skip
        view = replace(view, psf=true_psf(truth))
    return view, expose_chip(view)


def measured(exposure: Exposure, near: NearFit | None) -> tuple[Measurement, float]:
    """Measure an exposure; the processor's time for its PSF."""
    times = [process_time()]
    result = measure_exposure(
        exposure, Settings(method="psf"), near=near, on_step=lambda _: times.append(process_time())
    )
    return result, times[2] - times[1]


def wrong(psf: FieldPSF, view: ChipView) -> np.ndarray:
    """Error of a PSF at places all over the chip, over the peak.

    Where a PSF has its centre is a matter of convention, and fluxes are compared up to a factor:
    both are taken out.
    """
    x, y = (a.ravel() for a in PLACES)
    true = view.psf.stamps(x, y, BOX).reshape(len(x), -1)
    error = psf.stamps(x, y, BOX).reshape(true.shape) - true
    across, along = STEP * np.array([1, -1, 0, 0]), STEP * np.array([0, 0, 1, -1])
    for k, (px, py) in enumerate(zip(x, y, strict=True)):
        moved = view.psf.stamps(px + across, py + along, BOX).reshape(4, -1)
        own = np.stack([moved[0] - moved[1], moved[2] - moved[3], true[k]], axis=1)
        error[k] -= own @ np.linalg.lstsq(own, error[k], rcond=None)[0]
    return error / true.max()


def one_set(settings: DitherSettings, chip: str, program: str) -> dict[str, Tally]:
    """Measure all exposures of one chip both ways."""
    tallies = {"cold": Tally(), "warm": Tally()}
    near: NearFit | None = None
    for number in range(1, settings.exposures + 1):
        view, exposure = exposure_of(settings, chip, number, program)
        truth = Field(
            exposure.data, view.stars.x, view.stars.y, view.stars.flux, settings.sky,
            exposure.read_noise,
        )  # fmt: skip
        for kind, tally in tallies.items():
            if kind == "warm" and near is None:
                continue
            result, seconds = measured(exposure, near if kind == "warm" else None)
            fit = result.psf_fit
            assert fit is not None
            if number == 1:
                near = fit.solved
                break
            tally.seconds.append(seconds)
            tally.errors.append(compare(result.catalog, truth, view.psf, False))
            tally.psf.append(wrong(result.psf, view))
            tally.stars.append(fit.n_stars)
    return tallies


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--exposures", type=int, default=5)
    parser.add_argument("--stars", type=int, default=2500)
    parser.add_argument("--chips", default="PC,WF3")
    parser.add_argument("--filters", default="F555W,F814W")
    parser.add_argument("--programs", default="ours,second")
    parser.add_argument("--breathing", type=float, default=3.0, help="microns")
    parser.add_argument("--jitter-spread", type=float, default=3.0, help="mas")
    parser.add_argument("--seed", type=int, default=5)
    given = parser.parse_args()
    print("set                    CPU  stars |   PSF error 1e-4        |    n  rms/bound    "
          "phase mpix       pulls x y flux | the same for stars above 20,000 e-")  # fmt: skip
    for program in given.programs.split(","):
        for chip in given.chips.split(","):
            for band in given.filters.split(","):
                settings = DitherSettings(
                    exposures=given.exposures, stars=given.stars, filter=band, seed=given.seed,
                    chips=(chip,), breathing=given.breathing, jitter_spread=given.jitter_spread,
                    aberrations=0.05,
                )  # fmt: skip
                for kind, tally in one_set(settings, chip, program).items():
                    print(f"{program:6s} {chip} {band} {kind} {tally.line()}", flush=True)


if __name__ == "__main__":
    main()
