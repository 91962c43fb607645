"""What alerts say: a title and a few lines in plain words, and the same as JSON for web hooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hayflick.core.display_text import LONGEST_VALUE, display_text
from hayflick.report.language import Language, metric_label
from hayflick.report.rendering import significant
from hayflick.service.times import iso_time
from hayflick.storage.deliveries import DeliveryRow

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
