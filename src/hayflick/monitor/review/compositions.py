r"""The share of bad answers of a finite population of which groups were checked in part.

A composition says how many answers of each group are bad, M_g of N_g. Against it one bets on
every verdict that the answer is good, with one bet c for all groups:

    K_c(M) = Π_i (1 + c (x_i / m_i − 1)),   x = 1 for a good answer, 0 for a bad one,

where m_i is the share of good answers in what is left of the group before the i-th draw from it.
For the true composition K_c is a non-negative martingale that starts at 1, whichever group the
next answer is taken from, as long as that does not depend on answers not yet seen. So w_c K_c
ever reaches 1/error with probability at most w_c · error, and with weights that add up to 1,
compositions with w_c K_c(M) ≥ 1/error for some c are refused. Exact, and valid at every look.

log K_c is a sum of convex functions of the M_g, and each bad answer counts the same in the total
Σ M_g. So its largest value is found step by step, taking the cheapest bad answer next. Where
groups are sampled in proportion, the worst composition is an even one, and the bound is about
that of a sample that was never divided.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import number_between
from hayflick.core.errors import ArgumentError
from hayflick.monitor.review.queues import Queue

# Best where the share found is so much below the one that is refused, from nothing to 85% of it.
_ON_GOOD = {1.0: 0.25, 0.85: 0.15, 0.7: 0.15, 0.5: 0.15, 0.3: 0.15, 0.15: 0.15}
# Bad answers are rare, so a bet on them pays many times what it costs.
_ON_BAD = dict.fromkeys((0.5, 0.25, 0.12, 0.06, 0.03, 0.015, 0.007, 0.0035), 0.125)
_FINEST = 5000
_FIRST_REACH = 64


def bad_share_interval(queues: Sequence[Queue], *, error: float) -> tuple[float, float]:
    """Return bounds of the share of bad answers in all groups together.

    Parameters
    ----------
    queues
        What was checked of each group, whose size is known.
    error
        Probability with which each bound may ever miss the share.

    Raises
    ------
    ArgumentError
        If there is no group, the size of one is not known, or `error` is out of its range.

    Examples
    --------
    >>> groups = [Queue([False] * 30, population=1000) for _ in range(10)]
    >>> low, high = bad_share_interval(groups, error=0.05)
    >>> low, round(high, 4)
    (0.0, 0.0142)
    >>> bad_share_interval([Queue([True, False, False, True], population=4)], error=0.05)
    (0.5, 0.5)

    References
    ----------
    Waudby-Smith & Ramdas, "Estimating means of bounded random variables by betting",
    arXiv:2010.09686, section 5; the union over compositions is that of stratified audits,
    Stark, "ALPHA: audit that learns from previously hand-audited ballots", arXiv:2201.02707.
    """
    high = highest_bad_share(queues, error=error)
    sizes = [_size(queue) for queue in queues]
    good = [~np.asarray(queue.bad, dtype=bool) for queue in queues]
    total = sum(sizes)
    return (total - _most(good, sizes, error, bets=_ON_BAD)) / total, high


def highest_bad_share(queues: Sequence[Queue], *, error: float) -> float:
    """Return the upper one of the bounds of `bad_share_interval`, and raise what it does."""
    if not queues:
        raise ArgumentError("queues", got="none", takes="at least one queue")
    error = number_between("error", error, low=1e-12, high=1.0)
    sizes = [_size(queue) for queue in queues]
    bad = [np.asarray(queue.bad, dtype=bool) for queue in queues]
    return _most(bad, sizes, error, bets=_ON_GOOD) / sum(sizes)


def _size(queue: Queue) -> int:
    if queue.population is None:
        takes = "the number of answers of every group"
        raise ArgumentError("population", got=f"None for {queue.group!r}", takes=takes)
    return queue.population


def _most(
    bad: Sequence[NDArray[np.bool_]],
    sizes: Sequence[int],
    error: float,
    *,
    bets: Mapping[float, float],
) -> int:
    """Return the largest Σ M_g of a composition that no bet refuses; bets have weights."""
    pairs = list(zip(bad, sizes, strict=True))
    least = sum(int(verdicts.sum()) for verdicts, _ in pairs)
    most = least + sum(size - verdicts.size for verdicts, size in pairs)
    for bet, weight in bets.items():
        if bet == 1.0 and least:
            # A bad answer has taken all that was bet.
            continue
        lost = least * np.log1p(-bet) if least else 0.0
        spent = sum(float(_gains(verdicts, size, bet, np.zeros(1))[0]) for verdicts, size in pairs)
        left = -np.log(error * weight) - lost - spent
        steps = np.concatenate([_steps(verdicts, size, bet, left) for verdicts, size in pairs])
        taken = int(np.searchsorted(np.cumsum(np.sort(steps)), left))
        most = min(most, least + taken)
    return most


def _steps(bad: NDArray[np.bool_], size: int, bet: float, left: float) -> Floats:
    """Return what each further bad answer of a group adds to log K, as far as `left` reaches.

    Of large groups the answers are taken some at once, and each is said to add what those just
    before it did, which is never too much.
    """
    most, at_once = size - bad.size, -(-size // _FINEST)
    reach = min(_FIRST_REACH * at_once, most)
    while reach < most:
        ends = _gains(bad, size, bet, np.array([0.0, reach]))
        if ends[1] - ends[0] > left:
            break
        reach = min(2 * reach, most)
    places = np.append(np.arange(0, reach, at_once), reach)
    counts = np.diff(places)
    added: Floats = np.diff(_gains(bad, size, bet, places.astype(float)))
    if at_once == 1:
        return added
    return np.repeat(np.append(0.0, (added / counts)[:-1]), counts)


def _gains(bad: NDArray[np.bool_], size: int, bet: float, more: Floats) -> Floats:
    """Return the sum of log (1 + c (1/m − 1)) over the good answers of a group.

    `more` are bad answers beyond those that were found, shape ``(compositions,)``.
    """
    before: Integers = np.cumsum(bad) - bad
    places = np.flatnonzero(~bad)
    found = int(bad.sum())
    gains = np.zeros(more.size)
    # In parts, so that a long queue of a large group needs no large table.
    for part in np.array_split(places, 1 + places.size * more.size // 2_000_000):
        left_bad = found - before[part][:, None] + more
        share = 1.0 - left_bad / (size - part)[:, None]
        gains += np.log((1.0 - bet) + bet / share).sum(axis=0)
    return gains
