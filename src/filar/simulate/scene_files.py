"""Scenes as exposures and as files: one per filter, and the truth beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from filar.errors import ParameterError
from filar.exposure import Exposure
from filar.psf.model import FieldPSF
from filar.simulate.calibration import make_calibration
from filar.simulate.detector import Detector
from filar.simulate.effects import Effects
from filar.simulate.exposure import simulate_exposure
from filar.simulate.files import prepare_folder
from filar.simulate.scenes import Scene
from filar.wholefile import whole_file

if TYPE_CHECKING:
    from astropy.table import QTable

# Exposures of this length are averages of several: cosmic rays and hot pixels have been removed.
SCENE_EFFECTS = Effects(cosmic_rays=0.0, hot_pixels=0.0)


def expose_scene(
    scene: Scene,
    *,
    psfs: Mapping[str, FieldPSF] | None = None,
    detector: Detector | None = None,
    effects: Effects = SCENE_EFFECTS,
    seed: int | np.random.SeedSequence = 1,
) -> list[Exposure]:
    """Simulate an exposure of a scene in each of its filters.

    Parameters
    ----------
    scene : Scene
        True stars and diffuse light.
    psfs : mapping of str to FieldPSF or None
        PSF by filter; by default the camera's.
    detector : Detector or None
        By default the chip's own, of the scene's gain.
    effects : Effects
        By default neither cosmic rays nor hot pixels.
    seed : int or SeedSequence
        The same seed gives the same pixels.

    Returns
    -------
    list of Exposure
        In the order of the filters; positions are the same in all.

    Raises
    ------
    ParameterError
        For a detector of another shape than the scene.
    """
    from filar.instruments.wfpc2_facts import vega_zeropoint
    from filar.psf.library import default_psf_for

    calibration = make_calibration(
        scene.chip, detector=detector, gain_setting=scene.gain_setting, effects=effects
    )
    shape = calibration.camera.detector.shape
    if shape != scene.shape:
        raise ParameterError("detector", shape, f"the scene's shape {scene.shape}")
    if not isinstance(seed, np.random.SeedSequence):
        seed = np.random.SeedSequence(seed)
    exposures = []
    bands = zip(scene.bands, scene.exposure_times, scene.skies, strict=True)
    for (band, time, sky), one in zip(bands, seed.spawn(len(scene.bands)), strict=True):
        psf = (psfs or {}).get(band) or default_psf_for("WFPC2", scene.chip, band, shape=shape)
        exposure = simulate_exposure(
            psf, scene.stars(band), chip=scene.chip, filter_name=band, exposure_time=time,
            sky=sky, effects=effects, calibration=calibration, name=f"{scene.name}_{band}",
            seed=one,
        )  # fmt: skip
        zero = vega_zeropoint(band, scene.chip, scene.gain_setting)
        exposures.append(replace(exposure, vega_zeropoint=zero))
    return exposures


def scene_table(scene: Scene) -> QTable:
    """True positions, magnitudes and electrons.

    Parameters
    ----------
    scene : Scene
        The scene.

    Returns
    -------
    QTable
        Columns id, x, y, and mag_BAND and flux_BAND of each filter.
    """
    from astropy import units as u
    from astropy.table import QTable

    from filar import __version__

    table = QTable()
    table["id"] = np.arange(1, len(scene) + 1)
    table["x"] = scene.x * u.pix
    table["y"] = scene.y * u.pix
    flux = scene.flux
    for number, band in enumerate(scene.bands):
        table[f"mag_{band}"] = scene.mag[:, number] * u.mag
        table[f"mag_{band}"].info.description = "true VEGAMAG"
        table[f"flux_{band}"] = flux[:, number] * u.electron
        table[f"flux_{band}"].info.description = "true electrons of the whole star image"
    table["x"].info.description = "true column, 0-based, integer = pixel centre"
    table["y"].info.description = "true row, 0-based, integer = pixel centre"
    table.meta = {"scene": scene.name, "bands": list(scene.bands), "chip": scene.chip}
    table.meta |= {"zero_points": scene.zero_points.tolist(), **scene.settings}
    table.meta["filar_version"] = __version__
    return table


def write_scene(
    scene: Scene, folder: str | os.PathLike[str], *, seed: int = 1, effects: Effects = SCENE_EFFECTS
) -> list[Path]:
    """Simulate a scene and write it.

    Parameters
    ----------
    scene : Scene
        True stars and diffuse light.
    folder : path-like
        Made if it does not exist.
    seed : int
        The same seed gives the same files.
    effects : Effects
        See `expose_scene`.

    Returns
    -------
    list of Path
        ``NAME_BAND_c0m.fits`` of each filter (its quality file, c1m, lies beside it) and, last,
        the truth: ``NAME_truth.ecsv``.

    Raises
    ------
    OutputFileError
        If the folder or a file cannot be written.
    """
    from filar.instruments import write_wfpc2

    folder = prepare_folder(folder, scene.name)
    paths = []
    for exposure in expose_scene(scene, effects=effects, seed=seed):
        science, _ = write_wfpc2([exposure], folder / f"{exposure.name}_c0m.fits")
        paths.append(science)
    truth = folder / f"{scene.name}_truth.ecsv"
    table = scene_table(scene)
    table.meta["seed"] = seed
    with whole_file(truth) as temporary:
        table.write(temporary, format="ascii.ecsv")
    return [*paths, truth]
