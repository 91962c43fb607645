"""What LiteLLM's generic logging callback posts, as answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hayflick.corpus.messages import (
    answer_messages,
    calls_tools,
    group_name,
    is_one_of,
    last_prompt,
    messages_of,
    text_of,
)
from hayflick.service.problems import Problem

_CALLS = frozenset(
    {"completion", "acompletion", "text_completion", "atext_completion", "responses", "aresponses"}
    | {"anthropic_messages", "generate_content", "agenerate_content"}
)
_SETTING = (
    "LiteLLM leaves the texts out: set turn_off_message_logging to false in its litellm_settings"
)


def answers_of_litellm(records: Sequence[Any]) -> list[Any]:
    """Return items in whose place LiteLLM's payloads are answers; others stay as they are.

    A call that failed, or that asks for no text, such as one for an embedding, has no answer.

    Raises
    ------
    Problem
        422 if a payload of an answer holds no text, with the setting that puts it in.

    Examples
    --------
    >>> choices = [{"message": {"role": "assistant", "content": "Yes."}}]
    >>> answers_of_litellm([{"id": "c1", "call_type": "acompletion", "model": "m",
    ...     "response": {"choices": choices}, "endTime": 5.0}])
    [{'text': 'Yes.', 'key': 'litellm:c1:0', 'group': 'm', 'time': 5.0}]
    """
    items: list[Any] = []
    for record in records:
        if isinstance(record, Mapping) and "call_type" in record and "text" not in record:
            items.extend(_answers(record))
        else:
            items.append(record)
    return items


def _answers(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    if payload.get("status", "success") != "success" or not is_one_of(
        payload.get("call_type"), _CALLS
    ):
        return []
    common: dict[str, Any] = {
        "group": group_name(payload.get("model_group")) or group_name(payload.get("model")),
        "prompt": last_prompt(messages_of(payload.get("messages"))),
        "time": _time(payload.get("endTime")),
    }
    shared = {name: value for name, value in common.items() if value is not None}
    found = answer_messages(payload.get("response"))
    if not found or not any(text_of(one) is not None or calls_tools(one) for one in found):
        raise Problem(422, _SETTING)
    texts = [(place, text_of(one)) for place, one in enumerate(found)]
    name = group_name(payload.get("id"))
    return [
        {"text": text, **({"key": f"litellm:{name[:150]}:{place}"} if name else {}), **shared}
        for place, text in texts
        if text is not None
    ]


def _time(given: Any) -> float | None:
    return float(given) if type(given) in (int, float) and 0.0 < given < 1e11 else None
