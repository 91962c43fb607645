"""The round in which a symbol is first missing from the training set, on average.

Three laws, for rounds that are all alike:

- ``exact``: first passage to 0 of the Wright-Fisher chain, by linear equations (n ≤ 500);
- ``branching``: with fresh, stored or smoothed items. Symbols that were lost can return,
  and F_k = Σ_j f_j Z_{k-j} (f_j first loss in round j, F and Z absence after k rounds from
  the start and from absence) gives E T = Σ_k (Z_k - F_k) / Z_∞;
- ``asymptotic``: under replace, a symbol may also take over; given that it is lost, E T is
  the diffusion's -2n x ln(x) / (1 - x) at x = p_0, put right for whole rounds and tokens by
  the difference between the branching law and its own diffusion. Within 0.1 % from n = 50.

References
----------
Ewens, *Mathematical Population Genetics* (2004), equation 5.52 (Kimura and Ohta 1969, with
2N = n), and section 1.4.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import exp1

from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError
from hayflick.core.protocols import Regime
from hayflick.laws.branching import survival_exponents
from hayflick.laws.rounds import Rounds, rounds_of
from hayflick.laws.wright_fisher import binomial_rows
from hayflick.regimes.replace import Replace

_LARGEST_EXACT = 500
_LATTICE_ROUNDS = 100_000
_MOST_ROUNDS = 2_000_000
_PRECISION = 1e-12


@dataclass(frozen=True, eq=False)
class LossTime:
    """Expected rounds until symbols are first missing.

    Parameters
    ----------
    law
        ``exact``, ``branching`` or ``asymptotic``.
    expected
        Rounds, shape ``(symbols,)``; inf where a symbol is practically never lost.
        Under replace the mean is over the runs in which it is lost.
    """

    law: str
    expected: Floats


def loss_time(
    model: Discrete,
    probabilities: Floats,
    *,
    regime: Regime = Replace(),
    samples: int | None = None,
) -> LossTime:
    """Return the expected round of first loss, for symbols that no reserve holds.

    Parameters
    ----------
    model
        The real data's law.
    probabilities
        Real probabilities of the symbols in question, shape ``(symbols,)``.
    regime
        What each round is trained on, the same in every round.
    samples
        Size of a training set; the data's own size where None.

    Raises
    ------
    ArgumentError
        If the regime's rounds differ, or an argument is out of its range.

    Examples
    --------
    >>> words = Discrete.from_counts({"the": 99, "here": 1})
    >>> result = loss_time(words, np.array([0.01]))
    >>> result.law, result.expected.round(2).tolist()
    ('exact', [8.66])
    """
    rounds = rounds_of(model, regime=regime, samples=samples, generations=2)
    if not rounds.homogeneous:
        takes = "a regime whose rounds are all alike"
        raise ArgumentError("regime", got=regime.describe(), takes=takes)
    p = np.asarray(probabilities, dtype=np.float64)
    if rounds.samples[0] <= _LARGEST_EXACT:
        return LossTime("exact", np.array([_first_passage(rounds, chance) for chance in p]))
    if _can_take_over(rounds):
        return LossTime("asymptotic", _matched(p, int(rounds.samples[0])))
    return LossTime("branching", _renewal(rounds, p))


def _can_take_over(rounds: Rounds) -> bool:
    return bool(rounds.generated[0] == rounds.samples[0] and rounds.uniform[1] == 0.0)


def _first_passage(rounds: Rounds, chance: float) -> float:
    """Return E[T | T < ∞] of the chain by conditioning on the first round."""
    size, types = int(rounds.samples[0]), rounds.reserve.size
    shares = rounds.uniform
    states = np.arange(1, size if _can_take_over(rounds) else size + 1)
    observed = (1.0 - shares[1]) * states / size + shares[1] / types
    first = (1.0 - shares[0]) * chance + shares[0] / types
    law = binomial_rows(int(rounds.generated[0]), np.append(observed, first))
    if rounds.fresh[0]:
        fresh = binomial_rows(int(rounds.fresh[0]), np.array([chance]))[0]
        law = np.array([np.convolve(row, fresh) for row in law])
    law = np.pad(law, ((0, 0), (0, size + 1 - law.shape[1])))
    stay = np.eye(states.size) - law[:-1, states]
    hit = np.linalg.solve(stay, law[:-1, 0])
    weighted = np.linalg.solve(stay, hit)
    start = law[-1]
    lost = start[0] + start[states] @ hit
    if lost <= 0.0:
        return float("inf")
    return float((start[0] + start[states] @ (hit + weighted)) / lost)


def _matched(p: Floats, samples: int) -> Floats:
    """Return the diffusion's conditional mean with the lattice correction."""
    exponents = survival_exponents(_LATTICE_ROUNDS)
    expected = np.full(p.size, np.inf)
    for place in np.flatnonzero(p < 1.0):
        x = p[place]
        count, rounds = samples * x, float(_LATTICE_ROUNDS)
        diffusion = -2.0 * count * np.log(x) / (1.0 - x)
        branching = 1.0 - np.expm1(-count * exponents).sum()
        feller = -rounds * np.expm1(-2.0 * count / rounds) + 2.0 * count * exp1(
            2.0 * count / rounds
        )
        # The correction is a matter of early rounds; a frequent symbol has none.
        expected[place] = diffusion + (branching - feller if count < rounds / 100 else 0.0)
    return expected


def _renewal(rounds: Rounds, p: Floats) -> Floats:
    """Return Σ_k (Z_k - F_k) / Z_∞ for the branching law with immigration."""
    size, types = float(rounds.samples[0]), rounds.reserve.size
    generated, fresh, shares = float(rounds.generated[0]), float(rounds.fresh[0]), rounds.uniform
    v = _decay(generated * (1.0 - shares[1]) / size)
    immigration = fresh * p + generated * shares[1] / types
    started = generated * ((1.0 - shares[0]) * p + (shares[0] - shares[1]) / types)
    arrived = np.cumsum(v)
    expected = np.empty(p.size)
    with np.errstate(over="ignore"):
        for place in range(p.size):
            # Both absences are divided by Z_∞ in logs: Z_∞ itself may underflow.
            later = immigration[place] * (arrived[-1] - arrived)
            gap = np.exp(later) * -np.expm1(-started[place] * v)
            expected[place] = np.exp(immigration[place] * arrived[-1]) + gap.sum()
    return expected


def _decay(rate: float) -> Floats:
    """Return v_1 = 1, v_{j+1} = 1 - exp(-rate v_j), until it adds nothing more."""
    values = [1.0]
    while values[-1] > _PRECISION * (1.0 - rate) and len(values) < _MOST_ROUNDS:
        values.append(-float(np.expm1(-rate * values[-1])))
    return np.array(values)
