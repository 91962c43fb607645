"""Symbols grouped by how often the real data hold them: 1, 2, …, 5, 6-7, 8-9, 10-14 and on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hayflick.core.arrays import Floats, Integers

_MANTISSAS = np.array([1, 1.5, 2, 3, 4, 5, 6, 8])
_FIRST = np.array([1, 2, 3, 4, 5, 6, 8])


@dataclass(frozen=True, eq=False)
class CountClasses:
    """Classes of symbols by count.

    Parameters
    ----------
    lower
        Smallest count of every class, ascending, shape ``(classes,)``.
    of_symbol
        The class of every symbol, shape ``(types,)``.
    """

    lower: Integers
    of_symbol: NDArray[np.int32]

    @property
    def sizes(self) -> Integers:
        """Number of symbols in every class, shape ``(classes,)``."""
        return np.bincount(self.of_symbol, minlength=self.lower.size)


def count_classes(counts: Integers | Floats) -> CountClasses:
    """Group symbols by (expected) count; classes without a symbol are left out.

    Examples
    --------
    >>> classes = count_classes(np.array([1, 1, 7, 120]))
    >>> classes.lower.tolist(), classes.sizes.tolist()
    ([1, 6, 100], [2, 1, 1])
    """
    decades = range(1, 2 + int(np.log10(max(10.0, float(counts.max())))))
    later = np.concatenate([_MANTISSAS * 10**decade for decade in decades])
    edges = np.unique(np.concatenate([_FIRST, later]).astype(np.int64))
    # Expected counts below 1 (a law that is known, a small sample) share a class 0.
    edges = np.concatenate([[0], edges])
    place = np.searchsorted(edges, counts, side="right") - 1
    used, of_symbol = np.unique(place, return_inverse=True)
    return CountClasses(edges[used], of_symbol.astype(np.int32))
