"""Cameras: from a FITS file to exposures in electrons with masks, noise model and context.

One module per camera knows its file layout, quality bits, gain and saturation:
:mod:`~filar.instruments.wfpc2`, :mod:`~filar.instruments.acs`, :mod:`~filar.instruments.wfc3`,
:mod:`~filar.instruments.sdss`, :mod:`~filar.instruments.kepler`;
:mod:`~filar.instruments.generic` reads any other FITS image. Simulations are written in WFPC2's
layout by :func:`write_wfpc2`, in that of SDSS frames by :func:`write_sdss`.
"""

from filar.instruments.registry import read_exposures
from filar.instruments.sdss_write import write_sdss
from filar.instruments.wfpc2_edge import wfpc2_edge
from filar.instruments.wfpc2_write import write_wfpc2

__all__ = ["read_exposures", "wfpc2_edge", "write_sdss", "write_wfpc2"]
