"""Audit one data set: duplicates, how much of it is synthetic, leaked evaluation items."""
