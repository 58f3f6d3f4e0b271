"""Charge-transfer inefficiency: traps hold charge back on its way to the register."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from filar.errors import ParameterError

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Traps:
    """One kind of trap, the same in every pixel.

    A packet that holds n electrons more than the sky fills ``density (n + floor)^power`` traps
    (less those for n = 0) in each pixel that it crosses: larger packets reach more of them, but in
    proportion to less than their charge.

    Parameters
    ----------
    density : float
        Electrons held per pixel crossed by a packet of one electron, floor left out, over a sky of
        10 electrons.
    power : float
        Exponent of the volume that a packet fills, between 0 and 1.
    floor : float
        Electrons below which the filled traps grow linearly.
    release : float
        Rows after which 1/e of the held charge is left.
    """

    density: float
    power: float
    floor: float
    release: float


WFPC2_TRAPS = (
    Traps(density=0.00006, power=0.75, floor=1.0, release=2.0),
    Traps(density=0.00135, power=0.75, floor=1.0, release=30.0),
)
"""Traps that give WFPC2's losses of July 1999, within 30% for fluxes of 200 to 100,000 electrons
over skies of 0.3 to 50, as Dolphin (2000, PASP 112, 1397, coefficients of September 2002) has them:
0.087 mag at the far end and half of that in mid-chip for 10,000 electrons over a sky of 10."""


def transfer(
    charge: FloatArray, *, strength: float = 1.0, traps: tuple[Traps, ...] = WFPC2_TRAPS
) -> FloatArray:
    """Move the charge to the register below row 0, past traps.

    The packet of row y crosses y pixels of its column. It fills their traps as far as its charge
    reaches; what an earlier packet filled, less what has been released since, is not taken from
    it. Released charge joins the packet that passes: a tail towards higher rows. (Volume-driven
    capture as in Short et al. 2013, MNRAS 430, 3078, with all pixels that a packet crosses taken
    together.) Losses therefore grow with the row and fall with the charge of a star. They fall
    with the sky, the median of the column, which keeps a part of the traps filled: the part is
    that of Dolphin's formula. The sky's photon noise fills traps too, so that stars of a few
    hundred electrons lose less by up to 30% than they would over an even sky.

    Parameters
    ----------
    charge : (ny, nx) array
        Electrons, 0 or more.
    strength : float
        Times the density of traps; it grows with the time in orbit.
    traps : tuple of Traps
        Kinds of traps.

    Returns
    -------
    (ny, nx) float64 array
        Electrons, 0 or more; the sum of every column is conserved (what is still held when the
        last row has passed is added to it).

    Raises
    ------
    ParameterError
        For a negative strength.
    """
    if not 0 <= strength < np.inf:
        raise ParameterError("strength", strength, "0 or more")
    result = np.array(charge, float)
    if strength == 0:
        return result
    sky = np.median(result, axis=0)
    crossed = strength * np.arange(len(result))[:, None] * _empty_traps(sky)
    for kind in traps:
        above = np.maximum(result - sky, 0.0)
        filled = (above + kind.floor) ** kind.power - kind.floor**kind.power
        _cross(result, kind.density * crossed * filled, np.exp(-1.0 / kind.release))
    return result


def _empty_traps(sky: FloatArray) -> FloatArray:
    """Traps that a sky leaves empty, in units of those over 10 electrons."""
    level = np.hypot(sky, 1.0)

    def part(level: FloatArray) -> FloatArray:
        slow = 0.655 * np.exp(-0.402 * (np.log(level) - 1.0))
        return np.asarray(slow + 0.345 * np.exp(-0.0156 * (level - 10.0)), float)

    return part(level) / part(np.hypot(10.0, 1.0))


def _cross(charge: FloatArray, capacity: FloatArray, kept: float) -> None:
    """Let the rows pass one by one, in place; of the held charge, `kept` outlasts a row."""
    held = np.zeros(charge.shape[1])
    for packet, room in zip(charge, capacity, strict=True):
        packet += held
        held = np.minimum(np.maximum(room, kept * held), packet)
        packet -= held
    charge[-1] += held
