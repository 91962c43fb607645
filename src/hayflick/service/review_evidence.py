"""What the decisions about a stream's answers prove: bounds of the share of bad answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeAlias

from hayflick.monitor.acceptance import Acceptance, Stratum, acceptance
from hayflick.storage.reviews import ReviewedRound

MOST_DECISIONS, MOST_ROUNDS = 200, 40
"""What is judged together: the last decisions, as many rounds of them as have no more than this."""

MOST_CHECKS = 300
"""Further checks up to which it is said how many are still needed."""

LIMIT, ERROR = 0.05, 0.05
"""Share of bad answers that is acceptable, and chance that a bound misses, where none is given."""


_Judged: TypeAlias = tuple[ReviewedRound, tuple[str, ...]]


@dataclass(frozen=True, eq=False, kw_only=True)
class ReviewEvidence:
    """What the decisions about some rounds prove.

    Parameters
    ----------
    first, last
        Names of the first and the last of the rounds.
    rounds
        Number of the rounds that are judged.
    answers
        Number of answers in them.
    unsure
        Number of the decisions that are unsure; they count as bad for the upper bound, and as good
        for the lower one.
    waiting
        Number of decisions that do not count yet, because an answer before them is undecided.
    acceptance
        The bounds, and how many more checks it takes.
    """

    first: str
    last: str
    rounds: int
    answers: int
    unsure: int
    waiting: int
    acceptance: Acceptance


def review_evidence(
    rounds: Sequence[ReviewedRound], *, limit: float = LIMIT, error: float = ERROR
) -> ReviewEvidence | None:
    """Return what the decisions about rounds prove; None before the first decision that counts.

    Of a round, the decisions up to the first undecided answer count: if later ones did, leaving
    out hard cases would make a stream look better than it is.

    Parameters
    ----------
    rounds
        The rounds that answers were drawn from; the last of them are judged.
    limit, error
        See `hayflick.monitor.acceptance.acceptance`.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> states = ("accepted",) * 60
    >>> found = review_evidence([ReviewedRound(round=1, name="1", size=500, states=states)])
    >>> round(found.acceptance.high, 3), found.acceptance.more_if_none_bad
    (0.063, 15)
    """
    return _evidence(tuple(rounds), limit, error)


@lru_cache(maxsize=256)
def _evidence(
    rounds: tuple[ReviewedRound, ...], limit: float, error: float
) -> ReviewEvidence | None:
    judged = [(one, _counted(one)) for one in rounds]
    judged = _last([(one, states) for one, states in judged if states])
    if not judged:
        return None
    unsure = sum(states.count("unsure") for _, states in judged)
    found = acceptance(_strata(judged, unsure=True), limit=limit, error=error, most=MOST_CHECKS)
    if unsure:
        good = acceptance(_strata(judged, unsure=False), limit=limit, error=error, most=0)
        found = replace(found, bad=good.bad, share=good.share, low=good.low)
    decided = sum(state != "pending" for one, _ in judged for state in one.states)
    return ReviewEvidence(
        first=judged[0][0].name,
        last=judged[-1][0].name,
        rounds=len(judged),
        answers=sum(one.size for one, _ in judged),
        unsure=unsure,
        waiting=decided - found.checked,
        acceptance=found,
    )


def _last(judged: list[_Judged]) -> list[_Judged]:
    """Return the last rounds, with at most as many decisions as are judged; at least one round."""
    decisions, taken = 0, 0
    for _, states in reversed(judged[-MOST_ROUNDS:]):
        decisions += len(states)
        if taken and decisions > MOST_DECISIONS:
            break
        taken += 1
    return judged[len(judged) - taken :]


def _counted(one: ReviewedRound) -> tuple[str, ...]:
    ends = one.states.index("pending") if "pending" in one.states else len(one.states)
    return one.states[:ends]


def _strata(judged: Sequence[_Judged], *, unsure: bool) -> list[Stratum]:
    """Return the decisions of each round; those that are unsure are bad, or good."""
    return [
        Stratum(
            [state == "rejected" or (unsure and state == "unsure") for state in states],
            # Never fewer than were checked, whatever was erased since.
            max(one.size, len(states)),
            one.name,
        )
        for one, states in judged
    ]
