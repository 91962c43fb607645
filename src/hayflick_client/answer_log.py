"""Write answers to a file, one in a line, which ``hayflick watch`` reads."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import weakref
from collections import Counter
from collections.abc import Iterator, Mapping
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

from hayflick_client.items import Moment, answer_item
from hayflick_client.outbox import DeliveryCounts
from hayflick_client.recorder import WarningLog

if TYPE_CHECKING:
    from typing import Self

_LONGEST_LOCK_S = 1.0
_MOST_REASONS = 20
_VERSION = b'{"hayflick_log":1,'

_fcntl: ModuleType | None
try:
    import fcntl as _fcntl
except ImportError:  # Windows has none.
    _fcntl = None


class AnswerLog:
    r"""Appends answers to a file of JSON lines, for programs that need no service.

    Any number of threads and processes may write to one file: a line is written at once, and what
    a full disk leaves of one is taken back. The file is opened for each answer, so that it may be
    renamed, removed or cut off (``logrotate``, with or without ``copytruncate``) at any time.

    Parameters
    ----------
    path
        The file, which is made if there is none.

    Raises
    ------
    OSError
        If the file cannot be written to.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from hayflick_client import AnswerLog
    >>> path = Path(tempfile.mkdtemp()) / "answers.jsonl"
    >>> log = AnswerLog(path)
    >>> log.record("Your order is on its way.", group="model-a", prompt="Where is my order?", at=0)
    >>> log.counts.delivered, path.read_text()
    (1, '{"hayflick_log":1,"text":"Your order is on its way.","key":"...","time":0.0,...}\n')
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.path.abspath(os.fspath(path))
        os.close(self._open())
        self._closed = False
        self._warnings = WarningLog(self._path)
        self._forget()
        _LOGS.add(self)

    def record(
        self,
        text: str,
        *,
        group: str | None = None,
        prompt: str | None = None,
        values: Mapping[str, float] | None = None,
        at: Moment | None = None,
        key: str | None = None,
    ) -> None:
        """Write an answer; raises nothing.

        What cannot be written is counted (`counts`), with the reason.

        Parameters
        ----------
        text
            The answer.
        group
            What it is charted with: a model, an agent, a topic.
        prompt
            The prompt, or its name.
        values
            Numbers by name, which are written beside it.
        at
            When it was given; None for now.
        key
            Its name, by which it is found again; None makes one.
        """
        try:
            if self._closed:
                self._refuse("the log is closed")
                return
            item = answer_item(text, group=group, prompt=prompt, values=values, at=at, key=key)
            self._append(_VERSION + item.removeprefix(b"{") + b"\n")
        except Exception as fault:
            self._refuse(f"{type(fault).__name__}: {fault}"[:300])
            self._warnings.say(f"not written: {fault}")
            return
        with self._lock:
            self._written += 1

    @property
    def counts(self) -> DeliveryCounts:
        """How many answers were written, and why others were not; each process counts its own."""
        with self._lock:
            refused = sum(self._refused.values())
            return DeliveryCounts(
                recorded=self._written + refused,
                delivered=self._written,
                duplicates=0,
                late=0,
                dropped=0,
                refused=refused,
                waiting=0,
                reasons=dict(self._refused),
            )

    def flush(self) -> bool:
        """Wait until what was written is on the disk, so that it outlasts the machine's failure.

        Returns
        -------
        bool
            Whether it is.
        """
        try:
            place = self._open()
            try:
                os.fsync(place)
            finally:
                os.close(place)
        except OSError as fault:
            self._warnings.say(f"perhaps not on the disk: {fault}")
            return False
        return True

    def close(self) -> None:
        """Take nothing more; what was recorded is in the file already."""
        self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[type[AnswerLog], tuple[str]]:
        return (AnswerLog, (self._path,))

    def _open(self) -> int:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT
        return os.open(self._path, flags | getattr(os, "O_BINARY", 0), 0o666)

    def _append(self, line: bytes) -> None:
        place = self._open()
        try:
            with _locked(place):
                size = os.fstat(place).st_size
                if size and _last_sign(place) != b"\n":
                    # A program that was killed left half a line, which stays one of its own.
                    line = b"\n" + line
                written = os.write(place, line)
                if written < len(line):
                    os.ftruncate(place, size)
                    raise OSError("the disk is full")
        finally:
            os.close(place)

    def _refuse(self, reason: str) -> None:
        with self._lock:
            if reason not in self._refused and len(self._refused) >= _MOST_REASONS:
                reason = "other reasons"
            self._refused[reason] += 1

    def _forget(self) -> None:
        """Count anew in a process that was just forked."""
        # Another thread of the parent may have held the lock.
        self._lock = threading.RLock()
        self._written = 0
        self._refused: Counter[str] = Counter()


def _last_sign(place: int) -> bytes:
    os.lseek(place, -1, os.SEEK_END)
    return os.read(place, 1)


@contextlib.contextmanager
def _locked(place: int) -> Iterator[None]:
    """Hold the lock of an open file, or after a second without it, write all the same."""
    end = time.monotonic() + _LONGEST_LOCK_S
    while _fcntl is not None:
        try:
            _fcntl.flock(place, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > end:
                break
            time.sleep(0.001)
        except OSError:
            break  # A file system without locks.
    yield


_LOGS: weakref.WeakSet[AnswerLog] = weakref.WeakSet()


def _forget_all() -> None:
    for log in list(_LOGS):
        log._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
