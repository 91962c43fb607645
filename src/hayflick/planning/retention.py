"""Retention: the share of what a plan is to keep that is left, round by round."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from scipy.special import bdtrc, xlog1py

from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.laws.branching import Branching
from hayflick.laws.count_law import MOST_PRODUCTS, at_least_by_law
from hayflick.laws.rounds import ChainRounds
from hayflick.laws.wright_fisher import WrightFisher, affordable


@dataclass(frozen=True, eq=False)
class TypeGroups:
    """Types grouped by probability and weight: all that a target needs to know of them.

    Parameters
    ----------
    probabilities
        Real probability of each type of a group, shape ``(groups,)``.
    numbers
        How many types a group holds, shape ``(groups,)``.
    weights
        Weight of one of these types, shape ``(groups,)``.
    least
        Items that a training set must hold of one of these types to keep it, ``(groups,)``.
    """

    probabilities: Floats
    numbers: Floats
    weights: Floats
    least: Integers

    @property
    def total_weights(self) -> Floats:
        """Weight of all types of a group together, shape ``(groups,)``."""
        return self.numbers * self.weights

    def reordered(self, indices: Integers) -> TypeGroups:
        """Return the groups in another order."""
        return TypeGroups(
            self.probabilities[indices],
            self.numbers[indices],
            self.weights[indices],
            self.least[indices],
        )

    def without_first(self, types: int) -> TypeGroups:
        """Return the groups without the first `types` types."""
        before = np.concatenate([[0.0], np.cumsum(self.numbers)[:-1]])
        gone = np.clip(types - before, 0.0, self.numbers)
        left = self.numbers - gone
        some = left > 0.0
        return TypeGroups(
            self.probabilities[some], left[some], self.weights[some], self.least[some]
        )


SIMULATED = "simulated"
"""The `Retention.law` of what no law covers."""

# A plan looks at hundreds of designs: the exact law is for those that take milliseconds.
_MOST_PRODUCTS = 2e6
_CAUTION = 2.0


@dataclass(frozen=True, eq=False)
class Retention:
    """What is left over the generations 0 … K.

    Parameters
    ----------
    expected
        Share that is left, shape ``(K + 1,)``, 1 at generation 0: its mean over the runs, for
        a variance its median.
    law
        ``exact``, ``branching`` or ``simulated``.
    error
        How far the truth can lie above `expected` at most, if there is a law.
    baseline
        The same share for training on real data alone, ``(K + 1,)``.
    counted_from
        The first round in which a target must be met; 1 unless it must be reached first.
    standard_error
        Of `expected` if it is simulated, of the same shape; None for a law.
    runs
        How many runs were simulated; 0 for a law.
    """

    expected: Floats
    law: str
    error: float
    baseline: Floats
    counted_from: int = 1
    standard_error: Floats | None = None
    runs: int = 0

    @property
    def lowest(self) -> float:
        """The lowest share in any round."""
        return float(self.expected[self.counted_from :].min())

    @property
    def assured(self) -> float:
        """The share that is compared with a target: the lowest of `lower_bound`.

        So no share or size is too small by the luck of a simulation.
        """
        return float(self.lower_bound[self.counted_from :].min())

    @property
    def lower_bound(self) -> Floats:
        """`expected` less two standard errors, which are 0 for a law; shape ``(K + 1,)``."""
        if self.standard_error is None:
            return self.expected
        lower_bound: Floats = self.expected - _CAUTION * self.standard_error
        return lower_bound

    @property
    def lowest_error(self) -> float:
        """The standard error in the round in which the least is left; 0 for a law."""
        if self.standard_error is None:
            return 0.0
        place = self.counted_from + int(np.argmin(self.expected[self.counted_from :]))
        return float(self.standard_error[place])

    @property
    def missing(self) -> float:
        """The share that is missing in a round, on average; a variance may be above the real."""
        return float(np.maximum(1.0 - self.expected[1:], 0.0).mean())

    def after(self, rounds: int, *, counted_from: int) -> Retention:
        """Return the rounds after the first ones, numbered from 0 again."""
        error = self.standard_error
        return replace(
            self,
            expected=self.expected[rounds:],
            baseline=self.baseline[rounds:],
            counted_from=counted_from,
            standard_error=None if error is None else error[rounds:],
        )


class ChancesByLaw(Protocol):
    """Gives the chance of each type to be kept in each round; see `chances_by_law`."""

    def __call__(self, rounds: ChainRounds, groups: TypeGroups, *, law: str) -> tuple[Floats, str]:
        """Return the chances, shape ``(groups, K + 1)``, and the law's name."""


def retention_by_law(
    groups: TypeGroups,
    rounds: ChainRounds,
    free: TypeGroups,
    *,
    law: str = "auto",
    chances: ChancesByLaw | None = None,
) -> Retention:
    """Return what is left of types, by law.

    Parameters
    ----------
    groups
        All types that count.
    rounds
        What they are trained on.
    free
        Those of the types that no reserve holds.
    law
        ``exact``, ``branching`` or ``auto``.
    chances
        What gives the chances of types that take more than one item to be kept;
        `chances_by_law` where None.

    Raises
    ------
    ArgumentError
        If training sets are too large for the exact law.
    """
    total = float(groups.total_weights.sum())
    held = total - float(free.total_weights.sum())
    alone = real_data_alone(groups, rounds.samples.tolist())
    if free.least.max(initial=1) > 1:
        there, name = (chances or chances_by_law)(rounds, free, law=law)
        expected = np.minimum((free.total_weights @ there + held) / total, 1.0)
        return Retention(expected, name, 0.0, alone)
    chosen = _chosen(law, rounds, free)
    expected = (chosen.total(free.probabilities, free.total_weights) + held) / total
    expected[0] = 1.0
    # Some type is in every training set, which the branching law does not know.
    covers_all = round(float(groups.numbers.sum())) == rounds.reserve.size
    least = float(groups.weights.min()) / total if covers_all else 0.0
    expected = np.clip(expected, least, 1.0)
    bound = float(free.total_weights @ chosen.error(free.probabilities)) / total
    error = min(bound, 1.0 - float(expected.min()))
    return Retention(expected, chosen.name, error, alone)


def chances_by_law(
    rounds: ChainRounds, groups: TypeGroups, *, law: str = "auto"
) -> tuple[Floats, str]:
    """Return the chance of each type to be kept in each round, ``(groups, K + 1)``, and the law.

    Raises
    ------
    ArgumentError
        If training sets are too large for the exact law.
    """
    if groups.least.max(initial=1) > 1:
        most = _MOST_PRODUCTS if law == "auto" else MOST_PRODUCTS
        return at_least_by_law(rounds, groups.probabilities, least=groups.least, most=most)
    chosen = _chosen(law, rounds, groups)
    return chosen.present(groups.probabilities), chosen.name


def _chosen(law: str, rounds: ChainRounds, free: TypeGroups) -> WrightFisher | Branching:
    if law == "branching":
        return Branching.of(rounds)
    most = _MOST_PRODUCTS if law == "auto" else np.inf
    if affordable(rounds, free.probabilities, most=most):
        return WrightFisher(rounds)
    if law == "auto":
        return Branching.of(rounds)
    raise ArgumentError("law", got="exact", takes="training sets of at most 3000 items")


def real_data_alone(groups: TypeGroups, sizes: Sequence[int]) -> Floats:
    """Return the share that training sets of real data alone hold, shape ``(K + 1,)``."""
    distinct, where = np.unique(sizes, return_inverse=True)
    held = [_held_alone(groups, int(size)) for size in distinct]
    kept = np.array([groups.total_weights @ there for there in held]) / groups.total_weights.sum()
    return np.concatenate([[1.0], kept[where]])


def _held_alone(groups: TypeGroups, size: int) -> Floats:
    """Return the chance of a sample of the real law to hold enough of each type."""
    if groups.least.max(initial=1) == 1:
        held: Floats = -np.expm1(xlog1py(float(size), -groups.probabilities))
        return held
    few = np.minimum(groups.least - 1.0, size)
    enough: Floats = np.where(groups.least > size, 0.0, bdtrc(few, size, groups.probabilities))
    return enough


_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class SimulatedRetention:
    """What simulated runs keep, round by round.

    Parameters
    ----------
    kept
        The mean or the median over the runs, shape ``(K + 1,)``.
    standard_error
        Of it, of the same shape.
    replicates
        How many runs.
    """

    kept: Floats
    standard_error: Floats
    replicates: int

    @classmethod
    def mean_of(cls, runs: Floats) -> SimulatedRetention:
        """Return the mean of runs, shape ``(replicates, K + 1)``; two at least."""
        error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
        return cls(runs.mean(axis=0), error, len(runs))

    @classmethod
    def median_of(cls, runs: Floats) -> SimulatedRetention:
        """Return the median of runs, its standard error from the ranks beside it.

        Half the distance between the values √R/2 ranks below and above the median.

        Examples
        --------
        >>> median = SimulatedRetention.median_of(np.arange(101.0)[:, None])
        >>> float(median.kept[0]), round(float(median.standard_error[0]), 2)
        (50.0, 4.98)
        """
        aside = 0.5 / np.sqrt(len(runs))
        low, middle, high = np.quantile(runs, (0.5 - aside, 0.5, 0.5 + aside), axis=0)
        return cls(middle, (high - low) / 2.0, len(runs))

    def distance(self, law: Retention) -> float | None:
        """Return the distance from the law in the last round, in standard errors.

        Within the error that the law states, the distance is 0. None if all runs end the same, but
        away from the law: they are too few to show a standard error.
        """
        kept, low = float(self.kept[-1]), float(law.expected[-1])
        gap = max(low - kept, kept - low - law.error, 0.0)
        error = float(self.standard_error[-1])
        if error:
            return gap / error
        return 0.0 if gap < _ROUNDING else None

    def retention(self, baseline: Floats) -> Retention:
        """Return the simulated retention, for want of a law."""
        return Retention(
            self.kept,
            SIMULATED,
            0.0,
            baseline,
            standard_error=self.standard_error,
            runs=self.replicates,
        )


@dataclass(frozen=True)
class SimulationSettings:
    """How simulations are run.

    Parameters
    ----------
    seed, threads, executor
        Of every simulation: designs that are compared share their random numbers.
    progress
        Called with how far a long simulation has come.
    """

    seed: int = 1
    threads: int | None = None
    executor: Executor | None = None
    progress: Progress = silent

    def __getstate__(self) -> dict[str, object]:
        # A result is pickled without the executor, which stays where it was opened.
        return {**self.__dict__, "executor": None}
