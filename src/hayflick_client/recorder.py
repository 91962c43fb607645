"""How an application hands answers in, and what the two watchers have in common."""

from __future__ import annotations

import atexit
import logging
import os
import re
import threading
import time
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from hayflick_client.delivery import Backoff, DeliveryOutcome, ServiceReply, request_headers
from hayflick_client.items import Moment, answer_item, counts_item, values_item, vector_item
from hayflick_client.outbox import Batch, DeliveryCounts, Outbox
from hayflick_client.sending import exchange, tls_context

LOG = logging.getLogger("hayflick_client")
_ONE_LINE_EVERY_S = 60.0
_NO_HEADER = re.compile(r"[^\x21-\x7e]")


class AnswerRecorder(Protocol):
    """What answers are handed to: a `Watcher`, an `AsyncWatcher` or an `AnswerLog`."""

    def record(
        self,
        text: str,
        *,
        group: str | None = None,
        prompt: str | None = None,
        values: Mapping[str, float] | None = None,
        at: Moment | None = None,
        key: str | None = None,
    ) -> None:
        """Hand an answer in; returns at once and raises nothing."""


class WarningLog:
    """Logs what goes wrong, the same once a minute at most.

    Parameters
    ----------
    name
        What it concerns: an address, a file.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._said: dict[str, float] = {}

    def say(self, message: str) -> None:
        """Log a message, unless it was within a minute."""
        now = time.monotonic()
        if now - self._said.get(message, -_ONE_LINE_EVERY_S) >= _ONE_LINE_EVERY_S:
            if len(self._said) > 100:
                self._said.clear()
            self._said[message] = now
            LOG.warning("%s: %s", self._name, message)


class Recorder(ABC):
    """A queue of answers for one stream; `Watcher` and `AsyncWatcher` send them."""

    def __init__(
        self,
        stream: str,
        *,
        url: str | None = None,
        token: str | None = None,
        batch: int = 500,
        interval_s: float = 1.0,
        capacity: int = 10_000,
        capacity_bytes: int = 64_000_000,
        timeout_s: float = 10.0,
        exit_timeout_s: float = 5.0,
    ) -> None:
        self._address = stream_address(stream, url)
        self._token = checked_token(token)
        for name, number in {
            "batch": batch,
            "interval_s": interval_s,
            "capacity": capacity,
            "capacity_bytes": capacity_bytes,
            "timeout_s": timeout_s,
        }.items():
            if not number > 0:
                raise ValueError(f"{name}: got {number!r}, takes a number above 0")
        self._batch, self._interval_s = batch, interval_s
        self._timeout_s, self._exit_timeout_s = timeout_s, exit_timeout_s
        self._outbox = Outbox(capacity=capacity, capacity_bytes=capacity_bytes, batch=batch)
        self._closed = False
        self._flush_to = 0
        self._due: float | None = None
        self._backoff = Backoff()
        self._warnings = WarningLog(self._address)
        self._tls = tls_context(self._address)
        self._begin()
        atexit.register(self._close_at_exit)
        _RECORDERS.add(self)

    def record(
        self,
        text: str,
        *,
        group: str | None = None,
        prompt: str | None = None,
        values: Mapping[str, float] | None = None,
        at: Moment | None = None,
        key: str | None = None,
    ) -> None:
        """Hand an answer in; returns at once and raises nothing.

        What cannot be sent is counted (`counts`), with the reason.

        Parameters
        ----------
        text
            The answer.
        group
            What it is charted with: a model, an agent, a topic.
        prompt
            The prompt, or its name.
        values
            Numbers by name, which are charted beside the answer's own.
        at
            When it was given; None for now.
        key
            The same key again is the same answer; None makes one.
        """
        self._put(
            "answers", answer_item, text, group=group, prompt=prompt, values=values, at=at, key=key
        )

    def record_vector(
        self,
        vector: Iterable[float],
        *,
        text: str | None = None,
        group: str | None = None,
        prompt: str | None = None,
        values: Mapping[str, float] | None = None,
        at: Moment | None = None,
        key: str | None = None,
    ) -> None:
        """Hand in the vector of an answer that was embedded already; see `record`."""
        self._put(
            "vectors",
            vector_item,
            vector,
            text=text,
            group=group,
            prompt=prompt,
            values=values,
            at=at,
            key=key,
        )

    def record_counts(
        self,
        counts: Mapping[str, int],
        *,
        group: str | None = None,
        at: Moment | None = None,
        key: str | None = None,
    ) -> None:
        """Hand in how often each label came; see `record`."""
        self._put("counts", counts_item, counts, group=group, at=at, key=key)

    def record_values(
        self,
        values: Mapping[str, float],
        *,
        group: str | None = None,
        at: Moment | None = None,
        key: str | None = None,
    ) -> None:
        """Hand in numbers by name; see `record`."""
        self._put("values", values_item, values, group=group, at=at, key=key)

    @property
    def counts(self) -> DeliveryCounts:
        """What has become of the items so far; a process that was forked counts its own."""
        return self._outbox.counts()

    def _put(self, path: str, write: Callable[..., bytes], content: Any, **more: Any) -> None:
        try:
            if self._closed:
                self._outbox.refuse("the watcher is closed")
                return
            body = write(content, **more)
        except Exception as fault:
            self._outbox.refuse(f"{type(fault).__name__}: {fault}"[:300])
            return
        try:
            self._queued(self._outbox.put(path, body))
        except Exception as fault:
            # No thread can be started now: the item waits for the next one, or for the end.
            if threading.main_thread().is_alive():
                self._warnings.say(f"cannot send now: {fault}")

    @abstractmethod
    def _queued(self, waiting: int) -> None:
        """Take up that an item waits."""

    @abstractmethod
    def _begin(self) -> None:
        """Make ready what sends the items."""

    @abstractmethod
    def _close_at_exit(self) -> None:
        """Send what waits at the end of the program."""

    def _forget(self) -> None:
        """Begin anew in a process that was just forked."""
        self._begin()
        self._outbox.forget()
        self._flush_to, self._due = 0, None
        self._warnings = WarningLog(self._address)
        self._backoff = Backoff()

    def _wait_s(self) -> float | None:
        """Return the seconds until a batch is due; None if nothing waits."""
        outbox, now = self._outbox, time.monotonic()
        if not outbox.under_way and not outbox.waiting:
            self._due = None
            return None
        if outbox.under_way or outbox.waiting >= self._batch or self._hurries():
            return 0.0
        if self._due is None:
            self._due = now + self._interval_s
        return max(0.0, self._due - now)

    def _hurries(self) -> bool:
        return self._closed or not self._outbox.settled(self._flush_to)

    def _settle(self, batch: Batch, reply: ServiceReply) -> float:
        """Take up what a batch was answered, and return the seconds to wait after it."""
        outcome = self._outbox.settle(batch, reply)
        if outcome is DeliveryOutcome.RETRY:
            wait_s = self._backoff.wait_s(reply)
            if self._backoff.failures > 1:
                # Once is no news: a connection ends, the service is busy for a second.
                self._warnings.say(f"not delivered yet, tried again: {reply.reason()}")
            # At the end nobody waits longer than the service asks for.
            ends = self._closed and reply.retry_after_s() is None
            return min(wait_s, 1.0) if ends else wait_s
        if outcome is DeliveryOutcome.REFUSED:
            self._warnings.say(f"refused ({len(batch.entries):,} items): {reply.reason()}")
        self._backoff.reset()
        self._due = None
        return 0.0

    def _options(self) -> dict[str, Any]:
        """Return the arguments of a client of httpx, which follows no redirect with the token."""
        headers = request_headers(self._token)
        return {"headers": headers, "timeout": self._timeout_s, "verify": self._tls}

    def _send_until(self, deadline: float) -> None:
        """Send what waits from this thread, up to a time."""
        import httpx

        with httpx.Client(**self._options()) as client:
            while time.monotonic() < deadline and (batch := self._outbox.take()) is not None:
                wait_s = self._settle(batch, exchange(client, self._address, batch))
                time.sleep(max(0.0, min(wait_s, deadline - time.monotonic())))

    def _give_up(self) -> None:
        left = self._outbox.give_up()
        if left:
            LOG.warning("%s: not delivered in time: %d items", self._address, left)


def stream_address(stream: str, url: str | None) -> str:
    """Return the address of a stream.

    Parameters
    ----------
    stream
        Its name.
    url
        The service's address; None takes it from the environment (``HAYFLICK_URL``).

    Raises
    ------
    ValueError
        If the address is none of a web service, or the name is empty.

    Examples
    --------
    >>> stream_address("help desk", "http://127.0.0.1:8080/")
    'http://127.0.0.1:8080/v1/streams/help%20desk'
    """
    if not isinstance(stream, str) or not stream.strip():
        raise ValueError(f"stream: got {stream!r}, takes the name of a stream")
    url = os.environ.get("HAYFLICK_URL", "") if url is None else url
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        takes = "the service's address, such as http://127.0.0.1:8080"
        raise ValueError(f"url: got {url!r}, takes {takes} (or set HAYFLICK_URL)")
    return f"{url.rstrip('/')}/v1/streams/{quote(stream, safe='')}"


def checked_token(token: str | None) -> str:
    """Return a token, from the environment (``HAYFLICK_TOKEN``) if it is None.

    Raises
    ------
    ValueError
        If there is none, or it cannot stand in a header.
    """
    token = os.environ.get("HAYFLICK_TOKEN", "") if token is None else token
    token = token.strip()
    if not token or _NO_HEADER.search(token):
        got = "one with blanks or signs beyond ASCII" if token else "none"
        raise ValueError(f"token: got {got}, takes a token of the service (or set HAYFLICK_TOKEN)")
    return token


_RECORDERS: weakref.WeakSet[Recorder] = weakref.WeakSet()


def _forget_all() -> None:
    for recorder in list(_RECORDERS):
        recorder._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
