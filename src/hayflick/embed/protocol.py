"""What every embedder is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Vectors: TypeAlias = NDArray[np.float32]
"""One row per text."""


class Embedder(Protocol):
    """Turns texts into vectors: the same text into the same vector, whatever stands beside it.

    A text of nothing but whitespace has no direction: its row is NaN, and whoever measures
    leaves it out.
    """

    @property
    def id(self) -> str:
        """Everything that decides on the vectors: name, parameters, seed, version.

        Two embedders of one id may share a cache.
        """

    @property
    def dimensions(self) -> int:
        """Length of a vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the vectors in the order of the texts, shape ``(len(texts), dimensions)``."""
