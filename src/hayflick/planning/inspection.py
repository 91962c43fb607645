"""How often to check, where a fault costs more the longer it stays unseen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.planning.cost import CostModel
from hayflick.planning.problem import PlanningProblem
from hayflick.regimes.replace import Replace

_CERTAIN = 1.0 - 1e-12


@dataclass(frozen=True, eq=False)
class Inspection:
    """The answer to "how often to check?".

    Parameters
    ----------
    every
        Rounds from one check to the next.
    cost_per_round
        Of checks and faults at that interval, on average in the long run.
    delay
        Rounds for which a fault stays unseen on average.
    by_interval
        The cost per round of checking every 1, 2, … rounds, shape ``(horizon,)``.
    fault_cost
        The part of `cost_per_round` that unseen faults cost.
    """

    every: int
    cost_per_round: float
    delay: float
    by_interval: Floats
    fault_cost: float

    @property
    def checks_per_round(self) -> float:
        """Checks in an average round."""
        return 1.0 / self.every


def inspection(
    *, check: float, delay: float | Sequence[float] | Floats, horizon: int, faults: float = 1.0
) -> Inspection:
    """Return the interval between checks of the lowest cost, in the long run.

    A fault begins in any round with the same probability and stays until the next check, which
    sees a fault of its own round before that round costs anything. The costs are exact: the sum
    over all rounds in which the fault can have begun.

    Parameters
    ----------
    check
        What a check costs.
    delay
        What a round costs in which a fault is there and unseen: one number, or those of the first,
        second, … such round, the last of which holds for all later ones.
    horizon
        Rounds to come; the longest interval that is looked at.
    faults
        Faults to be expected over the horizon, above 0 and at most one a round.

    Raises
    ------
    ArgumentError
        If a cost is below 0, all are 0, or another argument is out of its range.

    Examples
    --------
    >>> answer = inspection(check=100, delay=40, horizon=50, faults=1)
    >>> answer.every, round(answer.cost_per_round, 2)
    (18, 11.68)

    A fault of which each round costs more than the one before is looked for more often.

    >>> inspection(check=100, delay=range(40, 1000, 20), horizon=50).every
    9
    """
    number_between("check", check, low=0.0)
    rounds = whole_number("horizon", horizon, at_least=1)
    delays = _delays(delay, rounds)
    if check == 0.0 and not delays.any():
        raise ArgumentError("costs", got="all 0", takes="at least one above 0")
    if not 0.0 < faults <= rounds:
        raise ArgumentError("faults", got=faults, takes=f"a number above 0, up to {rounds}")
    return _best(check, delays, min(faults / rounds, _CERTAIN))


def inspection_of(
    curve: Sequence[float] | Floats, *, check: float, loss: float, horizon: int, faults: float = 1.0
) -> Inspection:
    """Return the interval between checks of the lowest cost, where a fault loses what a curve says.

    Parameters
    ----------
    curve
        Share that is left before a fault and after 1, 2, … rounds of it; its last value holds
        for all later ones.
    check, horizon, faults
        As of `inspection`.
    loss
        What it costs where all of the share is missing for one round.

    Raises
    ------
    ArgumentError
        As `inspection`, or if the curve has no value, or one that is not finite.

    Examples
    --------
    >>> left = 0.97 ** np.arange(51)
    >>> answer = inspection_of(left, check=100, loss=200, horizon=50)
    >>> answer.every, round(answer.cost_per_round, 2)
    (15, 10.48)
    """
    left = np.asarray(curve, dtype=np.float64)
    if left.ndim != 1 or not left.size or not np.isfinite(left).all():
        raise ArgumentError("curve", got=curve, takes="shares that are left, one at least")
    number_between("loss", loss, low=0.0)
    missing = np.maximum(left[0] - left[1:], 0.0)
    delays = loss * (missing if missing.size else np.zeros(1))
    return inspection(check=check, delay=delays, horizon=horizon, faults=faults)


def design_inspection(
    problem: PlanningProblem, samples: int, kept: Floats, *, costs: CostModel | None
) -> Inspection | None:
    """Return how often to check that a design still gets its real data.

    One failure is expected over the horizon. From then on rounds are trained on generated data
    alone, and what the design keeps falls by the same factors as what a training set of real data
    holds.

    Parameters
    ----------
    problem, samples
        What is to be kept, and the size of a training set.
    kept
        Share that the design keeps in rounds 0 … K.
    costs
        Prices.

    Returns
    -------
    None without prices of a check and of loss.
    """
    if costs is None or not (costs.check and costs.loss):
        return None
    alone = _left_alone(problem, samples)
    # What one training on real data misses is no fault's doing: the fall is counted from there.
    first = max(float(alone[1]), np.finfo(np.float64).tiny)
    curve = float(np.mean(kept[1:])) * alone[1:] / first
    price = costs.loss * problem.target.total_weight
    return inspection_of(curve, check=costs.check, loss=price, horizon=problem.generations)


@lru_cache(maxsize=64)
def _left_alone(problem: PlanningProblem, samples: int) -> Floats:
    """Return what is left without any real data."""
    return problem.retention(Replace(), samples).expected


def _delays(delay: float | Sequence[float] | Floats, rounds: int) -> Floats:
    """Return what each of the first unseen rounds of a fault costs."""
    given = np.atleast_1d(np.asarray(delay, dtype=np.float64))
    if given.ndim != 1 or not given.size:
        raise ArgumentError("delay", got=delay, takes="a number, or one per unseen round")
    # NaN is the least number that there is.
    number_between("delay", float(given.min()), low=0.0)
    number_between("delay", float(given.max()), low=0.0)
    missing = max(0, rounds - given.size)
    return np.concatenate([given, np.full(missing, given[-1])])[:rounds]


def _best(check: float, delays: Floats, chance: float) -> Inspection:
    """Return the best interval for a fault that begins in a round with this chance."""
    # A fault that begins in round s after a check costs what its first T - s rounds do, D(T - s).
    # The mean over s, L(T), is q D(T - 1) + (1 - q) L(T - 1).
    damage = np.concatenate([[0.0], np.cumsum(delays[:-1])])
    means = accumulate((chance * damage).tolist(), lambda last, new: new + (1.0 - chance) * last)
    intervals = np.arange(1, delays.size + 1)
    lost = np.fromiter(means, np.float64, delays.size) / intervals
    costs = check / intervals + lost
    every = int(np.argmin(costs)) + 1
    begins = chance * np.exp(np.arange(every) * np.log1p(-chance))
    unseen = float(begins @ np.arange(every - 1, -1, -1)) / float(begins.sum())
    return Inspection(every, float(costs[every - 1]), unseen, costs, float(lost[every - 1]))
