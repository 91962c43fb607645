"""Errors, seeds, records, protocols."""
