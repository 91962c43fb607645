"""The answers of a stream as rows that `watch` reads, and the arguments to read them with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import sqlalchemy as sa

from hayflick.service.stream_answers import StreamColumns
from hayflick.service.stream_settings import StreamSettings
from hayflick.storage.readings import AnswerOfRound, answers_of_rounds, observer_of_stream
from hayflick.storage.streams import StreamRow

_ROUNDS_AT_ONCE = 20


def stream_columns(
    connection: sa.Connection, stream: StreamRow, settings: StreamSettings
) -> StreamColumns:
    """Return what the answers of a stream are measured by; before its baseline, what they have."""
    record = observer_of_stream(connection, stream.id)
    if record is not None:
        return StreamColumns.of_record(record["columns"])
    rows = answers_of_rounds(connection, stream.id, 1, settings.baseline)
    return StreamColumns.of(rows, settings, kind=stream.kind)


def watch_arguments(settings: StreamSettings, columns: StreamColumns) -> dict[str, Any]:
    """Return the arguments of `hayflick.watch` with which the rows are read.

    Parameters
    ----------
    settings
        Those of the stream.
    columns
        What its answers are measured by.
    """
    windows = isinstance(settings.every, str)
    return {
        "by": "time" if windows else "round",
        "every": settings.every if windows else None,
        "time_zone": settings.time_zone if windows else None,
        "text": "text" if columns.text else None,
        "group": "group" if columns.group else None,
        "prompt": "prompt" if columns.prompt else None,
        "values": list(columns.values),
        "vectors": "vector" if columns.vectors else None,
        "baseline": settings.baseline,
        "charts": settings.charts,
        "false_alarms": settings.false_alarms,
        "form": settings.form,
        "embedder": settings.embedder,
        "tokenizer": settings.tokenizer,
        "must_keep": dict(settings.must_keep) or None,
        "metrics": list(settings.metrics),
        "seed": settings.seed,
    }


def export_rows(
    connection: sa.Connection,
    stream: StreamRow,
    columns: StreamColumns,
    *,
    after: int = 0,
    last: int | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the answers that came in time, by round and in the order in which they came.

    A row of label counts is as many rows as it stands for.

    Parameters
    ----------
    connection
        For reading.
    stream
        The stream.
    columns
        Its columns, as `stream_columns` returns them.
    after, last
        Only the rounds behind the one, up to the other; None for all.
    """
    end = stream.open_round if last is None else min(last, stream.open_round)
    for first in range(after + 1, end + 1, _ROUNDS_AT_ONCE):
        until = min(end, first + _ROUNDS_AT_ONCE - 1)
        yield from repeated_rows(answers_of_rounds(connection, stream.id, first, until), columns)


def repeated_rows(
    found: Iterable[AnswerOfRound], columns: StreamColumns
) -> Iterator[dict[str, Any]]:
    """Yield answers as rows, each as often as it stands for: that may be millions of times."""
    for row in found:
        record = _row(row, columns)
        for _ in range(row.weight):
            yield record


def _row(row: AnswerOfRound, columns: StreamColumns) -> dict[str, Any]:
    record: dict[str, Any] = {
        "round": row.round,
        "time": datetime.fromtimestamp(row.at, UTC).isoformat(timespec="microseconds"),
        "key": row.key,
    }
    record |= {
        name: getattr(row, name) for name in ("group", "prompt", "text") if getattr(columns, name)
    }
    if columns.values:
        numbers = json.loads(row.numbers) if row.numbers else {}
        record |= {name: numbers.get(name) for name in columns.values}
    if columns.vectors:
        record["vector"] = np.frombuffer(row.vector, "<f4").tolist() if row.vector else None
    return record
