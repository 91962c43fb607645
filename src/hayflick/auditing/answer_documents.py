"""A log of answers with what was retrieved for each, with the store's documents or without.

A document that says nothing of its origin is generated if it is an earlier answer of the log, as
a whole or a part of it: at least four fifths of its runs of words are in one answer that stands
before the first retrieval of the document. Where no document says anything, all others with a text
count as not generated: the shares are then those of the log's own answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from hayflick.auditing.contamination import RUN, RetrievalContamination, find_contamination
from hayflick.auditing.retrieval_log import ANSWERS, DOCUMENTS, READS, REQUESTS, RetrievalLog
from hayflick.auditing.shingles import Shingles, shingles_of
from hayflick.core.arrays import Integers
from hayflick.core.errors import DataError
from hayflick.core.notes import Note
from hayflick.core.progress import Progress, silent
from hayflick.corpus.answers import Answers
from hayflick.corpus.normalization import normalized
from hayflick.corpus.tokenizers import Tokenizer, tokenizer_named

_SHARE = 0.8
_COMMON = 50
"""A run in more answers than that is a phrase: it does not tell whose answer a document is."""


def contamination_of_answers(
    answers: Answers,
    *,
    pool: Sequence[int] | None = None,
    run: int = RUN,
    tokenizer: str = "mixed",
    progress: Progress = silent,
) -> RetrievalContamination:
    """Return how far generated texts go in a log of answers with what was retrieved for them.

    Parameters
    ----------
    answers
        In the order of time, with texts and documents.
    pool
        Numbers of the documents that the store holds; None where that is not known. One that is
        an earlier answer stands in it from the round after that answer.
    run
        Words of a run that counts as copied.
    tokenizer
        Splits texts into words.
    progress
        Is told how far the work is.

    Raises
    ------
    DataError
        If the answers have no texts, or nothing was retrieved for any of them.

    Examples
    --------
    >>> frame = pl.DataFrame({
    ...     "row": [1, 2, 3], "round": [1, 1, 2], "group": ["x", "y", "y"],
    ...     "text": ["All is well in the fair city.", "It rained.", "Well in the fair city!"],
    ...     "retrieved": [[], [1], [0, 1]],
    ... })
    >>> told = ["all is well in the fair city", "a storm broke the bridge by the mill"]
    >>> documents = pl.DataFrame({
    ...     "name": [None, None], "text": told,
    ...     "generated": [None, False], "source": [None, "news"],
    ... })
    >>> found = contamination_of_answers(
    ...     Answers("log", ("1", "2"), frame, documents=documents.cast({"name": pl.String}))
    ... )
    >>> round(found.retrieved.value, 3), found.copied.value, found.pool
    (0.333, 1.0, None)
    >>> [(link.reader, link.author) for link in found.echo.links]
    [('y', 'x')]
    """
    log, origin = _log_and_origin(answers, run=run, tokenizer=tokenizer, progress=progress)
    notes: list[Note] = []
    if pool is not None:
        log, notes = _with_pool(log, np.unique(np.asarray(pool, dtype=np.int64)))
    found = find_contamination(log, run=run, tokenizer=tokenizer, progress=progress)
    assert answers.documents is not None
    read = log.reads["document"].unique().to_numpy()
    note = _note(answers.documents[read], origin[read])
    return replace(found, notes=(note, *notes, *found.notes))


def _with_pool(log: RetrievalLog, pool: Integers) -> tuple[RetrievalLog, list[Note]]:
    """Return a log with the pool of each round, and what has to be known of it."""
    entered = log.documents["entered"].fill_null(0).to_numpy()[pool]
    rounds = log.requests["round"]
    reads = log.reads.with_columns(
        round=rounds.gather(log.reads["request"]), known=pl.col("document").is_in(pool.tolist())
    )
    pools = []
    for number in range(1, len(log.rounds) + 1):
        # An answer of this very round is in the pool as soon as it is retrieved.
        read = reads.filter(pl.col("known"), pl.col("round") == number)["document"]
        pools.append(np.union1d(pool[entered < number], read.to_numpy()))
    outside = reads.filter(~pl.col("known"))["request"].unique()
    requests = log.requests.with_row_index("request").with_columns(
        pool=pl.when(~pl.col("request").is_in(outside.to_list())).then(pl.col("round") - 1)
    )
    notes = []
    if len(outside):
        message = Note(
            "{outside} of {requests} answers had documents that are not in the pool; retrieval "
            "from the pool is told without them",
            outside=len(outside),
            requests=len(log.requests),
        )
        notes.append(message)
    requests = requests.drop("request").cast(REQUESTS)
    found = replace(log, requests=requests, pools=pools)
    return found, notes


def retrieval_log_of_answers(
    answers: Answers, *, run: int = RUN, tokenizer: str = "mixed", progress: Progress = silent
) -> RetrievalLog:
    """Return a log of answers with what was retrieved for them as a log of retrievals.

    Takes and raises what `contamination_of_answers` does.
    """
    return _log_and_origin(answers, run=run, tokenizer=tokenizer, progress=progress)[0]


def _log_and_origin(
    answers: Answers, *, run: int, tokenizer: str, progress: Progress
) -> tuple[RetrievalLog, Integers]:
    """Return the log, and which answer each document is (-1 for none)."""
    frame, documents = answers.frame, answers.documents
    if documents is None or "retrieved" not in frame.columns:
        raise DataError(f"{answers.name}: has no column of what was retrieved")
    if "text" not in frame.columns:
        raise DataError(f"{answers.name}: has no column of texts, which may copy what is retrieved")
    frame = frame.with_row_index("request").with_columns(pl.col("request").cast(pl.Int64))
    reads = frame.select("request", document="retrieved").explode("document").drop_nulls()
    if reads.is_empty():
        raise DataError(f"{answers.name}: nothing was retrieved for any answer")
    reads = reads.cast(READS)
    splitter = tokenizer_named(tokenizer)
    origin = _earlier_answers(frame["text"], documents, reads, splitter, run, progress)
    return _log(answers, frame, reads, origin), origin


def _note(documents: pl.DataFrame, origin: Integers) -> Note:
    """Say how it is known which documents are generated."""
    unsaid = documents["generated"].is_null()
    echoes = int((pl.Series(origin >= 0) & unsaid).sum())
    if unsaid.all():
        others = documents["text"].is_not_null() & pl.Series(origin < 0)
        return Note(
            "no retrieved text says whether it is generated: the {echoes} that are earlier answers "
            "of this log count as generated, the {others} others do not",
            echoes=echoes,
            others=int(others.sum()),
        )
    return Note(
        "{known} of {documents} retrieved texts say whether they are generated; of the others, "
        "{echoes} are earlier answers of this log and count as generated",
        known=len(documents) - int(unsaid.sum()),
        documents=len(documents),
        echoes=echoes,
    )


def _log(
    answers: Answers, frame: pl.DataFrame, reads: pl.DataFrame, origin: Integers
) -> RetrievalLog:
    documents = answers.documents
    assert documents is not None
    # Where nothing is said of any document, those with a text are compared with all answers.
    is_other = documents["generated"].is_null().all() & documents["text"].is_not_null()
    whose, is_answer = pl.Series(np.maximum(origin, 0)), pl.Series(origin >= 0)
    nothing = pl.lit(None, pl.String)
    group = frame["group"].fill_null("") if "group" in frame.columns else None
    author = pl.Series([""] * len(documents)) if group is None else group.gather(whose)
    prompt = pl.col("prompt") if "prompt" in frame.columns else nothing
    return RetrievalLog(
        rounds=answers.rounds,
        documents=documents.select(
            text=pl.coalesce("text", "name"),
            generated=pl.when(is_answer)
            .then(pl.lit(value=True))
            .when(is_other)
            .then(pl.lit(value=False))
            .otherwise("generated"),
            source="source",
            author=pl.when(is_answer).then(author),
            entered=pl.when(is_answer).then(frame["round"].gather(whose)),
        ).cast(DOCUMENTS),
        requests=frame.select(
            "round",
            reader=nothing if group is None else group,
            prompt=prompt,
            pool=pl.lit(None, pl.Int64),
        ).cast(REQUESTS),
        reads=reads,
        answers=frame.select("request", pl.col("text").fill_null("")).cast(ANSWERS),
    )


def _earlier_answers(
    texts: pl.Series,
    documents: pl.DataFrame,
    reads: pl.DataFrame,
    tokenizer: Tokenizer,
    length: int,
    progress: Progress,
) -> Integers:
    """Return the answer that each document is, or is a part of; -1 for none.

    One that is said not to be generated is none.
    """
    first_read = np.full(len(documents), np.iinfo(np.int64).max)
    read_by = reads.group_by("document").agg(pl.col("request").min())
    first_read[read_by["document"].to_numpy()] = read_by["request"].to_numpy()

    def runs(column: pl.Series, name: str) -> pl.DataFrame:
        spelled = normalized(column, "casefold").fill_null("")
        found = shingles_of(
            spelled, tokenizer=tokenizer, length=length, shortest=length, progress=progress
        )
        return _runs(found, name)

    may_be = documents["generated"].fill_null(value=True).to_numpy()
    of_documents = runs(documents["text"], "document")
    of_documents = of_documents.filter(pl.Series(may_be[of_documents["document"].to_numpy()]))
    of_answers = runs(texts, "answer").join(of_documents.select("run").unique(), on="run")
    number = of_answers.group_by("run").len("number")
    telling = number.filter(pl.col("number") <= _COMMON).select("run")
    common = of_documents.join(of_answers.join(telling, on="run"), on="run")
    before = pl.Series(first_read[common["document"].to_numpy()])
    sizes = of_documents.group_by("document").len("size")
    phrases = (
        of_documents.join(number.filter(pl.col("number") > _COMMON), on="run")
        .group_by("document")
        .len("phrases")
    )
    best = (
        common.filter(pl.col("answer") < before)
        .group_by("document", "answer")
        .len("common")
        .join(sizes, on="document")
        .join(phrases, on="document", how="left")
        .filter(
            pl.col("common") >= _SHARE * (pl.col("size") - pl.col("phrases").fill_null(0)),
            pl.col("common") > 0,
        )
        .sort("document", "common", "answer", descending=[False, True, False])
        .unique("document", keep="first", maintain_order=True)
    )
    origin = np.full(len(documents), -1)
    origin[best["document"].to_numpy()] = best["answer"].to_numpy()
    return np.where(may_be, _equal_answers(texts, documents, first_read, origin), -1)


def _equal_answers(
    texts: pl.Series, documents: pl.DataFrame, first_read: Integers, origin: Integers
) -> Integers:
    """Return the answers that documents are, and the first one that equals a document as a whole.

    An answer that is given again and again consists of phrases alone.
    """
    spelled = normalized(texts, "casefold").alias("text").to_frame().with_row_index("answer")
    first = spelled.drop_nulls().unique("text", keep="first", maintain_order=True)
    held = documents.select(normalized(documents["text"], "casefold").alias("text"))
    equal = held.join(first, on="text", how="left", maintain_order="left")["answer"]
    answer = equal.cast(pl.Int64).fill_null(-1).to_numpy()
    return np.where((answer >= 0) & (answer < first_read), answer, origin)


def _runs(found: Shingles, name: str) -> pl.DataFrame:
    """Return a row per text and run."""
    sizes = np.diff(found.offsets)
    return pl.DataFrame({name: np.repeat(np.arange(sizes.size), sizes), "run": found.hashes})
