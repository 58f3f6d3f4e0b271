"""Mean catalogues as tables and files, and read back to carry stars into any exposure."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from filar.errors import InputFileError, ParameterError
from filar.frames.corrections import Corrections
from filar.frames.frame import Frame, Tie
from filar.frames.polynomial import Polynomial
from filar.frames.settings import FrameSettings
from filar.frames.starlist import FloatArray

if TYPE_CHECKING:
    from astropy.table import QTable

_COLUMNS: tuple[tuple[str, str, str, str], ...] = (
    ("id", "", "", "number of the star within its chip, from 1"),
    ("chip", "", "", "detector chip"),
    ("filter", "", "", "filter"),
    ("method", "", "", "what measured the stars"),
    ("x", "pix", ".5f", "mean column in the reference exposure's system, from 0"),
    ("y", "pix", ".5f", "mean row in the reference exposure's system, from 0"),
    ("x_err", "pix", ".5f", "1-sigma error of x by the measures' scatter alone"),
    ("y_err", "pix", ".5f", "1-sigma error of y by the measures' scatter alone"),
    ("x_rms", "pix", ".5f", "standard deviation of one measure of x"),
    ("y_rms", "pix", ".5f", "standard deviation of one measure of y"),
    ("mag", "mag", ".5f", "mean magnitude in the reference exposure's system"),
    ("mag_err", "mag", ".5f", "1-sigma error of mag: mag_rms / sqrt(n_used)"),
    ("mag_rms", "mag", ".5f", "standard deviation of one measure of mag"),
    ("n_found", "", "", "exposures in which the star was found"),
    ("n_used", "", "", "measures that entered the mean"),
    ("snr", "", ".2f", "median signal-to-noise ratio of a measure"),
    ("flags", "", "", "bits that most of the measures used have, see filar.flags"),
)
_TIE_NUMBERS = (
    "offset_x",
    "offset_y",
    "error_x",
    "error_y",
    "reference_error_x",
    "reference_error_y",
    "mag_offset",
)


def mean_table(
    frames: Sequence[Frame],
    settings: FrameSettings | None = None,
    corrections: Corrections | None = None,
    *,
    phase_bias_removed: bool = False,
) -> QTable:
    """Put mean catalogues below each other.

    Parameters
    ----------
    frames : sequence of Frame
        One per chip.
    settings : FrameSettings, optional
        How they were made.
    corrections : Corrections, optional
        Steps that the positions took before.
    phase_bias_removed : bool
        Whether pixel-phase bias was taken out of them, see `filar.frames.phasebias`.

    Returns
    -------
    QTable
        One row per star, with units. ``meta``: versions, settings, corrections, and in
        ``exposures`` for each exposure and chip whether it was used or why not, its offset, the
        standard errors, the linear terms and the polynomial into the frame.
    """
    from astropy.table import Column, QTable, vstack
    from astropy.units import Quantity

    from filar import __version__
    from filar.catalog import versions

    parts = []
    for frame in frames:
        values = _values(frame)
        part = QTable()
        for name, unit, form, description in _COLUMNS:
            data = values[name]
            part[name] = Quantity(data, unit) if unit else Column(data)
            part[name].info.description, part[name].info.format = description, form or None
        parts.append(part)
    table = vstack(parts, metadata_conflicts="silent") if parts else QTable()
    plain = json.loads(json.dumps(asdict(settings or FrameSettings()), default=str))
    table.meta = {
        "filar_version": __version__,
        "versions": versions(),
        "parameters": _finite(plain),
        "corrections": (corrections or Corrections()).facts(),
        "phase_bias_removed": phase_bias_removed,
        "frames": [
            {
                "chip": frame.chip,
                "filter": frame.filter,
                "method": frame.method,
                "reference": frame.reference,
                "n_stars": len(frame),
                "n_exposures": sum(tie.used for tie in frame.ties),
            }
            for frame in frames
        ],
        "exposures": [_tie_facts(frame, tie) for frame in frames for tie in frame.ties],
    }
    return table


def _values(frame: Frame) -> dict[str, Any]:
    n = len(frame)
    with np.errstate(divide="ignore", invalid="ignore"):
        mag_err = frame.mag_rms / np.sqrt(frame.n_used)
    names = {name: np.full(n, getattr(frame, name)) for name in ("chip", "filter", "method")}
    own = [name for name, *_ in _COLUMNS if name not in {"id", "mag_err", *names}]
    return {
        "id": np.arange(1, n + 1, dtype=np.int32),
        **names,
        "mag_err": mag_err,
        **{name: getattr(frame, name) for name in own},
    }


def _finite(value: Any) -> Any:
    """Write infinities and NaN as text and None, which every file form keeps."""
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else str(value)
    return value


def _tie_facts(frame: Frame, tie: Tie) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "exposure": tie.stars.exposure,
        "chip": tie.stars.chip,
        "source": tie.stars.source,
        "used": tie.used,
        "reason": tie.reason,
        "remark": tie.remark,
        "reference": tie.stars.exposure == frame.reference and tie.used,
        "n_stars": len(tie.stars),
    }
    facts |= {name: float(getattr(tie, name)) for name in _TIE_NUMBERS}
    if tie.to_frame is not None:
        facts["linear"] = json.dumps(tie.to_frame.linear_part.tolist())
        facts["polynomial"] = json.dumps(
            {
                "order": tie.to_frame.order,
                "centre": list(tie.to_frame.centre),
                "scale": tie.to_frame.scale,
                "coefficients": tie.to_frame.coefficients.tolist(),
            }
        )
    return dict(_finite(facts))


@dataclass(frozen=True, eq=False)
class MeanChip:
    """The mean catalogue of one chip, as a file gives it back.

    Parameters
    ----------
    chip, filter, method, reference : str
        Names.
    stars : QTable
        The rows of the chip.
    to_frame : mapping of str to Polynomial
        Exposure to the transformation from its (corrected) positions to the frame's; those left
        out are not there.
    corrections : Corrections
        Steps that the positions took before.
    """

    chip: str
    filter: str
    method: str
    reference: str
    stars: QTable
    to_frame: Mapping[str, Polynomial]
    corrections: Corrections

    def in_exposure(self, exposure: str) -> tuple[FloatArray, FloatArray]:
        """Carry the mean positions back into an exposure's image.

        Parameters
        ----------
        exposure : str
            Name of an exposure that was used.

        Returns
        -------
        x, y : (n,) arrays
            Pixels of the image, from 0, corrections undone; NaN where that is impossible.

        Raises
        ------
        ParameterError
            If the exposure was not used.
        """
        if exposure not in self.to_frame:
            raise ParameterError("exposure", exposure, "one that the mean catalogue used")
        place = (self.stars["x"].value, self.stars["y"].value)
        return self.corrections.undo(*self.to_frame[exposure].inverse(*place), self.chip)


def read_mean(path: str | os.PathLike[str]) -> list[MeanChip]:
    """Read a file of `filar mean`.

    Parameters
    ----------
    path : path-like
        ``.ecsv``, ``.fits`` or ``.parquet``.

    Returns
    -------
    list of MeanChip
        One per chip.

    Raises
    ------
    ParameterError
        If the suffix is another one.
    InputFileError
        If it cannot be read or is no mean catalogue.
    """
    from filar.catalogfile import read_catalog

    table = read_catalog(path)
    chips = []
    try:
        corrections = Corrections.from_facts(table.meta["corrections"])
        for facts in table.meta["frames"]:
            mine = [e for e in table.meta["exposures"] if e["chip"] == facts["chip"]]
            transforms = {e["exposure"]: _polynomial(e) for e in mine if e["used"]}
            names = (facts["chip"], facts["filter"], facts["method"], facts["reference"])
            rows = table[np.asarray(table["chip"]) == facts["chip"]]
            chips.append(MeanChip(*names, rows, transforms, corrections))
    except (KeyError, TypeError, ValueError) as error:
        raise InputFileError(path, f"no mean catalogue: {error}", "a file of filar mean") from error
    return chips


def _polynomial(facts: Mapping[str, Any]) -> Polynomial:
    stored = json.loads(facts["polynomial"])
    x, y = stored["centre"]
    coefficients = np.array(stored["coefficients"], float)
    return Polynomial(int(stored["order"]), coefficients, (float(x), float(y)), stored["scale"])
