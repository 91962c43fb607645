"""Whether a pipeline may go on: what the service says of a stream now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hayflick_client.delivery import ServiceReply, request_headers
from hayflick_client.recorder import checked_token, stream_address
from hayflick_client.sending import failed, reply_of, tls_context

_PASSES = frozenset({"healthy", "falling"})


class GateError(Exception):
    """The service cannot be asked, or does not answer as hayflick does.

    Attributes
    ----------
    refused : bool
        Whether it refused the request itself: a token that it does not know, a stream that does not
        exist. Then it is of no use to ask again.
    """

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        self.refused = refused
        super().__init__(reason)


@dataclass(frozen=True, kw_only=True)
class GateResult:
    """What the service says of a stream.

    Parameters
    ----------
    stream
        Its name.
    state
        ``baseline``, ``healthy``, ``falling``, ``alarm`` or ``no reading``.
    since
        Since when it is in that state, in ISO 8601.
    silent_since
        Since when no answer has come; None where some do.
    measured_round
        The last round that was measured; 0 for none.
    fall
        The number that lost most: ``metric``, ``group``, ``loss``, ``before``, ``now``, ``since``.
    """

    stream: str
    state: str
    since: str | None
    silent_since: str | None
    measured_round: int
    fall: Mapping[str, Any] | None

    @property
    def alarm(self) -> bool:
        """Whether a chart of the stream alarms."""
        return self.state == "alarm"

    @property
    def passed(self) -> bool:
        """Whether there is a reading, and no alarm."""
        return self.state in _PASSES and self.silent_since is None

    @property
    def reason(self) -> str:
        """Why it passed, or did not, as a sentence."""
        since = f" since {self.since}" if self.since else ""
        if self.alarm:
            return f"{self.stream}: alarm{since}{self._fall()}"
        if self.silent_since:
            return f"{self.stream}: no answer has come since {self.silent_since}"
        if self.state == "baseline":
            return f"{self.stream}: no reading yet, the baseline is being recorded"
        return (
            f"{self.stream}: {self.state}{since}{self._fall() if self.state == 'falling' else ''}"
        )

    def _fall(self) -> str:
        fall = self.fall or {}
        before, now, loss = fall.get("before"), fall.get("now"), fall.get("loss")
        if not isinstance(before, int | float) or not isinstance(now, int | float):
            return ""
        group = f" of {fall['group']}" if fall.get("group") else ""
        share = f", {loss:.0%} less" if isinstance(loss, int | float) and loss > 0 else ""
        return f"; {fall.get('metric')}{group} went from {before:.4g} to {now:.4g}{share}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as a record ready for JSON."""
        return {**asdict(self), "passed": self.passed, "reason": self.reason}


def gate(
    stream: str, *, url: str | None = None, token: str | None = None, timeout_s: float = 10.0
) -> GateResult:
    """Return what the service says of a stream, so that a pipeline goes on or stops.

    Parameters
    ----------
    stream
        Name of the stream.
    url
        Address of the service; None takes it from the environment (``HAYFLICK_URL``).
    token
        A token with the scope ``read``; None takes it from ``HAYFLICK_TOKEN``.
    timeout_s
        Seconds that the request may take.

    Raises
    ------
    GateError
        If the service cannot be reached, or refuses the request.
    ValueError
        If an argument is out of its range.

    Examples
    --------
    >>> gate("help desk", url="http://127.0.0.1:9", token="hf_...")  # nothing listens there
    Traceback (most recent call last):
        ...
    hayflick_client.pipeline_gate.GateError: http://127.0.0.1:9/v1/...: ConnectError: ...
    """
    address, token = stream_address(stream, url), checked_token(token)
    reply = _asked(address, token, timeout_s)
    if reply.status is None or reply.status != 200:
        refused = reply.status is not None and 300 <= reply.status < 500 and reply.status != 429
        raise GateError(f"{address}: {reply.reason()}", refused=refused)
    record = reply.record()
    if not isinstance(record.get("state"), str):
        raise GateError(f"{address}: what answers there is no service of hayflick", refused=True)
    fall = record.get("fall")
    return GateResult(
        stream=stream,
        state=record["state"],
        since=record.get("state_since"),
        silent_since=record.get("silent_since"),
        measured_round=record.get("measured_round") or 0,
        fall=fall if isinstance(fall, dict) else None,
    )


def _asked(address: str, token: str, timeout_s: float) -> ServiceReply:
    context = tls_context(address)
    import httpx

    try:
        with httpx.Client(
            headers=request_headers(token), timeout=timeout_s, verify=context
        ) as client:
            return reply_of(client.get(address))
    except Exception as fault:
        return failed(fault)
