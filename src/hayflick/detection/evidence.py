"""Evidence against a healthy stream: the capital of a grid of bets, carried over the readings.

Every reading multiplies the capital of a bet by a factor L whose conditional mean is at most 1 in a
healthy stream. The statistic M is the mean over the bets:

- *sum* M_t = (M_{t-1} + 1) L_t (an e-detector of the Shiryaev-Roberts kind): the mean number of
  readings up to a false alarm at M ≥ 1/α is at least 1/α, and a false alarm comes within t readings
  with probability at most α t;
- *product* M_t = M_{t-1} L_t: Pr(ever a false alarm) ≤ α (Ville).

Neither has a horizon. The first reading of a change is estimated as the one from which on the
capital of the best bet has grown most.

References
----------
Shin, Ramdas & Rinaldo, *E-detectors*, arXiv:2203.03532, section 2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from hayflick.core.arrays import Floats

FORMS = ("sum", "product")
DIRECTIONS = ("falls", "rises")

FALSE_ALARMS = 0.001
"""Default rate of false alarms: one in 1,000 readings."""

_LARGEST_LOG = 690.0
"""Statistics are capped at e to this power, about 1e299, below the largest float."""


def mean_of_logs(logs: Floats) -> float:
    """Return the logarithm of the mean of numbers, given their logarithms."""
    return float(log_means(logs))


def log_means(logs: Floats) -> Floats:
    """Return `mean_of_logs` along the last axis."""
    # scipy.special.logsumexp takes ten times as long for few numbers.
    largest = logs.max(axis=-1, keepdims=True)
    largest[np.isneginf(largest)] = 0.0
    with np.errstate(divide="ignore"):
        means: Floats = np.log(np.exp(logs - largest).mean(axis=-1)) + largest[..., 0]
    return means


@dataclass(frozen=True, slots=True)
class Evidence:
    """The capital of every bet.

    Parameters
    ----------
    carried
        ln(M + 1) in the sum form, ln M in the product form.
    best
        The largest ln Π L over all first readings of a change so far.
    since
        The round of that first reading; None where no change has begun.

    Examples
    --------
    >>> start = Evidence.none(bets=2)
    >>> grown, statistic = start.grown(np.log([2.0, 4.0]), round_number=7, form="sum")
    >>> round(statistic, 6), grown.first_round
    (3.0, 7)
    """

    carried: tuple[float, ...]
    best: tuple[float, ...]
    since: tuple[int | None, ...]

    @classmethod
    def none(cls, *, bets: int) -> Self:
        """Return the evidence before the first reading."""
        return cls((0.0,) * bets, (0.0,) * bets, (None,) * bets)

    def grown(self, growth: Floats, *, round_number: int, form: str) -> tuple[Evidence, float]:
        """Return the evidence after a reading, and its statistic M.

        Parameters
        ----------
        growth
            ln L of every bet, shape ``(bets,)``.
        round_number
            Number of the reading's round.
        form
            ``sum`` or ``product``.
        """
        logs = np.array(self.carried) + growth
        carried = np.logaddexp(0.0, logs) if form == "sum" else logs
        best = np.array(self.best)
        starts = zip(best, self.since, strict=True)
        since = tuple(round_number if lead <= 0.0 else first for lead, first in starts)
        best = np.maximum(best, 0.0) + growth
        grown = Evidence(tuple(carried.tolist()), tuple(best.tolist()), since)
        return grown, math.exp(min(mean_of_logs(logs), _LARGEST_LOG))

    @property
    def first_round(self) -> int | None:
        """Estimated first round of a change."""
        return self.since[int(np.argmax(self.best))]

    @property
    def starts(self) -> set[int]:
        """The rounds of which one may become the first round of a change."""
        return {first for first in self.since if first is not None}

    def to_dict(self) -> dict[str, Any]:
        """Return the evidence as plain values, ready for JSON."""
        return {name: list(numbers) for name, numbers in asdict(self).items()}

    @classmethod
    def from_dict(cls, memory: Mapping[str, Any]) -> Self:
        """Return the evidence that `to_dict` returned."""
        return cls(**{name: tuple(memory[name]) for name in ("carried", "best", "since")})
