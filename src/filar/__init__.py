"""filar: star positions and magnitudes from undersampled CCD images."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from filar.detect import detect_stars
    from filar.errors import FilarError
    from filar.exposure import Exposure
    from filar.fit import fit_stars
    from filar.flags import Flag
    from filar.instruments import read_exposures, write_wfpc2

# Where each exported name lives; it is imported when first asked for, which keeps `import filar`
# free of the heavy libraries.
_EXPORTS = {
    "Exposure": "filar.exposure",
    "FilarError": "filar.errors",
    "Flag": "filar.flags",
    "detect_stars": "filar.detect",
    "fit_stars": "filar.fit",
    "read_exposures": "filar.instruments",
    "write_wfpc2": "filar.instruments",
}

__all__ = [
    "Exposure",
    "FilarError",
    "Flag",
    "__version__",
    "detect_stars",
    "fit_stars",
    "read_exposures",
    "write_wfpc2",
]


def __getattr__(name: str) -> Any:
    module = _EXPORTS.get(name)
    if module is None:
        raise AttributeError(f"module 'filar' has no attribute {name!r}")
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(__all__)
