"""What groups of answers are told of: how far apart they are, and what grouping costs in delay."""

from __future__ import annotations

import math
from dataclasses import dataclass

from hayflick.detection.power import rounds_to_find
from hayflick.diversity.separation import Separation
from hayflick.monitor.watch_result import ChartHistory, WatchResult

NORM, FLOOR = "group_frobenius_norm", "noise_floor"
"""The distance between groups, and what chance gives of it if they are alike."""

_LATEST, _WITHIN = 10, 20


@dataclass(frozen=True, slots=True)
class GroupsApart:
    """How far apart the groups are, in the baseline and in the last ten rounds.

    Parameters
    ----------
    before, now
        In units of what chance gives; None where it is unknown.
    """

    before: Separation | None
    now: Separation | None

    @property
    def merged(self) -> bool:
        """Whether the groups can no longer be told apart, and are clearly nearer than before."""
        before, now = self.before, self.now
        if not self.alike or before is None or now is None or not before.is_clear:
            return False
        error = math.hypot(before.error or 0.0, now.error or 0.0)
        return before.ratio**2 - now.ratio**2 > 2.0 * error

    @property
    def alike(self) -> bool:
        """Whether the groups cannot be told apart, whatever the baseline was."""
        return self.now is not None and self.now.is_clear is False


def groups_apart(result: WatchResult) -> GroupsApart:
    """Return how far apart the groups of a stream are."""
    norms, floors = result.series(NORM), result.series(FLOOR)
    first = max(result.baseline, len(norms) - _LATEST)
    before = slice(None, result.baseline)
    return GroupsApart(
        Separation.of(norms[before], floors[before]), Separation.of(norms[first:], floors[first:])
    )


@dataclass(frozen=True, slots=True)
class GroupingDelay:
    """How much later a steady fall is found because the answers are grouped.

    Parameters
    ----------
    groups
        Number of groups that have the chart.
    without
        Rounds until the chart of all answers would find it without groups.
    of_all, of_group
        Rounds until the charts of all answers and of one group find a fall that is as large in
        units of their own scatter; None if they do not in five times as many.
    """

    groups: int
    without: int
    of_all: int | None
    of_group: int | None


def grouping_delay(result: WatchResult) -> GroupingDelay | None:
    """Return what grouping costs the rank charts of the panel; None without such groups."""
    charts: dict[str, list[ChartHistory]] = {}
    for chart in result.charts:
        if chart.weight is not None and chart.text.endswith("=rank"):
            charts.setdefault(chart.text, []).append(chart)
    # All share the weight alike; those that could not be made have given up their part.
    shared = max(charts.values(), key=len, default=[])
    of_all = next((chart for chart in shared if not chart.group), None)
    of_group = next((chart for chart in shared if chart.group), None)
    if of_all is None or of_group is None or of_all.limit is None or of_group.limit is None:
        return None
    assert of_all.weight is not None
    # Half of the weight is that of all answers together.
    limits = [of_all.limit / 2.0, of_all.limit, of_group.limit]
    form = "sum" if result.panel is None else result.panel.form
    found = rounds_to_find(of_all.baseline, limits=limits, within=_WITHIN, form=form)
    if found[0] is None:
        return None
    return GroupingDelay(sum(bool(chart.group) for chart in shared), found[0], *found[1:])
