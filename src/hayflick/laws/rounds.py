"""A regime's rounds as numbers: how many items of which kind each generation is trained on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import whole_number
from hayflick.core.protocols import Regime


@dataclass(frozen=True, eq=False)
class Rounds:
    """The rounds of one discrete chain, from generation 1 on.

    Parameters
    ----------
    generated, fresh
        Items drawn from the previous model, and from the real law, shape ``(rounds,)``.
    samples
        Size of each training set, shape ``(rounds,)``.
    reserve
        Stored items by symbol, shape ``(types,)``.
    uniform
        Share of the previous model's mass that smoothing spreads evenly, ``(rounds,)``.
    """

    generated: Integers
    fresh: Integers
    samples: Integers
    reserve: Integers
    uniform: Floats

    @property
    def number(self) -> int:
        """How many rounds there are."""
        return self.generated.size

    @property
    def homogeneous(self) -> bool:
        """Whether every round is like the first (but for smoothing of the real data)."""
        return all(np.ptp(kind) == 0 for kind in (self.generated, self.fresh, self.samples))


def rounds_of(model: Discrete, *, regime: Regime, samples: int | None, generations: int) -> Rounds:
    """Return the rounds of a regime.

    Raises
    ------
    ArgumentError
        If `generations` or `samples` is below 1, or the regime does not fit `samples`.
    DataError
        If a reserve names symbols that the model lacks.
    """
    generations = whole_number("generations", generations, at_least=1)
    size = model.training_size(samples)
    mixes = [regime.mix(generation, samples=size) for generation in range(1, generations + 1)]
    sizes = np.array([mix.samples for mix in mixes])
    share = model.estimator.uniform_share
    later = [share(total=int(total), types=model.types) for total in sizes[:-1]]
    return Rounds(
        generated=np.array([mix.generated for mix in mixes]),
        fresh=np.array([mix.fresh for mix in mixes]),
        samples=sizes,
        reserve=model.align(mixes[0].reserve),
        uniform=np.array([model.initial_uniform_share, *later]),
    )
