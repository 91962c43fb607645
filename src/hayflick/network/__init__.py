"""Models that read one shared store."""
