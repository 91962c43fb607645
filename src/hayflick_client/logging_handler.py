"""Report the answers that a program logs, by a handler of `logging`."""

from __future__ import annotations

import logging

from hayflick_client.recorder import AnswerRecorder

_OF_THE_CLIENT = ("hayflick_client", "httpx", "httpcore")


class WatchHandler(logging.Handler):
    """Hands the answers in log records to a watcher; records without one are left alone.

    Parameters
    ----------
    watcher
        A `Watcher`, an `AsyncWatcher` or an `AnswerLog`.
    text
        Which attribute of a record holds the answer, as given by ``extra``; ``message`` takes the
        record's own message.
    group, prompt
        Which attributes hold the group and the prompt; those that are missing are left out.
    level
        The lowest level of a record that is taken.

    Examples
    --------
    >>> import logging
    >>> from hayflick_client import Watcher, WatchHandler
    >>> watcher = Watcher("help desk", url="http://127.0.0.1:9", token="hf_...")
    >>> log = logging.getLogger("help desk")
    >>> log.addHandler(WatchHandler(watcher, group="model"))
    >>> log.warning("answered", extra={"answer": "It is on its way.", "model": "model-a"})
    >>> watcher.counts.recorded
    1
    >>> watcher.close(timeout_s=0)  # nothing listens there
    """

    def __init__(
        self,
        watcher: AnswerRecorder,
        *,
        text: str = "answer",
        group: str = "group",
        prompt: str = "prompt",
        level: int | str = logging.NOTSET,
    ) -> None:
        super().__init__(level)
        self._watcher = watcher
        self._text, self._group, self._prompt = text, group, prompt

    def emit(self, record: logging.LogRecord) -> None:
        """Hand the answer of a record in."""
        # What the watcher does is logged too, and would go round in circles.
        if record.name.partition(".")[0] in _OF_THE_CLIENT:
            return
        try:
            text = record.getMessage() if self._text == "message" else _of(record, self._text)
        except Exception:
            self.handleError(record)
            return
        if text is not None:
            group, prompt = _of(record, self._group), _of(record, self._prompt)
            self._watcher.record(text, group=group, prompt=prompt, at=record.created)


def _of(record: logging.LogRecord, name: str) -> str | None:
    found = getattr(record, name, None)
    return None if found is None else str(found)
