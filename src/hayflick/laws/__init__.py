"""Exact laws and published bounds."""
