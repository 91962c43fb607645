"""The calls of models that a framework reports: which of them are answers, and in which group."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from hayflick.corpus.messages import group_name, is_filtered, text_of
from hayflick_client import AnswerRecorder
from hayflick_client.recorder import WarningLog


def record_item(recorder: AnswerRecorder, item: Mapping[str, Any]) -> None:
    """Hand in an answer that was read as an item of the service."""
    recorder.record(
        item["text"],
        group=item.get("group"),
        prompt=item.get("prompt"),
        at=item.get("time"),
        key=item.get("key"),
    )


Grouping: TypeAlias = str | Callable[[Mapping[str, Any]], str | None] | None
"""The group of answers: a name, a function of what describes a call, or None for the model."""


class CallRecorder:
    """Hands the answers of a framework's calls to a recorder.

    Answers without text, such as calls of tools, and those that a filter cut off are left out.

    Parameters
    ----------
    recorder
        A `Watcher` or an `AsyncWatcher` for the service, an `AnswerLog` for a file.
    group
        The group, a function that returns it, or None for the model's name.
    framework
        What reports the calls, for the log.
    """

    def __init__(self, recorder: AnswerRecorder, *, group: Grouping, framework: str) -> None:
        if not callable(getattr(recorder, "record", None)):
            takes = "a Watcher, an AsyncWatcher or an AnswerLog"
            raise TypeError(f"recorder: got {type(recorder).__name__}, takes {takes}")
        self._recorder, self._group = recorder, group
        self._warnings = WarningLog(f"answers of {framework} are not recorded")

    def record(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        prompt: str | None,
        model: str | None,
        described: Mapping[str, Any],
    ) -> None:
        """Record the messages that a model answered with.

        Parameters
        ----------
        messages
            The messages.
        prompt
            What it was asked.
        model
            Its name.
        described
            What the function that names the group is given.
        """
        texts = [text_of(message) for message in messages if not is_filtered(message)]
        for text in texts:
            if text is not None and text.strip():
                named = self._group(described) if callable(self._group) else self._group
                group = group_name(named) or group_name(model)
                self._recorder.record(text, group=group, prompt=prompt)

    @contextlib.contextmanager
    def guarded(self) -> Iterator[None]:
        """Log what fails inside instead of raising it in the application."""
        try:
            yield
        except Exception as fault:
            self._warnings.say(f"{type(fault).__name__}: {fault}"[:300])
