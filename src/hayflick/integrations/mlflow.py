"""Log what was found in a stream of answers to a run of MLflow."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
from mlflow.entities import Metric, RunTag

from hayflick.core.version import __version__

if TYPE_CHECKING:
    from hayflick.monitor.watch_result import WatchResult

_MOST_METRICS = 1_000  # that MLflow takes together
# MLflow takes names of 250 signs, and tags of 5,000 or more.
_LONGEST_GROUP, _LONGEST_METRIC, _LONGEST_TAG = 120, 100, 5_000
_OTHER_SIGNS = re.compile(r"[^\w.\- ]")


def log_watch(
    result: WatchResult,
    *,
    run_id: str | None = None,
    page: str | None = "hayflick.html",
    lang: str = "en",
) -> str:
    """Log the readings, the verdict and the page of a watched stream to a run of MLflow.

    Every reading is a metric whose step is the number of its round: ``effective_words`` for all
    answers together, ``model-a/effective_words`` for a group. Signs that MLflow does not take in
    names are ``_``. The verdict is the tag ``hayflick.verdict``; the page is an artifact. What is
    logged again, with more rounds, is not doubled in a store on a database, and the tags and the
    page are replaced.

    Parameters
    ----------
    result
        What `hayflick.watch` returned.
    run_id
        The run; None for the active one, or for a new one where none is active.
    page
        Name of the page among the artifacts; None for none.
    lang
        Language of the page, ``en`` or ``ja``.

    Returns
    -------
    str
        The run's identifier.
    """
    if run_id is None and mlflow.active_run() is None:
        with mlflow.start_run() as run:
            return log_watch(result, run_id=run.info.run_id, page=page, lang=lang)
    run_id = run_id or mlflow.active_run().info.run_id
    client = mlflow.MlflowClient()
    # Of one time, so that a database keeps one of the same readings that are logged twice.
    begun = client.get_run(run_id).info.start_time
    metrics = [Metric(name, value, begun, step) for name, value, step in _readings(result)]
    for some in _in_parts(metrics):
        client.log_batch(run_id, metrics=some)
    client.log_batch(run_id, tags=[RunTag(*pair) for pair in _tags(result).items()])
    if page is not None:
        with tempfile.TemporaryDirectory() as folder:
            path = result.save(Path(folder, os.path.basename(page)), lang=lang)
            client.log_artifact(run_id, str(path), os.path.dirname(page) or None)
    return run_id


def _in_parts(metrics: list[Metric]) -> Iterator[list[Metric]]:
    for first in range(0, len(metrics), _MOST_METRICS):
        yield metrics[first : first + _MOST_METRICS]


def _readings(result: WatchResult) -> Iterator[tuple[str, float, int]]:
    """Yield the name, the value and the step of every reading."""
    groups = _names(result.groups, longest=_LONGEST_GROUP)
    metrics = _names(
        dict.fromkeys(name for group in result.readings for name in result.metrics(group=group)),
        longest=_LONGEST_METRIC,
    )
    for group, readings in result.readings.items():
        prefix = f"{groups[group]}/" if group else ""
        for reading in readings:
            for metric, value in reading.values.items():
                yield f"{prefix}{metrics[metric]}", value, reading.round


def _names(given: Iterable[str], *, longest: int) -> dict[str, str]:
    """Return a name that MLflow takes for each that is given, no two of them the same."""
    names: dict[str, str] = {}
    used: set[str] = set()
    for one in given:
        cleaned = _OTHER_SIGNS.sub("_", one)[:longest].strip(" .") or "_"
        name, number = cleaned, 2
        while name in used:
            name, number = f"{cleaned} {number}", number + 1
        used.add(name)
        names[one] = name
    return names


def _tags(result: WatchResult) -> dict[str, str]:
    """Return the verdict and what stands behind it."""
    alarms = dict.fromkeys(chart.metric for chart in result.alarms)
    since = result.alarms[0].since_name if result.alarms else None
    return {
        "hayflick.verdict": result.verdict.value,
        "hayflick.alarms": ", ".join(alarms)[:_LONGEST_TAG],
        "hayflick.since": (since or "")[:_LONGEST_TAG],
        "hayflick.input": result.name[:_LONGEST_TAG],
        "hayflick.rounds": str(len(result.rounds)),
        "hayflick.answers": str(result.answers),
        "hayflick.version": __version__,
    }
