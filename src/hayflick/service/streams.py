"""Streams are made, and their settings changed, as long as what was measured stays comparable."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import get_args

import sqlalchemy as sa

from hayflick.core.errors import ArgumentError
from hayflick.corpus.tokenizers import tokenizer_named
from hayflick.diversity.metrics import metric_named
from hayflick.diversity.observing import SLOW
from hayflick.embed.embedder import parse_embedder
from hayflick.embed.hashing import HashingEmbedder
from hayflick.monitor.chart_requests import chart_requests
from hayflick.service.stream_settings import Kind, StreamSettings
from hayflick.storage.rounds import latest_rounds
from hayflick.storage.rules import active_rules
from hayflick.storage.streams import (
    StreamRow,
    check_stream_name,
    count_streams,
    create_stream,
    save_settings,
    stream_named,
)

CHANGEABLE = (
    "grace_s",
    "rules",
    "silent_after",
    "review",
    "keep_text",
    "keep_days",
    "keep_sample",
    "most_groups",
)
"""Settings of a stream that has answers which may still change: they change no reading."""


class SettingsConflict(ArgumentError):  # noqa: N818
    """A setting cannot change any more."""


def put_stream(
    connection: sa.Connection,
    project: int,
    name: str,
    *,
    kind: str,
    settings: StreamSettings,
    most: int,
    now: float,
    embedders: Collection[str] | None = None,
) -> StreamRow:
    """Return a stream that is made, or brought up to date.

    Parameters
    ----------
    project, name
        Where it belongs, and what it is called.
    kind
        What its items hold.
    settings
        All its settings.
    most
        Streams that the project may have.
    now
        The time.
    embedders
        Those beside the built-in one that may be chosen; None for any.

    Raises
    ------
    ArgumentError
        If the name, or a setting, cannot be one, or the project has as many streams as it may.
    SettingsConflict
        If the stream has answers, and the kind or a setting that its readings depend on changes.
    """
    check_stream_name(name)
    check_settings(settings, kind=kind)
    found = stream_named(connection, project, name, lock=True)
    before = None if found is None else settings_of(found)
    if before is not None and not settings.values:
        # Found in the first items.
        settings = settings.model_copy(update={"values": before.values})
    if before is None or settings.embedder != before.embedder:
        _check_embedder(settings.embedder, embedders)
    rules = settings.rules
    if rules is not None and (before is None or rules != before.rules):
        _check_rules(connection, project, rules)
    text = settings.model_dump_json()
    if found is None or before is None:
        if count_streams(connection, project) >= most:
            takes = f"one of the {most} streams that there are"
            raise ArgumentError("stream", got=ascii(name)[:120], takes=takes)
        return create_stream(connection, project, name, kind=kind, settings=text, now=now)
    changed = [] if kind == found.kind else ["kind"]
    changed += [
        name
        for name in StreamSettings.model_fields
        if name not in CHANGEABLE and getattr(before, name) != getattr(settings, name)
    ]
    if changed and (found.answers or latest_rounds(connection, found.id, most=1)):
        raise SettingsConflict(
            changed[0],
            got="another value",
            takes=f"what it was when the first answer came to {name!r}: its readings depend on it",
            remedy="make a stream of another name",
        )
    save_settings(connection, found.id, kind=kind, settings=text)
    made = stream_named(connection, project, name)
    assert made is not None
    return made


def settings_of(stream: StreamRow) -> StreamSettings:
    """Return the settings of a stream."""
    return StreamSettings.model_validate_json(stream.settings)


def _check_rules(connection: sa.Connection, project: int, name: str) -> None:
    if "\x00" in name or active_rules(connection, project, name) is None:
        takes = "the name of a rule file of the project that is switched on"
        remedy = "store it first: page Rules, PUT /v1/rules/NAME, or rules of the settings file"
        raise ArgumentError("rules", got=ascii(name)[:120], takes=takes, remedy=remedy)


def _check_embedder(text: str, known: Collection[str] | None) -> None:
    """Refuse embedders that the operator has not chosen.

    One may load a model from any folder, or send texts, and what a variable of the environment
    holds, to any address: a project's admin is not the operator.
    """
    if known is None or text in known or isinstance(parse_embedder(text), HashingEmbedder):
        return
    takes = "hashing, or one that the settings file of the service names (defaults, streams)"
    raise ArgumentError("embedder", got=ascii(text)[:120], takes=takes)


def check_settings(settings: StreamSettings, *, kind: str) -> None:
    """Refuse settings that no stream can be watched with.

    Raises
    ------
    ArgumentError
        If one cannot be used; the message names it.
    """
    if kind not in get_args(Kind):
        raise ArgumentError("kind", got=kind, takes=f"one of {', '.join(get_args(Kind))}")
    if len(set(settings.values)) < len(settings.values) or not all(settings.values):
        raise ArgumentError("values", got=settings.values, takes="names that differ")
    if settings.charts is not None:
        chart_requests(settings.charts, values=settings.values)
    if settings.tokenizer != "auto":
        tokenizer_named(settings.tokenizer)
    parse_embedder(settings.embedder)
    if settings.capacity is not None and kind == "counts":
        takes = "nothing for a stream of counts: each label is one row, however often it is given"
        raise ArgumentError("capacity", got=settings.capacity, takes=takes)
    for name in settings.metrics:
        if name not in SLOW:
            metric_named(name)
            takes = f"one of {', '.join(SLOW)}; all others are measured anyway"
            raise ArgumentError("metrics", got=name, takes=takes)
    for word, weight in settings.must_keep.items():
        if not (word.strip() and math.isfinite(weight) and weight > 0.0):
            takes = "words or phrases, each with a positive weight"
            raise ArgumentError("must_keep", got=f"{word!r}: {weight!r}"[:120], takes=takes)
