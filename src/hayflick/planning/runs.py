"""How a plan simulates what no law gives."""

from __future__ import annotations

from dataclasses import dataclass

from hayflick.core.progress import Progress, silent


@dataclass(frozen=True)
class Runs:
    """Leave to simulate, and with what.

    Parameters
    ----------
    seed, threads
        Of every simulation: designs that are compared share their random numbers.
    progress
        Told how far a long one has come.
    """

    seed: int = 1
    threads: int | None = None
    progress: Progress = silent
