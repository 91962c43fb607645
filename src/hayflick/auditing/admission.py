"""Whether a pool takes a text: admit, quarantine or reject, with reasons."""

from __future__ import annotations

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
import polars as pl

from hayflick.auditing.admission_rules import ADMIT, DECISIONS, AdmissionRules
from hayflick.auditing.composition import word_numbers
from hayflick.auditing.dataset import blocks
from hayflick.auditing.pool_index import (
    ComparedTexts,
    IndexSettings,
    PoolIndex,
    load_index,
    save_index,
)
from hayflick.auditing.spreading import PhraseWatch
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.source import Source, sources_of
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import read_answers
from hayflick.corpus.table_format import TableFormat

FEWEST_FOR_SOURCES = 20
_AT_ONCE, _LETTERS_AT_ONCE = 256, 1 << 22

# Controls other than tabs and line breaks, embeddings and overrides of direction, interlinear and
# deprecated format characters, halves of surrogate pairs, noncharacters.
_HOSTILE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u206a-\u206f\ufff9-\ufffb"
    "\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]"
)
# Letters of tags, which nothing shows; in emoji they spell the flag of a region.
_TAGS = re.compile("(?:\U0001f3f4[\U000e0020-\U000e007f]+)|([\U000e0000-\U000e007f])")
_ISOLATES = re.compile("[\u2066-\u2068]"), re.compile("\u2069")


@final
@dataclass(frozen=True)
class AdmissionReason:
    """Why a text is not simply admitted.

    Parameters
    ----------
    reason
        One of `hayflick.auditing.admission_rules.ACTIONS`.
    action
        What is done for it: ``admit``, ``quarantine`` or ``reject``.
    details
        What it is about: of a copy the ``item`` of the pool (its row, from 1, or its place among
        the rows of several files; items that were admitted later follow), its ``id``, the
        ``similarity`` and the size of the ``cluster``; of others the ``value`` and the ``limit``,
        the ``phrase`` or the ``characters``.
    """

    reason: str
    action: str
    details: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """Return the reason as a record."""
        return {"reason": self.reason, "action": self.action, **self.details}


@final
@dataclass(frozen=True)
class Admission:
    """What is done with a text.

    Parameters
    ----------
    decision
        ``admit``, ``quarantine`` or ``reject``: the strictest action of all reasons.
    reasons
        What speaks against it.
    id
        What the text is called; None without a name.
    """

    decision: str
    reasons: tuple[AdmissionReason, ...] = ()
    id: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as a record."""
        named = {} if self.id is None else {"id": self.id}
        reasons = [one.to_dict() for one in self.reasons]
        return {**named, "decision": self.decision, "reasons": reasons}


@final
@dataclass(frozen=True)
class Candidate:
    """A text that asks for admission.

    Parameters
    ----------
    text
        The text; None if there is none to read.
    source
        Who wrote it or where it is from; None if that is not known.
    score
        Of a detector or the like; None without.
    id
        What it is called; None without a name.
    problem
        Why the text cannot be read.
    """

    text: str | None
    source: str | None = None
    score: float | None = None
    id: str | None = None
    problem: str | None = None


class AdmissionGate:
    """Decides whether a pool takes a text, one after the other.

    A decision takes the same time however large the pool is. The gate takes one call at a time.

    Parameters
    ----------
    pool
        The texts of the pool: a list of them, or what `hayflick.corpus.answers.read_answers`
        takes; None for an empty one.
    rules
        What the pool takes.
    text, id, source
        The columns of the pool's texts, their names and their sources.
    similarity, recall, shingle, tokenizer, normalize
        Of near copies, see `hayflick.auditing.duplicates.find_duplicates`.
    skip_bad
        Whether rows of the pool that cannot be used are skipped instead of refused.
    encoding, table
        Encoding of the pool, and what is known of its format.
    progress
        Is told how far the pool is indexed.

    Raises
    ------
    ArgumentError
        If an argument is out of its range.
    DataError
        If the pool cannot be read.

    Examples
    --------
    >>> gate = AdmissionGate(["The cat sat on the mat and slept.", "A dog ran."])
    >>> gate.decide("A bird flew over the house.").decision
    'admit'
    >>> answer = gate.decide("The cat sat on the mat and dozed.")
    >>> answer.decision, answer.reasons[0].reason, answer.reasons[0].details["item"]
    ('reject', 'near-copy', 1)
    """

    def __init__(
        self,
        pool: Any = None,
        *,
        rules: AdmissionRules | None = None,
        text: str | None = None,
        id: str | None = None,  # noqa: A002
        source: str | None = None,
        similarity: float = 0.5,
        recall: float = 0.95,
        shingle: int = 2,
        tokenizer: str = "mixed",
        normalize: str = "casefold",
        skip_bad: bool = False,
        encoding: str = "utf-8",
        table: TableFormat | None = None,
        progress: Progress = silent,
    ) -> None:
        self.rules = AdmissionRules() if rules is None else rules
        settings = IndexSettings(similarity, recall, shingle, tokenizer, normalize)
        self._index = PoolIndex(settings)
        self._phrases = PhraseWatch(self.rules.window)
        self._sources: Counter[str] = Counter()
        self._items: list[int] = []
        self._ids: list[str | None] = []
        self._texts = 0
        self._next_item = 1
        self._made_of: str | None = None
        self.sources: tuple[Source, ...] = ()
        if pool is not None:
            columns = AnswerColumns(by=None, text=text, group=source, prompt=id)
            how = {"skip_bad": skip_bad, "encoding": encoding, "table": table}
            self._add_pool(pool, columns, how, progress)

    def __len__(self) -> int:
        """Return the number of texts in the pool, copies included."""
        return self._texts

    @property
    def similarity(self) -> float:
        """Of texts that are near copies."""
        return self._index.settings.similarity

    def _add_pool(
        self, pool: Any, columns: AnswerColumns, how: Mapping[str, Any], progress: Progress
    ) -> None:
        name, source = columns.prompt, columns.group
        if isinstance(pool, Sequence) and not isinstance(pool, str) and _are_texts(pool):
            pool, columns = {"text": list(pool)}, replace(columns, text="text")
        read = read_answers(pool, columns=columns, normalize="none", progress=progress, **how)
        if "text" not in read.frame.columns:
            raise ArgumentError("text", got="nothing", takes="the column of the pool's texts")
        if isinstance(pool, (str, os.PathLike)):
            self._made_of = _stamp(pool)
        self.sources = sources_of(read)
        frame = read.frame.with_columns(pl.col("text").fill_null(""))
        # Rows of several files are numbered anew in each.
        if not (frame["row"].diff().drop_nulls() > 0).all():
            frame = frame.with_columns(row=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        done = 0
        for block in blocks(frame["text"]):
            rows = frame.slice(done, len(block))
            ids = rows["prompt"].to_list() if name is not None else [None] * len(block)
            given = rows["group"].to_list() if source is not None else [None] * len(block)
            self._add(self._index.prepared(block), given, ids, rows["row"])
            done += len(block)
            progress("indexing the pool", done, len(frame))
        self._next_item = int(frame["row"].max() or 0) + 1  # type: ignore[arg-type]

    def _add(
        self,
        texts: ComparedTexts,
        sources: Sequence[str | None],
        ids: Sequence[str | None],
        items: Iterable[int],
        start: int = 0,
    ) -> None:
        """Add as many of the prepared texts as there are sources, from one on, to the pool."""
        before = len(self._index)
        entries = self._index.add(texts, start, start + len(sources))
        self._phrases.add_to_pool(texts.phrases[start : start + len(sources)])
        self._sources.update(one for one in sources if one is not None)
        self._texts += len(sources)
        # Only the first of equal texts has an entry.
        for entry, item, name in zip(entries.tolist(), items, ids, strict=True):
            if entry == before:
                self._items.append(item)
                self._ids.append(name)
                before += 1

    def decide(
        self,
        text: str,
        *,
        source: str | None = None,
        score: float | None = None,
        id: str | None = None,  # noqa: A002
        update: bool = False,
    ) -> Admission:
        """Return whether the pool takes a text.

        Parameters
        ----------
        text
            The text.
        source
            Who wrote it, for `AdmissionRules.max_source_share`.
        score
            For `AdmissionRules.max_score`.
        id
            What it is called.
        update
            Whether it is added to the pool if it is admitted.

        Raises
        ------
        ArgumentError
            If `text` is no text.
        """
        if not isinstance(text, str):
            raise ArgumentError("text", got=text, takes="a text")
        [answer] = self.decide_all([Candidate(text, source, score, id)], update=update)
        return answer

    def decide_all(
        self, candidates: Iterable[Candidate], *, update: bool = False
    ) -> Iterator[Admission]:
        """Yield whether the pool takes each text, in their order, a few hundred at once.

        Parameters
        ----------
        candidates
            The texts.
        update
            Whether those that are admitted are added to the pool, so that later ones are compared
            with them too.
        """
        held: list[Candidate] = []
        letters = 0
        for one in candidates:
            held.append(one)
            letters += len(one.text or "")
            if len(held) == _AT_ONCE or letters > _LETTERS_AT_ONCE:
                yield from self._decided(held, update=update)
                held, letters = [], 0
        yield from self._decided(held, update=update)

    def _decided(self, candidates: Sequence[Candidate], *, update: bool) -> Iterator[Admission]:
        if not candidates:
            return
        texts = pl.Series("text", [_encodable(one.text or "") for one in candidates])
        compared = self._index.prepared(texts)
        words = word_numbers(texts).tolist()
        for place, one in enumerate(candidates):
            reasons = tuple(self._reasons(one, compared, place, words[place]))
            decision = max((each.action for each in reasons), key=DECISIONS.index, default=ADMIT)
            if decision != DECISIONS[-1]:
                self._phrases.add(compared.phrases[place])
            if decision == ADMIT and update:
                numbers = [self._next_item]
                self._add(compared, [one.source], [one.id], numbers, place)
                self._next_item += 1
            yield Admission(decision, reasons, one.id)

    def _reasons(
        self, one: Candidate, compared: ComparedTexts, place: int, words: int
    ) -> Iterator[AdmissionReason]:
        """Yield what speaks against a text."""
        rules = self.rules
        if one.text is None:
            yield self._reason("unreadable", problem=one.problem)
            return
        if compared.blank[place]:
            yield self._reason("empty")
        elif words < rules.min_words:
            yield self._reason("too-short", value=words, limit=rules.min_words)
        if characters := hostile_characters(one.text):
            yield self._reason("control-characters", characters=characters)
        yield from self._copies(compared, place)
        yield from self._of_source(one.source)
        if rules.max_phrase is not None:
            found = self._phrases.spreading(compared.phrases[place], rules.max_phrase)
            if found is not None:
                phrase = self._index.phrase(_encodable(one.text), found[0])
                how = {"value": round(found[1], 4), "limit": rules.max_phrase}
                yield self._reason("spreading-phrase", phrase=phrase, **how)
        if rules.max_score is not None and one.score is not None and one.score > rules.max_score:
            yield self._reason("score", value=one.score, limit=rules.max_score)

    def _copies(self, compared: ComparedTexts, place: int) -> Iterator[AdmissionReason]:
        match = self._index.match(compared, place)
        if match is None:
            return
        of = {"item": self._items[match.entry]}
        if (name := self._ids[match.entry]) is not None:
            of["id"] = name  # type: ignore[assignment]
        if match.exact:
            yield self._reason("exact-copy", **of, cluster=match.cluster)
        elif match.cluster >= self.rules.max_cluster:
            alike = round(match.similarity, 4)
            limit = self.rules.max_cluster
            yield self._reason(
                "near-copy", **of, similarity=alike, cluster=match.cluster, limit=limit
            )

    def _of_source(self, source: str | None) -> Iterator[AdmissionReason]:
        limit = self.rules.max_source_share
        if limit is None or source is None or self._texts < FEWEST_FOR_SOURCES:
            return
        value = (self._sources[source] + 1) / (self._texts + 1)
        if value > limit:
            yield self._reason("source-share", source=source, value=round(value, 4), limit=limit)

    def _reason(self, reason: str, **details: Any) -> AdmissionReason:
        return AdmissionReason(reason, self.rules.action(reason), details)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the index of the pool into a file, which is replaced.

        Raises
        ------
        OutputError
            If it cannot be written.
        """
        header = {
            "texts": self._texts,
            "next_item": self._next_item,
            "sources": dict(self._sources),
            "ids": self._ids if any(one is not None for one in self._ids) else None,
            "made_of": self._made_of,
        }
        arrays = {"items": np.array(self._items, np.int64), **self._phrases.arrays()}
        save_index(Path(path), self._index, header, arrays)
        return Path(path)

    @classmethod
    def load(
        cls, path: str | os.PathLike[str], *, rules: AdmissionRules | None = None
    ) -> AdmissionGate:
        """Return the gate that `save` has written; the rules are given anew.

        Raises
        ------
        DataError
            If the file cannot be read, or was written with a version of polars that hashes texts
            otherwise.
        """
        gate = cls(rules=rules)
        gate._index, header, arrays = load_index(path)
        try:
            gate._phrases = PhraseWatch.of_arrays(gate.rules.window, arrays)
            gate._items = arrays["items"].tolist()
            gate._ids = header["ids"] or [None] * len(gate._items)
            gate._sources, gate._texts = Counter(header["sources"]), int(header["texts"])
            gate._next_item = int(header["next_item"])
            gate._made_of = header["made_of"]
            if {len(gate._items), len(gate._ids)} != {len(gate._index)}:
                raise ValueError("items")
        except (ValueError, KeyError, TypeError, IndexError):
            raise DataError(f"{path}: is no index of hayflick admit") from None
        return gate

    def check_pool(self, pool: Any, path: str | os.PathLike[str]) -> None:
        """Refuse a pool that is another than the one that the index was made of.

        Raises
        ------
        DataError
            If its file has another size or time of change.
        """
        if isinstance(pool, (str, os.PathLike)) and _stamp(pool) != self._made_of:
            raise DataError(
                f"{path}: was not made of {pool} as it is now; leave the pool out to go on with "
                "the index, or index the pool anew with --force"
            )


def hostile_characters(text: str) -> list[str]:
    r"""Return the characters of a text that have no place in one, each once, as U+ and a name.

    Controls other than tabs and line breaks, overrides of direction, tags outside of emoji, halves
    of surrogate pairs, noncharacters, and isolates that are not closed.

    Examples
    --------
    >>> hostile_characters("so\tit\u202e goes"), hostile_characters("a\x1b[31m")
    (['U+202E RIGHT-TO-LEFT OVERRIDE'], ['U+001B'])
    """
    if text.isascii() and text.isprintable():
        return []
    found = {*_HOSTILE.findall(text), *filter(None, _TAGS.findall(text))}
    opened, closed = (pattern.findall(text) for pattern in _ISOLATES)
    if len(opened) != len(closed):
        found |= {*opened, *closed}
    return [f"U+{ord(one):04X} {unicodedata.name(one, '')}".rstrip() for one in sorted(found)]


def _are_texts(pool: Sequence[Any]) -> bool:
    """Return whether a list holds texts, not files or records."""
    first = next(iter(pool), "")
    return isinstance(first, str) and not os.path.exists(first[:1000])


def _encodable(text: str) -> str:
    """Return a text without halves of surrogate pairs."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _stamp(path: str | os.PathLike[str]) -> str:
    """Return what tells a file from what it was before."""
    try:
        found = os.stat(path)
    except OSError:
        return os.fspath(path)
    return f"{found.st_size} {found.st_mtime_ns}"
