"""Completeness: the probability that a star of given magnitudes and place is found."""
