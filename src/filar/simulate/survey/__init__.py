"""A survey of the bright sky: small cameras, saturated stars, many epochs."""
