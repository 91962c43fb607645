"""The n-gram language model: the next word given the last few words of the sentence.

A generation writes a text word by word, and the next model counts the n-grams in it. Words and
continuations that were not written are lost from then on, unless real text is mixed in.

References
----------
Jurafsky and Martin, *Speech and Language Processing*, 3rd edition, chapter 3.

Shumailov, Shumaylov, Zhao, Papernot, Anderson, Gal, *AI models collapse when trained on
recursively generated data*, Nature 631, 2024.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from hayflick.chains.block_counts import recorded_ranks
from hayflick.chains.family import FamilyChain, FamilyData, NamedModel, Rng
from hayflick.chains.samplers import Sampler, Temperature, TopK, TopP
from hayflick.chains.stages import Grid, Stages, law_on_grid
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import LARGEST_ORDER, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.grammar import Entry, whole
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Model, Recorded
from hayflick.core.records import Mix
from hayflick.corpus.sentences import Sentences, read_sentences

if TYPE_CHECKING:
    from hayflick.chains.ngram_kernels import Block, Starts, Texts


MOST_WORDS = 2**30 - 1
"""Positions in a text, sentence ends among them, are 32-bit integers."""


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
                # The added word separates no contexts: longer ones will not either.
                break
        return cls(visited.astype(np.int32), last.astype(np.int32), int(order > 1))

    @property
    def number(self) -> int:
        """Number of different contexts."""
        return self.last.size if self.memory else 1


@dataclass(frozen=True, eq=False)
class NGram(NamedModel):
    """An n-gram model fitted by maximum likelihood, within sentences.

    Parameters
    ----------
    sentences
        The real text.
    order
        Words of an n-gram, 1 to 16: a word depends on the `order` - 1 words before it.

    Raises
    ------
    ArgumentError
        If `order` is out of its range, or larger than the number of words of the text.

    Examples
    --------
    >>> from hayflick.corpus.sentences import split_sentences
    >>> model = NGram(split_sentences("The cat sat. The cat ran! Did the dog sit?"), order=2)
    >>> model.types, model.total, model.sentences.number
    (7, 10, 3)
    >>> model.describe()["order"]
    2
    """

    family: ClassVar[str] = "ngram"
    fitted_with: ClassVar[tuple[str, ...] | None] = ("order",)
    largest_round: ClassVar[int] = MOST_WORDS

    sentences: Sentences
    order: int = 2

    def __post_init__(self) -> None:
        order = whole_number("order", self.order, at_least=1, at_most=LARGEST_ORDER)
        object.__setattr__(self, "order", order)
        if order > self.total:
            takes = f"at most {self.total}, the number of words of {self.sentences.source.name}"
            remedy = "an order longer than the text leaves nothing to count"
            raise ArgumentError("order", got=order, takes=takes, remedy=remedy)

    def __repr__(self) -> str:
        size = f"types={self.types}, total={self.total}"
        return f"NGram({self.sentences.source.name!r}, {size}, order={self.order})"

    @classmethod
    def from_text(
        cls,
        path: str | os.PathLike[str],
        *,
        order: int = 2,
        tokenizer: str = "auto",
        encoding: str = "utf-8",
        normalize: str = "nfc",
        progress: Progress = silent,
    ) -> NGram:
        """Return the model of a text file or a folder of texts.

        Parameters other than `order`, and errors, are those of
        `hayflick.corpus.sentences.read_sentences`.
        """
        # Before a long text is read, not after.
        whole_number("order", order, at_least=1, at_most=LARGEST_ORDER)
        sentences = read_sentences(
            path, tokenizer=tokenizer, encoding=encoding, normalize=normalize, progress=progress
        )
        return cls(sentences, order)

    @property
    def types(self) -> int:
        """Number of different words."""
        return self.sentences.types

    @property
    def total(self) -> int:
        """Number of words of the real text."""
        return self.sentences.total

    @cached_property
    def contexts(self) -> Contexts:
        """The real text as the contexts that it visits."""
        return Contexts.of(self.sentences.tokens, order=self.order)

    @classmethod
    @override
    def entry(cls, data: FamilyData) -> Entry[Model]:
        def make(order: str = "2") -> Model:
            return cls.from_text(
                data.require("ngram"),
                order=whole("order", order),
                tokenizer=data.tokenizer or "auto",
                encoding=data.encoding,
                normalize=data.normalize,
            )

        return Entry(make, (), ("order",))

    @override
    def chain(self, samples: int, *, stages: Stages = Stages()) -> NGramChain:
        return NGramChain(self, self.training_size(samples), stages)

    @override
    def describe(self) -> dict[str, Any]:
        source = self.sentences.source
        return {
            "family": self.family,
            "order": self.order,
            "input": source.name,
            "tokenizer": source.tokenizer,
            "encoding": source.encoding,
            "types": self.types,
            "tokens": self.total,
            "sentences": self.sentences.number,
        }


_FEWEST_WORDS = 1e-3
"""Share of words among all that a model of order 1 writes."""


@dataclass(frozen=True, eq=False)
class Successors:
    """The possible successors of every context.

    Parameters
    ----------
    starts
        Context c is followed by ``visits[starts[c]:starts[c + 1]]``.
    visits
        The contexts that the following words lead to.
    cumulative
        Running sums of the weights within each context; empty where all visits weigh the same.
    memory
        0 for order 1, else 1; see `hayflick.chains.ngram.Contexts`.

    Examples
    --------
    >>> trained = Successors.of(np.array([1, 2, 0, 1, 1, 0], np.int32), contexts=3, memory=1)
    >>> [trained.visits[first:last].tolist() for first, last in ((0, 2), (2, 5), (5, 6))]
    [[1, 1], [2, 1, 0], [0]]
    """

    starts: Starts
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
        from hayflick.chains.ngram_kernels import train

        if sampler is not None:
            return _reweighted(text, contexts=contexts, memory=memory, sampler=sampler)
        starts, visits = np.empty(contexts + 2, np.int32), np.empty(text.size, np.int32)
        train(text, memory, starts, visits)
        return cls(starts, visits, np.empty(0), memory)

    def append(self, rng: Rng, block: Block, *, draws: int) -> Block:
        """Return a block with `draws` words written behind each of its texts."""
        from hayflick.chains.ngram_kernels import append

        tables = self.starts, self.visits, self.cumulative, self.memory
        texts, offsets = append(rng, *tables, draws, *block)
        return texts, offsets


def _reweighted(text: Texts, *, contexts: int, memory: int, sampler: Sampler) -> Successors:
    befores = np.append(0, text[:-1]).astype(np.int64) * memory
    base = int(text.max()) + 1
    # In the order of contexts, then of successors: this decides ties.
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
    # Many contexts share few laws: most were seen only a few times.
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


@dataclass(frozen=True, eq=False)
class BlockTexts:
    """The texts of a block of replicates; a text is all there is to the model fitted to it.

    Parameters
    ----------
    block
        Contexts visited (`Contexts`), and offsets: replicate r owns the
        visits from ``offsets[r]`` to ``offsets[r + 1]``.
    size
        Words that each replicate holds; 0 for models fitted to the real text, which hold no
        text of their own.
    """

    block: Block
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


class NGramChain(FamilyChain[BlockTexts, BlockTexts]):
    """An n-gram model retrained on its own text; samples are words.

    A text is all there is to the model fitted to it: it is sorted only when it is to write.
    Recorded are surviving words and contexts, the diversity of single words, and words per
    sentence. Contexts are counted against those of the real text, the beginning of a sentence
    among them.
    """

    takes: ClassVar = {"sampler": (Temperature, TopK, TopP), "rounding": (Grid,)}
    model: NGram

    @cached_property
    def sampler(self) -> Sampler | None:
        """What changes the law of every context before a word is drawn; None for nothing."""
        sampler, grid = self.stages.sampler, self.stages.rounding
        return sampler if grid is None else RoundedSampler(grid, sampler)

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

    @override
    def start(self, replicates: int) -> BlockTexts:
        return BlockTexts.empty(replicates)

    @override
    def generate(self, rng: Rng, population: BlockTexts, draws: int) -> BlockTexts:
        if population.size == 0:
            block = self._first.append(rng, population.block, draws=draws)
        elif self.sampler is None:
            from hayflick.chains.ngram_kernels import rewrite

            contexts = self.model.contexts
            block = rewrite(rng, *population.block, contexts.number, contexts.memory, draws)
        else:
            block = self._resampled(rng, population, draws)
        return BlockTexts(block, draws)

    def _resampled(self, rng: Rng, population: BlockTexts, draws: int) -> Block:
        written = []
        for replicate in range(population.replicates):
            model = self._trained(population.text(replicate), sampler=self.sampler)
            written.append(model.append(rng, BlockTexts.empty(1).block, draws=draws)[0])
        sizes = [text.size for text in written]
        return np.concatenate(written), np.append(0, np.cumsum(sizes))

    @override
    def check(self, mixes: Sequence[Mix[Any]]) -> None:
        super().check(mixes)
        if any(mix.accumulate for mix in mixes):
            takes = "for the family ngram: rounds that keep nothing, such as replace or fresh"
            raise ArgumentError("regime", got="rounds that accumulate", takes=takes)

    @override
    def mix(self, rng: Rng, pool: BlockTexts, mix: Mix[Any]) -> BlockTexts:
        if mix.fresh == 0:
            return pool
        block = self._real.append(rng, pool.block, draws=mix.fresh)
        return BlockTexts(block, pool.size + mix.fresh)

    @override
    def estimate(self, pool: BlockTexts) -> BlockTexts:
        return pool

    @override
    def measure(self, population: BlockTexts) -> Recorded:
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
        from hayflick.chains.ngram_kernels import summarise

        model, contexts = self.model, self.model.contexts
        survivors, visited, sentences, squares = summarise(
            *population.block, contexts.last, model.types
        )
        return {
            "surviving_types": survivors,
            "surviving_fraction": survivors / model.types,
            "surviving_contexts": np.minimum(visited, contexts.number) / contexts.number,
            "diversity": 1.0 - squares / float(population.size) ** 2,
            "sentence_length": population.size / sentences,
        }

    @override
    def measure_last(self, population: BlockTexts) -> Recorded:
        from hayflick.chains.count_kernels import counts_at_ranks

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
        return recorded_ranks(self.model.types)

    @override
    def coordinates(self) -> Mapping[str, tuple[str, NDArray[Any]]]:
        return {"count_by_rank": ("rank", self.ranks)}

    @override
    def describe(self) -> dict[str, Any]:
        described = {**self.model.describe(), "samples": self.samples}
        if self.sampler is not None:
            described["sampler"] = self.sampler.describe()
        return described
