"""Writing simulated exposures with the truth beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from filar.errors import OutputFileError, ParameterError
from filar.exposure import Exposure
from filar.simulate.field import StarField
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from astropy.table import QTable


def truth_table(
    fields: Mapping[str, StarField], parameters: Mapping[str, Any] | None = None
) -> QTable:
    """Table of the true positions and fluxes of all chips.

    Parameters
    ----------
    fields : mapping of str to StarField
        Stars by chip.
    parameters : mapping or None
        Seed and settings, put into ``meta``.

    Returns
    -------
    QTable
        Columns chip, id (from 1 within a chip), x, y (pixels from 0) and flux (electrons).
    """
    from astropy import units as u
    from astropy.table import QTable

    from filar import __version__

    stars = list(fields.values())
    table = QTable()
    table["chip"] = np.repeat(list(fields), [len(s) for s in stars]).astype(str)
    table["id"] = np.concatenate([np.arange(1, len(s) + 1) for s in stars]).astype(np.int64)
    for name in ("x", "y"):
        table[name] = np.concatenate([getattr(s, name) for s in stars]) * u.pix
    table["flux"] = np.concatenate([s.flux for s in stars]) * u.electron
    table["id"].info.description = "number of the star within its chip, from 1"
    table["x"].info.description = "true column, 0-based, integer = pixel centre"
    table["y"].info.description = "true row, 0-based, integer = pixel centre"
    table["flux"].info.description = "true electrons of the whole star image"
    table.meta["filar_version"] = __version__
    for key, value in (parameters or {}).items():
        table.meta[key] = list(value) if isinstance(value, tuple) else value
    return table


def prepare_folder(folder: str | os.PathLike[str], name: str) -> Path:
    """Make the folder for a simulation and check that files can be written there.

    Parameters
    ----------
    folder : path-like
        Made if it does not exist.
    name : str
        Stem of the files.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    ParameterError
        For a name with a folder in it.
    OutputFileError
        If the folder cannot be made or written to.
    """
    if not name or Path(name).name != name:
        raise ParameterError("name", name, "a plain file name without a folder or suffix")
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputFileError(
            folder, error.strerror or str(error), "choose a folder that can be made"
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputFileError(folder, "no permission", "choose another folder")
    return folder


def write_simulation(
    exposures: Sequence[Exposure],
    truth: QTable,
    folder: str | os.PathLike[str],
    name: str,
) -> tuple[Path, Path, Path]:
    """Write the chips of one exposure as WFPC2 files, and the truth beside them.

    Parameters
    ----------
    exposures : sequence of Exposure
        One per chip.
    truth : QTable
        From `truth_table`.
    folder : path-like
        Made if it does not exist.
    name : str
        Stem of the files: ``NAME_c0m.fits``, ``NAME_c1m.fits``, ``NAME_truth.ecsv``.

    Returns
    -------
    Path, Path, Path
        The science, quality and truth file.

    Raises
    ------
    ParameterError
        For a name with a folder in it.
    OutputFileError
        If the folder or a file cannot be written.
    """
    from filar.instruments import write_wfpc2

    folder = prepare_folder(folder, name)
    truth_path = folder / f"{name}_truth.ecsv"
    with whole_file(truth_path) as temporary:
        truth.write(temporary, format="ascii.ecsv")
    science, quality = write_wfpc2(exposures, folder / f"{name}_c0m.fits")
    return science, quality, truth_path
