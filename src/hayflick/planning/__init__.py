"""Forecasts, plans, reserves, sizing."""
