"""Colours of mock clusters against those of published catalogues."""
