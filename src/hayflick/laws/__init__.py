"""Exact laws and published bounds, one family or one paper per file."""
