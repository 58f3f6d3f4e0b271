"""Mock star clusters and the galaxies around them."""
