"""The model of a rules file; `hayflick.rules.parsing` reads one.

Every table takes the keys below and no others. Constraints across tables are checked in
`hayflick.rules.parsing`.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from hayflick.core.errors import ArgumentError
from hayflick.diversity.metrics import METRICS, Direction

FORMAT_VERSION = 1

Name: TypeAlias = Annotated[str, Field(min_length=1)]
Positive: TypeAlias = Annotated[int, Field(ge=1)]
Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]


class Mode(StrEnum):
    """Modes, to introduce a rules file in steps."""

    OBSERVE = "observe"
    WARN = "warn"
    ACT = "act"


class Table(BaseModel):
    """Base of the tables: no other keys, no conversions, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Confirm(Table):
    """A decision takes `needed` alarms among the last `of` readings."""

    needed: Positive = 1
    of: Positive = 1


class WatchTable(Table):
    """A metric with a chart, a plain limit, or a limit derived from a target."""

    name: Annotated[Name, Field(description="What the watch is called.")]
    metric: Annotated[
        Name | Annotated[list[Name], Field(min_length=1)],
        Field(description="The number; of several, the first one that a reading has."),
    ]
    chart: Annotated[
        str | None, Field(description="A chart: guaranteed:tolerance=0.05, cusum, ewma, shewhart.")
    ] = None
    below: Annotated[Finite | None, Field(description="Alarm below this.")] = None
    above: Annotated[Finite | None, Field(description="Alarm above this.")] = None
    target: Annotated[
        Annotated[float, Field(gt=0.0, le=1.0)] | None,
        Field(description="Share to keep; limit and dose follow by law where they are left out."),
    ] = None
    confidence: Annotated[
        Annotated[float, Field(gt=0.0, lt=1.0)] | None,
        Field(description="Share of runs that are to keep the target in every round; 0.95."),
    ] = None
    at_least: Annotated[
        Positive | None,
        Field(description="Items that a class needs to count as kept, beside a target; 1."),
    ] = None
    healthy: Annotated[
        Literal["higher", "lower", "steady"] | None,
        Field(description="Which way is healthy; the metric's own where left out."),
    ] = None
    groups: Annotated[
        list[str],
        Field(description='Names of groups, "*" for each by itself; empty for all together.'),
    ] = []
    confirm: Confirm = Confirm()
    cool_down: Annotated[
        int, Field(ge=0, description="Readings after a decision in which nothing is decided.")
    ] = 0
    actions: Annotated[list[Name], Field(description="Names of the actions that are decided.")] = []

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the metric, the first choice first."""
        return (self.metric,) if isinstance(self.metric, str) else tuple(self.metric)


class _Action(Table):
    name: Annotated[Name, Field(description="What watches call the action.")]


class Inject(_Action):
    """Put real items into the training sets of the next rounds."""

    kind: Literal["inject"]
    items: Annotated[Positive | None, Field(description="Real items in every round.")] = None
    rounds: Annotated[Positive, Field(description="For how many rounds.")] = 1
    every: Annotated[
        Positive | None,
        Field(description="Put in every so-manieth round, whatever is read; no watch decides it."),
    ] = None
    reserve: Annotated[
        str | None, Field(description="File with the items; new ones where left out.")
    ] = None
    repeat: Annotated[
        bool, Field(description="Whether a reserve begins again when it is used up.")
    ] = False


class VaryPrompts(_Action):
    """Ask other prompts: the next ones of a list."""

    kind: Literal["vary_prompts"]
    prompts: Annotated[
        str | list[Name], Field(description="The prompts, or a file with one per line.")
    ]
    items: Annotated[Positive, Field(description="How many prompts at a time.")] = 1
    rounds: Annotated[Positive, Field(description="For how many rounds.")] = 1


class Review(_Action):
    """Draw random answers for a person to look at."""

    kind: Literal["review"]
    items: Annotated[Positive, Field(description="How many answers.")]


class Notify(_Action):
    """Tell someone."""

    kind: Literal["notify"]
    message: Annotated[str, Field(description="What is said beside the reason.")] = ""


ActionTable: TypeAlias = Annotated[
    Inject | VaryPrompts | Review | Notify, Field(discriminator="kind")
]


class RulesFile(Table):
    """A rules file."""

    format_version: Literal[1]
    mode: Annotated[
        Mode, Field(strict=False, description="observe: list alone; warn: notify alone; act: all.")
    ]
    false_alarms: Annotated[
        float, Field(gt=0.0, lt=1.0, description="Of one stream's charts together, per reading.")
    ] = 0.001
    false_discoveries: Annotated[
        float | None,
        Field(gt=0.0, lt=1.0, description="Share of false alarms among many groups' alarms."),
    ] = None
    baseline: Annotated[
        int, Field(ge=2, description="Healthy readings that charts learn from.")
    ] = 20
    values: Annotated[
        list[Name], Field(description="Names of further numbers that readings have.")
    ] = []
    corpus: Annotated[
        str | None, Field(description="The real data that targets are derived from.")
    ] = None
    watch: Annotated[list[WatchTable], Field(min_length=1)]
    action: list[ActionTable] = []

    @property
    def standing(self) -> tuple[Inject, ...]:
        """The actions that are due in certain rounds, whatever is read."""
        actions = (one for one in self.action if isinstance(one, Inject))
        return tuple(one for one in actions if one.every is not None)

    def action_named(self, name: str) -> Inject | VaryPrompts | Review | Notify:
        """Return the action of a name, which is known to exist."""
        return next(action for action in self.action if action.name == name)


def schema_rules() -> dict[str, Any]:
    """Return the JSON schema of rules files, for editors.

    Examples
    --------
    >>> schema_rules()["required"]
    ['format_version', 'mode', 'watch']
    """
    return RulesFile.model_json_schema()


SIMULATED = ("surviving_fraction", "surviving_types")
"""Metrics of a simulated chain of a discrete law, besides those of answers."""

_BY_NAME = {
    **{metric.name: metric.healthy for metric in METRICS},
    **dict.fromkeys((*SIMULATED, "diversity"), Direction.HIGHER),
}
_HEALTHY = {Direction.HIGHER: "higher", Direction.LOWER: "lower", Direction.STEADY: "steady"}
_SHIFTS = {"higher": "falls", "lower": "rises", "steady": "both"}


def check_metric(name: str, *, values: Sequence[str]) -> None:
    """Refuse an unknown metric.

    Raises
    ------
    ArgumentError
        If the name is neither a metric nor among `values`; the nearest name is offered.
    """
    known = [*_BY_NAME, *values]
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    remedy = f"did you mean {near[0]}?" if near else "name further numbers in values = [...]"
    raise ArgumentError("metric", got=name, takes="a metric or a name in values", remedy=remedy)


def healthy_direction(watch: WatchTable) -> str:
    """Return the healthy direction: that of the watch, else that of its metric.

    Examples
    --------
    >>> healthy_direction(WatchTable(name="copies", metric="duplicate_rate"))
    'lower'
    """
    own = _HEALTHY[_BY_NAME.get(watch.metrics[0], Direction.STEADY)]
    return watch.healthy or own


def harmful_direction(watch: WatchTable) -> str:
    """Return the direction that a chart should detect: ``falls``, ``rises`` or ``both``."""
    return _SHIFTS[healthy_direction(watch)]
