"""Counts of words and n-grams: how many different ones are used, and how evenly.

The share of different n-grams among all of them (distinct-n) falls with the amount of text
whoever writes it: compare rounds of equal size, or rarefied counts (`NgramCounts.rarefied`).

References
----------
Li et al., *A Diversity-Promoting Objective Function for Neural Conversation Models*, NAACL
2016 (distinct-n; here over the n-grams, not over the words); Hurlbert, *The Nonconcept of
Species Diversity*, Ecology 52 (1971), equation 14.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain, pairwise
from typing import final

import numpy as np
import polars as pl
from scipy.special import gammaln
from typing_extensions import override

from hayflick.core.arrays import Integers
from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus import tokenizers as counting
from hayflick.corpus.normalization import normalized_expression
from hayflick.corpus.tokenizers import Tokenizer, tokenizer_for, tokenizer_named
from hayflick.diversity.hill import hill_number, shannon_entropy
from hayflick.diversity.metrics import Summary, defined
from hayflick.diversity.token_runs import RunTables, runs_by_part

_SAMPLES = 1000


def chosen_tokenizer(name: str, *, samples: Sequence[str]) -> Tokenizer:
    """Return the tokenizer of a name; ``auto`` chooses one by the first `samples`.

    Raises
    ------
    ArgumentError
        If there is no tokenizer of that name.

    Examples
    --------
    >>> chosen_tokenizer("auto", samples=["今天天气很好"]).name
    'mixed'
    """
    return tokenizer_for(samples[:_SAMPLES]) if name == "auto" else tokenizer_named(name)


def refuse_single_text(texts: Iterable[str]) -> None:
    """Refuse a string in place of a list of them: its letters would be taken for answers.

    Raises
    ------
    ArgumentError
        If `texts` is a string.
    """
    if isinstance(texts, str):
        raise ArgumentError("texts", got="one text", takes="several, in a list")


def count_ngrams(
    texts: Sequence[str],
    *,
    tokenizer: Tokenizer,
    lengths: Iterable[int],
    once_per_text: bool = False,
) -> list[pl.DataFrame]:
    """Return how often each n-gram of texts in NFC occurs, one table per n.

    Parameters
    ----------
    texts
        The answers; no n-gram spans two of them.
    tokenizer
        Splits them; its tokens come in the order of the text.
    lengths
        The values of n.
    once_per_text
        Whether an n-gram counts once per text, however often it occurs there.

    Returns
    -------
    Columns ``symbol`` (tokens with spaces between them) and ``number``, in no order.

    Examples
    --------
    >>> from hayflick.corpus.tokenizers import Words
    >>> [pairs] = count_ngrams(["so so so"], tokenizer=Words(), lengths=[2])
    >>> pairs.rows()
    [('so so', 2)]
    """
    coded, spelled = coded_tokens(texts, tokenizer)
    return pl.collect_all(
        [_counted(coded, spelled, length, once_per_text=once_per_text) for length in lengths]
    )


def coded_tokens(texts: Sequence[str], tokenizer: Tokenizer) -> tuple[pl.DataFrame, pl.Series]:
    """Return the tokens of each answer as positions in the list of all, and that list.

    Columns are ``answer``, the number of the answer, ascending, and ``symbol``.
    """
    numbered = pl.Series("text", texts, dtype=pl.String).to_frame().with_row_index("answer")
    spelled_alike = numbered.lazy().with_columns(normalized_expression(pl.col("text"), "nfc"))
    tokens = tokenizer.tokens(spelled_alike).collect()
    spelled = tokens.get_column("symbol").unique().sort()
    return tokens.with_columns(pl.col("symbol").cast(pl.Enum(spelled)).to_physical()), spelled


def _counted(
    coded: pl.DataFrame,
    spelled: pl.Series,
    length: int,
    *,
    once_per_text: bool = False,
    by: Sequence[str] = (),
) -> pl.LazyFrame:
    """Count n-grams of tokens that are given as positions in `spelled`, by further columns."""
    places = [f"token_{ahead}" for ahead in range(length)]
    runs = coded.lazy().select(
        "answer",
        *by,
        *(pl.col("symbol").shift(-ahead).alias(place) for ahead, place in enumerate(places)),
        (pl.col("answer").shift(1 - length) == pl.col("answer")).alias("inside"),
    )
    runs = runs.filter("inside")
    if once_per_text:
        runs = runs.unique(["answer", *places])
    words = [pl.lit(spelled).gather(pl.col(place)) for place in places]
    counted = runs.group_by(*by, *places).agg(pl.len().cast(pl.Int64).alias("number"))
    return counted.select(*by, pl.concat_str(words, separator=" ").alias("symbol"), "number")


def _by_group(
    parts: Sequence[pl.DataFrame], groups: int
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Return the table of all groups together, and the table of each, from those of batches."""
    if not parts:
        return counting.no_counts(), [counting.no_counts()] * groups
    table = pl.concat(parts) if len(parts) > 1 else parts[0]
    number = pl.col("number").sum()
    if len(parts) > 1:
        table = table.group_by("group", "symbol").agg(number)
    together = table.group_by("symbol").agg(number)
    table = table.sort("group", maintain_order=True)
    ends = np.searchsorted(table["group"].to_numpy(), np.arange(groups + 1))
    counted = table.select("symbol", "number")
    return together, [counted[int(low) : int(high)] for low, high in pairwise(ends)]


class _Vocabulary:
    """Different tokens; a group's few are looked up in a set, in time that is theirs alone."""

    def __init__(self, symbols: pl.Series) -> None:
        self.symbols = symbols

    def __len__(self) -> int:
        return len(self.symbols)

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(self.symbols)


_FEW = 20_000
"""Up to so many tokens, a table is looked up in Python: a query takes longer to begin."""

# n-grams up to this n have a metric of their own.
_LONGEST_METRIC = 3


@final
@dataclass(frozen=True, eq=False)
class NgramCounts(Summary):
    """How often each n-gram of 1, 2, … tokens occurs in some answers.

    Parameters
    ----------
    tokenizer
        Name of the tokenizer that split them.
    tables
        For n = 1, 2, …: columns ``symbol`` (tokens with spaces between them) and ``number``.
    texts
        Number of answers.
    coded
        The tables, if they need not be spelled to know their numbers; None for others.

    Examples
    --------
    >>> counts = NgramCounts.of(["the cat sat", "the cat ran"])
    >>> counts.total(), counts.types(), round(counts.distinct(2), 4)
    (6, 4, 0.75)
    >>> counts.merge(NgramCounts.of(["a dog"])).types()
    6
    """

    tokenizer: str
    tables: Sequence[pl.DataFrame]
    texts: int
    coded: RunTables | None = field(default=None, kw_only=True, repr=False)

    @classmethod
    def empty(cls, *, tokenizer: str = "words", longest: int = 3) -> NgramCounts:
        """Return the counts of no answer."""
        longest = whole_number("longest", longest, at_least=1)
        return cls(tokenizer, (counting.no_counts(),) * longest, 0)

    @classmethod
    def of(cls, texts: Iterable[str], *, tokenizer: str = "words", longest: int = 3) -> NgramCounts:
        """Count answers, batch by batch.

        Parameters
        ----------
        texts
            The answers; no n-gram spans two of them.
        tokenizer
            Name of a tokenizer; ``auto`` chooses one by the scripts of the first answers. Counts
            that are to be merged need the same one.
        longest
            Largest n.

        Raises
        ------
        ArgumentError
            If there is no tokenizer of that name, `longest` is below 1, or `texts` is a single
            string.
        """
        refuse_single_text(texts)
        longest = whole_number("longest", longest, at_least=1)
        parts = counting.batches(iter(texts))
        first = next(parts, [])
        splitter = chosen_tokenizer(tokenizer, samples=first)
        waiting: list[list[pl.DataFrame]] = [[] for _ in range(longest)]
        number = 0
        for batch in chain([first], parts):
            number += len(batch)
            lengths = range(1, longest + 1)
            counted = count_ngrams(batch, tokenizer=splitter, lengths=lengths)
            for place, table in zip(waiting, counted, strict=True):
                counting.add_table(place, table)
        return cls(splitter.name, tuple(map(counting.merged_counts, waiting)), number)

    @classmethod
    def by_group(
        cls, texts: Sequence[str], groups: Sequence[str], *, tokenizer: str, longest: int = 3
    ) -> tuple[NgramCounts, dict[str, NgramCounts]]:
        """Count answers, all together and those of each group, in one go.

        Time grows with the answers, whatever the number of groups.

        Parameters
        ----------
        texts
            The answers; no n-gram spans two of them.
        groups
            The group of each answer.
        tokenizer, longest
            As of `of`.

        Raises
        ------
        ArgumentError
            If there is no tokenizer of that name, or `longest` is below 1.

        Examples
        --------
        >>> whole, parts = NgramCounts.by_group(
        ...     ["a b", "a c"], ["left", "right"], tokenizer="words"
        ... )
        >>> whole.types(), {name: part.types() for name, part in parts.items()}
        (3, {'left': 2, 'right': 2})
        """
        splitter = chosen_tokenizer(tokenizer, samples=list(texts[:_SAMPLES]))
        longest = whole_number("longest", longest, at_least=1)
        named = pl.Series("group", groups, dtype=pl.String)
        names = named.unique().sort()
        codes = named.cast(pl.Enum(names)).to_physical()
        waiting: list[list[pl.DataFrame]] = [[] for _ in range(longest)]
        first = 0
        for batch in counting.batches(iter(texts)):
            coded, spelled = coded_tokens(batch, splitter)
            coded = coded.with_columns(
                group=codes[first : first + len(batch)].gather(coded["answer"])
            )
            lengths = range(1, longest + 1)
            parts = pl.collect_all([_counted(coded, spelled, n, by=["group"]) for n in lengths])
            for place, table in zip(waiting, parts, strict=True):
                place.append(table)
            first += len(batch)
        tables = [_by_group(place, len(names)) for place in waiting]
        sizes = codes.value_counts(name="number").sort("group")["number"].to_list()
        found = {
            name: cls(splitter.name, tuple(table[1][place] for table in tables), size)
            for place, (name, size) in enumerate(zip(names.to_list(), sizes, strict=True))
        }
        return cls(splitter.name, tuple(whole for whole, _ in tables), len(texts)), found

    @classmethod
    def of_each(
        cls, parts: Sequence[Sequence[str]], *, tokenizer: str, longest: int = 3
    ) -> list[NgramCounts]:
        """Count several small sets of answers, such as rounds, in one go.

        Parameters
        ----------
        parts
            The answers of each set; all are held in memory at once.
        tokenizer, longest
            As of `of`; ``auto`` chooses one for all sets.

        Raises
        ------
        ArgumentError
            If there is no tokenizer of that name, or `longest` is below 1.

        Examples
        --------
        >>> first, second = NgramCounts.of_each([["a b", "a c"], ["b"]], tokenizer="words")
        >>> first.types(), second.types()
        (3, 1)
        """
        texts = list(chain.from_iterable(parts))
        splitter = chosen_tokenizer(tokenizer, samples=texts[:_SAMPLES])
        longest = whole_number("longest", longest, at_least=1)
        coded, spelled = coded_tokens(texts, splitter)
        part = np.repeat(np.arange(len(parts)), list(map(len, parts)))
        found = runs_by_part(coded, part, parts=len(parts), longest=longest, kinds=len(spelled))
        ends = np.cumsum([0, *map(len, parts)]).tolist()
        tables = [
            RunTables([each[place] for each in found], coded, spelled, answers)
            for place, answers in enumerate(pairwise(ends))
        ]
        return [
            cls(splitter.name, table, len(answers), coded=table)
            for table, answers in zip(tables, parts, strict=True)
        ]

    @property
    def longest(self) -> int:
        """The largest n that is counted."""
        return len(self.tables)

    @override
    def merge(self, other: NgramCounts) -> NgramCounts:
        if (self.tokenizer, self.longest) != (other.tokenizer, other.longest):
            ours, theirs = ((one.tokenizer, one.longest) for one in (self, other))
            raise DataError(f"counts: of {theirs} after {ours}; count both in the same way")
        tables = tuple(map(counting.merged_counts, zip(self.tables, other.tables, strict=True)))
        return NgramCounts(self.tokenizer, tables, self.texts + other.texts)

    @cached_property
    def _numbers(self) -> tuple[Integers, ...]:
        # Sorted, so that sums over them do not depend on the order of the table.
        if self.coded is not None:
            return tuple(np.sort(runs.number) for runs in self.coded.runs)
        return tuple(np.sort(table.get_column("number").to_numpy()) for table in self.tables)

    def numbers_of(self, length: int = 1) -> Integers:
        """Return how often each different n-gram of `length` tokens occurs, ascending.

        Raises
        ------
        ArgumentError
            If n-grams of that length are not counted.
        """
        place = whole_number("length", length, at_least=1, at_most=self.longest) - 1
        return self._numbers[place]

    @cached_property
    def _symbols(self) -> _Vocabulary:
        return _Vocabulary(self._words.get_column("symbol"))

    @cached_property
    def _rare_by_number(self) -> dict[int, _Vocabulary]:
        return {}

    def _rare(self, at_most: int) -> _Vocabulary:
        """Return the tokens that occur at most so often, which many groups are compared with."""
        if at_most not in self._rare_by_number:
            rare = self._words.filter(pl.col("number") <= at_most)
            self._rare_by_number[at_most] = _Vocabulary(rare.get_column("symbol"))
        return self._rare_by_number[at_most]

    def _among(self, vocabulary: _Vocabulary) -> Integers:
        """Return how often each of those tokens occurs that are in a vocabulary."""
        table = self._words
        if table.height > _FEW:
            table = table.join(vocabulary.symbols.to_frame(), on="symbol", how="semi")
            numbers: Integers = table.get_column("number").to_numpy()
            return numbers
        listed = self._listed_words
        known = np.fromiter(map(vocabulary.names.__contains__, listed), np.bool_, len(listed))
        return table.get_column("number").to_numpy()[known]

    @cached_property
    def _words(self) -> pl.DataFrame:
        return self.tables[0]

    @cached_property
    def _listed_words(self) -> list[str]:
        return self._words.get_column("symbol").to_list()

    def types(self, length: int = 1) -> int:
        """Return the number of different n-grams of `length` tokens."""
        return self.numbers_of(length).size

    def total(self, length: int = 1) -> int:
        """Return the number of n-grams of `length` tokens."""
        return int(self.numbers_of(length).sum())

    def distinct(self, length: int) -> float | None:
        """Return distinct-n, the number of different n-grams over the number of n-grams.

        None if there is no n-gram of that length.
        """
        total = self.total(length)
        return self.types(length) / total if total else None

    @property
    def type_token_ratio(self) -> float | None:
        """Different tokens over tokens; None for no token."""
        return self.distinct(1)

    def hill(self, *, order: float) -> float | None:
        """Return the Hill number of the token frequencies; None for no token."""
        return hill_number(self.numbers_of(1), order=order)

    @property
    def entropy(self) -> float | None:
        """Shannon entropy of the token frequencies, in nats; None for no token."""
        return shannon_entropy(self.numbers_of(1))

    def rarefied(self, tokens: int, *, length: int = 1) -> float | None:
        """Return the expected number of different n-grams in a sample of `tokens` of them.

        The sample is drawn without replacement, which makes answers of different amounts
        comparable. None if fewer than `tokens` were counted.

        Examples
        --------
        >>> round(NgramCounts.of(["a a a b"]).rarefied(2), 4)
        1.5
        """
        size = whole_number("tokens", tokens, at_least=1)
        numbers, times = np.unique(self.numbers_of(length), return_counts=True)
        total = int(numbers @ times)
        if size > total:
            return None
        others = total - numbers
        possible = others >= size
        logs = gammaln(others[possible] + 1) - gammaln(others[possible] - size + 1)
        logs -= gammaln(total + 1) - gammaln(total - size + 1)
        missed = float(times[possible] @ np.exp(logs))
        return float(times.sum()) - missed

    @override
    def numbers(self) -> dict[str, float]:
        numbers = {
            f"distinct_{n}": self.distinct(n)
            for n in range(1, min(self.longest, _LONGEST_METRIC) + 1)
        }
        numbers |= {f"hill_{order}": self.hill(order=order) for order in (0, 1, 2)}
        numbers |= {"type_token_ratio": self.type_token_ratio, "entropy": self.entropy}
        return defined(numbers)


def vocabulary_kept(counts: NgramCounts, baseline: NgramCounts) -> float | None:
    """Return the share of a baseline's different tokens that still occur.

    None if the baseline has no token, or no answer was counted.

    Raises
    ------
    DataError
        If the two were split by different tokenizers.

    Examples
    --------
    >>> vocabulary_kept(NgramCounts.of(["a a b"]), NgramCounts.of(["a b c d"]))
    0.5
    """
    _check_comparable(counts, baseline)
    if not baseline.types() or not counts.texts:
        return None
    return counts._among(baseline._symbols).size / baseline.types()


def tail_mass(counts: NgramCounts, baseline: NgramCounts, *, at_most: int = 1) -> float | None:
    """Return the share of tokens that are rare in the baseline, but occur there.

    Parameters
    ----------
    counts, baseline
        The counts to measure, and the counts to compare them with.
    at_most
        Largest number of times that a rare token occurs in the baseline. Tokens that do not
        occur there are not in its tail.

    Returns
    -------
    A share; None if no token was counted, or the baseline has no rare token.

    Raises
    ------
    ArgumentError
        If `at_most` is below 1.
    DataError
        If the two were split by different tokenizers.

    Examples
    --------
    >>> tail_mass(NgramCounts.of(["a a b new"]), NgramCounts.of(["a a b c"]))
    0.25
    """
    _check_comparable(counts, baseline)
    at_most = whole_number("at_most", at_most, at_least=1)
    rare = baseline._rare(at_most)
    if not len(rare) or not counts.total():
        return None
    return int(counts._among(rare).sum()) / counts.total()


def _check_comparable(counts: NgramCounts, baseline: NgramCounts) -> None:
    if counts.tokenizer != baseline.tokenizer:
        split = f"by {counts.tokenizer}, the baseline by {baseline.tokenizer}"
        raise DataError(f"counts: split {split}; count both in the same way")
