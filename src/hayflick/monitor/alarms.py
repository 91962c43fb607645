"""Tell a new alarm from one that an earlier call has reported, and from one that is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeAlias, TypeVar

from hayflick.core.records import State, Verdict

Key: TypeAlias = tuple[str, str, str]
"""Metric, group and chart, in the grammar of the command line."""


class Charted(Protocol):
    """A chart with its verdicts."""

    @property
    def metric(self) -> str:
        """What it reads."""

    @property
    def group(self) -> str:
        """The group that it reads; empty for all answers together."""

    @property
    def text(self) -> str:
        """The chart in the grammar of the command line."""

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One per round after the baseline."""


C = TypeVar("C", bound=Charted)


@dataclass(frozen=True, slots=True)
class KnownAlarms:
    """What an earlier call knew of the alarms of a stream.

    Parameters
    ----------
    rounds
        Number of rounds that it had read; the last one may have grown since.
    charts
        Its charts, and whether the alarm of each stood in the last round.
    """

    rounds: int = 0
    charts: Mapping[Key, bool] = field(default_factory=dict)

    @classmethod
    def of(cls, charts: Iterable[Charted], *, rounds: int) -> KnownAlarms:
        """Return what is known after a call that has read so many rounds."""
        return cls(rounds, {key_of(chart): stands(chart) for chart in charts})


@dataclass(frozen=True, slots=True)
class AlarmNews(Generic[C]):
    """The alarms of a stream, by what an earlier call knew of them.

    Parameters
    ----------
    new
        Charts with an alarm that was not known.
    standing
        Charts whose alarm was known and still stands.
    cleared
        Charts whose alarm stood and does no longer.
    """

    new: tuple[C, ...] = ()
    standing: tuple[C, ...] = ()
    cleared: tuple[C, ...] = ()

    @classmethod
    def of(cls, charts: Iterable[C], known: KnownAlarms | None) -> AlarmNews[C]:
        """Sort charts by what was known; without that, every alarm is new."""
        found: dict[str, list[C]] = {"new": [], "standing": [], "cleared": []}
        for chart in charts:
            news = _news(chart, known)
            if news:
                found[news].append(chart)
        return cls(**{name: tuple(alarmed) for name, alarmed in found.items()})


def key_of(chart: Charted) -> Key:
    """Return what identifies a chart between calls."""
    return chart.metric, chart.group, chart.text


def stands(chart: Charted) -> bool:
    """Return whether the last reading of a chart is an alarm."""
    read = [one for one in chart.verdicts if one.state is not State.NO_READING]
    return bool(read) and read[-1].alarm


def _news(chart: Charted, known: KnownAlarms | None) -> str | None:
    begun = _begun(chart.verdicts)
    if known is None or key_of(chart) not in known.charts:
        return "new" if begun else None
    stood = known.charts[key_of(chart)]
    # The last round that was known may have grown.
    fresh = [one for one in begun if one > known.rounds or (one == known.rounds and not stood)]
    if fresh:
        return "new"
    if stands(chart):
        return "standing"
    return "cleared" if stood else None


def _begun(verdicts: Sequence[Verdict]) -> list[int]:
    """Return the rounds in which an alarm begins; rounds without a reading do not end one."""
    found, before = [], False
    for verdict in verdicts:
        if verdict.state is State.NO_READING:
            continue
        if verdict.alarm and not before:
            found.append(verdict.round)
        before = verdict.alarm
    return found
