"""`gate`: whether a pipeline may go on, by the service or by a state of `watch`."""

from __future__ import annotations

import os
import shlex
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from hayflick.core.display_text import display_text
from hayflick.core.errors import ArgumentError, DataError, MissingExtraError
from hayflick.core.object_copies import read_copy
from hayflick.core.object_stores import is_url
from hayflick.core.records import State
from hayflick_client.pipeline_gate import GateResult
from hayflick_client.pipeline_gate import gate as service_gate

if TYPE_CHECKING:
    from hayflick.monitor.stream_health import StreamHealth


@dataclass(frozen=True, kw_only=True)
class StateGate:
    """What a state of `watch` says.

    Parameters
    ----------
    name
        Name of the file.
    health
        How the stream is after its last round.
    max_age
        How long ago it may have been written; None for any time.
    age
        How long ago it was written.
    """

    name: str
    health: StreamHealth
    max_age: timedelta | None
    age: timedelta

    @property
    def alarm(self) -> bool:
        """Whether an alarm stands."""
        return self.health.state == State.ALARM.value

    @property
    def stale(self) -> bool:
        """Whether it was written too long ago."""
        return self.max_age is not None and self.age > self.max_age

    @property
    def passed(self) -> bool:
        """Whether there is a reading that is not too old, and no alarm."""
        read = (State.HEALTHY.value, State.FALLING.value)
        return self.health.state in read and self.health.silent_since is None and not self.stale

    @property
    def reason(self) -> str:
        """Why it passed, or did not, as a sentence."""
        health = self.health
        if self.alarm:
            return f"{self.name}: alarm since round {_shown(health.since)}{self._fall()}"
        if self.stale:
            hours = self.age / timedelta(hours=1)
            ago = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.3g} hours"
            return f"{self.name}: no reading: it was written {ago} ago"
        if health.silent_since is not None:
            return f"{self.name}: no reading since round {_shown(health.silent_since)}"
        fall = self._fall() if health.state == State.FALLING.value else ""
        rounds = f"after {health.rounds:,} rounds, the last is {_shown(health.last_round)}"
        return f"{self.name}: {health.state} {rounds}{fall}"

    def _fall(self) -> str:
        fall = self.health.fall
        if fall is None:
            return ""
        group = f" of {_shown(fall['group'])}" if fall["group"] else ""
        less = f", {fall['loss']:.0%} less" if fall["loss"] is not None and fall["loss"] > 0 else ""
        numbers = f"{fall['before']:.4g} to {fall['now']:.4g}"
        return f"; {fall['metric']}{group} went from {numbers}{less}"

    def to_dict(self) -> dict[str, Any]:
        """Return it as a record ready for JSON."""
        said = {"stale": self.stale, "passed": self.passed, "reason": self.reason}
        return {"name": self.name, **asdict(self.health), **said}


def _shown(name: str | None) -> str:
    return display_text(name or "–", longest=80)


@overload
def gate(
    stream: str, *, url: str | None = None, token: str | None = None, timeout_s: float = 10.0
) -> GateResult: ...
@overload
def gate(*, state: str | os.PathLike[str], max_age: str | None = None) -> StateGate: ...
@overload
def gate(
    stream: str | None = None,
    *,
    state: str | os.PathLike[str] | None = None,
    max_age: str | None = None,
    url: str | None = None,
    token: str | None = None,
    timeout_s: float = 10.0,
) -> GateResult | StateGate: ...


def gate(
    stream: str | None = None,
    *,
    state: str | os.PathLike[str] | None = None,
    max_age: str | None = None,
    url: str | None = None,
    token: str | None = None,
    timeout_s: float = 10.0,
) -> GateResult | StateGate:
    """Return whether a pipeline may go on.

    Either a stream of the service is asked for, or the state that `watch` keeps in a file is read.
    Nothing is measured, and the state stays as it is.

    Parameters
    ----------
    stream
        Name of a stream of the service.
    state
        The file that ``watch(..., state=...)`` wrote.
    max_age
        With `state`: how long ago it may have been written, such as ``1d``; an older one is no
        reading, as the call that writes it does not run any more. None for any time.
    url, token, timeout_s
        With `stream`: see `hayflick.client.gate`.

    Raises
    ------
    ArgumentError
        If neither a stream nor a state is given, or both, or what belongs to the other.
    DataError
        If there is no such state, or it cannot be used.
    GateError
        If the service cannot be reached, or refuses the request.

    Examples
    --------
    >>> import tempfile
    >>> import hayflick as hf
    >>> answers = [{"day": day, "text": f"word{k * 7 % 50}"} for day in range(12) for k in range(9)]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     watched = hf.watch(answers, by="day", text="text", state=f"{folder}/watch.state")
    ...     found = hf.gate(state=f"{folder}/watch.state")
    >>> found.passed, found.reason
    (True, 'watch.state: healthy after 12 rounds, the last is 11')
    """
    if (stream is None) == (state is None):
        got = "nothing" if stream is None else "a stream and a state"
        takes = "the name of a stream of the service, or in its place the state of a watch"
        raise ArgumentError("stream", got=got, takes=takes, remedy="such as --state watch.state")
    if state is not None:
        if url is not None or token is not None:
            takes = "no url and no token: a state is a file"
            raise ArgumentError("state", got="a state with the address of a service", takes=takes)
        return _of_state(state, max_age)
    if max_age is not None:
        takes = "a state: the service knows by itself when a stream falls silent"
        raise ArgumentError("max_age", got=max_age, takes=takes)
    assert stream is not None
    if not (url or os.environ.get("HAYFLICK_URL")) and Path(stream).is_file():
        takes = "the name of a stream of the service"
        remedy = f"if it is the state of a watch: --state {shlex.quote(stream)}"
        raise ArgumentError("stream", got=f"the file {stream}", takes=takes, remedy=remedy)
    try:
        return service_gate(stream, url=url, token=token, timeout_s=timeout_s)
    except ImportError:
        raise MissingExtraError("the client of the service", extra="client") from None


_DATABASE = b"SQLite format 3\0"


def _of_state(state: str | os.PathLike[str], max_age: str | None) -> StateGate:
    # A service is asked without what reads states.
    from hayflick.corpus.windows import shortest_length

    try:
        longest = None if max_age is None else shortest_length(max_age)
    except ArgumentError:
        takes = "a number and a unit: m, h, d or w, such as 1d"
        raise ArgumentError("max_age", got=max_age, takes=takes) from None
    name = Path(state).name
    if is_url(state):
        with read_copy(state) as copy:
            health = _health(copy)
    else:
        health = _health(Path(state))
    age = datetime.now(UTC) - datetime.fromisoformat(health.written)
    return StateGate(name=name, health=health, max_age=longest, age=age)


def _health(path: Path) -> StreamHealth:
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "there is no such state"
        raise DataError(f"{path}: {what}; `hayflick watch ANSWERS --state FILE` writes one")
    with path.open("rb") as file:
        begins = file.read(len(_DATABASE))
    if begins != _DATABASE:
        raise DataError(f"{path}: is no state; `hayflick watch ANSWERS --state FILE` writes one")
    from hayflick.monitor.state_file import read_health

    return read_health(path)
