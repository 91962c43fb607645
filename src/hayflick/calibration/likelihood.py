"""The likelihood of recorded transitions under a resampler.

Types with the same count before and after a transition have the same likelihood, so tens of
thousands of types are a few thousand *pairs*. The logarithms of the mean and of the size of the
negative binomial law are linear in the parameters; first and second derivatives are exact.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import betaln, digamma, gammaln, xlogy, zeta

from hayflick.calibration.record import Record
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import DataError, listed

# Nodes of the sum over fresh items reach so many deviations, and so many of them make one.
_REACH, _PER_DEVIATION = 7.0, 1.5
_ITERATIONS = 100
_LARGEST_STEP = 2.0
_ENOUGH = 1e-7
_ROUNDING = 1e-15
_FLAT = 1e-4
_LARGE_SIZE = 1e3


@dataclass(frozen=True, eq=False)
class CountPairs:
    """Types that agree in their counts before and after a transition, and how many they are.

    Parameters
    ----------
    transition
        Which transition, from 0, shape ``(pairs,)``.
    before, after
        Counts before, and those after without the stored items.
    fresh
        Mean number of fresh items among those after.
    number
        How many types.
    covariate
        A further number that types have to agree in; zeros where there is none.
    """

    transition: Integers
    before: Floats
    after: Floats
    fresh: Floats
    number: Floats
    covariate: Floats

    @property
    def transitions(self) -> int:
        """Number of transitions."""
        return int(self.transition.max()) + 1

    def shifted(self, steps: int) -> CountPairs:
        """Return the pairs with their transitions renumbered."""
        return replace(self, transition=self.transition + steps)

    def where(self, chosen: np.ndarray) -> CountPairs:
        """Return some of the pairs."""
        return CountPairs(
            self.transition[chosen],
            self.before[chosen],
            self.after[chosen],
            self.fresh[chosen],
            self.number[chosen],
            self.covariate[chosen],
        )


def pairs_of(record: Record, covariate: Callable[[int], Floats] | None = None) -> CountPairs:
    """Return the pairs of a record.

    Parameters
    ----------
    record
        The rounds.
    covariate
        Of every type, for a transition.

    Raises
    ------
    DataError
        If a round holds fewer of a type than were stored.
    """
    parts = []
    for step in range(record.transitions):
        after = record.counts[step + 1] - record.stored
        if (after < 0).any():
            names = listed([record.symbols[place] for place in np.flatnonzero(after < 0)])
            raise DataError(
                f"record: round {step + 1} holds fewer than the stored items of {names}"
            )
        # Types of one count in round 0 have one mean of fresh items.
        fresh = record.fresh[step] * record.real_law
        extra = np.zeros(after.size) if covariate is None else covariate(step)
        rows = np.stack([record.counts[step].astype(np.float64), after, fresh, extra])
        groups, number = np.unique(rows, axis=1, return_counts=True)
        parts.append(np.vstack([np.full(number.size, float(step)), groups, number]))
    transition, before, after, fresh, extra, number = np.concatenate(parts, axis=1)
    return CountPairs(transition.astype(np.int64), before, after, fresh, number, extra)


@dataclass(frozen=True, eq=False)
class LogLinearDesign:
    """How the logarithms of mean and size follow from the parameters.

    Parameters
    ----------
    mean
        The logarithm of the mean is ``mean @ parameters``, shape ``(pairs, parameters)``.
    size
        The same for the size; None for draws without noise of the trainer's own.
    offset
        What is added to the logarithm of the size, shape ``(pairs,)``.
    """

    mean: Floats
    size: Floats | None
    offset: Floats


@dataclass(frozen=True, eq=False)
class Maximum:
    """Where a likelihood is largest.

    Parameters
    ----------
    parameters
        Shape ``(parameters,)``.
    value
        The log-likelihood.
    information
        The observed information, minus its second derivatives.
    converged
        Whether the maximum was found.
    """

    parameters: Floats
    value: float
    information: Floats
    converged: bool


class Likelihood:
    """The log-likelihood of pairs under a design, with its derivatives.

    Parameters
    ----------
    pairs
        The pairs.
    design
        How their laws follow from the parameters.
    """

    def __init__(self, pairs: CountPairs, design: LogLinearDesign) -> None:
        self._pairs, self._design = pairs, design
        if design.size is not None:
            self._start, self._of, self._drawn, self._weight = _nodes(pairs)

    def __call__(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        """Return the value, its gradient and its matrix of second derivatives."""
        with np.errstate(all="ignore"):
            if self._design.size is None:
                return self._poisson(parameters)
            return self._negative_binomial(self._design.size, parameters)

    def _poisson(self, parameters: Floats) -> tuple[float, Floats, Floats]:
        pairs, rows = self._pairs, self._design.mean
        own = np.exp(rows @ parameters)
        mean = own + pairs.fresh
        value = xlogy(pairs.after, mean) - mean - gammaln(pairs.after + 1.0)
        slope = own * (pairs.after / mean - 1.0)
        curve = slope - pairs.after * (own / mean) ** 2
        gradient = rows.T @ (pairs.number * slope)
        second = (rows.T * (pairs.number * curve)) @ rows
        return float(pairs.number @ value), gradient, second

    def _negative_binomial(self, sizes: Floats, parameters: Floats) -> tuple[float, Floats, Floats]:
        """Every derivative is by the logarithms of mean and size first, pair by pair."""
        pairs, rows = self._pairs, self._design.mean
        mean = np.exp(rows @ parameters)[self._of]
        size = np.exp(np.minimum(sizes @ parameters + self._design.offset, 46.0))[self._of]
        drawn, both = self._drawn, size + mean
        value, rise, bend = _terms(drawn, mean, size)
        by_mean, by_size = size * (drawn - mean) / both, size * rise
        mean2 = -size * mean * (size + drawn) / both**2
        cross = size * mean * (drawn - mean) / both**2
        size2 = size * rise + size**2 * bend
        total, share = self._summed(value + self._weight)

        def add(terms: Floats) -> Floats:
            sums: Floats = np.add.reduceat(share * terms, self._start)
            return sums

        first, second = add(by_mean), add(by_size)
        mean2 = pairs.number * (add(mean2 + by_mean**2) - first**2)
        cross = pairs.number * (add(cross + by_mean * by_size) - first * second)
        size2 = pairs.number * (add(size2 + by_size**2) - second**2)
        gradient = rows.T @ (pairs.number * first) + sizes.T @ (pairs.number * second)
        mixed = (rows.T * cross) @ sizes
        curve = (rows.T * mean2) @ rows + (sizes.T * size2) @ sizes + mixed + mixed.T
        return float(pairs.number @ total), gradient, curve

    def _summed(self, terms: Floats) -> tuple[Floats, Floats]:
        """Return the logarithm of the sum over every pair's nodes, and each node's share of it."""
        highest = np.maximum.reduceat(terms, self._start)
        parts = np.exp(terms - highest[self._of])
        total = np.add.reduceat(parts, self._start)
        return highest + np.log(total), parts / total[self._of]

    def maximize(self, start: Floats) -> Maximum:
        """Return the maximum, by Newton's method with damping."""
        parameters, damping = start, 1e-3
        # Values of huge counts are rounded: no gain below that can be told.
        pairs = self._pairs
        rounding = _ROUNDING * float(pairs.number @ (pairs.after * np.log(pairs.after + 2.0)))
        enough = max(_ENOUGH, rounding)
        value, gradient, second = self(parameters)
        for _ in range(_ITERATIONS):
            information = -second
            scale = np.maximum(np.abs(np.diag(information)), 1e-10)
            step = _solve(information + damping * np.diag(scale), gradient)
            if step is None or gradient @ step <= 0.0:
                damping = max(10.0 * damping, 1e-6)
                if damping > 1e12:
                    break
                continue
            step *= min(1.0, _LARGEST_STEP / float(np.abs(step).max()))
            trial = self(parameters + step)
            if not np.isfinite(trial[0]) or trial[0] < value - rounding:
                damping *= 10.0
                if damping > 1e12:
                    break
                continue
            gain = float(gradient @ step)
            parameters, (value, gradient, second) = parameters + step, trial
            damping = 0.0 if damping < 1e-6 else damping / 10.0
            if gain < enough:
                return Maximum(parameters, value, -second, converged=True)
        step = _solve(-second, gradient)
        flat = step is not None and float(gradient @ step) < max(_FLAT, enough)
        return Maximum(parameters, value, -second, converged=flat)


def _solve(matrix: Floats, vector: Floats) -> Floats | None:
    try:
        lower = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
    solved: Floats = np.linalg.solve(lower.T, np.linalg.solve(lower, vector))
    return solved if np.isfinite(solved).all() else None


def _terms(drawn: Floats, mean: Floats, size: Floats) -> tuple[Floats, Floats, Floats]:
    """Return logarithms of the negative binomial law, and their two derivatives by the size."""
    with np.errstate(all="ignore"):
        both = size + mean
        off = (drawn - mean) / both
        value = xlogy(drawn, mean / both) - betaln(size, drawn + 1.0) - np.log(drawn + size)
        value -= size * np.log1p(mean / size)
        rise = digamma(drawn + size) - digamma(size) - np.log1p(mean / size) - off
        bend = zeta(2, drawn + size) - zeta(2, size) + mean / (size * both) + off / both
    # Large sizes would cancel: differences of Stirling's series, term by term.
    large = size > _LARGE_SIZE
    if large.any():
        value[large], rise[large], bend[large] = _large_terms(
            drawn[large], mean[large], size[large], off[large]
        )
    return value, rise, bend


def _large_terms(
    drawn: Floats, mean: Floats, size: Floats, off: Floats
) -> tuple[Floats, Floats, Floats]:
    after = drawn + size

    def change(power: int) -> Floats:
        difference: Floats = after**-power - size**-power
        return difference

    value = xlogy(drawn, mean) - gammaln(drawn + 1.0) - drawn + drawn * np.log1p(off)
    value += (size - 0.5) * np.log1p(drawn / size) - size * np.log1p(mean / size)
    value += change(1) / 12.0 - change(3) / 360.0
    rise = np.log1p(off) - off - change(1) / 2.0 - change(2) / 12.0 + change(4) / 120.0
    bend = off**2 / after + change(2) / 2.0 + change(3) / 6.0 - change(5) / 30.0
    return value, rise, bend


def _nodes(pairs: CountPairs) -> tuple[Integers, Integers, Floats, Floats]:
    """Return the terms of every pair's sum over how many of its items are fresh.

    They are: where each pair's terms start, the pair of each term, what is left for the trainer's
    own draws, and the logarithm of the chance of so many fresh items.
    """
    deviation = np.sqrt(pairs.fresh)
    highest = np.minimum(pairs.after, np.ceil(pairs.fresh + _REACH * (deviation + 1.0)))
    lowest = np.floor(pairs.fresh - _REACH * (deviation + 1.0))
    lowest = np.maximum(0.0, np.minimum(lowest, highest - _REACH * (deviation + 1.0) // 1))
    finer = np.minimum(deviation, np.sqrt(pairs.before))
    step = np.maximum(1.0, np.floor(finer / _PER_DEVIATION))
    number = ((highest - lowest) // step).astype(np.int64) + 1
    number[pairs.fresh == 0.0] = 1
    start = np.concatenate([[0], np.cumsum(number)[:-1]])
    of = np.repeat(np.arange(number.size), number)
    fresh = highest[of] - step[of] * (np.arange(of.size) - start[of])
    fresh[pairs.fresh[of] == 0.0] = 0.0
    mean = pairs.fresh[of]
    weight = xlogy(fresh, mean) - mean - gammaln(fresh + 1.0) + np.log(step[of])
    return start, of, pairs.after[of] - fresh, weight
