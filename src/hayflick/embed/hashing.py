"""The built-in embedder: stateless, without a model, in any script.

Texts are near one another as far as they share pieces of words. Word order counts only where
a script has no spaces, meaning not at all; for that, take a sentence model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from hayflick.core.checks import whole_number
from hayflick.embed.code_points import code_points, folded, kinds_of
from hayflick.embed.projection import QUARTERS, project
from hayflick.embed.protocol import Vectors

DIMENSIONS = 384
_MOST_DIMENSIONS = 1 << 14
_LARGEST_SEED = 2**53

_VERSION = 1
"""Of the vectors: another one wherever they change."""


@final
@dataclass(frozen=True, kw_only=True, slots=True)
class HashingEmbedder:
    """Hashed character n-grams, projected to few dimensions; see `hayflick.embed.projection`.

    Case and the spelling of accents make no difference; see `hayflick.embed.code_points`.

    Parameters
    ----------
    dimensions
        Length of a vector.
    seed
        Of the projection.

    Raises
    ------
    ArgumentError
        If a parameter is out of its range.

    Examples
    --------
    >>> embedder = HashingEmbedder()
    >>> plum, plums, rain = embedder.embed(["a ripe plum", "Ripe plums", "all the rain"])
    >>> bool(plum @ plums > 0.5 > plum @ rain)
    True
    """

    dimensions: int = DIMENSIONS
    seed: int = 0

    def __post_init__(self) -> None:
        whole_number("dimensions", self.dimensions, at_least=QUARTERS, at_most=_MOST_DIMENSIONS)
        whole_number("seed", self.seed, at_least=0, at_most=_LARGEST_SEED)

    @property
    def id(self) -> str:
        """Everything that decides on the vectors."""
        return f"hashing:dimensions={self.dimensions},seed={self.seed},version={_VERSION}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return the unit vectors of texts; NaN for one without anything but whitespace."""
        points, ends = code_points([folded(text) for text in texts])
        vectors: Vectors = project(points, ends, kinds_of(points), self.seed, self.dimensions)
        return vectors
