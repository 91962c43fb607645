"""Who started a phrase: its way through answers and what they read, back to where it began.

The model and its posterior are in `hayflick.auditing.genealogy_draws`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import polars as pl

from hayflick.auditing.genealogy_draws import GenealogyDraws, PhraseExposure, draw_genealogies
from hayflick.auditing.retrieval_log import RetrievalLog
from hayflick.core.arrays import Floats, Integers
from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import ArgumentError
from hayflick.core.notes import Note
from hayflick.core.progress import Progress, silent
from hayflick.corpus.normalization import normalized
from hayflick.corpus.tokenizers import UNSPACED, tokenizer_named

LONGEST_RUN = 5
"""Words of a longer phrase that an answer must have in a row to carry it."""

_MOST_NODES = 1000

Kind = Literal["text", "writer", "prompt"]


@final
@dataclass(frozen=True, slots=True)
class PhraseRate:
    """A probability that an answer has the phrase for one reason, with its credible interval."""

    value: float
    low: float
    high: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseOrigin:
    """Where a phrase may have begun.

    Parameters
    ----------
    kind
        ``text`` for a text that no answer of the log is, ``writer`` for who wrote the phrase on
        their own, ``prompt`` for the prompts that hold it.
    name
        The source of the text, or the writer; empty for none.
    document
        Number of the text; None for a writer.
    text
        The text, or the first answer of the writer that has the phrase.
    round
        The round of that answer; None for a text.
    probability
        Posterior probability that more of the answers go back to it than to any other.
    share, low, high
        Share of the answers with the phrase that go back to it: posterior mean and interval.
    """

    kind: Kind
    name: str
    document: int | None
    text: str
    round: int | None
    probability: float
    share: float
    low: float
    high: float


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PhraseCarrier:
    """A text or an answer with the phrase, in the tree of who has it from whom.

    Parameters
    ----------
    number
        Its place in the list.
    kind
        ``text``, ``answer``, or ``prompt`` for an answer to a prompt that holds the phrase.
    name
        The source of a text, or who answered; empty for none.
    round
        Of the answer; None for a text.
    text
        What it says.
    parent
        Place of the most probable parent in the list; None where it begins here.
    probability
        Of that parent, or of the phrase having begun here.
    descendants
        Number of answers that go back to it in this tree.
    """

    number: int
    kind: Literal["text", "answer", "prompt"]
    name: str
    round: int | None
    text: str
    parent: int | None
    probability: float
    descendants: int


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class PhraseGenealogy:
    """Where a phrase began, and on which way it went on.

    Parameters
    ----------
    rounds
        Names of the rounds.
    by_round, answers_by_round
        Answers with the phrase, and all answers, by round.
    documents
        Number of retrieved or stored texts with the phrase that are no answers.
    copying, writing
        How probably an answer that read a text with the phrase copies it, as a mean over such
        answers, and how probably an answer writes it on its own; None where there is no answer.
    origins
        The most probable first.
    carriers
        Texts and answers with the phrase, each behind its parent.
    more_carriers
        How many others there are, from which none of these has the phrase.
    run
        Words in a row that an answer must have in common with the phrase.
    confidence
        Probability with which the intervals hold the truth.
    notes
        What a reader has to know.
    """

    rounds: tuple[str, ...]
    by_round: tuple[int, ...]
    answers_by_round: tuple[int, ...]
    documents: int
    copying: PhraseRate | None
    writing: PhraseRate | None
    origins: tuple[PhraseOrigin, ...]
    carriers: tuple[PhraseCarrier, ...]
    more_carriers: int
    run: int
    confidence: float
    notes: tuple[Note, ...] = ()

    @property
    def carrying(self) -> int:
        """Number of answers with the phrase."""
        return sum(self.by_round)


def find_genealogy(
    log: RetrievalLog,
    phrase: str,
    *,
    tokenizer: str = "mixed",
    normalize: str = "casefold",
    confidence: float = 0.95,
    seed: int = 1,
    progress: Progress = silent,
) -> PhraseGenealogy:
    """Find where a phrase began, with a posterior over the texts and the writers.

    A text has the phrase if it has all of its words in a row, or five in a row of a longer one.

    Parameters
    ----------
    log
        What was retrieved for which answers, in the order of time; pools are not needed.
    phrase
        Some words, or a whole planted text.
    tokenizer
        Splits texts into words.
    normalize
        Spellings that count as equal, see `hayflick.corpus.normalization`.
    confidence
        Of the intervals.
    seed
        Of the draws from the posterior.
    progress
        Is told how far the work is.

    Raises
    ------
    ArgumentError
        If an argument is out of its range, or the phrase has no word.

    Examples
    --------
    >>> import polars as pl
    >>> from hayflick.auditing.retrieval_log import ANSWERS, DOCUMENTS, READS, REQUESTS
    >>> told = "the moon is made of green cheese"
    >>> log = RetrievalLog(
    ...     rounds=("1", "2"),
    ...     documents=pl.DataFrame([("It rains.", False, "news", None, None),
    ...                             (told, True, "x", "x", 1)], schema=DOCUMENTS, orient="row"),
    ...     requests=pl.DataFrame([(1, "x", None, None), (2, "y", None, None)],
    ...                           schema=REQUESTS, orient="row"),
    ...     reads=pl.DataFrame([(0, 0), (1, 0), (1, 1)], schema=READS, orient="row"),
    ...     answers=pl.DataFrame([(0, told), (1, f"They say {told}.")],
    ...                          schema=ANSWERS, orient="row"),
    ... )
    >>> found = find_genealogy(log, "made of green cheese")
    >>> found.origins[0].kind, found.origins[0].name, found.carriers[1].parent
    ('writer', 'x', 0)
    """
    confidence = number_between("confidence", confidence, low=0.5, high=0.9999)
    seed = whole_number("seed", seed, at_least=0)
    splitter = tokenizer_named(tokenizer)
    words = len(splitter.split(normalized(pl.Series([phrase]), normalize)[0]))
    if not words:
        raise ArgumentError("phrase", got=phrase.strip() or "nothing", takes="some words")
    if tokenizer == "mixed" and _has_single_letter(phrase):
        takes = "two letters in a row or more in scripts without spaces"
        raise ArgumentError("phrase", got=phrase, takes=takes)
    length = min(words, LONGEST_RUN)
    carrying = PhraseExposure.of(
        log, phrase, tokenizer=splitter, normalize=normalize, length=length, progress=progress
    )
    draws = draw_genealogies(carrying, seed=seed, progress=progress)
    return _Found(log, carrying, draws, confidence, length).genealogy()


def _has_single_letter(phrase: str) -> bool:
    """Return whether a letter stands alone whose script is split into pairs of letters."""
    runs = pl.Series([phrase]).str.extract_all(f"[{UNSPACED}]+").explode().drop_nulls()
    return bool((runs.str.len_chars() == 1).any())


@dataclass(frozen=True, eq=False)
class _Found:
    """What the draws say."""

    log: RetrievalLog
    given: PhraseExposure
    draws: GenealogyDraws
    confidence: float
    length: int

    def genealogy(self) -> PhraseGenealogy:
        """Return the result."""
        given, log = self.given, self.log
        rounds = len(log.rounds)
        number = log.requests["round"].gather(log.answers["request"]).to_numpy() - 1
        carriers, more = self._tree()
        return PhraseGenealogy(
            rounds=log.rounds,
            by_round=tuple(np.bincount(number[given.has], minlength=rounds).tolist()),
            answers_by_round=tuple(np.bincount(number, minlength=rounds).tolist()),
            documents=int(np.count_nonzero(given.origin < 0)),
            # Answers that were asked for the phrase tell nothing of the rates.
            copying=self._rate(self.draws.copying)
            if not given.prompted[given.read_answer].all()
            else None,
            writing=None if given.prompted.all() else self._rate(self.draws.writing),
            origins=self._origins(),
            carriers=carriers,
            more_carriers=more,
            run=self.length,
            confidence=self.confidence,
            notes=self._notes(),
        )

    def _rate(self, drawn: Floats) -> PhraseRate:
        low, high = self._interval(drawn)
        return PhraseRate(float(drawn.mean()), low, high)

    def _interval(self, drawn: Floats) -> tuple[float, float]:
        tail = (1.0 - self.confidence) / 2
        low, high = np.quantile(drawn, (tail, 1.0 - tail))
        return float(low), float(high)

    def _origins(self) -> tuple[PhraseOrigin, ...]:
        given, draws = self.given, self.draws
        if not draws.carriers.size:
            return ()
        texts, writers = given.texts, len(given.readers)
        # Texts, then writers, then prompts.
        of_node = np.concatenate(
            [np.arange(texts), np.where(given.prompted, texts + writers, texts + given.reader)]
        )
        number = texts + writers + 1
        counts = np.array([np.bincount(of_node[roots], minlength=number) for roots in draws.roots])
        shares = counts / draws.carriers.size
        most = np.bincount(counts.argmax(axis=1), minlength=number) / len(counts)
        candidates = np.flatnonzero(counts.any(axis=0))
        candidates = candidates[np.lexsort((-shares[:, candidates].mean(0), -most[candidates]))]
        return tuple(
            self._origin(int(one), probability=float(most[one]), shares=shares[:, one])
            for one in candidates
        )

    def _origin(self, candidate: int, *, probability: float, shares: Floats) -> PhraseOrigin:
        given, low_high = self.given, self._interval(shares)
        texts, writers = given.texts, len(given.readers)
        share = {"share": float(shares.mean()), "low": low_high[0], "high": low_high[1]}
        if candidate < texts:
            document = int(given.documents[candidate])
            text, source = self.log.documents.select("text", "source").row(document)
            return PhraseOrigin(
                kind="text",
                name=source or "",
                document=document,
                text=text or "",
                round=None,
                probability=probability,
                **share,
            )
        prompted = candidate == texts + writers
        chosen = given.prompted if prompted else given.reader == candidate - texts
        # The one that most draws go back to; of equal ones the earliest.
        roots = self.draws.roots[self.draws.roots >= texts] - texts
        first = int(np.bincount(roots, chosen[roots], minlength=given.has.size).argmax())
        return PhraseOrigin(
            kind="prompt" if prompted else "writer",
            name="" if prompted else given.readers[candidate - texts],
            document=None,
            text=self.log.answers["text"][first] or "",
            round=self._round(first),
            probability=probability,
            **share,
        )

    def _round(self, answer: int) -> int:
        return int(self.log.requests["round"][int(self.log.answers["request"][answer])])

    def _parents(self) -> tuple[Integers, Floats]:
        """Return the most probable parent node of each carrier, -1 for none, and how probable."""
        given, draws = self.given, self.draws
        parents = np.full(draws.carriers.size, -1)
        probabilities = draws.own.copy()
        for place in np.flatnonzero((draws.own < 0.5) & (np.diff(draws.begins) > 0)):
            part = slice(draws.begins[place], draws.begins[place + 1])
            # Of equally probable ones, the one with most words in common, then the earliest.
            texts = draws.read[part]
            chosen = texts[np.lexsort((given.origin[texts], -given.context[draws.pairs[part]]))[0]]
            origin = given.origin[chosen]
            parents[place] = chosen if origin < 0 else given.texts + origin
            probabilities[place] = (1.0 - draws.own[place]) / texts.size
        return parents, probabilities

    def _tree(self) -> tuple[tuple[PhraseCarrier, ...], int]:
        given, draws, texts = self.given, self.draws, self.given.texts
        parents, probabilities = self._parents()
        parent_of = dict(zip((texts + draws.carriers).tolist(), parents.tolist(), strict=True))
        probable = dict(zip(parent_of, probabilities.tolist(), strict=True))
        descendants = dict.fromkeys(np.flatnonzero(given.origin < 0).tolist(), 0)
        descendants |= dict.fromkeys(parent_of, 0)
        for node in reversed(parent_of):
            if parent_of[node] >= 0:
                descendants[parent_of[node]] += 1 + descendants[node]
        # A parent has more descendants than its children, so that none is kept without it.
        nodes = sorted(descendants, key=lambda node: (-descendants[node], node))[:_MOST_NODES]
        nodes.sort()
        places = {node: place for place, node in enumerate(nodes)}
        carriers = tuple(
            self._carrier(
                node,
                number=place,
                parent=places.get(parent_of.get(node, -1)),
                probability=probable.get(node, 1.0),
                descendants=descendants[node],
            )
            for node, place in places.items()
        )
        return carriers, len(descendants) - len(nodes)

    def _carrier(
        self, node: int, *, number: int, parent: int | None, probability: float, descendants: int
    ) -> PhraseCarrier:
        given, texts = self.given, self.given.texts
        kind: Literal["text", "answer", "prompt"] = "text"
        turn = None
        if node < texts:
            columns = self.log.documents.select("text", "source")
            text, name = columns.row(int(given.documents[node]))
        else:
            answer = node - texts
            kind = "prompt" if given.prompted[answer] else "answer"
            name, turn = given.readers[given.reader[answer]], self._round(answer)
            text = self.log.answers["text"][answer]
        return PhraseCarrier(
            number=number,
            kind=kind,
            name=name or "",
            round=turn,
            text=text or "",
            parent=parent,
            probability=probability,
            descendants=descendants,
        )

    def _notes(self) -> tuple[Note, ...]:
        given, notes = self.given, []
        if given.prompted.any():
            notes.append(
                Note(
                    "{answers} answers were asked for with the phrase in the prompt; they say "
                    "nothing of the rates",
                    answers=int(given.prompted.sum()),
                )
            )
        return tuple(notes)
