"""Vectors or counts to mergeable summaries, and the numbers that these give."""
