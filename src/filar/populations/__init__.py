"""Stellar populations: isochrones, the initial mass function, dust, and the light of clusters.

::

    from filar.populations import Extinction, draw_stars, read_isochrones

    isochrones = read_isochrones("isochrones.dat.gz", bands=("F336W", "F438W", "F814W"))
    dust = Extinction(isochrones.bands)
    stars = draw_stars(dust.redden(isochrones.at(7.0), a_v=1.0), mass=3e3, rng=rng)
"""

from filar.populations.draw import Stars, draw_stars
from filar.populations.extinction import R_V, Extinction
from filar.populations.imf import IMF, KROUPA
from filar.populations.isochrone import Isochrone, IsochroneSet
from filar.populations.light import Population, integrated_mags
from filar.populations.packaged import packaged_isochrones
from filar.populations.tables import read_isochrones

__all__ = [
    "IMF",
    "KROUPA",
    "R_V",
    "Extinction",
    "Isochrone",
    "IsochroneSet",
    "Population",
    "Stars",
    "draw_stars",
    "integrated_mags",
    "packaged_isochrones",
    "read_isochrones",
]
