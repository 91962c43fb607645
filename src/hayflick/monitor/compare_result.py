"""The result of a comparison of two sets of answers: which numbers differ, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hayflick.core.checks import as_float
from hayflick.core.display import Result
from hayflick.core.errors import ArgumentError
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.diversity.phrases import Template
from hayflick.monitor.comparison import Difference, Unmeasured


class ComparisonVerdict(StrEnum):
    """What a comparison says."""

    IDENTICAL = "identical"
    SIMILAR = "no difference found"
    LOSS = "less diverse"
    GAIN = "more diverse"
    DIFFERENT = "different"


DIVERSITY = ("effective_words", "effective_answers", "spread", "between_prompts")
"""The numbers that a loss of diversity lowers."""


@dataclass(frozen=True, kw_only=True)
class ComparedSide:
    """One of the two sets of answers.

    Parameters
    ----------
    name
        Name of the file.
    answers, empty_answers
        Answers that were read, and those of them that are empty, which are left out.
    compared
        Answers that the numbers are measured on.
    words_per_answer
        Mean number of words of an answer; None without texts.
    other_prompts
        Prompts that the other set has not; their answers are left out.
    unmatched_answers
        Number of answers to such prompts.
    typical
        The answers nearest to the mean of all.
    """

    name: str
    answers: int
    empty_answers: int
    compared: int
    words_per_answer: float | None
    other_prompts: tuple[str, ...]
    unmatched_answers: int
    typical: tuple[str, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison(Result):
    """How two sets of answers differ.

    Parameters
    ----------
    old, new
        The two sets.
    differences
        The numbers that both have, with simultaneous intervals.
    unmeasured
        Numbers that cannot be compared, with the reason.
    confidence
        Probability with which all intervals hold.
    is_identical
        Whether the same answers are in both.
    prompts
        Number of prompts that both have; None without prompts.
    draws_prompts
        Whether the intervals are about prompts like these, not about these prompts alone.
    common_answers, common_words
        The common size at which both are measured; no words without texts.
    was_sampled
        Whether only some of the answers were measured, as there are so many.
    phrases
        Phrases whose rate differs, the most certain first.
    sources
        What was read.
    settings, seed
        What reproduces the result.
    """

    old: ComparedSide
    new: ComparedSide
    differences: tuple[Difference, ...]
    unmeasured: tuple[Unmeasured, ...]
    confidence: float
    is_identical: bool
    prompts: int | None
    draws_prompts: bool
    common_answers: int
    common_words: int | None
    was_sampled: bool
    phrases: tuple[Template, ...]
    sources: tuple[Source, ...] = ()
    settings: Mapping[str, Any]
    seed: int

    @property
    def verdict(self) -> ComparisonVerdict:
        """What the numbers say together."""
        if self.is_identical:
            return ComparisonVerdict.IDENTICAL
        moved = [one for one in self.differences if one.differs]
        if not moved:
            return ComparisonVerdict.SIMILAR
        fell = [one.fell for one in moved if one.metric in DIVERSITY]
        if not fell or (any(fell) and not all(fell)):
            return ComparisonVerdict.DIFFERENT
        return ComparisonVerdict.LOSS if fell[0] else ComparisonVerdict.GAIN

    def below(self, share: float) -> tuple[Difference, ...]:
        """Return the numbers that fell, beyond chance, to less than a share of the old ones.

        These have a ratio below `share` and an interval below 1: where nothing changed, any is
        returned with a probability of at most 1 - confidence, whatever the number of answers.

        Raises
        ------
        ArgumentError
            If the share is not above 0 and at most 1.
        """
        share = checked_share(share)
        return tuple(
            one
            for one in self.differences
            if one.ratio is not None and one.ratio < share and one.fell
        )

    def undecided(self, share: float) -> tuple[Difference, ...]:
        """Return the numbers that may be below a share of the old ones, though none is shown to be.

        Their intervals reach below `share`; more answers would decide.

        Raises
        ------
        ArgumentError
            If the share is not above 0 and at most 1.
        """
        failed = self.below(share)
        if share == 1.0:
            return ()
        return tuple(
            one
            for one in self.differences
            if one.ratio is not None and one.low < share and one not in failed
        )

    def provenance(self) -> dict[str, Any]:
        """Return the record that reproduces the result."""
        return provenance(self.settings, seed=self.seed)


def checked_share(share: float, *, argument: str = "fail_below") -> float:
    """Return a share that numbers must not fall below, as a float; `argument` is for the message.

    Raises
    ------
    ArgumentError
        If it is not above 0 and at most 1.
    """
    number = as_float(share)
    if not 0.0 < number <= 1.0:
        takes = "a share of the old number, above 0 and at most 1, such as 0.9"
        raise ArgumentError(argument, got=share, takes=takes)
    return number
