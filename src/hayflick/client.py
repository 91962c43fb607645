"""The client of the service, which is a package of its own: ``pip install hayflick-client``."""

from __future__ import annotations

from hayflick_client import (
    AsyncWatcher,
    DeliveryCounts,
    Watcher,
    WatchHandler,
    WebhookError,
    verify_webhook,
)

__all__ = [
    "AsyncWatcher",
    "DeliveryCounts",
    "WatchHandler",
    "Watcher",
    "WebhookError",
    "verify_webhook",
]
