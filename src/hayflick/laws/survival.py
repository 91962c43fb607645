"""Which symbols survive recursive training: the exact law where affordable, else branching.

The baseline is one training on real data alone: a sample of n items already misses rare
symbols, so the cost of recursion is the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import xlog1py

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Regime
from hayflick.laws.branching import Branching
from hayflick.laws.rounds import ChainRounds, rounds_of
from hayflick.laws.wright_fisher import LARGEST_SAMPLE, WrightFisher, affordable
from hayflick.regimes.replace import Replace

_DISTINCT = 4096
# 64 bins per factor e: two nodes per bin give sums over symbols to 1e-7 of themselves.
_BINS_PER_UNIT = 64
_BINNING_ERROR = 1e-7


@dataclass(frozen=True, eq=False)
class FrequencySpectrum:
    """Probabilities and how many symbols have each.

    Parameters
    ----------
    probabilities
        Ascending, shape ``(nodes,)``.
    weights
        Number of symbols at each, shape ``(nodes,)``.
    error
        Of means over symbols that is due to binning: 0 where there is none.
    """

    probabilities: Floats
    weights: Floats
    error: float = 0.0


def spectrum_of(model: Discrete, *, reserve: Integers) -> FrequencySpectrum:
    """Return the distinct probabilities of the symbols that `reserve` does not hold.

    Above 4096 distinct values, each narrow bin of them is replaced by two values with the
    same mean and variance.
    """
    weights = model.weights
    # A scan costs less than a copy of every weight.
    free = weights[reserve == 0] if reserve.any() else weights
    if free.size == 0:
        return FrequencySpectrum(np.empty(0), np.empty(0))
    values, numbers = _distinct(free)
    probabilities = values / model.weights.sum()
    if values.size > _DISTINCT:
        return _binned(probabilities, numbers)
    return FrequencySpectrum(probabilities, numbers)


def _distinct(weights: Integers | Floats) -> tuple[Floats, Floats]:
    whole = np.issubdtype(weights.dtype, np.integer)
    if whole and weights.max() <= 4 * weights.size:
        histogram = np.bincount(weights)
        values = np.flatnonzero(histogram)
        return values.astype(np.float64), histogram[values].astype(np.float64)
    distinct, numbers = np.unique(weights.astype(np.float64), return_counts=True)
    return distinct, numbers.astype(np.float64)


def _binned(probabilities: Floats, numbers: Floats) -> FrequencySpectrum:
    logs = np.log(probabilities)
    place = ((logs - logs[0]) * _BINS_PER_UNIT).astype(np.int64)
    size = np.bincount(place, numbers)
    used = size > 0
    mean = np.bincount(place, numbers * probabilities)[used] / size[used]
    centre = np.zeros(size.size)
    centre[used] = mean
    spread = np.bincount(place, numbers * (probabilities - centre[place]) ** 2)[used]
    deviation = np.sqrt(spread / size[used])
    nodes = np.concatenate([mean - deviation, mean + deviation])
    order = np.argsort(nodes)
    return FrequencySpectrum(nodes[order], np.tile(size[used] / 2, 2)[order], _BINNING_ERROR)


LAWS = ("auto", "exact", "branching")


class SurvivalLaw(Protocol):
    """Gives the chance of symbols to be there in the generations 0 … K."""

    @property
    def name(self) -> str:
        """Which law: ``exact``, ``branching``, or ``simulated`` in place of one."""

    def present(self, probabilities: Floats) -> Floats:
        """Return the chances of symbols of these probabilities, ``(symbols, K + 1)``."""

    def total(self, probabilities: Floats, weights: Floats) -> Floats:
        """Return the sum of the chances by weights, shape ``(K + 1,)``."""

    def error(self, probabilities: Floats) -> Floats:
        """Return how far each chance can lie below the truth."""


@dataclass(frozen=True, eq=False)
class Survival:
    """Survival of a discrete law's symbols over the generations 0 … K.

    Surviving symbols are those in the round's training set.

    Parameters
    ----------
    model, rounds
        The model and its rounds.
    law
        The law that was used.
    surviving_fraction
        Expected share of symbols that survive, shape ``(K + 1,)``, 1 at generation 0.
    error
        Largest distance of `surviving_fraction` from the truth: rounding for the exact
        law, a proven bound for the branching law, which the truth never falls below (but
        for binning, 1e-7, where there are more than 4096 distinct probabilities).
    baseline
        The same share for one training on real data alone (same size), ``(K + 1,)``.
    """

    model: Discrete
    rounds: ChainRounds
    law: SurvivalLaw
    surviving_fraction: Floats
    error: float
    baseline: Floats

    def __repr__(self) -> str:
        kept = f"surviving_fraction=1 … {self.surviving_fraction[-1]:.4g}"
        return f"Survival({self.name!r}, generations={self.generations}, {kept})"

    @property
    def name(self) -> str:
        """Which law: ``exact`` or ``branching``."""
        return self.law.name

    @property
    def generations(self) -> int:
        """The last generation, K."""
        return self.rounds.number

    @property
    def excess_loss(self) -> Floats:
        """What recursion costs beyond the baseline, shape ``(K + 1,)``."""
        return self.baseline - self.surviving_fraction

    def of_symbols(self, symbols: Sequence[str]) -> Floats:
        """Return every named symbol's survival probability, shape ``(symbols, K + 1)``.

        Raises
        ------
        DataError
            If a symbol is not in the data.
        """
        where = self.model.places_of(symbols)
        survival = self.of_probabilities(self.model.probabilities[where])
        survival[self.rounds.reserve[where] > 0] = 1.0
        return survival

    def of_probabilities(self, probabilities: Floats) -> Floats:
        """Return survival probabilities of symbols that no reserve holds.

        Parameters
        ----------
        probabilities
            Their real probabilities, shape ``(symbols,)``.

        Returns
        -------
        Survival probabilities, shape ``(symbols, K + 1)``.
        """
        survival: Floats = self.law.present(np.asarray(probabilities, dtype=np.float64))
        return survival

    def baseline_of(self, probabilities: Floats) -> Floats:
        """Return the chance of being in the last round's training set if all of it were real.

        Parameters
        ----------
        probabilities
            Real probabilities of symbols, shape ``(symbols,)``.
        """
        size = float(self.rounds.samples[-1])
        drawn: Floats = -np.expm1(xlog1py(size, -np.asarray(probabilities)))
        return drawn


def survival(
    model: Discrete,
    *,
    generations: int,
    regime: Regime = Replace(),
    samples: int | None = None,
    law: str = "auto",
) -> Survival:
    """Return the law of which symbols survive.

    Parameters
    ----------
    model
        The real data's law.
    generations
        How many rounds, K.
    regime
        What each round is trained on.
    samples
        Size of a training set; the data's own size where None.
    law
        ``exact`` (training sets of at most 3000), ``branching``, or ``auto``: exact where
        it takes about a second.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or does not fit another.
    DataError
        If a reserve names symbols that the data lack.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 60, "cat": 30, "sat": 9, "here": 1})
    >>> result = survival(words, generations=10)
    >>> result.name, result.surviving_fraction[[0, 1, 10]].round(4).tolist()
    ('exact', [1.0, 0.9085, 0.7408])

    References
    ----------
    Suresh et al., arXiv:2412.17646, Corollary 1 (bounds on the same expectation).
    """
    if law not in LAWS:
        raise ArgumentError("law", got=law, takes=f"one of {', '.join(LAWS)}")
    rounds = rounds_of(model, regime=regime, samples=samples, generations=generations)
    spectrum = spectrum_of(model, reserve=rounds.reserve)
    chosen = _choose(law, rounds, spectrum)
    share = _share(spectrum, chosen, types=model.types)
    bound = float(spectrum.weights @ chosen.error(spectrum.probabilities)) / model.types
    return Survival(
        model=model,
        rounds=rounds,
        law=chosen,
        surviving_fraction=share,
        # No share is above 1.
        error=min(bound + spectrum.error, 1.0 - float(share.min())),
        baseline=_baseline(model, rounds),
    )


def _choose(law: str, rounds: ChainRounds, spectrum: FrequencySpectrum) -> WrightFisher | Branching:
    if law == "exact" and rounds.samples.max() > LARGEST_SAMPLE:
        takes = f"training sets of at most {LARGEST_SAMPLE} items"
        remedy = "use branching, which bounds its error"
        raise ArgumentError("law", got="exact", takes=takes, remedy=remedy)
    if law == "branching":
        return Branching.of(rounds)
    if law == "exact" or affordable(rounds, spectrum.probabilities):
        return WrightFisher(rounds)
    return Branching.of(rounds)


def _share(spectrum: FrequencySpectrum, law: WrightFisher | Branching, *, types: int) -> Floats:
    """Return the surviving share of all types; what a reserve holds survives surely."""
    kept = types - spectrum.weights.sum()
    share: Floats = (law.total(spectrum.probabilities, spectrum.weights) + kept) / types
    share[0] = 1.0
    # Some symbol is in every training set, which the branching law does not know.
    return np.clip(share, 1.0 / types, 1.0)


def _baseline(model: Discrete, rounds: ChainRounds) -> Floats:
    """Return the surviving share after one training on real data alone, of each size."""
    spectrum = spectrum_of(model, reserve=np.zeros(model.types, np.int64))
    sizes, where = np.unique(rounds.samples, return_inverse=True)
    missed = [np.exp(xlog1py(float(size), -spectrum.probabilities)) for size in sizes]
    kept = np.array([1.0 - spectrum.weights @ miss / model.types for miss in missed])
    return np.concatenate([[1.0], kept[where]])
