"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filar.errors import OutputFileError


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary name beside a file; it takes the file's name if all goes well.

    Parameters
    ----------
    path : str or path-like
        The file to write.

    Yields
    ------
    Path
        Where to write. Removed if the block raises.

    Raises
    ------
    OutputFileError
        If the operating system refuses.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise OutputFileError(path, error.strerror or str(error)) from error
    finally:
        temporary.unlink(missing_ok=True)
