"""Artificial-star tests: stars put into images, measured as real ones are, and looked for."""
