"""A cluster of M 31 in one band: AP 142 of the PHAT survey."""
