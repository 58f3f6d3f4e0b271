"""Simulated exposures with known truth: star fields, detector physics, files."""

from filar.simulate.bleeding import bleed
from filar.simulate.calibration import Calibration, Frames, calibrate_camera, make_calibration
from filar.simulate.camera import Camera, make_camera
from filar.simulate.cosmic_rays import COSMIC_RAY_RATE, cosmic_rays
from filar.simulate.detector import Detector, wfpc2_detector
from filar.simulate.effects import Effects
from filar.simulate.exposure import simulate_exposure
from filar.simulate.field import StarField, draw_fluxes, draw_stars
from filar.simulate.files import truth_table, write_simulation
from filar.simulate.readout import RawImage, expose
from filar.simulate.transfer import transfer

__all__ = [
    "COSMIC_RAY_RATE",
    "Calibration",
    "Camera",
    "Detector",
    "Effects",
    "Frames",
    "RawImage",
    "StarField",
    "bleed",
    "calibrate_camera",
    "cosmic_rays",
    "draw_fluxes",
    "draw_stars",
    "expose",
    "make_calibration",
    "make_camera",
    "simulate_exposure",
    "transfer",
    "truth_table",
    "wfpc2_detector",
    "write_simulation",
]
