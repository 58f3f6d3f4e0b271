"""C24's table 3: centres by VGG8 over the full field of four chips in two filters."""
