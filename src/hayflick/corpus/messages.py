"""Texts in the messages that chat models take and give, in the shapes that senders write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from hayflick.corpus.labels import json_inside

LONGEST_GROUP = 200
"""Letters of a group's name."""

_HIDDEN = frozenset({"__REDACTED__", "redacted-by-litellm"})
_TEXT_TYPES = frozenset({"text", "output_text", "input_text"})
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def is_one_of(given: Any, names: frozenset[str]) -> bool:
    """Return whether what a sender gave is one of some names; it may be anything."""
    return isinstance(given, str) and given in names


def messages_of(given: Any) -> list[Mapping[str, Any]]:
    """Return messages that are a list, one object, or JSON of either; empty for what is none.

    Examples
    --------
    >>> messages_of('[{"role": "user", "content": "Hello"}]')
    [{'role': 'user', 'content': 'Hello'}]
    """
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return []
    if isinstance(given, Mapping):
        given = [given]
    return [one for one in given if isinstance(one, Mapping)] if isinstance(given, list) else []


def text_of(message: Mapping[str, Any]) -> str | None:
    """Return the text of a message without reasoning and calls of tools; None if it has none.

    Examples
    --------
    >>> thought = {"type": "reasoning", "content": "Hm"}
    >>> text_of({"parts": [thought, {"type": "text", "content": "Yes"}]})
    'Yes'
    >>> text_of({"content": [{"type": "text", "text": "Yes"}]}), text_of({"tool_calls": [{}]})
    ('Yes', None)
    """
    content = message.get("parts", message.get("content"))
    if isinstance(content, str):
        found = [content]
    else:
        found = list(_texts(content)) if isinstance(content, list) else []
    shown = [one for one in found if one not in _HIDDEN]
    return "\n".join(shown) if shown else None


def _texts(parts: list[Any]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, Mapping) and is_one_of(part.get("type", "text"), _TEXT_TYPES):
            text = part.get("content", part.get("text"))
            if isinstance(text, str):
                yield text


def calls_tools(message: Mapping[str, Any]) -> bool:
    """Return whether a message calls tools, so that it needs no text."""
    parts = message.get("parts")
    named = any(
        isinstance(part, Mapping) and "tool" in str(part.get("type"))
        for part in (parts if isinstance(parts, list) else ())
    )
    return named or bool(message.get("tool_calls") or message.get("function_call"))


def last_prompt(messages: list[Mapping[str, Any]]) -> str | None:
    """Return the text of the last message of a user; None if there is none.

    Examples
    --------
    >>> last_prompt([{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "I."}])
    'Who?'
    """
    for message in reversed(messages):
        if str(message.get("role")).lower() in ("user", "human"):
            return text_of(message)
    return None


def group_name(given: Any) -> str | None:
    """Return a name that a group may have; None if nothing is left of it."""
    if not isinstance(given, str):
        return None
    return _CONTROL.sub(" ", given).strip()[:LONGEST_GROUP].strip() or None


def answer_messages(given: Any) -> list[Mapping[str, Any]]:
    """Return what a model answered, in whichever shape an interface or a log holds it.

    A text, a message, the response of an interface with ``choices``, or JSON of any of them. Of
    several choices each is an answer; of a conversation the last message is.

    Examples
    --------
    >>> answer_messages({"choices": [{"message": {"content": "Yes"}}, {"text": "No"}]})
    [{'content': 'Yes'}, {'content': 'No'}]
    >>> answer_messages('{"role": "assistant", "content": "Yes"}'), answer_messages("Yes")
    ([{'role': 'assistant', 'content': 'Yes'}], [{'content': 'Yes'}])
    """
    inside = json_inside(given) if isinstance(given, str) else given
    if inside is None:
        return [{"content": given}]
    if isinstance(inside, list):
        messages = [one for one in inside if isinstance(one, Mapping)]
        return messages[-1:]
    if not isinstance(inside, Mapping):
        return []
    if isinstance(inside.get("choices"), list):
        choices = [one for one in inside["choices"] if isinstance(one, Mapping)]
        # A completion of the older kind has a text instead of a message.
        return [
            one["message"] if isinstance(one.get("message"), Mapping) else {"content": one["text"]}
            for one in choices
            if isinstance(one.get("message"), Mapping) or isinstance(one.get("text"), str)
        ]
    return [inside]


def prompt_of(given: Any) -> str | None:
    """Return what a model was asked: a text, or the last message of a user in what it was given.

    Examples
    --------
    >>> prompt_of('[{"role": "user", "content": "Who?"}]'), prompt_of("Who?")
    ('Who?', 'Who?')
    """
    if isinstance(given, str) and json_inside(given) is None:
        return given
    return last_prompt(messages_of(given))
