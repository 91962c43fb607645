"""The register of charts, their grammar, and charts that go on from a stored state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from hayflick.core.errors import DataError, HayflickError
from hayflick.core.grammar import Entry, number, parse
from hayflick.core.records import Reading
from hayflick.detection.classical import (
    RUN_LENGTH,
    ClassicalChart,
    CusumChart,
    EwmaChart,
    ShewhartChart,
)
from hayflick.detection.control_chart import FORMAT_VERSION, ControlChart
from hayflick.detection.evidence import FALSE_ALARMS
from hayflick.detection.guaranteed import GuaranteedChart
from hayflick.detection.rank import RankChart

_CHARTS: tuple[type[ControlChart[Any]], ...] = (
    GuaranteedChart,
    RankChart,
    ShewhartChart,
    EwmaChart,
    CusumChart,
)
"""All charts: a new one is added here."""


@dataclass(frozen=True)
class ChartSpec:
    """A kind of chart and its settings, before there is a baseline.

    Parameters
    ----------
    kind
        The chart's class.
    settings
        Its arguments by name.
    """

    kind: type[ControlChart[Any]]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def start(self, baseline: Sequence[Reading], *, metric: str) -> ControlChart[Any]:
        """Return the chart of a metric, set up on a baseline.

        Raises
        ------
        ArgumentError
            If a setting is out of its range.
        DataError
            If the baseline is too short, or cannot be used.
        """
        make: Callable[..., ControlChart[Any]] = self.kind
        return make(baseline, metric=metric, **self.settings)

    def readings_needed(self) -> int | None:
        """Return the number of readings that a baseline takes; None if that depends on them.

        Raises
        ------
        ArgumentError
            If a setting is out of its range.

        Examples
        --------
        >>> parse_chart("shewhart:370.4").readings_needed()
        8
        """
        if not issubclass(self.kind, ClassicalChart):
            return None
        return self.kind.readings_needed(**self.settings)

    @property
    def has_rate(self) -> bool:
        """Whether the chart's rate of false alarms is proved."""
        return self.kind in (GuaranteedChart, RankChart)

    def with_rate(self, false_alarms: float) -> ChartSpec:
        """Return the chart at another rate of false alarms."""
        return replace(self, settings={**self.settings, "false_alarms": false_alarms})

    def shared_by(self, charts: int) -> ChartSpec:
        """Return the chart as one of several that share its rate of false alarms evenly.

        By the union bound, their rates add up to at most the one of this chart.

        Examples
        --------
        >>> parse_chart("guaranteed").shared_by(4).settings["false_alarms"]
        0.00025
        >>> parse_chart("cusum:run_length=500").shared_by(4).settings["run_length"]
        2000.0
        """
        if self.has_rate:
            return self.with_rate(self.settings.get("false_alarms", FALSE_ALARMS) / charts)
        run_length = self.settings.get("run_length", RUN_LENGTH) * charts
        return replace(self, settings={**self.settings, "run_length": run_length})


def charts() -> Mapping[str, Entry[ChartSpec]]:
    """Return the entries of all charts by name."""
    return {kind.name: Entry(partial(_spec, kind), optional=kind.keys) for kind in _CHARTS}


def _spec(kind: type[ControlChart[Any]], **texts: str) -> ChartSpec:
    settings = {
        key: text if key in kind.choices else number(key, text) for key, text in texts.items()
    }
    return ChartSpec(kind, settings)


def parse_chart(text: str) -> ChartSpec:
    """Return the chart that `text` names.

    Raises
    ------
    ArgumentError
        If the name, a key or a value is not understood; the nearest name is offered.

    Examples
    --------
    >>> design = parse_chart("guaranteed:tolerance=0.05,false_alarms=0.001,form=sum")
    >>> design.settings
    {'tolerance': 0.05, 'false_alarms': 0.001, 'form': 'sum'}
    >>> parse_chart("shewhart:500").settings
    {'run_length': 500.0}
    """
    return parse("chart", text, charts())


def restore(state: Mapping[str, Any]) -> ControlChart[Any]:
    """Return the chart whose `state` this is; it goes on with the same numbers.

    Raises
    ------
    DataError
        If it is no chart's state, or one of another version.

    Examples
    --------
    >>> chart = GuaranteedChart.at(0.5)
    >>> restore(chart.state()).state() == chart.state()
    True
    """
    kinds = {chart.name: chart for chart in _CHARTS}
    if state.get("format_version") != FORMAT_VERSION or state.get("chart") not in kinds:
        raise DataError(
            f"chart state: got chart {state.get('chart')!r} of format version"
            f" {state.get('format_version')!r}, takes one of {', '.join(kinds)} of format"
            f" version {FORMAT_VERSION}; start the chart again from its baseline"
        )
    try:
        return kinds[state["chart"]].restored(state)
    except HayflickError:
        raise
    except (KeyError, TypeError, ValueError, AttributeError) as problem:
        raise DataError(
            f"chart state: {state['chart']} cannot go on from it ({problem});"
            " start the chart again from its baseline"
        ) from None
