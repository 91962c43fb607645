"""The share of runs that keep enough in every round: by the law of what is kept, or simulated.

An expected share is no promise: with four labels "95 % kept on average" is "every run keeps all
four or three". A target therefore has a confidence, the share of runs that hold it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import stdtr

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import whole_number
from hayflick.laws.number_kept import chance_to_keep, least_chance_to_keep

MOST_CLASSES = 200
"""Up to so many classes, a column holds labels: each has a name that people know."""

EXAMPLES = 5
"""Examples that a label needs: of fewer no model learns what it means."""


def holds_labels(model: Discrete) -> bool:
    """Return whether the types of data are labels of a column, rather than words.

    Examples
    --------
    >>> holds_labels(Discrete.from_counts({"spam": 20, "ham": 80}))
    False
    """
    source = model.source
    return source.column is not None and source.tokenizer is None and model.types <= MOST_CLASSES


def default_least(model: Discrete, at_least: int | None = None) -> Integers:
    """Return how many items a training set must hold of every type to keep it.

    Parameters
    ----------
    model
        The real data's law.
    at_least
        So many of each, or the type's own count where that is smaller; None for
        `EXAMPLES` of labels, and 1 of words.

    Raises
    ------
    ArgumentError
        If `at_least` is no whole number from 1 on.

    Examples
    --------
    >>> fruit = Discrete.from_counts({"apple": 6, "pear": 3, "quince": 1})
    >>> default_least(fruit, 5).tolist(), default_least(fruit).tolist()
    ([5, 3, 1], [1, 1, 1])
    """
    if at_least is None:
        at_least = EXAMPLES if holds_labels(model) else 1
    number = whole_number("at_least", at_least, at_least=1)
    if model.counts is None:
        return np.full(model.types, number)
    return np.minimum(number, model.counts)


BY_LAW, BOUND, SIMULATED = "poisson-binomial", "bound", "simulated"
"""How a confidence was found."""

LOOKS = (256, 1024, 4096)
"""Numbers of runs after which is looked on which side of the confidence the share lies."""

FEWEST_SHARE_RUNS, FEWEST_RUNS = LOOKS[0], 8
"""Runs from which a share can be told, and from which it can be told of normal runs."""

CAUTION = 2.0
"""How many standard errors below what runs show is compared with a target."""

_EARLY_CAUTION = 3.0
_PART = 1 << 32
_ROUNDING = 1e-9
_NEGLIGIBLE = 1e-9
_BUCKETS = 6
_EQUAL = 0.005


@dataclass(frozen=True, slots=True)
class Assurance:
    """The share of runs that keep enough in every round.

    Parameters
    ----------
    confidence
        That share.
    law
        ``poisson-binomial`` (in the last round, where what is lost stays lost), ``bound`` (a lower
        bound by the same law in every round) or ``simulated``.
    standard_error
        Of `confidence`; 0 for a law.
    runs
        How many runs were simulated; 0 for a law.
    caution
        How many standard errors below what runs show is compared with a target: two, and one
        while designs are searched, since the one that is recommended is confirmed by more runs.
    """

    confidence: float
    law: str
    standard_error: float = 0.0
    runs: int = 0
    caution: float = CAUTION

    @property
    def assured(self) -> float:
        """The share that is compared with a target, standard errors below what runs show.

        So no share or size is too small by the luck of a simulation.
        """
        if self.law != SIMULATED or self.runs < FEWEST_SHARE_RUNS:
            return self.confidence
        return _wilson(self.confidence, self.runs, -self.caution)


def required(keep: float, total: float) -> int:
    """Return how many of `total` types are to be kept, rounded up.

    Examples
    --------
    >>> required(0.95, 4), required(0.9, 60), required(0.7, 10)
    (4, 54, 7)
    """
    return math.ceil(keep * total - _ROUNDING * max(1.0, total))


@dataclass(frozen=True, slots=True)
class LawfulBounds:
    """What the law says of the share of runs that keep enough in every round.

    Parameters
    ----------
    low, high
        At least, and hardly more than: the law of independent types is a little too wide.
    equal
        Whether both are the law itself.
    """

    low: float
    high: float
    equal: bool = False


def bounds_by_law(
    needed: float, chances: Floats, numbers: Floats, *, absorbing: bool
) -> LawfulBounds:
    """Return bounds on the chance that enough types are kept in every round.

    It is hardly above the chance of the worst round. At least, it is 1 less the chances to miss the
    target in each of them.

    Parameters
    ----------
    needed
        How many types are to be kept.
    chances
        Of a type of each group to be kept in each of the rounds, shape ``(groups, rounds)``.
    numbers
        How many types a group holds, shape ``(groups,)``.
    absorbing
        Whether what is lost stays lost: then the last round decides.

    Examples
    --------
    >>> found = bounds_by_law(2, np.array([[0.99, 0.98]]), np.array([2.0]), absorbing=False)
    >>> round(found.low, 4), round(found.high, 4)
    (0.94, 0.9604)
    """
    if needed <= _ROUNDING:
        return LawfulBounds(1.0, 1.0, equal=True)
    whole = math.ceil(needed - _ROUNDING)

    def least(column: Floats) -> float:
        return least_chance_to_keep(whole, chances=column, numbers=numbers)

    def likely(column: Floats) -> float:
        return chance_to_keep(whole, chances=column, numbers=numbers)

    if absorbing:
        low, high = least(chances[:, -1]), likely(chances[:, -1])
        return LawfulBounds(low, high, equal=high - low < _EQUAL)
    means = numbers @ chances
    deviations = np.sqrt(np.maximum(numbers @ (chances * (1.0 - chances)), 0.0))
    high = likely(chances[:, int(np.argmin(means))])
    missed = _bernstein(means - needed + 1.0, deviations)
    near = np.flatnonzero(missed > _NEGLIGIBLE)
    total = float(missed.sum() - missed[near].sum())
    # Rounds that are much alike share the chance of the worst of them, type by type.
    for part in np.array_split(near[np.argsort(means[near])], _BUCKETS):
        if part.size:
            total += part.size * (1.0 - least(chances[:, part].min(axis=1)))
    return LawfulBounds(max(0.0, 1.0 - total), high)


def _bernstein(excess: Floats, deviations: Floats) -> Floats:
    """Return a bound on the chance that a sum of independent events is `excess` below its mean."""
    above = np.maximum(excess, 0.0)
    widths = 2.0 * (deviations**2 + above / 3.0)
    exponents = np.divide(above**2, widths, out=np.zeros(above.shape), where=widths > 0.0)
    bound: Floats = np.exp(-exponents)
    return bound


class RunsOf(Protocol):
    """Simulates runs, and returns what they keep in every round that counts."""

    def __call__(self, number: int, *, seed: int) -> Floats:
        """Return so many runs with a seed, shape ``(runs, rounds)``."""


def simulated_assurance(
    runs_of: RunsOf,
    *,
    keep: float,
    confidence: float,
    most: int,
    seed: int,
    fewest: int = FEWEST_SHARE_RUNS,
    searching: bool = False,
) -> Assurance:
    """Return the share of simulated runs that keep enough in every round.

    As many runs as show on which side of the confidence it lies, at most `most`. So few that no
    share can be told from them are taken as normal: the share is that of a further run.

    Parameters
    ----------
    runs_of
        Simulates runs.
    keep
        What is to be left in every round.
    confidence
        The share of runs that is wanted.
    most
        The most runs to simulate.
    seed
        Of the first runs; those that a later look adds have seeds of their own, which are the same
        for every design.
    fewest
        The fewest runs to simulate; more than the first look where the share itself is wanted.
    searching
        Whether the design is one of many, so that a quarter of the runs will do.
    """
    if most < FEWEST_SHARE_RUNS:
        return _predicted(runs_of(most, seed=seed).min(axis=1), keep)
    full = min(most, LOOKS[-1])
    last = min(full, LOOKS[1]) if searching else full
    lowest = np.empty(0)
    for part, look in enumerate(LOOKS):
        more = min(look, last) - lowest.size
        if more > 0:
            further = runs_of(more, seed=seed + part * _PART)
            lowest = np.concatenate([lowest, further.min(axis=1)])
        number = lowest.size
        share = float(np.mean(lowest >= keep - _ROUNDING))
        clear = (
            _wilson(share, number, -_EARLY_CAUTION) >= confidence
            or _wilson(share, number, _EARLY_CAUTION) < confidence
        )
        if number >= last or (clear and number >= fewest):
            break
    error = math.sqrt(share * (1.0 - share) / number)
    # Just as far below as two standard errors of the full number.
    caution = CAUTION * math.sqrt(number / full) if searching else CAUTION
    return Assurance(share, SIMULATED, error, number, caution)


def _wilson(share: float, number: int, deviations: float) -> float:
    """Return the limit of Wilson's interval, so many standard deviations up or down."""
    z, square = deviations, deviations**2
    spread = math.sqrt(share * (1.0 - share) / number + square / (4.0 * number**2))
    return (share + square / (2.0 * number) + z * spread) / (1.0 + square / number)


def _predicted(lowest: Floats, keep: float) -> Assurance:
    """Return the chance that one more run keeps enough, of normal runs: Student's law."""
    number, mean = lowest.size, float(lowest.mean())
    deviation = float(lowest.std(ddof=1)) * math.sqrt(1.0 + 1.0 / number)
    if deviation == 0.0:
        # Runs without any scatter show that at least one of so many would differ.
        share = (number if mean >= keep - _ROUNDING else 0.0) / (number + 1.0)
    else:
        share = float(stdtr(number - 1, (mean - keep) / deviation))
    error = math.sqrt(share * (1.0 - share) / number)
    return Assurance(share, SIMULATED, error, number)
