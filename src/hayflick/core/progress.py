"""Progress of long work, on standard error if that is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Progress(Protocol):
    """Called with the progress of a stage of the work."""

    def __call__(self, stage: str, done: float, total: float) -> None:
        """Report `done` of `total` units of `stage`."""


def silent(stage: str, done: float, total: float) -> None:
    """Report nothing."""


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Show a bar per stage on standard error if that is a terminal, nothing otherwise.

    Finished stages disappear, so that only the result stays on the screen.
    """
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    console = Console(stderr=True)
    if not console.is_terminal:
        yield silent
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Bars(*columns, console=console, transient=True) as bars:
        tasks = {}

        def report(stage: str, done: float, total: float) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report
