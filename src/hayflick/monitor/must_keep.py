"""The words and phrases that a stream must keep, and their weights."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from hashlib import sha256

from hayflick.core.source import Source
from hayflick.corpus.answers import Answers
from hayflick.corpus.frames import input_path
from hayflick.corpus.normalization import normalize_text


def must_keep_weights(
    must_keep: str | os.PathLike[str] | Sequence[str] | Mapping[str, float] | None,
) -> Mapping[str, float]:
    """Return the weights of a list, or of a file: one per line, JSON, or a reserve."""
    if must_keep is None:
        return {}
    if isinstance(must_keep, Mapping):
        return must_keep
    if isinstance(must_keep, (str, os.PathLike)):
        from hayflick.corpus.must_keep import read_must_keep
        from hayflick.corpus.reserves import read_reserve, reserve_header

        path = input_path(must_keep)
        header = reserve_header(path)
        if header is None:
            must_keep = read_must_keep(path)
        else:
            must_keep = read_reserve(path, header=header, like=Source(path.name)).counts.symbols
    return dict.fromkeys(must_keep, 1.0)


def spelled_as(answers: Answers, weights: Mapping[str, float]) -> Mapping[str, float]:
    """Return weights by entries in the spelling of the answers; of equal ones, the largest."""
    how = answers.sources[0].normalization if answers.sources else "nfc"
    spelled: dict[str, float] = {}
    for entry, weight in weights.items():
        name = normalize_text(entry, how)
        spelled[name] = max(weight, spelled.get(name, weight))
    return spelled


def fingerprint(weights: Mapping[str, float]) -> str | None:
    """Return a short hash of a must-keep list; None for an empty one."""
    spelled = "".join(f"{name}\0{weight!r}\0" for name, weight in sorted(weights.items()))
    return f"list {sha256(spelled.encode()).hexdigest()[:12]}" if weights else None
