"""Recorded rounds of a trainer, and the resampler that is calibrated on them."""
