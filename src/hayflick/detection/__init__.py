"""Baselines, charts, early warning."""
