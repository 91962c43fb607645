"""Japanese morphemes through SudachiPy, loaded on first use (extra ``ja``)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.util import find_spec
from typing import Any

from hayflick.core.errors import MissingExtraError

# The analyser refuses more than 49,149 bytes at once; a character has at most 4.
_LONGEST_SENTENCE = 10_000
_SENTENCE = re.compile(r"[^。！？\n]+[。！？\n]*|[。！？\n]+")


def japanese_installed() -> bool:
    """Return whether the extra ``ja`` is installed."""
    return find_spec("sudachipy") is not None and find_spec("sudachidict_core") is not None


def japanese_morphemes(text: str) -> list[str]:
    """Return the morphemes of a text in short units and lower case, without punctuation.

    Raises
    ------
    MissingExtraError
        If the extra ``ja`` is not installed.
    """
    analyser = _analyser()
    surfaces = (
        morpheme.surface().lower()
        for sentence in _sentences(text)
        for morpheme in analyser.tokenize(sentence)
    )
    return [surface for surface in surfaces if any(letter.isalnum() for letter in surface)]


@cache
def _analyser() -> Any:
    if not japanese_installed():
        raise MissingExtraError("the japanese tokenizer", extra="ja")
    from sudachipy import Dictionary, SplitMode

    return Dictionary().tokenizer(mode=SplitMode.A)


def _sentences(text: str) -> Iterator[str]:
    for match in _SENTENCE.finditer(text):
        sentence = match.group()
        for start in range(0, len(sentence), _LONGEST_SENTENCE):
            yield sentence[start : start + _LONGEST_SENTENCE]
