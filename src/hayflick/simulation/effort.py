"""What a simulation takes, from a trial of its first rounds."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from hayflick.core.effort import Effort
from hayflick.core.protocols import Chain
from hayflick.core.records import Schedule
from hayflick.core.reproducibility import LOGICAL_BLOCK, stream
from hayflick.simulation.blocks import (
    COMPILED_TOGETHER,
    ROUNDS_PER_CALL,
    compiled_chain,
    run_block,
    run_compiled,
)

_UNTRIED_S = 10.0
_TRIAL_S = 0.5
_POLL_S = 0.05
_ITEM_S, _ROUND_S = 6e-8, 2e-6
_MIX_BYTES, _COPIES = 300.0, 4.0
_WHOLE = 16


def simulation_effort(
    chain: Chain[Any, Any],
    schedule: Schedule,
    *,
    replicates: int,
    threads: int,
    workers: int | None = None,
) -> Effort:
    """Return what a simulation takes; where it may be long, its first rounds are timed.

    Parameters
    ----------
    chain, schedule
        The chain of the family, and what its generations are trained on.
    replicates, threads
        Number of runs, and how many blocks of them work at once.
    workers
        How many do on a cluster, with its own memory; None for this machine.
    """
    rounds = len(schedule.mixes)
    population = chain.start(1)
    numbers = _bytes(tuple(chain.measure(population).values()))
    # What is measured is kept by block, and joined at the end.
    memory = rounds * (_COPIES * replicates * numbers + _MIX_BYTES)
    memory += (
        _COPIES
        * (threads if workers is None else 1)
        * min(replicates, LOGICAL_BLOCK)
        * _bytes(population)
    )
    most = max(mix.samples for mix in schedule.mixes[:1])
    seconds = replicates * rounds * (most * _ITEM_S + _ROUND_S)
    if schedule.respond is not None or seconds > _UNTRIED_S:
        blocks = -(-replicates // LOGICAL_BLOCK)
        at_once = min(threads, os.cpu_count() or 1) if workers is None else workers
        together = min(at_once, blocks)
        side_by_side = compiled_chain(chain, schedule) is not None and blocks >= _WHOLE * together
        tried = COMPILED_TOGETHER if side_by_side else 1
        seconds = _seconds_a_round(chain, schedule, min(replicates, LOGICAL_BLOCK), tried)
        seconds *= rounds * blocks / tried / together
    return Effort(f"simulating {replicates:,} runs of {rounds:,} rounds", seconds, memory)


def _bytes(population: Any) -> float:
    """Return the size of the arrays that a population consists of."""
    if isinstance(population, np.ndarray):
        return float(population.nbytes)
    parts = population if isinstance(population, tuple) else vars(population).values()
    return sum(_bytes(part) for part in parts if isinstance(part, np.ndarray | tuple))


def _seconds_a_round(
    chain: Chain[Any, Any], schedule: Schedule, replicates: int, blocks: int
) -> float:
    """Return how long a round of blocks side by side takes, by trying the first ones.

    Another thread does: Ctrl-C must not break compiled code off while it is loaded.
    """
    stop = threading.Event()
    with ThreadPoolExecutor(1) as executor:
        trial = executor.submit(_timed_rounds, chain, schedule, replicates, blocks, stop)
        try:
            while not wait([trial], timeout=_POLL_S).done:
                pass
        finally:
            stop.set()
    return trial.result()


def _timed_rounds(
    chain: Chain[Any, Any], schedule: Schedule, replicates: int, blocks: int, stop: threading.Event
) -> float:
    """Return how long a round takes; the first is left out: kernels are compiled in it."""
    times, done = [time.monotonic()], [0]

    def tick(rounds: int) -> bool:
        times.append(time.monotonic())
        done.append(done[-1] + rounds // blocks)
        return not stop.is_set() and times[-1] - times[min(1, len(times) - 2)] < _TRIAL_S

    compiled = compiled_chain(chain, schedule)
    if compiled is None:
        run_block(chain, schedule, rng=stream(0, block=0), replicates=replicates, tick=tick)
    else:
        for _ in range(2):
            head = Schedule(schedule.mixes[:ROUNDS_PER_CALL], None)
            rngs = tuple(stream(0, block=block) for block in range(blocks))
            run_compiled(compiled, head, rngs=rngs, replicates=replicates * blocks, tick=tick)
    start = 1 if len(times) > 2 else 0
    return (times[-1] - times[start]) / max(1, done[-1] - done[start])
