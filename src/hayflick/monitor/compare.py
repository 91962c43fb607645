"""`compare`: two sets of answers side by side: two releases, two models, two settings.

What is measured is in `hayflick.monitor.comparison`. This module reads both sets, matches their
prompts and turns answers into words and vectors.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import polars as pl
from scipy import sparse

from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import as_float, whole_number
from hayflick.core.display_text import display_text
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import ArgumentError, DataError, UnknownLogError
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import stream
from hayflick.core.source import sources_of
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import Answers, read_answers
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.tokenizers import Tokenizer, tokenizer_for, tokenizer_named
from hayflick.diversity.phrases import PhraseCounts, Template, templates
from hayflick.embed.embedder import Embedder, embed_all
from hayflick.monitor.changed_phrases import typical
from hayflick.monitor.compare_result import ComparedSide, Comparison
from hayflick.monitor.comparison import AnswerSet, differences
from hayflick.monitor.measuring import VALUE

if TYPE_CHECKING:
    from hayflick.storage.embedding_cache import EmbeddingCache

_Path: TypeAlias = str | os.PathLike[str]

MOST_ANSWERS = 2000
"""Answers of a set that are measured; of more, some are sampled evenly over the prompts."""

FEWEST_ANSWERS = 20
"""Answers that each set needs, to prompts that both have."""

_TOKENIZER_TEXTS, _TRIED_TEXTS = 1000, 64
_PHRASED_TEXTS, _PHRASED_BYTES = 20_000, 4_000_000


def compare(
    old: _Path | Any,
    new: _Path | Any,
    *,
    text: str | None = None,
    log: str | None = None,
    prompt: str | None = None,
    values: Sequence[str] = (),
    vectors: str | None = None,
    embedder: str | Embedder = "hashing",
    cache: _Path | None = None,
    tokenizer: str = "auto",
    confidence: float = 0.95,
    skip_bad: bool = False,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    seed: int = 1,
    progress: Progress = silent,
) -> Comparison:
    """Compare two sets of answers: which numbers differ, by how much, with intervals.

    Both are measured at a common size and, with prompts, at a common mix of prompts; answers to
    prompts that only one has are left out.

    Parameters
    ----------
    old, new
        Two tables of answers (CSV, TSV, JSON, Parquet, xlsx) or exported logs, each of which may be
        several files or a folder; or data in memory.
    text, prompt, values, vectors
        Columns that both have, or paths into nested ones; see
        `hayflick.corpus.answer_columns.AnswerColumns`.
    log
        The tool that wrote both logs; see `hayflick.monitor.watch.watch`.
    embedder
        Turns texts into vectors: an embedder, or one in the grammar of
        `hayflick.embed.embedder`. Not used with `vectors`.
    cache
        A file that keeps vectors between calls; None for none.
    tokenizer
        How texts are split into words, the same in both; ``auto`` follows from both.
    confidence
        Probability with which all intervals hold together, at least .5 and below 1.
    skip_bad, encoding, normalize, table
        How the tables are read; see `hayflick.corpus.answers.read_answers`.
    seed
        Seed of everything that is drawn.
    progress
        Called with how far reading and measuring have come.

    Raises
    ------
    DataError
        If a table cannot be used, has too few answers, or no prompt is in both.
    ArgumentError
        If an argument is out of its range or does not fit another.

    Examples
    --------
    >>> words = [f"w{k * k % 97}" for k in range(303)]
    >>> old = {"answer": [f"{words[k]} {words[k + 1]} {words[k + 2]}" for k in range(300)]}
    >>> new = {"answer": [f"the same {words[k % 5]}" for k in range(300)]}
    >>> compared = compare(old, new, text="answer")
    >>> compared.verdict.value, [one.metric for one in compared.below(0.9)]
    ('less diverse', ['effective_words', 'effective_answers', 'spread'])
    """
    confidence = _checked_confidence(confidence)
    seed = whole_number("seed", seed, at_least=0)
    if vectors is not None and vectors.endswith(".npy"):
        takes = "a column of lists of numbers that both tables have"
        raise ArgumentError("vectors", got=vectors, takes=takes)
    chosen_embedder = _embedder(embedder)
    if tokenizer != "auto":
        tokenizer_named(tokenizer)
    named = {"text": text, "prompt": prompt, "vectors": vectors}
    columns = AnswerColumns(by=None, values=tuple(values), **named)
    how = {"skip_bad": skip_bad, "encoding": encoding, "normalize": normalize, "table": table}
    read = [_read(given, columns, log=log, progress=progress, **how) for given in (old, new)]
    sides = [_Side.of(read[0], "old"), _Side.of(read[1], "new")]
    _match(sides)
    was_sampled = _sample(sides, seed)
    has_text = all("text" in one.frame.columns for one in read)
    if vectors is not None:
        _same_dimensions(sides)
    elif has_text:
        _embed(sides, chosen_embedder, cache, progress)
    _number_prompts(sides)
    split = _tokenizer(tokenizer, sides) if has_text else None
    sets = _sets(sides, split)
    measured = differences(*sets, confidence=confidence, seed=seed, progress=progress)
    if not measured.differences:
        reasons = "; ".join(f"{one.metric}: {one.reason}" for one in measured.unmeasured)
        raise DataError(f"{sides[0].name} and {sides[1].name}: nothing can be compared: {reasons}")
    return Comparison(
        old=sides[0].compared(sets[0]),
        new=sides[1].compared(sets[1]),
        differences=measured.differences,
        unmeasured=measured.unmeasured,
        confidence=confidence,
        is_identical=_is_identical(*read),
        prompts=None if prompt is None else int(sets[0].prompts[-1]) + 1,
        draws_prompts=measured.draws_prompts and prompt is not None,
        common_answers=measured.answers,
        common_words=measured.words,
        was_sampled=was_sampled,
        phrases=_phrases(sides, seed) if has_text else (),
        sources=sources_of(*read),
        settings={
            "old": read[0].name,
            "new": read[1].name,
            "confidence": confidence,
            "embedder": chosen_embedder.id if vectors is None and has_text else None,
            "tokenizer": None if split is None else split.name,
        },
        seed=seed,
    )


def _read(given: Any, columns: AnswerColumns, **how: Any) -> Answers:
    """Return the answers of one set; of logs, prompts are found without being named."""
    try:
        found = read_answers(given, columns=columns, **how)
    except UnknownLogError as fault:
        raise UnknownLogError(
            f"{fault.places}\nSay which of them is the answer with --text"
        ) from None
    if columns.prompt is not None:
        return found
    return replace(found, frame=found.frame.drop("prompt", strict=False))


@dataclass(eq=False)
class _Side:
    """The answers of one set: all of those that can be compared, and those that are measured."""

    name: str
    answers: int
    frame: pl.DataFrame
    vectors: Floats | None
    other_prompts: tuple[str, ...] = ()
    unmatched: int = 0
    measured: pl.DataFrame | None = None

    @classmethod
    def of(cls, answers: Answers, argument: str) -> _Side:
        """Return the answers that are not empty."""
        frame = answers.frame.with_row_index("place")
        if "prompt" not in frame.columns:
            frame = frame.with_columns(prompt=pl.lit(""))
        frame = frame.with_columns(pl.col("prompt").fill_null(""))
        if "text" in frame.columns:
            frame = frame.filter(pl.col("text").fill_null("").str.strip_chars() != "")
        vectors = None
        if answers.vectors is not None:
            vectors = answers.vectors.astype(np.float64)
            whole = np.isfinite(vectors).all(axis=1) & vectors.any(axis=1)
            places = frame["place"].to_numpy()
            frame = frame.filter(pl.Series(np.asarray(whole)[places], dtype=pl.Boolean))
        name = answers.name if answers.name != "the table" else f"the {argument} table"
        if frame.is_empty():
            empty = "empty" if vectors is None else "empty, or have a vector of zeros or none"
            raise DataError(f"{name}: all of its {len(answers.frame):,} answers are {empty}")
        return cls(name, len(answers.frame), frame, vectors)

    @property
    def empty(self) -> int:
        """Number of answers that are empty."""
        return self.answers - len(self.frame) - self.unmatched

    def places(self) -> Integers:
        """Return the positions of the measured answers."""
        assert self.measured is not None
        return self.measured["place"].to_numpy().astype(np.int64)

    def compared(self, answers: AnswerSet) -> ComparedSide:
        """Return what a result says of this side."""
        assert self.measured is not None
        words = None if answers.words is None else float(answers.words.sum()) / answers.size
        return ComparedSide(
            name=self.name,
            answers=self.answers,
            empty_answers=self.empty,
            compared=answers.size,
            words_per_answer=words,
            other_prompts=self.other_prompts,
            unmatched_answers=self.unmatched,
            typical=self._typical(answers.vectors),
        )

    def _typical(self, vectors: Floats | None) -> tuple[str, ...]:
        if self.measured is None or vectors is None or "text" not in self.measured.columns:
            return ()
        return tuple(typical(self.measured["text"].to_list(), vectors))


def _checked_confidence(confidence: float) -> float:
    number = as_float(confidence)
    if not 0.5 <= number < 1.0:
        takes = "a probability from 0.5 to below 1, such as 0.95"
        raise ArgumentError("confidence", got=confidence, takes=takes)
    return number


def _embedder(embedder: str | Embedder) -> Embedder:
    if not isinstance(embedder, str):
        return embedder
    from hayflick.embed.embedder import parse_embedder

    return parse_embedder(embedder)


def _match(sides: Sequence[_Side]) -> None:
    """Keep the answers to prompts that both sides have."""
    known = [dict.fromkeys(side.frame["prompt"].to_list()) for side in sides]
    both = [prompt for prompt in known[0] if prompt in known[1]]
    if not both:
        first = [display_text(next(iter(prompts)), longest=60) for prompts in known]
        raise DataError(
            f"{sides[0].name} and {sides[1].name}: have no prompt in common (the first "
            f"are {first[0]!r} and {first[1]!r}); leave out --prompt to compare whole sets"
        )
    numbers = pl.DataFrame({"prompt": both, "number": range(len(both))})
    for side, prompts in zip(sides, known, strict=True):
        matched = side.frame.join(numbers, on="prompt", how="inner", maintain_order="left")
        side.other_prompts = tuple(prompt for prompt in prompts if prompt not in set(both))
        side.unmatched = len(side.frame) - len(matched)
        side.frame = matched.sort("number", maintain_order=True)
        if len(matched) < FEWEST_ANSWERS:
            what = "to prompts of both" if side.unmatched else "that are not empty"
            raise DataError(
                f"{side.name}: answers {what}: {len(matched)}; a comparison takes at least "
                f"{FEWEST_ANSWERS} on each side"
            )


def _sample(sides: Sequence[_Side], seed: int) -> bool:
    """Choose the answers to measure, evenly over the prompts; return whether some are left out."""
    prompts = int(sides[0].frame["number"].max()) + 1  # type: ignore[arg-type]
    chosen = np.arange(prompts)
    if prompts > MOST_ANSWERS:
        chosen = np.sort(stream(seed, block=10).permutation(prompts)[:MOST_ANSWERS])
    kept = pl.DataFrame({"number": chosen})
    was_sampled = prompts > MOST_ANSWERS
    for at, side in enumerate(sides):
        frame = side.frame.join(kept, on="number", how="inner", maintain_order="left")
        keys = pl.Series(stream(seed, block=11 + at).random(len(frame)))
        frame = frame.with_columns(key=keys).with_columns(
            rank=pl.col("key").rank("ordinal").over("number")
        )
        most = _most_per_prompt(frame["number"].to_numpy())
        side.measured = frame.filter(pl.col("rank") <= most)
        was_sampled |= len(side.measured) < len(frame)
    return was_sampled


def _most_per_prompt(numbers: Integers) -> int:
    """Return how many answers to each prompt are measured at most."""
    sizes = np.sort(np.bincount(numbers))
    sizes = sizes[sizes > 0]
    if sizes.sum() <= MOST_ANSWERS:
        return int(sizes[-1])
    # With at most m of each prompt there are Σ min(size, m) answers.
    low, high = 1, int(sizes[-1])
    while low < high:
        middle = (low + high + 1) // 2
        if int(np.minimum(sizes, middle).sum()) <= MOST_ANSWERS:
            low = middle
        else:
            high = middle - 1
    return low


def _same_dimensions(sides: Sequence[_Side]) -> None:
    lengths = [side.vectors.shape[1] for side in sides if side.vectors is not None]
    if lengths[0] != lengths[1]:
        raise DataError(
            f"{sides[0].name} has vectors of {lengths[0]} numbers, {sides[1].name} of "
            f"{lengths[1]}; take one embedder for both"
        )


def _embed(
    sides: Sequence[_Side], embedder: Embedder, cache: _Path | None, progress: Progress
) -> None:
    """Turn the measured texts into vectors; those without a direction are left out."""
    with ExitStack() as stack:
        store: EmbeddingCache | None = None
        if cache is not None:
            from hayflick.storage.database import Database
            from hayflick.storage.embedding_cache import EmbeddingCache

            store = EmbeddingCache(stack.enter_context(Database(cache)), embedder=embedder.id)
        for at, side in enumerate(sides):
            assert side.measured is not None
            texts = side.measured["text"].to_list()
            parts = list(embed_all(embedder, texts[:1], cache=store))
            begun = time.monotonic()
            parts += embed_all(embedder, texts[1:_TRIED_TEXTS], cache=store)
            if at == 0:
                # The first text compiles kernels or loads a model.
                number = 2 * max(0, len(texts) - _TRIED_TEXTS)
                seconds = (time.monotonic() - begun) * number / _TRIED_TEXTS
                expect(progress, Effort(f"embedding {number:,} more answers", seconds))
            parts += embed_all(embedder, texts[_TRIED_TEXTS:], cache=store)
            found = np.concatenate(parts)
            side.vectors = np.zeros((side.answers, found.shape[1]))
            side.vectors[side.places()] = found
            known = np.isfinite(found).all(axis=1) & found.any(axis=1)
            side.measured = side.measured.filter(pl.Series(known))
            progress("embedding answers", at + 1, 2)


def _number_prompts(sides: Sequence[_Side]) -> None:
    """Give numbers to the prompts that the measured answers of both sides have."""
    sizes = [side.measured.group_by("number").len() for side in sides if side.measured is not None]
    both = sizes[0].join(sizes[1], on="number").sort("number").with_row_index("prompt number")
    common = int(both.select(pl.min_horizontal("len", "len_right").sum()).item())
    if common < FEWEST_ANSWERS:
        raise DataError(
            f"{sides[0].name} and {sides[1].name}: only {common} answers are to the same prompts, "
            f"one for one; a comparison takes at least {FEWEST_ANSWERS}. Ask more of the same "
            "prompts, or leave out --prompt"
        )
    numbers = both.select("number", "prompt number")
    for side in sides:
        assert side.measured is not None
        side.measured = side.measured.join(numbers, on="number", maintain_order="left")


def _tokenizer(name: str, sides: Sequence[_Side]) -> Tokenizer:
    if name != "auto":
        return tokenizer_named(name)
    texts = [side.frame["text"].head(_TOKENIZER_TEXTS) for side in sides]
    return tokenizer_for(pl.concat(texts).to_list())


def _sets(sides: Sequence[_Side], split: Tokenizer | None) -> tuple[AnswerSet, AnswerSet]:
    """Return both sets as the comparison takes them."""
    words = [None, None] if split is None else _word_counts(sides, split)
    frames = [side.measured for side in sides if side.measured is not None]
    names = [name for name in frames[0].columns if name.startswith(VALUE)]
    numbers = {
        name: [frame[name].fill_null(np.nan).to_numpy().astype(np.float64) for frame in frames]
        for name in names
    }
    found = []
    for at, (side, frame) in enumerate(zip(sides, frames, strict=True)):
        values = {name.removeprefix(VALUE): numbers[name][at] for name in names}
        vectors = None if side.vectors is None else side.vectors[side.places()]
        prompts = frame["prompt number"].to_numpy().astype(np.int64)
        found.append(AnswerSet(prompts=prompts, words=words[at], vectors=vectors, values=values))
    return found[0], found[1]


def _word_counts(sides: Sequence[_Side], split: Tokenizer) -> list[sparse.csr_array]:
    """Return how often each answer has each word, the words numbered alike in both."""
    frames = [side.measured for side in sides if side.measured is not None]
    texts = pl.concat([frame["text"] for frame in frames])
    tokens = split.tokens(pl.LazyFrame({"text": texts, "row": np.arange(len(texts))})).collect()
    columns = tokens["symbol"].rank("dense").to_numpy().astype(np.int64) - 1
    number = int(columns.max(initial=0)) + 1
    cells = (tokens["row"].to_numpy(), columns)
    ones = np.ones(columns.size, np.int64)
    counts = sparse.csr_array(sparse.coo_array((ones, cells), shape=(len(texts), number)))
    first = len(frames[0])
    return [counts[:first], counts[first:]]


def _phrases(sides: Sequence[_Side], seed: int) -> tuple[Template, ...]:
    """Return the phrases whose rate differs, in equally many answers to every prompt."""
    sizes = [side.frame.group_by("number").len() for side in sides]
    common = (
        sizes[0]
        .join(sizes[1], on="number")
        .select("number", most=pl.min_horizontal("len", "len_right"))
    )
    counts = []
    for at, side in enumerate(sides):
        keys = pl.Series(stream(seed, block=20 + at).random(len(side.frame)))
        frame = side.frame.with_columns(key=keys).join(common, on="number", maintain_order="left")
        rank = pl.col("key").rank("ordinal").over("number")
        texts = frame.filter(rank <= pl.col("most"))["text"]
        # Phrases take a hundred times as much memory as their texts.
        size = max(1, int(texts.str.len_bytes().sum()))
        most = min(_PHRASED_TEXTS, math.ceil(len(texts) * min(1.0, _PHRASED_BYTES / size)))
        if len(texts) > most:
            texts = texts.sample(most, seed=seed)
        counts.append(PhraseCounts.of(texts.to_list()))
    return templates(counts[1], baseline=counts[0], most=None)


def _is_identical(old: Answers, new: Answers) -> bool:
    """Return whether both have the same answers, in any order."""
    frames = [answers.frame.drop("row", "round") for answers in (old, new)]
    if frames[0].height != frames[1].height:
        return False
    if old.vectors is not None and new.vectors is not None:
        if old.vectors.shape != new.vectors.shape:
            return False
        return frames[0].equals(frames[1]) and np.array_equal(
            old.vectors, new.vectors, equal_nan=True
        )
    first, second = (frame.sort(frame.columns) for frame in frames)
    return first.equals(second)
