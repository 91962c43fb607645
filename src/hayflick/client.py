"""The client of the service, which is a package of its own: ``pip install hayflick-client``."""

from __future__ import annotations

from hayflick_client import DeliveryCounts, Watcher

__all__ = ["DeliveryCounts", "Watcher"]
