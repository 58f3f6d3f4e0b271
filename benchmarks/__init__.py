"""Side by side with peers and with the bound; each module prints a table."""
