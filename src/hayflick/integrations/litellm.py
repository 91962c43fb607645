"""Record what LiteLLM's models answer, in a program or in its proxy."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import Any

from litellm.integrations.custom_logger import CustomLogger
from typing_extensions import override

from hayflick.integrations.calls import Grouping, record_item
from hayflick.service.litellm import answers_of_litellm
from hayflick.service.problems import Problem
from hayflick_client import AnswerRecorder
from hayflick_client.recorder import WarningLog

_REMEMBERED = 10_000
_NUMBERS = itertools.count()


class WatchLogger(CustomLogger):
    """A logger of LiteLLM that hands the answers of its models to a recorder.

    It reads LiteLLM's standard logging payload. Calls that failed or ask for no text, such as
    embeddings, and calls of tools are left out; each of several choices is an answer; of a stream
    the whole answer is recorded when it ends. It raises nothing.

    Parameters
    ----------
    recorder
        A `Watcher` or an `AsyncWatcher` for the service, an `AnswerLog` for a file.
    group
        The group, a function that returns it from the payload, such as a tag of its metadata, or
        None for the model's name in the router, or else the model.

    Examples
    --------
    >>> import litellm  # doctest: +SKIP
    >>> from hayflick.client import AnswerLog  # doctest: +SKIP
    >>> litellm.callbacks = [WatchLogger(AnswerLog("answers.jsonl"))]  # doctest: +SKIP
    """

    def __init__(self, recorder: AnswerRecorder, *, group: Grouping = None) -> None:
        super().__init__()
        # LiteLLM takes two loggers of a class for one unless a public number or text tells them
        # apart.
        self.number = next(_NUMBERS)
        self._recorder, self._group = recorder, group
        self._keys: OrderedDict[str, None] = OrderedDict()
        self._lock = Lock()
        self._warnings = WarningLog("answers of LiteLLM are not recorded")

    @override
    def log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self._record(kwargs)

    @override
    async def async_log_success_event(
        self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any
    ) -> None:
        self._record(kwargs)

    def _record(self, kwargs: Any) -> None:
        try:
            payload = kwargs.get("standard_logging_object")
            # The pieces of a stream come here too, without a payload.
            if not isinstance(payload, Mapping):
                return
            group = self._group(payload) if callable(self._group) else self._group
            for item in answers_of_litellm([payload]):
                if self._is_new(item.get("key")):
                    record_item(self._recorder, {**item, "group": group or item.get("group")})
        except Problem as problem:
            self._warnings.say(str(problem))
        except Exception as fault:
            self._warnings.say(f"{type(fault).__name__}: {fault}")

    def _is_new(self, key: str | None) -> bool:
        """Return whether an answer was not recorded: some calls run both kinds of hooks."""
        if key is None:
            return True
        with self._lock:
            if key in self._keys:
                return False
            self._keys[key] = None
            if len(self._keys) > _REMEMBERED:
                self._keys.popitem(last=False)
            return True
