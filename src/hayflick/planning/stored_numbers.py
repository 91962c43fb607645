"""Anchors of numbers: the same real numbers are part of every training set.

They are chosen so that their mean and their variance are those of the data, as evenly spaced
quantiles nearly are: then nothing depends on which they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np

from hayflick.chains.gaussian import Gaussian, GaussianChain
from hayflick.chains.moments import Moments
from hayflick.chains.stages.record import Stages
from hayflick.core.arrays import Floats
from hayflick.core.records import Mix, Schedule
from hayflick.core.seeding import stream
from hayflick.simulation.rounds import run_block


@dataclass(frozen=True, slots=True)
class Reserve:
    """Stored numbers, as far as they matter.

    Parameters
    ----------
    total
        How many.
    mean, deviation
        Of them, their number as the divisor; a single one has no deviation.
    """

    total: int
    mean: float
    deviation: float

    def moments(self, replicates: int) -> Moments:
        """Return them as part of every replicate's training set."""
        number = np.full(replicates, float(self.total))
        scatter = self.total * self.deviation**2 if self.total > 1 else 0.0
        return Moments(number, number, np.full(replicates, self.mean), np.full(replicates, scatter))


@final
@dataclass(frozen=True, slots=True)
class StoredNumbers:
    """Train on n - a draws from θ_k and the same a stored real numbers in every round.

    Parameters
    ----------
    reserve
        What is stored.

    Examples
    --------
    >>> mix = StoredNumbers(Reserve(30, mean=0.0, deviation=1.0)).mix(1, samples=100)
    >>> mix.generated, mix.reserved
    (70, 30)
    """

    reserve: Reserve

    def mix(self, generation: int, *, samples: int) -> Mix[Any]:  # noqa: ARG002
        """Return the training set of a generation."""
        return Mix(generated=samples - self.reserve.total, reserve=self.reserve)

    @property
    def constant(self) -> bool:
        """Whether every round has the same mix."""
        return True

    def describe(self) -> str:
        """Return what is stored."""
        return f"anchor:{self.reserve.total} numbers of the data's mean and deviation"


class StoringChain(GaussianChain):
    """The Gaussian family in motion, with stored numbers in its rounds."""

    def mix(self, rng: np.random.Generator, pool: Moments, mix: Mix[Any]) -> Moments:
        """Add what is fresh, and what is stored."""
        pool = super().mix(rng, pool, mix)
        return pool if mix.reserve is None else pool.merge(mix.reserve.moments(pool.mean.size))


def stored_deviations(
    model: Gaussian, mixes: list[Mix[Any]], *, replicates: int, seed: int, stages: Stages
) -> Floats:
    """Return the deviations of runs whose rounds hold stored numbers.

    All runs are one block: the loop over rounds is then a loop over a few array operations.

    Returns
    -------
    Shape ``(replicates, K + 1)``, in the data's units.
    """
    recorded = run_block(
        StoringChain(model, mixes[0].samples, stages),
        Schedule(mixes),
        rng=stream(seed, block=0),
        replicates=replicates,
        tick=lambda _: True,
    )
    if recorded is None:  # pragma: no cover - the block is not told to stop
        raise AssertionError("a block that is never stopped returns its runs")
    deviations: Floats = recorded["deviation"]
    return deviations
