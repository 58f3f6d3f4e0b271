"""The columns of a catalogue file, without the rest of the file in memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from filar.catalogfile import SUFFIXES
from filar.errors import InputFileError, ParameterError

Columns = dict[str, NDArray[Any]]


def read_columns(path: Path, needed: list[str], wanted: list[str]) -> Columns:
    """Read some columns of a catalogue.

    Parameters
    ----------
    path : Path
        ``.ecsv``, ``.fits`` or ``.parquet``, as `filar.catalogfile` writes them.
    needed : list of str
        Columns that must be there.
    wanted : list of str
        Columns that are taken if they are there.

    Returns
    -------
    dict of str to (n,) array
        Numbers, NaN where missing. Text comes as two entries, ``NAME`` and ``NAME:values``: a
        number for each row, and what the numbers stand for.

    Raises
    ------
    InputFileError
        If the file cannot be read or lacks a needed column.
    ParameterError
        If the suffix is another one.
    """
    readers = {".ecsv": _from_ecsv, ".fits": _from_fits, ".parquet": _from_parquet}
    if path.suffix.lower() not in readers:
        raise ParameterError("catalogue", str(path), "a name that ends in " + ", ".join(SUFFIXES))
    if not path.is_file():
        raise InputFileError(path, "there is no such file", "a catalogue")
    try:
        columns = readers[path.suffix.lower()](path, [*needed, *wanted])
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = f"cannot be read: {error}"
        raise InputFileError(path, found, "a catalogue written by filar measure") from error
    if missing := [name for name in needed if name not in columns]:
        raise InputFileError(
            path, f"it has no column {', '.join(missing)}", "a catalogue written by filar measure"
        )
    return columns


def _from_parquet(path: Path, names: list[str]) -> Columns:
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        present = [name for name in names if name in file.schema_arrow.names]
        return _from_arrow(file.read(columns=present))


def _from_ecsv(path: Path, names: list[str]) -> Columns:
    from pyarrow import csv

    with path.open(encoding="utf-8") as file:
        skip = 0
        for line in file:
            if not line.startswith("#"):
                break
            skip += 1
        else:
            raise ValueError("no header names the columns")
    present = [name for name in names if name in line.split()]
    text = [name for name in present if name in ("exposure", "chip", "filter", "method")]
    import pyarrow as pa

    types = {n: pa.string() for n in text} | {
        n: pa.int64() if n == "flags" else pa.float64() for n in present if n not in text
    }
    table = csv.read_csv(
        path,
        csv.ReadOptions(skip_rows=skip),
        csv.ParseOptions(delimiter=" "),
        csv.ConvertOptions(include_columns=present, column_types=types, strings_can_be_null=False),
    )
    return _from_arrow(table)


def _from_arrow(table: Any) -> Columns:
    import pyarrow as pa

    columns: Columns = {}
    for name in table.column_names:
        column = table[name]
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            coded = column.combine_chunks().dictionary_encode()
            if isinstance(coded, pa.ChunkedArray):
                coded = coded.combine_chunks()
            columns[name] = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            values = [v or "" for v in coded.dictionary.to_pylist()]
            columns[f"{name}:values"] = np.array([*values, ""], dtype=str)
        else:
            columns[name] = column.to_numpy()
    return columns


def _from_fits(path: Path, names: list[str]) -> Columns:
    from astropy.io import fits

    columns: Columns = {}
    with fits.open(path, memmap=True) as hdus:
        tables = [hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU)]
        if not tables:
            raise ValueError("it holds no table")
        records = np.asarray(tables[0].data)
        for name in names:
            if name not in (records.dtype.names or ()):
                continue
            if records.dtype[name].kind == "S":
                codes, values = _coded(records[name])
                columns[name], columns[f"{name}:values"] = codes, values
            else:
                columns[name] = records[name].astype(records.dtype[name].newbyteorder("="))
    return columns


def _coded(text: NDArray[np.bytes_]) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """Give numbers to texts, of which neighbours are mostly alike."""
    if not len(text):
        return np.zeros(0, np.int64), np.zeros(0, str)
    borders = np.flatnonzero(np.concatenate([[True], text[1:] != text[:-1]]))
    values, codes = np.unique(text[borders], return_inverse=True)
    lengths = np.diff(np.append(borders, len(text)))
    return np.repeat(codes, lengths), np.char.strip(np.char.decode(values, "utf-8"))
