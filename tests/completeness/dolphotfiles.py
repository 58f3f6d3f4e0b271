"""DOLPHOT's files as it writes them, of any number of images and filters."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SHARED = (
    "Extension (zero for base image)",
    "Chip (for three-dimensional FITS image)",
    "Object X position on reference image (or first image, if no reference)",
    "Object Y position on reference image (or first image, if no reference)",
    "Chi for fit",
    "Signal-to-noise",
    "Object sharpness",
    "Object roundness",
    "Direction of major axis (if not round)",
    "Crowding",
    "Object type (1=bright star, 2=faint, 3=elongated, 4=hot pixel, 5=extended)",
)
# Of an image or a filter; "{}" is Measured or Total.
MEASURED = (
    "{} counts",
    "{} sky level",
    "Normalized count rate",
    "Normalized count rate uncertainty",
    "Instrumental {}magnitude",
    "Magnitude uncertainty",
    "Chi",
    "Signal-to-noise",
    "Sharpness",
    "Roundness",
    "Crowding",
    "Photometry quality flag",
)
MAG, SNR, SHARP, FLAG = 4, 7, 8, 11
LOST = (0.0, 0.0, 0.0, 9999.0, 99.999, 9.999, 0.0, 0.0, 0.0, 0.0, 0.0, 16.0)


@dataclass(frozen=True)
class Layout:
    """Which blocks follow the columns of the object.

    Parameters
    ----------
    images : list of str
        Labels, such as ``img1 (1000.0 sec)`` or ``u4 (F555W, 100.0 sec)``.
    filters : list of str
        Labels of the combined blocks before them, such as ``WFPC2_F555W``.
    """

    images: Sequence[str]
    filters: Sequence[str] = ()

    @property
    def labels(self) -> list[str]:
        return [*self.filters, *self.images]

    def texts(self) -> list[str]:
        """What the list of columns says."""
        found = list(SHARED)
        for label in self.labels:
            combined = label in self.filters
            for text in MEASURED:
                word = "Total" if combined else "Measured"
                if "magnitude" in text:
                    word = "VEGAMAG " if self.filters else ""
                found.append(f"{text.format(word)}, {label}")
        return found

    def write_columns(self, path: Path) -> Path:
        lines = [f"{i}. {text}" for i, text in enumerate(self.texts(), start=1)]
        path.write_text("\n".join(lines) + "\n")
        return path

    def rows(self, x: np.ndarray, y: np.ndarray, mags: np.ndarray, snr: float = 20.0) -> np.ndarray:
        """Photometry with a magnitude for each label, (n, labels); NaN: lost there."""
        n = len(x)
        lost = np.isnan(mags).all(axis=1)
        shared = np.zeros((n, len(SHARED)))
        shared[:, 1] = 1
        shared[:, 2:4] = np.where(lost[:, None], 0.0, np.column_stack([x, y]))
        shared[:, 10] = 1
        blocks = []
        for mag in mags.T:
            block = np.tile(LOST, (n, 1))
            found = ~np.isnan(mag)
            block[found] = 0.01
            block[found, MAG], block[found, SNR], block[found, FLAG] = mag[found], snr, 0
            blocks.append(block)
        return np.column_stack([shared, *blocks])


def write_rows(path: Path, rows: np.ndarray) -> Path:
    """Numbers between blanks."""
    np.savetxt(path, rows, fmt="%.3f")
    return path


def write_fake(
    folder: Path, layout: Layout, x: np.ndarray, y: np.ndarray, given: np.ndarray, mags: np.ndarray
) -> Path:
    """A ``.fake`` file and its list of columns; `given` has a magnitude for each input set."""
    n = len(x)
    pairs = np.stack([np.full_like(given, 7.0), given], axis=2).reshape(n, -1)
    head = np.column_stack([np.zeros(n), np.ones(n), x, y, pairs])
    layout.write_columns(folder / "run.columns")
    return write_rows(folder / "run.fake", np.column_stack([head, layout.rows(x, y, mags)]))
