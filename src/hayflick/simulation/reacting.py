"""One logical block whose rounds depend on what was read: every run has a course of its own.

read → decide → generate → mix → estimate. Runs of a block part ways at the first decision, so
each has its own stream, split off the block's in order.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import (
    Chain,
    ReactiveRegime,
    Recorded,
    Responder,
)
from hayflick.core.records import Reading, Schedule
from hayflick.simulation.steps import Step, advance


def check_metrics(chain: Chain[Any, Any], regime: ReactiveRegime) -> None:
    """Refuse a regime that reads what the family does not measure.

    Raises
    ------
    ArgumentError
        If it does; the nearest name is offered.
    """
    measured = chain.measure(chain.start(1))
    names = [name for name, values in measured.items() if values.ndim == 1]
    for metric in regime.metrics:
        if metric not in names:
            near = difflib.get_close_matches(metric, names, n=1)
            remedy = f"did you mean {near[0]}?" if near else ""
            raise ArgumentError("metric", got=metric, takes=_one_of(names), remedy=remedy)


def _one_of(names: Sequence[str]) -> str:
    return f"one of {', '.join(names)}"


def reacted(
    chain: Chain[Any, Any], schedule: Schedule, *, rng: np.random.Generator, replicates: int
) -> Iterator[Step]:
    """Yield every generation; beside the models', what was put in and decided.

    ``real_items`` are those of the generation's training set, ``actions`` counts what was
    decided on its reading.
    """
    assert schedule.respond is not None
    runs = [_Run(chain, own, schedule.respond()) for own in rng.spawn(replicates)]
    yield _step(runs, [run.start() for run in runs])
    for generation in range(1, len(schedule.mixes) + 1):
        yield _step(runs, [run.round(generation) for run in runs])


@dataclass
class _Run:
    """One replicate."""

    chain: Chain[Any, Any]
    rng: np.random.Generator
    responder: Responder
    population: Any = None

    def start(self) -> Recorded:
        """Return what the fit to the real data leaves behind."""
        self.population = self.chain.start(1)
        measured = self.chain.measure(self.population)
        return {**measured, "real_items": np.zeros(1, np.int64), "actions": np.zeros(1, np.int64)}

    def round(self, generation: int) -> Recorded:
        """Make a round, read it, and return what it leaves behind."""
        mix = self.responder.mix(generation, samples=self.chain.samples)
        self.population = advance(self.chain, self.rng, self.population, mix)
        measured = self.chain.measure(self.population)
        actions = self.responder.read(_reading(generation, measured))
        real = np.array([mix.fresh + mix.reserved])
        return {**measured, "real_items": real, "actions": np.array([len(actions)])}


def _reading(generation: int, measured: Recorded) -> Reading:
    """Return the numbers of one replicate; what is undefined is left out."""
    single = {name: float(values[0]) for name, values in measured.items() if values.ndim == 1}
    return Reading(generation, {name: value for name, value in single.items() if value == value})


def _step(runs: Sequence[_Run], recorded: Sequence[Recorded]) -> Step:
    populations = [run.population for run in runs]
    return partial(_last, runs[0].chain, populations), _side_by_side(recorded)


def _last(chain: Chain[Any, Any], populations: Sequence[Any]) -> Recorded:
    return _side_by_side([chain.measure_last(population) for population in populations])


def _side_by_side(recorded: Sequence[Recorded]) -> Recorded:
    return {name: np.concatenate([one[name] for one in recorded]) for name in recorded[0]}
