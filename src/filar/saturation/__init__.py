"""Magnitudes of saturated stars: what is left of their light tells how bright they are."""
