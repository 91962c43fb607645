"""Must-keep lists: symbols that must not be lost, one per line or as a JSON list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.corpus.encodings import decoded
from hayflick.corpus.normalization import normalize_text
from hayflick.corpus.reading import Corpus
from hayflick.corpus.tables import is_table
from hayflick.corpus.tokenizers import tokenizer_named


def read_must_keep(path: Path, *, encoding: str = "utf-8") -> tuple[str, ...]:
    """Return the entries of a list, each once: lines of a text, or a JSON list (``.json``).

    Raises
    ------
    DataError
        If the file cannot be read, is not a list of texts, or is empty.
    """
    if is_table(path):
        takes = "takes a text with one symbol per line, or a JSON list (.json)"
        raise DataError(f"{path}: is a table, whose header would be a symbol; {takes}")
    text = "".join(decoded(path, encoding=encoding))
    entries = text.split("\n")
    if path.suffix.lower() == ".json":
        try:
            entries = json.loads(text)
        except json.JSONDecodeError as fault:
            raise DataError(f"{path}: line {fault.lineno} is no JSON ({fault.msg})") from None
        if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
            raise DataError(f'{path}: takes a list of texts, such as ["refund", "legal"]')
    named = tuple(dict.fromkeys(filter(None, (entry.strip() for entry in entries))))
    if not named:
        raise DataError(f"{path}: names nothing; give one symbol per line, or a JSON list")
    return named


def must_keep_places(entries: Sequence[str], *, corpus: Corpus) -> list[int]:
    """Return the positions of listed symbols in the data's counts, ascending.

    Entries are normalized as the data were. One that is not a symbol itself is tokenized as they
    were too: ``Tokyo`` becomes ``tokyo`` if words are counted in lower case.

    Parameters
    ----------
    entries
        The list.
    corpus
        The data's counts and source.

    Raises
    ------
    ArgumentError
        If the list is empty.
    DataError
        If some are not in the data; the message names up to ten.

    Examples
    --------
    >>> from hayflick.corpus.counts import Counts
    >>> from hayflick.core.source import Source
    >>> counts = Counts.from_mapping({"tokyo": 2, "rain": 3})
    >>> must_keep_places(["Tokyo"], corpus=Corpus(counts, Source("a.txt", tokenizer="words")))
    [1]
    """
    if not entries:
        raise ArgumentError("must_keep", got="no symbol", takes="at least one, or None for all")
    places = {symbol: place for place, symbol in enumerate(corpus.counts.symbols)}
    spelled = [normalize_text(entry, corpus.source.normalization) for entry in entries]
    as_data = _split(tuple(entry for entry in spelled if entry not in places), corpus)
    found = [places.get(as_data.get(entry, entry)) for entry in spelled]
    missing = [entry for entry, place in zip(entries, found, strict=True) if place is None]
    if missing:
        fault = f"must-keep: {corpus.source.name} lacks: {listed(missing)}"
        raise DataError(f"{fault}; take them off the list, or check their spelling")
    return sorted({place for place in found if place is not None})


def _split(entries: tuple[str, ...], corpus: Corpus) -> dict[str, str]:
    """Return the symbol of each entry that is a single token."""
    if corpus.source.tokenizer is None or not entries:
        return {}
    texts = pl.LazyFrame({"entry": entries, "text": entries})
    tokens = tokenizer_named(corpus.source.tokenizer).tokens(texts)
    single = tokens.group_by("entry").agg(pl.col("symbol")).filter(pl.col("symbol").list.len() == 1)
    return {entry: symbols[0] for entry, symbols in single.collect().iter_rows()}
