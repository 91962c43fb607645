"""Texts in the messages that chat models take and give, in the shapes that senders write."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hayflick.corpus.labels import json_inside, python_inside

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
    if isinstance(content, Mapping):
        content = content.get("parts", [content])
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
            if isinstance(text, str) and part.get("thought") is not True:
                yield text


_TOOL_PART = re.compile(r"tool_?(?:use|call)|function_?call", re.IGNORECASE)


def calls_tools(message: Mapping[str, Any]) -> bool:
    """Return whether a message calls tools, so that it needs no text.

    Examples
    --------
    >>> calls_tools({"content": [{"type": "tool_use", "name": "search"}]})
    True
    >>> calls_tools({"parts": [{"functionCall": {"name": "search"}}]}), calls_tools({"content": ""})
    (True, False)
    """
    more = message.get("additional_kwargs")
    for told in (message, more if isinstance(more, Mapping) else {}):
        if told.get("tool_calls") or told.get("function_call"):
            return True
    parts = message.get("parts", message.get("content"))
    if isinstance(parts, Mapping):
        parts = parts.get("parts")
    return isinstance(parts, list) and any(map(_is_call, parts))


def _is_call(part: Any) -> bool:
    if not isinstance(part, Mapping):
        return False
    return any(map(_TOOL_PART.search, (str(part.get("type", "")), *map(str, part))))


_FILTERED = frozenset(
    {"content_filter", "content-filter", "content_filtered", "guardrail_intervened", "safety"}
    | {"recitation", "prohibited_content", "blocklist", "spii", "refusal", "contentfilter"}
)
_ENDS = ("finish_reason", "finishReason", "stop_reason", "stopReason")


def is_filtered(message: Mapping[str, Any]) -> bool:
    """Return whether a content filter stopped an answer, or the model refused one.

    Examples
    --------
    >>> answers = answer_messages({"choices": [{"text": "The", "finish_reason": "content_filter"}]})
    >>> is_filtered(answers[0])
    True
    """
    ends = (message.get(name) for name in _ENDS)
    return bool(message.get("refusal")) or any(str(end).casefold() in _FILTERED for end in ends)


def is_hidden(message: Mapping[str, Any]) -> bool:
    """Return whether a tool was told to hide the text of a message.

    Examples
    --------
    >>> is_hidden({"role": "assistant", "content": "redacted-by-litellm"})
    True
    """
    return is_one_of(message.get("content"), _HIDDEN)


def last_prompt(messages: Sequence[Mapping[str, Any]]) -> str | None:
    """Return the text of the last message of a user; None if there is none.

    Examples
    --------
    >>> last_prompt([{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "I."}])
    'Who?'
    """
    return next((text_of(one) for one in reversed(messages) if _is_by_user(one)), None)


def _is_by_user(message: Mapping[str, Any]) -> bool:
    return _role(message) in ("user", "human")


def group_name(given: Any) -> str | None:
    """Return a name that a group may have; None if nothing is left of it."""
    if not isinstance(given, str):
        return None
    return _CONTROL.sub(" ", given).strip()[:LONGEST_GROUP].strip() or None


def answer_messages(given: Any) -> list[Mapping[str, Any]]:
    """Return what a model answered, in whichever shape an interface or a log holds it.

    A text, a message, a response of OpenAI's, Anthropic's or Google's interfaces, a result of
    LangChain, or JSON of any of them. Of several choices each is an answer; of a conversation the
    last message is, if a model wrote it. Empty for what has none of these shapes.

    Examples
    --------
    >>> answer_messages({"choices": [{"message": {"content": "Yes"}}, {"text": "No"}]})
    [{'content': 'Yes'}, {'content': 'No'}]
    >>> answer_messages('{"role": "assistant", "content": "Yes"}'), answer_messages("Yes")
    ([{'role': 'assistant', 'content': 'Yes'}], [{'content': 'Yes'}])
    >>> answer_messages({"candidates": [{"content": {"parts": [{"text": "Yes"}]}}]})
    [{'parts': [{'text': 'Yes'}]}]
    """
    if not isinstance(given, str):
        return _answers(given, depth=0)
    if given.strip() == "null":
        return []
    inside = value_inside(given)
    found = [] if inside is None else _answers(inside, depth=0)
    # What pandas has cut, or spelled as Python spells arrays, is no text of a model.
    return found if found or _OF_PANDAS.match(given) else [{"content": given}]


_OF_PANDAS = re.compile(r"\s*\[?(?:array\()?\[?\{'\w[\w.]*': ")


def value_inside(text: str) -> Any | None:
    """Return the object or list that a text spells as JSON, or as Python does; else None.

    Examples
    --------
    >>> value_inside("[{'role': 'user', 'name': None}]"), value_inside("Yes")
    ([{'role': 'user', 'name': None}], None)
    """
    inside = json_inside(text)
    return inside if inside is not None or not _OF_PANDAS.match(text) else python_inside(text)


_DEEPEST = 6


def _answers(given: Any, depth: int) -> list[Mapping[str, Any]]:
    """Return the answers in a value that is not JSON in a text."""
    if depth > _DEEPEST:
        return []
    if isinstance(given, str):
        return [{"content": given}]
    if isinstance(given, (list, tuple)):
        return _answers_in_list(given, depth)
    if not isinstance(given, Mapping):
        return []
    for name in ("choices", "candidates", "generations"):
        if isinstance(given.get(name), list):
            return [found for one in given[name] for found in _choice(one, depth)]
    if isinstance(given.get("kwargs"), Mapping):
        return _answers(given["kwargs"], depth + 1) if _is_by_model(given) else []
    if isinstance(given.get("data"), Mapping) and "content" in given["data"]:
        return [given["data"]] if _is_by_model(given) else []
    if _is_message(given):
        return [given]
    for name in ("messages", "message", *_WRAPPERS):
        if given.get(name) not in (None, "", [], {}):
            inner = given[name]
            found = answer_messages(inner) if isinstance(inner, str) else _answers(inner, depth + 1)
            return [{**_end(given), **one} for one in found]
    return []


def _end(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return why an answer ended, where it says so."""
    details = given.get("incomplete_details")
    why = details.get("reason") if isinstance(details, Mapping) else None
    known = {} if why is None else {"finish_reason": why}
    return known | {name: given[name] for name in _ENDS if given.get(name) is not None}


_WRAPPERS = (
    *("output", "answer", "output_text", "text", "response", "completion", "generated_text"),
    *("result", "reply", "outputs"),
)
"""Names under which a program wraps what a model answered."""


def _is_message(given: Mapping[str, Any]) -> bool:
    names = ("content", "parts", "tool_calls", "function_call", "refusal")
    return any(given.get(name) is not None for name in names) or (
        "role" in given and "content" in given
    )


def _choice(choice: Any, depth: int) -> list[Mapping[str, Any]]:
    """Return the answer that is one of several; LangChain lists several for each prompt."""
    if isinstance(choice, list) and depth <= _DEEPEST:
        return [found for one in choice for found in _choice(one, depth + 1)]
    if not isinstance(choice, Mapping):
        return []
    told = choice.get("generation_info")
    ends = _end(choice) | (_end(told) if isinstance(told, Mapping) else {})
    inner = choice.get("message", choice.get("content"))
    if isinstance(inner, Mapping):
        # A completion of the older kind has a text instead of a message.
        found = _answers(inner, depth + 1) or [{}]
        return [{**one, **ends} for one in found]
    if isinstance(choice.get("text"), str):
        return [{"content": choice["text"], **ends}]
    return [{**choice, **ends}] if isinstance(inner, (str, list)) else [ends] if ends else []


def _item(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an item of the interface of responses as a message."""
    refused = [
        part.get("refusal")
        for part in (item["content"] if isinstance(item.get("content"), list) else ())
        if isinstance(part, Mapping) and part.get("type") == "refusal"
    ]
    more = {"refusal": refused[0]} if refused else {}
    return {**item, **more, "tool_calls": "call" in str(item.get("type"))}


def _answers_in_list(items: Sequence[Any], depth: int) -> list[Mapping[str, Any]]:
    """Return the answers in a list: of choices, of the parts of one, or of a conversation."""
    if items and all(map(_is_chunk, items)):
        return _streamed(items)
    if all(isinstance(one, (str, list)) for one in items):
        return [found for one in items for found in _answers(one, depth + 1)]
    messages = [named_message(one) for one in items if isinstance(one, Mapping)]
    if messages and all(map(_is_item, messages)):
        return list(map(_item, messages))
    if messages and all(map(_is_part, messages)):
        return [{"content": messages}]
    roles = set(map(_role, messages))
    if not roles - {"assistant", "ai", "model", ""} and not all(map(_is_turn, messages)):
        return [found for one in messages for found in _answers(one, depth + 1)]
    return _answers(messages[-1], depth + 1) if messages and _is_by_model(messages[-1]) else []


def _is_chunk(given: Any) -> bool:
    """Return whether an object is a piece of a stream of answers."""
    choices = given.get("choices") if isinstance(given, Mapping) else None
    return isinstance(choices, list) and all(
        isinstance(one, Mapping) and isinstance(one.get("delta"), Mapping) for one in choices
    )


def _streamed(chunks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the answers whose pieces a stream brought, by the places of the choices."""
    said: dict[str, dict[str, Any]] = {}
    for choice in (one for chunk in chunks for one in chunk["choices"]):
        answer = said.setdefault(str(choice.get("index", 0)), {"content": ""})
        piece = choice["delta"]
        if isinstance(piece.get("content"), str):
            answer["content"] += piece["content"]
        answer |= _end(choice) | ({"tool_calls": True} if calls_tools(piece) else {})
        answer |= {"refusal": piece["refusal"]} if piece.get("refusal") else {}
    return list(said.values())


def _is_turn(message: Mapping[str, Any]) -> bool:
    """Return whether a message of a list can be one of a conversation instead of a choice."""
    return calls_tools(message)


def named_message(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a message of OpenInference, whose names tell what they are in, as another one.

    Examples
    --------
    >>> named_message({"message.role": "user", "message.content": "Who?"})
    {'role': 'user', 'content': 'Who?'}
    """
    inner = message.get("message")
    if isinstance(inner, Mapping):
        message = {**_end(message), **inner}
    elif any(name.startswith("message.") for name in message):
        message = {name.removeprefix("message."): cell for name, cell in message.items()}
    if "function_call_name" in message:
        message = {**message, "function_call": message["function_call_name"]}
    contents = message.get("contents")
    if isinstance(contents, list) and message.get("content") is None:
        parts = [one for one in contents if isinstance(one, Mapping)]
        return {**message, "content": list(map(_named_part, parts))}
    return message


def _named_part(part: Mapping[str, Any]) -> Mapping[str, Any]:
    inner = part.get("message_content")
    if isinstance(inner, Mapping):
        return inner
    return {name.removeprefix("message_content."): cell for name, cell in part.items()}


def _is_item(message: Mapping[str, Any]) -> bool:
    """Return whether an object is an item of the interface of responses."""
    kind = str(message.get("type"))
    return kind in ("message", "reasoning") or kind.endswith(("_call", "_call_output"))


def _is_part(message: Mapping[str, Any]) -> bool:
    """Return whether an object is a part of a message, not one of its own."""
    kind = message.get("type")
    if kind is None:
        # Bedrock's blocks are named by their keys.
        return set(message) == {"text"} or (len(message) == 1 and _is_call(message))
    if "role" in message or not isinstance(kind, str):
        return False
    thought = "thinking" in kind or kind == "reasoning"
    return thought or kind in _TEXT_TYPES or _TOOL_PART.search(kind) is not None


def _role(message: Mapping[str, Any]) -> str:
    """Return who wrote a message; empty if it does not say."""
    kind = message.get("type")
    named = message.get("role")
    if named is None and is_one_of(kind, _WRITERS):
        named = kind
    path = message.get("id")
    if named is None and "kwargs" in message and isinstance(path, list) and path:
        # LangChain's AIMessage, HumanMessage and so on, or pieces of them.
        named = str(path[-1]).removesuffix("Chunk").removesuffix("Message")
    return "" if named is None else str(named).casefold()


_WRITERS = frozenset({"ai", "human", "system", "tool", "function", "AIMessageChunk"})
_OTHERS = frozenset({"user", "human", "system", "developer", "tool", "function"})


def _is_by_model(message: Mapping[str, Any]) -> bool:
    return _role(message) not in _OTHERS


def prompt_of(given: Any) -> str | None:
    """Return what a model was asked: a text, or the last message of a user in what it was given.

    Examples
    --------
    >>> prompt_of('[{"role": "user", "content": "Who?"}]'), prompt_of("Who?")
    ('Who?', 'Who?')
    >>> prompt_of({"contents": [{"role": "user", "parts": [{"text": "Who?"}]}]})
    'Who?'
    """
    return _asked(given, depth=0)


def _asked(given: Any, depth: int) -> str | None:
    if depth > _DEEPEST:
        return None
    if isinstance(given, str):
        inside = value_inside(given)
        return given if inside is None else _asked(inside, depth + 1)
    if isinstance(given, Mapping):
        plain = _plain(given)
        if _is_message(plain):
            return last_prompt([plain])
        known = (given[name] for name in _ASKED if given.get(name) not in (None, "", [], {}))
        return _asked(next(known, None), depth + 1)
    if not isinstance(given, (list, tuple)):
        return None
    if given and all(isinstance(one, str) for one in given):
        return str(given[-1])
    if len(given) == 1 and isinstance(given[0], list):
        # LangChain's chat models take several conversations at once.
        return _asked(given[0], depth + 1)
    messages = (_plain(named_message(one)) for one in reversed(given) if isinstance(one, Mapping))
    return next((text_of(one) for one in messages if _is_by_user(one)), None)


_ASKED = ("messages", "contents", "input", "prompt", "prompts", "question", "query", "inputs")


def _plain(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a message that LangChain has serialized as another one."""
    inner = message.get("kwargs", message.get("data"))
    if not isinstance(inner, Mapping):
        return message if "role" in message else {**message, "role": _role(message)}
    return {**inner, "role": _role(message)}
