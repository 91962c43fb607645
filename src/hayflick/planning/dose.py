r"""The dose: how much real data, from which reading on, so that a target is held.

No real data is used while enough is left. The share that is left is measured after every round,
and below a limit the next round gets a dose of fresh items.

*The limit.* Acting one round too late breaks the target, so a reading at the limit must leave
room for one more round without real data. Of the states that a chain comes to with a share of
fresh data, the limit is the lowest reading from which the next unaided round is expected to be
at the target; with the margin on top, as far as healthy readings (those of training on real
data alone) stay above it but for a chance of `false_alarms`. Of few types, a reading below the
limit can be a miss already: of four, all of which are to be kept, the first loss is one. Then
every round gets the dose.

*The dose* is the smallest number of fresh items a round that is expected to hold the target
and a margin over the horizon, from the first reading below the limit on. The margin is for
chance: it is what the smallest share of fresh data that holds the target in a share
`confidence` of runs is expected to keep above it. How many types a run keeps follows from the
law of their counts (`hayflick.planning.confidence`), a bound on the chance to fall short in
any round, which is safe. For a diversity or types of unequal weight no such law is known, and
there is no margin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats
from hayflick.core.checks import number_between
from hayflick.core.errors import DataError
from hayflick.core.protocols import Regime
from hayflick.laws.branching import Branching
from hayflick.laws.rounds import rounds_of
from hayflick.planning.assurance import DEFAULT_CONFIDENCE
from hayflick.planning.confidence import required
from hayflick.planning.problem import ElapsedRounds, PlanningProblem, check_target, planning_problem
from hayflick.planning.retention import Retention
from hayflick.planning.search import smallest
from hayflick.planning.targets import DIVERSITY, SymbolTarget
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace


@dataclass(frozen=True, eq=False, kw_only=True)
class ThresholdPolicy:
    """Below which reading real data is used, and how much.

    Parameters
    ----------
    problem, keep
        What is kept: target, horizon, size; the target.
    margin
        What the dose keeps above the target, for chance; 0 if there is no room for it.
    limit
        The share left below which the next round gets the dose; 1 if every round needs it.
    dose
        Fresh items in such a round.
    unaided
        Rounds without real data from the start, up to the first reading below the limit.
    next_unaided
        What one more round without real data is expected to leave at the limit.
    fixed
        Fresh items that hold target and margin if every round gets as many.
    healthy, spread
        Expected share and standard deviation of training on real data alone.
    retention
        What is expected, round by round, from the first dose on.
    """

    problem: PlanningProblem
    keep: float
    margin: float
    limit: float
    dose: int
    unaided: int
    next_unaided: float
    fixed: int
    healthy: float
    spread: float
    retention: Retention

    @property
    def target(self) -> SymbolTarget:
        """What is kept."""
        return symbol_target(self.problem)

    @property
    def always(self) -> bool:
        """Whether every reading leads to a dose: no state leaves room for an unaided round."""
        return self.limit >= 1.0

    @property
    def false_alarms(self) -> float:
        """Probability that a healthy reading is below the limit, by the normal law."""
        if self.spread == 0.0:
            return float(self.healthy < self.limit)
        return float(ndtr((self.limit - self.healthy) / self.spread))

    @property
    def below(self) -> float:
        """The limit of a rule: above every reading where every reading leads to a dose."""
        return _ABOVE_ALL if self.always else self.limit

    @property
    def share(self) -> float:
        """The dose as a share of a training set."""
        return self.dose / self.problem.samples


def threshold_policy(
    model: Discrete | SymbolTarget,
    *,
    keep: float,
    generations: int,
    samples: int | None = None,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    law: str = "auto",
    confidence: float = DEFAULT_CONFIDENCE,
    false_alarms: float = 0.001,
) -> ThresholdPolicy:
    """Return limit and dose of the rule that holds a target with the fewest real items.

    Parameters
    ----------
    model
        The real data's law, or a target.
    keep
        Share that is to be left in every round, above 0, up to 1.
    generations, samples, must_keep, law
        As of `hayflick.planning.problem.planning_problem`.
    confidence
        Share of runs that are to be at the target in all rounds, above 0 and below 1.
    false_alarms
        Chance that a healthy reading may be below the limit, above 0 and below 1.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If fresh data cannot hold the target at all.

    Examples
    --------
    >>> words = Discrete.from_counts({f"w{place}": 1 + 600 // place for place in range(1, 400)})
    >>> found = threshold_policy(words, keep=0.7, generations=20)
    >>> found.dose, round(found.limit, 3), found.unaided
    (370, 0.825, 3)
    """
    keep = check_target(keep)
    low, high = 1e-6, 1.0 - 1e-6
    confidence = number_between("confidence", confidence, low=low, high=high)
    rate = number_between("false_alarms", false_alarms, low=low, high=high)
    problem = planning_problem(
        model, generations=generations, samples=samples, must_keep=must_keep, law=law
    )
    symbol_target(problem)
    alone = problem.retention(Fresh(1.0), problem.samples)
    if alone.lowest < keep:
        raise DataError(
            f"keep: fresh data alone keep {alone.lowest:.1%} at most, and so does any rule;"
            f" takes a target up to that, more samples, or a reserve (hayflick reserve)"
        )
    deviation = spread(problem, Fresh(1.0))
    fixed, margin = _fixed(problem, keep, confidence)
    healthy = alone.lowest + float(ndtri(rate)) * deviation
    limit, left = _limit(problem, keep, margin, healthy)
    unaided = _unaided(problem, limit)
    dose = fixed if limit >= 1.0 else _dose(problem, keep + margin, unaided)
    return ThresholdPolicy(
        problem=problem,
        keep=keep,
        margin=margin,
        limit=limit,
        dose=dose,
        unaided=unaided,
        next_unaided=left,
        fixed=fixed,
        healthy=alone.lowest,
        spread=deviation,
        retention=_onward(problem, dose, unaided),
    )


def spread(problem: PlanningProblem, regime: Regime) -> float:
    """Return the standard deviation of what is left in the last round; 0 for diversity."""
    target = symbol_target(problem)
    if target.kind == DIVERSITY:
        return 0.0
    rounds = rounds_of(
        target.model, regime=regime, samples=problem.samples, generations=problem.generations
    )
    there = Branching.of(rounds).present(target.groups.probabilities)[:, -1]
    variance = float(target.groups.numbers @ (target.groups.weights**2 * there * (1.0 - there)))
    return math.sqrt(variance) / target.total_weight


_ABOVE_ALL = 1.001
"""A limit that every share is below."""


def symbol_target(problem: PlanningProblem) -> SymbolTarget:
    """Return the target of a problem for symbols.

    Raises
    ------
    DataError
        If the problem is one for numbers.
    """
    if not isinstance(problem.target, SymbolTarget):
        raise DataError("rules: take a plan for symbols or their diversity, not for numbers")
    return problem.target


def smallest_fresh(problem: PlanningProblem, keep: float) -> int | None:
    """Return the fresh items a round that hold a target in enough runs; None if none do.

    In the problem's confidence of runs: by a bound of the law, or by simulation where the problem
    has settings for one; of a target without either, on average.
    """
    size, wanted = problem.samples, problem.confidence or DEFAULT_CONFIDENCE

    def held(number: int) -> float:
        found = problem.assurance(Fresh(number / size), size, keep)
        if found is None:
            return float(problem.retention(Fresh(number / size), size).lowest >= keep)
        return found.assured

    return smallest(held, target=wanted, low=0, high=size)


def _fixed(problem: PlanningProblem, keep: float, confidence: float) -> tuple[int, float]:
    """Return the fresh items that hold a target in every round, and the margin that is in them.

    The margin is 0 if real data alone has no room for it, or no law is known.
    """
    size = problem.samples

    def expected(number: int) -> float:
        return problem.retention(Fresh(number / size), size).lowest

    def held(number: int) -> float:
        found = problem.assurance(Fresh(number / size), size, keep)
        return 0.0 if found is None else found.confidence

    least = smallest(expected, target=keep, low=0, high=size)
    least = size if least is None else least
    items = smallest(held, target=confidence, low=least, high=size)
    if items is None:
        return least, 0.0
    return items, max(0.0, expected(items) - keep)


def _limit(
    problem: PlanningProblem, keep: float, margin: float, healthy: float
) -> tuple[float, float]:
    """Return the limit, and what one more unaided round leaves there."""
    expected = _reading(problem, keep)
    if expected is None:
        return 1.0, float(_after(problem, 1.0)[1])
    safe = _reading(problem, keep + margin)
    limit = max(expected, healthy if safe is None else min(safe, healthy))
    if not _warns(problem, keep, limit):
        return 1.0, float(_after(problem, 1.0)[1])
    share = _smallest_share(problem, lambda share: float(_after(problem, share)[0]), limit)
    return limit, float(_after(problem, share)[1])


def _warns(problem: PlanningProblem, keep: float, limit: float) -> bool:
    """Return whether there is a reading below the limit that is no miss yet."""
    target = symbol_target(problem)
    if target.kind == DIVERSITY:
        return True
    weights = target.groups.weights
    if np.ptp(weights):
        return True
    total = float(target.groups.numbers.sum())
    return required(keep, total) / total < limit


def _reading(problem: PlanningProblem, level: float) -> float | None:
    """Return the lowest reading from which one unaided round is expected at a target."""
    if _after(problem, 1.0)[1] < level:
        return None
    share = _smallest_share(problem, lambda share: float(_after(problem, share)[1]), level)
    return float(_after(problem, share)[0])


def _after(problem: PlanningProblem, share: float) -> Floats:
    """Return what is left after the horizon's rounds with a share, and one round later."""
    elapsed = ElapsedRounds(Fresh(share), problem.samples, problem.generations)
    later = replace(problem, elapsed=elapsed, generations=1)
    return later.retention(Replace(), problem.samples).expected


def _unaided(problem: PlanningProblem, limit: float) -> int:
    left = problem.retention(Replace(), problem.samples).expected[1:]
    below = np.flatnonzero(left < limit)
    return int(below[0]) + 1 if below.size else problem.generations


def _dose(problem: PlanningProblem, level: float, unaided: int) -> int:
    items = smallest(
        lambda number: _onward(problem, number, unaided).lowest,
        target=level,
        low=1,
        high=problem.samples,
    )
    return problem.samples if items is None else items


def _onward(problem: PlanningProblem, items: int, unaided: int) -> Retention:
    rounds = max(1, problem.generations - unaided)
    later = replace(
        problem, elapsed=ElapsedRounds(Replace(), problem.samples, unaided), generations=rounds
    )
    return later.retention(Fresh(items / problem.samples), problem.samples)


def _smallest_share(problem: PlanningProblem, of: Callable[[float], float], level: float) -> float:
    size = problem.samples
    items = smallest(lambda number: of(number / size), target=level, low=0, high=size)
    return 1.0 if items is None else items / size
