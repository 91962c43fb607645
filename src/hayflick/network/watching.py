"""A run of a network, watched as ``hayflick watch`` watches a table of answers.

The charts are those that it keeps where none is asked for, over the scores that every round of
the run left behind: of all answers together and of every agent, at one shared rate of false
alarms. Distances are in units of those of the first pool's real texts, there in units of the
first rounds'; the rounds of the baseline are the same.
"""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.monitor.watching.courses import charted, scaling_rounds
from hayflick.monitor.watching.plan_of_charts import watches
from hayflick.monitor.watching.watched import Unwatched, WatchedChart
from hayflick.network.run_results import NetworkRun

BASELINE = 10
"""How many rounds, the first ones, are taken as healthy, unless another number is given."""


@dataclass(frozen=True, eq=False)
class NetworkWatch:
    """What watching a run comes to.

    Parameters
    ----------
    baseline
        How many rounds, the first ones, are taken as healthy.
    charts
        Those that could be made: of all answers first, then of agents.
    unwatched
        Those that could not be made, and why.
    """

    baseline: int
    charts: tuple[WatchedChart, ...] = ()
    unwatched: tuple[Unwatched, ...] = ()


def watched_network(run: NetworkRun, *, baseline: int = BASELINE) -> NetworkWatch:
    """Return what the guaranteed charts say of a run; there is none where no round is left.

    Parameters
    ----------
    run
        Finished or not.
    baseline
        How many rounds, the first ones, are taken as healthy.
    """
    if run.rounds <= baseline:
        return NetworkWatch(baseline)
    asked = watches(None, values=(), has_vectors=True)
    scaling = scaling_rounds(baseline)
    made, missing = charted(run.readings, asked, baseline=baseline, scaling=scaling)
    return NetworkWatch(baseline, made, missing)
