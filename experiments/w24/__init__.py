"""W24 on a simulated survey: magnitudes and light curves of saturated stars."""
