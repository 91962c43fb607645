"""The service's metrics for Prometheus.

What is read from the store holds for all processes; requests are those of the process that answers.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from typing_extensions import override

from hayflick.core.records import State
from hayflick.core.version import __version__
from hayflick.service.events import listeners_of
from hayflick.storage.readings import Headline
from hayflick.storage.service_counts import (
    ProjectStream,
    all_streams,
    last_readings,
    last_verdicts,
    waiting_counts,
)

if TYPE_CHECKING:
    from hayflick.service.guard import Application, Message, Receive, Send
    from hayflick.service.service import Service

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_STATES = ("baseline", *(state.value for state in State))
_METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "POST", "PUT")
_STREAM = ("project", "stream")


class ServiceMetrics:
    """The metrics of a service, and of the requests that this process answers.

    Parameters
    ----------
    service
        The service.
    """

    def __init__(self, service: Service) -> None:
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "hayflick_http_request_seconds",
            "Time from a request to the end of its answer, by this process.",
            ("method", "route", "status"),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        ProcessCollector(registry=self._registry)
        self._service = service
        self._lock = threading.Lock()

    def text(self, *, project: int | None = None) -> bytes:
        """Return all metrics in the text format of Prometheus.

        Parameters
        ----------
        project
            Number of the project whose streams are shown; None for all.
        """
        store = CollectorRegistry()
        store.register(_StoreCollector(self._service, project))
        # One at a time: it is answered without a token on loopback.
        with self._lock:
            return generate_latest(self._registry) + generate_latest(store)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Take up a request that was answered."""
        self._requests.labels(method, route, str(status)).observe(seconds)


class MeasuredRequests:
    """An application whose requests are counted by route and status.

    Parameters
    ----------
    app
        What answers.
    metrics
        What counts.
    """

    def __init__(self, app: Application, *, metrics: ServiceMetrics) -> None:
        self._application, self._metrics = app, metrics

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request, and count it."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        begun, status, endless = time.perf_counter(), 500, False

        async def sent(message: Message) -> None:
            nonlocal status, endless
            if message["type"] == "http.response.start":
                status = message["status"]
                kind = dict(message.get("headers", ())).get(b"content-type", b"")
                endless = kind.startswith(b"text/event-stream")
            await send(message)

        try:
            await self._application(scope, receive, sent)
        finally:
            # A path that is no route is anybody's text, and so is a method that no route has.
            route = getattr(scope.get("route"), "path", "other")
            is_known = route != "other" and scope["method"] in _METHODS
            method = scope["method"] if is_known else "other"
            if not endless:
                self._metrics.observe(method, route, status, time.perf_counter() - begun)


class _StoreCollector(Collector):
    """Reads the store when metrics are asked for."""

    def __init__(self, service: Service, project: int | None) -> None:
        self._service, self._project = service, project

    @override
    def collect(self) -> Iterator[Metric]:
        service = self._service
        yield _gauge("hayflick_build_info", "The version that runs.", version=__version__)
        for name, meaning, value in (
            ("writes_waiting", "Writes that wait for the store.", service.writer.waiting),
            ("event_listeners", "Those who listen to events.", listeners_of(service)),
            (
                "clock_behind_seconds",
                "Seconds that the machine's clock was set back by.",
                service.clock.behind_s,
            ),
        ):
            yield GaugeMetricFamily(f"hayflick_{name}", meaning, value=value)
        with service.database.connect() as connection:
            found = all_streams(connection)
            waiting = waiting_counts(connection)
            last = {number: record["values"] for number, record in last_readings(connection)}
            verdicts = list(last_verdicts(connection))
        found = [one for one in found if self._project in (None, one.stream.project)]
        projects = {one.project for one in found}
        yield GaugeMetricFamily(
            "hayflick_rounds_waiting",
            "Rounds that are closed and not yet measured.",
            value=waiting.rounds,
        )
        yield GaugeMetricFamily(
            "hayflick_deliveries_waiting",
            "Messages to targets that are not yet sent.",
            value=waiting.deliveries,
        )
        for name, meaning, counts in (
            ("alerts_open", "Alerts that are open.", waiting.alerts),
            ("actions_open", "Actions that are to be carried out.", waiting.actions),
            ("reviews_open", "Answers that are to be checked.", waiting.reviews),
        ):
            gauge = GaugeMetricFamily(f"hayflick_{name}", meaning, labels=("project", "kind"))
            for labels, number in counts.items():
                if labels[0] in projects:
                    gauge.add_metric(labels, number)
            yield gauge
        yield from _of_streams(found)
        yield from _of_readings(found, last, verdicts)


def _gauge(name: str, meaning: str, **labels: str) -> Metric:
    gauge = GaugeMetricFamily(name, meaning, labels=tuple(labels))
    gauge.add_metric(tuple(labels.values()), 1.0)
    return gauge


def _of_streams(found: list[ProjectStream]) -> Iterator[Metric]:
    counters = {
        "answers": "Answers that were taken, late ones included.",
        "late": "Answers that came after their round was closed.",
    }
    for name, meaning in counters.items():
        counter = CounterMetricFamily(f"hayflick_stream_{name}", meaning, labels=_STREAM)
        for project, stream in found:
            counter.add_metric((project, stream.name), getattr(stream, name))
        yield counter
    gauges = {
        "measured_round": "The last round that was measured.",
        "open_answers": "Answers of the round that is open.",
        "last_answer": "When the last answer came, in seconds since 1970.",
    }
    for name, meaning in gauges.items():
        gauge = GaugeMetricFamily(f"hayflick_stream_{name}", meaning, labels=_STREAM)
        for project, stream in found:
            value = getattr(stream, name)
            if value is not None:
                gauge.add_metric((project, stream.name), value)
        yield gauge
    state = GaugeMetricFamily(
        "hayflick_stream_state",
        "1 for the state of a stream, 0 for the others.",
        labels=(*_STREAM, "state"),
    )
    silent = GaugeMetricFamily(
        "hayflick_stream_silent", "Whether a stream gets no answers any more.", labels=_STREAM
    )
    loss = GaugeMetricFamily(
        "hayflick_stream_loss",
        "Share of its baseline that the number lost that lost most.",
        labels=(*_STREAM, "metric", "group"),
    )
    for project, stream in found:
        labels = (project, stream.name)
        for one in _STATES:
            state.add_metric((*labels, one), float(stream.state == one))
        silent.add_metric(labels, float(stream.silent_since is not None))
        headline = None if stream.headline is None else Headline.of(stream.headline)
        if headline is not None and headline.loss is not None:
            loss.add_metric((*labels, headline.metric, headline.group), headline.loss)
    yield from (state, silent, loss)


def _of_readings(
    found: list[ProjectStream], last: dict[int, Any], verdicts: list[tuple[int, Any]]
) -> Iterator[Metric]:
    names = {stream.id: (project, stream.name) for project, stream in found}
    reading = GaugeMetricFamily(
        "hayflick_reading", "Last reading of all answers together.", labels=(*_STREAM, "metric")
    )
    for number in last.keys() & names.keys():
        for metric, value in last[number].items():
            reading.add_metric((*names[number], metric), value)
    yield reading
    labels = (*_STREAM, "metric", "chart")
    alarm = GaugeMetricFamily("hayflick_chart_alarm", "Whether a chart alarms.", labels=labels)
    evidence = GaugeMetricFamily(
        "hayflick_chart_evidence",
        "Odds against a healthy stream, where a chart gives them.",
        labels=labels,
    )
    for number, verdict in verdicts:
        if number not in names:
            continue
        chart = (*names[number], verdict.metric, verdict.chart)
        alarm.add_metric(chart, float(verdict.state == State.ALARM.value))
        if verdict.evidence is not None:
            evidence.add_metric(chart, verdict.evidence)
    yield from (alarm, evidence)
