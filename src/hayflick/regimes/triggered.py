"""Triggered: a base regime, and real items injected when a rule fires."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

from typing_extensions import override

from hayflick.core.checks import finite_number, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import Entry, number, whole
from hayflick.core.protocols import ReactiveRegime, Regime, Responder, Rule
from hayflick.core.records import Action, ActionKind, Mix, Reading, State, Verdict
from hayflick.core.source import Source
from hayflick.regimes.regime import NamedRegime
from hayflick.regimes.replace import Replace


@final
@dataclass(frozen=True, slots=True)
class Threshold(Rule):
    """Inject `items` new real items in the round after one in which a metric was below a limit.

    It has no memory: it injects for as long as the metric stays below.

    Parameters
    ----------
    below
        The limit.
    items
        New real items.
    metric
        Name of the metric; a reading without it triggers nothing.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.

    Examples
    --------
    >>> rule = Threshold(below=0.8, items=20)
    >>> [len(rule.decide(Reading(1, {"surviving_fraction": left}))) for left in (0.9, 0.7)]
    [0, 1]
    """

    below: float
    items: int
    metric: str = "surviving_fraction"

    def __post_init__(self) -> None:
        finite_number("below", self.below)
        whole_number("items", self.items, at_least=1)

    @override
    def decide(self, reading: Reading) -> tuple[Action, ...]:
        value = reading.values.get(self.metric)
        if value is None or value >= self.below:
            return ()
        verdict = Verdict(
            self.metric,
            reading.round,
            State.ALARM,
            group=reading.group,
            value=value,
            statistic=value,
            limit=self.below,
            since=reading.round,
            chart="threshold",
            label=reading.label,
            since_label=reading.label,
        )
        reason = f"{self.metric} {value:.4g} is below {self.below:g}"
        inject = ActionKind.INJECT
        return (Action(kind=inject, reason=reason, items=self.items, evidence=(verdict,)),)


@final
@dataclass(frozen=True, eq=False)
class Triggered(NamedRegime, ReactiveRegime):
    """Train on the mix of `base`, with real items injected when a rule fires.

    The rule gets a reading after every round; its actions take effect in the next one. An
    ``inject`` replaces generated items by real ones, at most all of them; overlapping
    injections add up. Other actions are recorded and change nothing here.

    Parameters
    ----------
    rule
        An object with ``decide(reading) -> actions``. Every run has its own copy. If it has
        ``due(generation) -> actions`` too, these are what is put into a round whatever is read.
    base
        The regime of other rounds; it may neither store items nor accumulate.

    Raises
    ------
    ArgumentError
        If the rule has no ``decide``, or `base` takes no injections.

    Examples
    --------
    >>> course = Triggered(Threshold(below=0.8, items=20)).start()
    >>> course.mix(1, samples=100).fresh
    0
    >>> actions = course.read(Reading(1, {"surviving_fraction": 0.7}))
    >>> course.mix(2, samples=100).fresh, course.mix(3, samples=100).fresh
    (20, 0)
    """

    name: ClassVar[str] = "triggered"

    rule: Rule
    base: Regime = Replace()

    def __post_init__(self) -> None:
        if not isinstance(self.rule, Rule):
            takes = "an object with decide(reading) -> actions, such as hayflick.Threshold"
            raise ArgumentError("rule", got=self.rule, takes=takes)
        if isinstance(self.base, Triggered):
            raise ArgumentError("base", got=self.base, takes="a regime without a rule of its own")
        mix = self.base.mix(1, samples=1 << 40)
        if mix.accumulate or mix.reserve is not None:
            takes = "a regime that stores and keeps nothing, such as replace or fresh"
            raise ArgumentError("base", got=self.base.describe(), takes=takes)

    @classmethod
    @override
    def entry(cls, data: Source) -> Entry[Triggered]:
        def make(below: str, items: str, metric: str = "surviving_fraction") -> Triggered:
            return cls(Threshold(number("below", below), whole("items", items), metric))

        return Entry(make, ("below", "items"), ("metric",))

    @property
    @override
    def constant(self) -> bool:
        return False

    @property
    @override
    def metrics(self) -> tuple[str, ...]:
        metric = getattr(self.rule, "metric", None)
        return (metric,) if metric else tuple(getattr(self.rule, "metrics", ()))

    @override
    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        return self.base.mix(generation, samples=samples)

    @override
    def start(self) -> TriggeredRun:
        return TriggeredRun(copy.deepcopy(self.rule), self.base)

    @override
    def numbers(self) -> Mapping[str, float]:
        return {}

    @override
    def describe(self) -> str:
        rule = self.rule
        if not isinstance(rule, Threshold):
            name = getattr(rule, "name", type(rule).__name__)
            return f"triggered:rule={name},base={self.base.describe()}"
        return f"triggered:below={rule.below:g},items={rule.items},metric={rule.metric}"


def _nothing(generation: int) -> Sequence[Action]:  # noqa: ARG001
    return ()


@dataclass
class TriggeredRun(Responder):
    """One run of a triggered regime, with the injections that are active."""

    rule: Rule
    base: Regime
    _active: list[tuple[int, Action]] = field(default_factory=list)

    @override
    def read(self, reading: Reading) -> Sequence[Action]:
        self._active = [(last, action) for last, action in self._active if last > reading.round]
        actions = tuple(self.rule.decide(reading))
        injections = [action for action in actions if action.kind is ActionKind.INJECT]
        self._active += [(reading.round + action.rounds, action) for action in injections]
        return actions

    @override
    def mix(self, generation: int, *, samples: int) -> Mix[Any]:
        mix = self.base.mix(generation, samples=samples)
        actions = [action for last, action in self._active if last >= generation]
        # What is put in whatever is read, from the first round on.
        actions += getattr(self.rule, "due", _nothing)(generation)
        stores = [action.reserve for action in actions if action.reserve is not None]
        if any(store is not stores[0] for store in stores):
            takes = "one reserve at a time"
            raise ArgumentError("inject", got=f"{len(stores)} reserves", takes=takes)
        stored = stores[0] if stores else None
        stored_items = 0 if stored is None else stored.total
        if stored_items > mix.generated:
            takes = f"a reserve of at most the {mix.generated} items that are generated"
            raise ArgumentError("inject", got=f"{stored_items} stored items", takes=takes)
        requested = sum(action.items for action in actions if action.reserve is None)
        new = min(requested, mix.generated - stored_items)
        return Mix(
            generated=mix.generated - stored_items - new, fresh=mix.fresh + new, reserve=stored
        )
