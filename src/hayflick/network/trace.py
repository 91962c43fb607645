"""Who started a phrase in a network's run, or in a log of answers with what was retrieved."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hayflick.auditing.answer_documents import retrieval_log_of_answers
from hayflick.auditing.genealogy import PhraseGenealogy, find_genealogy
from hayflick.core.display import Result
from hayflick.core.errors import ArgumentError
from hayflick.core.progress import Progress, silent
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import read_answers
from hayflick.corpus.table_format import TableFormat
from hayflick.network.contamination import retrieval_log_of_run
from hayflick.network.run_results import NetworkRun

_TAKES = "the column of what was retrieved for an answer, as this is a log; a run is a folder"


@dataclass(frozen=True, eq=False, kw_only=True)
class PhraseTrace(Result):
    """Where a phrase began and how it spread; `save` writes its page, with the tree as a picture.

    Parameters
    ----------
    name
        Name of the run.
    phrase
        What was looked for.
    genealogy
        Origins with their posterior, rates, and the tree.
    sources
        What was read.
    settings
        Arguments of `trace`.
    seed
        Of the draws from the posterior.
    """

    name: str
    phrase: str
    genealogy: PhraseGenealogy
    sources: tuple[Source, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 1

    def provenance(self) -> dict[str, Any]:
        """Return what the result was made with."""
        return provenance(self.settings, seed=self.seed)


def trace(
    source: Any,
    phrase: str,
    *,
    retrieved: str | None = None,
    text: str | None = None,
    by: str | None = None,
    group: str | None = None,
    prompt: str | None = None,
    log: str | None = None,
    skip_bad: bool = False,
    encoding: str = "utf-8",
    table: TableFormat | None = None,
    tokenizer: str = "mixed",
    normalize: str = "casefold",
    confidence: float = 0.95,
    seed: int = 1,
    progress: Progress = silent,
) -> PhraseTrace:
    """Trace a phrase or a planted text back to where it began, in a run of a network or a log.

    An answer copies the phrase from a text with it that it read, or writes it on its own. Both
    rates are estimated from the run; they tell how probable each way is, and with it where all
    answers with the phrase go back to.

    Parameters
    ----------
    source
        The folder of a run, finished or not, or the run itself; or with `retrieved` answers in the
        order of time, as `watch` takes them.
    phrase
        Some words, or a whole text: an answer has it if it has all of its words in a row, or five
        in a row of a longer one.
    retrieved
        The column of what was retrieved for an answer, as in `watch`; None for a run.
    text, by, group, prompt
        Columns of the answers, of their round, of who gave them and of what was asked; None for
        where the log has them, one round, one writer and unknown prompts.
    log, skip_bad, encoding, table
        How the answers are read, see `hayflick.corpus.answers.read_answers`.
    tokenizer
        Splits texts into words, see `hayflick.corpus.tokenizers`.
    normalize
        Spellings that count as equal: ``none``, ``nfc``, ``nfkc`` or ``casefold``.
    confidence
        Probability with which the intervals hold the truth.
    seed
        Of the draws from the posterior.
    progress
        Is told how far the work is.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or the phrase has no word.
    DataError
        If the folder holds no run that can be read, or the answers cannot be read, or nothing was
        retrieved for any of them.

    Examples
    --------
    >>> import tempfile
    >>> from hayflick.network.experiment import Experiment
    >>> from hayflick.network.run import run_network
    >>> told = "The moon is made of green cheese."
    >>> village = Experiment.of({
    ...     "format_version": 1, "rounds": 4, "answers": 4, "query": "How is it?",
    ...     "pool": {"texts": [told, "It snows in June."]},
    ...     "agents": [{"name": n, "kind": "ngram", "texts": ["It rains."], "trust": 0.9}
    ...                for n in "ab"],
    ... })
    >>> with tempfile.TemporaryDirectory() as place:
    ...     run = run_network(village, out=f"{place}/run")
    ...     found = trace(run, "green cheese")
    >>> found.genealogy.origins[0].kind, found.genealogy.origins[0].text
    ('text', 'The moon is made of green cheese.')
    """
    columns = AnswerColumns(text=text, by=by, group=group, prompt=prompt, retrieved=retrieved)
    if retrieved is None:
        if not isinstance(source, str | os.PathLike) or Path(source).is_file():
            raise ArgumentError("retrieved", got="nothing", takes=_TAKES)
        _refuse_columns(text=text, by=by, group=group, prompt=prompt, log=log)
        run = NetworkRun.read(source)
        name, sources, found = Path(run.folder).name, run.sources, retrieval_log_of_run(run)
    else:
        answers = read_answers(
            source,
            columns=columns,
            log=log,
            skip_bad=skip_bad,
            encoding=encoding,
            table=table,
            progress=progress,
        )
        name, sources = answers.name, answers.sources
        found = retrieval_log_of_answers(answers, tokenizer=tokenizer, progress=progress)
    genealogy = find_genealogy(
        found,
        phrase,
        tokenizer=tokenizer,
        normalize=normalize,
        confidence=confidence,
        seed=seed,
        progress=progress,
    )
    return PhraseTrace(
        name=name,
        phrase=phrase,
        genealogy=genealogy,
        sources=sources,
        settings={
            "source": name,
            "phrase": phrase,
            "retrieved": retrieved,
            "text": text,
            "by": by,
            "group": group,
            "prompt": prompt,
            "tokenizer": tokenizer,
            "normalize": normalize,
            "confidence": confidence,
        },
        seed=seed,
    )


def _refuse_columns(**columns: str | None) -> None:
    for name, column in columns.items():
        if column is not None:
            raise ArgumentError(name, got=column, takes="nothing without retrieved; a log takes it")
