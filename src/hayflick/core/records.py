"""Small frozen records that pass between rooms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray


class Statistic(Protocol):
    """A sufficient statistic of a data set."""

    @property
    def total(self) -> int:
        """Number of items summarised."""


StatisticT = TypeVar("StatisticT", bound=Statistic)


@dataclass(frozen=True, slots=True)
class Mix(Generic[StatisticT]):
    """The training set of one generation.

    Parameters
    ----------
    generated
        Items drawn from the previous generation's model.
    fresh
        Items newly drawn from the real law.
    reserve
        Statistic of the stored real items, the same in every round; None for none.
    accumulate
        Whether earlier data stay: the items above join the pool of the real data and of all
        earlier rounds, and the generation is trained on the pool.
    subsample
        Number of items of the pool to train on, drawn without replacement; None for all.

    Examples
    --------
    >>> Mix(generated=950, fresh=50).samples
    1000
    """

    generated: int
    fresh: int = 0
    reserve: StatisticT | None = None
    accumulate: bool = False
    subsample: int | None = None

    @property
    def reserved(self) -> int:
        """Number of stored real items."""
        return 0 if self.reserve is None else self.reserve.total

    @property
    def samples(self) -> int:
        """Size of the training set; if rounds accumulate, number of items that join the pool."""
        return self.generated + self.fresh + self.reserved


@dataclass(frozen=True, eq=False)
class Schedule:
    """The training sets of generations 1 … K.

    Parameters
    ----------
    mixes
        One per generation.
    respond
        Makes the `hayflick.core.protocols.Responder` of a run, if its rounds depend on earlier
        readings; `mixes` are then those of a run without any action.
    """

    mixes: Sequence[Mix[Any]]
    respond: Callable[[], Any] | None = None

    @cached_property
    def accumulates(self) -> bool:
        """Whether generations are trained on earlier data too."""
        return any(mix.accumulate for mix in self.mixes)

    @cached_property
    def generated(self) -> NDArray[np.int64]:
        """Items drawn from the model before, shape ``(K,)``."""
        return np.array([mix.generated for mix in self.mixes])

    @cached_property
    def fresh(self) -> NDArray[np.int64]:
        """Items newly drawn from the real law, shape ``(K,)``."""
        return np.array([mix.fresh for mix in self.mixes])


@dataclass(frozen=True, eq=False)
class Reading:
    """The numbers measured in one round of a stream.

    A metric that could not be measured is absent: undefined is never 0.

    Parameters
    ----------
    round
        Number of the round, from 1.
    values
        Numbers by metric.
    scores
        By metric, one number in [0, 1] for each of the round's disjoint pairs of answers.
    group
        The model or agent that answered; empty for all together.
    label
        Name of the round in the data, such as a date; if empty, its number is the name.

    Examples
    --------
    >>> reading = Reading(7, {"diversity": 0.81})
    >>> reading.values.get("diversity"), reading.values.get("distinct_2"), reading.name
    (0.81, None, '7')
    """

    round: int
    values: Mapping[str, float] = field(default_factory=dict)
    scores: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    group: str = ""
    label: str = ""

    @property
    def name(self) -> str:
        """Name of the round."""
        return self.label or str(self.round)


class State(StrEnum):
    """State of a stream: by a chart, or (``falling``, before an alarm) by all charts together."""

    HEALTHY = "healthy"
    FALLING = "falling"
    ALARM = "alarm"
    NO_READING = "no reading"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of a chart after a reading.

    Parameters
    ----------
    metric, group, round
        The metric, the group and the round that were judged.
    state
        Healthy, alarm, or no reading.
    value
        The reading's own number; None where there was none.
    statistic, limit
        The chart's statistic and its limit; None before the first number.
    since
        First round of the change, as the chart estimates it; None while healthy.
    evidence
        Odds against a healthy stream, where the chart gives them; None elsewhere.
    chart
        Name of the chart.
    label, since_label
        Names of the rounds `round` and `since` in the data; if empty, their numbers are the names.

    Examples
    --------
    >>> verdict = Verdict("spread", round=9, state=State.ALARM, statistic=1200.0, limit=1000.0)
    >>> verdict.alarm, verdict.name, verdict.since_name
    (True, '9', None)
    """

    metric: str
    round: int
    state: State
    group: str = ""
    value: float | None = None
    statistic: float | None = None
    limit: float | None = None
    since: int | None = None
    evidence: float | None = None
    chart: str = ""
    label: str = ""
    since_label: str = ""

    @property
    def name(self) -> str:
        """Name of the round that was judged."""
        return self.label or str(self.round)

    @property
    def since_name(self) -> str | None:
        """Name of the first round of the change; None while healthy."""
        return None if self.since is None else self.since_label or str(self.since)

    @property
    def alarm(self) -> bool:
        """Whether the stream is out of control."""
        return self.state is State.ALARM


class ActionKind(StrEnum):
    """Kinds of action."""

    INJECT = "inject"
    VARY_PROMPTS = "vary_prompts"
    REVIEW = "review"
    NOTIFY = "notify"


@dataclass(frozen=True, eq=False, kw_only=True)
class Action:
    """An action to take, as data; the loop over rounds carries it out.

    Parameters
    ----------
    kind
        Kind of the action.
    reason
        The reason, in words.
    items
        Real items in every round, or answers to review; 0 for other kinds.
    rounds
        Number of rounds, from the next one on.
    reserve
        For ``inject``: the statistic of the stored items; None for new draws
        from the real law.
    texts
        Stored real items to inject, or prompts to ask; empty elsewhere.
    evidence
        The verdicts behind it.

    Examples
    --------
    >>> action = Action(kind=ActionKind.INJECT, reason="spread below its limit", items=50)
    >>> action.kind.value, action.rounds
    ('inject', 1)
    """

    kind: ActionKind
    reason: str
    items: int = 0
    rounds: int = 1
    reserve: Any = None
    texts: tuple[str, ...] = ()
    evidence: tuple[Verdict, ...] = ()

    def __deepcopy__(self, _: object) -> Action:
        # Immutable, so it can be shared by copies of a rule.
        return self
