"""What an item may hold, and how it is read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import numpy as np

from hayflick.core.display_text import display_text
from hayflick.corpus.normalization import normalize_text
from hayflick.corpus.numbers import LARGEST_VALUE
from hayflick.service.problems import Problem
from hayflick.service.redaction import Redact
from hayflick.service.settings import Limits
from hayflick.service.stream_settings import MOST_VALUES, Kind

LONGEST_KEY, LONGEST_BATCH_KEY, LONGEST_NAME = 200, 192, 200
"""Letters of a key; of a whole request's, behind which the place of an item is put; of the name of
a group, a label or a number."""

MOST_LABELS, MOST_COUNTED = 10_000, 1_000_000
"""Labels of an item, and answers that the labels of an item stand for."""

_COMMON = ("key", "time", "group", "prompt", "text", "values")
FIELDS: dict[Kind, tuple[str, ...]] = {
    "answers": _COMMON,
    "vectors": ("vector", *_COMMON),
    "counts": ("counts", "key", "time", "group"),
    "values": _COMMON,
}
"""The fields of an item; the one that it must have is the kind's own."""

_REQUIRED: dict[Kind, str] = {
    "answers": "text",
    "vectors": "vector",
    "counts": "counts",
    "values": "values",
}
_MOST_REPORTED = 20
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
# Seconds since 1970; what is larger was given in thousandths.
_LATEST = 1e11


class Part(NamedTuple):
    """A row of an item: there are several of label counts, one for every label."""

    text: str | None = None
    vector: bytes | None = None
    numbers: str | None = None
    weight: int = 1


class Item(NamedTuple):
    """An item as it was read.

    Parameters
    ----------
    key
        Its key; None for none.
    digest
        Hash of all that the sender gave.
    at
        When it was given; None where the sender says nothing.
    group, prompt
        Its group and prompt.
    names
        Names of its numbers.
    parts
        Its rows.
    """

    key: str | None
    digest: bytes
    at: float | None
    group: str | None
    prompt: str | None
    names: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def weight(self) -> int:
        """Number of answers that it stands for."""
        return sum(one.weight for one in self.parts)


class Items(NamedTuple):
    """The items of a request, and what was changed in them."""

    items: tuple[Item, ...]
    notes: tuple[str, ...]


def read_items(
    records: Sequence[Mapping[str, Any]],
    kind: Kind,
    *,
    limits: Limits,
    batch_key: str | None = None,
    redact: Redact | None = None,
) -> Items:
    """Return the items of a request.

    Parameters
    ----------
    records
        The items as parsed from JSON.
    kind
        What they hold.
    limits
        What they may hold.
    batch_key
        Items without a key have this and their place.
    redact
        Returns what is stored of a text or a prompt.

    Raises
    ------
    Problem
        422 if one cannot be taken, with the first of them; 413 if there are too many.
    """
    if not records:
        raise Problem(422, "the request holds no item")
    if len(records) > limits.items:
        raise Problem(413, f"got {len(records):,} items, takes at most {limits.items:,} at once")
    if batch_key is not None:
        batch_key = _read_batch_key(batch_key)
    reader = _Reader(kind, limits, redact)
    items: list[Item] = []
    refused: list[dict[str, Any]] = []
    for number, record in enumerate(records):
        try:
            item = reader.item(record)
            if item.key is None and batch_key is not None:
                # With more or fewer items, the request is another one.
                digest = _hashed(item.digest + b"%d" % len(records))
                item = item._replace(key=f"{batch_key}:{number}", digest=digest)
            items.append(item)
        except ValueError as fault:
            refused.append({"item": number, "detail": str(fault)})
            if len(refused) == _MOST_REPORTED:
                break
    if refused:
        first = refused[0]
        detail = f"item {first['item']}: {first['detail']}; nothing of this request was kept"
        raise Problem(422, detail, items=refused)
    return Items(tuple(items), reader.notes())


class _Reader:
    """Reads items of a kind; raises ValueError with what is wrong with one."""

    def __init__(self, kind: Kind, limits: Limits, redact: Redact | None) -> None:
        self._kind, self._limits, self._redact = kind, limits, redact
        self._known = frozenset(FIELDS[kind])
        self._replaced = 0

    def item(self, record: Any) -> Item:
        """Return an item."""
        if not isinstance(record, Mapping):
            raise ValueError(f"got {_shown(record)}, takes an object")
        if not record.keys() <= self._known:
            unknown = next(one for one in record if one not in self._known)
            takes = ", ".join(FIELDS[self._kind])
            raise ValueError(f"there is no field {_quoted(unknown)}; the fields are {takes}")
        required = _REQUIRED[self._kind]
        if record.get(required) is None:
            raise ValueError(f"{required}: is missing")
        given = {name: value for name, value in record.items() if name != "key"}
        numbers = _read_numbers(record.get("values"))
        if self._kind == "counts":
            parts = tuple(_read_counts(record["counts"]))
        else:
            part = Part(
                text=self._text(record.get("text"), "text"),
                vector=self._vector(record.get("vector")),
                numbers=json.dumps(numbers) if numbers else None,
            )
            parts = (part,)
        key = record.get("key")
        return Item(
            key=None if key is None else _name(key, "key", LONGEST_KEY),
            digest=_hashed(json.dumps(given, sort_keys=True).encode()),
            at=_read_time(record.get("time")),
            group=read_group(record.get("group")),
            prompt=self._text(record.get("prompt"), "prompt"),
            names=tuple(numbers),
            parts=parts,
        )

    def notes(self) -> tuple[str, ...]:
        """Return what was changed in the items that were read."""
        if not self._replaced:
            return ()
        what = "held NUL or half of a character (a lone surrogate), stored as U+FFFD"
        texts = "1 text" if self._replaced == 1 else f"{self._replaced} texts"
        return (f"{texts} {what}",)

    def _text(self, given: Any, field: str) -> str | None:
        if given is None:
            return None
        if not isinstance(given, str):
            raise ValueError(f"{field}: got {_shown(given)}, takes a string")
        text, most = given, self._limits.text
        if len(text) > most:
            raise ValueError(f"{field}: got {len(text):,} characters, takes at most {most:,}")
        if self._redact is not None:
            text = self._redact(text)
        if _UNSTORABLE.search(text):
            self._replaced += 1
            text = _UNSTORABLE.sub(_REPLACEMENT, text)
        return text

    def _vector(self, vector: Any) -> bytes | None:
        if vector is None:
            return None
        most = self._limits.vector
        if not isinstance(vector, list | tuple) or not 0 < len(vector) <= most:
            size = f"{len(vector):,} numbers" if isinstance(vector, list) else _shown(vector)
            raise ValueError(f"vector: got {size}, takes a list of 1 to {most:,} numbers")
        if not all(type(one) in (int, float) for one in vector):
            wrong = next(one for one in vector if type(one) not in (int, float))
            raise ValueError(f"vector: got {_shown(wrong)}, takes numbers")
        with np.errstate(over="ignore"):
            numbers = np.array(vector, np.float64).astype("<f4")
        if not np.isfinite(numbers).all():
            raise ValueError("vector: takes finite numbers of 32 bits")
        return numbers.tobytes()


def _read_time(time: Any) -> float | None:
    """Return seconds since 1970."""
    if time is None:
        return None
    takes = "seconds since 1970, or ISO 8601 with an offset such as 2026-11-29T10:00:00Z"
    fault = ValueError(f"time: got {_shown(time)}, takes {takes}")
    if isinstance(time, str):
        try:
            found = datetime.fromisoformat(time[:64])
            offset = found.utcoffset()
            seconds = found.timestamp() if offset is not None else -1.0
        except (ValueError, OverflowError):
            raise fault from None
    elif type(time) in (int, float):
        seconds = float(time)
    else:
        raise fault
    if not 0.0 <= seconds < _LATEST:
        raise fault
    return seconds


def _read_numbers(values: Any) -> dict[str, float]:
    if values is None:
        return {}
    if not isinstance(values, Mapping) or not 0 < len(values) <= MOST_VALUES:
        got = f"{len(values):,} numbers" if isinstance(values, Mapping) else _shown(values)
        raise ValueError(f"values: got {got}, takes 1 to {MOST_VALUES} numbers by name")
    numbers: dict[str, float] = {}
    for given, value in values.items():
        name = _name(given, "values", LONGEST_NAME)
        if type(value) not in (int, float) or not abs(value) <= LARGEST_VALUE:
            takes = f"a number, of at most {LARGEST_VALUE:g}"
            raise ValueError(f"values: {display_text(name)}: got {_shown(value)}, takes {takes}")
        numbers[name] = float(value)
    return numbers


def _read_counts(counts: Any) -> list[Part]:
    if not isinstance(counts, Mapping) or not 0 < len(counts) <= MOST_LABELS:
        got = f"{len(counts):,} labels" if isinstance(counts, Mapping) else _shown(counts)
        raise ValueError(f"counts: got {got}, takes counts of 1 to {MOST_LABELS:,} labels")
    parts: list[Part] = []
    total = 0
    for label in sorted(counts):
        count = counts[label]
        name = _name(label, "counts", LONGEST_NAME)
        if type(count) is not int or count < 0:
            takes = "a whole number of at least 0"
            raise ValueError(f"counts: {display_text(name)}: got {_shown(count)}, takes {takes}")
        total += count
        if count:
            parts.append(Part(text=name, weight=count))
    if not 0 < total <= MOST_COUNTED:
        raise ValueError(f"counts: got {total:,} in all, takes 1 to {MOST_COUNTED:,}")
    return parts


def read_group(group: Any) -> str | None:
    """Return the name of a group as it is stored; None for none.

    Raises
    ------
    ValueError
        If it cannot be one.
    """
    if group is None:
        return None
    # Groups are told apart as `watch` tells them apart.
    name = normalize_text(_name(group, "group", LONGEST_NAME, least=0), "nfc")
    return name or None


def _read_batch_key(key: str) -> str:
    try:
        return _name(key, "Idempotency-Key", LONGEST_BATCH_KEY)
    except ValueError as fault:
        raise Problem(422, str(fault)) from None


def _name(given: Any, field: str, most: int, *, least: int = 1) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{field}: got {_shown(given)}, takes a string")
    name: str = given
    if not least <= len(name) <= most:
        raise ValueError(f"{field}: got {len(name):,} characters, takes {least} to {most}")
    if _CONTROL.search(name):
        takes = "characters that can be seen: no control character, no half of a character"
        raise ValueError(f"{field}: got {_quoted(name)}, takes {takes}")
    return name


def _hashed(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()


def _quoted(text: Any) -> str:
    return repr(display_text(str(text), longest=60))


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int | float):
        return f"{value!r:.40}"
    return "a list" if isinstance(value, list) else "an object"
