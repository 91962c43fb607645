"""Thin modules for other people's frameworks, each imported on use with its framework."""
