"""The papers' methods, end to end; each prints its table beside the paper's."""
