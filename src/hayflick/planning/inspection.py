r"""How often to look: a check costs money, and so does a fault that nobody has seen yet.

A fault comes with chance p in any round, and costs d for every round until the next check,
one in j rounds. Of the rounds between two checks, round i begins with a fault already there
with chance 1 - (1 - p)^i, so a round costs on average

.. math:: C(j) = c/j + (d/j) \sum_{i=1}^{j-1} (1 - (1-p)^i)

Exact for this model; close to its minimum at j = √(2c / (p d)) where p is small.

References
----------
Duncan, *The economic design of X-bar charts used to maintain current control of a process*,
JASA 51 (1956), 228-242.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import ArgumentError


@dataclass(frozen=True, eq=False)
class Inspection:
    """The answer to "how often to look?".

    Parameters
    ----------
    every
        Rounds from one check to the next.
    cost_per_round
        Of checks and delays at that interval.
    delay
        Rounds for which a fault stays unseen, on average.
    by_interval
        The cost per round of looking every 1, 2, … rounds, shape ``(horizon,)``.
    """

    every: int
    cost_per_round: float
    delay: float
    by_interval: Floats


def inspection(*, check: float, delay: float, horizon: int, faults: float = 1.0) -> Inspection:
    """Return the interval between checks of the lowest cost.

    Parameters
    ----------
    check
        What a check costs.
    delay
        What a round costs in which a fault is there and unseen.
    horizon
        Rounds to come; the longest interval that is looked at.
    faults
        Faults to be expected over the horizon, above 0 and at most one a round.

    Raises
    ------
    ArgumentError
        If a cost is below 0, both are 0, or another argument is out of its range.

    Examples
    --------
    >>> answer = inspection(check=100, delay=40, horizon=50, faults=1)
    >>> answer.every, round(answer.cost_per_round, 2)
    (18, 11.68)
    """
    number_between("check", check, low=0.0)
    number_between("delay", delay, low=0.0)
    rounds = whole_number("horizon", horizon, at_least=1)
    if check == delay == 0.0:
        raise ArgumentError("costs", got="all 0", takes="at least one above 0")
    if not 0.0 < faults <= rounds:
        raise ArgumentError("faults", got=faults, takes=f"a number above 0, up to {rounds}")
    there = -np.expm1(np.arange(rounds) * np.log1p(-min(faults / rounds, 1.0 - 1e-12)))
    intervals = np.arange(1, rounds + 1)
    unseen = np.cumsum(there) / intervals
    costs = check / intervals + delay * unseen
    best = int(np.argmin(costs))
    per_fault = float(unseen[best] / (faults / rounds))
    return Inspection(best + 1, float(costs[best]), per_fault, costs)
