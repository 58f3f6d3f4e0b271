"""C23's labels: centres of a dithered set, curves that show their bias, the mean catalogue."""
