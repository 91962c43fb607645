"""Record what the models in LlamaIndex answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, TypeAlias

from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.instrumentation.events import BaseEvent
from llama_index.core.instrumentation.events.exception import ExceptionEvent
from llama_index.core.instrumentation.events.llm import (
    LLMChatEndEvent,
    LLMChatInProgressEvent,
    LLMChatStartEvent,
    LLMCompletionEndEvent,
    LLMCompletionInProgressEvent,
    LLMCompletionStartEvent,
)
from llama_index.core.instrumentation.events.span import SpanDropEvent
from pydantic import PrivateAttr
from typing_extensions import override

from hayflick.corpus.messages import last_prompt
from hayflick.integrations.calls import CallRecorder, Grouping
from hayflick_client import AnswerRecorder

_Start: TypeAlias = LLMChatStartEvent | LLMCompletionStartEvent
_End: TypeAlias = LLMChatEndEvent | LLMCompletionEndEvent

_MOST_OPEN = 10_000
_CALLER: ContextVar[str | None] = ContextVar("hayflick_llama_index_caller", default=None)


@dataclass
class _Call:
    """A call that was begun; `answers_itself` once it cannot be made of another call any more."""

    described: Mapping[str, Any]
    caller: str | None
    inner: bool
    answers_itself: bool = False


class WatchEventHandler(BaseEventHandler):
    """An event handler that hands the answers of models to a recorder.

    Answers of chats and of completions are recorded, streamed ones whole when they end. Where a
    chat is made of a completion, or the other way about, it is one answer. Calls of tools and calls
    that failed are left out. It raises nothing.

    Parameters
    ----------
    recorder
        A `Watcher` or an `AsyncWatcher` for the service, an `AnswerLog` for a file.
    group
        The group of the answers, or a function that returns it from the tags that
        ``instrument_tags`` gives to events; None for the model.

    Raises
    ------
    TypeError
        If the recorder is none.

    Examples
    --------
    >>> from llama_index.core.instrumentation import get_dispatcher  # doctest: +SKIP
    >>> from hayflick.client import AnswerLog  # doctest: +SKIP
    >>> handler = WatchEventHandler(AnswerLog("answers.jsonl"))  # doctest: +SKIP
    >>> get_dispatcher().add_event_handler(handler)  # doctest: +SKIP
    """

    _calls: CallRecorder = PrivateAttr()
    _open: OrderedDict[str, _Call] = PrivateAttr(default_factory=OrderedDict)

    def __init__(self, recorder: AnswerRecorder, *, group: Grouping = None) -> None:
        super().__init__()
        self._calls = CallRecorder(recorder, group=group, framework="LlamaIndex")

    @classmethod
    @override
    def class_name(cls) -> str:
        return cls.__name__

    @override
    def handle(self, event: BaseEvent, **more: Any) -> None:
        with self._calls.guarded():
            if isinstance(event, _Start):
                self._begin(event)
            elif isinstance(event, LLMChatInProgressEvent | LLMCompletionInProgressEvent):
                if (call := self._open.get(event.span_id or "")) is not None:
                    call.answers_itself = True
            elif isinstance(event, _End):
                self._end(event)
            elif isinstance(event, ExceptionEvent | SpanDropEvent):
                self._drop(event)

    def _begin(self, event: _Start) -> None:
        caller = _CALLER.get()
        outer = self._open.get(caller or "")
        inner = (
            outer is not None and not outer.answers_itself and outer.described == event.model_dict
        )
        if inner and outer is not None:
            outer.answers_itself = True
        if event.span_id is not None:
            self._open[event.span_id] = _Call(event.model_dict, caller, inner)
            _CALLER.set(event.span_id)
        if len(self._open) > _MOST_OPEN:
            # Streams that nobody has read.
            self._open.popitem(last=False)

    def _end(self, event: _End) -> None:
        call = self._drop(event)
        if call is not None and call.inner:
            return
        described = {} if call is None else call.described
        response = event.response
        if isinstance(event, LLMChatEndEvent):
            asked = [{"role": one.role.value, "content": one.content} for one in event.messages]
            prompt, text = last_prompt(asked), response.message.content if response else None
        else:
            prompt, text = event.prompt, response.text
        self._calls.record(
            [{**_end_of(response), "content": text}],
            prompt=prompt,
            model=described.get("model_name") or described.get("model"),
            described=event.tags,
        )

    def _drop(self, event: BaseEvent) -> _Call | None:
        call = self._open.pop(event.span_id or "", None)
        if call is not None and _CALLER.get() == event.span_id:
            _CALLER.set(call.caller)
        return call


def _end_of(response: Any) -> Mapping[str, Any]:
    """Return why a model ended, where the interface behind it says so as OpenAI's does."""
    choices = getattr(getattr(response, "raw", None), "choices", None) or [None]
    return {"finish_reason": getattr(choices[0], "finish_reason", None)}
