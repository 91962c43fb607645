"""A JSON object of symbol: count, read with every fault named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hayflick.core.errors import DataError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.counts import Counts
from hayflick.corpus.encodings import decoded


def read_mapping(path: Path, *, encoding: str = "utf-8", progress: Progress = silent) -> Counts:
    """Return the counts of a file such as ``{"apple": 12, "pear": 3}``.

    Raises
    ------
    DataError
        If it is no JSON object, or names a symbol twice.
    ArgumentError
        If a number is no whole number from 1.
    """
    text = "".join(decoded(path, encoding=encoding, progress=progress))
    try:
        mapping = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as fault:
        raise DataError(f"{path}: line {fault.lineno} is no JSON ({fault.msg})") from None
    except DataError as fault:
        raise DataError(f"{path}: {fault}") from None
    if not isinstance(mapping, dict) or not mapping:
        takes = "an object of symbol: count; for records use JSON lines (.jsonl)"
        raise DataError(f"{path}: takes {takes}")
    return Counts.from_mapping(mapping)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for symbol, number in pairs:
        if symbol in mapping:
            raise DataError(f"names {symbol!r} twice; add its counts up")
        mapping[symbol] = number
    return mapping
