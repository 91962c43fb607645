"""The simulation of a forecast: its settings, and what is left of it after Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hayflick.core.checks import whole_number
from hayflick.core.errors import SimulationInterrupted

if TYPE_CHECKING:
    import xarray


def check_running(*, replicates: int, seed: int, threads: int | None) -> None:
    """Refuse settings that no simulation takes, before any work starts.

    Raises
    ------
    ArgumentError
        If one is out of its range; 0 replicates are the law alone.
    """
    whole_number("replicates", replicates, at_least=0)
    whole_number("seed", seed, at_least=0)
    whole_number("threads", 1 if threads is None else threads, at_least=1)


def finished(run: Callable[[], xarray.Dataset]) -> tuple[xarray.Dataset | None, bool]:
    """Return the runs, and whether they were cut short."""
    try:
        return run(), False
    except SimulationInterrupted as stop:
        return stop.partial, True
