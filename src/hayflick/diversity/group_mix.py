"""Answers of a round at the baseline's mix of groups, where groups did not answer.

A group that falls silent changes what all answers together are made of: their numbers are then
those of other voices, though no voice has changed. So such a round is measured on as many answers
of each group as keep the mix, and has no reading where a group lacks more than half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from hayflick.core.arrays import Integers

_LEAST_SHARE = 0.5
"""Share of its answers that every group must have, or the round has no reading."""

_CHANCE = 0.01
"""A group lacks answers if so few would come by chance less often than this."""

_TOLERANCE = 0.01
"""Share of the mix that may be lacking."""


@dataclass(frozen=True)
class GroupMix:
    """How much of what they were asked the groups of a baseline answer.

    Parameters
    ----------
    answered
        Share by group; 0 for one that was silent in most rounds, whose answers are in no number of
        all answers together.
    rows
        Number of rows by group that the share is from.
    """

    answered: Mapping[str, float]
    rows: Mapping[str, int]

    @classmethod
    def of(cls, rounds: Iterable[Mapping[str, tuple[int, int]]]) -> GroupMix:
        """Return the mix of a baseline.

        Parameters
        ----------
        rounds
            By group, the number of rows in each round and how many of them hold an answer.

        Examples
        --------
        >>> mix = GroupMix.of([{"a": (4, 4), "b": (4, 0)}, {"a": (4, 3), "b": (4, 0)}])
        >>> dict(mix.answered)
        {'a': 0.875, 'b': 0.0}
        """
        found: dict[str, list[tuple[int, int]]] = {}
        for groups in rounds:
            for group, numbers in groups.items():
                found.setdefault(group, []).append(numbers)
        shares, sizes = {}, {}
        for group, series in found.items():
            # What a group does when it answers: rounds without any are what is to be found.
            speaking = [(rows, answers) for rows, answers in series if answers]
            sizes[group] = sum(rows for rows, _ in speaking)
            answers = sum(answers for _, answers in speaking)
            is_part = 2 * len(speaking) >= len(series)
            shares[group] = answers / sizes[group] if is_part and speaking else 0.0
        return cls(shares, sizes)

    def kept(
        self, groups: Sequence[str], answered: NDArray[np.bool_], *, rng: np.random.Generator
    ) -> Integers | None:
        """Return the positions of the answers that keep the mix.

        Parameters
        ----------
        groups
            The group of every row.
        answered
            Whether it holds an answer.
        rng
            Draws which answers are left out.

        Returns
        -------
        None if no group lacks answers, so that all rows are measured; no position if one lacks so
        many that the round has no reading.

        Examples
        --------
        >>> mix = GroupMix({"a": 1.0, "b": 1.0}, {"a": 90, "b": 90})
        >>> groups = ["a"] * 8 + ["b"] * 8
        >>> answered = np.array([True] * 14 + [False] * 2)
        >>> mix.kept(groups, answered | True, rng=np.random.default_rng(1)) is None
        True
        >>> len(mix.kept(groups, answered, rng=np.random.default_rng(1)))
        12
        """
        if answered.all() and all(self.answered.values()):
            return None
        rows = Counter(groups)
        present = Counter(np.asarray(groups, dtype=object)[answered].tolist())
        known = [group for group in rows if group in self.answered]
        asked = {group: rows[group] * self.answered[group] for group in known}
        share = self._share_kept(rows, present, asked)
        silent = {group for group in known if not self.answered[group] and present[group]}
        if share == 1.0 and not silent:
            return None
        if share == 0.0:
            return np.empty(0, np.int64)
        # A new group has no place in the mix yet; as before, all of it is measured.
        left = {**present}
        for group in asked if share < 1.0 else silent:
            left[group] = round(share * asked[group])
        chosen = []
        for place in rng.permutation(len(groups)).tolist():
            if answered[place] and left.get(groups[place], 0) > 0:
                left[groups[place]] -= 1
                chosen.append(place)
        return np.sort(np.array(chosen, np.int64))

    def _share_kept(
        self, rows: Mapping[str, int], present: Mapping[str, int], asked: Mapping[str, float]
    ) -> float:
        """Return the largest share of every group at which the mix is kept; 0 for none."""
        lacking = [group for group in asked if self._lacks(group, rows[group], present[group])]
        ratios = (present[group] / asked[group] for group in lacking)
        tried = sorted({1.0, *(ratio for ratio in ratios if ratio >= _LEAST_SHARE)}, reverse=True)
        for share in tried:
            short = sum(max(0.0, share * asked[group] - present[group]) for group in lacking)
            if short <= _TOLERANCE * share * sum(asked.values()):
                return share
        return 0.0

    def _lacks(self, group: str, rows: int, answers: int) -> bool:
        """Return whether a group has fewer answers than chance makes of its share."""
        share = self.answered[group]
        if not share or answers >= share * rows:
            return False
        known = self.rows[group]
        # Of a group that has always answered, one miss is no proof of a change.
        return float(bdtr(answers, rows, share * known / (known + 1))) < _CHANCE
