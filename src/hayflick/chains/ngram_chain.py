"""The n-gram family in motion: the stages of a round over a block of replicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hayflick.chains import walks as kernels
from hayflick.chains.contexts import Texts
from hayflick.chains.draws import counts_at_ranks
from hayflick.chains.ngram import NGram
from hayflick.chains.parametric import refuse_reserves
from hayflick.chains.pools import refuse_accumulation
from hayflick.chains.stages.samplers import Sampler
from hayflick.chains.successors import Successors
from hayflick.core.arrays import Integers
from hayflick.core.protocols import Recorded
from hayflick.core.records import Mix

_RANKS = 200


@dataclass(frozen=True, eq=False)
class BlockTexts:
    """The texts of a block of replicates; a text is all there is to the model fitted to it.

    Parameters
    ----------
    block
        Contexts visited (`hayflick.chains.contexts`), and offsets: replicate r owns the
        visits from ``offsets[r]`` to ``offsets[r + 1]``.
    size
        Words that each replicate holds; 0 for models fitted to the real text, which hold no
        text of their own.
    """

    block: kernels.Block
    size: int

    @classmethod
    def empty(cls, replicates: int) -> BlockTexts:
        """Return a block without a single word."""
        return cls((np.empty(0, np.int32), np.zeros(replicates + 1, np.int64)), 0)

    @property
    def replicates(self) -> int:
        """Number of replicates."""
        return self.block[1].size - 1

    def text(self, replicate: int) -> Texts:
        """Return the visits of one replicate."""
        texts, offsets = self.block
        return texts[offsets[replicate] : offsets[replicate + 1]]


@dataclass(frozen=True, eq=False)
class NGramChain:
    """An n-gram model retrained on its own text; see `hayflick.core.protocols.Chain`.

    Parameters
    ----------
    model
        The model, fitted to the real text.
    samples
        Words of a training text.
    sampler
        What changes the law of every context before a word is drawn; None for nothing.
    """

    model: NGram
    samples: int
    sampler: Sampler | None = None

    @cached_property
    def _real(self) -> Successors:
        return self._trained(self.model.contexts.visited, sampler=None)

    @cached_property
    def _first(self) -> Successors:
        """θ_0 as the chain draws from it."""
        if self.sampler is None:
            return self._real
        return self._trained(self.model.contexts.visited, sampler=self.sampler)

    def _trained(self, text: Texts, *, sampler: Sampler | None) -> Successors:
        contexts = self.model.contexts
        return Successors.of(
            text, contexts=contexts.number, memory=contexts.memory, sampler=sampler
        )

    def start(self, replicates: int) -> BlockTexts:
        """Return `replicates` copies of θ_0, the fit to the real text."""
        return BlockTexts.empty(replicates)

    def generate(self, rng: np.random.Generator, population: BlockTexts, draws: int) -> BlockTexts:
        """Let every model write `draws` words; the last sentence is cut there."""
        if population.size == 0:
            block = self._first.append(rng, population.block, draws=draws)
        elif self.sampler is None:
            contexts = self.model.contexts
            block = kernels.rewrite(rng, *population.block, contexts.number, contexts.memory, draws)
        else:
            block = self._resampled(rng, population, draws)
        return BlockTexts(block, draws)

    def _resampled(
        self, rng: np.random.Generator, population: BlockTexts, draws: int
    ) -> kernels.Block:
        written = []
        for replicate in range(population.replicates):
            model = self._trained(population.text(replicate), sampler=self.sampler)
            written.append(model.append(rng, BlockTexts.empty(1).block, draws=draws)[0])
        sizes = [text.size for text in written]
        return np.concatenate(written), np.append(0, np.cumsum(sizes))

    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        """Refuse stored items: counts of words say nothing of their order; and accumulation.

        Raises
        ------
        ArgumentError
            If a mix has some, or accumulates.
        """
        refuse_reserves(mixes, "ngram")
        refuse_accumulation(mixes, "ngram")

    def mix(self, rng: np.random.Generator, pool: BlockTexts, mix: Mix[Any]) -> BlockTexts:
        """Add fresh text, newly written by the real model, to every pool."""
        if mix.fresh == 0:
            return pool
        block = self._real.append(rng, pool.block, draws=mix.fresh)
        return BlockTexts(block, pool.size + mix.fresh)

    def estimate(self, pool: BlockTexts) -> BlockTexts:
        """Fit every model: its text is the model, sorted only when it is to write."""
        return pool

    def measure(self, population: BlockTexts) -> Recorded:
        """Return surviving words and contexts, diversity, and words per sentence.

        Diversity is Gini and Simpson's of single words, 1 - Σ p_i². Contexts are counted
        against those of the real text, the beginning of a sentence among them.
        """
        if population.size == 0:
            return {
                name: np.repeat(value, population.replicates)
                for name, value in self._at_first.items()
            }
        return self._measured(population)

    @cached_property
    def _at_first(self) -> Recorded:
        visited = self.model.contexts.visited
        real = BlockTexts((visited, np.array([0, visited.size])), self.model.total)
        return self._measured(real)

    def _measured(self, population: BlockTexts) -> Recorded:
        model, contexts = self.model, self.model.contexts
        survivors, visited, sentences, squares = kernels.summarise(
            *population.block, contexts.last, model.types
        )
        return {
            "surviving_types": survivors,
            "surviving_fraction": survivors / model.types,
            "surviving_contexts": np.minimum(visited, contexts.number) / contexts.number,
            "diversity": 1.0 - squares / float(population.size) ** 2,
            "sentence_length": population.size / sentences,
        }

    def measure_last(self, population: BlockTexts) -> Recorded:
        """Return counts of words by rank, most frequent first, 0 beyond the last survivor."""
        edges = np.array([0, self.model.types])
        rows = [
            counts_at_ranks(self._word_counts(population, replicate), edges, self.ranks)
            for replicate in range(population.replicates)
        ]
        return {"count_by_rank": np.concatenate(rows)}

    def _word_counts(self, population: BlockTexts, replicate: int) -> Integers:
        contexts = self.model.contexts
        real = population.size == 0
        words = contexts.last[contexts.visited if real else population.text(replicate)]
        return np.bincount(words, minlength=self.model.types + 1)[1:]

    @cached_property
    def ranks(self) -> Integers:
        """Ranks at which the counts of the last generation are recorded, evenly in logs."""
        return np.unique(np.geomspace(1, self.model.types, _RANKS).round().astype(np.int64))

    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        """Return the further dimension of a recorded name, and its coordinate."""
        return {"count_by_rank": ("rank", self.ranks)}

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the chain again, ready for JSON."""
        described = {**self.model.describe(), "samples": self.samples}
        if self.sampler is not None:
            described["sampler"] = self.sampler.describe()
        return described
