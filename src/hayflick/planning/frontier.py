"""The Pareto frontier of price against retention, and the cheapest design on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hayflick.planning.cost import CostModel
from hayflick.planning.design import Point, best_of, spread
from hayflick.planning.way import Way


@dataclass(frozen=True, eq=False)
class Frontier:
    """All designs that were looked at.

    Parameters
    ----------
    points
        Every one of them.
    best
        The points that nothing beats: none is cheaper and keeps as much. Ascending in price
        and in what is kept.
    enough
        The cheapest design of each way that keeps enough, cheapest first; of those that cost
        the same, the one with the fewest real items a round.
    """

    points: tuple[Point, ...]
    best: tuple[Point, ...]
    enough: tuple[Point, ...]

    def with_way(self, way: Way, *, keep: float, costs: CostModel | None) -> Frontier:
        """Return the frontier with the designs of one more way."""
        points = [*self.points, *spread(way, costs=costs)]
        enough = list(self.enough)
        cheapest = best_of(way, keep=keep, costs=costs)
        if cheapest is not None:
            points.append(cheapest)
            enough.append(cheapest)
        ranked = sorted(enough, key=_rank)
        return Frontier(tuple(points), tuple(unbeaten(points)), tuple(ranked))


def frontier(ways: Iterable[Way], *, keep: float, costs: CostModel | None = None) -> Frontier:
    """Return the frontier of all designs of several ways.

    Parameters
    ----------
    ways
        The kinds of design to look at.
    keep
        What is to be left in every round.
    costs
        Prices; real items per round are the price where None.

    Examples
    --------
    >>> from hayflick.chains.discrete import Discrete
    >>> from hayflick.planning.setting import setting_of
    >>> from hayflick.planning.ways import ways
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> setting = setting_of(words, generations=10)
    >>> kinds = [way for way in ways(setting, larger=False) if way.by_law]
    >>> found = frontier(kinds, keep=0.8)
    >>> [(point.way.kind, point.number) for point in found.enough][:2]
    [('anchor', 1), ('fresh', 5)]
    """
    found = Frontier((), (), ())
    for way in ways:
        found = found.with_way(way, keep=keep, costs=costs)
    return found


def unbeaten(points: Sequence[Point]) -> list[Point]:
    """Return the points of which none is cheaper than another that keeps as much."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.price, -point.retention.lowest)):
        if not best or point.retention.lowest > best[-1].retention.lowest:
            best.append(point)
    return best


def _rank(point: Point) -> tuple[float, float, int, float]:
    """Return what designs are sorted by: price, real items, then the simpler one.

    Prices that do not tell two designs apart, as of a check alone, leave that to real items.
    """
    return point.price, point.real_per_round, point.samples, -point.retention.lowest
