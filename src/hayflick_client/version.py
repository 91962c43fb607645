"""The version of the client, which is that of hayflick."""

__version__ = "0.2.0"
