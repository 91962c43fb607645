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
    first, number
        Where each occurs first, among all tokens, and how often it does.
    """

    length: int
    first: Integers
    number: Integers


def runs_by_part(
    coded: pl.DataFrame, part: Integers, *, longest: int, kinds: int
) -> list[list[Runs]]:
    """Count n-grams for n = 1, 2, … in several parts of the answers.

    Parameters
    ----------
    coded
        What `hayflick.diversity.lexical.coded_tokens` returned.
    part
        Number of the part of each answer, ascending.
    longest
        Largest n.
    kinds
        Number of different tokens.
    """
    tokens, answer = (coded[name].to_numpy().astype(np.int64) for name in ("symbol", "answer"))
    found: list[list[Runs]] = []
    places, runs = np.arange(tokens.size), tokens
    for length in range(1, longest + 1):
        if length > 1:
            after = places + length - 1
            inside = after[after < tokens.size]
            inside = inside[answer[inside] == answer[inside - length + 1]]
            longer = runs[np.searchsorted(places, inside - length + 1)] * kinds + tokens[inside]
            places, runs = inside - length + 1, np.unique(longer, return_inverse=True)[1]
        most = int(runs.max(initial=0)) + 1
        keys = part[answer[places]] * most + runs
        keys, first, number = np.unique(keys, return_index=True, return_counts=True)
        ends = np.searchsorted(keys, most * np.arange(int(part.max(initial=-1)) + 2))
        found.append(
            [
                Runs(length, places[first[low:high]], number[low:high])
                for low, high in pairwise(ends.tolist())
            ]
        )
    return found


class TablesOnUse(Sequence[pl.DataFrame]):
    """Tables of n-grams that are spelled when they are used, as those of long ones seldom are."""

    def __init__(self, runs: Sequence[Runs], tokens: pl.Series, spelled: pl.Series) -> None:
        self._runs, self._tokens, self._spelled = runs, tokens, spelled

    @override
    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, place: int) -> pl.DataFrame: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[pl.DataFrame, ...]: ...
    @override
    def __getitem__(self, place: int | slice) -> pl.DataFrame | tuple[pl.DataFrame, ...]:
        if isinstance(place, slice):
            return tuple(self[one] for one in range(*place.indices(len(self))))
        runs = self._runs[place]
        symbols = spelled_runs(self._tokens, self._spelled, runs.first, length=runs.length)
        return pl.DataFrame({"symbol": symbols, "number": runs.number})


def spelled_runs(
    tokens: pl.Series, spelled: pl.Series, first: Integers, *, length: int
) -> pl.Series:
    """Return runs of tokens, given the places where they begin, with spaces between tokens."""
    words = [spelled.gather(tokens.gather(first + ahead)) for ahead in range(length)]
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
