"""Baselines, charts and rules: whether a stream of answers is still what it was."""
