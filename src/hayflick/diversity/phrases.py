"""Phrases, the number of answers in which each occurs, and the phrases that have changed.

A phrase is an n-gram of 2 to 5 words, or of characters in a script without spaces. It is counted
once per answer: answers are nearly independent of one another, the words in them are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import polars as pl
from scipy.special import ndtri
from typing_extensions import override

from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between, positive_number, whole_number
from hayflick.core.errors import DataError
from hayflick.corpus import tokenizers as counting
from hayflick.corpus.tokenizers import UNSPACED, Tokenizer, words_and
from hayflick.diversity import lexical as ngrams
from hayflick.diversity.metrics import Summary
from hayflick.diversity.token_runs import frequent_runs, spelled_runs

LENGTHS = (2, 3, 4, 5)

FEWEST = 5
"""Smallest number of answers in which a phrase has to occur, so that its change is tested."""


class _WordsAndLetters(Tokenizer):
    """Words in lower case and emoji; single characters in scripts without spaces."""

    name = "words and letters"

    @override
    def tokens(self, text: pl.LazyFrame) -> pl.LazyFrame:
        return words_and(text, f"[{UNSPACED}]")


@final
@dataclass(frozen=True, eq=False)
class PhraseCounts(Summary):
    """The number of answers in which each phrase occurs.

    Its size grows with the variety of the text: some 30 phrases and 2 KB per short answer that
    is unlike the others. Of more than some 100,000 answers, count a random sample.

    Parameters
    ----------
    texts
        Number of answers.
    table
        Columns ``symbol`` (tokens with spaces between them) and ``number`` of answers.

    Examples
    --------
    >>> counts = PhraseCounts.of(["I am sorry", "I am here, I am"])
    >>> counts.table.filter(pl.col("symbol") == "i am").rows()
    [('i am', 2)]
    """

    texts: int
    table: pl.DataFrame

    @classmethod
    def empty(cls) -> PhraseCounts:
        """Return the counts of no answer."""
        return cls(0, counting.no_counts())

    @classmethod
    def of(cls, texts: Iterable[str]) -> PhraseCounts:
        """Count the phrases of answers in any language, batch by batch.

        Raises
        ------
        ArgumentError
            If `texts` is a single string.
        """
        ngrams.refuse_single_text(texts)
        waiting: list[pl.DataFrame] = []
        number = 0
        for batch in counting.batches(iter(texts)):
            number += len(batch)
            for table in ngrams.count_ngrams(
                batch, tokenizer=_WordsAndLetters(), lengths=LENGTHS, once_per_text=True
            ):
                counting.add_table(waiting, table)
        return cls(number, counting.merged_counts(waiting))

    @classmethod
    def frequent(
        cls, sides: Sequence[Sequence[str]], *, fewest: int = FEWEST
    ) -> tuple[PhraseCounts, ...]:
        """Count the phrases that occur in at least `fewest` of all answers, on each side.

        This takes far less time than counting all phrases, most of which occur once.

        Parameters
        ----------
        sides
            Several sets of answers; all are held in memory at once.
        fewest
            Smallest number of answers, of all sides together.

        Examples
        --------
        >>> sides = [["I am here", "I am"], ["you are here", "I am"]]
        >>> [one.table.rows() for one in PhraseCounts.frequent(sides, fewest=2)]
        [[('i am', 2)], [('i am', 1)]]
        """
        fewest = whole_number("fewest", fewest, at_least=1)
        texts = [text for side in sides for text in side]
        side_of = np.repeat(np.arange(len(sides)), list(map(len, sides)))
        coded, spelled = ngrams.coded_tokens(texts, _WordsAndLetters())
        parts: list[list[pl.DataFrame]] = [[counting.no_counts()] for _ in sides]
        for length, first, pairs in frequent_runs(
            coded, texts=len(texts), lengths=LENGTHS, fewest=fewest
        ):
            symbols = spelled_runs(coded["symbol"], spelled, first, length=length)
            for side, tables in enumerate(parts):
                runs = pairs[0][side_of[pairs[1]] == side]
                number = np.bincount(runs, minlength=first.size)
                table = pl.DataFrame({"symbol": symbols, "number": number.astype(np.int64)})
                tables.append(table.filter(pl.col("number") > 0))
        sizes = map(len, sides)
        return tuple(cls(size, pl.concat(part)) for size, part in zip(sizes, parts, strict=True))

    @override
    def merge(self, other: PhraseCounts) -> PhraseCounts:
        table = counting.merged_counts([self.table, other.table])
        return PhraseCounts(self.texts + other.texts, table)

    @override
    def numbers(self) -> dict[str, float]:
        return {}


def written(phrases: Sequence[str]) -> list[str]:
    """Return phrases in their usual spelling: no spaces within scripts that have none.

    Examples
    --------
    >>> written(["how are you", "今 日 は good"])
    ['how are you', '今日は good']
    """
    between = f"([{UNSPACED}]) ([{UNSPACED}])"
    spelled = pl.Series(phrases, dtype=pl.String)
    # Matches do not overlap, so every other gap is left for the second pass.
    for _ in range(2):
        spelled = spelled.str.replace_all(between, "$1$2")
    return spelled.to_list()


@dataclass(frozen=True, slots=True)
class Template:
    """A phrase whose rate has changed.

    Parameters
    ----------
    phrase
        The words.
    baseline_rate, present_rate
        Share of the answers in which it occurs.
    log_odds
        Log odds ratio δ: above 0 if the phrase has become more frequent.
    low, high
        Confidence interval of δ.
    """

    phrase: str
    baseline_rate: float
    present_rate: float
    log_odds: float
    low: float
    high: float

    @property
    def lost(self) -> bool:
        """Whether it has become rarer."""
        return self.log_odds < 0.0


def templates(
    present: PhraseCounts,
    *,
    baseline: PhraseCounts,
    fewest: int = FEWEST,
    prior: float = 10.0,
    error: float = 0.05,
    most: int | None = 50,
) -> tuple[Template, ...]:
    """Return the phrases whose rate has changed, the most certain first.

    Parameters
    ----------
    present, baseline
        The phrases to test, and those to compare them with.
    fewest
        Smallest number of answers, of both together, in which a phrase has to occur to be tested.
    prior
        Weight a of the common rate as a prior, in answers.
    error
        Probability that any of the intervals misses its log odds ratio.
    most
        Largest number of phrases to return; None for all.

    Returns
    -------
    Phrases whose interval excludes 0, by |δ| / sd. A phrase that occurs only inside a longer one
    is left out.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    DataError
        If one side has no answers.

    Examples
    --------
    >>> before = PhraseCounts.of([f"word{i} is fine" for i in range(200)])
    >>> after = PhraseCounts.of([f"Certainly! Here it is: {i}" for i in range(200)])
    >>> found = templates(after, baseline=before)
    >>> [(one.phrase, one.present_rate) for one in found if not one.lost][:1]
    [('certainly here it is', 1.0)]
    """
    whole_number("fewest", fewest, at_least=1)
    positive_number("prior", prior)
    number_between("error", error, low=1e-12, high=0.5)
    most = None if most is None else whole_number("most", most, at_least=1)
    for name, counts in (("present", present), ("baseline", baseline)):
        if not counts.texts:
            raise DataError(f"{name}: no answers; takes at least one")
    together = _together(present, baseline, fewest=fewest)
    now, before = (together.get_column(side).to_numpy() for side in ("present", "baseline"))
    odds, deviation = _log_odds(now, present.texts, before, baseline.texts, prior=prior)
    # Bonferroni: two tails for each phrase that is tested.
    width = -ndtri(error / (2 * max(1, odds.size))) * deviation
    surest = np.argsort(-np.abs(odds) / deviation, kind="stable")
    changed = surest[(np.abs(odds) > width)[surest]]
    spelled = together.get_column("symbol").gather(changed).to_list()
    whole = _not_parts(spelled, list(zip(now[changed], before[changed], strict=True)))[:most]
    kept = changed[whole]
    columns = (
        *(before[kept] / baseline.texts, now[kept] / present.texts),
        *(odds[kept], (odds - width)[kept], (odds + width)[kept]),
    )
    phrases = written([spelled[at] for at in whole])
    return tuple(
        Template(phrase, *map(float, row)) for phrase, *row in zip(phrases, *columns, strict=True)
    )


def _together(present: PhraseCounts, baseline: PhraseCounts, *, fewest: int) -> pl.DataFrame:
    """Return the phrases of both with their numbers of answers, in alphabetical order.

    A phrase in every answer of both has not changed, and its odds are infinite.
    """
    sides = [
        counts.table.select("symbol", pl.col("number").alias(side))
        for side, counts in (("present", present), ("baseline", baseline))
    ]
    joined = sides[0].join(sides[1], on="symbol", how="full", coalesce=True).fill_null(0)
    number = pl.col("present") + pl.col("baseline")
    everywhere = present.texts + baseline.texts
    return joined.filter(number >= fewest, number < everywhere).sort("symbol")


def _log_odds(
    now: Floats, answers: int, before: Floats, baseline: int, *, prior: float
) -> tuple[Floats, Floats]:
    """Return the log odds ratios δ and their standard deviations."""
    common = prior * (now + before) / (answers + baseline)
    cells = [
        now + common,
        answers - now + prior - common,
        before + common,
        baseline - before + prior - common,
    ]
    odds = np.log(cells[0] / cells[1]) - np.log(cells[2] / cells[3])
    deviation = np.sqrt(sum(1.0 / cell for cell in cells))
    return odds, deviation


def _not_parts(phrases: list[str], numbers: list[tuple[int, int]]) -> list[int]:
    """Return the positions of phrases that are not part of a longer one with equal numbers."""
    longest = sorted(range(len(phrases)), key=lambda place: -len(phrases[place]))
    whole: dict[tuple[int, int], list[int]] = {}
    for place in longest:
        alike = whole.setdefault(numbers[place], [])
        if not any(f" {phrases[place]} " in f" {phrases[longer]} " for longer in alike):
            alike.append(place)
    return sorted(place for places in whole.values() for place in places)
