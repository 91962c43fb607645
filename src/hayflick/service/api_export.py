"""The answers of a stream, to be read by `hayflick watch` or by people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any, Literal

import numpy as np
import sqlalchemy as sa
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from hayflick.core.spreadsheets import guarded
from hayflick.service.requests import GREATEST, Asking, Caller, Name
from hayflick.service.stream_answers import StreamColumns
from hayflick.service.stream_settings import StreamSettings
from hayflick.service.streams import settings_of
from hayflick.storage.readings import AnswerOfRound, answers_of_rounds, observer_of_stream
from hayflick.storage.streams import StreamRow

_KINDS = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
_BYTE_ORDER_MARK = "\ufeff"
"""Tells spreadsheet programs that a file is UTF-8."""

_MOST_TOGETHER = 100

_DESCRIPTION = (
    "The answers that came in time and are still kept, by round, in the order in which they came. "
    "NDJSON holds what was stored; in CSV, text that a spreadsheet program would take for a "
    "formula begins with an apostrophe."
)


def router() -> APIRouter:
    """Return this part of the interface."""
    routes = APIRouter(prefix="/v1/streams", tags=["streams"])

    @routes.get(
        "/{name}/export",
        summary="Export the answers of a stream",
        description=_DESCRIPTION,
        response_class=StreamingResponse,
        responses={200: {"content": {kind.partition(";")[0]: {} for kind in _KINDS.values()}}},
    )
    def export(
        asking: Asking,
        name: Name,
        format: Annotated[Literal["ndjson", "csv"], Query()] = "ndjson",  # noqa: A002
        after: Annotated[
            int, Query(ge=0, le=GREATEST, description="Only rounds behind this one.")
        ] = 0,
        last: Annotated[
            int | None, Query(ge=1, le=GREATEST, description="Only rounds up to this one.")
        ] = None,
    ) -> StreamingResponse:
        with asking.reading() as connection:
            stream = asking.stream(connection, name)
            columns = stream_columns(connection, stream, settings_of(stream))
        rows = _rows(asking, stream, columns, after, min(last or GREATEST, stream.open_round))
        lines = _csv(rows, columns) if format == "csv" else _ndjson(rows)
        headers = {"Content-Disposition": f'attachment; filename="answers.{format}"'}
        return StreamingResponse(lines, media_type=_KINDS[format], headers=headers)

    return routes


def _rows(
    asking: Caller, stream: StreamRow, columns: StreamColumns, after: int, last: int
) -> Iterator[list[dict[str, Any]]]:
    """Yield rows, some at a time; a slow reader holds no connection."""
    for number in range(after, last):
        with asking.reading() as connection:
            found = answers_of_rounds(connection, stream.id, number + 1)
        rows = repeated_rows(found, columns)
        while some := list(islice(rows, _MOST_TOGETHER)):
            yield some


def _ndjson(rounds: Iterator[list[dict[str, Any]]]) -> Iterator[str]:
    for rows in rounds:
        yield "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _csv(rounds: Iterator[list[dict[str, Any]]], columns: StreamColumns) -> Iterator[str]:
    names = ["round", "time", "key"]
    names += [name for name in ("group", "prompt", "text") if getattr(columns, name)]
    names += [*columns.values, *(["vector"] if columns.vectors else [])]
    yield _BYTE_ORDER_MARK + _written([[guarded(name) for name in names]])
    for rows in rounds:
        yield _written([[_cell(row[name]) for name in names] for row in rows])


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return guarded(value)
    return json.dumps(value) if isinstance(value, list) else value


def _written(rows: list[list[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


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


_RATE = {"false_alarms", "form"}


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
    # Charts that are named have rates of their own, and take none of a panel.
    rate = {} if settings.charts is not None else settings.model_dump(include=_RATE)
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
        **rate,
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
