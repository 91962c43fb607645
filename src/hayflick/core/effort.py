"""What work takes, said before it starts: about how long, and how much memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from hayflick.core.errors import EffortError

LONG_S = 60.0
"""Work that takes longer is announced."""

CONSENT_S, CONSENT_BYTES = 1800.0, 4e9
"""Work that takes more of either is not started on the command line without consent."""

_SPANS = ((86_400.0 * 365, "years"), (86_400.0, "days"), (3600.0, "hours"), (60.0, "minutes"))


@dataclass(frozen=True, slots=True)
class Effort:
    """A rough estimate of what work takes; a factor of three off is good.

    Parameters
    ----------
    work
        What is done, as a phrase: ``"simulating 200 runs of 1,000,000 rounds"``.
    seconds
        Until it is done.
    memory
        Bytes at its peak.

    Examples
    --------
    >>> print(Effort("simulating 200 runs", seconds=7200, memory=5e9))
    simulating 200 runs takes about 2 hours and 5 GB of memory
    """

    work: str
    seconds: float = 0.0
    memory: float = 0.0

    def __str__(self) -> str:
        parts = [_span(self.seconds)] if self.seconds >= 1.0 else []
        parts += [_size(self.memory)] if self.memory >= 1e9 or not parts else []
        return f"{self.work} takes about {' and '.join(parts)}"

    @property
    def is_long(self) -> bool:
        """Whether it is announced."""
        return self.seconds > LONG_S or self.needs_consent

    @property
    def needs_consent(self) -> bool:
        """Whether the command line asks before it starts."""
        return self.seconds > CONSENT_S or self.memory > CONSENT_BYTES


@runtime_checkable
class EffortProgress(Protocol):
    """Progress that wants to know beforehand what the work takes."""

    def expect(self, effort: Effort) -> None:
        """Announce work, and raise an error if it must not start."""


def expect(progress: Callable[..., None], effort: Effort) -> None:
    """Say what work takes before it starts. Python is not asked, but memory is checked.

    Parameters
    ----------
    progress
        Is told, if it has a method ``expect``: that of the command line announces work of more
        than a minute, and asks before work of more than 30 minutes or 4 GB.
    effort
        The estimate.

    Raises
    ------
    EffortError
        If the work takes more memory than the machine has, or is not agreed to.

    Examples
    --------
    >>> from hayflick.core.progress import silent
    >>> expect(silent, Effort("sorting", seconds=9e9))
    >>> expect(silent, Effort("sorting", memory=1e15))
    Traceback (most recent call last):
        ...
    hayflick.core.errors.EffortError: sorting takes about 1,000,000 GB of memory, ...
    """
    machine = machine_memory()
    if effort.memory > machine:
        has = f"this machine has {_size(machine)}"
        raise EffortError(f"{effort}, {has}; take smaller settings")
    if isinstance(progress, EffortProgress):
        progress.expect(effort)


class StageProgress:
    """Progress of a part of the work under a name of its own; what the part takes is announced.

    Parameters
    ----------
    progress
        Of the whole work.
    stage
        What its stages are called.
    times
        How many such parts there are; what all of them take is announced.

    Examples
    --------
    >>> StageProgress(lambda *stage: print(*stage), "numbering")("reading", 1, 2)
    numbering 1 2
    """

    def __init__(self, progress: Callable[..., None], stage: str, *, times: int = 1) -> None:
        self._progress, self._stage, self._times = progress, stage, times

    def __call__(self, stage: str, done: float, total: float) -> None:  # noqa: ARG002
        """Report `done` of `total` units of the part."""
        self._progress(self._stage, done, total)

    def expect(self, effort: Effort) -> None:
        """Announce all parts."""
        if self._times > 1:
            work = f"{self._times} times {effort.work}"
            effort = replace(effort, work=work, seconds=self._times * effort.seconds)
        expect(self._progress, effort)


def machine_memory() -> float:
    """Return the memory in bytes of this machine, or of the container that we are in."""
    try:
        found = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return float("inf")
    try:
        with open("/sys/fs/cgroup/memory.max") as file:
            return min(found, float(file.read()))
    except (OSError, ValueError):
        # No such file, or "max".
        return found


def _span(seconds: float) -> str:
    for unit, name in _SPANS:
        if seconds >= 1.5 * unit:
            return f"{seconds / unit:,.0f} {name}"
    return f"{max(1.0, seconds):.0f} seconds"


def _size(number: float) -> str:
    return f"{number / 1e9:,.0f} GB of memory" if number >= 1e9 else "little memory"
