"""H24 on simulated fields: clusters about a giant galaxy, and a halo of changing crowding."""
