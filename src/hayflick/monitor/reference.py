"""A baseline from elsewhere: the rounds of a reference are put in front of a stream's.

A loop can be in collapse from its first round on; then its own first rounds are no baseline. Real
texts or last year's answers are. Their rounds are the baseline, and every round of the stream is
judged. A reference without the column of rounds is cut at random, with a seed, into as many rounds
of the stream's median size as it has answers for. Such rounds differ by chance alone: a stream
whose rounds differ for other reasons too, such as their topics, gives more false alarms than with
a reference that has rounds of its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl

from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.core.object_stores import is_url
from hayflick.core.progress import Progress
from hayflick.core.reproducibility import stream
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import Answers, read_answers
from hayflick.corpus.files import InputFiles
from hayflick.corpus.log_inputs import answer_input, on_disk
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.tables import open_table
from hayflick.detection.rank import LEAST_READINGS

_ROLE = "baseline"


def read_reference(
    source: Any,
    *,
    columns: Callable[[], AnswerColumns],
    log: str | None,
    every: str | None,
    time_zone: str | None,
    skip_bad: bool,
    encoding: str,
    normalize: str,
    table: TableFormat | None,
    progress: Progress,
) -> Answers:
    """Return the answers of a reference; all in one round if it lacks the column of rounds.

    Parameters
    ----------
    source
        A table as of `hayflick.corpus.answers.read_answers`, or answers that were read.
    columns
        Makes the columns of a table.
    log
        The preset of the stream's log; None for a table.
    every, time_zone, skip_bad, encoding, normalize, table, progress
        How the stream is read.

    Raises
    ------
    ArgumentError
        If vectors are in a file beside the stream.
    DataError
        If the reference cannot be read.
    """
    if isinstance(source, Answers):
        return source
    wanted = columns()
    if wanted.vector_file is not None:
        takes = "a column of vectors, which both tables have, where there is a reference"
        raise ArgumentError("vectors", got=wanted.vector_file, takes=takes)
    if wanted.by is None:
        every = None
    if log is None and not _has_column(source, wanted.by, table, encoding):
        wanted, every = replace(wanted, by=None), None
    return read_answers(
        source,
        columns=wanted,
        log=log,
        every=every,
        time_zone=time_zone if every is not None else None,
        skip_bad=skip_bad,
        encoding=encoding,
        normalize=normalize,
        table=table,
        progress=progress,
    )


def _has_column(source: Any, name: str | None, table: TableFormat | None, encoding: str) -> bool:
    if name is None:
        return False
    given = on_disk(answer_input(source))
    first = given.files[0].path if isinstance(given, InputFiles) else given
    with open_table(first, given=table, encoding=encoding) as opened:
        try:
            opened.choose(name)
        except DataError:
            return False
    return True


def check_reference(source: Any, reference: Any) -> None:
    """Refuse a reference that is the stream itself.

    Raises
    ------
    ArgumentError
        If both are the same file.
    """
    same_url = is_url(reference) and source == reference
    paths = [one for one in (source, reference) if isinstance(one, (str, os.PathLike))]
    known = len(paths) == 2 and all(map(os.path.exists, paths))
    if same_url or (known and os.path.samefile(*paths)):
        takes = "another file than the stream's; --baseline takes the stream's first rounds"
        raise ArgumentError("baseline_from", got=str(reference), takes=takes)


def with_reference(answers: Answers, reference: Answers, *, seed: int) -> tuple[Answers, int]:
    """Return the answers behind those of a reference, and the number of its rounds.

    Parameters
    ----------
    answers
        The stream.
    reference
        What takes the place of its first rounds; a single round is cut into several.
    seed
        Seed of the cut.

    Raises
    ------
    DataError
        If the reference has other columns, vectors of another size, or too few rounds or answers.

    Examples
    --------
    >>> def texts(number, *, rounds):
    ...     places = [place * rounds // number + 1 for place in range(number)]
    ...     frame = pl.DataFrame({"row": range(number), "round": places, "text": ["a"] * number})
    ...     return Answers("some", tuple(map(str, range(1, rounds + 1))), frame)
    >>> joined, baseline = with_reference(texts(60, rounds=3), texts(115, rounds=1), seed=1)
    >>> baseline, joined.rounds[4:], len(joined.frame)
    (5, ('reference 5', '1', '2', '3'), 160)
    """
    _check_alike(answers, reference)
    if len(reference.rounds) == 1:
        reference = _cut(reference, size=_median_size(answers), seed=seed)
    number = len(reference.rounds)
    if number < LEAST_READINGS:
        raise DataError(
            f"{reference.name}: has {number} rounds, a reference takes at least {LEAST_READINGS};"
            " leave out its column of rounds to have it cut into rounds of the stream's size"
        )
    names = _names(reference.rounds, taken=answers.rounds)
    later = answers.frame.with_columns(pl.col("round") + number)
    frame = pl.concat([reference.frame.select(later.columns), later], how="vertical_relaxed")
    vectors = answers.vectors
    if vectors is not None and reference.vectors is not None:
        vectors = np.concatenate([reference.vectors, vectors])
    sources = tuple(replace(one, role=_ROLE) for one in reference.sources)
    return (
        Answers(
            answers.name,
            (*names, *answers.rounds),
            frame,
            vectors,
            answers.bad,
            (*answers.sources, *sources),
        ),
        number,
    )


def _check_alike(answers: Answers, reference: Answers) -> None:
    lacking = [name for name in answers.frame.columns if name not in reference.frame.columns]
    if lacking:
        raise DataError(f"{reference.name}: has no {listed(lacking)}, which the stream has")
    found, takes = reference.dimensions, answers.dimensions
    if found != takes:
        raise DataError(
            f"{reference.name}: has vectors of {found or 'no'} components, those of {answers.name}"
            f" have {takes or 'none'}; both take the same embedder"
        )


def _median_size(answers: Answers) -> int:
    sizes = answers.frame.group_by("round").len()["len"]
    return max(1, round(float(np.median(sizes.to_numpy()))))


def _cut(reference: Answers, *, size: int, seed: int) -> Answers:
    """Return random rounds of equal size; the rest is left out."""
    rounds = len(reference.frame) // size
    if rounds < LEAST_READINGS:
        raise DataError(
            f"{reference.name}: {len(reference.frame):,} answers make {rounds} rounds of {size:,},"
            f" as many as a round of the stream has; takes at least {LEAST_READINGS} rounds,"
            f" {LEAST_READINGS * size:,} answers"
        )
    places = stream(seed, block=0).permutation(len(reference.frame))[: rounds * size]
    places = np.sort(places.reshape(rounds, size), axis=1).ravel()
    frame = reference.frame[places].with_columns(
        round=pl.Series(np.repeat(np.arange(1, rounds + 1), size))
    )
    vectors = None if reference.vectors is None else reference.vectors[places]
    names = tuple(map(str, range(1, rounds + 1)))
    return replace(reference, rounds=names, frame=frame, vectors=vectors)


def _names(rounds: Sequence[str], *, taken: Sequence[str]) -> list[str]:
    """Return the names of the reference's rounds, none of which the stream has."""
    names = [f"reference {name}" for name in rounds]
    while set(names) & set(taken):
        names = [f"reference {name}" for name in names]
    return names
