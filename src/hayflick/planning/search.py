"""The smallest whole number that reaches a target, and the cheapest, in few evaluations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

_ROUNDING = 1e-12


def reaches(value: float, target: float) -> bool:
    """Return whether a share reaches its target, up to rounding.

    Examples
    --------
    >>> reaches(1.0 - 1e-15, 1.0)
    True
    """
    return value >= target - _ROUNDING


def smallest(of: Callable[[int], float], *, target: float, low: int, high: int) -> int | None:
    """Return the smallest number from `low` to `high` at which `of`, rising, reaches a target.

    Two steps of linear interpolation, then one of bisection: a smooth function takes a handful of
    evaluations, any other at most three times as many as bisection.

    Parameters
    ----------
    of
        Does not fall as its argument grows.
    target
        The value to reach.
    low, high
        Where to look, both included.

    Returns
    -------
    The number; None if even `high` does not reach the target.

    Examples
    --------
    >>> smallest(lambda number: number**0.5, target=3.0, low=0, high=100)
    9
    """
    below, above = of(low), of(high)
    if reaches(below, target):
        return low
    if not reaches(above, target):
        return None
    turn = 0
    while high - low > 1:
        turn += 1
        guess = (low + high) // 2
        if turn % 3 and above > below:
            part = (target - below) / (above - below)
            # One step further than the line says: the bracket closes from both sides.
            step = (high - low) * part + (1 if turn % 3 == 2 else -1)
            guess = min(max(low + round(step), low + 1), high - 1)
        value = of(guess)
        if reaches(value, target):
            high, above = guess, value
        else:
            low, below = guess, value
    return high


def cheapest(cost: Callable[[int], float], *, low: int, high: int, points: int = 16) -> int:
    """Return the number from `low` to `high` of the lowest cost; of equal costs, the smallest.

    A grid finds the valley, and a golden section its lowest point: exact for a cost with
    one valley, or for at most `points` numbers.

    Examples
    --------
    >>> cheapest(lambda number: (number - 31) ** 2, low=0, high=1000)
    31
    """
    spread = np.geomspace(1, high - low + 1, min(points, high - low + 1))
    grid = np.unique(np.round(spread).astype(np.int64)) - 1 + low
    costs = [cost(int(number)) for number in grid]
    best = int(np.argmin(costs))
    left = int(grid[max(0, best - 1)])
    right = int(grid[min(grid.size - 1, best + 1)])
    return _section(cost, left, right)


def _section(cost: Callable[[int], float], left: int, right: int) -> int:
    known: dict[int, float] = {}

    def at(number: int) -> float:
        if number not in known:
            known[number] = cost(number)
        return known[number]

    while right - left > 4:
        one = left + round(0.382 * (right - left))
        two = right - round(0.382 * (right - left))
        if at(one) <= at(two):
            right = two
        else:
            left = one
    return min(range(left, right + 1), key=lambda number: (at(number), number))
