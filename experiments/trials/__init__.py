"""Several networks trained beside each other, each kept once it is there."""
