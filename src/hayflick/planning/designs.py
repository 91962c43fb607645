"""A design: what each round is trained on, what that keeps, and what it uses and costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from hayflick.core.arrays import Floats
from hayflick.core.protocols import Regime
from hayflick.planning.cost import CostModel, Usage
from hayflick.planning.retention import Retention
from hayflick.planning.search import cheapest, reaches
from hayflick.planning.strategies import AnchorStrategy, Strategy


@dataclass(frozen=True, eq=False)
class DesignPoint:
    """A design as one number along a way; its regime is written down when it is asked for.

    Parameters
    ----------
    strategy, number
        The kind of design, and the number that is chosen.
    retention
        What is left, round by round.
    usage
        What an average round uses.
    cost_per_round
        What that costs; None without prices.
    """

    strategy: Strategy
    number: int
    retention: Retention
    usage: Usage
    cost_per_round: float | None

    @classmethod
    def at(cls, strategy: Strategy, number: int, costs: CostModel | None) -> DesignPoint:
        """Return the design at a number of a way."""
        kept = strategy.retention(number)
        usage = strategy.usage(number, kept)
        return cls(strategy, number, kept, usage, None if costs is None else costs.per_round(usage))

    @property
    def kind(self) -> str:
        """What such a design is called: without anything added, all are ``replace``."""
        # A larger set without fresh data is larger still.
        if self.number == 0 and self.strategy.size(0) != self.strategy.problem.samples:
            return "larger"
        return "replace" if self.strategy.without_real_data(self.number) else self.strategy.kind

    @property
    def samples(self) -> int:
        """Size of the first round's training set."""
        return self.strategy.size(self.number)

    @property
    def real_per_round(self) -> float:
        """Real items in a training set, fresh or stored, on average over the rounds."""
        return self.strategy.real_per_round(self.number, self.usage)

    @property
    def price(self) -> float:
        """What designs are ranked by: cost per round, without prices real items per round."""
        return self.real_per_round if self.cost_per_round is None else self.cost_per_round

    def design(self) -> Design:
        """Return the design with its regime."""
        problem, regime = self.strategy.problem, self.strategy.regime(self.number)
        return Design(
            kind=self.kind,
            regime=regime,
            samples=self.samples,
            real_per_round=self.real_per_round,
            retention=self.retention,
            usage=self.usage,
            cost_per_round=self.cost_per_round,
            stored_up_to=self._stored_up_to(),
            expected=problem.target.expected(
                regime, samples=self.samples, generations=problem.generations
            ),
        )

    def _stored_up_to(self) -> float | None:
        if not isinstance(self.strategy, AnchorStrategy) or not self.number:
            return None
        return self.strategy.stored.highest_count(self.number)


@dataclass(frozen=True, eq=False)
class Design:
    """What each round is trained on, and what comes of it.

    Parameters
    ----------
    kind
        ``replace``, ``fresh``, ``periodic``, ``anchor``, ``accumulate``,
        ``accumulate-subsample``, ``larger``, ``growing`` or ``larger and fresh``.
    regime, samples
        What each round is trained on, and how many items.
    real_per_round
        Real items in a training set, fresh or stored, on average over the rounds.
    retention
        What is left, round by round, with law and error.
    usage
        What an average round uses, in the units that have a price.
    cost_per_round
        What that costs; None without prices.
    stored_up_to
        How often the data hold the most frequent type that an anchor stores; None for none.
    expected
        Where the retention is a median, the exact mean beside it, ``(K + 1,)``; None elsewhere.
    """

    kind: str
    regime: Regime
    samples: int
    real_per_round: float
    retention: Retention
    usage: Usage
    cost_per_round: float | None
    stored_up_to: float | None = None
    expected: Floats | None = None

    @property
    def lowest(self) -> float:
        """The lowest share that is left in any round."""
        return self.retention.lowest


def cheapest_design(
    strategy: Strategy, *, keep: float, costs: CostModel | None
) -> DesignPoint | None:
    """Return the cheapest design of a way that keeps enough; None where none does.

    More may pay: where what is forgotten has a price, or a stored item, bought once, costs less
    than generating another one in its place in every round.
    """

    def price(number: int) -> float:
        point = DesignPoint.at(strategy, number, costs)
        return point.price if is_sufficient(point, keep) else np.inf

    least = strategy.smallest(keep)
    if least is None:
        return None
    if costs is not None:
        least = cheapest(price, low=least, high=strategy.maximum)
    return DesignPoint.at(strategy, least, costs)


def evenly_spaced(strategy: Strategy, *, costs: CostModel | None) -> list[DesignPoint]:
    """Return designs from the least to the most of a way, in even steps of their logarithm."""
    return [DesignPoint.at(strategy, number, costs) for number in strategy.grid()]


def is_sufficient(point: DesignPoint, keep: float) -> bool:
    """Return whether a design keeps enough in every round."""
    return reaches(point.retention.assured, keep)


@dataclass(frozen=True, eq=False)
class Frontier:
    """All designs that were looked at.

    Parameters
    ----------
    points
        Every one of them.
    efficient
        The points that no other beats: none is cheaper and keeps as much. Ascending in price
        and in what is kept.
    sufficient
        The cheapest design of each strategy that keeps enough, cheapest first; of those that cost
        the same, the one with the fewest real items a round.
    """

    points: tuple[DesignPoint, ...]
    efficient: tuple[DesignPoint, ...]
    sufficient: tuple[DesignPoint, ...]

    def with_strategy(
        self, strategy: Strategy, *, keep: float, costs: CostModel | None
    ) -> Frontier:
        """Return the frontier with the designs of one more way."""
        points = [*self.points, *evenly_spaced(strategy, costs=costs)]
        sufficient = list(self.sufficient)
        cheapest = cheapest_design(strategy, keep=keep, costs=costs)
        if cheapest is not None:
            points.append(cheapest)
            sufficient.append(cheapest)
        ranked = sorted(sufficient, key=_rank)
        return Frontier(tuple(points), tuple(efficient_points(points)), tuple(ranked))


def frontier(
    strategies: Iterable[Strategy], *, keep: float, costs: CostModel | None = None
) -> Frontier:
    """Return the frontier of all designs of several ways.

    Parameters
    ----------
    strategies
        The kinds of design to look at.
    keep
        What is to be left in every round.
    costs
        Prices; real items per round are the price where None.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.problem import planning_problem
    >>> from hayflick.planning.strategies import strategies_for
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> problem = planning_problem(words, generations=10)
    >>> kinds = [kind for kind in strategies_for(problem, larger=False) if kind.by_law]
    >>> found = frontier(kinds, keep=0.8)
    >>> [(point.strategy.kind, point.number) for point in found.sufficient][:2]
    [('anchor', 1), ('fresh', 5)]
    """
    found = Frontier((), (), ())
    for strategy in strategies:
        found = found.with_strategy(strategy, keep=keep, costs=costs)
    return found


def efficient_points(points: Sequence[DesignPoint]) -> list[DesignPoint]:
    """Return the points of which none is cheaper than another that keeps as much."""
    best: list[DesignPoint] = []
    for point in sorted(points, key=lambda point: (point.price, -point.retention.lowest)):
        if not best or point.retention.lowest > best[-1].retention.lowest:
            best.append(point)
    return best


def _rank(point: DesignPoint) -> tuple[float, float, int, float]:
    """Return what designs are sorted by: price, real items, then the simpler one.

    Prices that do not tell two designs apart, as of a check alone, leave that to real items.
    """
    return point.price, point.real_per_round, point.samples, -point.retention.lowest
