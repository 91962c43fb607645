"""The posterior of who has a phrase from whom, as draws.

An answer has the phrase unless nothing made it so. It copies from what it read at the rate c, from
each text as often, and writes the phrase on its own at its author's rate e: if m of the k texts
that it read have the phrase, it has it with the probability 1 - exp(-(e + c m / k)). Which of
these came first in an answer that has it follows from the rates. Rates and genealogies are drawn
from their posterior by Gibbs sampling: given the numbers of such events in each answer, the rates
are gamma variables, those of the authors with a common scale that is drawn too.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.auditing.retrieval_log import RetrievalLog
from hayflick.auditing.shingles import Shingles, shingles_of
from hayflick.core.arrays import Floats, Integers
from hayflick.core.progress import Progress
from hayflick.corpus.normalization import normalized
from hayflick.corpus.tokenizers import Tokenizer

_CONTEXT = 3
"""Words of a run that an answer and a text which it may have copied have in common."""
_SWEEPS, _BURN_IN, _KEPT_EVERY = 800, 200, 2
_MOST_STEPS = 40_000_000
_OWN_SHAPE, _COPY_SHAPE, _COPY_RATE = 0.5, 0.5, 1.0
_LEAST_OWN = 0.01
_SMALLEST = 1e-280


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


@final
@dataclass(frozen=True, eq=False)
class GenealogyDraws:
    """Draws from the posterior."""

    carriers: Integers
    """The answers with the phrase, ascending."""
    begins: Integers
    """Where the texts that each of them read begin among the pairs, and the end of the last."""
    read: Integers
    """Those texts, one answer after the other."""
    pairs: Integers
    """Their places among all pairs."""
    own: Floats
    """Probability that each of them did not copy."""
    copying: Floats
    writing: Floats
    """Rates by draw: of copying, and of writing on one's own as a mean over answers."""
    roots: Integers
    """Where each carrier goes back to, by draw: a text, or behind all texts an answer."""


def draw_genealogies(given: PhraseExposure, *, seed: int, progress: Progress) -> GenealogyDraws:
    """Draw rates and genealogies from their posterior."""
    sampler = _GibbsSampler(given, np.random.Generator(np.random.Philox(seed)))
    carriers = sampler.carriers
    sweeps = int(min(_SWEEPS, max(_BURN_IN + 100, _MOST_STEPS // max(1, carriers.size))))
    own = np.zeros(carriers.size)
    copying, writing, roots = [], [], []
    for sweep in range(sweeps):
        sampler.sweep()
        if sweep < _BURN_IN:
            continue
        own += sampler.own
        if sweep % _KEPT_EVERY == 0:
            copying.append(sampler.copying())
            writing.append(sampler.writing())
            roots.append(_roots(given, carriers, sampler.parents()))
        progress("tracing the phrase", sweep, sweeps)
    own /= sweeps - _BURN_IN
    own[given.prompted[carriers]] = 1.0
    return GenealogyDraws(
        carriers,
        sampler.begins,
        sampler.read,
        sampler.pairs,
        own,
        np.array(copying),
        np.array(writing),
        np.array(roots, dtype=np.int64).reshape(len(roots), carriers.size),
    )


class _GibbsSampler:
    """Draws events given the rates, and rates given the events, in turn.

    Parameters
    ----------
    given
        Which answers have the phrase, and what they read.
    rng
        Of the draws.
    """

    def __init__(self, given: PhraseExposure, rng: np.random.Generator) -> None:
        self._rng = rng
        self.carriers = np.flatnonzero(given.has)
        order = np.argsort(given.read_answer, kind="stable")
        self.pairs = order[given.has[given.read_answer[order]]]
        self.read = given.read_text[self.pairs]
        ends = np.append(self.carriers, given.has.size)
        self.begins = np.searchsorted(given.read_answer[self.pairs], ends)
        free = ~given.prompted
        # Answers of each author that no prompt asked for the phrase.
        self._answers = np.bincount(given.reader[free], minlength=len(given.readers))
        # The part of what each answer read that has the phrase.
        part = np.bincount(given.read_answer, minlength=given.has.size) / np.maximum(given.reads, 1)
        self._exposed, self._shown = part[free & (part > 0)], part[self.carriers]
        self._whose, self._asked = given.reader[self.carriers], given.prompted[self.carriers]
        self._own_rate, self._copy_rate = np.full(self._answers.size, 0.01), 0.3
        self._scale = 50.0
        self._first_copied = np.zeros(self.carriers.size, np.bool_)
        self.own = np.zeros(self.carriers.size)

    def sweep(self) -> None:
        """Draw the events of each carrier, then the rates."""
        rng = self._rng
        own_hazard, copy_hazard = self._own_rate[self._whose], self._copy_rate * self._shown
        hazard = own_hazard + copy_hazard
        probability = copy_hazard / hazard
        # The first event of a Poisson process that has one, and how many came after it.
        moment = -np.log1p(rng.random(hazard.size) * np.expm1(-hazard)) / hazard
        self._first_copied = rng.random(hazard.size) < probability
        later = rng.poisson(hazard * np.clip(1.0 - moment, 0.0, 1.0))
        copied = self._first_copied + rng.binomial(later, probability)
        written = 1 + later - copied
        copied[self._asked], written[self._asked] = 0, 0
        self.own = 1.0 - probability
        self._draw_rates(copied, written)

    def _draw_rates(self, copied: Integers, written: Integers) -> None:
        rng, number = self._rng, self._answers.size
        by_writer = np.bincount(self._whose, written, minlength=number)
        own_rate = rng.gamma(_OWN_SHAPE + by_writer) / (self._scale + self._answers)
        self._own_rate = np.maximum(own_rate, _SMALLEST)
        copy_rate = rng.gamma(_COPY_SHAPE + copied.sum()) / (_COPY_RATE + self._exposed.sum())
        self._copy_rate = max(copy_rate, _SMALLEST)
        self._scale = rng.gamma(1.0 + _OWN_SHAPE * number) / (_LEAST_OWN + self._own_rate.sum())

    def copying(self) -> float:
        """Return the probability that an answer which read the phrase copies it."""
        exposed = self._exposed
        return float(-np.expm1(-self._copy_rate * exposed).mean()) if exposed.size else 0.0

    def writing(self) -> float:
        """Return the probability that an answer has the phrase without having copied it."""
        answers = self._answers
        return float(-np.expm1(-float(self._own_rate @ answers / max(1, answers.sum()))))

    def parents(self) -> Integers:
        """Draw the text that each carrier copied; -1 for none."""
        number = np.diff(self.begins)
        choice = self.begins[:-1] + (self._rng.random(number.size) * number).astype(np.int64)
        if not self.read.size:
            return np.full(number.size, -1)
        copies = self._first_copied & ~self._asked & (number > 0)
        return np.where(copies, self.read[np.minimum(choice, self.read.size - 1)], -1)


def _roots(given: PhraseExposure, carriers: Integers, parent: Integers) -> Integers:
    """Return where each carrier goes back to, from the text that it copied (-1 for none)."""
    texts = given.texts
    pointer = np.arange(texts + given.has.size)
    is_answer = given.origin >= 0
    pointer[:texts][is_answer] = texts + given.origin[is_answer]
    copied = parent >= 0
    pointer[texts + carriers[copied]] = parent[copied]
    while True:
        further = pointer[pointer]
        if np.array_equal(further, pointer):
            found: Integers = pointer[texts + carriers]
            return found
        pointer = further
