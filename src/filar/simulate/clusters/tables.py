"""Tables of mock clusters and of what lies in scenes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from filar.simulate.clusters.scene import SceneObjects

if TYPE_CHECKING:
    from astropy.table import QTable

FloatArray = NDArray[np.float64]
COLUMNS = {
    "log_age": "log10 of the age in years",
    "a_v": "extinction in V",
    "log_mass": "log10 of the initial mass in suns",
    "log_r_h": "log10 of the projected half-light radius in arcsec",
    "shape": "slope of the EFF profile, or concentration of the King profile",
    "z": "mass fraction of metals",
    "x": "middle of the cluster",
    "y": "middle of the cluster",
    "stars": "stars drawn one by one",
}
UNITS = {"a_v": "mag", "x": "pix", "y": "pix"}


class MockTruth(Protocol):
    """What is true of mock clusters: `filar.simulate.clusters.mock.Mocks`, or `MockRows`."""

    @property
    def log_age(self) -> FloatArray:
        """log10 of years."""
        ...

    @property
    def mag(self) -> FloatArray:
        """Vega magnitudes (n, bands)."""
        ...


@dataclass(frozen=True, eq=False)
class MockRows:
    """What is true of mock clusters, without their images.

    Parameters
    ----------
    log_age, a_v, log_mass, log_r_h, shape, z, x, y, stars : (n,) arrays
        See `COLUMNS`.
    mag : (n, bands) array
        Apparent Vega magnitudes.
    """

    log_age: FloatArray
    a_v: FloatArray
    log_mass: FloatArray
    log_r_h: FloatArray
    shape: FloatArray
    z: FloatArray
    x: FloatArray
    y: FloatArray
    mag: FloatArray
    stars: FloatArray


def mock_table(mocks: MockTruth, filters: tuple[str, ...]) -> QTable:
    """Make a table of mock clusters.

    Parameters
    ----------
    mocks : Mocks or MockRows
        The clusters.
    filters : tuple of str
        Their bands.

    Returns
    -------
    QTable
        The columns of `COLUMNS` and, for each band, ``mag_<band>``: the apparent Vega magnitude
        of all light, dust included.
    """
    from astropy.table import QTable
    from astropy.units import Unit

    table = QTable(meta={"description": "mock clusters"})
    for name, text in COLUMNS.items():
        values = np.asarray(getattr(mocks, name), np.float64)
        table[name] = values * Unit(UNITS[name]) if name in UNITS else values
        table[name].info.description = text
    for band, mags in zip(filters, mocks.mag.T, strict=True):
        table[f"mag_{band}"] = np.asarray(mags, np.float64) * Unit("mag")
        table[f"mag_{band}"].info.description = f"Vega magnitude of all light in {band}"
    return table


def object_table(objects: SceneObjects, scene: int) -> QTable:
    """Make a table of what in a scene is no cluster.

    Parameters
    ----------
    objects : SceneObjects
        What is there.
    scene : int
        The scene's number.

    Returns
    -------
    QTable
        ``scene, kind, x, y, radius, log_age, log_mass``; pixels, log10 of years and suns.
    """
    from astropy.table import QTable
    from astropy.units import Unit

    table = QTable(meta={"description": "what in the scenes is no cluster"})
    table["scene"] = np.full(len(objects), scene)
    table["kind"] = objects.kind
    for name in ("x", "y", "radius"):
        table[name] = getattr(objects, name) * Unit("pix")
    table["log_age"], table["log_mass"] = objects.log_age, objects.log_mass
    return table
