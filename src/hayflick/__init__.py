"""Predict, measure and slow the collapse of models that are trained on models' output."""
