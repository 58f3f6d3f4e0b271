"""Telescope pupils: what blocks the light, and where the camera's own obscuration falls."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]

# WFPC2, after Krist's published parameters, in units of the primary's radius of 1.2 m
OTA_SECONDARY = 0.330
OTA_VANE_WIDTH = 0.022
OTA_PAD_RADIUS = 0.065
OTA_PADS_V3_V2 = ((0.8921, 0.0), (-0.4615, 0.7555), (-0.4564, -0.7606))
WFPC2_PRIMARY_RADIUS = 1.2
# detector x and y as directions in (V2, V3), from the shift formulas of the four relay optics
_S = np.sqrt(0.5)
WFPC2_AXES = {
    "PC": ((_S, -_S), (-_S, -_S)),
    "WF2": ((-_S, -_S), (-_S, _S)),
    "WF3": ((-_S, _S), (_S, _S)),
    "WF4": ((_S, _S), (_S, -_S)),
}
WFPC2_ALIGNMENT = {
    "PC": (396.0, 430.0),
    "WF2": (432.0, 398.0),
    "WF3": (388.0, 408.0),
    "WF4": (390.0, 410.0),
}


@dataclass(frozen=True)
class Obstruction:
    """A central disc with four vanes.

    Parameters
    ----------
    radius : float
        Radius of the disc, primary radii.
    vane_width : float
        Full width of the vanes, primary radii; 0 for none.
    vane_angle : float
        Angle of the first vane from detector x, degrees; the others follow every 90.
    """

    radius: float
    vane_width: float = 0.0
    vane_angle: float = 0.0

    def distance(self, x: FloatArray, y: FloatArray) -> FloatArray:
        """Distance from the obstruction's edge, negative where the light is blocked.

        Parameters
        ----------
        x, y : array
            Pupil coordinates relative to the obstruction's centre.
        """
        edge = np.hypot(x, y) - self.radius
        if self.vane_width > 0:
            c, s = np.cos(np.deg2rad(self.vane_angle)), np.sin(np.deg2rad(self.vane_angle))
            vanes = np.minimum(np.abs(c * x + s * y), np.abs(-s * x + c * y))
            edge = np.minimum(edge, vanes - self.vane_width / 2)
        return edge


@dataclass(frozen=True)
class Pupil:
    """A circular pupil in detector axes, in units of the primary's radius.

    Parameters
    ----------
    radius : float
        Radius of the primary, metres.
    telescope : Obstruction
        Secondary mirror and its vanes.
    pads : tuple of (x, y, radius)
        Round pads on the primary.
    camera : Obstruction or None
        The camera's own obscuration, which moves over the pupil with field position.
    shift : 2x2 tuple
        Shift of the camera's obscuration per pixel of distance from `centre`.
    centre : (float, float)
        Pixel (x, y) where the camera's obscuration is centred on the telescope's.
    """

    radius: float
    telescope: Obstruction
    pads: tuple[tuple[float, float, float], ...] = ()
    camera: Obstruction | None = None
    shift: tuple[tuple[float, float], tuple[float, float]] = ((0.0, 0.0), (0.0, 0.0))
    centre: tuple[float, float] = (0.0, 0.0)

    def camera_shift(self, x: float, y: float) -> tuple[float, float]:
        """Where the camera's obscuration is centred for a star at pixel (x, y), primary radii."""
        sx, sy = np.array(self.shift) @ (x - self.centre[0], y - self.centre[1])
        return float(sx), float(sy)

    def transmission(
        self, x: float, y: float, samples: int = 256, extra: tuple[float, float] = (0.0, 0.0)
    ) -> FloatArray:
        """Transmission as seen by a star at pixel (x, y).

        Parameters
        ----------
        x, y : float
            Detector pixel.
        samples : int
            Samples across the square that just holds the primary.
        extra : (float, float)
            Further shift of the camera's obscuration, primary radii.

        Returns
        -------
        (samples, samples) float array
            ``[y, x]``, cell centres from -1 to 1; 0 or 1 but for the cells that an edge crosses,
            so that the transmission changes smoothly over the field.
        """
        u = _cell_centres(samples)
        px, py = u[None, :], u[:, None]
        distance = _fixed_distance(self, samples)
        if self.camera is not None:
            sx, sy = self.camera_shift(x, y)
            sx, sy = sx + extra[0], sy + extra[1]
            distance = np.minimum(distance, self.camera.distance(px - sx, py - sy))
        return np.clip(0.5 + distance * (samples / 2), 0, 1)


def _cell_centres(samples: int) -> FloatArray:
    """Cells from -1 to 1: (samples,)."""
    return np.asarray((np.arange(samples) + 0.5) * (2 / samples) - 1, np.float64)


@lru_cache(maxsize=4)
def _fixed_distance(pupil: Pupil, samples: int) -> FloatArray:
    """Distance from the edge of whatever does not move with the field: (samples, samples)."""
    u = _cell_centres(samples)
    px, py = u[None, :], u[:, None]
    distance = np.minimum(1 - np.hypot(px, py), pupil.telescope.distance(px, py))
    for cx, cy, r in pupil.pads:
        distance = np.minimum(distance, np.hypot(px - cx, py - cy) - r)
    return np.asarray(distance, np.float64)


def wfpc2_pupil(chip: str) -> Pupil:
    """Pupil of one WFPC2 chip in its detector axes.

    Parameters
    ----------
    chip : str
        ``"PC"``, ``"WF2"``, ``"WF3"`` or ``"WF4"``.

    Raises
    ------
    ParameterError
        For another name.

    References
    ----------
    Krist, J. & Hook, R., The Tiny Tim User's Guide (pupil geometry of HST and WFPC2).
    """
    if chip not in WFPC2_AXES:
        raise ParameterError("chip", chip, f"one of {', '.join(WFPC2_AXES)}")
    axes = np.array(WFPC2_AXES[chip])
    pads = tuple((*(axes @ (v2, v3)), OTA_PAD_RADIUS) for v3, v2 in OTA_PADS_V3_V2)
    if chip == "PC":
        shift = -5.088e-4 * np.eye(2)
        camera = Obstruction(0.410, 0.058)
    else:
        a, b = 0.4000455 / 800, 0.3880455 / 800
        xc, yc = np.array([a, -a]), np.array([b, b])
        v2v3 = {"WF2": (yc, xc), "WF3": (xc, -yc), "WF4": (-yc, -xc)}[chip]
        shift = axes @ np.array(v2v3)
        camera = Obstruction(0.434, 0.050)
    return Pupil(
        radius=WFPC2_PRIMARY_RADIUS,
        telescope=Obstruction(OTA_SECONDARY, OTA_VANE_WIDTH, 45.0),
        pads=pads,
        camera=camera,
        shift=((shift[0, 0], shift[0, 1]), (shift[1, 0], shift[1, 1])),
        # Krist's pixels count from 1
        centre=(WFPC2_ALIGNMENT[chip][0] - 1, WFPC2_ALIGNMENT[chip][1] - 1),
    )
