"""filar: star positions and magnitudes from undersampled CCD images."""

__version__ = "0.1.0"
