"""Vectors and counts to numbers."""
