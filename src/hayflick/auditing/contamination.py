"""How far generated texts go: into a pool, into what is retrieved, into what answers copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.auditing.preference import Choices, Preference, TakenShare
from hayflick.auditing.retrieval_log import Copies, RetrievalLog, find_copies
from hayflick.core.arrays import Integers
from hayflick.core.checks import number_between, whole_number
from hayflick.core.errors import DataError
from hayflick.core.notes import Note
from hayflick.core.progress import Progress, silent
from hayflick.corpus.tokenizers import tokenizer_named
from hayflick.diversity.hill import hill_number

RUN = 5
LONGEST_RUN = 100
_LISTED_ITEMS, _LISTED_LINKS = 10, 200


@final
@dataclass(frozen=True, slots=True)
class RoundContamination:
    """One round: the generated share of each stage, None where it is undefined or not known.

    Parameters
    ----------
    round, name
        Number of the round, from 1, and its name.
    requests
        Number of requests.
    pool, retrieved, copied
        Generated share of the pools of its requests (on average), of what they retrieved, and of
        what their answers copy from.
    echo
        Share of answers that copy from an earlier answer.
    """

    round: int
    name: str
    requests: int
    pool: float | None
    retrieved: float | None
    copied: float | None
    echo: float | None


@final
@dataclass(frozen=True, slots=True)
class DominantItem:
    """A document, or a source of documents, that is retrieved often.

    Parameters
    ----------
    name
        The text of the document, or the name of the source.
    share
        Its share of all that was retrieved.
    generated
        Whether the document is generated; None where nobody knows, and for sources.
    """

    name: str
    share: float
    generated: bool | None = None


@final
@dataclass(frozen=True, slots=True)
class Dominance:
    """How much of what is retrieved is due to a few.

    Parameters
    ----------
    number
        Number of documents, or sources, that were retrieved at all.
    effective
        Effective number of them: the Hill number of order 2 of the shares, which is the number of
        equally frequent ones with the same chance that two retrievals agree.
    top
        The most frequent ones, in order.
    """

    number: int
    effective: float
    top: tuple[DominantItem, ...]

    @property
    def largest(self) -> float:
        """Share of the most frequent one."""
        return self.top[0].share


@final
@dataclass(frozen=True, slots=True)
class EchoLink:
    """A reader whose answers copy from an author's answers: an edge of the graph of echoes.

    Parameters
    ----------
    reader, author
        Who answers, and whose earlier answers are copied.
    reads
        How often an answer of the author was retrieved for an answer of the reader.
    copies
        In how many of these the answer has a run of words of it.
    by_round
        `copies` in each round.
    """

    reader: str
    author: str
    reads: int
    copies: int
    by_round: tuple[int, ...]


@final
@dataclass(frozen=True, slots=True)
class Echo:
    """Answers that re-enter as documents and are repeated.

    Parameters
    ----------
    answers
        Number of answers whose copying was measured.
    copying
        Number of those that copy from anything that was retrieved.
    echoing
        Number of those that copy from an earlier answer, of anybody.
    own
        Number of those that copy from an earlier answer of their own author.
    links
        Who repeats whom, the most copies first.
    more_links
        Number of further links, with fewer copies, that are not listed.
    """

    answers: int
    copying: int
    echoing: int
    own: int
    links: tuple[EchoLink, ...]
    more_links: int = 0

    @property
    def share(self) -> float | None:
        """Share of answers that copy from an earlier answer; None without answers."""
        return self.echoing / self.answers if self.answers else None


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class RetrievalContamination:
    """Generated texts on their way from a pool through retrieval into answers.

    Parameters
    ----------
    rounds
        The shares round by round.
    requests, answers, documents
        Numbers of requests, of answers, and of documents that were retrieved or in a pool.
    pool
        Generated share of the pools, as a mean over requests; None where pools are not known.
    retrieved, copied
        Generated share of what is retrieved, and of what answers copy from.
    retrieval, copying
        How many times as likely a generated document is to be retrieved as another one of the
        pool, and to be copied as another one that was retrieved for the same answer. The former
        is None where pools are not known.
    copied_rate, by_chance
        The share of retrieved documents from which the answer copies; and that of documents that
        were not retrieved with which it has a run of words in common all the same.
    by_document, by_source
        Dominance of documents, and of sources of documents; None where nothing was retrieved, or
        has a source.
    echo
        Answers that are repeated; None where no document is known to be an answer.
    run, tokenizer, confidence
        Words of a run that counts as copied, how words are split, and the probability with which
        intervals hold the truth.
    notes
        What a reader has to know, as sentences.
    """

    rounds: tuple[RoundContamination, ...]
    requests: int
    answers: int
    documents: int
    pool: float | None
    retrieved: TakenShare
    copied: TakenShare
    retrieval: Preference | None
    copying: Preference
    copied_rate: float | None
    by_chance: float | None
    by_document: Dominance | None
    by_source: Dominance | None
    echo: Echo | None
    run: int
    tokenizer: str
    confidence: float
    notes: tuple[Note, ...] = ()


def find_contamination(
    log: RetrievalLog,
    *,
    run: int = RUN,
    tokenizer: str = "mixed",
    normalize: str = "casefold",
    confidence: float = 0.95,
    progress: Progress = silent,
) -> RetrievalContamination:
    """Follow generated texts from the pool into what is retrieved and into what answers copy.

    An answer copies from a document that was retrieved for it if both have a run of `run` words
    that the prompt does not have. Two texts can have one by chance:
    `by_chance` of the result says how often documents do that were not retrieved.

    Parameters
    ----------
    log
        What was retrieved for which answers.
    run
        Words of a run; in scripts without spaces, pairs of characters.
    tokenizer
        Splits texts into words.
    normalize
        Spellings that count as equal, see `hayflick.corpus.normalization`.
    confidence
        Of the intervals.
    progress
        Is told how far the work is.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If nothing was retrieved.

    Examples
    --------
    >>> import polars as pl
    >>> from hayflick.auditing.retrieval_log import ANSWERS, DOCUMENTS, READS, REQUESTS
    >>> real = "a storm broke the old bridge by the mill"
    >>> told = "all is well in the fair city of ours"
    >>> log = RetrievalLog(
    ...     rounds=("1",),
    ...     documents=pl.DataFrame([(real, False, None, None, None), (told, True, "x", "x", 0)],
    ...                            schema=DOCUMENTS, orient="row"),
    ...     requests=pl.DataFrame([(1, "y", None, 0)], schema=REQUESTS, orient="row"),
    ...     reads=pl.DataFrame([(0, 0), (0, 1)], schema=READS, orient="row"),
    ...     answers=pl.DataFrame([(0, "They say all is well in the fair city.")],
    ...                          schema=ANSWERS, orient="row"),
    ...     pools=(np.array([0, 1]),),
    ... )
    >>> found = find_contamination(log)
    >>> found.pool, found.retrieved.value, found.copied.value
    (0.5, 0.5, 1.0)
    >>> [(link.reader, link.author, link.copies) for link in found.echo.links]
    [('y', 'x', 1)]
    """
    run = whole_number("run", run, at_least=1, at_most=LONGEST_RUN)
    confidence = number_between("confidence", confidence, low=0.5, high=0.9999)
    splitter = tokenizer_named(tokenizer)
    if log.reads.is_empty():
        raise DataError("retrieved: nothing was retrieved for any answer")
    copies = find_copies(
        log, tokenizer=splitter, normalize=normalize, length=run, progress=progress
    )
    return _Found(log, copies, confidence).contamination(run=run, tokenizer=tokenizer)


@dataclass(frozen=True, eq=False)
class _Found:
    """What was retrieved and copied."""

    log: RetrievalLog
    copies: Copies
    confidence: float

    def contamination(self, *, run: int, tokenizer: str) -> RetrievalContamination:
        """Return the result."""
        from scipy.special import ndtri

        log, quantile = self.log, float(ndtri((1.0 + self.confidence) / 2))
        retrievals, copyings = self._retrievals(), self._copyings()
        unknown = len(log.reads) - len(log.known)
        pairs = self.copies.pairs
        copied = pairs.filter("copied")
        unknown_copied = int(self._unknown(copied["document"]).sum())
        pools = [share for share in self._pool_shares() if share is not None]
        return RetrievalContamination(
            rounds=self._rounds(),
            requests=len(log.requests),
            answers=len(log.answers),
            documents=len(log.documents),
            pool=float(np.mean(pools)) if pools else None,
            retrieved=retrievals.share(quantile=quantile, unknown=unknown),
            copied=copyings.share(quantile=quantile, unknown=unknown_copied),
            retrieval=self._in_pools().preference(confidence=self.confidence)
            if log.pools
            else None,
            copying=copyings.ratio(confidence=self.confidence),
            copied_rate=len(copied) / len(pairs) if len(pairs) else None,
            by_chance=self.copies.by_chance,
            by_document=_dominance(log, "document"),
            by_source=_dominance(log, "source"),
            echo=self._echo(),
            run=run,
            tokenizer=tokenizer,
            confidence=self.confidence,
            notes=self._notes(),
        )

    def _unknown(self, documents: pl.Series) -> pl.Series:
        return self.log.documents["generated"].gather(documents).is_null()

    def _retrievals(self) -> Choices:
        """Return what was retrieved, of any offer."""
        known = self.log.known
        requests = np.arange(len(self.log.requests))
        nothing = np.empty(0, np.int64)
        return Choices(
            generated=self.log.is_generated,
            offer=requests,
            cluster=requests,
            offered_offer=nothing,
            offered_item=nothing,
            taken_choice=known["request"].to_numpy(),
            taken_item=known["document"].to_numpy(),
        )

    def _in_pools(self) -> Choices:
        """Return what was retrieved of pools that are known."""
        log, known = self.log, self.log.known
        has_pool = log.pool_of >= 0
        numbers = np.cumsum(has_pool) - 1
        request = known["request"].to_numpy()
        kept = has_pool[request]
        pools = log.known_pools
        return Choices(
            generated=log.is_generated,
            offer=log.pool_of[has_pool],
            cluster=np.flatnonzero(has_pool),
            offered_offer=np.repeat(np.arange(len(pools)), [pool.size for pool in pools]),
            offered_item=np.concatenate(pools),
            taken_choice=numbers[request[kept]],
            taken_item=known["document"].to_numpy()[kept],
        )

    def _copyings(self) -> Choices:
        """Return what was copied of the documents that were retrieved."""
        pairs = self.copies.pairs.filter(~self._unknown(self.copies.pairs["document"]))
        taken = pairs.filter("copied")
        of_answers = self.log.answers["request"].to_numpy()
        return Choices(
            generated=self.log.is_generated,
            offer=np.arange(of_answers.size),
            cluster=of_answers,
            offered_offer=pairs["answer"].to_numpy(),
            offered_item=pairs["document"].to_numpy(),
            taken_choice=taken["answer"].to_numpy(),
            taken_item=taken["document"].to_numpy(),
        )

    def _pool_shares(self) -> list[float | None]:
        """Return the generated share of the pool of each request."""
        shares = [
            float(self.log.is_generated[pool].mean()) if pool.size else None
            for pool in self.log.known_pools
        ]
        return [shares[pool] if pool >= 0 else None for pool in self.log.pool_of]

    def _rounds(self) -> tuple[RoundContamination, ...]:
        log, copies = self.log, self.copies.pairs
        of_request = log.requests["round"].to_numpy() - 1
        generated = log.is_generated
        rounds = len(log.rounds)

        def shares(request: Integers, counted: NDArray[Any]) -> list[float | None]:
            number = of_request[request]
            total = np.bincount(number, minlength=rounds)
            part = np.bincount(number, counted, minlength=rounds)
            return [float(p / n) if n else None for p, n in zip(part, total, strict=True)]

        known = log.known
        taken = copies.filter(pl.col("copied") & ~self._unknown(copies["document"]))
        pools = self._pool_shares()
        has_pool = np.array([one is not None for one in pools], dtype=np.bool_)
        pooled = np.flatnonzero(has_pool)
        echoing = self._echoing()
        return tuple(
            RoundContamination(number + 1, name, int(requests), *found)
            for number, (name, requests, *found) in enumerate(
                zip(
                    log.rounds,
                    np.bincount(of_request, minlength=rounds),
                    shares(pooled, np.array([pools[one] for one in pooled], dtype=np.float64)),
                    shares(known["request"].to_numpy(), generated[known["document"].to_numpy()]),
                    shares(taken["request"].to_numpy(), generated[taken["document"].to_numpy()]),
                    shares(echoing["request"].to_numpy(), echoing["echo"].to_numpy()),
                    strict=True,
                )
            )
        )

    def _echoing(self) -> pl.DataFrame:
        """Return the measured answers: whether each copies, an earlier answer, one of its own."""
        pairs = self.copies.pairs
        author = self.log.documents["author"].gather(pairs["document"])
        reader = self.log.requests["reader"].gather(pairs["request"])
        copied = pl.col("copied")
        return (
            pairs.with_columns(
                echo=copied & author.is_not_null(),
                own=copied & author.eq_missing(reader) & author.is_not_null(),
            )
            .group_by("answer", maintain_order=True)
            .agg(pl.col("request").first(), pl.col("copied", "echo", "own").any())
        )

    def _echo(self) -> Echo | None:
        if self.log.documents["author"].null_count() == len(self.log.documents):
            return None
        answers = self._echoing()
        links = self._links()
        return Echo(
            answers=len(answers),
            copying=int(answers["copied"].sum()),
            echoing=int(answers["echo"].sum()),
            own=int(answers["own"].sum()),
            links=links[:_LISTED_LINKS],
            more_links=max(0, len(links) - _LISTED_LINKS),
        )

    def _links(self) -> tuple[EchoLink, ...]:
        pairs, log = self.copies.pairs, self.log
        found = (
            pairs.select(
                reader=log.requests["reader"].gather(pairs["request"]).fill_null(""),
                author=log.documents["author"].gather(pairs["document"]),
                round=log.requests["round"].gather(pairs["request"]),
                copied="copied",
            )
            .filter(pl.col("author").is_not_null())
            .group_by("reader", "author", "round")
            .agg(pl.len().alias("reads"), pl.col("copied").sum())
            .sort("reader", "author", "round")
        )
        links = []
        for (reader, author), part in found.group_by("reader", "author", maintain_order=True):
            by_round = [0] * len(log.rounds)
            for number, copies in part.select("round", "copied").iter_rows():
                by_round[number - 1] = int(copies)
            reads = int(part["reads"].sum())
            links.append(EchoLink(str(reader), str(author), reads, sum(by_round), tuple(by_round)))
        copied = [link for link in links if link.copies]
        return tuple(sorted(copied, key=lambda link: -link.copies))

    def _notes(self) -> tuple[Note, ...]:
        log, notes = self.log, []
        if self.copies.short:
            notes.append(
                Note(
                    "{short} of {answers} answers are too short to copy a run of words",
                    short=self.copies.short,
                    answers=len(log.answers),
                )
            )
        unknown = len(log.reads) - len(log.known)
        if unknown:
            notes.append(
                Note(
                    "of {unknown} of {reads} retrieved texts it is not known whether they are "
                    "generated; they are left out of the shares",
                    unknown=unknown,
                    reads=len(log.reads),
                )
            )
        return tuple(notes)


def _dominance(log: RetrievalLog, kind: str) -> Dominance | None:
    """Return the dominance of documents or of sources among all that was retrieved."""
    documents = log.reads["document"]
    of_reads = documents if kind == "document" else log.documents["source"].gather(documents)
    named = of_reads.drop_nulls()
    if named.is_empty():
        return None
    counts = (
        named.alias("item")
        .to_frame()
        .group_by("item")
        .len(name="number")
        .sort("number", "item", descending=[True, False])
    )
    effective = hill_number(counts["number"].to_numpy(), order=2.0)
    assert effective is not None
    top = []
    for item, number in counts.head(_LISTED_ITEMS).iter_rows():
        share = number / len(of_reads)
        if kind == "document":
            text, generated = log.documents.select("text", "generated").row(item)
            top.append(DominantItem(text or "", share, generated))
        else:
            top.append(DominantItem(item, share))
    return Dominance(len(counts), float(effective), tuple(top))
