"""Runs of tokens, counted as numbers: how often each occurs, without spelling it.

A run is a whole number, from the numbers of a shorter run and of a token. Sorting such numbers
takes a fraction of the time of grouping a table by several columns of text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import overload

import numpy as np
import polars as pl
from typing_extensions import override

from hayflick.core.arrays import Integers


@dataclass(frozen=True, eq=False)
class Runs:
    """The different n-grams of some answers.

    Parameters
    ----------
    length
        n.
    place, number
        A place where each begins, among all tokens, and how often it occurs.
    """

    length: int
    place: Integers
    number: Integers


def runs_by_part(
    coded: pl.DataFrame, part: Integers, *, parts: int, longest: int, kinds: int
) -> list[list[Runs]]:
    """Count n-grams for n = 1, 2, … in several parts of the answers.

    Parameters
    ----------
    coded
        What `hayflick.diversity.lexical.coded_tokens` returned.
    part
        Number of the part of each answer, ascending.
    parts
        Number of parts; the last ones may have no answer.
    longest
        Largest n.
    kinds
        Number of different tokens.
    """
    tokens, answer = (coded[name].to_numpy().astype(np.int64) for name in ("symbol", "answer"))
    part_of = part[answer]
    run_at = np.zeros(tokens.size, np.int64)
    found: list[list[Runs]] = []
    for length in range(1, longest + 1):
        last = answer[length - 1 :]
        begins = np.flatnonzero(answer[: last.size] == last)
        # The shorter run is of one part already.
        before = part_of if length == 1 else run_at[begins]
        keys = before * kinds + tokens[begins + length - 1]
        order = np.argsort(keys)
        is_new = np.diff(keys[order], prepend=-1) != 0
        run_at[begins[order]] = np.cumsum(is_new) - 1
        starts = np.flatnonzero(is_new)
        place, number = begins[order[starts]], np.diff(starts, append=keys.size)
        ends = np.searchsorted(part_of[place], np.arange(parts + 1))
        found.append(
            [
                Runs(length, place[low:high], number[low:high])
                for low, high in pairwise(ends.tolist())
            ]
        )
    return found


class RunTables(Sequence[pl.DataFrame]):
    """Tables of the n-grams of some answers, which are spelled when they are used.

    Parameters
    ----------
    runs
        The n-grams for n = 1, 2, …
    coded, spelled
        What `hayflick.diversity.lexical.coded_tokens` returned.
    answers
        Numbers of the first of these answers, and of the one after the last.
    """

    def __init__(
        self,
        runs: Sequence[Runs],
        coded: pl.DataFrame,
        spelled: pl.Series,
        answers: tuple[int, int],
    ) -> None:
        self.runs = tuple(runs)
        self._coded, self._spelled, self._answers = coded, spelled, answers

    def words_in(self, places: Integers) -> Integers:
        """Return how often each different token occurs in some of the answers."""
        answer = self._coded["answer"].to_numpy()
        low, high = np.searchsorted(answer, self._answers)
        first, after = self._answers
        chosen = np.zeros(after - first, np.bool_)
        chosen[places] = True
        tokens = self._coded["symbol"].to_numpy()[low:high][chosen[answer[low:high] - first]]
        numbers: Integers = np.unique(tokens, return_counts=True)[1]
        return numbers

    @override
    def __len__(self) -> int:
        return len(self.runs)

    @overload
    def __getitem__(self, place: int) -> pl.DataFrame: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[pl.DataFrame, ...]: ...
    @override
    def __getitem__(self, place: int | slice) -> pl.DataFrame | tuple[pl.DataFrame, ...]:
        if isinstance(place, slice):
            return tuple(self[one] for one in range(*place.indices(len(self))))
        runs = self.runs[place]
        symbols = spelled_runs(self._coded["symbol"], self._spelled, runs.place, length=runs.length)
        return pl.DataFrame({"symbol": symbols, "number": runs.number})


def spelled_runs(
    tokens: pl.Series, spelled: pl.Series, place: Integers, *, length: int
) -> pl.Series:
    """Return runs of tokens, given the places where they begin, with spaces between tokens."""
    words = [spelled.gather(tokens.gather(place + ahead)) for ahead in range(length)]
    return words[0] if length == 1 else pl.select(pl.concat_str(words, separator=" ")).to_series()


def frequent_runs(
    coded: pl.DataFrame, *, texts: int, lengths: Sequence[int], fewest: int
) -> Iterator[tuple[int, Integers, tuple[Integers, Integers]]]:
    """Yield, by length, where the frequent runs of tokens occur first, and each with its answers.

    A run is at most as frequent as the two that are shorter by its first and its last token, so
    longer ones are sought where both are frequent.

    Parameters
    ----------
    coded
        What `hayflick.diversity.lexical.coded_tokens` returned.
    texts
        Number of answers.
    lengths
        Numbers of tokens.
    fewest
        Smallest number of answers in which a frequent run occurs.
    """
    tokens, answer = (coded[name].to_numpy().astype(np.int64) for name in ("symbol", "answer"))
    places, runs = np.arange(tokens.size), tokens
    for length in range(1, max(lengths) + 1):
        if not runs.size:
            return
        pairs = np.sort(runs * texts + answer[places])
        run, who = np.divmod(pairs[np.flatnonzero(np.diff(pairs, prepend=-1))], texts)
        frequent = np.bincount(run) >= fewest
        number = np.cumsum(frequent) - 1
        kept = frequent[runs]
        places, runs = places[kept], number[runs[kept]]
        if length in lengths:
            shown = frequent[run]
            first = places[np.unique(runs, return_index=True)[1]]
            yield length, first, (number[run[shown]], who[shown])
        # Both the run from here and the one from the next token have to be frequent.
        next_runs = np.full(tokens.size + 1, -1)
        next_runs[places] = runs
        following = next_runs[places + 1]
        fits = following >= 0
        fits[fits] = answer[places[fits] + 1] == answer[places[fits]]
        places = places[fits]
        longer = runs[fits] * (int(runs.max(initial=0)) + 1) + following[fits]
        runs = np.unique(longer, return_inverse=True)[1]
