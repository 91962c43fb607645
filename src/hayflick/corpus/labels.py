"""Labels: the cell of a table as text, and the label that a user's name stands for.

One rule for numbers, codes and names. Text is kept as it is written: ``007`` and ``1.0`` of a CSV
file stay so. A number of a format that has numbers (JSON, Parquet, xlsx, a DataFrame) is spelled
without a fraction of zero: 1.0 is the label ``1``. A name that a user gives is looked up as text
first, then as an equal number.
"""

from __future__ import annotations

import ast
import datetime
import json
import math
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import polars as pl

from hayflick.core.errors import listed
from hayflick.core.notes import Note, translatable
from hayflick.corpus.normalization import merging_names

_LARGEST_EXACT = 2.0**53


def label_of(cell: object) -> str | None:
    """Return a cell as a label; None for a missing one.

    Examples
    --------
    >>> [label_of(cell) for cell in ("007", 7.0, 7.5, True, None, float("nan"))]
    ['007', '7', '7.5', 'true', None, None]
    """
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        if math.isnan(cell):
            return None
        return str(int(cell)) if cell.is_integer() and abs(cell) <= _LARGEST_EXACT else repr(cell)
    if isinstance(cell, Decimal):
        return _plain(str(cell))
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ")
    return str(cell)


def _plain(number: str) -> str:
    """Return a decimal number without zeros at the end of its fraction."""
    return number.rstrip("0").rstrip(".") if "." in number and "E" not in number else number


def labels_of(name: str, kind: pl.DataType) -> pl.Expr:
    """Return the labels of a column of a frame, as `label_of` spells each cell.

    Examples
    --------
    >>> frame = pl.DataFrame({"x": [1.0, 2.5, float("nan"), None]})
    >>> frame.select(labels_of("x", frame.schema["x"])).to_series().to_list()
    ['1', '2.5', None, None]
    """
    cell = pl.col(name)
    if kind.is_float():
        whole = (cell == cell.floor()) & (cell.abs() <= _LARGEST_EXACT)
        number = pl.when(whole).then(cell).cast(pl.Int64, strict=False).cast(pl.String)
        return pl.when(cell.is_nan()).then(None).otherwise(number.fill_null(cell.cast(pl.String)))
    if kind.is_decimal():
        return cell.cast(pl.String).str.replace(r"(\.\d*?)0+$", "${1}").str.strip_chars_end(".")
    if isinstance(kind, pl.Duration):
        return cell.dt.to_string("iso")
    if isinstance(kind, pl.Datetime):
        zone = "%:z" if kind.time_zone else ""
        return cell.dt.to_string(f"%Y-%m-%d %H:%M:%S%.f{zone}")
    return cell.cast(pl.String)


def matching_label(name: str, labels: Iterable[str]) -> str | None:
    """Return the label that a name stands for: the same text, else an equal number.

    None if there is no such label, or if several are equal numbers.

    Examples
    --------
    >>> matching_label("5", ["4.0", "5.0"]), matching_label("007", ["7", "007"])
    ('5.0', '007')
    >>> matching_label("5", ["five"]) is None
    True
    """
    known = list(labels)
    if name in known:
        return name
    number = _number(name)
    equal = [label for label in known if number is not None and _number(label) == number]
    return equal[0] if len(equal) == 1 else None


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def text_path(value: object) -> str | None:
    """Return the path to the text inside a nested value; None if it holds no text.

    Of several, those under a key such as ``content`` come first, then the longest.

    Examples
    --------
    >>> text_path({"id": "7", "choices": [{"message": {"content": "a long answer"}}]})
    'choices[0].message.content'
    >>> text_path([{"role": "assistant", "content": "no"}])
    '[0].content'
    """

    def rank(pair: tuple[str, str]) -> tuple[bool, int]:
        path, text = pair
        return _TEXT_KEY.search(path) is not None and bool(text), len(text)

    found = max(_texts(value, ""), key=rank, default=None)
    return None if found is None else found[0]


def joined_path(column: str, path: str) -> str:
    """Return the path to what is inside a column.

    Examples
    --------
    >>> joined_path("reply", "content"), joined_path("reply", "[0].content")
    ('reply.content', 'reply[0].content')
    """
    return f"{column}{path}" if path.startswith("[") else f"{column}.{path}"


_TEXT_KEY = re.compile(
    r"(?:^|\.)(?:content|text|answer|completion|output|output_text|response|value|body)(?:\[\d+\])*$"
)


def _texts(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of every string inside a value, at any depth."""
    waiting: list[tuple[object, str]] = [(value, path)]
    while waiting:
        inner, where = waiting.pop()
        if isinstance(inner, str):
            yield where, inner
        elif isinstance(inner, dict):
            named = [(item, f"{where}.{key}" if where else str(key)) for key, item in inner.items()]
            waiting += reversed(named)
        elif isinstance(inner, (list, tuple)):
            waiting += reversed([(one, f"{where}[{place}]") for place, one in enumerate(inner)])


def json_inside(text: str | None) -> Any | None:
    """Return the object or list that a text spells as JSON; None for any other text.

    Examples
    --------
    >>> json_inside('{"role": "user"}'), json_inside("{braces} in a sentence")
    ({'role': 'user'}, None)
    """
    if text is None or text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) and value else None


_LONGEST_LITERAL = 10_000


def python_inside(text: str | None) -> Any | None:
    """Return the object or list that a text spells as Python does; None for any other text.

    Frames of pandas are saved so, where a cell is a dictionary or a list.

    Examples
    --------
    >>> python_inside("{'role': 'user', 'tool': None}"), python_inside("['quoted' words]")
    ({'role': 'user', 'tool': None}, None)
    """
    if text is None or text.lstrip()[:1] not in ("{", "[") or len(text) > _LONGEST_LITERAL:
        return None
    try:
        with warnings.catch_warnings():
            # Of backslashes that spell nothing in Python.
            warnings.simplefilter("ignore")
            value = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) and value else None


_MOST_SPELLINGS = 100_000


def spelling_notes(labels: Sequence[str]) -> tuple[Note, ...]:
    """Return a note if labels differ only in case, width, blanks or invisible characters."""
    together = merging_names(labels[:_MOST_SPELLINGS])
    if not together:
        return ()
    message = translatable(
        "labels that differ only in case, width or blanks are counted apart, such as {names};"
        " --normalize nfkc or casefold counts them together"
    )
    return (Note(message, names=listed(together[0], most=3)),)
