"""Ours against an alternative, in pairs: machines drift, a ratio within a pair does not."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """A line of the table."""

    name: str
    ours: str
    alternative: str
    figure: str
    target: str
    met: bool


def seconds(task: Callable[[], object]) -> float:
    """Return how long a task takes."""
    start = time.perf_counter()
    task()
    return time.perf_counter() - start


def ratio(
    name: str,
    *,
    ours: Callable[[], object],
    alternative: Callable[[], object],
    described: tuple[str, str],
    target: float,
    pairs: int,
    scale: float = 1.0,
) -> Result:
    """Return how many times faster ours is, after one warm-up of it.

    `scale` is how many times the alternative would have to run to do the same work.
    """
    ours()
    times = [(seconds(ours), scale * seconds(alternative)) for _ in range(pairs)]
    ratios = sorted(theirs / mine for mine, theirs in times)
    median = statistics.median(ratios)
    mine, theirs = (statistics.median(column) for column in zip(*times, strict=True))
    return Result(
        name=name,
        ours=f"{described[0]}: {mine:.3g} s",
        alternative=f"{described[1]}: {theirs:.3g} s",
        figure=f"{median:.1f} × ({ratios[0]:.1f} to {ratios[-1]:.1f})",
        target=f"≥ {target:g} ×",
        met=median >= target,
    )


def duration(
    name: str, *, task: Callable[[], object], described: str, target: float, runs: int
) -> Result:
    """Return how long a task takes, after one warm-up."""
    task()
    times = sorted(seconds(task) for _ in range(runs))
    median = statistics.median(times)
    return Result(
        name=name,
        ours=described,
        alternative="",
        figure=f"{median:.3g} s ({times[0]:.3g} to {times[-1]:.3g})",
        target=f"< {target:g} s",
        met=median < target,
    )
