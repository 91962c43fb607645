"""What `watch` finds in the rounds of a stream that are stored.

Nothing is charted again: verdicts are those that the worker has stored, and charts are as it left
them. Readings that were read stay in memory, so that with another round only its own are read.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from hayflick.core.records import Reading, State, Verdict
from hayflick.monitor.changed_phrases import changed_phrases
from hayflick.monitor.chart_requests import unread_metrics
from hayflick.monitor.charting import LiveChart
from hayflick.monitor.measuring import Measured
from hayflick.monitor.watch_result import ChartHistory, WatchResult
from hayflick.rules.rule_set import apply_rules
from hayflick.service.live_stream import LiveStream, panel_of, stored_rounds
from hayflick.service.streams import settings_of
from hayflick.storage.database import Database
from hayflick.storage.readings import VerdictRow, texts_of_rounds, verdicts_of_stream
from hayflick.storage.rounds import number_of_answers, round_names
from hayflick.storage.streams import StreamRow

_MOST_KEPT = 16
_STATES = {state.value: state for state in State}


@dataclass
class _Kept:
    """What was read of a stream."""

    created: float
    rounds: list[dict[str, Reading]] = field(default_factory=list)


_kept: OrderedDict[tuple[str, int], _Kept] = OrderedDict()
_lock = threading.Lock()


def stored_watch(database: Database, stream: StreamRow) -> WatchResult | None:
    """Return the result of `hayflick.watch` on the measured rounds; None during the baseline.

    Parameters
    ----------
    database
        The store.
    stream
        The stream, as its row is now.
    """
    settings, last = settings_of(stream), stream.measured_round
    with database.connect() as connection:
        live = LiveStream.loaded(connection, stream, settings) if last else None
        if live is None:
            return None
        names = round_names(connection, stream.id, last=last)
        answers = number_of_answers(connection, stream.id, last=last)
        rounds = _rounds(connection, database.name, stream, names)
        verdicts = verdicts_of_stream(connection, stream.id, last=last)
        texts = texts_of_rounds(connection, stream.id)
    labels = list(names.values())
    readings = Measured(live.measuring.observer, tuple(rounds)).readings(labels)
    rules = live.rule_set
    outcome = None if rules is None else apply_rules(rules, readings)
    samples = {number: one["sample"] for number, one in texts.items()}
    told = [one["typical"] for one in texts.values() if one["typical"]]
    measured = int(sum(one.values.get("answers", 0.0) for one in readings[""]))
    return WatchResult(
        name=stream.name,
        rounds=tuple(labels),
        baseline=settings.baseline,
        readings=readings,
        charts=_histories(live, readings, verdicts, labels, baseline=settings.baseline),
        missing_charts=live.charts.missing,
        unread=unread_metrics(
            readings[""],
            live.requests,
            metrics=settings.metrics,
            values=live.measuring.columns.values,
            must_keep=bool(settings.must_keep),
            has_text=live.measuring.columns.text,
        ),
        templates=changed_phrases(samples, rounds=len(labels), baseline=settings.baseline),
        typical_first=told[0] if told else (),
        typical_last=told[-1] if told else (),
        answers=answers,
        measured_answers=None if measured == answers else measured,
        rules=rules,
        decisions=() if outcome is None else outcome.decisions,
        idle_watches=() if outcome is None else outcome.idle,
        panel=panel_of(settings),
        settings={"stream": stream.name, **settings.model_dump(mode="json")},
        seed=settings.seed,
    )


def _rounds(
    connection: sa.Connection, name: str, stream: StreamRow, names: Mapping[int, str]
) -> list[dict[str, Reading]]:
    """Return the readings of all rounds, with their scores only where rules read them."""
    key = (name, stream.id)
    with _lock:
        kept = _kept.get(key)
        if kept is None or kept.created != stream.created:
            kept = _Kept(stream.created)
        rounds = list(kept.rounds[: len(names)])
    rounds += stored_rounds(connection, stream.id, names, after=len(rounds))
    with _lock:
        if len(rounds) > len(kept.rounds):
            kept.rounds = rounds
        _kept[key] = kept
        _kept.move_to_end(key)
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return rounds


def _histories(
    live: LiveStream,
    readings: Mapping[str, Sequence[Reading]],
    rows: Sequence[VerdictRow],
    labels: Sequence[str],
    *,
    baseline: int,
) -> tuple[ChartHistory, ...]:
    found: dict[tuple[str, str], dict[int, VerdictRow]] = {}
    for row in rows:
        found.setdefault((row.chart, row.group), {})[row.round] = row
    histories = []
    for chart in live.charts.charts:
        own = found.get((chart.request.text, chart.group), {})
        verdicts = [
            _verdict(chart, number, own.get(number), labels)
            for number in range(baseline + 1, len(labels) + 1)
        ]
        histories.append(chart.history(verdicts, readings[chart.group]))
    return tuple(histories)


def _verdict(
    live: LiveChart, number: int, row: VerdictRow | None, labels: Sequence[str]
) -> Verdict:
    """Return a stored verdict; one of no reading where there is none."""
    chart = live.chart
    if row is None:
        return Verdict(
            chart.metric,
            number,
            State.NO_READING,
            group=live.group,
            limit=chart.limit,
            chart=chart.name,
            label=labels[number - 1],
        )
    return Verdict(
        chart.metric,
        number,
        _STATES[row.state],
        group=live.group,
        value=row.value,
        statistic=row.statistic,
        limit=row.limit,
        since=row.since,
        evidence=row.evidence,
        chart=chart.name,
        label=labels[number - 1],
        since_label="" if row.since is None else labels[row.since - 1],
    )
