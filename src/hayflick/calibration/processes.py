"""Run a program of the user's, and end it with all that it started where it takes too long."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from hayflick.core.display_text import display_text
from hayflick.core.errors import TrainerError

Tick: TypeAlias = Callable[[float], None]
"""Called about every second with the seconds that a command has taken."""


class HoursUsed(Exception):  # noqa: N818
    """The stated hours were used before a command was done; it was ended.

    Attributes
    ----------
    seconds : float
        That it took.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(seconds)


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long a command may take, in seconds; None for no limit.

    Parameters
    ----------
    timeout
        Of the command itself.
    budget
        What is left of the hours of all rounds.
    """

    timeout: float | None = None
    budget: float | None = None


LONGEST_LINE = 300
"""Characters shown of a line that a trainer has printed."""

_GRACE_S = 5.0
_TICK_S = 1.0
_LARGEST_LOG = 1 << 28
_TAIL_BYTES = 1 << 14
_TAIL_LINES = 5

RUNNING, OUTPUT, ERRORS = "running.json", "stdout.log", "stderr.log"
"""Files in the folder of a stage: which process is at work there, and what it prints."""


def run_process(
    arguments: list[str], *, what: str, folder: Path, place: Path, limits: TimeLimits, tick: Tick
) -> None:
    """Run a program until it ends, with what it prints in files.

    Whatever ends the wait, Ctrl-C too, ends the program and the processes that it started.

    Parameters
    ----------
    arguments
        The program and its arguments.
    what
        What it is, for messages.
    folder
        Where it runs.
    place
        Folder of these files.
    limits, tick
        See `Trainer.run`.

    Raises
    ------
    TrainerError
        If it cannot be started, fails, prints too much, or takes longer than its timeout.
    HoursUsed
        If it takes longer than the budget.
    """
    with open(place / OUTPUT, "wb") as output, open(place / ERRORS, "wb") as errors:
        try:
            process = subprocess.Popen(
                arguments,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                # A group of its own, so that what it starts can be ended with it.
                start_new_session=True,
            )
        except OSError as fault:
            reason = (fault.strerror or "cannot be started").lower()
            raise TrainerError(f"{what}: {display_text(arguments[0])}: {reason}") from None
    try:
        _write_running(place, process.pid)
        _wait(process, what=what, place=place, limits=limits, tick=tick)
    except BaseException:
        _end_group(process)
        raise
    finally:
        (place / RUNNING).unlink(missing_ok=True)
    if process.returncode:
        raise TrainerError(f"{what}: {_ended(process.returncode)}{_last_lines(place / ERRORS)}")


def _wait(
    process: subprocess.Popen[bytes], *, what: str, place: Path, limits: TimeLimits, tick: Tick
) -> None:
    done = threading.Event()
    # A thread that waits is told at once; a wait with a time limit would look every 50 ms.
    threading.Thread(target=_wait_for, args=(process, done), daemon=True).start()
    start = time.monotonic()
    stated = [one for one in (limits.timeout, limits.budget) if one is not None]
    limit = min(stated, default=float("inf"))
    taken = 0.0
    while not done.wait(max(0.0, min(_TICK_S, limit - taken))):
        taken = time.monotonic() - start
        tick(taken)
        # Says how long the command has worked, should this process be killed.
        with suppress(FileNotFoundError):
            os.utime(place / RUNNING)
        if any(_size(place / log) > _LARGEST_LOG for log in (OUTPUT, ERRORS)):
            remedy = "let it print less"
            raise TrainerError(f"{what}: printed more than {_LARGEST_LOG:,} bytes; {remedy}")
        if taken < limit:
            continue
        if limits.timeout is None or limit < limits.timeout:
            raise HoursUsed(taken)
        ended = f"not done after {limits.timeout:g} seconds (timeout), and ended"
        said = _last_lines(place / ERRORS)
        raise TrainerError(f"{what}: {ended}{said}; raise timeout if it needs more")


def _wait_for(process: subprocess.Popen[bytes], done: threading.Event) -> None:
    process.wait()
    done.set()


def _ended(status: int) -> str:
    if status > 0:
        return f"failed with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = str(-status)
    return f"was ended by the signal {name}" + (
        "; was there too little memory?" if name == "SIGKILL" else ""
    )


def _last_lines(log: Path) -> str:
    """Return the last lines of a log for a message, and where it is."""
    if not _size(log):
        return ", and said nothing on stderr"
    with open(log, "rb") as file:
        file.seek(max(0, _size(log) - _TAIL_BYTES))
        text = file.read().decode("utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()][-_TAIL_LINES:]
    if not lines:
        return ", and said nothing on stderr"
    shown = " / ".join(display_text(line, longest=LONGEST_LINE) for line in lines)
    return f"; stderr ends with: {shown} ({log})"


def _size(log: Path) -> int:
    # A trainer that tidies up may have removed it.
    return log.stat().st_size if log.is_file() else 0


def _end_group(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started: asked first, then killed."""
    _signal_group(process.pid, signal.SIGTERM)
    try:
        with suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
    finally:
        # Also where a second Ctrl-C ends the wait.
        _signal_group(process.pid, _KILL)
        process.wait()


# Windows has neither groups nor this signal.
_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
_send: Callable[[int, int], None] = getattr(os, "killpg", os.kill)


def _signal_group(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        _send(pid, number)


def _write_running(place: Path, pid: int) -> None:
    record = {"pid": pid, "started": _started(pid), "time": time.time()}
    (place / RUNNING).write_text(json.dumps(record), encoding="utf-8")


def end_leftover(place: Path) -> float:
    """End a process that a loop which was killed has left at work in the folder of a stage.

    Returns
    -------
    The seconds that it has worked, as far as they are known.
    """
    file = place / RUNNING
    try:
        record: Any = json.loads(file.read_text(encoding="utf-8"))
        pid, started, begun = int(record["pid"]), record["started"], float(record["time"])
        seen = file.stat().st_mtime
    except (OSError, ValueError, LookupError, TypeError):
        return 0.0
    # Another process may have got its number since.
    if started is not None and _started(pid) == started:
        _signal_group(pid, _KILL)
        seen = time.time()
    return max(0.0, seen - begun)


def _started(pid: int) -> str | None:
    """Return when a process started, as Linux counts it; None where that is not known."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        # What stands before is the program's name in brackets, which may hold anything.
        return status.rpartition(")")[2].split()[19]
    except (OSError, LookupError):
        return None
