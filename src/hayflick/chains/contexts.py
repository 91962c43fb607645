"""The contexts of a text under an n-gram model, numbered once and for all.

An n-gram model of order k sees the last k - 1 words of the sentence. A word of the text
leads from one context to the next, and which it leads to depends on nothing else: a model of
any order is a bigram model over contexts. A text that the model writes visits contexts of
the training text alone, so their numbers serve every later generation.

References
----------
Jurafsky and Martin, *Speech and Language Processing*, 3rd edition, section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Texts: TypeAlias = NDArray[np.int32]
"""A text as the contexts that it visits, 0 at the end of every sentence."""


@dataclass(frozen=True, eq=False)
class Contexts:
    """A text as the contexts that it visits.

    Parameters
    ----------
    visited
        The context behind every token, shape ``(tokens,)``; 0 where a sentence begins.
    last
        The token that every context ends with, shape ``(contexts,)``; 0 for context 0.
    memory
        1, or 0 for order 1: `visited` then holds the tokens themselves, so that the text can
        be read from it, but nothing depends on them.

    Examples
    --------
    >>> visits = Contexts.of(np.array([1, 2, 1, 2, 3, 0]), order=3)
    >>> visits.visited.tolist(), visits.last.tolist()
    ([1, 2, 3, 2, 4, 0], [0, 1, 2, 1, 3])
    """

    visited: Texts
    last: NDArray[np.int32]
    memory: int

    @classmethod
    def of(cls, tokens: NDArray[np.integer], *, order: int) -> Contexts:
        """Return the contexts of a text, numbered in the order of their words.

        Parameters
        ----------
        tokens
            Numbers of words from 1, and 0 at the end of every sentence.
        order
            Words of an n-gram, from 1.
        """
        visited = tokens.astype(np.int64)
        last = np.arange(tokens.max() + 1)
        base = last.size
        for _ in range(order - 2):
            # A context one word longer: the context before a word, and the word.
            pairs = np.append(0, visited[:-1]) * base + tokens
            pairs[tokens == 0] = 0
            longer, visited = np.unique(pairs, return_inverse=True)
            shorter, last = last.size, longer % base
            if last.size == shorter:
                # The added word told no context from another: no further one will.
                break
        return cls(visited.astype(np.int32), last.astype(np.int32), int(order > 1))

    @property
    def number(self) -> int:
        """Number of different contexts."""
        return self.last.size if self.memory else 1
