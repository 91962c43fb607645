"""How recorded rounds are read: a file for each round, or one table of all, as one record.

Round 0 is the real data. The others are training sets, real items in them included.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hayflick.calibration.record import Record
from hayflick.chains.discrete import Discrete
from hayflick.core.arrays import Integers
from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.core.notes import Note
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Regime
from hayflick.core.source import Source
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import Answers, read_answers
from hayflick.corpus.compression import content_suffix
from hayflick.corpus.counts import Counts
from hayflick.corpus.frames import holds_counts, input_path, is_in_memory
from hayflick.corpus.labels import spelling_notes
from hayflick.corpus.reading import Corpus, read_corpus
from hayflick.corpus.rounds import round_order
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.tokenizers import split_with
from hayflick.laws.rounds import refuse_reactions
from hayflick.regimes.regime import parse_regime

FEWEST_ROUNDS, MOST_ROUNDS = 3, 200
"""Real data and two rounds are two transitions; a table of more rounds names another column."""

_NEW_TYPES = 0.01
_UNLIKE = 1.5
# A rise of the number of types that is no chance: in deviations, and as a share of the types.
_RISE_DEVIATIONS, _RISE_SHARE = 4.0, 0.02
# A few labels may have the same counts by chance.
_TELLING_TYPES = 20
_SAMPLED_TEXTS = 10_000


@dataclass(frozen=True, eq=False)
class RecordedRounds:
    """A record, the names of its rounds, and what its rounds were trained on.

    Parameters
    ----------
    record
        The counts.
    names
        Of the rounds: files, or labels of the table's column.
    regime
        What each round after round 0 was trained on.
    sources
        What was read.
    """

    record: Record
    names: tuple[str, ...]
    regime: Regime
    sources: tuple[Source, ...]


@dataclass(frozen=True, eq=False)
class _Counted:
    """The counts of rounds as they were read, each with the types that it holds."""

    names: tuple[str, ...]
    rounds: tuple[Counts, ...]
    sources: tuple[Source, ...]

    def named(self, number: int) -> str:
        """Return a round as messages call it."""
        return f"round {number} ({self.names[number]})"


def read_rounds(
    sources: Any,
    *,
    by: str | None = None,
    text: str | None = None,
    column: str | None = None,
    regime: str | Regime = "replace",
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    progress: Progress = silent,
) -> RecordedRounds:
    """Return recorded rounds as one record.

    Parameters
    ----------
    sources
        The real data, then the rounds in their order: texts, folders of texts, tables, counts
        (JSON objects of symbol: count), or the same in memory. With `by`, one table of all.
    by
        The column of the round, of one table; its first round is the real data.
    text
        The column of that table whose texts are split into tokens.
    column
        The column of labels, of one table or of each.
    regime
        What each round was trained on, or its name in the grammar of the command line.
    tokenizer, encoding, normalize, table
        See `hayflick.corpus.reading.read_corpus`.
    progress
        Called with the number of bytes read so far.

    Raises
    ------
    ArgumentError
        If an argument does not fit the input, or rounds of the regime are not known beforehand.
    DataError
        If a round cannot be read, there are too few, or they are no rounds of one trainer in
        their order.
    """
    how: dict[str, Any] = {
        "tokenizer": tokenizer,
        "encoding": encoding,
        "normalize": normalize,
        "table": table,
        "progress": progress,
    }
    if by is not None:
        counted = _read_table(_only(sources), by=by, text=text, column=column, **how)
    else:
        if text is not None:
            takes = "nothing without by, the column of the round"
            remedy = "for a table in each round, name its column and a tokenizer"
            raise ArgumentError("text", got=text, takes=takes, remedy=remedy)
        counted = _read_files(_several(sources), column=column, **how)
    _refuse_identical(counted)
    if isinstance(regime, str):
        regime = parse_regime(regime, like=counted.sources[0])
    return _recorded(counted, regime)


def _several(sources: Any) -> list[Any]:
    """Return the sources of rounds, one each."""
    single = isinstance(sources, str | os.PathLike) or (
        is_in_memory(sources) and not isinstance(sources, list | tuple)
    )
    if single or not isinstance(sources, Iterable):
        takes = "the real data and its rounds in their order, or one table with by"
        raise ArgumentError("sources", got=_shown(sources), takes=takes)
    return list(sources)


def _only(sources: Any) -> Any:
    """Return the one table of all rounds."""
    if not isinstance(sources, list | tuple):
        return sources
    records = all(isinstance(one, dict) and not holds_counts(one) for one in sources)
    if sources and records:
        return sources
    if len(sources) != 1:
        takes = "one table, as by names the column of the round in it"
        raise ArgumentError("sources", got=f"{len(sources)} inputs", takes=takes)
    return sources[0]


def _shown(source: Any) -> str:
    if isinstance(source, str | os.PathLike):
        return f"one input ({os.fsdecode(source)})"
    return "one table" if is_in_memory(source) else f"a {type(source).__name__}"


def refuse_few(rounds: int, what: str) -> None:
    """Refuse a record that is too short to be fitted.

    Raises
    ------
    DataError
        If there are less than two transitions from one round to the next.
    """
    if rounds >= FEWEST_ROUNDS:
        return
    held = "nothing" if rounds == 0 else "the real data alone"
    held = "the real data and 1 round" if rounds == 2 else held
    hint = "" if rounds == 2 else "; for one table of all rounds, name the column of the round (by)"
    raise DataError(
        f"{what}: got {held}, takes the real data and at least 2 rounds, as the fit compares how "
        f"rounds follow one another: record more rounds{hint}"
    )


def _read_files(
    given: Sequence[Any], *, column: str | None, progress: Progress, **how: Any
) -> _Counted:
    """Count every input; all are split as the first was."""
    refuse_few(len(given), "rounds")
    if len(given) > MOST_ROUNDS:
        takes = f"at most {MOST_ROUNDS} rounds"
        raise ArgumentError("sources", got=f"{len(given):,} inputs", takes=takes)
    names = tuple(
        Path(one).name if isinstance(one, str | os.PathLike) else f"round {number}"
        for number, one in enumerate(given)
    )
    _refuse_names_out_of_order(names)
    found: list[Corpus] = []
    tokenizer = how.pop("tokenizer")
    for number, one in enumerate(given):
        # Counts have neither a column nor a tokenizer.
        counts = holds_counts(one) if is_in_memory(one) else _is_counts_file(input_path(one))
        named, split = (None, None) if counts else (column, tokenizer)
        corpus = read_corpus(one, column=named, tokenizer=split, progress=progress, **how)
        tokenizer = tokenizer or corpus.source.tokenizer
        name = corpus.source.name if isinstance(one, str | os.PathLike) else names[number]
        role = "corpus" if number == 0 else "round"
        found.append(Corpus(corpus.counts, replace(corpus.source, name=name, role=role)))
    return _Counted(
        tuple(one.source.name for one in found),
        tuple(one.counts for one in found),
        tuple(one.source for one in found),
    )


def _is_counts_file(path: Path) -> bool:
    return content_suffix(path) == ".json" and not path.is_dir()


def _refuse_names_out_of_order(names: Sequence[str]) -> None:
    """Refuse files whose names number the rounds in another order: round1, round10, round2."""
    for some in (names, names[1:]):
        if len(set(some)) < len(some):
            continue
        try:
            order = round_order(list(some))
        except DataError:
            continue
        if order.names == tuple(some) or len(order.names) < len(some):
            continue
        place = next(k for k, one in enumerate(some) if one != order.names[k])
        raise DataError(
            f"rounds: {some[place]} is given where {order.names[place]} would follow by the "
            "numbers in the names; give the rounds in the order in which they were trained"
        )


def _read_table(
    source: Any,
    *,
    by: str,
    text: str | None,
    column: str | None,
    tokenizer: str | None,
    encoding: str,
    normalize: str,
    table: TableFormat | None,
    progress: Progress,
) -> _Counted:
    """Count the tokens or labels of each round of one table."""
    if (text is None) == (column is None):
        got = "none" if text is None else f"{text} and {column}"
        takes = "text for answers that are split into tokens, or column for labels"
        raise ArgumentError("text", got=got, takes=takes)
    answers = read_answers(
        source,
        columns=AnswerColumns(by=by, text=text or column),
        encoding=encoding,
        normalize=normalize,
        table=table,
        progress=progress,
    )
    _refuse_gaps(answers.rounds)
    refuse_few(len(answers.rounds), answers.name)
    if len(answers.rounds) > MOST_ROUNDS:
        takes = f"a column of at most {MOST_ROUNDS} rounds"
        got = f"{by}, which names {len(answers.rounds):,}"
        raise ArgumentError("by", got=got, takes=takes)
    name = (tokenizer or "auto") if text is not None else tokenizer
    chosen, tokens = _tokens(answers.frame.select("round", "text"), name)
    rounds = []
    for number, label in enumerate(answers.rounds, start=1):
        part = tokens.filter(pl.col("round") == number)
        if part.is_empty():
            raise DataError(f"{answers.name}: the round {label} holds no {_unit(chosen)}")
        rounds.append(
            Counts.from_mapping(dict(zip(part["symbol"], part["number"].to_list(), strict=True)))
        )
    return _Counted(answers.rounds, tuple(rounds), _sources(answers, chosen, rounds[0]))


def _unit(tokenizer: str | None) -> str:
    return "label" if tokenizer is None else f"token under the tokenizer {tokenizer}"


def _sources(answers: Answers, tokenizer: str | None, real: Counts) -> tuple[Source, ...]:
    empty = answers.frame["text"]
    missing = int((empty.is_null() | (empty.str.strip_chars() == "")).sum())
    notes = () if tokenizer else spelling_notes(real.symbols)
    first, *others = answers.sources
    first = replace(first, tokenizer=tokenizer, missing=missing, notes=(*first.notes, *notes))
    return (first.without("empty cells", missing), *others)


def _tokens(frame: pl.DataFrame, name: str | None) -> tuple[str | None, pl.DataFrame]:
    """Return the tokenizer's name, and how often each symbol occurs in each round."""

    def count(tokens: pl.LazyFrame) -> pl.DataFrame:
        number = pl.len().cast(pl.Int64).alias("number")
        named = tokens.filter(pl.col("symbol").is_not_null() & (pl.col("symbol") != ""))
        return named.group_by("round", "symbol").agg(number).collect()

    texts = frame.lazy().filter(pl.col("text").is_not_null())
    if name is None:
        blank = pl.col("text").str.strip_chars() == ""
        return None, count(texts.filter(~blank).rename({"text": "symbol"}))
    samples = frame["text"].drop_nulls().head(_SAMPLED_TEXTS).to_list()
    chosen, counted = split_with(
        name,
        samples,
        lambda split: count(split.tokens(texts)),
        symbols=lambda found: (found["symbol"], found["number"]),
    )
    return chosen.name, counted


def _refuse_gaps(names: Sequence[str]) -> None:
    """Refuse rounds that are numbered with a gap: a transition over it would be two."""
    if not all(name.isdecimal() for name in names):
        return
    steps = np.diff([int(name) for name in names])
    if steps.size and steps.min() != steps.max():
        wide = int(np.argmax(steps))
        raise DataError(
            f"by: no round lies between {names[wide]} and {names[wide + 1]}, and others are "
            f"{steps.min()} apart; a transition takes two rounds that follow one another: add what "
            "is missing, or leave out the rounds on one side"
        )


def _refuse_identical(counted: _Counted) -> None:
    seen: dict[str, int] = {}
    for number, source in enumerate(counted.sources[: len(counted.rounds)]):
        if len(counted.sources) == len(counted.rounds) and source.sha256:
            if source.sha256 in seen:
                raise _identical(counted, seen[source.sha256], number, "the same file (SHA-256)")
            seen[source.sha256] = number
    for one, other in itertools.combinations(range(len(counted.rounds)), 2):
        a, b = counted.rounds[one], counted.rounds[other]
        if a.types < _TELLING_TYPES or a.types != b.types or a.total != b.total:
            continue
        if a.symbols == b.symbols and np.array_equal(a.numbers, b.numbers):
            raise _identical(counted, one, other, "the same counts")


def _identical(counted: _Counted, one: int, other: int, what: str) -> DataError:
    return DataError(
        f"rounds: {counted.named(other)} and {counted.named(one)} are {what}; a trained model does "
        "not write the same text again: give each round's own data"
    )


def _recorded(counted: _Counted, regime: Regime) -> RecordedRounds:
    """Return counts over the types of round 0, checked against what rounds of a trainer are."""
    refuse_reactions(regime)
    real = counted.rounds[0]
    places = {symbol: place for place, symbol in enumerate(real.symbols)}
    counts = np.zeros((len(counted.rounds), real.types), np.int64)
    notes: list[Note] = []
    fresh = _fresh_items([one.total for one in counted.rounds], regime)
    for number, one in enumerate(counted.rounds):
        found = np.array([places.get(symbol, -1) for symbol in one.symbols])
        counts[number, found[found >= 0]] = one.numbers[found >= 0]
        if number and (found < 0).any():
            share = fresh[number - 1] / one.total
            notes += _new_types(counted, number, found < 0, real_share=share)
    _refuse_empty(counted, counts)
    kept = counts.sum(axis=1)
    # Left out with the new types were real items too.
    real_items = np.array(_fresh_items(kept.tolist(), regime), np.int64)
    if not real_items.any():
        _refuse_rising(counted, counts)
    notes += _notes_on_sizes(counted, kept)
    stored = _stored_items(real, counted.sources[0], regime, int(kept[1]))
    first = counted.sources[0]
    sources = (replace(first, notes=(*first.notes, *notes)), *counted.sources[1:])
    record = Record(real.symbols, counts, real_items, stored, sources)
    return RecordedRounds(record, counted.names, regime, sources)


def _fresh_items(sizes: Sequence[int], regime: Regime) -> list[int]:
    """Return the fresh items of each round after round 0."""
    fresh = []
    for number, size in enumerate(sizes[1:], start=1):
        mix = regime.mix(number, samples=size)
        if mix.accumulate:
            takes = "replace, fresh, periodic, scheduled or anchor"
            remedy = "counts of rounds that accumulate do not tell what the last model wrote"
            raise ArgumentError("regime", got=regime.describe(), takes=takes, remedy=remedy)
        fresh.append(mix.fresh)
    return fresh


def _stored_items(real: Counts, source: Source, regime: Regime, size: int) -> Integers:
    model = Discrete(real.symbols, real.numbers, source=source)
    return model.align(regime.mix(1, samples=size).reserve)


def _new_types(
    counted: _Counted, number: int, new: np.ndarray, *, real_share: float
) -> tuple[Note, ...]:
    """Leave out types that round 0 lacks with a note; refuse more than a few."""
    one, real = counted.rounds[number], counted.rounds[0]
    names = [symbol for symbol, is_new in zip(one.symbols, new, strict=True) if is_new]
    items = int(one.numbers[new].sum())
    share = items / one.total
    # Fresh items may be of types that the sample of round 0 happens to lack.
    if share > _NEW_TYPES + real_share:
        types = "1 type" if len(names) == 1 else f"{len(names):,} types"
        told = f"{types} that the real data ({counted.names[0]}) lack"
        remedy = "was another tokenizer or another column used, or is the text in another language?"
        if one.types > real.types:
            remedy = "is the real data the first input? If so, was another tokenizer used?"
        raise DataError(
            f"rounds: the vocabulary grows: {counted.named(number)} holds {told}, {share:.1%} of "
            f"its items: {listed(names)}; {remedy}"
        )
    return (
        Note(
            "{number} items of {round} ({share}) are of types that the real data lack, and are "
            "left out: {types}",
            number=f"{items:,}",
            round=counted.names[number],
            share=f"{share:.2%}",
            types=listed(names, most=3),
        ),
    )


def _refuse_empty(counted: _Counted, counts: Integers) -> None:
    for number, size in enumerate(counts.sum(axis=1)):
        if not size:
            raise DataError(f"rounds: {counted.named(number)} holds none of the real data's types")


def _refuse_rising(counted: _Counted, counts: Integers) -> None:
    """Refuse rounds in which more types come back than are lost, though nothing brings them."""
    present = counts > 0
    for number, (before, after) in enumerate(itertools.pairwise(present), start=1):
        back, lost = int((after & ~before).sum()), int((before & ~after).sum())
        chance = _RISE_DEVIATIONS * math.sqrt(back + lost)
        grown = counts[number].sum() > _UNLIKE * counts[number - 1].sum()
        if not grown and back - lost > max(chance, _RISE_SHARE * counts.shape[1]):
            raise DataError(
                f"rounds: {counted.named(number)} holds {back:,} types that "
                f"{counted.named(number - 1)} lacks, and lacks {lost:,} that it has: are the "
                "rounds in their order? If real data were added, state them with regime "
                "(--regime fresh:SHARE)"
            )


def _notes_on_sizes(counted: _Counted, sizes: Integers) -> list[Note]:
    small, large = int(np.argmin(sizes)), int(np.argmax(sizes))
    if sizes[large] <= _UNLIKE * sizes[small]:
        return []
    note = Note(
        "the rounds are of very different sizes: {small} items in {smallest}, {large} in "
        "{largest}; what a small round lacks it may lack by its size alone",
        small=f"{sizes[small]:,}",
        smallest=counted.names[small],
        large=f"{sizes[large]:,}",
        largest=counted.names[large],
    )
    return [note]
