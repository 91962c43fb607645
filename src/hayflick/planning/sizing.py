"""Single questions: how much fresh data, how often, how large, how to recover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hayflick.chains.discrete import Discrete
from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Regime
from hayflick.laws.wright_fisher import LARGEST_SAMPLE
from hayflick.planning.designs import Design
from hayflick.planning.problem import ElapsedRounds, PlanningProblem, check_target, planning_problem
from hayflick.planning.retention import Retention
from hayflick.planning.search import reaches, smallest
from hayflick.planning.strategies import AnchorStrategy, FreshStrategy, PeriodicStrategy
from hayflick.planning.targets import DIVERSITY, VARIANCE, SymbolTarget, Target
from hayflick.regimes.fresh import Fresh
from hayflick.regimes.replace import Replace


@dataclass(frozen=True, eq=False)
class FreshShare:
    """The answer to "how much fresh real data?".

    Parameters
    ----------
    keep
        The target: what is to be left in every round up to the horizon.
    share, items
        The smallest share and number of fresh items per round; None if none is enough.
    retention
        What is left, round by round: with that share, else with a share of 1.
    anchor
        The smallest reserve, one item of each stored type, that keeps enough without fresh data;
        None if a share is enough, or no reserve is.
    reason
        Why there is no share; empty if there is one.
    """

    keep: float
    share: float | None
    items: int | None
    retention: Retention
    anchor: Design | None
    reason: str

    @property
    def feasible(self) -> bool:
        """Whether fresh draws alone keep enough."""
        return self.share is not None


def fresh_share(
    model: Discrete | SymbolTarget,
    *,
    keep: float,
    generations: int,
    samples: int | None = None,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    law: str = "auto",
) -> FreshShare:
    """Return the smallest share of fresh real data in every round that keeps enough.

    Exact where the law is (`FreshShare.retention` says which); the branching law is a lower
    bound, so that its share is never too small.

    Parameters
    ----------
    model
        The real data's law, or a target.
    keep
        Share that is to be left in every round up to the horizon, above 0, up to 1.
    generations, samples, must_keep, law
        As of `hayflick.planning.problem.planning_problem`.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.planning.problem.planning_problem`, or if `keep` is out of its range.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> fresh_share(words, keep=0.9, generations=10).share
    0.58
    >>> answer = fresh_share(words, keep=0.95, generations=10)
    >>> answer.feasible, answer.anchor.regime.reserve.symbols
    (False, ('sat', 'here'))
    """
    keep = check_target(keep)
    problem = planning_problem(
        model, generations=generations, samples=samples, must_keep=must_keep, law=law
    )
    return fresh_share_of(FreshStrategy(problem, problem.samples), keep)


def fresh_share_of(
    strategy: FreshStrategy, keep: float, *, anchors: AnchorStrategy | None = None
) -> FreshShare:
    """Return the answer of `fresh_share` for a strategy; the target is checked already.

    `anchors` are the reserves for the same problem, if they were looked at before.
    """
    problem, items = strategy.problem, strategy.smallest(keep)
    if items is not None:
        kept = strategy.retention(items)
        return FreshShare(keep, items / problem.samples, items, kept, None, "")
    most = max(map(strategy.retention, strategy.grid()), key=lambda kept: kept.lowest)
    anchor = None
    if problem.target.kind not in (DIVERSITY, VARIANCE):
        anchors = AnchorStrategy(problem) if anchors is None else anchors
        types = anchors.smallest(keep)
        anchor = Design.at(anchors, types, keep=keep, costs=None) if types else None
    return FreshShare(keep, None, None, most, anchor, _reason(problem.target, most, keep))


def _reason(target: Target, most: Retention, keep: float) -> str:
    if target.kind == VARIANCE:
        return (
            f"fresh draws alone cannot keep {keep:.1%} of the variance in the median run: at "
            f"most {most.lowest:.1%}, because the variance of a sample is mostly below the real one"
        )
    return (
        f"fresh draws alone cannot keep {keep:.1%}: even a training set of real data alone "
        f"keeps {most.lowest:.1%}, because a sample of this size misses what is rare"
    )


@dataclass(frozen=True, eq=False)
class PeriodChoice:
    """The smallest share for one period.

    Parameters
    ----------
    every
        T: real data comes in rounds T, 2T, ….
    share
        Of such a round's training set; None if none is enough.
    real_per_round
        Real items, on average over all rounds; None if no share is enough.
    retention
        What is left, round by round: with that share, else with a share of 1.
    """

    every: int
    share: float | None
    real_per_round: float | None
    retention: Retention


@dataclass(frozen=True, eq=False)
class Period:
    """The answer to "how often?".

    Parameters
    ----------
    choices
        One per period that was looked at, in order.
    """

    choices: tuple[PeriodChoice, ...]

    @property
    def best(self) -> PeriodChoice | None:
        """The choice of the least real data; of several, the one with the longest period."""
        enough = [choice for choice in self.choices if choice.real_per_round is not None]
        return min(enough, key=lambda c: (c.real_per_round, -c.every), default=None)

    @property
    def longest(self) -> int | None:
        """The longest period for which any share is enough."""
        return max((c.every for c in self.choices if c.share is not None), default=None)


def period(
    model: Discrete | SymbolTarget,
    *,
    keep: float,
    generations: int,
    samples: int | None = None,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    periods: Sequence[int] | None = None,
    law: str = "auto",
) -> Period:
    """Return the smallest share for every period, and the period of the least real data.

    What is kept falls between rounds with real data, so the round just before must keep enough
    too.

    Parameters
    ----------
    model
        The real data's law, or a target.
    keep, generations, samples, must_keep, law
        As of `hayflick.planning.sizing.fresh_share`.
    periods
        Periods to look at; None for 1, 2, …, up to the first for which no share is enough.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.planning.sizing.fresh_share`.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> answer = period(words, keep=0.8, generations=40)
    >>> [(choice.every, choice.share) for choice in answer.choices[:3]], answer.longest
    ([(1, 0.07), (2, 0.16), (3, 0.28)], 5)
    """
    keep = check_target(keep)
    problem = planning_problem(
        model, generations=generations, samples=samples, must_keep=must_keep, law=law
    )
    choices = []
    for every in range(1, generations + 1) if periods is None else periods:
        choices.append(_choice(problem, keep, every))
        if periods is None and choices[-1].share is None:
            break
    return Period(tuple(choices))


def _choice(problem: PlanningProblem, keep: float, every: int) -> PeriodChoice:
    size = problem.samples
    strategy = FreshStrategy(problem, size) if every == 1 else PeriodicStrategy(problem, every)
    items = smallest(lambda m: strategy.retention(m).lowest, target=keep, low=0, high=size)
    if items is None:
        return PeriodChoice(every, None, None, strategy.retention(size))
    real = items * (problem.generations // every) / problem.generations
    return PeriodChoice(every, items / size, real, strategy.retention(items))


_LARGEST = 1 << 40


@dataclass(frozen=True, eq=False)
class SampleSize:
    """The answer to "how large must training sets be?".

    Parameters
    ----------
    samples
        Size of every training set; None if no size is enough.
    total
        Items of all rounds together; None if no size is enough.
    regime
        What each round is trained on.
    retention
        What is left, round by round; None if no size is enough.
    """

    samples: int | None
    total: int | None
    regime: Fresh
    retention: Retention | None

    @property
    def feasible(self) -> bool:
        """Whether a size is enough."""
        return self.samples is not None


def sample_size(
    model: Discrete | SymbolTarget,
    *,
    keep: float,
    generations: int,
    share: float = 0.0,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    law: str = "auto",
) -> SampleSize:
    """Return the smallest size of training set, the same in every round, that keeps enough.

    Parameters
    ----------
    model
        The real data's law, or a target.
    keep, generations, must_keep, law
        As of `hayflick.planning.sizing.fresh_share`.
    share
        Of fresh real data in every round.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.planning.sizing.fresh_share`.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> sample_size(words, keep=0.9, generations=10).samples
    533
    """
    keep, regime = check_target(keep), Fresh(share)
    problem = planning_problem(
        model, generations=generations, samples=1, must_keep=must_keep, law=law
    )
    largest = LARGEST_SAMPLE if law == "exact" else _LARGEST

    def kept(size: int) -> float:
        return problem.retention(regime, size).lowest

    # The exact law of a large training set is dear.
    high = 2
    while high < largest and not reaches(kept(high), keep):
        high = min(2 * high, largest)
    size = smallest(kept, target=keep, low=high // 2, high=high)
    if size is None and law == "exact":
        takes = f"training sets of at most {largest} items, none of which keeps {keep:g}"
        raise ArgumentError("law", got=law, takes=f"{takes}; use law='auto'")
    if size is None:
        return SampleSize(None, None, regime, None)
    return SampleSize(size, size * generations, regime, problem.retention(regime, size))


_SHARES = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


@dataclass(frozen=True, eq=False)
class Recovery:
    """The cheapest recovery of a target.

    Parameters
    ----------
    waited
        Rounds before it begins.
    share, rounds, items
        Share of fresh real data, for how many rounds, and real items in all; None if the
        target is not reached within the rounds that were looked at.
    retention
        What is left, round by round, from the real data on.
    """

    waited: int
    share: float | None
    rounds: int | None
    items: int | None
    retention: Retention

    @property
    def feasible(self) -> bool:
        """Whether fresh draws reach the target."""
        return self.rounds is not None


def recovery(
    model: Discrete | SymbolTarget,
    *,
    keep: float,
    rounds_so_far: int,
    regime: Regime = Replace(),
    samples: int | None = None,
    must_keep: Sequence[str] | Mapping[str, float] | None = None,
    within: int = 50,
    waited: int = 0,
    law: str = "auto",
) -> Recovery:
    """Return the recovery of a target that takes the fewest real items.

    Parameters
    ----------
    model
        The real data's law, or a target.
    keep
        The target: the share that is to be left again.
    rounds_so_far, regime
        The present state: how many rounds have gone by, and what each was trained on.
    samples, must_keep, law
        As of `hayflick.planning.sizing.fresh_share`.
    within
        Rounds in which the target is to be reached.
    waited
        Rounds that go on as before until the recovery begins.

    Raises
    ------
    ArgumentError, DataError
        As `hayflick.planning.sizing.fresh_share`.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> now = recovery(words, keep=0.85, rounds_so_far=20)
    >>> now.share, now.rounds, now.items
    (0.45, 1, 45)
    """
    keep = check_target(keep)
    whole_number("rounds_so_far", rounds_so_far, at_least=0)
    whole_number("within", within, at_least=1)
    whole_number("waited", waited, at_least=0)
    problem = planning_problem(
        model, generations=within, samples=samples, must_keep=must_keep, law=law
    )
    elapsed = ElapsedRounds(regime, problem.samples, rounds_so_far + waited)
    return recovery_in(replace(problem, elapsed=elapsed), keep, waited)


def recovery_in(problem: PlanningProblem, keep: float, waited: int) -> Recovery:
    """Return the answer of `recovery` for a problem whose elapsed rounds are the present state."""
    tried = [_by_share(problem, keep, share, waited) for share in _SHARES]
    enough = [found for found in tried if found.items is not None]
    return min(enough, key=lambda found: (found.items, found.rounds), default=tried[-1])


def _by_share(problem: PlanningProblem, keep: float, share: float, waited: int) -> Recovery:
    fresh = Fresh(share)
    kept = problem.retention(fresh, problem.samples)
    reached = [k for k, left in enumerate(kept.lower_bound) if reaches(float(left), keep)]
    if not reached:
        return Recovery(waited, None, None, None, kept)
    items = reached[0] * fresh.mix(1, samples=problem.samples).fresh
    return Recovery(waited, share if reached[0] else 0.0, reached[0], items, kept)
