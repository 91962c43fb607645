"""Texts that an n-gram agent can go on from: every word's places, by the word before.

Maximum likelihood picks one of the places where the last words of the sentence stood before.
Kept as places rather than as counts, the same texts serve every order, and the longest context
that was seen is found by looking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hayflick.chains.contexts import Texts
from hayflick.core.arrays import Floats
from hayflick.network.agents import mixing


@dataclass(frozen=True, eq=False)
class Memory:
    """Texts, indexed.

    Parameters
    ----------
    tokens
        Numbers of words, 0 behind every sentence, shape ``(tokens,)``.
    weights
        What every place counts, 1 on average, shape ``(tokens,)``.
    starts, places
        Word w stands before ``places[starts[w]:starts[w + 1]]``.
    cumulative
        Running sums of the weights.

    Examples
    --------
    >>> memory = Memory.of([np.array([1, 2, 0], np.int32)], weights=[1.0])
    >>> memory.places.tolist(), memory.starts.tolist(), memory.empty
    ([0, 1, 2], [0, 1, 2, 3], False)
    """

    tokens: Texts
    weights: Floats
    starts: Texts
    places: Texts
    cumulative: Floats

    @classmethod
    def of(cls, texts: Sequence[Texts], *, weights: Sequence[float]) -> Memory:
        """Return texts, indexed; the words of a text count in proportion to its weight."""
        heavy = [(text, w) for text, w in zip(texts, weights, strict=True) if w > 0 and text.size]
        tokens = np.concatenate([np.empty(0, np.int32), *(text for text, _ in heavy)])
        sizes = [text.size for text, _ in heavy]
        each = np.repeat(np.array([weight for _, weight in heavy], np.float64), sizes)
        each /= each.mean() if each.size else 1.0
        starts = np.zeros(int(tokens.max(initial=0)) + 3, np.int32)
        places = np.empty(tokens.size, np.int32)
        mixing.index(tokens, starts, places)
        return cls(tokens, each, starts[:-1], places, np.cumsum(each))

    @property
    def empty(self) -> bool:
        """Whether there is not one word."""
        return self.tokens.size == 0

    @property
    def arrays(self) -> mixing.Arrays:
        """What the compiled walk takes."""
        return self.tokens, self.weights, self.starts, self.places, self.cumulative
