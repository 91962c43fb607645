"""Report a model's answers to the service of hayflick or to a file, from any program.

>>> from hayflick_client import Watcher
>>> watcher = Watcher("help desk", url="http://127.0.0.1:9", token="hf_...")
>>> watcher.record("Your order is on its way.", group="model-a")
>>> watcher.close(timeout_s=0)  # nothing listens there
"""

from __future__ import annotations

from hayflick_client.answer_log import AnswerLog
from hayflick_client.async_watcher import AsyncWatcher
from hayflick_client.logging_handler import WatchHandler
from hayflick_client.outbox import DeliveryCounts
from hayflick_client.pipeline_gate import GateError, GateResult, gate
from hayflick_client.recorder import AnswerRecorder
from hayflick_client.version import __version__
from hayflick_client.watcher import Watcher
from hayflick_client.webhooks import WebhookError, verify_webhook

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
    "__version__",
    "gate",
    "verify_webhook",
]
