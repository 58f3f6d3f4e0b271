"""Light curves: epochs, ensembles of cameras and filters, how much a star varies."""
