"""Star clusters: ages, extinctions, masses and sizes from images in several bands."""
