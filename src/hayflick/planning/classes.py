"""What becomes of every class of a column, and how much of the real data a loss concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from hayflick.chains.block_counts import BlockCounts
from hayflick.chains.discrete import Discrete
from hayflick.chains.resampled import ResampledChain
from hayflick.chains.resampler import Resampler
from hayflick.chains.stages import Stages
from hayflick.core.arrays import Floats, Integers
from hayflick.core.protocols import Recorded, Regime
from hayflick.core.records import Mix
from hayflick.corpus.counts import Counts
from hayflick.laws.count_law import BRANCHING, SIMULATED, at_least_by_law, expected_counts
from hayflick.laws.rounds import rounds_of
from hayflick.laws.survival import Survival, spectrum_of
from hayflick.laws.symbol_counts import LARGEST_PROBABILITY
from hayflick.planning.confidence import MOST_CLASSES, default_least
from hayflick.simulation.simulate import simulate

ACCUMULATED_RUNS = 500
"""Simulated runs of rounds that accumulate, of which no law is known."""


_TRAINED_RUNS = 512
_COUNTS = "counts"


@dataclass(frozen=True, slots=True)
class ClassOutlook:
    """What becomes of a class up to the last round.

    Parameters
    ----------
    symbol, count
        The class, and its count in the real data (expected, for a law without data).
    gone
        Probability that the last round's training set lacks it.
    expected
        Its expected number of examples there.
    least
        How many examples it needs.
    below_least
        Probability that the last round's training set holds fewer.
    below_half
        Probability that it holds fewer than half as many as the first model's data.
    law
        ``exact``, ``branching`` or ``simulated``: how the probabilities were found.
    enough
        Probability to hold at least `least`, in the rounds 0 … K.
    """

    symbol: str
    count: float
    gone: float
    expected: float
    least: int
    below_least: float
    below_half: float
    law: str
    enough: tuple[float, ...] = field(repr=False)


def class_outlooks(
    model: Discrete,
    *,
    regime: Regime,
    generations: int,
    samples: int | None = None,
    least: Integers | None = None,
    seed: int = 1,
) -> tuple[ClassOutlook, ...]:
    """Return what becomes of each of at most 200 classes, the most frequent first.

    Parameters
    ----------
    model
        The real data's law.
    regime, generations, samples
        What each of how many rounds is trained on.
    least
        How many examples every class needs, shape ``(types,)``; the default where None, see
        `hayflick.planning.confidence.default_least`.
    seed
        Of the simulations of classes that no law covers.

    Returns
    -------
    Nothing for more classes. Where rounds accumulate, the counts are those of simulated runs in
    the last training set: all that is kept, or the sample of it.

    Examples
    --------
    >>> from hayflick.regimes.replace import Replace
    >>> labels = Discrete.from_counts({"R": 3000, "PG-13": 1500, "PG": 400, "NC-17": 16})
    >>> rare = class_outlooks(labels, regime=Replace(), generations=50)[-1]
    >>> rare.symbol, round(rare.gone, 2), round(rare.expected, 6)
    ('NC-17', 0.54, 16.0)
    """
    size = model.training_size(samples)
    if isinstance(model.estimator, Resampler):
        return _trained_outlooks(model, regime, generations, size, least, seed)
    if model.types > MOST_CLASSES:
        return ()
    if regime.mix(1, samples=size).accumulate:
        mixes = [regime.mix(k, samples=size) for k in range(1, generations + 1)]
        return _accumulated(model, mixes, least=least, seed=seed)
    rounds = rounds_of(model, regime=regime, samples=size, generations=generations)
    p, stored = model.probabilities, rounds.reserve
    needed = default_least(model) if least is None else least
    half = np.ceil(p * size / 2.0 - 1e-9).astype(np.int64)
    ones = np.ones(model.types, np.int64)
    chances, law = at_least_by_law(
        rounds,
        np.tile(p, 3),
        least=np.concatenate([ones, needed, np.maximum(half, 1)]),
        stored=np.tile(stored, 3),
        seed=seed,
    )
    present, enough, halves = chances.reshape(3, model.types, -1)
    expected = expected_counts(rounds, p, stored=stored)[:, -1]
    counts = model.weights if model.total else p * size
    return tuple(
        ClassOutlook(
            symbol=model.symbols[place],
            count=counts[place].item(),
            gone=1.0 - float(present[place, -1]),
            expected=float(expected[place]),
            least=int(needed[place]),
            below_least=1.0 - float(enough[place, -1]),
            below_half=1.0 - float(halves[place, -1]),
            law=BRANCHING if law == SIMULATED and p[place] <= LARGEST_PROBABILITY else law,
            enough=tuple(enough[place].tolist()),
        )
        for place in np.argsort(-model.weights, kind="stable")
    )


def _accumulated(
    model: Discrete, mixes: Sequence[Mix[Counts]], *, least: Integers | None, seed: int
) -> tuple[ClassOutlook, ...]:
    """Return what simulated runs hold of every class where earlier data stay."""
    rng, p = np.random.default_rng(seed), model.probabilities
    needed = default_least(model) if least is None else least
    first = mixes[0].subsample or mixes[0].samples
    real = np.rint(p * first).astype(np.int64) if model.counts is None else model.counts
    pool = np.tile(real, (ACCUMULATED_RUNS, 1))
    law, trained = np.broadcast_to(p, pool.shape), pool
    enough = np.ones((len(mixes) + 1, model.types))
    for k, mix in enumerate(mixes, 1):
        pool = pool + rng.multinomial(mix.generated, law)
        pool += rng.multinomial(mix.fresh, p, size=ACCUMULATED_RUNS) + model.align(mix.reserve)
        trained = pool
        if mix.subsample is not None:
            drawn = (rng.multivariate_hypergeometric(row, mix.subsample) for row in pool)
            trained = np.stack(list(drawn))
        enough[k] = (trained >= needed).mean(axis=0)
        law = trained / trained.sum(axis=1, keepdims=True)
    return _outlooks_of_runs(model, trained, enough, least=needed, samples=first)


def _outlooks_of_runs(
    model: Discrete, last: Integers, enough: Floats, *, least: Integers, samples: int
) -> tuple[ClassOutlook, ...]:
    """Return what simulated runs say of every class, the most frequent first.

    `last` are the counts of the last round, ``(runs, types)``, and `enough` the shares of runs that
    hold enough examples, ``(K + 1, types)``.
    """
    real = model.weights if model.total else model.probabilities * samples
    half = np.maximum(np.ceil(model.probabilities * samples / 2.0 - 1e-9), 1.0)
    return tuple(
        ClassOutlook(
            symbol=model.symbols[place],
            count=real[place].item(),
            gone=float(np.mean(last[:, place] == 0)),
            expected=float(last[:, place].mean()),
            least=int(least[place]),
            below_least=1.0 - float(enough[-1, place]),
            below_half=float(np.mean(last[:, place] < half[place])),
            law=SIMULATED,
            enough=tuple(enough[:, place].tolist()),
        )
        for place in np.argsort(-model.weights, kind="stable")
    )


def _trained_outlooks(
    model: Discrete,
    regime: Regime,
    generations: int,
    samples: int,
    least: Integers | None,
    seed: int,
) -> tuple[ClassOutlook, ...]:
    """Return what becomes of the classes of a trained model, in simulated runs."""
    if model.types > MOST_CLASSES or regime.mix(1, samples=samples).accumulate:
        return ()
    return simulated_classes(
        model,
        regime=regime,
        samples=samples,
        generations=generations,
        least=default_least(model) if least is None else least,
        replicates=_TRAINED_RUNS,
        seed=seed,
        threads=None,
        executor=None,
    )


class _CountedChain(ResampledChain):
    """Rounds of a trained model, and the count of every symbol in them."""

    @override
    def measure(self, population: BlockCounts) -> Recorded:
        counts = np.zeros((population.replicates, self.model.types), np.int32)
        if population.size == 0:
            counts[:] = np.rint(self.model.probabilities * self.samples)
        symbols, found, offsets = population.sparse
        counts[np.repeat(np.arange(len(counts)), np.diff(offsets)), symbols] = found
        return {_COUNTS: counts}

    @override
    def measure_last(self, population: BlockCounts) -> Recorded:
        return {}

    @override
    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        return {_COUNTS: ("place", np.arange(self.model.types))}


@dataclass(frozen=True, eq=False)
class _CountedModel(Discrete):
    """A law whose runs record the count of every symbol."""

    @override
    def chain(self, samples: int, *, stages: Stages = Stages()) -> _CountedChain:
        return _CountedChain(self, self.training_size(samples), stages)


def simulated_classes(
    model: Discrete,
    *,
    regime: Regime,
    samples: int,
    generations: int,
    least: Integers,
    replicates: int,
    seed: int,
    threads: int | None,
    executor: Executor | None,
) -> tuple[ClassOutlook, ...]:
    """Return what becomes of every class under a trained model, the most frequent first.

    Parameters are those of `class_outlooks` and `hayflick.simulate`.
    """
    counted = _CountedModel(model.symbols, model.weights, model.estimator, model.source)
    runs = simulate(
        counted,
        regime=regime,
        samples=samples,
        generations=generations,
        replicates=replicates,
        seed=seed,
        threads=threads,
        executor=executor,
    )
    counts = runs[_COUNTS].to_numpy()
    enough = (counts >= least).mean(axis=0)
    enough[0] = 1.0
    return _outlooks_of_runs(model, counts[:, -1], enough, least=least, samples=samples)


def mass_lost(survived: Survival) -> Floats:
    """Return which share of the real data lost types cover, in the rounds 0 … K: Σ p_0 Pr(N_k = 0).

    Of the branching law, which is a lower bound on what survives, it is an upper bound.

    Examples
    --------
    >>> from hayflick.laws.survival import survival
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> mass_lost(survival(words, generations=10))[[0, 1, 10]].round(4).tolist()
    [0.0, 0.0037, 0.0268]
    """
    spectrum = spectrum_of(survived.model, reserve=survived.rounds.reserve)
    mass = spectrum.weights * spectrum.probabilities
    lost: Floats = mass.sum() - survived.law.total(spectrum.probabilities, mass)
    lost[0] = 0.0
    return np.clip(lost, 0.0, 1.0)
