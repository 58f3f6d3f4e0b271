"""What every network shares: recipes, training, model files, calibration, search."""
