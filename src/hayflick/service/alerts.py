"""Send alerts and actions to their targets: in order, tried again, each by one process alone.

A message is at home in the store. A process claims those of a target for a while, sends them, and
records what became of them; if it ends in between, another one sends them when the while is over.
So a message can arrive twice, and none is lost.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from hayflick.core.display_text import LONGEST_VALUE, display_text
from hayflick.core.errors import ArgumentError, HayflickError
from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import significant
from hayflick.service import apprise_sender, webhooks
from hayflick.service.apprise_sender import check_apprise_url, send_by_apprise
from hayflick.service.service import Service
from hayflick.service.times import iso_time
from hayflick.service.webhooks import DeliveryFailure, check_webhook_url, post_webhook
from hayflick.storage.alerts import has_snoozing_over, wake_alerts
from hayflick.storage.deliveries import (
    DeliveryRow,
    claim_deliveries,
    record_failure,
    record_sent,
    record_test,
    release_deliveries,
    targets_due,
)
from hayflick.storage.targets import TargetRow, target_numbered

_LOG: Final = logging.getLogger(__name__)

_SECONDS_BETWEEN, _SECONDS_AT_LEAST = 5.0, 0.5
_SECONDS_TO_END = 5.0

_FIRST_DELAY_S, _DELAY_FACTOR, _LONGEST_DELAY_S = 15.0, 4.0, 3600.0
GIVEN_UP_AFTER_S = 86_400.0
"""Seconds for which a message is tried again."""

_ATTEMPTS_OF_REFUSED = 3

_MOST_SINGLE = 3
"""Messages that wait for one address of apprise and are sent one by one; more are put into one."""

_MENTION = re.compile(r"@(?=everyone|here|channel|all\b)|<(?=[!@#])", re.IGNORECASE)
"""How chats call many people at once."""

_MOST_SENDERS = 4
"""Targets of a project that are sent to at one time: those of others do not wait for slow ones."""

_tests = threading.BoundedSemaphore(4)
"""Held by test messages: each takes up a thread of those that answer requests."""

_MOST_CLAIMED = {"apprise": 1000, "webhook": 20}


def check_target(kind: str, url: str) -> None:
    """Refuse a target that nothing can be sent to; makes no connection.

    Parameters
    ----------
    kind
        ``apprise`` or ``webhook``.
    url
        Its address.

    Raises
    ------
    ArgumentError
        If there is no such kind, or the address is none of that kind.
    MissingExtraError
        If apprise is not installed.
    """
    checks = {"apprise": check_apprise_url, "webhook": check_webhook_url}
    if kind not in checks:
        raise ArgumentError("kind", got=kind, takes="apprise or webhook")
    checks[kind](url)


def send_test(service: Service, target: TargetRow) -> str | None:
    """Send a test message at once; return why it did not arrive, None if it did.

    It waits for the target, and is recorded; it is not tried again.

    Parameters
    ----------
    service
        The service, which runs.
    target
        Where to; it need not be enabled.
    """
    now = service.clock.now()
    content = {"target": target.name}
    delivery = DeliveryRow(
        id=0, target=target.id, kind="test", subject=None, content=content, state="waiting",
        attempts=0, created=now, next_attempt=now, error=None,
    )  # fmt: skip
    if not _tests.acquire(blocking=False):
        return "other test messages are being sent: try again in a minute"
    error = None
    try:
        _send(service, target, [delivery])
    except HayflickError as fault:
        error = str(fault)
    finally:
        _tests.release()
    service.writer.write(
        lambda connection: record_test(connection, target.id, content=content, error=error, now=now)
    )
    return error


class AlertWorker:
    """A thread that looks for messages that are due, and has each target's sent by one more.

    Parameters
    ----------
    service
        The service.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._awake, self._ended = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="hayflick alerts", daemon=True)
        self._senders: dict[int, threading.Thread] = {}
        self._projects: dict[int, int] = {}

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and give a message that is being sent some seconds; later it is sent again."""
        self._ended.set()
        self._awake.set()
        deadline = time.monotonic() + _SECONDS_TO_END
        for thread in (self._thread, *self._senders.values()):
            thread.join(max(0.0, deadline - time.monotonic()))

    def wake(self) -> None:
        """Look for messages soon."""
        self._awake.set()

    def look(self) -> list[int]:
        """Bring snoozed alerts up to date, and return the targets whose messages are due."""
        service, now = self._service, self._service.clock.now()
        with service.database.connect() as connection:
            over = has_snoozing_over(connection, now=now)
        if over:
            service.writer.write(lambda connection: wake_alerts(connection, now=now))
        with service.database.connect() as connection:
            return targets_due(connection, now=now)

    def send_due(self, target: int) -> None:
        """Send the messages of a target that are due, unless another process does."""
        service, now = self._service, self._service.clock.now()
        with service.database.connect() as connection:
            place = target_numbered(connection, target)
        if place is None:
            return
        most = _MOST_CLAIMED[place.kind]
        until = now + _seconds_to_send(place.kind)
        claimed = service.writer.write(
            lambda connection: claim_deliveries(connection, target, now=now, until=until, most=most)
        )
        for part in _parts(place.kind, claimed):
            if self._ended.is_set() or not self._sent(place, part):
                break
        numbers = [one.id for one in claimed]
        service.writer.write(
            lambda connection: release_deliveries(connection, numbers, until=until, now=now)
        )

    def _sent(self, target: TargetRow, part: Sequence[DeliveryRow]) -> bool:
        """Send messages, and record what became of them; return whether they were sent."""
        service, numbers = self._service, [one.id for one in part]
        try:
            _send(service, target, part)
        except HayflickError as fault:
            error, again = str(fault), self._again(part[0], fault)
            _LOG.warning("the target %s did not get a message: %s", target.name, error)
            service.writer.write(
                lambda connection: record_failure(connection, numbers, error=error, again=again)
            )
            return False
        service.writer.write(lambda connection: record_sent(connection, numbers))
        return True

    def _again(self, delivery: DeliveryRow, fault: HayflickError) -> float | None:
        """Return when a message is tried again; None if it is given up."""
        now, attempts = self._service.clock.now(), delivery.attempts + 1
        refused = isinstance(fault, DeliveryFailure) and fault.refused
        if refused and attempts >= _ATTEMPTS_OF_REFUSED:
            return None
        delay = min(_FIRST_DELAY_S * _DELAY_FACTOR ** min(attempts - 1, 9), _LONGEST_DELAY_S)
        again = now + delay
        return again if again <= delivery.created + GIVEN_UP_AFTER_S else None

    def _run(self) -> None:
        while not self._ended.is_set():
            self._awake.clear()
            try:
                for target in self.look():
                    self._begin(target)
            except HayflickError as fault:
                # The store may be away: it is tried again, as long as the service runs.
                _LOG.warning("alerts wait for the store: %s", fault)
            except Exception:
                _LOG.exception("alerts could not be looked for")
            # However often it is woken, the store is not asked all the time.
            self._ended.wait(_SECONDS_AT_LEAST)
            self._awake.wait(_SECONDS_BETWEEN)

    def _begin(self, target: int) -> None:
        self._senders = {one: thread for one, thread in self._senders.items() if thread.is_alive()}
        project = self._project_of(target)
        own = sum(self._projects.get(one) == project for one in self._senders)
        if target in self._senders or own >= _MOST_SENDERS:
            # It is looked for again when one of them has ended.
            return
        name = f"hayflick alerts to {target}"
        thread = threading.Thread(target=self._send_logged, args=(target,), name=name, daemon=True)
        self._senders[target] = thread
        thread.start()

    def _project_of(self, target: int) -> int | None:
        if target not in self._projects:
            with self._service.database.connect() as connection:
                found = target_numbered(connection, target)
            if found is None:
                return None
            self._projects[target] = found.project
        return self._projects[target]

    def _send_logged(self, target: int) -> None:
        try:
            self.send_due(target)
        except HayflickError as fault:
            _LOG.warning("alerts wait for the store: %s", fault)
        except Exception:
            _LOG.exception("the messages of target %s could not be sent", target)
        # There may be more for it.
        self.wake()


def _seconds_to_send(kind: str) -> float:
    """Return the seconds after which whoever has claimed messages is taken to have ended."""
    if kind == "webhook":
        return 60.0 + _MOST_CLAIMED[kind] * webhooks.TIMEOUT_S
    return 60.0 + _MOST_SINGLE * apprise_sender.TIMEOUT_S


def _parts(kind: str, claimed: Sequence[DeliveryRow]) -> list[list[DeliveryRow]]:
    """Return messages in the parts that they are sent in."""
    if kind == "apprise" and len(claimed) > _MOST_SINGLE:
        return [list(claimed)]
    return [[one] for one in claimed]


def _send(service: Service, target: TargetRow, part: Sequence[DeliveryRow]) -> None:
    """Send one message, or one that stands for several; raise an error if it does not arrive."""
    settings = service.settings
    messages = AlertMessages(Language(settings.language), settings.public_url)
    private, (first, *others) = settings.private_addresses, part
    if target.kind == "webhook":
        post_webhook(
            target.url,
            secret=target.secret or "",
            message=f"hayflick_{first.id}" if first.id else f"hayflick_test_{first.created:.0f}",
            content=messages.record(first),
            at=service.clock.now(),
            private=private,
        )
        return
    message = messages.digest(part) if others else messages.message(first)
    send_by_apprise(
        target.url,
        title=unmentioned(message.title),
        body=unmentioned(message.body),
        private=private,
    )


def unmentioned(text: str) -> str:
    r"""Return a text that calls nobody, wherever it is shown: names in it are a sender's.

    Examples
    --------
    >>> unmentioned("@everyone <!channel> ann@example.com").replace("\N{WORD JOINER}", "~")
    '@~everyone <~!channel> ann@example.com'
    """
    return _MENTION.sub("\\g<0>\N{WORD JOINER}", text)


_MOST_CHARTS = 5
_MOST_TITLES = 20
_TIMES = ("opened", "cleared", "created", "last_answer")


@dataclass(frozen=True)
class AlertMessage:
    """A message to people.

    Parameters
    ----------
    title
        One line.
    lines
        What follows, a line or more.
    """

    title: str
    lines: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        """The lines as one text."""
        return "\n".join(self.lines)


@dataclass(frozen=True)
class AlertMessages:
    """The messages of a service, in one language.

    Parameters
    ----------
    language
        The language.
    public_url
        Where people reach the service; None for messages without a link.
    """

    language: Language
    public_url: str | None = None

    def message(self, delivery: DeliveryRow) -> AlertMessage:
        """Return what people are told."""
        write = {
            "alarm": self._alarm,
            "silent": self._silent,
            "cleared": self._cleared,
            "action": self._notice,
        }.get(delivery.kind, self._test)
        message = write(delivery.content)
        link = self.link(delivery.kind, delivery.content)
        return message if link is None else AlertMessage(message.title, (*message.lines, link))

    def digest(self, deliveries: Sequence[DeliveryRow]) -> AlertMessage:
        """Return one message that stands for many."""
        number, text = self.language.number, self.language.text
        titles = [self.message(one).title for one in deliveries]
        lines = [f"- {title}" for title in titles[:_MOST_TITLES]]
        if len(titles) > _MOST_TITLES:
            lines.append(text("- and {more} more", more=number(len(titles) - _MOST_TITLES)))
        link = [] if self.public_url is None else [self._address("/")]
        return AlertMessage(
            text("hayflick: {number} messages", number=number(len(titles))), (*lines, *link)
        )

    def record(self, delivery: DeliveryRow) -> dict[str, Any]:
        """Return what a web hook is sent; times are ISO 8601 in UTC."""
        data = {
            name: iso_time(value) if name in _TIMES else value
            for name, value in delivery.content.items()
        }
        data["link"] = self.link(delivery.kind, delivery.content)
        return {"type": delivery.kind, "timestamp": iso_time(delivery.created), "data": data}

    def link(self, kind: str, content: Mapping[str, Any]) -> str | None:
        """Return where a message is about; None if the service's address is not known."""
        if self.public_url is None:
            return None
        stream = content.get("stream")
        if kind == "test" or stream is None:
            return self._address("/")
        return self._address(
            "/actions" if kind == "action" else f"/streams/{quote(stream, safe='')}"
        )

    def _address(self, path: str) -> str:
        return str(self.public_url).rstrip("/") + path

    def _alarm(self, content: Mapping[str, Any]) -> AlertMessage:
        number, text = self.language.number, self.language.text
        charts = content.get("charts") or []
        head = text("Round {round}: a rule has decided.", round=_round(content))
        if charts:
            many = number(len(charts))
            head = text(
                "Round {round}: charts that alarm: {number}.", round=_round(content), number=many
            )
        lines = [head, *map(self._chart, charts[:_MOST_CHARTS])]
        if len(charts) > _MOST_CHARTS:
            lines.append(text("- and {more} more", more=number(len(charts) - _MOST_CHARTS)))
        return AlertMessage(text("Alarm in {stream}", stream=content["stream"]), tuple(lines))

    def _chart(self, chart: Mapping[str, Any]) -> str:
        text = self.language.text
        metric = metric_label(str(chart.get("metric")), self.language)
        if chart.get("group"):
            metric = text("{metric} of {group}", metric=metric, group=chart["group"])
        parts = [f"- {metric}: {_number(chart.get('value'))}"]
        if chart.get("evidence") is not None:
            odds = _number(chart["evidence"])
            parts.append(text("odds of {odds} to 1 against a healthy stream", odds=odds))
        elif chart.get("limit") is not None:
            statistic, limit = _number(chart.get("statistic")), _number(chart["limit"])
            parts.append(
                text("statistic {statistic}, limit {limit}", statistic=statistic, limit=limit)
            )
        since = chart.get("since_name") or chart.get("since")
        if since is not None:
            parts.append(text("since round {since}", since=str(since)))
        return ", ".join(parts)

    def _silent(self, content: Mapping[str, Any]) -> AlertMessage:
        text, last = self.language.text, content.get("last_answer")
        lines = (
            () if last is None else (text("The last answer came at {time}.", time=iso_time(last)),)
        )
        return AlertMessage(text("No answers from {stream}", stream=content["stream"]), lines)

    def _cleared(self, content: Mapping[str, Any]) -> AlertMessage:
        text, stream = self.language.text, content["stream"]
        if content["kind"] == "silent":
            return AlertMessage(text("{stream} gets answers again", stream=stream))
        line = text("Round {round}: no chart alarms any more.", round=_round(content))
        return AlertMessage(text("The alarm in {stream} is over", stream=stream), (line,))

    def _notice(self, content: Mapping[str, Any]) -> AlertMessage:
        text, stream = self.language.text, content["stream"]
        line = text("Round {round}: a rule has decided.", round=_round(content))
        reason = display_text(str(content.get("reason") or ""), longest=LONGEST_VALUE)
        return AlertMessage(text("A rule's notice on {stream}", stream=stream), (line, reason))

    def _test(self, content: Mapping[str, Any]) -> AlertMessage:
        text = self.language.text
        line = text("If you can read this, alerts arrive here.")
        return AlertMessage(
            text("hayflick: a test of the target {name}", name=content["target"]), (line,)
        )


def _round(content: Mapping[str, Any]) -> str:
    return str(content.get("round_name") or content.get("round"))


def _number(value: float | None) -> str:
    return "–" if value is None else significant(value)
