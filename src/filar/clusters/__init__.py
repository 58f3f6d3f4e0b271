"""Star clusters: age, mass, size and extinction from their images, and is it one."""
