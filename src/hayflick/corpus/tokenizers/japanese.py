"""Japanese morphemes through SudachiPy, loaded on first use (extra ``ja``)."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, final

import polars as pl

from hayflick.core.errors import MissingExtraError
from hayflick.corpus.tokenizers.base import Tokenizer

# The analyser refuses more than 49,149 bytes at once; a character has at most 4.
_LONGEST_SENTENCE = 10_000
_SENTENCE = re.compile(r"[^。！？\n]+[。！？\n]*|[。！？\n]+")

# An analyser belongs to one thread, and polars calls us from several.
_of_thread = threading.local()


def japanese_installed() -> bool:
    """Return whether the extra ``ja`` is installed."""
    return find_spec("sudachipy") is not None and find_spec("sudachidict_core") is not None


@final
@dataclass(frozen=True)
class Japanese(Tokenizer):
    """Morphemes by a dictionary, in lower case, punctuation left out.

    Raises
    ------
    MissingExtraError
        If the extra ``ja`` is not installed.
    """

    def __post_init__(self) -> None:
        if not japanese_installed():
            raise MissingExtraError("the japanese tokenizer", extra="ja")

    @property
    def name(self) -> str:
        """The name that makes it again."""
        return "japanese"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return the morphemes of every row."""
        morphemes = pl.col("text").map_elements(_morphemes, return_dtype=pl.List(pl.String))
        split = text.select(pl.exclude("text"), morphemes.alias("symbol"))
        return split.explode("symbol").drop_nulls("symbol")


def _morphemes(text: str) -> list[str]:
    analyser = _analyser()
    surfaces = (
        morpheme.surface().lower()
        for sentence in _sentences(text)
        for morpheme in analyser.tokenize(sentence)
    )
    return [surface for surface in surfaces if any(letter.isalnum() for letter in surface)]


def _analyser() -> Any:
    if not hasattr(_of_thread, "analyser"):
        from sudachipy import SplitMode

        _of_thread.analyser = _dictionary().tokenizer(mode=SplitMode.A)
    return _of_thread.analyser


@cache
def _dictionary() -> Any:
    from sudachipy import Dictionary

    return Dictionary()


def _sentences(text: str) -> Iterator[str]:
    for match in _SENTENCE.finditer(text):
        sentence = match.group()
        for start in range(0, len(sentence), _LONGEST_SENTENCE):
            yield sentence[start : start + _LONGEST_SENTENCE]
