"""Whole images with mock clusters at known places, written like HST's drizzled ones."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError
from filar.instruments.vega import knows_filter, photflam_of, pivot_wavelength
from filar.populations.isochrone import IsochroneSet
from filar.simulate.clusters.camera import ClusterCamera
from filar.simulate.clusters.canvas import canvas_for
from filar.simulate.clusters.mock import check_isochrones, draw_cluster
from filar.simulate.clusters.noise import expose, visibility
from filar.simulate.clusters.scene import SceneSettings, draw_scene, full_wells
from filar.simulate.clusters.settings import MockSettings
from filar.simulate.clusters.sources import load_isochrones
from filar.simulate.clusters.tables import MockRows, mock_table
from filar.simulate.files import prepare_folder
from filar.simulate.survey.streams import stream
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from astropy.table import QTable
    from astropy.wcs import WCS

FloatArray = NDArray[np.float64]
STAMP = 192  # pixels across which a cluster's light is followed
CELL = 48  # clusters are no nearer to each other than about half of this, pixels
EDGE = 32  # nor to the edge
TRUTH = "clusters.ecsv"
CENTERS = {"m83": (204.2538, -29.8654), "m31-f475w": (10.6847, 41.2687)}  # degrees, NED


@dataclass(frozen=True)
class FieldSettings:
    """What images with clusters are like.

    Parameters
    ----------
    mock : MockSettings
        What clusters are like, and the camera.
    scene : SceneSettings
        What the galaxy is like.
    clusters : int
        How many.
    size : int
        Rows and columns.
    isochrones : tuple of str
        Files of isochrones; none for the packaged ones.
    seed : int
        The same seed gives the same images.

    Raises
    ------
    ParameterError
        For a value without meaning, or if there is no room for so many clusters.
    """

    mock: MockSettings = field(default_factory=MockSettings)
    scene: SceneSettings = field(default_factory=SceneSettings)
    clusters: int = 100
    size: int = 1024
    isochrones: tuple[str, ...] = ()
    seed: int = 1

    def __post_init__(self) -> None:
        limits = {"size": (2 * EDGE + CELL, 16_384), "seed": (0, 2**63)}
        limits["clusters"] = (0, self.cells**2)
        for name, (low, high) in limits.items():
            if not low <= getattr(self, name) <= high:
                raise ParameterError(name, getattr(self, name), f"{low} to {high}")
        camera = self.mock.camera
        for band in camera.filters:
            if not knows_filter(camera.instrument, band):
                allowed = "a filter whose Vega zero point filar.instruments.vega knows"
                raise ParameterError("bands", f"{camera.instrument} {band}", allowed)

    @property
    def cells(self) -> int:
        """Places for clusters along each axis."""
        return max((self.size - 2 * EDGE) // CELL, 0)


def write_field(settings: FieldSettings, folder: str | os.PathLike[str]) -> list[Path]:
    """Write one image for each band, and the truth.

    Parameters
    ----------
    settings : FieldSettings
        What they are like.
    folder : path-like
        Made if it does not exist. It gets ``<band>.fits`` (electrons per second, with sky;
        extension SCI) and ``clusters.ecsv``; files of these names are replaced.

    Returns
    -------
    list of Path
        The images, then the table.

    Raises
    ------
    InputFileError
        If the isochrones cannot be read.
    ParameterError
        If they lack a band, an age or a metallicity.
    OutputFileError
        If the folder cannot be written.
    """
    from filar.catalogfile import write_catalog

    camera = settings.mock.camera
    isochrones = check_isochrones(
        settings.mock, load_isochrones(settings.isochrones, camera.filters)
    )
    folder = prepare_folder(folder, "field")
    shape = (settings.size, settings.size)
    scene = draw_scene(
        settings.scene, camera, isochrones, shape, stream(settings.seed, "field scene")
    )
    rate = scene.rate.astype(np.float32)
    rows = _add_clusters(settings, isochrones, rate)
    rate = np.minimum(rate, full_wells(settings.scene, camera)[:, None, None])
    electrons = expose(rate, camera, stream(settings.seed, "field noise"))
    wcs = field_wcs(camera, shape)
    paths = []
    for band, image in enumerate(electrons):
        path = folder / f"{camera.filters[band]}.fits"
        _write_image(settings, band, image, wcs, path)
        paths.append(path)
    write_catalog(_truth(settings, rows, scene.rate, wcs), folder / TRUTH)
    return [*paths, folder / TRUTH]


def _add_clusters(
    settings: FieldSettings, isochrones: IsochroneSet, rate: NDArray[np.float32]
) -> MockRows:
    """Draw the clusters onto the image."""
    mock, number = settings.mock, settings.clusters
    canvas = canvas_for(mock.camera, (STAMP, STAMP))
    rng = stream(settings.seed, "field places")
    cell = rng.permutation(settings.cells**2)[:number]
    row, column = np.divmod(cell, max(settings.cells, 1))
    jitter = rng.uniform(0.25, 0.75, (2, number)) * CELL
    x, y = EDGE + CELL * column + jitter[0], EDGE + CELL * row + jitter[1]
    names = ("log_age", "a_v", "log_mass", "log_r_h", "shape", "z")
    columns = {name: np.empty(number) for name in (*names, "stars")}
    totals = np.empty((number, len(mock.camera.bands)))
    for i in range(number):
        cluster = draw_cluster(mock, isochrones, stream(settings.seed, "field cluster", i))
        corner = np.rint([y[i], x[i]]).astype(int) - STAMP // 2
        image = cluster.image(canvas, x[i] - corner[1], y[i] - corner[0])
        (to_y, from_y), (to_x, from_x) = (_overlap(int(one), settings.size) for one in corner)
        rate[:, to_y, to_x] += image[:, from_y, from_x]
        totals[i] = cluster.total
        for name in names:
            columns[name][i] = getattr(cluster, name)
        columns["stars"][i] = len(cluster.x)
    return MockRows(x=x, y=y, mag=mock.camera.mags(totals), **columns)


def _overlap(corner: int, size: int) -> tuple[slice, slice]:
    """The part of an axis that a stamp covers, in the image and in the stamp."""
    low, high = max(corner, 0), min(corner + STAMP, size)
    return slice(low, high), slice(low - corner, high - corner)


def _truth(settings: FieldSettings, rows: MockRows, scene: NDArray[np.float32], wcs: WCS) -> QTable:
    """The clusters' table: what they are, where, and how well they are seen."""
    from astropy.units import Unit

    camera = settings.mock.camera
    table = mock_table(rows, camera.filters)
    ra, dec = wcs.pixel_to_world_values(rows.x, rows.y)
    table.add_column(np.arange(1, len(table) + 1), name="id", index=0)
    table["ra"], table["dec"] = np.asarray(ra) * Unit("deg"), np.asarray(dec) * Unit("deg")
    table["r_h"] = 10**rows.log_r_h * Unit("arcsec")
    # a cluster's background is the galaxy around it: the median of its cell
    half = CELL // 2
    places = np.rint([rows.y, rows.x]).astype(int)
    around = [
        np.median(scene[:, max(y - half, 0) : y + half, max(x - half, 0) : x + half], axis=(1, 2))
        for y, x in places.T
    ]
    background = np.reshape(around, (len(table), len(camera.bands))) * camera.exposure_times
    electrons = camera.rate(rows.mag) * camera.exposure_times
    half_light = 10**rows.log_r_h / camera.pixel_scale
    table["snr"] = visibility(
        electrons, background, half_light, camera.psf_half_lights, camera.read_noises
    )[0]
    table["snr"].info.description = "signal-to-noise ratio within the half-light radius, all bands"
    table.meta |= {"seed": settings.seed, "mock": settings.mock.plain()}
    table.meta["scene"] = json.loads(json.dumps(settings.scene.plain()))
    return table


def field_wcs(camera: ClusterCamera, shape: tuple[int, int]) -> WCS:
    """A tangential projection, north up, about the camera's galaxy.

    Parameters
    ----------
    camera : ClusterCamera
        Name and pixel scale.
    shape : (int, int)
        Rows and columns.

    Returns
    -------
    WCS
    """
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cunit = ["deg", "deg"]
    wcs.wcs.crval = CENTERS.get(camera.name, CENTERS["m83"])
    wcs.wcs.crpix = [(shape[1] + 1) / 2, (shape[0] + 1) / 2]
    scale = camera.pixel_scale / 3600.0
    wcs.wcs.cd = np.array([[-scale, 0.0], [0.0, scale]])
    return wcs


def _write_image(
    settings: FieldSettings, number: int, electrons: NDArray[np.float32], wcs: WCS, path: Path
) -> None:
    """Write one band: facts in the primary header, the image in extension SCI."""
    from astropy.io import fits

    camera = settings.mock.camera
    band = camera.bands[number]
    primary = fits.PrimaryHDU()
    facts: dict[str, Any] = {
        "TELESCOP": "HST", "INSTRUME": camera.instrument,
        "DETECTOR": "WFC" if camera.instrument == "ACS" else "UVIS",
        "FILTER1" if camera.instrument == "ACS" else "FILTER": band.filter,
        "TARGNAME": camera.name.upper(), "EXPTIME": band.exposure_time,
    }  # fmt: skip
    if camera.instrument == "ACS":
        facts["FILTER2"] = "CLEAR2L"
    for key, value in facts.items():
        primary.header[key] = value
    primary.header["HISTORY"] = f"simulated by filar, seed {settings.seed}"
    image = (electrons / np.float32(band.exposure_time)).astype(np.float32)
    science = fits.ImageHDU(image, header=wcs.to_header(), name="SCI")
    science.header["BUNIT"] = "ELECTRONS/S"
    flam = photflam_of(camera.instrument, band.filter, band.zero_point)
    science.header["PHOTFLAM"] = (flam, "[erg/s/cm2/Angstrom] of 1 electron/s")
    science.header["PHOTPLAM"] = pivot_wavelength(camera.instrument, band.filter)
    science.header["MDRIZSKY"] = (0.0, "sky that was subtracted: none")
    with whole_file(path) as temporary:
        fits.HDUList([primary, science]).writeto(temporary)
