"""PSF files of our own, and one function that reads any PSF file for an exposure.

A file of our own is FITS: one image extension ``PSF`` per chip, float32, of the shape (nodes, 2,
samples, samples // 2 + 1): real and imaginary parts of the transforms. INSTRUME, DETECTOR and
FILTER say what it is for; NODES holds the rest as JSON text, so that all numbers survive exactly.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from filar.errors import InputFileError, ParameterError
from filar.exposure import Exposure
from filar.instruments.fits import open_fits, text_from
from filar.psf.empirical import MARGIN, is_stdpsf, read_stdpsf, stdpsf_chips
from filar.psf.fourier import FrequencyGrid
from filar.psf.model import FieldGrid, FieldPSF
from filar.wholefile import whole_file

FILETYPE = "FILAR PSF"
VERSION = 1


@dataclass(frozen=True, eq=False)
class ChipPSF:
    """A PSF and the chip that it is for.

    Parameters
    ----------
    psf : FieldPSF
    instrument, chip, filter : str
        For example ``"WFPC2"``, ``"PC"``, ``"F555W"``; empty where unknown.
    shape : (int, int)
        Rows and columns of the chip.
    """

    psf: FieldPSF
    instrument: str
    chip: str
    filter: str
    shape: tuple[int, int]

    @classmethod
    def of(cls, exposure: Exposure, psf: FieldPSF) -> ChipPSF:
        """The PSF of an exposure."""
        return cls(psf, exposure.instrument, exposure.chip, exposure.filter, exposure.shape)


def load_psf(path: str | Path, exposure: Exposure) -> FieldPSF:
    """Read the PSF for an exposure from a STDPSF file or a file of our own.

    Parameters
    ----------
    path : path-like
        The file; what it is shows in its content.
    exposure : Exposure
        What the PSF is for.

    Returns
    -------
    FieldPSF

    Raises
    ------
    InputFileError
        If the file cannot be read, is no PSF file, or is for another camera, chip or filter.
    """
    path = Path(path)
    if file_kind(path) == "stdpsf":
        return read_stdpsf(
            path,
            exposure.chip or None,
            shape=exposure.shape,
            instrument=exposure.instrument,
            filter_name=exposure.filter,
        )
    found = read_psfs(path)
    fitting = [one for one in found if _fits(one, exposure)]
    if not fitting:
        wanted = _describe(exposure.instrument, exposure.chip, exposure.filter, exposure.shape)
        held = "; ".join(_describe(p.instrument, p.chip, p.filter, p.shape) for p in found)
        raise InputFileError(path, f"a PSF for another camera, chip or filter: {held}", wanted)
    return fitting[0].psf


def _fits(one: ChipPSF, exposure: Exposure) -> bool:
    pairs = (
        (one.instrument, exposure.instrument),
        (one.chip, exposure.chip),
        (one.filter, exposure.filter),
    )
    same = all(not a or not b or a.upper() == b.upper() for a, b in pairs)
    # chips of the same camera are read with or without overscan
    close = all(abs(a - b) <= MARGIN for a, b in zip(one.shape, exposure.shape, strict=True))
    return same and close


def _describe(instrument: str, chip: str, filter_name: str, shape: tuple[int, int]) -> str:
    names = " ".join(part for part in (instrument, chip, filter_name) if part)
    return f"{names or 'unknown camera'}, {shape[1]} columns x {shape[0]} rows"


def read_any(path: str | Path, chips: Sequence[str] | None = None) -> list[ChipPSF]:
    """Read all PSFs, or those of some chips, from a STDPSF file or a file of our own.

    Parameters
    ----------
    path : path-like
        The file.
    chips : sequence of str or None
        Names of chips; all by default.

    Returns
    -------
    list of ChipPSF
        At least one.

    Raises
    ------
    InputFileError
        If the file cannot be read, is no PSF file, or lacks a chip that is asked for.
    """
    path = Path(path)
    if file_kind(path) == "stdpsf":
        instrument, held, filter_name = stdpsf_chips(path)
        found = []
        for chip in held:
            psf = read_stdpsf(path, chip or None)
            found.append(ChipPSF(psf, instrument, chip, filter_name, _spanned(psf.nodes)))
    else:
        found = read_psfs(path)
    wanted = None if chips is None else {chip.upper() for chip in chips}
    chosen = [one for one in found if wanted is None or one.chip.upper() in wanted]
    if wanted is not None and len(wanted - {one.chip.upper() for one in chosen}):
        held = [one.chip or "one without a name" for one in found]
        raise InputFileError(
            path, f"it has the chips {', '.join(held)}", f"all of {', '.join(sorted(wanted))}"
        )
    return chosen


def _spanned(nodes: FieldGrid) -> tuple[int, int]:
    """Shape of the chip that nodes span from edge to edge; a single one lies in the middle."""
    ny, nx = (
        round(axis[-1]) + 1 if len(axis) > 1 else 2 * round(axis[0] + 1)
        for axis in (nodes.y, nodes.x)
    )
    return ny, nx


def file_kind(path: str | Path) -> str:
    """Tell which kind of PSF file it is.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    {"stdpsf", "filar"}

    Raises
    ------
    InputFileError
        If the file cannot be read or is neither.
    """
    path = Path(path)
    with open_fits(path) as hdus:
        header = hdus[0].header
        if is_stdpsf(header):
            return "stdpsf"
        if text_from(header, "FILETYPE") == FILETYPE:
            return "filar"
    raise InputFileError(
        path, "not a PSF file", "a STDPSF file or one written by filar psf convert"
    )


def write_psfs(chips: Sequence[ChipPSF], path: str | Path) -> None:
    """Write PSFs of our own form, whole or not at all.

    Parameters
    ----------
    chips : sequence of ChipPSF
        At least one.
    path : path-like
        The file.

    Raises
    ------
    ParameterError
        If there is none.
    OutputFileError
        If the file cannot be written.
    """
    from astropy.io import fits

    if not chips:
        raise ParameterError("chips", chips, "the PSF of at least one chip")
    primary = fits.PrimaryHDU()
    primary.header["ORIGIN"] = ("filar", "written by filar")
    primary.header["FILETYPE"] = (FILETYPE, "type of data")
    primary.header["VERSION"] = (VERSION, "of this form of file")
    primary.header["NEXTEND"] = len(chips)
    hdus = fits.HDUList([primary, *(_hdu(one, k) for k, one in enumerate(chips, start=1))])
    with whole_file(path) as temporary:
        hdus.writeto(temporary)


def _hdu(one: ChipPSF, version: int) -> Any:
    from astropy.io import fits

    transforms = one.psf.transforms
    parts = np.stack([transforms.real, transforms.imag], axis=1).astype(np.float32)
    hdu = fits.ImageHDU(parts, name="PSF", ver=version)
    for keyword, text in (
        ("INSTRUME", one.instrument),
        ("DETECTOR", one.chip),
        ("FILTER", one.filter),
    ):
        hdu.header[keyword] = text
    hdu.header["NODES"] = _to_text(
        {
            "name": one.psf.name,
            "shape": one.shape,
            "period": one.psf.grid.period,
            "samples": one.psf.grid.samples,
            "kind": one.psf.nodes.kind,
            "x": one.psf.nodes.x,
            "y": one.psf.nodes.y,
            "parameters": one.psf.parameters,
        }
    )
    return hdu


def _to_text(facts: dict[str, Any]) -> str:
    """JSON without the characters that FITS treats specially in long text."""

    def plain(value: Any) -> Any:
        return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)

    return json.dumps(facts, default=plain).replace("'", "\\u0027").replace("&", "\\u0026")


def read_psfs(path: str | Path) -> list[ChipPSF]:
    """Read all PSFs of a file of our own.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    list of ChipPSF
        In the order of the file.

    Raises
    ------
    InputFileError
        If the file cannot be read or is not what `write_psfs` writes.
    """
    path = Path(path)
    with open_fits(path) as hdus:
        header = hdus[0].header
        if text_from(header, "FILETYPE") != FILETYPE:
            raise InputFileError(path, "not a PSF file of filar", f"FILETYPE = {FILETYPE!r}")
        if header.get("VERSION") != VERSION:
            raise InputFileError(
                path,
                f"its form is version {header.get('VERSION')}",
                f"version {VERSION}",
                "read it with the release of filar that wrote it",
            )
        try:
            found = [_chip(hdu) for hdu in hdus[1:]]
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            raise InputFileError(
                path, f"a damaged PSF ({error})", "a file as filar wrote it", "write it again"
            ) from error
    if not found:
        raise InputFileError(path, "it holds no PSF", "the PSF of at least one chip")
    return found


def _chip(hdu: Any) -> ChipPSF:
    facts = json.loads(hdu.header["NODES"])
    parts = np.asarray(hdu.data, np.float32)
    if not np.isfinite(parts).all():
        raise ValueError("values that are not finite")
    transforms = (parts[:, 0] + 1j * parts[:, 1]).astype(np.complex64)
    if facts["kind"] not in ("polynomial", "linear"):
        raise ValueError(f"nodes of the kind {facts['kind']!r}")
    nodes = FieldGrid(tuple(facts["x"]), tuple(facts["y"]), facts["kind"])
    grid = FrequencyGrid(facts["period"], facts["samples"])
    psf = FieldPSF(transforms, grid, nodes, facts["name"], dict(facts["parameters"]))
    rows, columns = facts["shape"]
    instrument, chip, filter_name = (
        text_from(hdu.header, key) for key in ("INSTRUME", "DETECTOR", "FILTER")
    )
    return ChipPSF(psf, instrument, chip, filter_name, (int(rows), int(columns)))
