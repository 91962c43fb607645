"""Studies over a grid of settings."""
