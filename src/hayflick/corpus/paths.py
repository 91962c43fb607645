"""Paths to cells inside nested records: ``response.choices[0].message.content``.

A path is what every option for a column takes. A column of that very name comes first, so that
names with dots stay names. Text that is JSON is entered where a path leads into it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

from hayflick.corpus.labels import json_inside, python_inside

_STEP = re.compile(r"""\.?(\*|[^.\[\]*]+)|\[(\*|-?\d{1,9})\]|\["((?:[^"\\]|\\.)*)"\]""")
_EVERY = "*"
_INDEX = re.compile(r"\d{1,9}")
_Step: TypeAlias = str | int


@dataclass(frozen=True)
class FieldPath:
    """A path to cells inside a record.

    Names are separated by dots; ``[0]`` is the first item of a list and ``[-1]`` its last, ``*``
    (or ``[*]``) is every one of a list or of an object, ``["a name. with dots"]`` a name in quotes.
    Lists of pairs of ``key`` and ``value``, as OTLP writes attributes, are entered by the key.

    Parameters
    ----------
    text
        The path as it is written. What follows no grammar is the name of a column.

    Examples
    --------
    >>> record = {"reply": '{"choices": [{"text": "Yes"}, {"text": "No"}]}', "a.b": 1}
    >>> FieldPath("reply.choices[0].text").cell(record)
    'Yes'
    >>> FieldPath("reply.choices.*.text").cells(record), FieldPath("a.b").cell(record)
    (['Yes', 'No'], 1)
    """

    text: str

    @cached_property
    def steps(self) -> tuple[_Step, ...]:
        """Names, places in lists, and ``*``; a single name if the path leads nowhere inside."""
        steps: list[_Step] = []
        place = 0
        while place < len(self.text):
            found = _STEP.match(self.text, place)
            if found is None or (place == 0 and self.text.startswith(".")):
                return (self.text,)
            name, index, quoted = found.groups()
            if quoted is not None:
                steps.append(re.sub(r"\\(.)", r"\1", quoted))
            elif index is not None:
                steps.append(index if index == _EVERY else int(index))
            else:
                steps.append(name)
            place = found.end()
        return tuple(steps) or (self.text,)

    @property
    def is_nested(self) -> bool:
        """Whether the path can lead inside a column."""
        return len(self.steps) > 1

    def cells(self, record: Mapping[str, Any]) -> list[Any]:
        """Return all cells that the path leads to, without missing ones."""
        if self.text in record:
            cell = record[self.text]
            return [] if cell is None else [cell]
        if self.steps == (self.text,):
            return []
        return list(_found(record, self.steps))

    def cell(self, record: Mapping[str, Any]) -> Any:
        """Return the cell that the path leads to; None if there is none.

        Several texts are the parts of one, and joined by line breaks; several cells of another kind
        are a list.
        """
        if self.text in record:
            return record[self.text]
        found = self.cells(record)
        if len(found) < 2:
            return found[0] if found else None
        return "\n".join(found) if all(isinstance(cell, str) for cell in found) else found

    def is_in(self, record: Mapping[str, Any]) -> bool:
        """Return whether a record has the column, or leads to a cell that is not missing."""
        return self.text in record or bool(self.cells(record))

    def steps_behind(self, column: str) -> tuple[str | int, ...]:
        """Return the steps that lead on from the column that the path begins in.

        Examples
        --------
        >>> FieldPath("attributes.output[0].text").steps_behind("attributes.output")
        (0, 'text')
        """
        ends = range(len(self.steps), 0, -1)
        names = (".".join(map(str, self.steps[:end])) for end in ends)
        end = next(end for end, name in zip(ends, names, strict=True) if name == column)
        return self.steps[end:]

    def column_of(self, names: Sequence[str]) -> str | None:
        """Return the column that the path begins in; None if there is none of these names.

        Examples
        --------
        >>> FieldPath("attributes.output.value").column_of(["attributes", "attributes.output"])
        'attributes.output'
        """
        if self.text in names:
            return self.text
        run = list(itertools.takewhile(lambda step: isinstance(step, str), self.steps))
        starts = (".".join(map(str, run[:end])) for end in range(len(run), 0, -1))
        return next((name for name in starts if name in names), None)


def _found(value: Any, steps: tuple[_Step, ...]) -> Iterator[Any]:
    """Yield what the steps lead to from a value, without missing cells."""
    if not steps:
        if value is not None:
            yield value
        return
    if isinstance(value, str):
        inside = json_inside(value)
        value = python_inside(value) if inside is None else inside
    step = steps[0]
    # Whether a value is a dict is known faster than whether it is another mapping.
    if isinstance(value, (dict, Mapping)):
        if step == _EVERY and _EVERY not in value:
            for inner in value.values():
                yield from _found(inner, steps[1:])
        else:
            yield from _entered(value, steps)
    elif isinstance(value, (list, tuple)):
        yield from _in_list(value, steps)


def _in_list(items: Sequence[Any], steps: tuple[_Step, ...]) -> Iterator[Any]:
    step = steps[0]
    if step == _EVERY:
        for inner in items:
            yield from _found(inner, steps[1:])
    elif isinstance(step, int) or _INDEX.fullmatch(step):
        place = int(step)
        if -len(items) <= place < len(items):
            yield from _found(items[place], steps[1:])
    else:
        pairs = attributes_of(items)
        if pairs is not None:
            yield from _entered(pairs, steps)


def _entered(value: Mapping[str, Any], steps: tuple[_Step, ...]) -> Iterator[Any]:
    """Yield what is found below a name, which may hold dots: the shortest that leads anywhere."""
    for end, name in enumerate(_names(steps), 1):
        if name in value:
            found = list(_found(value[name], steps[end:]))
            if found:
                yield from found
                return


@lru_cache(maxsize=4096)
def _names(steps: tuple[_Step, ...]) -> tuple[str, ...]:
    """Return the names that steps may begin with, the shortest first: a, a.b, a.b.c."""
    names = itertools.takewhile(lambda step: isinstance(step, str), steps)
    return tuple(itertools.accumulate(map(str, names), "{}.{}".format))


_PAIR = {"key", "value"}
# As JSON has them, and by the names of protobuf.
_WHOLE_NUMBERS = ("intValue", "int_value")
_PLAIN = (
    *("stringValue", "boolValue", "doubleValue", "bytesValue"),
    *("string_value", "bool_value", "double_value", "bytes_value"),
)
_LISTS, _OBJECTS = ("arrayValue", "array_value"), ("kvlistValue", "kvlist_value")


def attributes_of(items: Sequence[Any]) -> dict[str, Any] | None:
    """Return a list of pairs of ``key`` and ``value`` as an object; None if it is none.

    Examples
    --------
    >>> attributes_of([{"key": "model", "value": {"stringValue": "m"}}, {"key": "n", "value": 2}])
    {'model': 'm', 'n': 2}
    """
    if not items or not all(isinstance(one, Mapping) and one.keys() >= _PAIR for one in items):
        return None
    return {str(one["key"]): plain_value(one["value"]) for one in items}


def plain_value(value: Any) -> Any:
    """Return a value without the name of its type, which OTLP writes."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return value
    ((kind, inner),) = value.items()
    if kind in _PLAIN:
        return inner
    if kind in _WHOLE_NUMBERS:
        return int(inner) if isinstance(inner, str) and _INDEX.fullmatch(inner) else inner
    held = inner.get("values") if isinstance(inner, Mapping) else None
    if kind in _LISTS and isinstance(held, list):
        return [plain_value(one) for one in held]
    if kind in _OBJECTS and isinstance(held, list):
        return attributes_of(held) or {}
    return value
