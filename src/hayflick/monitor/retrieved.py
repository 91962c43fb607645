"""What was retrieved for the answers of a watched stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from hayflick.core.errors import ArgumentError
from hayflick.core.notes import translatable
from hayflick.core.progress import Progress
from hayflick.core.source import Source
from hayflick.corpus.answers import Answers
from hayflick.corpus.frames import is_in_memory
from hayflick.corpus.retrieved import RetrievedDocuments, read_documents
from hayflick.monitor.summaries import summary_of

if TYPE_CHECKING:
    from hayflick.auditing.contamination import RetrievalContamination

_STORE = translatable("documents of the store")


def check_all_is_read(
    source: Any, *, state: object, capacity: int | None, executor: object
) -> None:
    """Refuse what keeps a part of the answers: whether a document is one of them takes all.

    Raises
    ------
    ArgumentError
        If there is a state, a capacity, an executor or a summary.
    """
    given = {
        "a state": state,
        "a capacity": capacity,
        "an executor (--scheduler)": executor,
        "summaries": summary_of(source),
    }
    for name, value in given.items():
        if value is not None:
            takes = "all answers of a stream, read from their files at once"
            raise ArgumentError("retrieved", got=name, takes=takes)


def followed(
    answers: Answers, *, pool: Any, how: Mapping[str, Any], progress: Progress
) -> tuple[RetrievalContamination | None, Answers]:
    """Return how far generated texts go, None without documents; and the answers without them.

    `pool` is a table of the documents that the store holds, None where it is not known, and `how`
    says how it is read.
    """
    if answers.documents is None:
        return None, answers
    from hayflick.auditing.answer_documents import contamination_of_answers

    numbers, known = None, answers
    if pool is not None:
        documents = RetrievedDocuments.of(answers.documents)
        numbers = read_documents(
            pool, documents, encoding=how["encoding"], table=how["table"], progress=progress
        )
        sources = () if is_in_memory(pool) else Source.files((_STORE, pool))
        answers = replace(answers, sources=(*answers.sources, *sources))
        known = replace(answers, documents=documents.frame())
    found = contamination_of_answers(known, pool=numbers, progress=progress)
    return found, replace(answers, frame=answers.frame.drop("retrieved"), documents=None)
