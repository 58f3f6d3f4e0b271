"""Empirical PSFs on oversampled grids: the STDPSF files of J. Anderson, read and written.

A file is a cube of effective PSFs, 101x101 samples each, four per pixel, the star at the middle
one; a value is the fraction of the star's light in a pixel at that offset. The header tells at
which detector pixels (from 1) they hold; between them they are interpolated linearly. The chips of
one camera may lie side by side in one file, as on a mosaic of their images.

References
----------
Anderson, J. & King, I. R. 2006, ACS ISR 2006-01 (the library grids);
Anderson, J. 2016, WFC3 ISR 2016-12 (the files).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError, ParameterError
from filar.instruments.fits import open_fits, text_from
from filar.psf.fourier import FrequencyGrid, values
from filar.psf.model import FieldGrid, FieldPSF
from filar.psf.mosaics import CAMERAS, MOSAICS, WFPC2_MOSAICS, WFPC2_NODES, WFPC2_PITCH, Mosaic
from filar.wholefile import whole_file

FloatArray = NDArray[np.float64]
OVERSAMPLING = 4
SIZE = 101  # samples per axis
GUARD = 6  # samples beyond the file's, over which the PSF goes smoothly to 0
SINGLE_NODES = 9  # per axis, where a file holds one chip
MARGIN = 60  # pixels by which a node may lie outside of a chip: overscan, rows between chips
_NAME = re.compile(r"STDP[SB]F_([A-Z0-9]+)_(F\d+[A-Z]+)")


@dataclass(frozen=True, eq=False)
class _File:
    """What a STDPSF file holds."""

    path: Path
    cube: NDArray[np.float32]  # (nodes y, nodes x, samples, samples)
    x: FloatArray  # node positions, pixels from 0
    y: FloatArray
    instrument: str
    chip: str
    filter: str


def is_stdpsf(header: Any) -> bool:
    """Whether a primary header is that of a STDPSF file."""
    return "NXPSFS" in header and "NYPSFS" in header


def read_stdpsf(
    path: str | Path,
    chip: str | None = None,
    *,
    shape: tuple[int, int] | None = None,
    instrument: str = "",
    filter_name: str = "",
) -> FieldPSF:
    """Read the PSF of one chip.

    Parameters
    ----------
    path : path-like
        The file.
    chip : str or None
        For example ``"PC"``; needed where the file holds several chips.
    shape : (int, int) or None
        Rows and columns of the chip, to check that the file's PSFs belong to it.
    instrument, filter_name : str
        What the PSF is wanted for, to check the same; not checked where empty, or where neither
        the file's header nor its name (``STDPSF_WFPC2_F555W.fits``) says.

    Returns
    -------
    FieldPSF
        Linear between the file's nodes, constant outside of them.

    Raises
    ------
    InputFileError
        If the file cannot be read, is no STDPSF file, or belongs to another camera, chip or
        filter.
    """
    file = _read(Path(path))
    _check_purpose(file, chip or "", instrument, filter_name)
    cube, x, y, name = _of_chip(file, chip, instrument)
    if shape is not None:
        _check_range(file, x, y, shape)
    transforms, grid = samples_to_transforms(cube.reshape(-1, SIZE, SIZE))
    nodes = FieldGrid(tuple(x.tolist()), tuple(y.tolist()), "linear")
    facts = [text for text in (file.instrument, name, file.filter) if text]
    return FieldPSF(transforms, grid, nodes, " ".join(["STDPSF", file.path.name, *facts]))


def stdpsf_chips(path: str | Path) -> tuple[str, list[str], str]:
    """What a STDPSF file is for.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    instrument, chips, filter : str, list of str, str
        Empty text where the file does not say.

    Raises
    ------
    InputFileError
        If the file cannot be read or is no STDPSF file.
    """
    file = _read(Path(path))
    mosaic = _mosaic(file, "")
    chips = [file.chip] if mosaic is None else list(mosaic.chips)
    return file.instrument or (mosaic.instrument if mosaic else ""), chips, file.filter


def _read(path: Path) -> _File:
    """Open, check and sort out a file."""
    with open_fits(path) as hdus:
        header, cube = hdus[0].header, hdus[0].data
    want = "a STDPSF file: a cube of 101x101 PSFs with NXPSFs, NYPSFs, IPSFXnn, JPSFYnn"
    if not is_stdpsf(header):
        raise InputFileError(path, "no NXPSFs and NYPSFs in its header", want)
    if cube is None or cube.ndim != 3 or cube.shape[1:] != (SIZE, SIZE):
        shape = "no image" if cube is None else f"an image of the shape {cube.shape}"
        raise InputFileError(path, shape, want)
    try:
        nx, ny = int(header["NXPSFS"]), int(header["NYPSFS"])
        x = np.array([float(header[f"IPSFX{i:02d}"]) for i in range(1, nx + 1)]) - 1
        y = np.array([float(header[f"JPSFY{i:02d}"]) for i in range(1, ny + 1)]) - 1
    except KeyError as error:
        raise InputFileError(path, f"{error.args[0]}".strip("\"'"), want) from error
    except (TypeError, ValueError) as error:
        raise InputFileError(path, f"a keyword that holds no number ({error})", want) from error
    if nx * ny != len(cube) or nx < 1 or ny < 1:
        raise InputFileError(path, f"{len(cube)} PSFs but NXPSFs = {nx}, NYPSFs = {ny}", want)
    if not np.isfinite(cube).all():
        raise InputFileError(path, "values that are not finite", want)
    instrument, chip, filter_name = _identity(path, header)
    values = np.asarray(cube, np.float32).reshape(ny, nx, SIZE, SIZE)
    return _File(path, values, x, y, instrument, chip, filter_name)


def _identity(path: Path, header: Any) -> tuple[str, str, str]:
    """Camera, chip and filter, from the header or else from the file's name."""
    match = _NAME.match(path.name.upper())
    instrument, chip = "", None
    if match:
        instrument, chip = CAMERAS.get(match.group(1), (match.group(1), None))
    return (
        text_from(header, "INSTRUME").upper() or instrument,
        text_from(header, "DETECTOR").upper() or chip or "",
        text_from(header, "FILTER").upper() or (match.group(2) if match else ""),
    )


def _check_purpose(file: _File, chip: str, instrument: str, filter_name: str) -> None:
    """The file must not say that it is for something else."""
    for what, found, wanted in (
        ("camera", file.instrument, instrument.upper()),
        ("chip", file.chip, chip.upper()),
        ("filter", file.filter, filter_name.upper()),
    ):
        if found and wanted and found != wanted:
            raise InputFileError(
                file.path, f"a STDPSF for another {what}, {found}", f"one for {wanted}"
            )


def _mosaic(file: _File, instrument: str) -> Mosaic | None:
    """How several chips lie in a file; None where it holds one."""
    if file.chip:
        return None
    ny, nx = file.cube.shape[:2]
    for (columns, rows), mosaic in MOSAICS.items():
        known = file.instrument or instrument or mosaic.instrument
        wide = file.y[-1] > mosaic.pitch[1] + MARGIN
        if (nx, ny) == (columns, rows) and known == mosaic.instrument and wide:
            return mosaic
    known = file.instrument or instrument or "WFPC2"
    if (nx, ny) != (6, 6) or known != "WFPC2" or file.x[3] < WFPC2_PITCH or file.x[-1] > 1660:
        return None
    # The PC's pixels are half as wide, so its PSFs are the flattest: this tells the two apart.
    centre = file.cube[:, :, SIZE // 2, SIZE // 2]
    flat = centre[:3, :3].mean() <= centre[3:, 3:].mean()
    return WFPC2_MOSAICS["anderson" if flat else "photutils"]


def _of_chip(
    file: _File, chip: str | None, instrument: str
) -> tuple[NDArray[np.float32], FloatArray, FloatArray, str]:
    """PSFs of one chip and their places on it, pixels from 0."""
    mosaic = _mosaic(file, instrument)
    if mosaic is None:
        return file.cube, file.x, file.y, file.chip or chip or ""
    if chip is None or chip.upper() not in mosaic.chips:
        found = f"it holds the chips {', '.join(mosaic.chips)} of {mosaic.instrument}"
        raise InputFileError(
            file.path, found, "the name of one of them", f"chip {chip!r} was asked for"
        )
    (column, row), (nx, ny) = mosaic.chips[chip.upper()], mosaic.nodes
    part_x, part_y = slice(column * nx, (column + 1) * nx), slice(row * ny, (row + 1) * ny)
    x, y = file.x[part_x] - column * mosaic.pitch[0], file.y[part_y] - row * mosaic.pitch[1]
    return file.cube[part_y, part_x], x, y, chip.upper()


def _check_range(file: _File, x: FloatArray, y: FloatArray, shape: tuple[int, int]) -> None:
    """The nodes must ascend and span the chip, no more and no less."""
    for name, nodes, size in (("columns", x, shape[1]), ("rows", y, shape[0])):
        outside = nodes[0] < -MARGIN or nodes[-1] > size - 1 + MARGIN
        short = len(nodes) > 1 and nodes[-1] - nodes[0] < size / 2
        if outside or short or np.any(np.diff(nodes) <= 0):
            raise InputFileError(
                file.path,
                f"a STDPSF for another camera: PSFs at {name} {nodes[0] + 1:g} to "
                f"{nodes[-1] + 1:g}",
                f"ascending ones that span the {size} {name} of the chip",
            )


def samples_to_transforms(
    samples: NDArray[np.floating[Any]],
) -> tuple[NDArray[np.complex64], FrequencyGrid]:
    """Transform effective PSFs that are given on the grid of STDPSF files.

    Parameters
    ----------
    samples : (n, 101, 101) array
        Fractions of the light.

    Returns
    -------
    transforms : (n, samples, samples // 2 + 1) complex64 array
        They give the samples back exactly.
    grid : FrequencyGrid
        Their frequencies.
    """
    padded = np.pad(samples, ((0, 0), (GUARD, GUARD - 1), (GUARD, GUARD - 1)), mode="edge")
    count = padded.shape[-1]
    beyond = np.maximum(np.abs(np.arange(count) - SIZE // 2 - GUARD) - SIZE // 2, 0)
    taper = np.cos(0.5 * np.pi * beyond / GUARD) ** 2
    tapered = (padded * taper[:, None] * taper).astype(np.float64)
    spectrum = np.fft.rfft2(np.fft.ifftshift(tapered, axes=(1, 2))) / OVERSAMPLING**2
    return spectrum.astype(np.complex64), FrequencyGrid(count / OVERSAMPLING, count)


def transforms_to_samples(
    transforms: NDArray[np.complexfloating[Any, Any]], grid: FrequencyGrid
) -> FloatArray:
    """Sample effective PSFs on the grid of STDPSF files.

    Parameters
    ----------
    transforms : (n, samples, samples // 2 + 1) complex array
        Transforms.
    grid : FrequencyGrid
        Their frequencies.

    Returns
    -------
    (n, 101, 101) array
        Fractions of the light; 0 where the transforms say nothing, beyond half of their period.
    """
    offsets = np.arange(-(SIZE // 2), SIZE // 2 + 1) / OVERSAMPLING
    samples = values(transforms, grid, offsets, offsets)
    known = np.abs(offsets) <= grid.period / 2
    return np.asarray(samples * (known[:, None] & known))


def write_stdpsf(
    psfs: FieldPSF | Mapping[str, FieldPSF],
    path: str | Path,
    *,
    shape: tuple[int, int] = (800, 800),
    instrument: str = "",
    filter_name: str = "",
    layout: str = "anderson",
) -> None:
    """Write PSFs as a STDPSF file.

    Parameters
    ----------
    psfs : FieldPSF or mapping of str to FieldPSF
        The PSF of one chip, sampled at 9x9 places, or of the four chips of WFPC2 by name, sampled
        at 3x3 places each as the format has it.
    path : path-like
        The file, written whole or not at all.
    shape : (int, int)
        Rows and columns of the chip.
    instrument, filter_name : str
        For the header.
    layout : {"anderson", "photutils"}
        Where the four chips lie, see `WFPC2_MOSAICS`. Reading finds out by itself.

    Raises
    ------
    ParameterError
        For several chips that are not the four of WFPC2, or another layout.
    OutputFileError
        If the file cannot be written.
    """
    chip = ""
    if not isinstance(psfs, FieldPSF) and len(psfs) == 1:
        chip, psfs = next(iter(psfs.items()))
    if isinstance(psfs, FieldPSF):
        x, y = (np.unique(np.rint(np.linspace(1, size, SINGLE_NODES))) for size in shape[::-1])
        cube = _sampled(psfs, x - 1, y - 1)
    else:
        x = y = np.add.outer((0, WFPC2_PITCH), WFPC2_NODES).ravel().astype(float)
        cube = _mosaic_cube(psfs, layout)
    _write(
        Path(path), cube, x, y, {"INSTRUME": instrument, "DETECTOR": chip, "FILTER": filter_name}
    )


def _mosaic_cube(psfs: Mapping[str, FieldPSF], layout: str) -> FloatArray:
    if layout not in WFPC2_MOSAICS:
        raise ParameterError("layout", layout, " or ".join(WFPC2_MOSAICS))
    mosaic = WFPC2_MOSAICS[layout]
    if set(psfs) != set(mosaic.chips):
        raise ParameterError(
            "psfs", list(psfs), f"one chip, or all four of WFPC2: {', '.join(mosaic.chips)}"
        )
    nodes = np.array(WFPC2_NODES, float) - 1
    cube = np.empty((6, 6, SIZE, SIZE))
    for name, (column, row) in mosaic.chips.items():
        part = slice(3 * row, 3 * row + 3), slice(3 * column, 3 * column + 3)
        cube[part] = _sampled(psfs[name], nodes, nodes)
    return cube


def _sampled(psf: FieldPSF, x: FloatArray, y: FloatArray) -> FloatArray:
    """Samples at nodes (pixels from 0): (nodes y, nodes x, 101, 101)."""
    at = [transforms_to_samples(psf.at(px, py)[None], psf.grid)[0] for py in y for px in x]
    return np.array(at).reshape(len(y), len(x), SIZE, SIZE)


def _write(
    path: Path, cube: FloatArray, x: FloatArray, y: FloatArray, facts: Mapping[str, str]
) -> None:
    from astropy.io import fits

    hdu = fits.PrimaryHDU(cube.reshape(-1, SIZE, SIZE).astype(np.float32))
    header = hdu.header
    header["ORIGIN"] = ("filar", "written by filar")
    header["NXPSFS"] = (len(x), "PSFs along x")
    header["NYPSFS"] = (len(y), "PSFs along y")
    for keyword, nodes in (("IPSFX", x), ("JPSFY", y)):
        for number, position in enumerate(nodes, start=1):
            header[f"{keyword}{number:02d}"] = (int(position), "pixel, from 1")
    for keyword, value in facts.items():
        if value:
            header[keyword] = value
    with whole_file(path) as temporary:
        hdu.writeto(temporary)
