"""Rounding: an estimator whose values lie on a finite grid.

The range of values that an estimator can take is a cause of collapse by itself: where the
next value below is 0, a chain is absorbed there (Suresh et al., arXiv:2412.17646, section 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from hayflick.chains.samplers import Sampler
from hayflick.core.arrays import Floats
from hayflick.core.checks import positive_number, whole_number
from hayflick.core.errors import ArgumentError

_MOST_BITS = 52


@final
@dataclass(frozen=True, slots=True)
class Grid:
    """Round parameters to the nearest multiple of a step.

    Parameters
    ----------
    step
        Distance between values, in the parameter's units; above 0.
    bits
        In its place: 2^bits values per unit of the family (1 for probabilities, the real
        data's rate or standard deviation otherwise), from 1 to 52.

    Raises
    ------
    ArgumentError
        If not exactly one of them is given, or it is out of its range.

    Examples
    --------
    >>> Grid(bits=2).rounded(np.array([0.1, 0.3, 0.9]), unit=1.0).tolist()
    [0.0, 0.25, 1.0]
    """

    step: float | None = None
    bits: int | None = None

    def __post_init__(self) -> None:
        if (self.step is None) == (self.bits is None):
            raise ArgumentError("grid", got=f"{self.step}, {self.bits}", takes="a step or bits")
        if self.step is not None:
            positive_number("step", self.step)
        else:
            whole_number("bits", self.bits, at_least=1, at_most=_MOST_BITS)

    def step_for(self, unit: float) -> float:
        """Return the distance between values, for a family of that unit."""
        return float(self.step) if self.step is not None else unit * 0.5 ** (self.bits or 0)

    def rounded(self, values: Floats, *, unit: float) -> Floats:
        """Return values on the grid."""
        step = self.step_for(unit)
        with np.errstate(over="ignore"):
            steps = values / step
        # A step too small to count in is no rounding at all.
        return np.where(np.isfinite(steps), np.round(steps) * step, values)

    def describe(self) -> str:
        """Return the grid in the grammar of the command line."""
        return f"step:{self.step!r}" if self.step is not None else f"bits:{self.bits}"


def law_on_grid(law: Floats, grid: Grid) -> Floats:
    """Return laws with rounded values, normalised; one that rounds to 0 keeps its largest.

    Parameters
    ----------
    law
        Shape ``(…, symbols)``.
    grid
        Where its values may lie.

    Examples
    --------
    >>> law_on_grid(np.array([0.6, 0.3, 0.1]), Grid(bits=2)).round(3).tolist()
    [0.667, 0.333, 0.0]
    """
    rounded = grid.rounded(law, unit=1.0)
    largest = law == law.max(axis=-1, keepdims=True)
    first = largest & (np.cumsum(largest, axis=-1) == 1)
    kept = np.where(rounded.any(axis=-1, keepdims=True), rounded, first)
    normalised: Floats = kept / kept.sum(axis=-1, keepdims=True)
    return normalised


@final
@dataclass(frozen=True, slots=True)
class RoundedSampler:
    """Round a law before it is sampled from, for families that draw while they generate.

    Parameters
    ----------
    grid
        Where the law's values may lie.
    sampler
        Changes the rounded law; None draws from it as it is.
    """

    grid: Grid
    sampler: Sampler | None

    def reweight(self, law: Floats) -> Floats:
        """Return the rounded and changed law, shape ``(…, symbols)`` as given."""
        rounded = law_on_grid(law, self.grid)
        return rounded if self.sampler is None else self.sampler.reweight(rounded)

    def describe(self) -> str:
        """Return grid and sampler in the grammar of the command line."""
        parts = [self.grid.describe(), *([self.sampler.describe()] if self.sampler else [])]
        return " ".join(parts)
