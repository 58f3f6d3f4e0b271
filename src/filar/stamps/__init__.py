"""Stamps: small rasters of pixels around stars, for networks; cut, kept on disk, divided."""
