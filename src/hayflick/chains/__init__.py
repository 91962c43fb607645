"""Families of retrained models."""
