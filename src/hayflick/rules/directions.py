"""Names of what rules can read, and which way each is healthy."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from hayflick.core.errors import ArgumentError
from hayflick.diversity.metrics import METRICS, Direction
from hayflick.rules.model import WatchTable

SIMULATED = ("surviving_fraction", "surviving_types")
"""What a simulated chain of a discrete law measures beside the metrics of answers."""

_BY_NAME = {
    **{metric.name: metric.healthy for metric in METRICS},
    **dict.fromkeys((*SIMULATED, "diversity"), Direction.HIGHER),
}
_WORDS = {Direction.HIGHER: "higher", Direction.LOWER: "lower", Direction.STEADY: "steady"}
_MOVES = {"higher": "falls", "lower": "rises", "steady": "both"}


def check_metric(name: str, *, values: Sequence[str]) -> None:
    """Refuse a name that stands for nothing.

    Raises
    ------
    ArgumentError
        If it is neither a metric nor among `values`; the nearest name is offered.
    """
    known = [*_BY_NAME, *values]
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    remedy = f"did you mean {near[0]}?" if near else "name further numbers in values = [...]"
    raise ArgumentError("metric", got=name, takes="a metric or a name in values", remedy=remedy)


def healthy_way(watch: WatchTable) -> str:
    """Return which way is healthy: as the watch says, else as its metric has it.

    Examples
    --------
    >>> healthy_way(WatchTable(name="copies", metric="duplicate_rate"))
    'lower'
    """
    own = _WORDS[_BY_NAME.get(watch.metrics[0], Direction.STEADY)]
    return watch.healthy or own


def harmful_move(watch: WatchTable) -> str:
    """Return what a chart of the watch is to find: ``falls``, ``rises`` or ``both``."""
    return _MOVES[healthy_way(watch)]
