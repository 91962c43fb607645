"""Record what a client of OpenAI's interface is answered."""

from __future__ import annotations

import inspect
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, TypeVar

import openai

from hayflick.corpus.messages import answer_messages, last_prompt, messages_of
from hayflick.integrations.calls import CallRecorder, Grouping
from hayflick_client import AnswerRecorder

Client = TypeVar("Client", openai.OpenAI, openai.AsyncOpenAI)

_PATHS = frozenset({"/chat/completions", "/completions", "/responses"})
_ENDS = frozenset({"response.completed", "response.incomplete"})


def watched(client: Client, recorder: AnswerRecorder, *, group: Grouping = None) -> Client:
    """Return a client that also hands the answers that it is given to a recorder.

    It is of the same class, shares the connections of the client that it is made from, and behaves
    like it: calls, streams, raw responses and errors are the same. The answers of
    ``chat.completions``, ``completions`` and ``responses`` are recorded, each of several choices;
    those of a stream when the model has ended. Calls of tools, refusals and what a filter cut off
    are left out, as is a stream that is not read to its end.

    Parameters
    ----------
    client
        An ``openai.OpenAI``, ``openai.AsyncOpenAI`` or a client derived from these.
    recorder
        A `Watcher` or an `AsyncWatcher` for the service, an `AnswerLog` for a file.
    group
        The group of the answers, or a function that returns it from the body of a request; None
        for the model that was asked for.

    Raises
    ------
    TypeError
        If the client or the recorder is none.

    Examples
    --------
    >>> from openai import OpenAI  # doctest: +SKIP
    >>> from hayflick.client import AnswerLog  # doctest: +SKIP
    >>> client = watched(OpenAI(), AnswerLog("answers.jsonl"))  # doctest: +SKIP
    """
    if not isinstance(client, (openai.OpenAI, openai.AsyncOpenAI)):
        takes = "an openai.OpenAI or openai.AsyncOpenAI"
        raise TypeError(f"client: got {type(client).__name__}, takes {takes}")
    calls = CallRecorder(recorder, group=group, framework="OpenAI's client")
    copied = client.copy()
    # Clients that are made of this one (`with_options`) are of its class, and watched too.
    copied.__class__ = _watched_class(type(client), calls)
    return copied


def _watched_class(kind: type[Any], calls: CallRecorder) -> type[Any]:
    def post(self: Any, path: str, **more: Any) -> Any:
        answer = kind.post(self, path, **more)
        return _Call(calls, more.get("body")).observed(answer) if path in _PATHS else answer

    async def async_post(self: Any, path: str, **more: Any) -> Any:
        answer = await kind.post(self, path, **more)
        return _Call(calls, more.get("body")).observed(answer) if path in _PATHS else answer

    method = async_post if issubclass(kind, openai.AsyncOpenAI) else post
    return type(kind.__name__, (kind,), {"post": method, "__module__": kind.__module__})


class _Call:
    """A request, and what is recorded of its answer."""

    def __init__(self, calls: CallRecorder, body: Any) -> None:
        self._calls = calls
        self._body: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
        self._seen = False

    def observed(self, answer: Any) -> Any:
        """Return an answer of the client, which is recorded when it is complete."""
        if self._seen:
            return answer
        with self._calls.guarded():
            if isinstance(answer, openai.Stream):
                answer._iterator = self._followed(answer._iterator)
            elif isinstance(answer, openai.AsyncStream):
                answer._iterator = self._async_followed(answer._iterator)
            elif callable(getattr(answer, "parse", None)):
                # A raw response, which holds the answer when the application asks for it.
                answer.parse = self._parsed(answer.parse)
                return answer
            else:
                self._record(_as_mapping(answer))
            self._seen = True
        return answer

    def _parsed(self, parse: Callable[..., Any]) -> Callable[..., Any]:
        async def awaited(found: Any) -> Any:
            return self.observed(await found)

        def parsed(*given: Any, **more: Any) -> Any:
            found = parse(*given, **more)
            return awaited(found) if inspect.isawaitable(found) else self.observed(found)

        return parsed

    def _followed(self, pieces: Iterator[Any]) -> Iterator[Any]:
        answer = _StreamedAnswer()
        for piece in pieces:
            with self._calls.guarded():
                self._record(answer.ended_by(_as_mapping(piece)))
            yield piece
        with self._calls.guarded():
            self._record(answer.rest())

    async def _async_followed(self, pieces: AsyncIterator[Any]) -> AsyncIterator[Any]:
        answer = _StreamedAnswer()
        async for piece in pieces:
            with self._calls.guarded():
                self._record(answer.ended_by(_as_mapping(piece)))
            yield piece
        with self._calls.guarded():
            self._record(answer.rest())

    def _record(self, response: Mapping[str, Any]) -> None:
        body = self._body
        choices = response.get("choices")
        parts = [{"choices": [one]} for one in choices] if isinstance(choices, list) else [response]
        if response.get("status") in ("failed", "cancelled", "queued", "in_progress"):
            return
        for part in parts:
            self._calls.record(
                answer_messages(part) if part else [],
                prompt=self._prompt(part),
                model=body.get("model") or response.get("model"),
                described=body,
            )

    def _prompt(self, part: Mapping[str, Any]) -> str | None:
        asked = next(filter(None, (self._body.get(one) for one in ("messages", "input"))), None)
        if asked is None:
            asked = self._body.get("prompt")
            if isinstance(asked, list) and all(isinstance(one, str) for one in asked):
                # The answers to several prompts are numbered through.
                place = part.get("choices", [{}])[0].get("index", 0)
                asked = asked[place // (self._body.get("n") or 1)]
        return asked if isinstance(asked, str) else last_prompt(messages_of(asked))


class _StreamedAnswer:
    """Puts the pieces of a stream together."""

    def __init__(self) -> None:
        self._texts: defaultdict[int, list[str]] = defaultdict(list)

    def ended_by(self, piece: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the answers that are complete with a piece, as a response that has no stream."""
        if piece.get("type") in _ENDS:
            return dict(piece["response"])
        ended = []
        for choice in piece.get("choices") or ():
            place, delta = choice.get("index") or 0, choice.get("delta") or {}
            text = choice.get("text") or delta.get("content") or delta.get("refusal")
            self._texts[place] += [text] if isinstance(text, str) else []
            if choice.get("finish_reason"):
                ended.append(self._choice(place, choice["finish_reason"]))
        return {"choices": ended}

    def rest(self) -> Mapping[str, Any]:
        """Return the answers of a stream that has ended without saying so of them."""
        return {"choices": [self._choice(place, "stop") for place in list(self._texts)]}

    def _choice(self, place: int, end: str) -> Mapping[str, Any]:
        text = "".join(self._texts.pop(place, ()))
        return {"index": place, "text": text, "finish_reason": end}


def _as_mapping(answer: Any) -> Mapping[str, Any]:
    if isinstance(answer, openai.BaseModel):
        answer = answer.model_dump(warnings=False)
    return answer if isinstance(answer, Mapping) else {}
