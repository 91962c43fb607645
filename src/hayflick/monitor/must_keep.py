"""The words and phrases that a stream must keep, and their weights."""

from __future__ import annotations

import os
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, cast

from hayflick.core.source import Source
from hayflick.corpus.answers import Answers
from hayflick.corpus.frames import holds_counts, input_path
from hayflick.corpus.normalization import normalize_text

if TYPE_CHECKING:
    from hayflick.corpus.must_keep import MustKeep


def must_keep_weights(
    must_keep: MustKeep | None, *, encoding: str = "utf-8"
) -> tuple[Mapping[str, float], tuple[Source, ...]]:
    """Return the weights of a list or of a reserve's file, and the file that it was.

    The encoding is that of `hayflick.corpus.must_keep.read_must_keep`.
    """
    if must_keep is None or (isinstance(must_keep, (list, tuple)) and not must_keep):
        return {}, ()
    from hayflick.corpus.must_keep import MustKeepList

    if isinstance(must_keep, (str, os.PathLike)):
        from hayflick.corpus.reserves import read_reserve, reserve_header

        path = input_path(must_keep)
        header = reserve_header(path)
        if header is not None:
            held = read_reserve(path, header=header, like=Source(path.name)).counts.symbols
            return dict.fromkeys(held, 1.0), Source.files(("must-keep list", path))
    elif isinstance(must_keep, Mapping) and holds_counts(must_keep):
        return cast(Mapping[str, float], must_keep), ()
    listed = MustKeepList.of(must_keep, encoding=encoding).without_at_least("watch")
    return listed.by_symbol, listed.sources


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
