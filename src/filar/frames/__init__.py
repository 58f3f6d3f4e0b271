"""Exposures of one field tied together: transformations, mean catalogues, pixel-phase bias."""
