"""Recovery probabilities from artificial stars of real images, by all recipes."""
