"""Which answers of a log have a phrase, and which texts with it they had read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.auditing.retrieval_log import RetrievalLog
from hayflick.auditing.shingles import Shingles, shingles_of
from hayflick.core.arrays import Integers
from hayflick.core.progress import Progress
from hayflick.corpus.normalization import normalized
from hayflick.corpus.tokenizers import Tokenizer

_CONTEXT = 3
"""Words of a run that an answer and a text which it may have copied have in common."""


@final
@dataclass(frozen=True, eq=False)
class PhraseExposure:
    """Which answers have the phrase, and which texts with it they read.

    Answers are numbered as in the log; texts that have the phrase by their place in `documents`.
    """

    log: RetrievalLog
    has: NDArray[np.bool_]
    """Whether each answer has the phrase."""
    prompted: NDArray[np.bool_]
    """Whether each answer was asked for with the phrase."""
    documents: Integers
    """The texts that have it."""
    origin: Integers
    """Per text that has it, the answer that it is; -1 for none."""
    reads: Integers
    """How many texts each answer read, with the phrase and without."""
    read_answer: Integers
    read_text: Integers
    """Pairs of an answer and a text with the phrase (place in `documents`) that it read."""
    context: Integers
    """Per such pair, the runs of words that both have in common."""

    @classmethod
    def of(
        cls,
        log: RetrievalLog,
        phrase: str,
        *,
        tokenizer: Tokenizer,
        normalize: str,
        length: int,
        progress: Progress,
    ) -> PhraseExposure:
        """Return the carriers of a phrase: texts with `length` of its words in a row."""

        def runs(texts: pl.Series, words: int) -> Shingles:
            spelled = normalized(texts, normalize).fill_null("")
            return shingles_of(
                spelled, tokenizer=tokenizer, length=words, shortest=words, progress=progress
            )

        wanted = np.unique(runs(pl.Series([phrase]), length).hashes)

        def has(texts: pl.Series) -> NDArray[np.bool_]:
            if texts.is_empty():
                return np.zeros(0, np.bool_)
            found = runs(texts, length)
            place = np.repeat(np.arange(len(texts)), np.diff(found.offsets))
            carrying = np.zeros(len(texts), np.bool_)
            carrying[place[np.isin(found.hashes, wanted)]] = True
            return carrying

        of_answers = log.answers["request"].to_numpy()
        answers = has(log.answers["text"])
        prompts = log.requests["prompt"].unique(maintain_order=True).drop_nulls()
        asked = prompts.filter(pl.Series(has(prompts), dtype=pl.Boolean))
        prompted = log.requests["prompt"].is_in(asked.implode()).fill_null(value=False).to_numpy()
        documents = np.flatnonzero(has(log.documents["text"]))
        origin = _answers_of(log, documents, answers)
        place = np.full(len(log.documents), -1)
        place[documents] = np.arange(documents.size)
        reads = log.reads.with_columns(text=pl.Series(place).gather(log.reads["document"]))
        numbered = log.answers.select("request").with_row_index("answer").cast(pl.Int64)
        pairs = numbered.join(
            reads.filter(pl.col("text") >= 0), on="request", maintain_order="left_right"
        )
        answer, text = pairs["answer"].to_numpy(), pairs["text"].to_numpy()
        # A text that is an answer was read only by later ones.
        earlier = origin[text] < answer if text.size else np.zeros(0, np.bool_)
        answer, text = answer[earlier], text[earlier]
        kept = answers[answer]
        context = np.zeros(answer.size, np.int64)
        if kept.any():
            readers, read = np.unique(answer[kept]), np.unique(text[kept])
            left = runs(log.answers["text"].gather(readers), _CONTEXT)
            right = runs(log.documents["text"].gather(documents[read]), _CONTEXT)
            context[kept] = _common(
                left,
                right,
                np.searchsorted(readers, answer[kept]),
                np.searchsorted(read, text[kept]),
            )
        number = np.bincount(log.reads["request"].to_numpy(), minlength=len(log.requests))
        return cls(
            log=log,
            has=answers,
            prompted=prompted[of_answers],
            documents=documents,
            origin=origin,
            reads=number[of_answers],
            read_answer=answer,
            read_text=text,
            context=context,
        )

    @cached_property
    def reader(self) -> Integers:
        """Number of who gave each answer, in the order of `readers`."""
        places = {name: place for place, name in enumerate(self.readers)}
        return np.array([places[name] for name in self._reader_names], dtype=np.int64)

    @cached_property
    def readers(self) -> tuple[str, ...]:
        """Names of those who answer, in order; empty for nobody's."""
        return tuple(self._reader_names.unique().sort())

    @cached_property
    def _reader_names(self) -> pl.Series:
        of_answers = self.log.answers["request"]
        return self.log.requests["reader"].gather(of_answers).fill_null("")

    @cached_property
    def texts(self) -> int:
        """Number of texts that have the phrase."""
        return self.documents.size


def _answers_of(log: RetrievalLog, documents: Integers, has: NDArray[np.bool_]) -> Integers:
    """Return the answer that each of some texts is; -1 where it is none."""
    of_answers = log.answers["request"]
    answers = (
        log.answers.select("text")
        .with_columns(
            author=log.requests["reader"].gather(of_answers).fill_null(""),
            entered=log.requests["round"].gather(of_answers),
        )
        .with_row_index("answer")
        .cast({"answer": pl.Int64})
        .filter(pl.Series(has, dtype=pl.Boolean))
    )
    wanted = log.documents[documents].select("text", "author", "entered")
    exact = answers.unique(["text", "author", "entered"], keep="first", maintain_order=True)
    # A text can be a part of an answer: then that of its author and round with the phrase.
    alike = answers.unique(["author", "entered"], keep="first", maintain_order=True)
    found = wanted.join(
        exact, on=["text", "author", "entered"], how="left", maintain_order="left"
    ).join(
        alike.select("author", "entered", part="answer"),
        on=["author", "entered"],
        how="left",
        maintain_order="left",
    )
    origin: Integers = (
        found.select(pl.coalesce("answer", "part").fill_null(-1)).to_series().to_numpy()
    )
    return origin


def _common(left: Shingles, right: Shingles, first: Integers, second: Integers) -> Integers:
    """Return how many runs each pair of texts has in common."""
    numbers = np.zeros(first.size, np.int64)
    for place, (one, other) in enumerate(zip(first, second, strict=True)):
        mine = left.hashes[left.offsets[one] : left.offsets[one + 1]]
        theirs = right.hashes[right.offsets[other] : right.offsets[other + 1]]
        numbers[place] = np.intersect1d(mine, theirs, assume_unique=True).size
    return numbers
