"""B20 on mock clusters: its method, ours, and aperture photometry."""
