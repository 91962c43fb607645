"""The version of hayflick, in the one place that packaging and provenance read."""

__version__ = "0.2.0"
