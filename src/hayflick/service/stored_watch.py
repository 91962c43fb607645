"""What `watch` finds in the rounds of a stream that are stored."""

from __future__ import annotations

from collections.abc import Mapping

from hayflick.core.records import Reading
from hayflick.monitor.changed_phrases import changed_phrases
from hayflick.monitor.charting import run_charts
from hayflick.monitor.watch_result import WatchResult
from hayflick.rules.rule_set import apply_rules
from hayflick.service.live_stream import (
    StreamObserver,
    StreamRules,
    panel_of,
    requests_of,
    series_of,
    stored_rounds,
)
from hayflick.service.streams import settings_of
from hayflick.storage.database import Database
from hayflick.storage.readings import observer_of_stream, texts_of_rounds
from hayflick.storage.rounds import round_names
from hayflick.storage.streams import StreamRow


def stored_watch(database: Database, stream: StreamRow) -> WatchResult | None:
    """Return the result of `hayflick.watch` on the measured rounds; None during the baseline.

    Parameters
    ----------
    database
        The store.
    stream
        The stream; its rounds up to the one that it says is measured are used.
    """
    settings, last = settings_of(stream), stream.measured_round
    with database.connect() as connection:
        record = observer_of_stream(connection, stream.id)
        if record is None or not last:
            return None
        measuring = StreamObserver.of_record(record, settings)
        names = round_names(connection, stream.id, last=last)
        rounds = stored_rounds(connection, stream.id, names)
        texts = texts_of_rounds(connection, stream.id)
        rules = StreamRules.of(connection, stream, settings).rule_set
    labels = list(names.values())
    readings = series_of(rounds, labels, measuring.observer)
    requests = requests_of(settings, measuring.columns)
    histories, missing = run_charts(
        readings,
        requests,
        baseline=settings.baseline,
        scaling=max(1, settings.baseline // 5),
        panel=panel_of(settings),
        powers=measuring.powers,
    )
    outcome = None if rules is None else apply_rules(rules, readings)
    samples = {number: one["sample"] for number, one in texts.items()}
    told = [one["typical"] for one in texts.values() if one["typical"]]
    return WatchResult(
        name=stream.name,
        rounds=tuple(labels),
        baseline=settings.baseline,
        readings=readings,
        charts=histories,
        missing_charts=missing,
        templates=changed_phrases(samples, rounds=len(labels), baseline=settings.baseline),
        typical_first=told[0] if told else (),
        typical_last=told[-1] if told else (),
        answers=_answers(readings),
        rules=rules,
        decisions=() if outcome is None else outcome.decisions,
        idle_watches=() if outcome is None else outcome.idle,
        panel=panel_of(settings),
        settings={"stream": stream.name, **settings.model_dump(mode="json")},
        seed=settings.seed,
    )


def _answers(readings: Mapping[str, tuple[Reading, ...]]) -> int:
    return int(sum(one.values.get("answers", 0.0) for one in readings[""]))
