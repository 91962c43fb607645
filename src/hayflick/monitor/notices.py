"""Post new and cleared alarms to a chat or any other web hook.

Whoever knows the address of a web hook can post to it, so messages name its host alone. A notice
holds names of charts, groups and rounds, never answers. A failure is returned, not raised: an alarm
is an alarm even where nobody could be told. With a state, what could not be posted is posted by the
next call, together with what has happened since.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hayflick.core.display_text import display_text
from hayflick.core.errors import ArgumentError, DataError, OutputError, StoreError
from hayflick.core.http import HttpClient, RequestFailure, Retries, run_to_end
from hayflick.monitor.alarms import KnownAlarms

if TYPE_CHECKING:
    from hayflick.monitor.watch_result import ChartHistory, WatchResult

FORMS = ("slack", "teams", "json")
FORMAT_VERSION = 1
SECONDS = 10.0
"""Time limit of a request; one that fails for a moment is made once more."""

_HOSTS = {
    "hooks.slack.com": "slack",
    "webhook.office.com": "teams",
    "logic.azure.com": "teams",
    "powerplatform.com": "teams",
}
_MOST_NAMED = 10


@dataclass(frozen=True, repr=False)
class WebHook:
    """Where notices are posted.

    Parameters
    ----------
    url
        The address, http or https.
    form
        ``slack``, ``teams`` or ``json``; None for the one of the host, ``json`` by default.

    Raises
    ------
    ArgumentError
        If it is no such address, or there is no such form.

    Examples
    --------
    >>> hook = WebHook("https://hooks.slack.com/services/T0/B0/secret")
    >>> hook.kind, str(hook)
    ('slack', 'https://hooks.slack.com/…')
    """

    url: str
    form: str | None = None

    def __post_init__(self) -> None:
        takes = "an address that begins with http:// or https:// and names a host"
        try:
            parts = urlsplit(self.url)
            known = parts.scheme in ("http", "https") and bool(parts.hostname)
            known = known and (parts.port is None or parts.port > 0)
        except ValueError:
            known = False
        if not known or any(sign.isspace() or not sign.isprintable() for sign in self.url):
            # It may be a secret all the same.
            raise ArgumentError("notify", got="another address", takes=takes)
        if self.form is not None and self.form not in FORMS:
            raise ArgumentError("notify_form", got=self.form, takes=f"one of {', '.join(FORMS)}")

    @property
    def kind(self) -> str:
        """The form of its notices."""
        host = urlsplit(self.url).hostname or ""
        ours = (form for name, form in _HOSTS.items() if f".{host}".endswith(f".{name}"))
        return self.form or next(ours, "json")

    def __str__(self) -> str:
        parts = urlsplit(self.url)
        port = "" if parts.port is None else f":{parts.port}"
        return f"{parts.scheme}://{parts.hostname}{port}/…"

    @property
    def fingerprint(self) -> str:
        """What identifies the address in a state, which does not hold the address itself."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:32]

    def client(self) -> HttpClient:
        """Return a connection, which follows no redirect."""
        parts = urlsplit(self.url)
        return HttpClient(f"{parts.scheme}://{parts.netloc}", feature="--notify", timeout_s=SECONDS)

    @property
    def path(self) -> str:
        """What follows the host."""
        parts = urlsplit(self.url)
        query = f"?{parts.query}" if parts.query else ""
        return f"{parts.path or '/'}{query}"


def notice_text(result: WatchResult) -> str:
    """Return a notice as a few lines of text."""
    news = result.news
    lines = [f"hayflick watch, {display_text(result.name, longest=80)}: {result.verdict.value}"]
    lines += [f"new: {_said(chart, result)}" for chart in news.new[:_MOST_NAMED]]
    lines += [f"over: {_subject(chart)}" for chart in news.cleared[:_MOST_NAMED]]
    more = sum(max(0, len(charts) - _MOST_NAMED) for charts in (news.new, news.cleared))
    lines += [f"and {more} more"] if more else []
    if result.has_news and not news.new:
        lines.append("the rules have decided something")
    if news.standing:
        lines.append(f"known before, and standing: {len(news.standing)}")
    return "\n".join(lines)


def notice(result: WatchResult, form: str) -> dict[str, Any]:
    """Return the body of a notice.

    Parameters
    ----------
    result
        What was found.
    form
        One of `FORMS`.
    """
    text = notice_text(result)
    if form == "slack":
        # Signs of Slack's own, which could call everybody in a channel.
        safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        return {"text": safe}
    if form == "teams":
        blocks = [{"type": "TextBlock", "text": line, "wrap": True} for line in text.split("\n")]
        card = {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            "body": blocks,
        }
        kind = "application/vnd.microsoft.card.adaptive"
        return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}
    news = result.news
    return {
        "format_version": FORMAT_VERSION,
        "source": "hayflick watch",
        "input": result.name,
        "verdict": result.verdict.value,
        "rounds": len(result.rounds),
        "last_round": result.rounds[-1],
        "new": [_record(chart, result) for chart in news.new],
        "standing": [_record(chart, result) for chart in news.standing],
        "cleared": [_record(chart, result) for chart in news.cleared],
        "text": text,
    }


def _record(chart: ChartHistory, result: WatchResult) -> dict[str, Any]:
    alarm = chart.first_alarm
    return {
        "metric": chart.metric,
        "group": chart.group or None,
        "chart": chart.text,
        "since": None if chart.since is None else result.rounds[chart.since - 1],
        "first_alarm": None if alarm is None else result.rounds[alarm.round - 1],
    }


def _subject(chart: ChartHistory) -> str:
    of = f" of {display_text(chart.group, longest=80)}" if chart.group else ""
    return f"{display_text(chart.metric, longest=80)}{of}"


def _said(chart: ChartHistory, result: WatchResult) -> str:
    if chart.since is None:
        return _subject(chart)
    since = display_text(result.rounds[chart.since - 1], longest=80)
    return f"{_subject(chart)}, since round {since}"


def has_notice(result: WatchResult) -> bool:
    """Return whether anything is new or over."""
    return result.has_news or bool(result.cleared)


def post_notices(
    result: WatchResult, hooks: Sequence[WebHook], *, state: str | os.PathLike[str] | None = None
) -> list[str]:
    """Post what is new or over, if anything is, and return what has failed, in words.

    Parameters
    ----------
    result
        What was found.
    hooks
        Where to post it.
    state
        The state that the result was made with: it keeps which hook lacks a notice. None for none.

    Raises
    ------
    MissingExtraError
        If aiohttp is not installed.
    """
    if not hooks:
        return []
    kept: dict[str, KnownAlarms] = {}
    try:
        kept = {} if state is None else _unposted(state)
        told = {hook: _since(result, kept.get(hook.fingerprint)) for hook in hooks}
        posted = [hook for hook, news in told.items() if has_notice(news)]
        # Before it is posted: a call that is cut off leaves it to the next one.
        waiting = {hook.fingerprint: told[hook].known_alarms or KnownAlarms() for hook in posted}
        if waiting and state is not None:
            _keep_unposted(state, {**kept, **waiting})
        failures = _posted({hook: notice(told[hook], hook.kind) for hook in posted})
        failed = {hook.fingerprint for hook in failures}
        named = {hook.fingerprint for hook in hooks}
        left = {name: one for name, one in kept.items() if name not in named}
        left |= {name: one for name, one in waiting.items() if name in failed}
        if state is not None and left != {**kept, **waiting}:
            _keep_unposted(state, left)
    except (DataError, OutputError, StoreError) as fault:
        return [f"notices: {fault}"]
    again = "" if state is None else "; the next call posts it again"
    return [f"{failure}{again}" for failure in failures.values()]


def _since(result: WatchResult, known: KnownAlarms | None) -> WatchResult:
    """Return a result with the news since a notice was posted last."""
    return result if known is None else replace(result, known_alarms=known)


def _unposted(state: str | os.PathLike[str]) -> dict[str, KnownAlarms]:
    from hayflick.monitor.state_file import held_state

    with held_state(state) as file:
        return file.unposted()


def _keep_unposted(state: str | os.PathLike[str], unposted: Mapping[str, KnownAlarms]) -> None:
    from hayflick.monitor.state_file import held_state

    with held_state(state) as file:
        file.write_unposted(unposted)


def _posted(bodies: Mapping[WebHook, Mapping[str, Any]]) -> dict[WebHook, str]:
    """Post bodies, and return what has failed, in words."""
    if not bodies:
        return {}

    async def post() -> list[str | None]:
        return await asyncio.gather(*(_failure(hook, body) for hook, body in bodies.items()))

    found = zip(bodies, run_to_end(post()), strict=True)
    return {hook: failure for hook, failure in found if failure is not None}


async def _failure(hook: WebHook, body: Mapping[str, Any]) -> str | None:
    client = hook.client()
    retries = Retries(most=1, first_wait_s=1.0, longest_wait_s=1.0, longest_asked_s=SECONDS)
    try:
        await retries.run(client.post, hook.path, body)
    except RequestFailure as failure:
        # A reply may repeat the address, and a redirect name another secret one.
        reason = failure.reason if failure.status is None else f"it answers {failure.status}"
        if failure.status is not None and failure.status // 100 == 3:
            reason += ", a redirect, which is not followed"
        return f"{hook}: the notice was not posted: {reason}"
    finally:
        await client.close()
    return None
