"""The rounds of a regime as arrays: generated, fresh and stored items of each generation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import ReactiveRegime, Regime


@dataclass(frozen=True, eq=False)
class ChainRounds:
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
    constant
        Whether all later rounds have the same mix, beyond those listed here.
    """

    generated: Integers
    fresh: Integers
    samples: Integers
    reserve: Integers
    uniform: Floats
    constant: bool

    @property
    def number(self) -> int:
        """How many rounds there are."""
        return self.generated.size


def refuse_reactions(regime: Regime) -> None:
    """Refuse a regime whose rounds depend on readings: no law is known for it.

    Raises
    ------
    ArgumentError
        If it is one.
    """
    if isinstance(regime, ReactiveRegime):
        takes = "a regime whose rounds are known beforehand"
        remedy = "no law is known for those that react: simulate it"
        raise ArgumentError("regime", got=regime.describe(), takes=takes, remedy=remedy)


def rounds_of(
    model: Discrete, *, regime: Regime, samples: int | None, generations: int
) -> ChainRounds:
    """Return the rounds of a regime.

    Raises
    ------
    ArgumentError
        If `generations` or `samples` is below 1, the regime does not fit `samples`, its
        reserve is not the same in every round, or its rounds accumulate.
    DataError
        If a reserve names symbols that the model lacks.
    """
    generations = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
    size = model.training_size(samples)
    refuse_reactions(regime)
    mixes = [regime.mix(generation, samples=size) for generation in range(1, generations + 1)]
    if any(mix.accumulate for mix in mixes):
        takes = "a regime that keeps nothing of the rounds before"
        remedy = "no law is known for those that do: simulate it"
        raise ArgumentError("regime", got=regime.describe(), takes=takes, remedy=remedy)
    sizes = np.array([mix.samples for mix in mixes])
    if any(mix.reserve is not mixes[0].reserve for mix in mixes):
        takes = "a regime with the same reserve in every round"
        raise ArgumentError("regime", got=regime.describe(), takes=takes)
    share = model.smoothing.uniform_share
    later = [share(total=int(total), types=model.types) for total in sizes[:-1]]
    return ChainRounds(
        generated=np.array([mix.generated for mix in mixes]),
        fresh=np.array([mix.fresh for mix in mixes]),
        samples=sizes,
        reserve=model.align(mixes[0].reserve),
        uniform=np.array([model.initial_uniform_share, *later]),
        constant=regime.constant,
    )
