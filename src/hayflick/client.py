"""The client of the service, which is a package of its own: ``pip install hayflick-client``."""

from __future__ import annotations

from hayflick_client import (
    AsyncWatcher,
    DeliveryCounts,
    GateError,
    GateResult,
    Watcher,
    WatchHandler,
    WebhookError,
    gate,
    verify_webhook,
)

__all__ = [
    "AsyncWatcher",
    "DeliveryCounts",
    "GateError",
    "GateResult",
    "WatchHandler",
    "Watcher",
    "WebhookError",
    "gate",
    "verify_webhook",
]
