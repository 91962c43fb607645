"""Acceptance sampling: what the verdicts so far prove of all answers, at every look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from hayflick.core.checks import number_between
from hayflick.core.errors import ArgumentError
from hayflick.monitor.review.compositions import (
    bad_share_interval,
    highest_bad_share,
)
from hayflick.monitor.review.queues import Queue
from hayflick.monitor.review.sequential_bounds import (
    is_above,
    lower_bound,
    upper_bound,
)

_MOST_CHECKS = 1_000_000


class Decision(StrEnum):
    """What a review comes to."""

    ACCEPT = "accept"
    REJECT = "reject"
    GO_ON = "go on"


@dataclass(frozen=True, eq=False)
class Acceptance:
    """What the verdicts so far prove.

    Parameters
    ----------
    limit, error
        Share of bad answers that is acceptable, and the probability with which each bound
        may ever miss the true share.
    checked, bad
        Verdicts so far, and how many were bad.
    share
        Share of bad answers as estimated, each group counted by its size; None before every
        group has a verdict.
    low, high
        Bounds of the share of bad answers in the population.
    more_as_so_far, more_if_none_bad
        How many more checks bring `high` to the limit if they go on as so far, or if none is
        bad; 0 where it is there, None where no number does.
    """

    limit: float
    error: float
    checked: int
    bad: int
    share: float | None
    low: float
    high: float
    more_as_so_far: int | None
    more_if_none_bad: int | None

    @property
    def decision(self) -> Decision:
        """Accept, reject, or go on checking."""
        if self.high <= self.limit:
            return Decision.ACCEPT
        return Decision.REJECT if self.low > self.limit else Decision.GO_ON


def acceptance(queues: Sequence[Queue], *, limit: float, error: float = 0.05) -> Acceptance:
    """Return what the verdicts so far prove; look as often as you like.

    A queue by itself is judged by `hayflick.monitor.review.sequential_bounds`, queues of several
    groups together by `hayflick.monitor.review.compositions`.

    Parameters
    ----------
    queues
        One for a random sample of all answers, or one per group.
    limit
        Share of bad answers that is acceptable, above 0 and below 1.
    error
        Probability with which each bound may ever miss the true share.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or the size of one of several groups is not known.

    Examples
    --------
    >>> half_way = acceptance([Queue([False] * 100, population=5000)], limit=0.03)
    >>> half_way.decision.value, round(half_way.high, 3), half_way.more_if_none_bad
    ('go on', 0.04, 35)

    References
    ----------
    Waudby-Smith & Ramdas, arXiv:2010.09686.
    """
    limit = number_between("limit", limit, low=1e-9, high=1.0 - 1e-9)
    error = number_between("error", error, low=1e-9, high=0.5)
    _check_groups(queues)
    share = _estimate(queues)
    low, high = _bounds(queues, error)

    hopeless = share is not None and share >= limit
    return Acceptance(
        limit=limit,
        error=error,
        checked=sum(queue.checked for queue in queues),
        bad=sum(queue.found for queue in queues),
        share=share,
        low=low,
        high=high,
        more_as_so_far=None if hopeless else _more(queues, limit, error, _share_of),
        more_if_none_bad=_more(queues, limit, error, lambda _: 0.0),
    )


def _estimate(queues: Sequence[Queue]) -> float | None:
    shares = [queue.share for queue in queues]
    known = [share for share in shares if share is not None]
    if len(known) < len(shares):
        return None
    # The size of a single queue does not matter, and may not be known.
    sizes = [queue.population or 1 for queue in queues]
    return float(np.average(known, weights=sizes))


def _share_of(queue: Queue) -> float:
    return queue.share or 0.0


def _more(
    queues: Sequence[Queue], limit: float, error: float, share: Callable[[Queue], float]
) -> int | None:
    """Return how many more checks are enough, of which each queue has a share that is bad."""

    def enough(more: int) -> bool:
        return _is_enough(_continued(queues, more, share), limit, error)

    return _fewest(enough, most=_most_checks(queues, limit))


def _check_groups(queues: Sequence[Queue]) -> None:
    if not queues:
        raise ArgumentError("queues", got="none", takes="at least one queue")
    unknown = [queue.group for queue in queues if queue.population is None]
    if unknown and len(queues) > 1:
        takes = "the number of answers of every group, where there are several"
        raise ArgumentError("population", got=f"None for {unknown[0]!r}", takes=takes)


def _bounds(queues: Sequence[Queue], error: float) -> tuple[float, float]:
    if len(queues) > 1:
        return bad_share_interval(queues, error=error)
    values, size = queues[0].values, queues[0].population
    return (
        lower_bound(values, error=error, population=size),
        upper_bound(values, error=error, population=size),
    )


def _is_enough(queues: Sequence[Queue], limit: float, error: float) -> bool:
    """Return whether the upper bound is at the limit, without looking for the bound."""
    if len(queues) > 1:
        return highest_bad_share(queues, error=error) <= limit
    good, size = 1.0 - queues[0].values, queues[0].population
    return is_above(good, mean=1.0 - limit, error=error, population=size)


def _continued(queues: Sequence[Queue], more: int, share: Callable[[Queue], float]) -> list[Queue]:
    """Return the queues after `more` checks, in proportion to what is left of each group."""
    if len(queues) == 1:
        return [queues[0].continued(more, share=share(queues[0]))]
    left = np.array([int(queue.population or 0) - queue.checked for queue in queues])
    ends = np.floor(np.cumsum(left) * (more / max(int(left.sum()), 1)) + 1e-9).astype(int)
    parts = np.diff(ends, prepend=0)
    return [
        queue.continued(int(part), share=share(queue))
        for queue, part in zip(queues, parts, strict=True)
    ]


def _most_checks(queues: Sequence[Queue], limit: float) -> int:
    """Return how many checks there can be, within reason."""
    sizes = [queue.population for queue in queues]
    if None in sizes:
        return min(_MOST_CHECKS, int(np.ceil(1000.0 / limit)))
    return sum(int(size or 0) for size in sizes) - sum(queue.checked for queue in queues)


def _fewest(enough: Callable[[int], bool], *, most: int) -> int | None:
    """Return the smallest number that is enough, as far as more is never worse."""
    if enough(0):
        return 0
    low, high = 0, min(16, most)
    while not enough(high):
        if high >= most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
