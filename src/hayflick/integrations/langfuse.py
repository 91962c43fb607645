"""Post what was found in a stream of answers to Langfuse, as scores."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from hayflick.core.errors import ArgumentError, OutputError
from hayflick.core.version import __version__
from hayflick.integrations.scores import WatchScore, last_scores
from hayflick_client.delivery import Backoff, DeliveryOutcome, ServiceReply
from hayflick_client.sending import failed, reply_of

if TYPE_CHECKING:
    from hayflick.monitor.watch_result import WatchResult

_CLOUD = "https://cloud.langfuse.com"
_MOST_TRIES, _LONGEST_WAIT_S = 4, 30.0
_LONGEST_REASON = 600
_TOGETHER = 100
_SOME_REFUSED = 207
_SCORES = uuid.UUID("3d0e5a0e-6a0d-5a43-9b52-2f9f1f6f0c11")
"""Names the identifiers of scores: the same score has the same one."""


def post_scores(
    result: WatchResult,
    *,
    session_id: str | None = None,
    trace_id: str | None = None,
    dataset_run_id: str | None = None,
    environment: str | None = None,
    metrics: Sequence[str] | None = None,
    url: str | None = None,
    public_key: str | None = None,
    secret_key: str | None = None,
    timeout_s: float = 10.0,
) -> int:
    """Post the verdict and the last readings of a watched stream to Langfuse.

    Scores are named ``hayflick.verdict``, a category, and after their metrics,
    ``hayflick.effective_words`` or ``hayflick.effective_words.model-a`` for a group. What has no
    reading is left out. A score that is posted again replaces the first one, on the same day or
    where rounds are times: its identifier is made of what it is about, and its time is that of
    its round.

    Parameters
    ----------
    result
        What `hayflick.watch` returned.
    session_id, trace_id, dataset_run_id
        What the scores belong to: exactly one of them. A session of the stream's own, such as
        ``"hayflick: help desk"``, keeps all of its scores together.
    environment
        The environment in Langfuse; None for its default.
    metrics
        The metrics to take; None for those that are charted.
    url
        Langfuse's address; None takes ``LANGFUSE_BASE_URL`` or ``LANGFUSE_HOST``, or its cloud.
    public_key, secret_key
        The project's keys; None takes ``LANGFUSE_PUBLIC_KEY`` and ``LANGFUSE_SECRET_KEY``.
    timeout_s
        Seconds that a request may take.

    Returns
    -------
    int
        The number of scores.

    Raises
    ------
    ArgumentError
        If it is not said what the scores belong to, a key is missing, the address is none of a web
        service, or a metric was not measured.
    OutputError
        If Langfuse refuses a score, or cannot be reached after four tries.

    References
    ----------
    Langfuse, API reference: ``POST /api/public/scores``.
    """
    given = {"sessionId": session_id, "traceId": trace_id, "datasetRunId": dataset_run_id}
    about = {name: one for name, one in given.items() if one}
    if len(about) != 1:
        takes = "exactly one of session_id, trace_id and dataset_run_id"
        raise ArgumentError("session_id", got=", ".join(about) or "nothing", takes=takes)
    address = f"{_address(url)}/api/public/scores"
    keys = _key("public_key", public_key), _key("secret_key", secret_key)
    if environment is not None:
        about["environment"] = environment
    posted = [
        _body(score, about, result.name)
        for score in last_scores(result, metrics=metrics)
        if score.value is not None or score.name == "verdict"
    ]
    headers = {"User-Agent": f"hayflick/{__version__}"}
    with httpx.Client(auth=keys, headers=headers, timeout=timeout_s) as client:
        for first in range(0, len(posted), _TOGETHER):
            _post(client, address, posted[first : first + _TOGETHER])
    return len(posted)


def _address(url: str | None) -> str:
    variables = (os.environ.get(name) for name in ("LANGFUSE_BASE_URL", "LANGFUSE_HOST"))
    url = url or next((one for one in variables if one), _CLOUD)
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ArgumentError("url", got=url, takes=f"Langfuse's address, such as {_CLOUD}")
    return url.rstrip("/")


def _key(name: str, given: str | None) -> str:
    variable = f"LANGFUSE_{name.upper()}"
    key = (os.environ.get(variable, "") if given is None else given).strip()
    if not key:
        raise ArgumentError(name, got="none", takes=f"a key of the project (or set {variable})")
    return key


def _body(score: WatchScore, about: dict[str, str], stream: str) -> dict[str, Any]:
    name = f"hayflick.{score.name}" + (f".{score.group}" if score.group else "")
    named = "\n".join([*about.values(), stream, name, score.round])
    body = {
        "id": str(uuid.uuid5(_SCORES, named.encode(errors="replace").decode())),
        "name": name,
        "value": score.label if score.value is None else score.value,
        "dataType": "CATEGORICAL" if score.value is None else "NUMERIC",
        "comment": score.explanation,
        "metadata": {
            "input": stream,
            "round": score.round,
            "group": score.group or None,
            "state": score.label,
        },
        **about,
    }
    at = _time_of(score.round)
    return body if at is None else {**body, "timestamp": at.isoformat()}


def _time_of(round_name: str) -> datetime | None:
    """Return the time that a round is named by; None if it has another name."""
    try:
        # A number is a date in ISO 8601 as well, and a number for people.
        at = None if round_name.isdigit() else datetime.fromisoformat(round_name)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at


def _post(client: httpx.Client, address: str, scores: list[dict[str, Any]]) -> None:
    """Post scores together, or one by one to a server of before lists of scores were taken."""
    reply = _answered(client, address, scores)
    if reply.status == 400:
        for score in scores:
            _check(address, score["name"], _answered(client, address, score))
    else:
        _check(address, "a list of scores", reply)


def _answered(client: httpx.Client, address: str, body: Any) -> ServiceReply:
    """Return what a request is answered; one that may pass is made again."""
    backoff = Backoff()
    while True:
        try:
            reply = reply_of(client.post(address, json=body))
        except (httpx.HTTPError, OSError) as fault:
            reply = failed(fault)
        if reply.outcome() is not DeliveryOutcome.RETRY or backoff.failures + 1 >= _MOST_TRIES:
            return reply
        time.sleep(min(backoff.wait_s(reply), _LONGEST_WAIT_S))


def _check(address: str, what: str, reply: ServiceReply) -> None:
    record = reply.record()
    if reply.status == _SOME_REFUSED and record.get("rejected"):
        errors = record.get("errors")
        told = [one.get("message") for one in errors or () if isinstance(one, dict)]
        reasons = "; ".join(dict.fromkeys(str(one) for one in told))[:_LONGEST_REASON]
        raise OutputError(f"{address}: {record['rejected']} scores are not taken: {reasons}")
    if reply.outcome() is not DeliveryOutcome.DELIVERED:
        raise OutputError(f"{address}: {what} is not taken: {_reason(reply)}")


def _reason(reply: ServiceReply) -> str:
    """Return why a score was not taken, in Langfuse's words where it has some."""
    said = reply.record().get("message")
    reason = (
        f"{reply.status}: {' '.join(said.split())}" if isinstance(said, str) else reply.reason()
    )
    if reply.status in (401, 403):
        reason += (
            "; check LANGFUSE_PUBLIC_KEY and LANGFUSE_SECRET_KEY, and that they are this host's"
        )
    return reason[:_LONGEST_REASON]
