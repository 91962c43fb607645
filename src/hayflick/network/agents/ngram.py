"""An agent without a language model: n-grams of its own corpus, mixed with those of its context.

An answer takes milliseconds. It is drawn from
(1 - trust) p_own + trust p_context (`hayflick.network.agents.ngram_model`), where p_context is the
n-gram model of the retrieved texts.

*Learning* mixes what was read into the agent's own counts: after a round they are
(1 - rate) · own + rate · read, both normalised, so that its own corpus fades geometrically. At
rate 0 the agent is frozen, as the language models of the paper are; above 0 it is retrained
recursively through the pool.

*The query* is continued if its last word occurs in the agent's corpus or its context; otherwise
the answer begins a sentence.

References
----------
Wang et al., *LLM Web Dynamics*, 2025, Algorithm 1 (frozen language models).
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, Self, final

import numpy as np
from typing_extensions import override

from hayflick.chains.ngram_kernels import Texts
from hayflick.core.checks import LARGEST_ORDER, share, whole_number
from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.reading import text_files
from hayflick.corpus.running_text import sample_files
from hayflick.corpus.sentences import Sentences, read_sentences, split_sentences
from hayflick.network.agents import ngram_model as kernels
from hayflick.network.agents.ngram_model import NGramIndex, Vocabulary, writing_tokenizer
from hayflick.network.agents.protocol import AgentSection, Answer, AnswerSeed, SharedParts

Vocabularies = dict[str, Vocabulary]
"""Vocabularies by tokenizer, shared by the agents of a network."""

_MOST_TOKENS = 100_000


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class NGramAgent:
    """An agent that generates text from n-grams; made by `of_texts` or `from_text`.

    Parameters
    ----------
    name
        Name of the agent.
    sentences
        Its own corpus.
    vocabulary
        Word numbers, by the corpus's tokenizer.
    order
        Order of the n-grams, 1 to 16.
    trust
        Weight of the retrieved texts' model, from 0 to 1.
    learning
        Rate at which counts of what was read replace its own after a round, from 0 to 1.
    most_tokens, most_sentences
        An answer ends when either is reached; tokens are words and ends of sentences.
    own_weight
        Remaining weight of its own corpus, at most 1.
    learned
        Weight per word of each text that it has learned.

    Raises
    ------
    ArgumentError
        If a number is out of its range.

    Examples
    --------
    >>> import asyncio
    >>> from hayflick.network.agents.protocol import AnswerSeed
    >>> agent = NGramAgent.of_texts("anna", ["The old mill is by the river."])
    >>> seed = AnswerSeed(7, agent="anna", round=1)
    >>> asyncio.run(agent.answer("How is it?", [], seed=seed)).text
    'The old mill is by the river. The old mill is by the river.'
    """

    name: str
    sentences: Sentences = field(repr=False)
    vocabulary: Vocabulary = field(repr=False)
    order: int = 3
    trust: float = 0.5
    learning: float = 0.0
    most_tokens: int = 60
    most_sentences: int = 2
    own_weight: float = 1.0
    learned: Mapping[str, float] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        whole_number("order", self.order, at_least=1, at_most=LARGEST_ORDER)
        share("trust", self.trust)
        share("learning", self.learning)
        whole_number("most_tokens", self.most_tokens, at_least=1, at_most=_MOST_TOKENS)
        whole_number("most_sentences", self.most_sentences, at_least=1)

    @classmethod
    def of_texts(
        cls,
        name: str,
        texts: Sequence[str],
        *,
        tokenizer: str = "auto",
        vocabularies: Vocabularies | None = None,
        **settings: Any,
    ) -> Self:
        """Return an agent whose corpus is some texts.

        Parameters
        ----------
        name
            Name of the agent.
        texts
            Its own corpus; no sentence continues in the next text.
        tokenizer
            See `hayflick.network.agents.ngram_model.writing_tokenizer`.
        vocabularies
            Vocabularies by tokenizer, shared with other agents so that each text is split once.
        settings
            `order`, `trust`, `learning`, `most_tokens`, `most_sentences`.

        Raises
        ------
        ArgumentError
            If a number is out of its range, or there is no such tokenizer.
        DataError
            If the texts hold no word.

        Examples
        --------
        >>> import asyncio
        >>> agent = NGramAgent.of_texts("anna", ["It rains in May."], trust=0.0)
        >>> asyncio.run(agent.answer("How is it?", [], seed=AnswerSeed(7))).text
        'It rains in May. It rains in May.'
        """
        chosen = writing_tokenizer(tokenizer, texts).name
        try:
            sentences = split_sentences("\n".join(texts), tokenizer=chosen)
        except DataError:
            raise DataError(f"agent {name}: its texts hold no word") from None
        return cls._of(name, sentences, vocabularies, settings)

    @classmethod
    def from_text(
        cls,
        name: str,
        path: str | os.PathLike[str],
        *,
        tokenizer: str = "auto",
        encoding: str = "utf-8",
        vocabularies: Vocabularies | None = None,
        **settings: Any,
    ) -> Self:
        """Return an agent whose corpus is a text file or a folder of texts; see `of_texts`.

        Raises
        ------
        ArgumentError
            If a number is out of its range, or there is no such tokenizer or encoding.
        DataError
            If the input is missing, empty or holds no word.
        UndecodableError
            If it is not in `encoding`.
        """
        samples = sample_files(text_files(Path(path)), encoding=encoding)
        chosen = writing_tokenizer(tokenizer, samples).name
        sentences = read_sentences(path, tokenizer=chosen, encoding=encoding)
        return cls._of(name, sentences, vocabularies, settings)

    @classmethod
    def _of(
        cls,
        name: str,
        sentences: Sentences,
        vocabularies: Vocabularies | None,
        settings: Mapping[str, Any],
    ) -> Self:
        tokenizer = str(sentences.source.tokenizer)
        known = {} if vocabularies is None else vocabularies
        if tokenizer not in known:
            known[tokenizer] = Vocabulary(writing_tokenizer(tokenizer, ()))
        return cls(name=name, sentences=sentences, vocabulary=known[tokenizer], **settings)

    async def answer(self, query: str, context: Sequence[str], *, seed: AnswerSeed) -> Answer:
        """Return a text drawn from the mixture; see `hayflick.network.agents.protocol.Agent`."""
        return self.write(query, context, seed=seed)

    def write(
        self,
        query: str,
        context: Sequence[str],
        *,
        seed: AnswerSeed,
        most_tokens: int | None = None,
    ) -> Answer:
        """Return what `answer` does, synchronously, with `most_tokens` tokens at most if given.

        Tokens are words of the agent's tokenizer and ends of sentences; they cost nothing.
        """
        read = self.vocabulary.index_of(context)
        numbers = kernels.generate(
            seed.stream(),
            self.order,
            0.0 if read.empty else self.trust,
            self._own.arrays,
            read.arrays,
            self._prefix(query, read),
            min(most_tokens or self.most_tokens, self.most_tokens),
            self.most_sentences,
        )
        return Answer(
            self.vocabulary.decode(numbers.tolist()),
            tokens_in=self.vocabulary.encode(query).size + read.tokens.size,
            tokens_out=numbers.size,
            cost=0.0,
            finish="stop" if numbers[-1] == 0 else "length",
            model="ngram",
        )

    def _prefix(self, query: str, read: NGramIndex) -> Texts:
        """Return the last words of the query, if one of the models can continue them."""
        words = self.vocabulary.encode(query.rstrip(" \n\t.!?…؟۔।॥。！？｡"))
        prefix = words[:-1][-max(self.order - 1, 1) :]
        known = prefix.size and any(_follows(model, int(prefix[-1])) for model in (self._own, read))
        return prefix if known else prefix[:0]

    @cached_property
    def _corpus(self) -> Texts:
        return self.vocabulary.encode_sentences(self.sentences)

    @cached_property
    def _own(self) -> NGramIndex:
        texts = [self._corpus, *self.vocabulary.encode_all(list(self.learned))]
        return NGramIndex.of(texts, weights=[self.own_weight, *self.learned.values()])

    def after_reading(self, texts: Sequence[str]) -> Self:
        """Return the agent after it has read the texts of a round; itself if it is frozen.

        Examples
        --------
        >>> agent = NGramAgent.of_texts("anna", ["It rains."], learning=0.25)
        >>> later = agent.after_reading(["Snow in May."])
        >>> later.own_weight, dict(later.learned)
        (0.75, {'Snow in May.': 0.1875})
        """
        if self.learning == 0.0:
            return self
        words = sum(numbers.size for numbers in self.vocabulary.encode_all(texts))
        if words == 0:
            return self
        left = 1.0 - self.learning
        learned = {text: weight * left for text, weight in self.learned.items()}
        each = self.learning * self._corpus.size / words
        for text in texts:
            learned[text] = learned.get(text, 0.0) + each
        later = replace(self, own_weight=self.own_weight * left, learned=learned)
        # Numbering its corpus again would take longer than all else.
        later.__dict__["_corpus"] = self._corpus
        return later

    async def close(self) -> None:
        """Do nothing: there is no connection."""

    def describe(self) -> dict[str, Any]:
        """Return the parameters that make the agent again, ready for JSON."""
        source = self.sentences.source
        return {
            "kind": "ngram",
            "name": self.name,
            "corpus": source.name,
            "tokenizer": source.tokenizer,
            "encoding": source.encoding,
            "order": self.order,
            "trust": self.trust,
            "learning": self.learning,
            "most_tokens": self.most_tokens,
            "most_sentences": self.most_sentences,
        }


def _follows(index: NGramIndex, word: int) -> bool:
    """Return whether any word follows this one in the index."""
    bounds = index.starts[word : word + 2]
    return bounds.size == 2 and bool(np.diff(bounds) > 0)


@final
class NGramSection(AgentSection):
    """An n-gram agent: its corpus is a file or folder, or texts."""

    computes = True

    kind: Literal["ngram"]
    corpus: str | None = None
    texts: list[str] | None = None
    tokenizer: str = "auto"
    encoding: str = "utf-8"
    order: int = 3
    trust: float = 0.5
    learning: float = 0.0
    most_tokens: int = 60
    most_sentences: int = 2

    @override
    def make(self, shared: SharedParts) -> NGramAgent:
        if (self.corpus is None) == (self.texts is None):
            takes = "either corpus, a file or folder, or texts"
            got = "neither" if self.corpus is None else "both"
            raise ArgumentError("corpus", got=got, takes=takes)
        settings: dict[str, Any] = self.model_dump(
            exclude={"name", "kind", "corpus", "texts", "encoding"}
        )
        settings["vocabularies"] = shared.once("vocabularies", dict)
        if self.texts is not None:
            return NGramAgent.of_texts(self.name, self.texts, **settings)
        path = shared.folder / str(self.corpus)
        return NGramAgent.from_text(self.name, path, encoding=self.encoding, **settings)
