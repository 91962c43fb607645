"""Documents that were retrieved for answers: what a log has of them, each document once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self, final

import polars as pl

from hayflick.core.display_text import display_text
from hayflick.core.errors import DataError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.frames import as_table, input_path, is_in_memory
from hayflick.corpus.labels import json_inside, label_of, python_inside
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.table_kinds import LINE
from hayflick.corpus.tables import open_table

_TEXTS = (
    *("text", "content", "page_content", "document", "chunk", "passage", "snippet", "body"),
    *("document.content", "value"),
)
_NAMES = ("id", "doc_id", "document_id", "chunk_id", "node_id", "id_", "document.id", "uid")
_SOURCES = ("source", "url", "uri", "file", "file_name", "file_path", "title")
_GENERATED = ("generated", "synthetic", "is_generated", "is_synthetic", "ai_generated")
_INSIDE = ("metadata", "meta", "node", "document", "payload", "document.metadata")
_LISTS = ("documents", "results", "chunks", "contexts", "hits", "data", "matches", "nodes")
_YES, _NO = ("true", "yes", "1", "1.0"), ("false", "no", "0", "0.0")
_EMPTY = ("", "[]", "{}", "null", "None")
_DEEPEST = 3
_SHOWN = 60

SCHEMA = {"name": pl.String, "text": pl.String, "generated": pl.Boolean, "source": pl.String}


@final
class RetrievedDocuments:
    """The documents of a log, numbered in the order in which they are first retrieved.

    A document that has a name (``id``, ``doc_id``, …) is known by it, another one by its text.

    Examples
    --------
    >>> documents = RetrievedDocuments()
    >>> documents.add(["It rains.", {"id": 7, "text": "It snows.", "generated": True}])
    [0, 1]
    >>> documents.add('[{"id": "7", "metadata": {"source": "a.txt"}}]')
    [1]
    >>> documents.frame().row(1)
    ('7', 'It snows.', True, 'a.txt')
    """

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._columns: dict[str, list[Any]] = {name: [] for name in SCHEMA}

    def add(self, cell: Any) -> list[int]:
        """Return the numbers of the documents of one answer, each once, in their order.

        Blank texts are no documents.

        Raises
        ------
        ValueError
            If it is no list of texts, names or objects; the message says what it is.
        """
        return list(dict.fromkeys(self._number(one) for one in _items(cell)))

    @classmethod
    def of(cls, frame: pl.DataFrame) -> Self:
        """Return the documents of a `frame`, with the same numbers."""
        documents = cls()
        for name, text, generated, source in frame.select(list(SCHEMA)).iter_rows():
            documents.add([{"id": name, "text": text, "generated": generated, "source": source}])
        return documents

    def frame(self) -> pl.DataFrame:
        """Return a row per document: ``name``, ``text``, ``generated`` and ``source``."""
        return pl.DataFrame(self._columns, schema=SCHEMA)

    def _number(self, item: Any) -> int:
        found = _document(item)
        named = found["name"] is not None
        key = ("name", found["name"]) if named else ("text", found["text"])
        number = self._numbers.setdefault(key, len(self._numbers))
        if number == len(self._columns["name"]):
            for column, value in found.items():
                self._columns[column].append(value)
        else:
            for column, value in found.items():
                if self._columns[column][number] is None:
                    self._columns[column][number] = value
        return number


def read_documents(
    source: Any,
    documents: RetrievedDocuments,
    *,
    encoding: str = "utf-8",
    table: TableFormat | None = None,
    progress: Progress = silent,
) -> list[int]:
    """Add the documents of a table, one a row, and return their numbers, each once.

    Parameters
    ----------
    source
        A table with a column ``text`` or ``id`` (or what these are called elsewhere), and
        ``generated`` and ``source`` where they are known; or such a table in memory.
    documents
        Those that are known before.
    encoding, table
        How the table is read.
    progress
        Called with the number of bytes read so far.

    Raises
    ------
    DataError
        If it cannot be read, or a row is no document.

    Examples
    --------
    >>> documents = RetrievedDocuments()
    >>> read_documents([{"id": "a", "generated": True}, {"id": "b"}], documents)
    [0, 1]
    """
    given = as_table(source) if is_in_memory(source) else input_path(source)
    name = "the pool" if isinstance(given, pl.DataFrame) else str(given)
    numbers: dict[int, None] = {}
    with open_table(given, given=table, encoding=encoding, progress=progress) as opened:
        columns = [LINE, *opened.columns]
        for part in opened.frames(columns):
            for row in part.iter_rows(named=True):
                line = row.pop(LINE)
                try:
                    numbers |= dict.fromkeys(documents.add([row]))
                except ValueError as fault:
                    raise DataError(f"{name}: line {line} holds {fault}") from None
    if not numbers:
        raise DataError(f"{name}: holds no document")
    return list(numbers)


def _items(cell: Any) -> Sequence[Any]:
    """Return what a cell lists."""
    if isinstance(cell, str):
        if cell.strip() in _EMPTY:
            return ()
        inside = json_inside(cell)
        inside = python_inside(cell) if inside is None else inside
        if inside is None:
            takes = "a list of texts or objects, or JSON of one"
            raise ValueError(f"the text {display_text(cell, longest=_SHOWN)!r}, takes {takes}")
        cell = inside
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ()
    if isinstance(cell, Mapping):
        for name in _LISTS:
            if isinstance(cell.get(name), (list, tuple)):
                return _items(cell[name])
        return (cell,)
    if isinstance(cell, (list, tuple)):
        return [one for one in cell if one is not None and not _is_blank(one)]
    shown = display_text(str(cell), longest=_SHOWN)
    raise ValueError(f"the value {shown}, takes a list of texts or objects")


def _is_blank(item: Any) -> bool:
    return isinstance(item, str) and not item.strip()


def _document(item: Any) -> dict[str, Any]:
    if isinstance(item, str):
        return {"name": None, "text": item, "generated": None, "source": None}
    if isinstance(item, int | float) and not isinstance(item, bool):
        return {"name": label_of(item), "text": None, "generated": None, "source": None}
    if not isinstance(item, Mapping):
        raise ValueError(f"a list of {type(item).__name__}, takes texts or objects")
    flags = map(_flag, _cells(item, _GENERATED))
    found = {
        "name": _text(item, _NAMES),
        "text": _text(item, _TEXTS),
        "generated": next((one for one in flags if one is not None), None),
        "source": _text(item, _SOURCES),
    }
    if found["name"] is None and found["text"] is None:
        names = ", ".join(map(str, list(item)[:8]))
        takes = f"one of {', '.join(_TEXTS[:4])} or {', '.join(_NAMES[:3])}"
        raise ValueError(f"an object with the keys {names!r}, takes {takes}")
    return found


def _text(item: Mapping[str, Any], names: Sequence[str]) -> str | None:
    for cell in _cells(item, names):
        if isinstance(cell, bool) or not isinstance(cell, str | int | float):
            continue
        label = cell if isinstance(cell, str) else label_of(cell)
        if label and label.strip():
            return label
    return None


def _cells(item: Mapping[str, Any], names: Sequence[str], depth: int = 0) -> Iterator[Any]:
    """Yield the cells of these names in an object, then in the objects inside of it."""
    for name in names:
        if item.get(name) is not None:
            yield item[name]
    if depth < _DEEPEST:
        for name in _INSIDE:
            if isinstance(item.get(name), Mapping):
                yield from _cells(item[name], names, depth + 1)


def _flag(cell: Any) -> bool | None:
    if isinstance(cell, bool):
        return cell
    spelled = str(cell).strip().lower()
    return True if spelled in _YES else False if spelled in _NO else None
