"""The n-gram language model: the next word given the last few words of the sentence.

A generation writes a text word by word and counts n-grams in it anew. Words, and ways to go
on from a context, that were not written are lost from then on, unless real text is mixed in.

References
----------
Jurafsky and Martin, *Speech and Language Processing*, 3rd edition, chapter 3.

Shumailov, Shumaylov, Zhao, Papernot, Anderson, Gal, *AI models collapse when trained on
recursively generated data*, Nature 631, 2024.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from hayflick.chains.contexts import Contexts
from hayflick.chains.stages.record import Stages
from hayflick.chains.stages.rounding import Grid, RoundedSampler
from hayflick.chains.stages.samplers import Temperature, TopK, TopP
from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.corpus.sentences import Sentences, read_sentences

if TYPE_CHECKING:
    from hayflick.chains.ngram_chain import NGramChain

LONGEST = 16
"""The largest order."""

MOST_WORDS = 2**30 - 1
"""Positions in a text, sentence ends among them, are 32-bit integers."""


@dataclass(frozen=True, eq=False)
class NGram:
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

    sentences: Sentences
    order: int = 2

    def __post_init__(self) -> None:
        order = whole_number("order", self.order, at_least=1, at_most=LONGEST)
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
        progress: Progress = silent,
    ) -> NGram:
        """Return the model of a text file or a folder of texts.

        Parameters other than `order`, and errors, are those of
        `hayflick.corpus.sentences.read_sentences`.
        """
        # Before a long text is read, not after.
        whole_number("order", order, at_least=1, at_most=LONGEST)
        sentences = read_sentences(path, tokenizer=tokenizer, encoding=encoding, progress=progress)
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

    def training_size(self, samples: int | None) -> int:
        """Return `samples`, in words, or the size of the real text where it is None.

        Raises
        ------
        ArgumentError
            If `samples` is below 1 or above 2^30 - 1.
        """
        size = self.total if samples is None else samples
        return whole_number("samples", size, at_least=1, at_most=MOST_WORDS)

    def chain(self, samples: int, *, stages: Stages = Stages()) -> NGramChain:
        """Return the model in motion at training texts of `samples` words.

        Raises
        ------
        ArgumentError
            If a stage other than a sampler and rounding is asked for.
        """
        from hayflick.chains.ngram_chain import NGramChain

        stages.check("ngram", {"sampler": (Temperature, TopK, TopP), "rounding": (Grid,)})
        sampler = stages.sampler
        if stages.rounding is not None:
            sampler = RoundedSampler(stages.rounding, sampler)
        return NGramChain(self, self.training_size(samples), sampler)

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the model again, ready for JSON."""
        source = self.sentences.source
        return {
            "family": "ngram",
            "order": self.order,
            "input": source.name,
            "tokenizer": source.tokenizer,
            "encoding": source.encoding,
            "types": self.types,
            "tokens": self.total,
            "sentences": self.sentences.number,
        }
