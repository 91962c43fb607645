"""Which charts watch which metrics of which groups, and how they share their false alarms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hayflick.core.errors import ArgumentError
from hayflick.detection.guaranteed import GuaranteedChart
from hayflick.detection.parsing import ChartDesign, parse_chart
from hayflick.diversity.metrics import METRICS, Direction, metric_named
from hayflick.diversity.observing import SPREAD

DEFAULT_CHART = "guaranteed"
DEFAULT_VALUE_CHART = "cusum:run_length=1000"

_HEALTHY = {Direction.HIGHER: "falls", Direction.LOWER: "rises", Direction.STEADY: "both"}


@dataclass(frozen=True)
class Watch:
    """A chart that is asked for.

    Parameters
    ----------
    text
        As it was asked for, in the grammar of the command line.
    metric
        What it reads.
    design
        The chart, before there is a baseline.
    required
        Whether it is an error if it cannot be made.

    Examples
    --------
    >>> Watch.parsed("distinct_2=shewhart:run_length=200").metric
    'distinct_2'
    >>> Watch.parsed("guaranteed:tolerance=0.02").metric
    'spread'
    """

    text: str
    metric: str
    design: ChartDesign
    required: bool = True

    @classmethod
    def parsed(cls, text: str, *, values: Sequence[str] = (), required: bool = True) -> Watch:
        """Return the chart that ``[METRIC=]CHART`` names; ``spread`` is the metric without one.

        Parameters
        ----------
        text
            What was asked for.
        values
            Names of further numbers that can be charted beside the metrics.
        required
            Whether it is an error if the chart cannot be made.

        Raises
        ------
        ArgumentError
            If there is no such metric or chart; the nearest names are offered.
        """
        head, equals, rest = text.partition("=")
        named = bool(equals) and ":" not in head
        metric, chart = (head, rest) if named else (SPREAD, text)
        direction = "both"
        if metric not in values:
            direction = _HEALTHY[metric_named(metric).healthy]
        design = _directed(parse_chart(chart), direction)
        if design.kind is GuaranteedChart and metric != SPREAD:
            takes = f"{SPREAD} with the chart guaranteed; shewhart, ewma and cusum take any metric"
            raise ArgumentError("chart", got=text, takes=takes)
        return cls(text, metric, design, required)

    def shared_by(self, charts: int) -> Watch:
        """Return the chart as one of several that share its rate of false alarms evenly."""
        return replace(self, design=self.design.shared_by(charts))


def _directed(design: ChartDesign, direction: str) -> ChartDesign:
    """Return the chart for the direction that is not healthy, unless one was named."""
    if "direction" in design.settings:
        return design
    if design.kind is GuaranteedChart and direction == "both":
        return design
    return replace(design, settings={**design.settings, "direction": direction})


def watches(
    texts: Sequence[str] | None, *, values: Sequence[str], has_vectors: bool
) -> tuple[Watch, ...]:
    """Return the charts that are asked for, or those that are kept where none is.

    Raises
    ------
    ArgumentError
        If one is not understood, one is asked for twice, or it reads what there is not.
    """
    taken = {metric.name for metric in METRICS} & set(values)
    if taken:
        takes = "a column that is not called like a metric; rename it"
        raise ArgumentError("value", got=min(taken), takes=takes)
    if texts is None:
        spread = [Watch.parsed(DEFAULT_CHART, required=False)] if has_vectors else []
        series = [
            Watch.parsed(f"{name}={DEFAULT_VALUE_CHART}", values=values, required=False)
            for name in values
        ]
        return (*spread, *series)
    asked = tuple(Watch.parsed(text, values=values) for text in texts)
    repeated = [text for text in texts if list(texts).count(text) > 1]
    if repeated:
        raise ArgumentError("chart", got=repeated[0], takes="each chart once")
    return asked
