"""Record what the models in LangChain and LangGraph answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGeneration, Generation, LLMResult
from typing_extensions import override

from hayflick.corpus.messages import last_prompt
from hayflick.integrations.calls import CallRecorder, Grouping
from hayflick_client import AnswerRecorder

_MOST_OPEN = 10_000


@dataclass(frozen=True)
class _Call:
    prompt: str | None
    model: str | None
    metadata: Mapping[str, Any]


class WatchCallback(BaseCallbackHandler):
    """A callback handler that hands the answers of models to a recorder.

    It takes part in synchronous and asynchronous runs. Each of several generations is an answer; a
    streamed answer is recorded whole when it ends. Calls of tools, refusals, what a filter cut off
    and calls that failed are left out. It raises nothing.

    Parameters
    ----------
    recorder
        A `Watcher` or an `AsyncWatcher` for the service, an `AnswerLog` for a file.
    group
        The group of the answers, or a function that returns it from the metadata of a run, such as
        ``langgraph_node`` or what ``config`` gives; None for the model.

    Raises
    ------
    TypeError
        If the recorder is none.

    Examples
    --------
    >>> from langchain.chat_models import init_chat_model  # doctest: +SKIP
    >>> from hayflick.client import AnswerLog  # doctest: +SKIP
    >>> callback = WatchCallback(AnswerLog("answers.jsonl"))  # doctest: +SKIP
    >>> model = init_chat_model("openai:gpt-5-mini", callbacks=[callback])  # doctest: +SKIP
    """

    run_inline = True
    """In asynchronous runs it is called in the event loop, where an `AsyncWatcher` works."""
    ignore_agent = ignore_chain = ignore_custom_event = ignore_retriever = ignore_retry = True

    def __init__(self, recorder: AnswerRecorder, *, group: Grouping = None) -> None:
        super().__init__()
        self._calls = CallRecorder(recorder, group=group, framework="LangChain")
        self._open: OrderedDict[UUID, _Call] = OrderedDict()

    @override
    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        **more: Any,
    ) -> None:
        with self._calls.guarded():
            self._begin(
                run_id, last_prompt([_asked(one) for part in messages for one in part]), more
            )

    @override
    def on_llm_start(
        self, serialized: dict[str, Any], prompts: list[str], *, run_id: UUID, **more: Any
    ) -> None:
        with self._calls.guarded():
            self._begin(run_id, prompts[-1] if prompts else None, more)

    @override
    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **more: Any) -> None:
        with self._calls.guarded():
            call = self._open.pop(run_id, None) or _Call(None, None, {})
            for generations in response.generations:
                self._calls.record(
                    [_message(one) for one in generations],
                    prompt=call.prompt,
                    model=call.model or (response.llm_output or {}).get("model_name"),
                    described=call.metadata,
                )

    @override
    def on_llm_error(self, error: BaseException, *, run_id: UUID, **more: Any) -> None:
        self._open.pop(run_id, None)

    def _begin(self, run_id: UUID, prompt: str | None, more: Mapping[str, Any]) -> None:
        metadata, parameters = more.get("metadata") or {}, more.get("invocation_params") or {}
        named = (
            metadata.get("ls_model_name"),
            parameters.get("model"),
            parameters.get("model_name"),
        )
        self._open[run_id] = _Call(prompt, next(filter(None, named), None), metadata)
        if len(self._open) > _MOST_OPEN:
            # Runs whose program did not go on with them.
            self._open.popitem(last=False)


def _asked(message: BaseMessage) -> Mapping[str, Any]:
    return {"role": getattr(message, "role", message.type), "content": message.content}


def _message(generation: Generation) -> Mapping[str, Any]:
    told = generation.generation_info or {}
    if not isinstance(generation, ChatGeneration):
        return {**told, "content": generation.text}
    message = generation.message
    refusal = message.additional_kwargs.get("refusal")
    return {**told, **message.response_metadata, "content": message.content, "refusal": refusal}
