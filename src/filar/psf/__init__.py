"""The PSF as a Fourier object: optics, empirical grids, rendering, Cramer-Rao bound."""
