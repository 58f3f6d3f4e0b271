"""Simulated exposures with known truth: star fields, detector physics, files."""

from filar.simulate.detector import COSMIC_RAY_RATE, Detector, bleed, cosmic_rays, wfpc2_detector
from filar.simulate.exposure import simulate_exposure
from filar.simulate.field import StarField, draw_fluxes, draw_stars
from filar.simulate.files import truth_table, write_simulation

__all__ = [
    "COSMIC_RAY_RATE",
    "Detector",
    "StarField",
    "bleed",
    "cosmic_rays",
    "draw_fluxes",
    "draw_stars",
    "simulate_exposure",
    "truth_table",
    "wfpc2_detector",
    "write_simulation",
]
