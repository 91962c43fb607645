"""Progress of long work, and what it takes, on standard error."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from hayflick.core.errors import EffortError

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from hayflick.core.effort import Effort

_LINE_EVERY_S = 60.0
"""Where standard error is no terminal, a line is written so often."""

_COUNTED = ("cells",)
"""Stages whose units a reader counts: how many are done, and how many a second, is told."""


class Progress(Protocol):
    """Called with the progress of a stage of the work."""

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Report `done` of `total` units of `stage`."""


def silent(stage: str, done: float, total: float) -> None:
    """Report nothing."""


class _Lines:
    """Progress of work that takes minutes, as a line a minute."""

    def __init__(self) -> None:
        self._stages: dict[str, tuple[float, float, float]] = {}

    def __call__(self, stage: str, done: float, total: float) -> None:
        now = time.monotonic()
        start, first, last = self._stages.setdefault(stage, (now, done, now))
        if now - last < _LINE_EVERY_S or not first < done < total:
            return
        self._stages[stage] = start, first, now
        # Work that is gone on with begins with what was done before.
        rate = (done - first) / (now - start)
        part = f"{done / total:.0%}"
        if stage in _COUNTED:
            part = f"{done:,.0f} of {total:,.0f}, {_rate(rate)}"
        left = (total - done) / rate
        print(f"{stage}: {part}, about {left / 60.0:.0f} minutes left", file=sys.stderr)


def _rate(rate: float) -> str:
    """Return a rate in the unit in which it is above 1.

    >>> _rate(12.3), _rate(0.5), _rate(0.01)
    ('12 a second', '30 a minute', '36 an hour')
    """
    for unit, seconds in (("a second", 1.0), ("a minute", 60.0)):
        if rate * seconds >= 1.0:
            return f"{rate * seconds:,.0f} {unit}"
    return f"{rate * 3600.0:,.0f} an hour"


class _Terminal:
    """Progress as a bar per stage."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: float, total: float) -> None:
        if stage not in self._tasks:
            # What was done before is no part of the rate, nor of the time that is left.
            self._tasks[stage] = self._bars.add_task(stage, total=total, completed=int(done))
        self._bars.update(self._tasks[stage], completed=done, total=total)
        task = next(one for one in self._bars.tasks if one.id == self._tasks[stage])
        if stage in _COUNTED and task.speed:
            said = f"{stage}: {done:,.0f} of {total:,.0f}, {_rate(task.speed)}"
            self._bars.update(task.id, description=said)


class CommandProgress:
    """Progress of a command: it announces long work, and asks before very long work.

    Parameters
    ----------
    reported
        Shows the progress of a stage.
    yes
        Whether the work was agreed to beforehand (``--yes``).
    bars
        The terminal's bars, which are hidden while it asks; None where there is no terminal.
    """

    def __init__(self, reported: Progress, *, yes: bool, bars: Bars | None = None) -> None:
        self._reported, self._yes, self._bars = reported, yes, bars
        self._announced_s = self._agreed_s = self._agreed_bytes = 0.0

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Report `done` of `total` units of `stage`."""
        self._reported(stage, done, total)

    def expect(self, effort: Effort) -> None:
        """Announce work; stages of work that was announced as a whole are not announced again.

        Raises
        ------
        EffortError
            If it takes more than 30 minutes or 4 GB and nobody agrees.
        """
        within = effort.seconds <= self._agreed_s and effort.memory <= self._agreed_bytes
        asks = effort.needs_consent and not within
        if asks and not (self._yes or self._confirmed(effort)):
            raise EffortError(f"{effort}; add --yes to start it, or take smaller settings")
        if asks:
            self._agreed_s = max(self._agreed_s, effort.seconds)
            self._agreed_bytes = max(self._agreed_bytes, effort.memory)
        if effort.is_long and effort.seconds > self._announced_s:
            self._announced_s = effort.seconds
            print(f"note: {effort}", file=sys.stderr, flush=True)

    def _confirmed(self, effort: Effort) -> bool:
        if self._bars is None or not (sys.stdin is not None and sys.stdin.isatty()):
            return False
        self._bars.stop()
        print(f"{effort}. Start it? [y/N] ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline().strip().lower()
        self._bars.start()
        return answer in ("y", "yes")


@contextmanager
def progress_bar(*, yes: bool = True) -> Iterator[CommandProgress]:
    """Show progress on standard error: a bar per stage on a terminal, else a line a minute.

    Finished stages disappear, so that only the result stays on the screen.

    Parameters
    ----------
    yes
        Whether work of more than 30 minutes or 4 GB is started without asking; the commands
        ask, unless they get ``--yes``.

    Examples
    --------
    >>> import hayflick as hf
    >>> with progress_bar() as progress:
    ...     runs = hf.simulate(
    ...         hf.Bernoulli(0.2), samples=20, generations=5, replicates=32, progress=progress
    ...     )
    """
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    if not console.is_terminal:
        yield CommandProgress(_Lines(), yes=yes)
        return
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        yield CommandProgress(_Terminal(bars), yes=yes, bars=bars)
