"""Take items into a stream: each is counted once, durably, or the request is refused as a whole.

An item with a key that is stored already is a duplicate, if the sender gave the same, and else an
error. A stream is made when its first item comes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError
from hayflick.service.ingest_items import Item, read_items
from hayflick.service.placement import place
from hayflick.service.problems import Problem
from hayflick.service.redaction import redaction
from hayflick.service.round_samples import add_to_samples
from hayflick.service.service import Service
from hayflick.service.stream_settings import MOST_VALUES, Kind, StreamSettings
from hayflick.storage.accounts import Principal
from hayflick.storage.answers import (
    AnswerRow,
    add_answers,
    digests_of_keys,
    key_of_row,
    recent_groups,
    vector_bytes,
)
from hayflick.storage.rounds import REQUEST_BYTES, add_parcels, known_parcels
from hayflick.storage.streams import (
    StreamRow,
    check_stream_name,
    count_streams,
    create_stream,
    stream_named,
)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What was made of the items of a request.

    Parameters
    ----------
    accepted
        Items that are stored now.
    duplicates
        Items that were stored before: their key was.
    late
        Accepted items that came after their round was closed; they are counted, never measured.
    rounds
        Names of the rounds that the accepted items are in.
    notes
        What was changed in them.
    """

    accepted: int
    duplicates: int
    late: int
    rounds: tuple[str, ...]
    notes: tuple[str, ...] = ()


def ingest(
    service: Service,
    principal: Principal,
    stream_name: str,
    kind: Kind,
    items: Sequence[Mapping[str, Any]],
    *,
    batch_key: str | None = None,
    by_key_alone: bool = False,
) -> Future[Receipt]:
    """Return the receipt of items, once they are durable.

    The items are checked before this returns; the call takes time, so it is made in a thread.

    Parameters
    ----------
    service
        The service.
    principal
        Who sends them.
    stream_name
        The stream, which is made if the service's settings say so.
    kind
        What the items hold.
    items
        The items, as parsed from JSON. Each may have ``key``, ``time`` (ISO 8601 with an offset, or
        seconds since 1970), ``group``, ``prompt``, ``text`` and ``values``; those of ``vectors``
        have a ``vector``, those of ``counts`` have ``counts`` by label, and those of ``values``
        have ``values``.
    batch_key
        Key of the whole request: items without a key of their own have this and their place.
    by_key_alone
        Whether items with the same key are the same, whatever else they hold: an answer that is
        reported in two ways.

    Raises
    ------
    Problem
        If an item cannot be taken, there are too many, or there is no such stream. What can be
        found only in the store is raised by the future instead.
    WriterBusy
        If too many requests wait.
    """
    try:
        check_stream_name(stream_name)
    except ArgumentError as fault:
        raise Problem(422, str(fault)) from None
    limits = service.settings.limits
    redact = redaction(service.settings.redact)
    read = read_items(items, kind, limits=limits, batch_key=batch_key, redact=redact)
    request = _Request(
        service, principal.project, stream_name, kind, read.items, by_key_alone=by_key_alone
    )

    def job(connection: sa.Connection) -> Receipt:
        return replace(request.store(connection), notes=read.notes)

    future = service.writer.submit(job)
    future.add_done_callback(request.end)
    return future


class _Request:
    """The items of one request on their way into the store."""

    def __init__(
        self,
        service: Service,
        project: int,
        name: str,
        kind: Kind,
        items: Sequence[Item],
        *,
        by_key_alone: bool,
    ) -> None:
        self._service, self._project = service, project
        self._by_key_alone = by_key_alone
        self._name, self._kind, self._items = name, kind, items
        # The stream to whose known groups these items have added some.
        self._added_to: int | None = None
        self._fills_round = False

    def store(self, connection: sa.Connection) -> Receipt:
        """Store what is not stored yet, in a job of the writer."""
        now = self._service.clock.now()
        stream = self._found_or_made(connection, now=now)
        if stream.kind != self._kind:
            detail = f"the stream {self._name!r} holds {stream.kind}: send them to /{stream.kind}"
            raise Problem(409, detail)
        settings = _settings(stream.settings)
        new = self._new_items(connection, stream)
        # Of the items of such a stream not every key is stored.
        parcel = None if settings.capacity is None else _parcel(self._items)
        if parcel is not None and known_parcels(connection, stream.id, [parcel]):
            new = []
        self._check_groups(connection, stream, settings, new)
        if self._kind == "vectors":
            _check_vectors(connection, stream, new)
        times = [(now if one.at is None else one.at, one.weight) for one in new]
        placed = place(connection, stream, settings, times, now=now)
        rows: list[AnswerRow] = []
        for item, where in zip(new, placed, strict=True):
            key = item.key or os.urandom(16).hex()
            for number, part in enumerate(item.parts):
                rows.append(
                    {
                        "stream": stream.id,
                        "key": key_of_row(key, number),
                        "digest": item.digest,
                        "round": where.round,
                        "late": where.late,
                        "received": now,
                        "at": where.at,
                        "group": item.group,
                        "prompt": item.prompt,
                        "text": part.text,
                        "vector": part.vector,
                        "numbers": part.numbers,
                        "weight": part.weight,
                    }
                )
        if settings.capacity is None:
            add_answers(connection, rows)
        else:
            add_to_samples(connection, stream.id, settings, rows)
            if parcel is not None and new:
                add_parcels(connection, stream.id, [parcel], now=now)
        held = stream.open_answers + sum(one.weight for one in new)
        self._fills_round = isinstance(settings.every, int) and held >= settings.every
        return Receipt(
            accepted=len(new),
            duplicates=len(self._items) - len(new),
            late=sum(where.late for where in placed),
            rounds=tuple(dict.fromkeys(where.name for where in placed if where.name)),
        )

    def end(self, future: Future[Receipt]) -> None:
        """Take up that the items are stored, or are not."""
        if future.cancelled() or future.exception() is not None:
            if self._added_to is not None:
                self._service.known_groups.pop(self._added_to, None)
        elif self._fills_round:
            self._service.wake()

    def _found_or_made(self, connection: sa.Connection, *, now: float) -> StreamRow:
        found = stream_named(connection, self._project, self._name, lock=True)
        if found is not None:
            return found
        settings = self._service.settings
        if not settings.create_streams:
            detail = f"there is no stream {self._name!r}: make it first, or allow create_streams"
            raise Problem(404, detail)
        most = settings.limits.streams
        if count_streams(connection, self._project) >= most:
            raise Problem(403, f"the project has {most} streams, which is its limit")
        chosen = settings.defaults
        if not chosen.values:
            names = sorted({name for one in self._items for name in one.names})
            if len(names) > MOST_VALUES:
                detail = f"the items name {len(names):,} numbers, a stream takes {MOST_VALUES}"
                raise Problem(422, detail)
            chosen = chosen.model_copy(update={"values": tuple(names)})
        # Another process may have just made it.
        with suppress(sa.exc.IntegrityError), connection.begin_nested():
            create_stream(
                connection,
                self._project,
                self._name,
                kind=self._kind,
                settings=chosen.model_dump_json(),
                now=now,
            )
        found = stream_named(connection, self._project, self._name, lock=True)
        assert found is not None
        return found

    def _new_items(self, connection: sa.Connection, stream: StreamRow) -> list[Item]:
        """Return the items that are not stored, each once."""
        keys = list({one.key for one in self._items if one.key is not None})
        known = digests_of_keys(connection, stream.id, keys)
        new: list[Item] = []
        for number, item in enumerate(self._items):
            if item.key is None:
                new.append(item)
                continue
            before = known.get(item.key)
            if before is None:
                known[item.key] = item.digest
                new.append(item)
            elif before != item.digest and not self._by_key_alone:
                detail = f"item {number}: the key {item.key!r} was given before with another body"
                raise Problem(422, detail, items=[{"item": number, "detail": detail}])
        return new

    def _check_groups(
        self,
        connection: sa.Connection,
        stream: StreamRow,
        settings: StreamSettings,
        items: Sequence[Item],
    ) -> None:
        """Refuse more groups than the stream may have: each is charted by itself."""
        groups = {one.group for one in items if one.group is not None}
        known = self._service.known_groups.get(stream.id, frozenset())
        if groups <= known:
            return
        most = settings.most_groups
        if len(groups) <= most and len(known) < most:
            known = recent_groups(connection, stream.id, stream.measured_round)
            self._service.known_groups[stream.id] = known
        number = len(known | groups)
        if number > most:
            new = min(groups - known)
            detail = (
                f"the group {new!r} is one too many: the stream {self._name!r} takes {most} groups"
                " (most_groups); send fewer, or raise the limit"
            )
            raise Problem(422, detail)
        self._service.known_groups[stream.id] = known | groups
        self._added_to = stream.id


def _check_vectors(connection: sa.Connection, stream: StreamRow, items: Sequence[Item]) -> None:
    """Refuse vectors that are not as long as those of the stream."""
    known = vector_bytes(connection, stream.id)
    for item in items:
        size = len(item.parts[0].vector or b"")
        known = known or size
        if size != known:
            takes = f"{known // 4} numbers, as those before it"
            raise Problem(422, f"vector: got one of {size // 4} numbers, takes {takes}")


def _parcel(items: Sequence[Item]) -> bytes | None:
    """Return the hash of a request whose items all have keys; None of another."""
    if any(one.key is None for one in items):
        return None
    content = ((one.key or "").encode() + b"\0" + one.digest for one in items)
    return hashlib.blake2b(b"\0".join(content), digest_size=REQUEST_BYTES).digest()


@lru_cache(maxsize=1024)
def _settings(text: str) -> StreamSettings:
    return StreamSettings.model_validate_json(text)
