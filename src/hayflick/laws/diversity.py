"""Gini-Simpson diversity 1 - Σ p² of the model, exact for every discrete law and size.

The mean of p and of Σ p² after a round is linear in those before it, because the round's
counts are a binomial of the old model plus an independent part: with q generated items, D
the size of the training set with pseudo-counts, and x = m p_0 + r + δ the rest's mean,

    E p'   = (q E p + x) / D
    E p'^2 = (q E p (1 - p) + m p_0 (1 - p_0) + E (q p + x)^2) / D^2

References
----------
Ewens, *Mathematical Population Genetics* (2004), section 1.2; without fresh, stored or
smoothed items E H_k = H_0 (1 - 1/n)^k.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats
from hayflick.core.checks import MOST_GENERATIONS, whole_number
from hayflick.core.protocols import Regime
from hayflick.laws.rounds import ChainRounds, rounds_of
from hayflick.regimes.replace import Replace


def accumulated_diversity(
    model: Discrete, *, samples: int, generations: int, subsample: bool
) -> Floats:
    """Return E[1 - Σ p_i²] of θ_0 … θ_K where n new items join the pool every round.

    The pool begins with the real data, or with n draws where the real law is known.

    Parameters
    ----------
    model
        The real data's law.
    samples
        New items of a round, n; also how many are trained on, of a subsample.
    generations
        How many rounds, K.
    subsample
        Whether n items of the pool are trained on, or all.

    Returns
    -------
    Shape ``(K + 1,)``.

    Examples
    --------
    >>> coin = Discrete.from_counts({"heads": 50, "tails": 50})
    >>> law = accumulated_diversity(coin, samples=100, generations=2, subsample=False)
    >>> law.round(6).tolist()
    [0.5, 0.49875, 0.498196]
    """
    moments = _Moments.of(model, samples)
    start = float(np.sum(model.initial_law**2))
    follow = moments.of_subsamples if subsample else moments.of_pools
    return 1.0 - np.array([start, *follow(generations)])


@dataclass(frozen=True)
class _Moments:
    """The moments of the real data that the recursions start from.

    Parameters
    ----------
    samples
        n.
    real
        Items of the pool at the start, N_0.
    first
        E Σ C_1², of the pool after one round.
    delta, types
        Of the smoothing: δ, and the number of symbols.
    """

    samples: float
    real: float
    first: float
    delta: float
    types: float

    @classmethod
    def of(cls, model: Discrete, samples: int) -> _Moments:
        n, delta = float(samples), model.smoothing.delta
        if model.counts is None:
            # The pool and the first round are 2 n draws from one law.
            first = 2.0 * n + 2.0 * n * (2.0 * n - 1.0) * float(np.sum(model.probabilities**2))
            return cls(n, n, first, delta, model.types)
        counts, law = model.counts.astype(np.float64), model.initial_law
        drawn = n + n * (n - 1.0) * float(law @ law)
        first = float(counts @ counts) + 2.0 * n * float(counts @ law) + drawn
        return cls(n, counts.sum(), first, delta, model.types)

    def _smoothed(self, squares: float, items: float) -> float:
        """Return Σ p² of counts with Σ N² = `squares`."""
        delta, types = self.delta, self.types
        return (squares + delta * (2.0 * items + delta * types)) / (items + delta * types) ** 2

    def of_pools(self, generations: int) -> list[float]:
        """Return E Σ p_k² for k = 1 … K where all is trained on."""
        n = self.samples
        path = [self._smoothed(self.first, self.real + n)]
        for generation in range(2, generations + 1):
            lost = n / (self.real + generation * n + self.delta * self.types) ** 2
            path.append((1.0 - lost) * path[-1] + lost)
        return path

    def of_subsamples(self, generations: int) -> list[float]:
        """Return E Σ p_k² for k = 1 … K where n items of the pool are trained on."""
        n, pool, squares, path = self.samples, self.real + self.samples, self.first, []
        size = n + self.delta * self.types
        for _ in range(generations):
            chosen = n + n * (n - 1.0) / (pool * (pool - 1.0)) * (squares - pool)
            path.append(self._smoothed(chosen, n))
            joint = n * (n / pool * squares + self.delta * pool) / size
            squares += 2.0 * joint + n + n * (n - 1.0) * path[-1]
            pool += n
        return path


# A diversity that has not halved by then counts as never halved.
_LONGEST = 2**50


@dataclass(frozen=True, eq=False)
class Diversity:
    """Expected Gini-Simpson diversity over generations.

    Parameters
    ----------
    expected
        E[1 - Σ p_i²] of θ_0 … θ_K, shape ``(K + 1,)``.
    half_life
        Rounds until the expected diversity is half of what it was, between rounds by
        interpolation in logs; None where it never is, or where the rounds differ and it is
        not within K.
    """

    expected: Floats
    half_life: float | None


def expected_diversity(
    model: Discrete, *, generations: int, regime: Regime = Replace(), samples: int | None = None
) -> Diversity:
    """Return the expected Gini-Simpson diversity 1 - Σ p² of every generation; exact.

    It holds at any size, for every regime (accumulating ones too) and for add-delta smoothing.

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

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or does not fit another.

    Examples
    --------
    >>> coin = Discrete.from_counts({"heads": 50, "tails": 50})
    >>> law = expected_diversity(coin, generations=2)
    >>> law.expected.tolist(), round(law.half_life, 2)
    ([0.5, 0.495, 0.49005], 68.97)
    """
    first = regime.mix(1, samples=model.training_size(samples))
    if first.accumulate:
        rounds = whole_number("generations", generations, at_least=1, at_most=MOST_GENERATIONS)
        path = accumulated_diversity(
            model, samples=first.samples, generations=rounds, subsample=first.subsample is not None
        )
        return Diversity(path, _within(path))
    forgetting = rounds_of(model, regime=regime, samples=samples, generations=generations)
    return _without_pool(model, forgetting)


def _without_pool(model: Discrete, rounds: ChainRounds) -> Diversity:
    """Return the law where nothing is kept of the rounds before."""
    recursion = _MomentRecursion.of(model, rounds)
    state = recursion.start
    expected = [1.0 - state[0]]
    for place in range(rounds.number):
        state = recursion.matrix(place) @ state
        expected.append(1.0 - state[0])
    return Diversity(np.array(expected), _half_life(recursion, np.array(expected)))


@dataclass(frozen=True, eq=False)
class _MomentRecursion:
    """The affine recursion of (Σ E p², α, β, γ, 1), where E p = α p_0 + β r + γ."""

    rounds: ChainRounds
    delta: float
    gram: Floats
    start: Floats

    @classmethod
    def of(cls, model: Discrete, rounds: ChainRounds) -> _MomentRecursion:
        basis = np.stack([model.probabilities, rounds.reserve, np.ones(model.types)])
        gram = basis @ basis.T
        share = rounds.uniform[0]
        mean = np.array([1.0 - share, 0.0, share / model.types])
        start = np.concatenate([[mean @ gram @ mean], mean, [1.0]])
        return cls(rounds, model.smoothing.delta, gram, start)

    def matrix(self, place: int) -> Floats:
        """Return the step from generation `place` to the next."""
        q, m = float(self.rounds.generated[place]), float(self.rounds.fresh[place])
        types = self.gram[2, 2]
        size = self.rounds.samples[place] + self.delta * types
        rest = np.array([m, 1.0, self.delta])
        step = np.zeros((5, 5))
        step[0, 0] = q * (q - 1.0)
        step[0, 1:4] = 2.0 * q * (rest @ self.gram)
        # Σ E p is 1 throughout, Σ p_0 (1 - p_0) = 1 - Σ p_0².
        step[0, 4] = q + m * (1.0 - self.gram[0, 0]) + rest @ self.gram @ rest
        step[0] /= size**2
        step[1:4, 1:4] = np.eye(3) * q / size
        step[1:4, 4] = rest / size
        step[4, 4] = 1.0
        return step


# A diversity that stays at half of what it was is there, whatever its last digit.
_ROUNDING = 1e-12


def _half(diversity: float) -> float:
    return 0.5 * diversity * (1.0 + _ROUNDING)


def _half_life(recursion: _MomentRecursion, expected: Floats) -> float | None:
    found = _within(expected)
    if found is not None or expected[0] <= 0.0 or not recursion.rounds.constant:
        return found
    return _search(recursion, _half(expected[0]))


def _within(expected: Floats) -> float | None:
    """Return the half-life, where it is not beyond the computed rounds."""
    half = _half(expected[0])
    below = np.flatnonzero(expected <= half)
    if expected[0] <= 0.0 or not below.size:
        return None
    last = int(below[0])
    return _interpolated(last, expected[last - 1], expected[last], half)


def _search(recursion: _MomentRecursion, half: float) -> float | None:
    """Return the half-life beyond the computed rounds, by doubling and halving the step."""
    first = recursion.matrix(0) @ recursion.start
    place = min(1, recursion.rounds.number - 1)
    powers = [recursion.matrix(place)]
    while 1.0 - (powers[-1] @ first)[0] > half:
        if 2 ** len(powers) > _LONGEST:
            return None
        powers.append(powers[-1] @ powers[-1])
    state, generation = first, 1
    for exponent in range(len(powers) - 1, -1, -1):
        ahead = powers[exponent] @ state
        if 1.0 - ahead[0] > half:
            state, generation = ahead, generation + 2**exponent
    after = powers[0] @ state
    return _interpolated(generation + 1, 1.0 - state[0], 1.0 - after[0], half)


def _interpolated(last: int, before: float, after: float, half: float) -> float:
    """Return where a geometric decay from `before` to `after` at `last` passes `half`."""
    if after <= 0.0:
        return float(last)
    return float(last - 1 + min(1.0, np.log(before / half) / np.log(before / after)))
