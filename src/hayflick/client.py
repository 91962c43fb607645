"""The client of the service, which is a package of its own: ``pip install hayflick-client``."""

from __future__ import annotations

from hayflick_client import (
    AnswerLog,
    AnswerRecorder,
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
    "AnswerLog",
    "AnswerRecorder",
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
