"""Spread between groups and within them: whether agents are alike, or each of them narrow.

With group g's count L_g, mean m_g and scatter M2_g, and the mean m of all N answers,

    Σ ‖x - m‖² = Σ_g M2_g + Σ_g L_g ‖m_g - m‖²        (total = within + between)

The n group means differ by chance even if all groups are the same. If they are, with
v = Σ_g M2_g / (N - n) the trace of their common covariance,

    E Σ_gh ‖m_g - m_h‖² = 2 (n - 1) v Σ_g 1 / L_g

which is n (n - 1) 2 v / L where all groups have L answers: the noise floor.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from types import MappingProxyType
from typing import final

import numpy as np
from numpy.typing import ArrayLike
from typing_extensions import override

from hayflick.core.errors import DataError
from hayflick.diversity.metrics import Summary, defined
from hayflick.diversity.scatter import Scatter


@final
@dataclass(frozen=True, eq=False)
class Groups(Summary):
    """The scatter of each group; groups without vectors are left out.

    Parameters
    ----------
    scatters
        The scatter of each group by its name; copied.

    Raises
    ------
    DataError
        If their dimensions differ.

    Examples
    --------
    >>> agents = Groups.of({"a": [[0.0], [2.0]], "b": [[4.0], [6.0]]})
    >>> agents.within, agents.between, agents.total.m2 / agents.total.count
    (1.0, 4.0, 5.0)
    >>> round(agents.frobenius_norm, 4), round(agents.noise_floor, 4)
    (5.6569, 2.0)
    """

    scatters: Mapping[str, Scatter]

    def __post_init__(self) -> None:
        kept = {name: scatter for name, scatter in self.scatters.items() if scatter.count}
        dimensions = {scatter.dimension for scatter in kept.values()}
        if len(dimensions) > 1:
            found = " and ".join(map(str, sorted(dimensions)))
            raise DataError(f"groups: vectors of {found} components; all take the same embedder")
        object.__setattr__(self, "scatters", MappingProxyType(kept))

    @classmethod
    def empty(cls) -> Groups:
        """Return the summary of no group."""
        return cls({})

    @classmethod
    def of(cls, vectors: Mapping[str, ArrayLike]) -> Groups:
        """Return the summary of vectors by group, each of shape ``(N, d)``."""
        return cls({name: Scatter.of(rows) for name, rows in vectors.items()})

    @override
    def merge(self, other: Groups) -> Groups:
        merged = dict(self.scatters)
        for name, scatter in other.scatters.items():
            merged[name] = merged[name].merge(scatter) if name in merged else scatter
        return Groups(merged)

    @property
    def number(self) -> int:
        """Number of groups that have a vector, n."""
        return len(self.scatters)

    @cached_property
    def total(self) -> Scatter | None:
        """The scatter of all groups together; None for no group."""
        parts = [self.scatters[name] for name in sorted(self.scatters)]
        return reduce(Scatter.merge, parts) if parts else None

    @cached_property
    def means(self) -> Scatter | None:
        """The scatter of the group means, one vector per group; None for no group."""
        if not self.scatters:
            return None
        return Scatter.of(np.stack([self.scatters[name].mean for name in sorted(self.scatters)]))

    @property
    def within(self) -> float | None:
        """Mean squared distance of a vector from the mean of its group; None for no group."""
        return None if self.total is None else self._m2_within / self.total.count

    @property
    def _m2_within(self) -> float:
        return sum(scatter.m2 for scatter in self.scatters.values())

    @property
    def between(self) -> float | None:
        """Mean squared distance of a group's mean from the overall mean, weighted by size.

        None for fewer than two groups.
        """
        if self.total is None or self.number < 2:
            return None
        mean = self.total.mean
        gaps = ((scatter.count, scatter.mean - mean) for scatter in self.scatters.values())
        return sum(count * float(gap @ gap) for count, gap in gaps) / self.total.count

    @property
    def frobenius_norm(self) -> float | None:
        """‖D‖_F of the distances between group means; None for fewer than two groups."""
        return None if self.means is None else self.means.frobenius_norm

    @property
    def noise_floor(self) -> float | None:
        """`frobenius_norm` expected by chance if all groups are the same: √ of E ‖D‖_F².

        None for fewer than two groups, or if no group has two vectors.
        """
        if self.total is None or self.number < 2 or self.total.count == self.number:
            return None
        variance = self._m2_within / (self.total.count - self.number)
        shares = sum(1.0 / scatter.count for scatter in self.scatters.values())
        return math.sqrt(2.0 * (self.number - 1) * variance * shares)

    @override
    def numbers(self) -> dict[str, float]:
        return defined(
            {
                "within": self.within,
                "between": self.between,
                "group_frobenius_norm": self.frobenius_norm,
                "noise_floor": self.noise_floor,
            }
        )
