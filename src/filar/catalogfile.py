"""Catalogue files: ECSV, FITS and Parquet, written whole or not at all, in bounded memory."""

from __future__ import annotations

import io
import json
import os
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from filar.errors import InputFileError, OutputFileError, ParameterError
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from astropy.table import QTable

SUFFIXES = (".ecsv", ".fits", ".parquet")
R = TypeVar("R")
_META_KEY = "FILAR"
_FITS_BLOCK = 2880


def check_output(path: str | os.PathLike[str], suffixes: Sequence[str] = SUFFIXES) -> Path:
    """Check, before the work is done, that a file could be written.

    Parameters
    ----------
    path : str or path-like
        The file.
    suffixes : sequence of str
        The suffixes that are allowed, with their dots.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ParameterError
        If the suffix is another one.
    OutputFileError
        If the folder is missing or not writable, or the file is a folder or write-protected.
    """
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        raise ParameterError("output file", str(path), "a name that ends in " + ", ".join(suffixes))
    if not path.parent.is_dir():
        advice = "make it first or name a file in another folder"
        raise OutputFileError(path, f"there is no folder {path.parent}", advice)
    if path.is_dir():
        raise OutputFileError(path, "it is a folder", "name a file in it")
    blocked = path if path.exists() and not os.access(path, os.W_OK) else path.parent
    if not os.access(blocked, os.W_OK):
        raise OutputFileError(path, f"no permission to write {blocked}")
    return path


def write_catalog(table: QTable, path: str | os.PathLike[str], *, overwrite: bool = True) -> None:
    """Write a catalogue in the form that the file's suffix names.

    Parameters
    ----------
    table : QTable
        Numbers, quantities and text of one value per row; ``meta`` of plain values.
    path : str or path-like
        ``.ecsv``, ``.fits`` or ``.parquet``. Units, descriptions and ``meta`` survive in each.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    ParameterError
        If the suffix is another one.
    OutputFileError
        If the file cannot be written; nothing is left behind then.
    """
    path = check_output(path)
    if path.exists() and not overwrite:
        raise OutputFileError(path, "it exists", "allow to overwrite it or choose another name")
    _write(path, [table], _template(table, _text_widths(table), table.meta), len(table))


def join_catalogs(parts: Sequence[Path], path: str | os.PathLike[str]) -> int:
    """Put catalogues of the same columns below each other, one in memory at a time.

    Parameters
    ----------
    parts : sequence of Path
        Parquet catalogues as `write_catalog` makes them, at least one.
    path : str or path-like
        The catalogue to write: ``.ecsv``, ``.fits`` or ``.parquet``. Its ``meta`` is the first
        part's, with the lists in it extended by the other parts'.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    ParameterError
        If there is no part or the suffix is another one.
    OutputFileError
        If the file cannot be written; nothing is left behind then.
    """
    path = check_output(path)
    if not parts:
        raise ParameterError("parts", parts, "at least one catalogue")
    heads = [_parquet_head(part) for part in parts]
    meta = dict(heads[0][0].meta)
    for key, value in meta.items():
        if isinstance(value, list):
            meta[key] = [item for head, _ in heads for item in head.meta.get(key, [])]
    all_widths = [_text_widths(head) for head, _ in heads]
    widths = {name: max(w[name] for w in all_widths) for name in all_widths[0]}
    rows = sum(n for _, n in heads)
    _write(path, map(_read_parquet, parts), _template(heads[0][0], widths, meta), rows)
    return rows


def read_catalog(path: str | os.PathLike[str]) -> QTable:
    """Read a catalogue that `write_catalog` wrote.

    Parameters
    ----------
    path : str or path-like
        ``.ecsv``, ``.fits`` or ``.parquet``.

    Returns
    -------
    QTable
        With units, descriptions and ``meta``; missing numbers are NaN.

    Raises
    ------
    ParameterError
        If the suffix is another one.
    InputFileError
        If there is no such file or it cannot be understood.
    """
    readers = {".ecsv": _read_ecsv, ".fits": _read_fits, ".parquet": _read_parquet}
    return _read(Path(path), readers)


def read_meta(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read what a catalogue says about itself, without its rows.

    Parameters
    ----------
    path : str or path-like
        ``.ecsv``, ``.fits`` or ``.parquet``.

    Returns
    -------
    dict
        ``meta`` of the table; empty where the file has none.

    Raises
    ------
    ParameterError
        If the suffix is another one.
    InputFileError
        If there is no such file or it cannot be understood.
    """
    readers: dict[str, Callable[[Path], dict[str, Any]]] = {
        ".ecsv": _ecsv_meta,
        ".fits": lambda file: dict(_read_fits(file).meta),
        ".parquet": lambda file: dict(_parquet_head(file)[0].meta),
    }
    return _read(Path(path), readers)


def _read(path: Path, readers: Mapping[str, Callable[[Path], R]]) -> R:
    """Read a file with the reader of its suffix; whatever goes wrong names the file."""
    if path.suffix.lower() not in readers:
        raise ParameterError("catalogue", str(path), "a name that ends in " + ", ".join(SUFFIXES))
    if not path.is_file():
        raise InputFileError(path, "there is no such file", "a catalogue")
    try:
        return readers[path.suffix.lower()](path)
    except Exception as error:  # the libraries raise whatever a damaged file makes them stumble at
        found = f"cannot be read: {error or type(error).__name__}"
        raise InputFileError(path, found, "a catalogue written by filar") from error


def _ecsv_meta(path: Path) -> dict[str, Any]:
    from itertools import takewhile

    from astropy.table import meta

    with path.open(encoding="utf-8") as file:
        lines = [line[2:].rstrip("\n") for line in takewhile(lambda text: text[:1] == "#", file)]
    if not lines or not lines[0].startswith("%ECSV"):
        return {}
    found = meta.get_header_from_yaml(lines[2:]).get("meta", {})
    return {key: value for key, value in found.items() if key[:2] != "__"}


def _write(path: Path, tables: Iterable[QTable], template: QTable, rows: int) -> None:
    with whole_file(path) as temporary:
        if path.suffix.lower() == ".parquet":
            _write_parquet(temporary, tables, template)
        elif path.suffix.lower() == ".fits":
            _write_fits(temporary, tables, template, rows)
        else:
            _write_ecsv(temporary, tables, template)


def _text_widths(table: QTable) -> dict[str, int]:
    widths = {name: table[name].dtype for name in table.colnames}
    return {n: max(t.itemsize // 4, 1) for n, t in widths.items() if t.kind == "U"}


def _template(table: QTable, widths: dict[str, int], meta: dict[str, Any]) -> QTable:
    """Make an empty catalogue of the same columns, with text wide enough for every row."""
    empty = table[:0].copy()
    for name, width in widths.items():
        info = empty[name].info
        column = empty[name].astype(f"U{width}")
        column.info.description, column.info.format = info.description, info.format
        empty[name] = column
    empty.meta = json.loads(json.dumps(meta, default=_plain))
    return empty


def _plain(value: Any) -> Any:
    """Turn what JSON does not know into what it knows."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return str(value)


def _values(table: QTable, name: str) -> NDArray[Any]:
    column = table[name]
    return np.asarray(getattr(column, "value", column))


def _write_ecsv(path: Path, tables: Iterable[QTable], template: QTable) -> None:
    def text(table: QTable) -> str:
        buffer = io.StringIO()
        table.write(buffer, format="ascii.ecsv")
        return buffer.getvalue()

    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text(template))
        for table in tables:
            bare = _rounded(table)
            lines = text(bare).splitlines(keepends=True)
            n_header = next(i for i, line in enumerate(lines) if not line.startswith("#")) + 1
            file.writelines(lines[n_header:])


def _rounded(table: QTable) -> QTable:
    """Round to the digits of the columns' formats: half the file, and nothing real is lost."""
    from astropy.table import QTable

    plain = QTable()
    for name in table.colnames:
        values, form = _values(table, name), table[name].info.format or ""
        digits = re.fullmatch(r"\.(\d+)f", form)
        plain[name] = np.round(values, int(digits.group(1))) if digits else values
    return plain


def _read_ecsv(path: Path) -> QTable:
    from astropy.table import QTable

    table = QTable.read(path, format="ascii.ecsv")
    for name in table.colnames:
        if table[name].dtype.kind == "U" and hasattr(table[name], "filled"):
            table[name] = table[name].filled("")
    return table


def _write_fits(path: Path, tables: Iterable[QTable], template: QTable, rows: int) -> None:
    from astropy.io import fits

    empty = template.copy()
    empty.meta = {_META_KEY: json.dumps(template.meta)}
    with path.open("wb") as file, warnings.catch_warnings():
        # FITS has no unit named electron, and astropy refuses a TUNIT that it does not know: it
        # keeps the unit in its own comment lines, and other readers find it beside the name.
        warnings.filterwarnings("ignore", ".*could not be saved in native FITS")
        empty.write(file, format="fits")
    with fits.open(path) as hdus:
        primary, header = hdus[0].header, hdus[1].header
        dtype = np.dtype(hdus[1].columns.dtype).newbyteorder(">")
    for i, name in enumerate(template.colnames, start=1):
        unit = template[name].info.unit
        if unit is not None and f"TUNIT{i}" not in header:
            header.comments[f"TTYPE{i}"] = f"unit: {unit}"
    header["NAXIS2"] = rows
    with path.open("wb") as file:
        file.write(primary.tostring().encode("ascii") + header.tostring().encode("ascii"))
        for table in tables:
            file.write(_fits_records(table, dtype))
        file.write(b"\0" * (-file.tell() % _FITS_BLOCK))


def _fits_records(table: QTable, dtype: np.dtype[Any]) -> bytes:
    records = np.zeros(len(table), dtype)
    for name in table.colnames:
        values = _values(table, name)
        if values.dtype.kind == "U":
            values = np.char.encode(values, "ascii", "replace")
        elif values.dtype.kind == "b":
            values = np.where(values, ord("T"), ord("F"))  # as FITS writes logical values
        records[name] = values
    return records.tobytes()


def _read_fits(path: Path) -> QTable:
    from astropy.table import QTable

    table = QTable.read(path, format="fits", mask_invalid=False)
    meta = table.meta.get(_META_KEY)
    table.meta = json.loads(meta) if meta else dict(table.meta)
    for name in table.colnames:
        info = table[name].info
        kind = str if info.dtype.kind == "S" else info.dtype.newbyteorder("=")
        column = table[name].astype(kind)
        column.info.description, column.info.format = info.description, info.format
        table[name] = column
    return table


def _arrow_schema(template: QTable) -> Any:
    """Arrow schema whose metadata astropy's own Parquet reader understands too."""
    import pyarrow as pa
    from astropy.table import meta, serialize
    from astropy.utils.data_info import serialize_context_as

    with serialize_context_as("parquet"):
        plain = serialize.represent_mixins_as_columns(template)
    metadata = {"table_meta_yaml": "\n".join(meta.get_yaml_from_table(plain))}
    metadata |= {f"table::len::{n}": str(w) for n, w in _text_widths(template).items()}
    fields = [
        pa.field(name, pa.from_numpy_dtype(_values(template, name).dtype.type))
        for name in template.colnames
    ]
    return pa.schema(fields, metadata=metadata)


def _write_parquet(path: Path, tables: Iterable[QTable], template: QTable) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = _arrow_schema(template)
    with parquet.ParquetWriter(path, schema) as writer:
        for table in tables:
            arrays = [
                pa.array(_values(table, name).tolist() if kind == pa.string() else values)
                for name, kind in zip(schema.names, schema.types, strict=True)
                for values in (np.ascontiguousarray(_values(table, name)),)
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


def _parquet_head(path: Path) -> tuple[QTable, int]:
    """Read the columns without rows, and the number of rows."""
    from pyarrow import parquet

    with parquet.ParquetFile(path) as file:
        return _to_table(file.schema_arrow.empty_table()), int(file.metadata.num_rows)


def _read_parquet(path: Path) -> QTable:
    from pyarrow import parquet

    return _to_table(parquet.read_table(path))


def _to_table(arrow: Any) -> QTable:
    from astropy.table import Column, QTable, meta
    from astropy.units import Quantity

    facts = {k.decode(): v.decode() for k, v in (arrow.schema.metadata or {}).items()}
    header: dict[str, Any] = {}
    if "table_meta_yaml" in facts:
        header = meta.get_header_from_yaml(facts["table_meta_yaml"].split("\n"))
    table = QTable(meta={k: v for k, v in header.get("meta", {}).items() if k[:2] != "__"})
    columns = {entry["name"]: entry for entry in header.get("datatype", [])}
    for name in arrow.column_names:
        values = arrow[name].to_numpy()
        if values.dtype.kind == "O":
            values = values.astype(f"U{facts.get(f'table::len::{name}', '')}")
        entry = columns.get(name, {})
        unit = entry.get("unit")
        table[name] = Quantity(values, unit) if unit else Column(values)
        table[name].info.description = entry.get("description")
        table[name].info.format = entry.get("format")
    return table
