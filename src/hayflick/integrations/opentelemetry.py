"""Record answers in spans and log records of OpenTelemetry, and emit scores of a watched stream.

The answers are read by OpenTelemetry's conventions for generative AI, current and older, and by
those of OpenLLMetry and OpenInference, as the service reads them.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import LoggerProvider, LogRecord, SeverityNumber, get_logger_provider
from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.trace import StatusCode
from typing_extensions import override

from hayflick.core.version import __version__
from hayflick.integrations.calls import Grouping, record_item
from hayflick.integrations.scores import last_scores
from hayflick.service.model_calls import USER, answers_in
from hayflick.service.otlp import Signal, TelemetryEvent, TelemetryRecord
from hayflick_client import AnswerRecorder
from hayflick_client.recorder import WarningLog

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk._logs import ReadWriteLogRecord
    from opentelemetry.sdk.trace import ReadableSpan, Span

    from hayflick.monitor.watch_result import WatchResult

EVENT = "gen_ai.evaluation.result"
_REMEMBERED = 1_000


class _Answers:
    """Records the answers in spans or log records."""

    def __init__(self, recorder: AnswerRecorder, signal: Signal, *, group: Grouping) -> None:
        self._recorder, self._signal, self._group = recorder, signal, group
        name = f"answers in OpenTelemetry's {signal} are not recorded"
        self._warnings = WarningLog(name)

    def take(self, records: Sequence[TelemetryRecord]) -> None:
        answers = answers_in(records, self._signal)
        # The last one is the record itself; one before it is what was asked.
        attributes = records[-1].attributes
        group = self._group(attributes) if callable(self._group) else self._group
        for answer in answers.found:
            item = answer.item
            record_item(self._recorder, {**item, "group": group or item.get("group")})
        for setting in answers.missing:
            self._warnings.say(f"they hold no content: {setting}")

    def failed(self, fault: Exception) -> None:
        self._warnings.say(f"{type(fault).__name__}: {fault}")


class WatchSpanProcessor(SpanProcessor):
    """Hands the answers in spans of model calls to a recorder.

    Each answer has the last message of the user as its prompt. Spans of anything else, and of calls
    that failed, are left alone. It raises nothing.

    Parameters
    ----------
    recorder
        A `Watcher` or an `AsyncWatcher` for the service, an `AnswerLog` for a file.
    group
        The group, a function that returns it from the attributes, or None for the attribute
        ``hayflick.group`` of the span or the resource, or else the agent's name, or the model.

    Examples
    --------
    >>> import json, tempfile
    >>> from pathlib import Path
    >>> from opentelemetry.sdk.trace import TracerProvider
    >>> from hayflick.client import AnswerLog
    >>> path = Path(tempfile.mkdtemp()) / "answers.jsonl"
    >>> provider = TracerProvider(shutdown_on_exit=False)
    >>> provider.add_span_processor(WatchSpanProcessor(AnswerLog(path)))
    >>> said = [{"role": "assistant", "parts": [{"type": "text", "content": "It ships today."}]}]
    >>> with provider.get_tracer("mine").start_as_current_span("chat model-a") as span:
    ...     span.set_attribute("gen_ai.operation.name", "chat")
    ...     span.set_attribute("gen_ai.request.model", "model-a")
    ...     span.set_attribute("gen_ai.output.messages", json.dumps(said))
    >>> row = json.loads(path.read_text())
    >>> row["text"], row["group"]
    ('It ships today.', 'model-a')
    """

    def __init__(self, recorder: AnswerRecorder, *, group: Grouping = None) -> None:
        self._answers = _Answers(recorder, "traces", group=group)

    @override
    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        pass

    @override
    def on_end(self, span: ReadableSpan) -> None:
        try:
            self._answers.take([_of_span(span)])
        except Exception as fault:
            self._answers.failed(fault)


class WatchLogProcessor(LogRecordProcessor):
    """Hands the answers in log records of model calls to a recorder.

    Instrumentations of the older conventions, and some of the current ones, write answers into
    events instead of spans. Where they write both, one of the two processors is enough: each
    answer has the same key in both, by which the service counts it once. It raises nothing.

    Parameters
    ----------
    recorder, group
        See `WatchSpanProcessor`.
    """

    def __init__(self, recorder: AnswerRecorder, *, group: Grouping = None) -> None:
        self._answers = _Answers(recorder, "logs", group=group)
        # Older conventions have a record for every message: what was asked comes before.
        self._asked: OrderedDict[str, TelemetryRecord] = OrderedDict()
        self._lock = Lock()

    @override
    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        try:
            record = _of_log(log_record)
            if record.events[0].name == USER:
                self._remember(record)
                return
            asked = self._asked.get(record.span)
            self._answers.take([record] if asked is None else [asked, record])
        except Exception as fault:
            self._answers.failed(fault)

    def _remember(self, record: TelemetryRecord) -> None:
        with self._lock:
            self._asked[record.span] = record
            if len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)

    @override
    def shutdown(self) -> None:
        pass

    @override
    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True


def emit_scores(
    result: WatchResult,
    logger_provider: LoggerProvider | None = None,
    *,
    metrics: Sequence[str] | None = None,
    attributes: Mapping[str, str | bool | int | float] | None = None,
) -> int:
    """Emit the verdict and the last readings of a stream as events ``gen_ai.evaluation.result``.

    An event is named ``hayflick.verdict`` or after its metric, ``hayflick.effective_words``; its
    label is the state. ``hayflick.round`` and ``hayflick.group`` say what it is about.

    Parameters
    ----------
    result
        What `hayflick.watch` returned.
    logger_provider
        Where they are emitted; None for the global one.
    metrics
        The metrics to take; None for those that are charted.
    attributes
        Further attributes of every event, such as the name of a deployment.

    Returns
    -------
    int
        The number of events.

    Raises
    ------
    ArgumentError
        If a metric was not measured.

    References
    ----------
    OpenTelemetry, semantic conventions for generative AI, events: ``gen_ai.evaluation.result``.
    """
    scores = last_scores(result, metrics=metrics)
    logger = (logger_provider or get_logger_provider()).get_logger("hayflick", __version__)
    for score in scores:
        about = {
            **(attributes or {}),
            "gen_ai.evaluation.name": f"hayflick.{score.name}",
            "gen_ai.evaluation.score.value": score.value,
            "gen_ai.evaluation.score.label": score.label,
            "gen_ai.evaluation.explanation": score.explanation,
            "hayflick.input": result.name,
            "hayflick.round": score.round,
            "hayflick.group": score.group or None,
        }
        logger.emit(
            LogRecord(
                timestamp=time.time_ns(),
                severity_number=SeverityNumber.INFO,
                event_name=EVENT,
                attributes={name: one for name, one in about.items() if one is not None},
            )
        )
    return len(scores)


def _plain(given: Any) -> Any:
    """Return a value with dictionaries and lists, in whose place the SDK has others."""
    if isinstance(given, Mapping):
        return {name: _plain(one) for name, one in given.items()}
    return [_plain(one) for one in given] if isinstance(given, (list, tuple)) else given


def _of_span(span: ReadableSpan) -> TelemetryRecord:
    context, attributes = span.get_span_context(), _plain(span.attributes or {})
    ended = span.end_time or span.start_time
    return TelemetryRecord(
        resource=dict(span.resource.attributes),
        scope=span.instrumentation_scope.name if span.instrumentation_scope else "",
        attributes=attributes,
        events=[
            TelemetryEvent(name=one.name, attributes=_plain(one.attributes or {}))
            for one in span.events
        ],
        trace=f"{context.trace_id:032x}" if context else "",
        span=f"{context.span_id:016x}" if context else "",
        at=ended / 1e9 if ended else None,
        failed=span.status.status_code is StatusCode.ERROR or "error.type" in attributes,
    )


def _of_log(given: ReadWriteLogRecord) -> TelemetryRecord:
    log: Any = given.log_record
    attributes = _plain(log.attributes or {})
    name = log.event_name or str(attributes.get("event.name", ""))
    written = log.timestamp or log.observed_timestamp
    return TelemetryRecord(
        resource=dict(given.resource.attributes) if given.resource else {},
        scope=given.instrumentation_scope.name if given.instrumentation_scope else "",
        attributes=attributes,
        events=[TelemetryEvent(name=name, attributes=attributes, body=_plain(log.body))],
        trace=f"{log.trace_id:032x}" if log.trace_id else "",
        span=f"{log.span_id:016x}" if log.span_id else "",
        at=written / 1e9 if written else None,
        failed="error.type" in attributes,
    )
