"""Tokenizers by name, and the choice of one by the scripts of a text.

A text is split run by run: what a word is depends on its own script, never on what else is in
the text. Invisible characters are left out beforehand (`hayflick.corpus.normalization.visible`).
"""

from __future__ import annotations

import difflib
import itertools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Any, ClassVar, TypeVar, final

import polars as pl
from typing_extensions import override

from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, MissingExtraError
from hayflick.corpus.normalization import (
    EMOJI,
    INVISIBLE,
    JOINER,
    PICTOGRAPH,
    beyond_ascii,
    replaced,
    visible,
)
from hayflick.corpus.token_tables import SEPARATOR
from hayflick.corpus.token_tables import no_counts as no_counts

CountedT = TypeVar("CountedT")


class Tokenizer(ABC):
    """Splits a column ``text`` into a column ``symbol`` of one token per row.

    Other columns, such as the number of an item, are repeated for each token.
    """

    separators: ClassVar[str] = " \n\t\u3000"
    """Characters after which a long text can be cut without splitting a token."""

    ascii_spelling: ClassVar[bytes | None] = None
    """What each ASCII character becomes in a token, or `SEPARATOR`; tokens are the runs between
    separators. None if they are something else."""

    @property
    @abstractmethod
    def name(self) -> str:
        """Its name, which `tokenizer_named` takes."""

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
        frame = self.tokens(pl.LazyFrame({"text": [text]}))
        return frame.collect().get_column("symbol").to_list()


def matches(text: pl.LazyFrame, pattern: str) -> pl.LazyFrame:
    """Return all matches of a regular expression in visible text, one per row."""
    found = visible(pl.col("text")).str.extract_all(pattern).alias("symbol")
    return text.select(pl.exclude("text"), found).explode("symbol").drop_nulls("symbol")


# The sound marks are shared between scripts, so Unicode assigns them to none.
_KANA = r"\p{Hiragana}\p{Katakana}ーｰ\u3099\u309A"
UNSPACED = (
    rf"\p{{Han}}{_KANA}\p{{Bopomofo}}\p{{Thai}}\p{{Lao}}\p{{Khmer}}\p{{Myanmar}}"
    r"\p{Tibetan}\p{Tai_Tham}\p{New_Tai_Lue}\p{Javanese}\p{Balinese}\p{Yi}"
)
"""Letters of scripts without spaces, for a character class of a regular expression."""

_WORD = r"\w\p{N}"
_SPACED = rf"[[{_WORD}]--[{UNSPACED}]{PICTOGRAPH}]+|{EMOJI}"
_UNSPLIT = rf"[[{_WORD}]--{PICTOGRAPH}]+|{EMOJI}"
_BEYOND_WORDS = rf"{INVISIBLE}{PICTOGRAPH}\u{{20E3}}"
# A keycap is the digit that it shows, a sign of its own.
_KEYCAPS = (r"[0-9]\u{20E3}", " ${0} ")


def words_and(
    text: pl.LazyFrame, pattern: str, *, prepare: Sequence[tuple[str, str]] = ()
) -> pl.LazyFrame:
    """Return words in scripts with spaces and emoji, and matches of a pattern in other scripts.

    Parameters
    ----------
    text
        A column ``text``.
    pattern
        A regular expression for runs of `UNSPACED` letters; it matches nothing else.
    prepare
        What is replaced in texts with such letters before they are split.
    """
    return _words(text, f"{pattern}|{_SPACED}", rare=_BEYOND_WORDS + UNSPACED, prepare=prepare)


def _words(
    text: pl.LazyFrame, pattern: str, *, rare: str, prepare: Sequence[tuple[str, str]]
) -> pl.LazyFrame:
    """Return matches of `pattern` in rows with `rare` characters, plain words in all others."""
    found = pl.col("text").map_batches(
        lambda texts: _found(texts, pattern, rare, prepare),
        return_dtype=pl.List(pl.String),
        is_elementwise=True,
    )
    split = text.select(pl.exclude("text"), found.alias("symbol"))
    return split.explode("symbol").drop_nulls("symbol")


def _found(
    texts: pl.Series, pattern: str, rare: str, prepare: Sequence[tuple[str, str]]
) -> pl.Series:
    column = pl.col("text")
    plain = column.str.to_lowercase().str.extract_all(f"[{_WORD}]+")
    frame = texts.alias("text").to_frame()
    if frame.select(~beyond_ascii(column).any()).item():
        return frame.select(plain).to_series()
    unusual = frame.select(column.str.contains(f"[{rare}]")).to_series()
    if not unusual.any():
        return frame.select(plain).to_series()
    spelled = replaced(visible(column).str.to_lowercase(), (_KEYCAPS, *prepare))
    return frame.select(spelled.str.extract_all(pattern)).to_series()


_ASCII_WORDS = bytes(
    ord(letter.lower()) if letter.isalnum() or letter == "_" else SEPARATOR
    for letter in map(chr, range(128))
)
_ASCII_BLANKS = b" \t\n\r\v\f"


@final
@dataclass(frozen=True)
class Words(Tokenizer):
    """Runs of letters, digits and marks, in lower case, and emoji."""

    ascii_spelling: ClassVar[bytes] = _ASCII_WORDS

    name = "words"

    @override
    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        return _words(text, _UNSPLIT, rare=_BEYOND_WORDS, prepare=())


@final
@dataclass(frozen=True)
class Whitespace(Tokenizer):
    """Runs of characters between whitespace, as written."""

    ascii_spelling: ClassVar[bytes] = bytes(
        SEPARATOR if code in _ASCII_BLANKS else code for code in range(128)
    )

    name = "whitespace"

    @override
    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        return matches(text, r"\S+")


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

    name = "lines"

    @override
    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        return matches(text, r"[^\r\n\s][^\r\n]*[^\r\n\s]|\S")


_JAPANESE = rf"\p{{Han}}{_KANA}"
_KANA_IN_JAPANESE = 0.05


def script_letters(texts: pl.Series) -> pl.DataFrame:
    """Count the letters of every text by script.

    Returns
    -------
    A row per text: ``letters`` of any script, ``unspaced`` ones of scripts without spaces,
    and ``japanese`` ones: Han and kana if there are enough kana, else 0.

    Examples
    --------
    >>> script_letters(pl.Series(["good day", "今日は", "你好"])).rows()
    [(7, 0, 0), (3, 3, 3), (2, 2, 0)]
    """
    text = pl.col("text")

    def count(letters: str) -> pl.Expr:
        return text.str.count_matches(f"[{letters}]").cast(pl.Int64)

    counted = (
        texts.alias("text")
        .to_frame()
        .select(
            count(rf"\p{{L}}{UNSPACED}").alias("letters"),
            count(UNSPACED).alias("unspaced"),
            count(_KANA).alias("kana"),
            count(r"\p{Han}").alias("han"),
        )
    )
    # A Chinese text quotes a kana now and then; a Japanese text is full of them.
    japanese = pl.when(pl.col("kana") > _KANA_IN_JAPANESE * pl.col("han"))
    either = japanese.then(pl.col("kana") + pl.col("han")).otherwise(0)
    return counted.select("letters", "unspaced", either.alias("japanese"))


_LONGEST_RUN = 100


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
        whole_number("characters", self.length, at_least=1, at_most=_LONGEST_RUN)

    @property
    @override
    def name(self) -> str:
        return f"characters:{self.length}"

    @override
    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        runs = matches(text, r"\S+").with_columns(pl.col("symbol").str.replace_all(JOINER, ""))
        return _windows(runs.filter(pl.col("symbol") != ""), self.length)


def _windows(runs: pl.LazyFrame, length: int) -> pl.LazyFrame:
    letters = pl.element()
    window = pl.concat_str([letters.shift(-ahead) for ahead in range(length)])
    windows = pl.col("symbol").str.split("").list.eval(window).list.drop_nulls()
    # A run shorter than a window is a token itself.
    long_enough = pl.col("symbol").str.len_chars() >= length
    tokens = pl.when(long_enough).then(windows).otherwise(pl.concat_list("symbol"))
    return runs.select(pl.exclude("symbol"), tokens.alias("symbol")).explode("symbol")


@final
@dataclass(frozen=True)
class Mixed(Tokenizer):
    """Words and emoji in scripts with spaces, pairs of characters in scripts without.

    Examples
    --------
    >>> Mixed().split("Windows 11の更新")
    ['windows', '11', 'の更', '更新']
    """

    ascii_spelling: ClassVar[bytes] = _ASCII_WORDS

    name = "mixed"

    @override
    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        return words_and(text, f"[{UNSPACED}]{{1,2}}", prepare=_pairs(f"[{UNSPACED}]"))


def _pairs(letter: str) -> Sequence[tuple[str, str]]:
    r"""Return replacements that write the overlapping pairs of every run of letters.

    ``abc`` becomes ``\x01abc\x02``, ``\x01a\x03ab\x03bc\x03c\x02`` and `` ab\x03bc ``.
    """
    return (
        (r"[\x01-\x03]", " "),
        (f"{letter}+", "\x01${0}\x02"),
        (letter, "${0}\x03${0}"),
        # A single letter is a token itself.
        (f"\x01({letter})\x03{letter}\x02", " ${1} "),
        (f"\x01{letter}\x03|\x03{letter}\x02", " "),
    )


# The analyser takes at most 49,149 bytes at once; a character has at most 4.
_ANALYSED_AT_ONCE = 10_000
# One analyser per thread: polars calls from several.
_of_thread = threading.local()


def japanese_installed() -> bool:
    """Return whether the extra ``ja`` is installed."""
    return find_spec("sudachipy") is not None and find_spec("sudachidict_core") is not None


@final
@dataclass(frozen=True)
class Japanese(Tokenizer):
    """Morphemes from a dictionary in runs of kana and Han; elsewhere as `Mixed`.

    Raises
    ------
    MissingExtraError
        If the extra ``ja`` is not installed.
    """

    def __post_init__(self) -> None:
        if not japanese_installed():
            raise MissingExtraError("the japanese tokenizer", extra="ja")

    ascii_spelling: ClassVar[bytes] = _ASCII_WORDS

    name = "japanese"

    @override
    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        other = f"[[{UNSPACED}]--[{_JAPANESE}]]"
        pattern = f"[{_JAPANESE}]+|{other}{{1,2}}"
        runs = words_and(text, pattern, prepare=_pairs(other))
        japanese = pl.col("symbol").str.contains(f"^[{_JAPANESE}]")
        morphemes = (
            pl.when(japanese)
            .then(pl.col("symbol"))
            .map_elements(_morphemes, return_dtype=pl.List(pl.String))
        )
        split = pl.when(japanese).then(morphemes).otherwise(pl.concat_list("symbol"))
        return (
            runs.select(pl.exclude("symbol"), split.alias("symbol"))
            .explode("symbol")
            .drop_nulls("symbol")
        )


def _morphemes(run: str) -> list[str]:
    if not hasattr(_of_thread, "analyser"):
        from sudachipy import SplitMode

        _of_thread.analyser = _dictionary().tokenizer(mode=SplitMode.A)
    surfaces = (
        morpheme.surface()
        for start in range(0, len(run), _ANALYSED_AT_ONCE)
        for morpheme in _of_thread.analyser.tokenize(run[start : start + _ANALYSED_AT_ONCE])
    )
    return [surface for surface in surfaces if any(letter.isalnum() for letter in surface)]


@cache
def _dictionary() -> Any:
    from sudachipy import Dictionary

    return Dictionary()


_JAPANESE_SHARE = 0.5


def tokenizer_for(samples: Iterable[str]) -> Tokenizer:
    """Choose the tokenizer for a text by samples of it.

    Runs of kana and Han are split by the dictionary if at least half of the letters are Japanese
    and the extra ``ja`` is installed, else into pairs. All other runs are split in the same way.

    Examples
    --------
    >>> tokenizer_for(["a plain text, 今天天气很好"]).name
    'mixed'
    """
    by_sample = script_letters(pl.Series(list(samples), dtype=pl.String))
    letters, _, japanese = by_sample.sum().row(0)
    main = japanese > 0 and japanese >= _JAPANESE_SHARE * letters
    return Japanese() if main and japanese_installed() else Mixed()


_SHARE_OF_SAMPLE, _SHARE_OF_ALL = 0.01, 0.0001


def words_suffice(symbols: pl.Series, numbers: pl.Series) -> bool:
    """Return whether at most 1 in 10,000 letters of counted words is of a script without spaces.

    Examples
    --------
    >>> words_suffice(pl.Series(["rain"]), pl.Series([5]))
    True
    >>> words_suffice(pl.Series(["rain", "雨"]), pl.Series([5, 1]))
    False
    """
    if not symbols.str.contains(f"[{UNSPACED}]").any():
        return True
    letters = script_letters(symbols)
    unspaced = int((letters["unspaced"] * numbers).sum())
    return unspaced <= _SHARE_OF_ALL * int((letters["letters"] * numbers).sum())


def split_with(
    name: str,
    samples: Iterable[str],
    count: Callable[[Tokenizer], CountedT],
    *,
    symbols: Callable[[CountedT], tuple[pl.Series, pl.Series]],
) -> tuple[Tokenizer, CountedT]:
    """Count a text with the tokenizer of a name, and return the tokenizer and the counts.

    ``auto`` is `tokenizer_for`, but `Words` if at most 1 in 10,000 letters is of a script without
    spaces: a foreign name then is one symbol. The words of all other scripts are the same.

    Parameters
    ----------
    name
        Name of the tokenizer.
    samples
        Parts of the text.
    count
        Counts the text with a tokenizer.
    symbols
        Returns the counted symbols and their numbers.
    """
    if name != "auto":
        named = tokenizer_named(name)
        return named, count(named)
    parts = list(samples)
    letters, unspaced, _ = script_letters(pl.Series(parts, dtype=pl.String)).sum().row(0)
    if unspaced <= _SHARE_OF_SAMPLE * letters:
        counted = count(Words())
        if words_suffice(*symbols(counted)):
            return Words(), counted
    chosen = tokenizer_for(parts)
    return chosen, count(chosen)


NAMES = ("auto", "words", "whitespace", "lines", "characters:N", "mixed", "japanese")

_SIMPLE: dict[str, type[Tokenizer]] = {
    str(kind.name): kind for kind in (Words, Whitespace, Lines, Mixed, Japanese)
}


def tokenizer_named(name: str) -> Tokenizer:
    """Return the tokenizer of a name other than ``auto``.

    Raises
    ------
    ArgumentError
        If there is no tokenizer of that name; the message suggests the nearest one.
    MissingExtraError
        If the name is ``japanese`` and the extra ``ja`` is not installed.

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


BATCH_CHARACTERS = 1 << 25
"""Size of a batch; memory is bounded by it and by the number of types."""


LONG_TEXT = 1 << 24
"""Characters from which loading compiled code to count ASCII text saves time."""


def count_pieces(pieces: Iterator[str], tokenizer: Tokenizer) -> pl.DataFrame:
    """Return how often each token occurs in running text.

    Parameters
    ----------
    pieces
        The text, cut between tokens.
    tokenizer
        Splits the text.

    Returns
    -------
    Columns ``symbol`` and ``number``, in no order.
    """
    head = next(batches(pieces), [])
    text = itertools.chain(head, pieces)
    if tokenizer.ascii_spelling is None or sum(map(len, head)) < LONG_TEXT:
        return _counted(text, tokenizer)
    from hayflick.corpus.ascii_runs import AsciiRuns

    runs = AsciiRuns(tokenizer.ascii_spelling)
    others = _counted(filter(None, map(runs.add, text)), tokenizer)
    return merged_counts([others, runs.table()])


def _counted(pieces: Iterator[str], tokenizer: Tokenizer) -> pl.DataFrame:
    waiting: list[pl.DataFrame] = []
    for batch in batches(pieces):
        tokens = tokenizer.tokens(pl.LazyFrame({"text": batch}))
        add_table(waiting, count_symbols(tokens))
    return merged_counts(waiting)


def count_symbols(symbols: pl.LazyFrame) -> pl.DataFrame:
    """Return how often each value of a column ``symbol`` occurs, null included."""
    number = pl.len().cast(pl.Int64).alias("number")
    return symbols.group_by("symbol").agg(number).collect(engine="streaming")


def merged_counts(tables: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the sum of tables with columns ``symbol`` and ``number``, symbols unique in each."""
    filled = [table for table in tables if not table.is_empty()]
    if len(filled) < 2:
        return filled[0] if filled else no_counts()
    together = pl.concat(filled).lazy().group_by("symbol").agg(pl.col("number").sum())
    return together.collect()


def add_table(waiting: list[pl.DataFrame], table: pl.DataFrame) -> None:
    """Append a table, and merge all once their size has doubled.

    Every symbol then goes through few merges, and memory is bounded by the number of symbols.
    """
    waiting.append(table)
    if sum(later.height for later in waiting[1:]) > waiting[0].height:
        waiting[:] = [merged_counts(waiting)]


def batches(pieces: Iterator[str]) -> Iterator[list[str]]:
    """Yield pieces of text in lists of about `BATCH_CHARACTERS`."""
    batch: list[str] = []
    size = 0
    for piece in pieces:
        batch.append(piece)
        size += len(piece)
        if size >= BATCH_CHARACTERS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
