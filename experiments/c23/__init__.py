"""C23's simulations: centres by VGG6 for rasters of 4 to 12 pixels."""
