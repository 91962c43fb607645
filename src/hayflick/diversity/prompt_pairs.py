"""Pairs of answers to different prompts, at a mix of prompts that is the same in every round.

Pairs within a prompt are blind to a stream in which every prompt gets the same answer; pairs
between prompts see it. Which prompts are paired, and how often, is drawn once from the baseline:
otherwise a round with other prompts would look like a change of the answers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from hayflick.diversity.pairs import Pairs

_LEAST_SHARE = 0.9
"""Share of the mix that a round must have, or it has no reading."""


@dataclass(frozen=True)
class PromptMix:
    """Which prompts are paired, and how often.

    Parameters
    ----------
    prompts
        The prompts that every round of the baseline has.
    pairs
        Positions of two different prompts, one entry per pair of answers; a prompt is in at most
        as many as the baseline's rounds have answers to it.
    """

    prompts: tuple[Hashable, ...]
    pairs: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, rounds: Sequence[Sequence[Hashable]], *, rng: np.random.Generator) -> PromptMix:
        """Return the mix of a baseline.

        Every prompt is paired with each of the others in turn, as in a round-robin tournament.

        Parameters
        ----------
        rounds
            The prompt of every answer, round by round.
        rng
            Draws the order of the prompts.

        Examples
        --------
        >>> mix = PromptMix.of([["a", "b", "c", "d"]] * 2, rng=np.random.default_rng(1))
        >>> len(mix.prompts), len(mix.pairs)
        (4, 2)
        """
        counts = [Counter(prompts) for prompts in rounds]
        fewest = {
            prompt: min(count[prompt] for count in counts)
            for prompt in (counts[0] if counts else ())
        }
        known = [prompt for prompt, number in fewest.items() if number]
        prompts = tuple(known[place] for place in rng.permutation(len(known)))
        left = [fewest[prompt] for prompt in prompts]
        pairs: list[tuple[int, int]] = []
        for matching in _tournament(len(prompts)) * max(left, default=0):
            for one, other in matching:
                if left[one] and left[other]:
                    pairs.append((one, other))
                    left[one] -= 1
                    left[other] -= 1
            if sum(map(bool, left)) < 2:
                break
        return cls(prompts, tuple(pairs))

    def matched(self, prompts: Sequence[Hashable], *, rng: np.random.Generator) -> Pairs | None:
        """Return disjoint pairs of a round's answers, at this mix.

        Parameters
        ----------
        prompts
            The prompt of every answer.
        rng
            Draws which answer to a prompt is in which pair.

        Returns
        -------
        The pairs; None if the mix has no pair, or the round lacks more than a tenth of it.

        Examples
        --------
        >>> mix = PromptMix(("a", "b"), ((0, 1), (0, 1)))
        >>> found = mix.matched(["a", "b", "b", "a", "c"], rng=np.random.default_rng(1))
        >>> sorted(zip(found.first.tolist(), found.second.tolist())), found.unpaired
        ([(0, 1), (3, 2)], 1)
        """
        waiting: list[list[int]] = [[] for _ in self.prompts]
        places = {prompt: place for place, prompt in enumerate(self.prompts)}
        for answer in rng.permutation(len(prompts)).tolist():
            place = places.get(prompts[answer])
            if place is not None:
                waiting[place].append(answer)
        found = [
            (waiting[one].pop(), waiting[other].pop())
            for one, other in self.pairs
            if waiting[one] and waiting[other]
        ]
        if not found or len(found) < _LEAST_SHARE * len(self.pairs):
            return None
        first, second = np.array(found, dtype=np.int64).T
        return Pairs(first, second, len(prompts) - 2 * len(found))


def _tournament(players: int) -> list[list[tuple[int, int]]]:
    """Return the matchings of a round-robin tournament, in which every two meet once."""
    circle = list(range(players + players % 2))
    matchings = []
    for _ in range(len(circle) - 1):
        halves = zip(circle[: len(circle) // 2], reversed(circle[len(circle) // 2 :]), strict=True)
        matchings.append([pair for pair in halves if max(pair) < players])
        circle[1:] = [circle[-1], *circle[1:-1]]
    return matchings
