"""The one registry of flags: names, documents and decodes the bits of the ``flags`` column."""

from __future__ import annotations

from enum import IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Flag(IntFlag):
    """Bits of the ``flags`` column; 0 means that nothing is known against the star."""

    SATURATED = 1
    MASKED = 2
    NEIGHBOUR = 4
    COSMIC_RAY = 8
    HOT_PIXEL = 16
    EDGE = 32
    NOT_CONVERGED = 64
    NO_FIT = 128
    NON_POSITIVE = 256
    EXTENDED = 512
    DEFAULT_PSF = 1024
    OUTSIDE_DOMAIN = 2048
    BY_MODEL = 4096
    NO_MAGNITUDE = 8192
    OFF_IMAGE = 16384


DESCRIPTIONS: dict[Flag, str] = {
    Flag.SATURATED: "saturated or bled-on pixels in the fit box: fitted by the unsaturated wings",
    Flag.MASKED: "unusable pixels in the fit box, ignored by the fit, or in a cluster's cutout",
    Flag.NEIGHBOUR: "another detection within 5 pixels",
    Flag.COSMIC_RAY: "sharper than any star: probably a cosmic ray",
    Flag.HOT_PIXEL: "a single pixel holds nearly all of the light: probably a hot pixel",
    Flag.EDGE: "fit box or cutout reaches over the edge of the image or the vignetted border",
    Flag.NOT_CONVERGED: "the fit did not converge; the last position is given",
    Flag.NO_FIT: "too few usable pixels for a fit: the position of the detection, no errors",
    Flag.NON_POSITIVE: "the fitted flux is not positive; no magnitude",
    Flag.EXTENDED: "wider than a star: a blend or a galaxy",
    Flag.DEFAULT_PSF: "measured with the default PSF: the exposure's own could not be fitted",
    Flag.OUTSIDE_DOMAIN: "outside of what the network that measured it knows",
    Flag.BY_MODEL: "saturated: the magnitude is that of a model for saturated stars",
    Flag.NO_MAGNITUDE: "saturated, and nothing is left that tells the magnitude",
    Flag.OFF_IMAGE: "no usable pixel there in one of the images: nothing was measured",
}


def decode(flags: int) -> list[str]:
    """Names of the bits that are set.

    Parameters
    ----------
    flags : int
        One value of the ``flags`` column.

    Returns
    -------
    list of str
        Lower-case names, lowest bit first.
    """
    return [flag.name.lower() for flag in Flag if flags & flag and flag.name]


def count(flags: NDArray[np.integer[Any]]) -> dict[str, int]:
    """Count how many stars have each flag.

    Parameters
    ----------
    flags : (n,) int array
        The ``flags`` column.

    Returns
    -------
    dict
        Name to number of stars, every flag listed.
    """
    return {str(flag.name).lower(): int(np.count_nonzero(flags & flag)) for flag in Flag}
