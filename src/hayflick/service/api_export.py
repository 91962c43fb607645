"""The answers of a stream, to be read by `hayflick watch` or by people."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from hayflick.core.spreadsheets import guarded
from hayflick.service.export import repeated_rows, stream_columns
from hayflick.service.requests import GREATEST, Asking, Caller, Name
from hayflick.service.stream_answers import StreamColumns
from hayflick.service.streams import settings_of
from hayflick.storage.readings import answers_of_rounds
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
