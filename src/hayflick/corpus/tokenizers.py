r"""Text to tokens, by name; the name is recorded in every result.

==================  =================================================================
``words``           runs of letters, digits and marks, in lower case (``\w+``)
``whitespace``      what stands between whitespace, as written
``lines``           whole lines, without the whitespace around them
``characters:N``    overlapping runs of N characters inside what stands between whitespace
``mixed``           ``words`` where a script has spaces, ``characters:2`` where it has none
``japanese``        morphemes by SudachiPy (short units), in lower case, no punctuation
``auto``            ``words``, or where letters of scripts without spaces occur ``japanese``
                    (if most letters are Japanese and the extra is installed) or ``mixed``
==================  =================================================================

The classes of Unicode are those of UTS #18 (marks belong to words, as Hindi needs) with
all numbers added, so ``½`` is a token as it is to Python's ``re``.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar, final

import polars as pl

from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError
from hayflick.corpus.morphemes import japanese_installed, japanese_morphemes
from hayflick.corpus.scripts import UNSPACED, script_shares

WORD = r"\w\p{N}"
NAMES = ("auto", "words", "whitespace", "lines", "characters:N", "mixed", "japanese")

# Below these shares of letters, words in another script are names and quotations.
_UNSPACED_SHARE = 0.001
_JAPANESE_SHARE = 0.5


class Tokenizer(ABC):
    """Turns a column ``text`` into a column ``symbol`` of one token per row."""

    separators: ClassVar[str] = " \n\t\u3000"
    """Characters behind which a long text can be cut without cutting a token."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that makes it again."""

    @abstractmethod
    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return the tokens of every row, in any order."""

    def split(self, text: str) -> list[str]:
        """Return the tokens of one text.

        Examples
        --------
        >>> Words().split("Time flies!")
        ['time', 'flies']
        """
        frame = self.tokens(pl.LazyFrame({"text": [text]})).drop_nulls()
        return frame.collect().get_column("symbol").to_list()


@final
@dataclass(frozen=True)
class Words(Tokenizer):
    """Runs of letters, digits and marks, in lower case."""

    @property
    def name(self) -> str:
        """The name that makes it again."""
        return "words"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return the words of every row."""
        return _matches(text, f"[{WORD}]+", lower=True)


@final
@dataclass(frozen=True)
class Whitespace(Tokenizer):
    """What stands between whitespace, as written."""

    @property
    def name(self) -> str:
        """The name that makes it again."""
        return "whitespace"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return what stands between whitespace."""
        return _matches(text, r"\S+", lower=False)


@final
@dataclass(frozen=True)
class Lines(Tokenizer):
    r"""Whole lines, without the whitespace around them: one label per line.

    Examples
    --------
    >>> Lines().split("cats and dogs\n\n fish ")
    ['cats and dogs', 'fish']
    """

    separators: ClassVar[str] = "\n"

    @property
    def name(self) -> str:
        """The name that makes it again."""
        return "lines"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return the lines of every row."""
        return _matches(text, r"[^\r\n\s][^\r\n]*[^\r\n\s]|\S", lower=False)


@final
@dataclass(frozen=True)
class Characters(Tokenizer):
    """Overlapping runs of `length` characters; a shorter run is one token.

    Examples
    --------
    >>> Characters(length=2).split("東京都 へ")
    ['東京', '京都', 'へ']
    """

    length: int

    def __post_init__(self) -> None:
        whole_number("characters", self.length, at_least=1)

    @property
    def name(self) -> str:
        """The name that makes it again."""
        return f"characters:{self.length}"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return the overlapping runs of characters of every row."""
        return _windows(_matches(text, r"\S+", lower=False), self.length)


@final
@dataclass(frozen=True)
class Mixed(Tokenizer):
    """Words where a script has spaces, pairs of characters where it has none.

    Examples
    --------
    >>> Mixed().split("Windows 11の更新")
    ['windows', '11', 'の更', '更新']
    """

    @property
    def name(self) -> str:
        """The name that makes it again."""
        return "mixed"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return words and pairs of characters of every row."""
        pattern = f"[{UNSPACED}]+|[[{WORD}]--[{UNSPACED}]]+"
        runs = _matches(text, pattern, lower=True)
        return _windows(runs, 2, where=pl.col("symbol").str.contains(f"^[{UNSPACED}]"))


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
        japanese_morphemes("")

    @property
    def name(self) -> str:
        """The name that makes it again."""
        return "japanese"

    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        """Return the morphemes of every row."""
        morphemes = pl.col("text").map_elements(japanese_morphemes, return_dtype=pl.List(pl.String))
        return text.select(morphemes.alias("symbol")).explode("symbol").drop_nulls()


_SIMPLE: dict[str, Callable[[], Tokenizer]] = {
    "words": Words,
    "whitespace": Whitespace,
    "lines": Lines,
    "mixed": Mixed,
    "japanese": Japanese,
}


def tokenizer_named(name: str, *, sample: Iterable[str] = ()) -> Tokenizer:
    """Return the tokenizer of a name.

    Parameters
    ----------
    name
        One of the names at the top of this module.
    sample
        Text that ``auto`` decides on.

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
    >>> tokenizer_named("auto", sample=["a plain text"]).name
    'words'
    """
    if name == "auto":
        return _by_script(sample)
    if name in _SIMPLE:
        return _SIMPLE[name]()
    kind, colon, length = name.partition(":")
    if kind == "characters" and length.isascii() and length.isdigit():
        return Characters(length=int(length))
    near = difflib.get_close_matches(kind, [known.partition(":")[0] for known in NAMES], n=1)
    remedy = f"did you mean {near[0]}?" if near and not colon else ""
    takes = f"one of {', '.join(NAMES)}"
    raise ArgumentError("tokenizer", got=name, takes=takes, remedy=remedy)


def _by_script(sample: Iterable[str]) -> Tokenizer:
    shares = script_shares(sample)
    if shares.unspaced < _UNSPACED_SHARE:
        return Words()
    if shares.japanese >= _JAPANESE_SHARE and japanese_installed():
        return Japanese()
    return Mixed()


def _matches(text: pl.LazyFrame, pattern: str, *, lower: bool) -> pl.LazyFrame:
    column = pl.col("text").str.to_lowercase() if lower else pl.col("text")
    found = column.str.extract_all(pattern).alias("symbol")
    return text.select(found).explode("symbol").drop_nulls()


def _windows(runs: pl.LazyFrame, length: int, *, where: pl.Expr | None = None) -> pl.LazyFrame:
    letters = pl.element()
    window = pl.concat_str([letters.shift(-ahead) for ahead in range(length)])
    windows = pl.col("symbol").str.split("").list.eval(window).list.drop_nulls()
    # A run shorter than a window has none: it stands for itself.
    long_enough = pl.col("symbol").str.len_chars() >= length
    cut = long_enough if where is None else long_enough & where
    tokens = pl.when(cut).then(windows).otherwise(pl.concat_list("symbol"))
    return runs.select(tokens.alias("symbol")).explode("symbol")
