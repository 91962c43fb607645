"""What may follow every context, and how likely: a trained n-gram model.

Maximum likelihood gives every visit of the training text the same weight. A sampler
(temperature, top-k, top-p) changes the law of every context, so visits of the same word are
then taken together.

References
----------
Holtzman, Buys, Du, Forbes, Choi, *The Curious Case of Neural Text Degeneration*,
arXiv:1904.09751, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hayflick.chains import walks as kernels
from hayflick.chains.contexts import Texts
from hayflick.chains.stages.samplers import Sampler
from hayflick.core.arrays import Floats, Integers
from hayflick.core.errors import ArgumentError

_FEWEST_WORDS = 1e-3
"""Share of words among all that a model of order 1 writes."""


@dataclass(frozen=True, eq=False)
class Successors:
    """What may follow every context.

    Parameters
    ----------
    starts
        Context c is followed by ``visits[starts[c]:starts[c + 1]]``.
    visits
        The contexts that the following words lead to.
    cumulative
        Running sums of the weights within each context; empty where all visits weigh the same.
    memory
        0 for order 1, else 1; see `hayflick.chains.contexts.Contexts`.

    Examples
    --------
    >>> trained = Successors.of(np.array([1, 2, 0, 1, 1, 0], np.int32), contexts=3, memory=1)
    >>> [trained.visits[first:last].tolist() for first, last in ((0, 2), (2, 5), (5, 6))]
    [[1, 1], [2, 1, 0], [0]]
    """

    starts: kernels.Starts
    visits: Texts
    cumulative: Floats
    memory: int

    @classmethod
    def of(
        cls, text: Texts, *, contexts: int, memory: int, sampler: Sampler | None = None
    ) -> Successors:
        """Train on a text; laws are changed by `sampler` where there is one.

        Parameters
        ----------
        text
            The contexts that it visits, shape ``(tokens,)``, 0 at the end of every sentence.
        contexts
            How many different ones there are.
        """
        if sampler is not None:
            return _reweighted(text, contexts=contexts, memory=memory, sampler=sampler)
        starts, visits = np.empty(contexts + 2, np.int32), np.empty(text.size, np.int32)
        kernels.train(text, memory, starts, visits)
        return cls(starts, visits, np.empty(0), memory)

    def append(
        self, rng: np.random.Generator, block: kernels.Block, *, draws: int
    ) -> kernels.Block:
        """Return a block with `draws` words written behind each of its texts."""
        tables = self.starts, self.visits, self.cumulative, self.memory
        texts, offsets = kernels.append(rng, *tables, draws, *block)
        return texts, offsets


def _reweighted(text: Texts, *, contexts: int, memory: int, sampler: Sampler) -> Successors:
    befores = np.append(0, text[:-1]).astype(np.int64) * memory
    base = int(text.max()) + 1
    # In the order of contexts, then of the words behind them: this settles ties.
    pairs, counts = np.unique(befores * base + text, return_counts=True)
    befores, visits = np.divmod(pairs, base)
    edges = _edges(befores, contexts=contexts)
    weights = _weights(counts, edges, sampler)
    if memory == 0 and weights[visits > 0].sum() < _FEWEST_WORDS:
        # Sentence ends alone would be written, and never the words that are asked for.
        takes = "one that leaves words to an n-gram model of order 1"
        raise ArgumentError("sampler", got=sampler.describe(), takes=takes)
    kept = weights > 0
    befores, visits, weights = befores[kept], visits[kept], weights[kept]
    edges = _edges(befores, contexts=contexts)
    sums = _running_sums(weights, edges)
    return Successors(edges.astype(np.int32), visits.astype(np.int32), sums, memory)


def _edges(befores: Integers, *, contexts: int) -> Integers:
    """Return where the successors of every context begin, and where the last ones end."""
    return np.append(0, np.cumsum(np.bincount(befores, minlength=contexts)))


def _weights(counts: Integers, edges: Integers, sampler: Sampler) -> Floats:
    weights = np.ones(counts.size)
    # Few different laws among many contexts: most were seen but a few times.
    known: dict[bytes, Floats] = {}
    several = np.flatnonzero(np.diff(edges) > 1)
    for first, last in zip(edges[several].tolist(), edges[several + 1].tolist(), strict=True):
        law = counts[first:last]
        key = law.tobytes()
        if key not in known:
            known[key] = _law(sampler, law / law.sum())
        weights[first:last] = known[key]
    return weights


def _law(sampler: Sampler, probabilities: Floats) -> Floats:
    weights = sampler.reweight(probabilities)
    total = weights.sum()
    if not (np.isfinite(total) and total > 0):
        takes = "one that leaves something to draw"
        raise ArgumentError("sampler", got=sampler.describe(), takes=takes)
    law: Floats = weights / total
    return law


def _running_sums(weights: Floats, edges: Integers) -> Floats:
    """Return running sums that begin anew in every context."""
    sums = np.cumsum(weights)
    sizes = np.diff(edges)
    before = np.append(0.0, sums)[edges[:-1]]
    within: Floats = sums - np.repeat(before, sizes)
    return within
