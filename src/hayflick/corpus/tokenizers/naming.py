"""Tokenizers by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from hayflick.core.errors import ArgumentError
from hayflick.corpus.tokenizers.base import Tokenizer
from hayflick.corpus.tokenizers.characters import Characters, Mixed
from hayflick.corpus.tokenizers.japanese import Japanese
from hayflick.corpus.tokenizers.words import Lines, Whitespace, Words

NAMES = ("auto", "words", "whitespace", "lines", "characters:N", "mixed", "japanese")

_SIMPLE: dict[str, Callable[[], Tokenizer]] = {
    "words": Words,
    "whitespace": Whitespace,
    "lines": Lines,
    "mixed": Mixed,
    "japanese": Japanese,
}


def tokenizer_named(name: str) -> Tokenizer:
    """Return the tokenizer of a name; ``auto`` is none, it chooses one.

    Raises
    ------
    ArgumentError
        If there is no tokenizer of that name; the nearest one is offered.
    MissingExtraError
        If ``japanese`` is asked for and the extra ``ja`` is not installed.

    Examples
    --------
    >>> tokenizer_named("characters:3").name
    'characters:3'
    """
    if name in _SIMPLE:
        return _SIMPLE[name]()
    kind, colon, length = name.partition(":")
    if kind == "characters" and length.isascii() and length.isdigit():
        return Characters(length=int(length))
    near = difflib.get_close_matches(kind, [known.partition(":")[0] for known in NAMES], n=1)
    remedy = f"did you mean {near[0]}?" if near and not colon else ""
    takes = f"one of {', '.join(NAMES)}"
    raise ArgumentError("tokenizer", got=name, takes=takes, remedy=remedy)
