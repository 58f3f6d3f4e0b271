"""Real saturated stars: SDSS's frame of M 2, a cutout of Kepler's, omega Cen with WFPC2."""
