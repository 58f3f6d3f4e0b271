"""WFPC2 in numbers: chips, gains, read noise, quality bits, photometric zero points."""

from __future__ import annotations

import math

CHIPS = ("PC", "WF2", "WF3", "WF4")

PIXEL_SCALES = {"PC": 0.0455, "WF2": 0.0996, "WF3": 0.0996, "WF4": 0.0996}
"""Arcsec per pixel at the centre of each chip."""

GAINS = {
    7: {"PC": 7.12, "WF2": 7.12, "WF3": 6.90, "WF4": 7.10},
    15: {"PC": 13.99, "WF2": 14.50, "WF3": 13.95, "WF4": 13.95},
}
"""Electrons per DN by the keyword ATODGAIN and chip (WFPC2 Instrument Handbook, chapter 4)."""

READ_NOISES = {
    7: {"PC": 5.24, "WF2": 5.51, "WF3": 5.22, "WF4": 5.19},
    15: {"PC": 7.02, "WF2": 7.84, "WF3": 6.99, "WF4": 8.32},
}
"""Electrons by the keyword ATODGAIN and chip (the same)."""

DIGITAL_LIMIT = 4095
"""The largest number that the 12-bit converter gives, bias included."""

FULL_WELL = 90_000.0
"""Electrons that a pixel holds before it bleeds: far more than the converter counts."""

TYPICAL_BIAS = 320.0
"""DN, for files that do not say (their DEZERO); the chips of the test exposure have 303 to 352."""

FLAT_MARGIN = 0.9
"""Division by the flat field moves saturated pixels below the nominal level: the lowest on the
test exposure's PC lies at 0.926 of it. Without a quality file, pixels above this part count."""

QUALITY_BITS = {
    1: ("Reed-Solomon decoding error", True),
    2: ("defect of a calibration file, the vignetted border included", True),
    4: ("permanent defect of the camera", True),
    8: ("analogue-to-digital converter saturated", False),
    16: ("missing data", True),
    32: ("other bad pixel", True),
    128: ("permanent charge trap", True),
    256: (
        "questionable: above a charge trap; the value itself scatters like its neighbours'",
        False,
    ),
    512: ("unrepaired warm pixel", True),
    1024: ("repaired warm pixel: dark current subtracted, usable", False),
}
"""Quality bit: (meaning, whether it masks). Bit 8 goes into the saturation mask instead. On the
test exposure the residuals of pixels that have bit 256 or 1024 against their neighbours scatter as
those of clean pixels do (1.25 and 0.89 against 1.13 DN on the PC), those with 512 by twice as
much and with an offset. Columns that a trap disturbs most carry bit 2 as well."""

SATURATED_BIT = 8
MASK_BITS = sum(bit for bit, (_, masks) in QUALITY_BITS.items() if masks)

# ATODGAIN 15 against 7: DN are fewer by these factors (Holtzman et al. 1995, PASP 107, 1065).
_GAIN_RATIOS = {"PC": 1.987, "WF2": 2.003, "WF3": 2.006, "WF4": 1.955}

VEGA_ZEROPOINTS = {
    "F122M": (13.768, 13.868, 13.752, 13.778),
    "F160BW": (14.985, 15.126, 14.946, 15.002),
    "F170W": (16.335, 16.454, 16.313, 16.350),
    "F185W": (16.025, 16.132, 16.014, 16.040),
    "F218W": (16.557, 16.646, 16.558, 16.570),
    "F255W": (17.019, 17.082, 17.037, 17.029),
    "F300W": (19.406, 19.451, 19.433, 19.413),
    "F336W": (19.429, 19.462, 19.460, 19.433),
    "F380W": (20.939, 20.959, 20.972, 20.938),
    "F410M": (19.635, 19.654, 19.669, 19.634),
    "F439W": (20.884, 20.903, 20.917, 20.882),
    "F450W": (21.987, 22.007, 22.016, 21.984),
    "F467M": (19.985, 20.004, 20.012, 19.980),
    "F547M": (21.662, 21.689, 21.676, 21.654),
    "F555W": (22.545, 22.571, 22.561, 22.538),
    "F569W": (22.241, 22.269, 22.253, 22.233),
    "F606W": (22.887, 22.919, 22.896, 22.880),
    "F622W": (22.363, 22.397, 22.368, 22.354),
    "F675W": (22.042, 22.080, 22.042, 22.034),
    "F702W": (22.428, 22.466, 22.431, 22.422),
    "F785LP": (20.688, 20.692, 20.738, 20.701),
    "F791W": (21.498, 21.529, 21.512, 21.498),
    "F814W": (21.639, 21.665, 21.659, 21.641),
    "F850LP": (19.943, 19.924, 20.018, 19.964),
}
"""VEGAMAG of 1 DN/s in an infinite aperture at ATODGAIN 7, by filter, in the order of
:data:`CHIPS` (WFPC2 Data Handbook, section 5.1; add 0.1 mag to an instrumental magnitude from an
aperture of 0.5 arcsec to get there)."""


def vega_zeropoint(filter_name: str, chip: str, setting: int) -> float:
    """VEGAMAG zero point for 1 DN/s.

    Parameters
    ----------
    filter_name : str
        For example ``"F555W"``.
    chip : str
        One of :data:`CHIPS`.
    setting : int
        The keyword ATODGAIN: 7 or 15.

    Returns
    -------
    float
        Magnitudes; NaN for a filter that the table does not have.
    """
    row = VEGA_ZEROPOINTS.get(filter_name)
    if row is None:
        return math.nan
    zeropoint = row[CHIPS.index(chip)]
    return zeropoint if setting == 7 else zeropoint - 2.5 * math.log10(_GAIN_RATIOS[chip])
