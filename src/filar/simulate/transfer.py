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

    A packet of n electrons fills ``density ((n + floor)^power - floor^power)`` traps in each pixel
    that it crosses: larger packets reach more of them, in proportion to less than their charge.

    Parameters
    ----------
    density : float
        Electrons held per pixel crossed, for a packet of one electron (without the floor).
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
    Traps(density=0.0006, power=0.65, floor=10.0, release=1.5),
    Traps(density=0.0006, power=0.65, floor=10.0, release=15.0),
)
"""Traps that give WFPC2's losses of July 1999."""


def transfer(
    charge: FloatArray, *, strength: float = 1.0, traps: tuple[Traps, ...] = WFPC2_TRAPS
) -> FloatArray:
    """Move the charge to the register below row 0, past traps.

    The packet of row y crosses y pixels of its column. It fills their traps up to what its charge
    reaches; what the packet before it left filled, less what has been released since, is not taken
    from it. Released charge joins the packet that passes: a tail towards higher rows. (Volume-
    driven capture as in Short et al. 2013, MNRAS 430, 3078, with all pixels that a packet crosses
    taken together.) Losses therefore grow with the row, fall with the charge of a star in
    proportion, and fall with the sky, which keeps traps filled.

    Parameters
    ----------
    charge : (ny, nx) array
        Electrons, 0 or more.
    strength : float
        Times the density of traps; grows with the time in orbit.
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
    for kind in traps:
        _cross(result, kind, strength)
    return result


def _cross(charge: FloatArray, traps: Traps, strength: float) -> None:
    """Let all rows pass one kind of traps, in place."""
    capacity = strength * traps.density * (
        (charge + traps.floor) ** traps.power - traps.floor**traps.power
    )  # fmt: skip
    capacity *= np.arange(len(charge))[:, None]
    kept = np.exp(-1.0 / traps.release)
    held = np.zeros(charge.shape[1])
    for packet, room in zip(charge, capacity, strict=True):
        packet += held
        held = np.minimum(np.maximum(room, kept * held), packet)
        packet -= held
    charge[-1] += held
