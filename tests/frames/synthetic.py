"""Frames and truth tables of made-up exposures with a known pixel-phase bias."""

from dataclasses import dataclass, field, replace

import numpy as np

from filar.flags import Flag
from filar.frames.frame import Frame, Measures, Tie
from filar.frames.polynomial import Polynomial, fit_polynomial
from filar.frames.starlist import StarList

SIZE = 800.0
ROW_PERIOD = 34.1333


@dataclass
class Sky:
    """Stars, exposures and how they are measured; all lengths in pixels."""

    stars: int = 400
    exposures: int = 30
    noise: float = 0.01
    bias: float = 0.03
    second: float = 0.0
    row_jump: float = 0.0
    reach: float = 2.0
    roll: float = 0.0
    chip: str = "PC"
    method: str = "psf"
    seed: int = 1
    bound: float | None = None
    flux: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        self.x, self.y = rng.uniform(20, SIZE - 20, (2, self.stars))
        self.flux = 10 ** rng.uniform(3.2, 5, self.stars)
        self.offsets = rng.uniform(-self.reach, self.reach, (self.exposures, 2))
        self.offsets[0] = 0
        self.angles = rng.normal(0, self.roll, self.exposures)
        self.angles[0] = 0
        self.names = [f"e{i:03d}" for i in range(self.exposures)]

    def place(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """True positions in an exposure."""
        u, v = self.x - SIZE / 2, self.y - SIZE / 2
        c, s = np.cos(self.angles[i]), np.sin(self.angles[i])
        dx, dy = self.offsets[i]
        return SIZE / 2 + c * u - s * v + dx, SIZE / 2 + s * u + c * v + dy

    def sigma(self) -> np.ndarray:
        """Noise of a star: the same for all, or growing with faintness like photon noise."""
        return np.full(self.stars, self.noise)

    def lists(self) -> list[StarList]:
        """What a biased method measures."""
        rng = np.random.default_rng(self.seed + 1000)
        found = []
        for i, name in enumerate(self.names):
            x, y = self.place(i)
            rows = self.row_jump * (0.5 - np.mod(y + 0.5, ROW_PERIOD) / ROW_PERIOD)
            measured = [
                t
                + self.bias * np.sin(2 * np.pi * t)
                + self.second * np.sin(4 * np.pi * t)
                + rng.normal(0, self.sigma())
                for t in (x, y)
            ]
            err = self.sigma()
            found.append(
                StarList.build(
                    measured[0],
                    measured[1] + rows,
                    exposure=name,
                    chip=self.chip,
                    filter="F555W",
                    method=self.method,
                    mag=-2.5 * np.log10(self.flux),
                    x_err=err,
                    y_err=err,
                    snr=np.sqrt(self.flux),
                    q=np.full(self.stars, 0.05),
                )
            )
        return found

    def frame(self) -> Frame:
        """The lists tied to the first."""
        return frame_of(self.lists(), self.offsets, self.method)

    def truth(self) -> dict[str, np.ndarray]:
        """The table of true stars."""
        n, bound = (
            self.stars,
            self.sigma() if self.bound is None else np.full(self.stars, self.bound),
        )
        places = [self.place(i) for i in range(self.exposures)]
        m = self.exposures
        return {
            "exposure": np.repeat(self.names, n),
            "chip": np.repeat([self.chip], n * m),
            "id": np.tile(np.arange(1, n + 1), m),
            "x": np.concatenate([x for x, _ in places]),
            "y": np.concatenate([y for _, y in places]),
            "flux": np.tile(self.flux, m),
            "mag": np.tile(-2.5 * np.log10(self.flux), m),
            "x_bound": np.tile(bound, m),
            "y_bound": np.tile(bound, m),
            "x_ref": np.tile(self.x, m),
            "y_ref": np.tile(self.y, m),
        }


def frame_of(lists: list[StarList], offsets: np.ndarray, method: str) -> Frame:
    """Tie lists whose rows are the same stars; no matching, no clipping of means."""
    ties, means = [], []
    reference = lists[0]
    for stars, (dx, dy) in zip(lists, offsets, strict=True):
        if stars is reference:
            identity = Polynomial.identity()
            ties.append(Tie(stars, to_frame=identity))
            ties[-1] = replace(ties[-1], offset_x=0.0, offset_y=0.0, error_x=0.0, error_y=0.0)
            means.append((stars.x, stars.y))
            continue
        fit = fit_polynomial(stars.x, stars.y, reference.x, reference.y)
        ties.append(
            Tie(
                stars,
                to_frame=fit.transform,
                error_x=fit.error_x,
                error_y=fit.error_y,
                offset_x=float(dx),
                offset_y=float(dy),
                reference_error_x=fit.error_x,
                reference_error_y=fit.error_y,
                n_reference=int(fit.used.sum()),
            )
        )
        means.append(fit.transform(stars.x, stars.y))
    x, y = (np.array([m[axis] for m in means]) for axis in (0, 1))
    n, m = len(reference), len(lists)
    number = np.full(n, m, np.int32)
    return Frame(
        chip=reference.chip,
        filter=reference.filter,
        method=method,
        reference=reference.exposure,
        ties=tuple(ties),
        x=x.mean(axis=0),
        y=y.mean(axis=0),
        mag=reference.mag,
        x_err=x.std(axis=0, ddof=1) / np.sqrt(m),
        y_err=y.std(axis=0, ddof=1) / np.sqrt(m),
        x_rms=x.std(axis=0, ddof=1),
        y_rms=y.std(axis=0, ddof=1),
        mag_rms=np.full(n, 0.01),
        n_found=number,
        n_used=number,
        snr=reference.snr,
        flags=np.zeros(n, np.int32),
        measures=Measures(
            star=np.repeat(np.arange(n), m).astype(np.int32),
            tie=np.tile(np.arange(m), n).astype(np.int32),
            row=np.repeat(np.arange(n), m).astype(np.int32),
            x=x.T.ravel(),
            y=y.T.ravel(),
            used=np.ones(n * m, bool),
        ),
    )


def left_out(frame: Frame, number: int, reason: str) -> Frame:
    """The frame with one of its exposures left out."""
    ties = list(frame.ties)
    ties[number] = Tie(ties[number].stars, reason=reason)
    keep = frame.measures.tie != number
    own = frame.measures
    measures = Measures(
        own.star[keep], own.tie[keep], own.row[keep], own.x[keep], own.y[keep], own.used[keep]
    )
    return replace(frame, ties=tuple(ties), measures=measures)


SATURATED = int(Flag.SATURATED)
