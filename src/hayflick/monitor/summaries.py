"""Summaries of answers: what `watch` needs of a partition, in a file that merges with others.

A summary holds a sample of the answers of every round and exact totals. The sample are the answers
with the smallest keyed hashes of their row, so that summaries merged in any order hold the same
answers as one that was made of all files together.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from hayflick.core.errors import ArgumentError, DataError, StoreError
from hayflick.core.notes import Note, translatable
from hayflick.core.object_stores import is_url, read_object, write_object
from hayflick.core.output import write_file
from hayflick.core.source import LeftOut, Source
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answer_rows import BadRows
from hayflick.corpus.answers import Answers
from hayflick.corpus.rounds import RoundOrder, round_order
from hayflick.monitor.round_summary import RoundSummary
from hayflick.monitor.summary_places import SUFFIX, check_target, summary_places

_FORMAT_VERSION = 1
_KEY, _DIGEST = "hayflick_summary", "hayflick_sha256"
_COMPACTED = 100_000
_MOST_NOTES = 3
_DIGITS = re.compile(r"(\d+)")
_SAMPLED = translatable("round {round} is measured on a sample of {kept} of its {answers} answers")

Summarised: TypeAlias = "str | os.PathLike[str] | AnswerSummary"


@dataclass(frozen=True, kw_only=True)
class SummarySettings:
    """What decides how answers are read and sampled: summaries that differ in it do not merge.

    Parameters
    ----------
    by, text, log, group, prompt, values, vectors, every, time_zone, normalize
        As of `hayflick.watch`.
    capacity
        The largest number of answers of a round that are kept.
    embedder
        What made vectors of the texts of the answers that are kept; None for none.
    """

    by: str | None
    text: str | None
    log: str | None
    group: str | None
    prompt: str | None
    values: tuple[str, ...]
    vectors: str | None
    every: str | None
    time_zone: str | None
    normalize: str
    capacity: int
    embedder: str | None = None

    @property
    def columns(self) -> AnswerColumns:
        """The columns of the answers."""
        names = ("by", "text", "group", "prompt", "values", "vectors")
        return AnswerColumns(**{name: getattr(self, name) for name in names})


@dataclass(frozen=True, kw_only=True)
class SummarisedFile:
    """A file in a summary: its path as it was given, its hash, and the rows that were read."""

    name: str
    sha256: str
    rows: int
    answers: int

    @property
    def order(self) -> tuple[object, ...]:
        """The key of an order in which part-2 comes before part-10."""
        parts = [
            tuple(
                (0, int(piece), "") if at % 2 else (1, 0, piece)
                for at, piece in enumerate(_DIGITS.split(part))
            )
            for part in Path(self.name).parts
        ]
        return parts, self.name, self.sha256


@dataclass(frozen=True, eq=False, kw_only=True)
class AnswerSummary:
    r"""A sample of the answers of every round, with exact totals.

    Parameters
    ----------
    settings
        How the answers were read.
    frame
        The sampled answers: ``label`` of the round, ``file`` (a place in `files`), ``row``,
        ``part`` of the row, ``priority``, and what was read of them.
    totals
        Exact sums over all answers, by the label of the round.
    files
        The files that were read.
    failed
        Why files could not be read, by their names.
    left_out
        Number of records that were not used, by reason.
    bad
        Number of rows that were skipped.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> for part in ("1", "2"):
    ...     _ = (folder / f"{part}.csv").write_text(f"round,answer\n1,It rains.\n2,Sun {part}.\n")
    >>> from hayflick.monitor.summarise import summarise
    >>> parts = [summarise(folder / f"{part}.csv", by="round", text="answer") for part in "12"]
    >>> merge(parts).answers
    4
    """

    settings: SummarySettings
    frame: pl.DataFrame
    totals: Mapping[str, RoundSummary]
    files: tuple[SummarisedFile, ...]
    failed: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    bad: int = 0

    @property
    def answers(self) -> int:
        """Number of answers that were read."""
        return sum(total.answers for total in self.totals.values())

    @property
    def dimensions(self) -> int:
        """Number of components of a vector; 0 without vectors."""
        if "vector" not in self.frame.columns:
            return 0
        return int(self.frame["vector"].list.len().max() or 0)  # type: ignore[arg-type]

    def to_dict(self) -> dict[str, Any]:
        """Return what was read, as plain values, without the sample."""
        return {
            "format_version": _FORMAT_VERSION,
            "settings": asdict(self.settings),
            "answers": self.answers,
            "kept": len(self.frame),
            "rounds": {label: total.record() for label, total in self.totals.items()},
            "files": [asdict(file) for file in self.files],
            "failed": dict(self.failed),
            "left_out": dict(self.left_out),
            "bad": self.bad,
        }

    def save(self, path: str | os.PathLike[str], *, force: bool = False) -> Path | str:
        """Write the summary to a Parquet file, or an object, whose name ends in ``.summary``.

        Raises
        ------
        OutputError
            If the file exists and `force` is not given, or it cannot be written.
        StoreError
            If an object store does not answer.
        """
        target = check_target(path, force=force)
        record = json.dumps(self.to_dict())
        metadata = {_KEY: record, _DIGEST: _digest(self.frame, record)}
        if isinstance(target, str):
            content = io.BytesIO()
            self.frame.write_parquet(content, compression="zstd", metadata=metadata)
            write_object(target, content.getvalue(), force=force)
            return target
        return write_file(
            target,
            lambda one: self.frame.write_parquet(one, compression="zstd", metadata=metadata),
            force=force,
        )

    def to_answers(self, *, start: str | None = None) -> Answers:
        """Return the sampled answers as `hayflick.watch` takes them.

        Parameters
        ----------
        start
            The first round; earlier ones are left out. None for all.

        Raises
        ------
        DataError
            If the rounds cannot be put in order.
        ArgumentError
            If `start` is not a round.
        """
        known = self.frame.sort("file", "row", "part")
        labels = list(dict.fromkeys([*known["label"].to_list(), *self.totals]))
        zone = self.settings.time_zone
        order = round_order(labels, every=self.settings.every, time_zone=zone)
        first = _first(order, start)
        numbers = known["label"].replace_strict(order.places, return_dtype=pl.Int64) - (first - 1)
        known = known.with_columns(round=numbers)
        # Labels of one round may be spelled in several ways, each with a sample of its own.
        known = _thinned(known, "round", self.settings.capacity)
        known = known.filter(pl.col("round") >= 1).sort("round", maintain_order=True)
        plain = ("label", "file", "part", "priority", "vector")
        frame = known.drop(name for name in plain if name in known.columns)
        return Answers(
            self.name,
            order.names[first - 1 :],
            _told_apart(frame, self.settings),
            self._vectors(known),
            BadRows(self.bad),
            (self._source(order, first),),
            log=self.settings.log,
        )

    def unmeasured(self, *, start: str | None = None) -> int:
        """Return the number of answers that `to_answers` leaves out of large rounds."""
        labels = list(dict.fromkeys([*self.frame["label"].to_list(), *self.totals]))
        order = round_order(labels, every=self.settings.every, time_zone=self.settings.time_zone)
        first, sizes = _first(order, start), self._sizes(order)
        capacity = self.settings.capacity
        return sum(max(0, size - capacity) for at, size in sizes.items() if at >= first)

    def _sizes(self, order: RoundOrder) -> Counter[int]:
        sizes: Counter[int] = Counter()
        for label, total in self.totals.items():
            sizes[order.places[label]] += total.answers
        return sizes

    @property
    def name(self) -> str:
        """What to call the files together."""
        more = len(self.files) - 1
        one = Path(self.files[0].name).name
        return f"{one} and {more:,} more file{'s' if more > 1 else ''}" if more else one

    def _vectors(self, known: pl.DataFrame) -> np.ndarray[Any, np.dtype[np.float32]] | None:
        if "vector" not in known.columns:
            return None
        vectors = np.full((len(known), self.dimensions), np.nan, np.float32)
        for place, vector in enumerate(known["vector"].to_list()):
            vectors[place, : len(vector)] = vector
        return vectors

    def _source(self, order: RoundOrder, first: int) -> Source:
        sizes = self._sizes(order)
        capacity = self.settings.capacity
        sampled = [number for number in sorted(sizes) if sizes[number] > capacity]
        sampled = [number for number in sampled if number >= first]
        notes = [
            Note(
                _SAMPLED,
                round=order.names[number - 1],
                kept=f"{capacity:,}",
                answers=f"{sizes[number]:,}",
            )
            for number in sampled[:_MOST_NOTES]
        ]
        if len(sampled) > _MOST_NOTES:
            more = translatable("further rounds that are measured on a sample: {number}")
            notes.append(Note(more, number=len(sampled) - _MOST_NOTES))
        failed = translatable("{file} could not be summarised, and is missing: {reason}")
        missing = list(self.failed.items())
        notes += [Note(failed, file=name, reason=why) for name, why in missing[:_MOST_NOTES]]
        if len(missing) > _MOST_NOTES:
            more = translatable("further files that could not be summarised: {number}")
            notes.append(Note(more, number=len(missing) - _MOST_NOTES))
        left_out = Counter(self.left_out)
        left_out[translatable("rows that cannot be used")] += self.bad
        before = sum(size for number, size in sizes.items() if number < first)
        left_out[translatable("answers before the first round")] += before
        return Source(
            self.name,
            rows=sum(file.rows for file in self.files),
            sha256=self.files[0].sha256 if len(self.files) == 1 else None,
            normalization=self.settings.normalize,
            left_out=tuple(LeftOut(why, number) for why, number in left_out.items() if number),
            notes=(*notes, *order.notes),
        )


def merge(summaries: Iterable[Summarised]) -> AnswerSummary:
    """Merge summaries of different files into the one of all of them.

    Parameters
    ----------
    summaries
        Paths of summaries, or summaries, in any order; URLs of an object store too, of a summary,
        a folder of them or a pattern.

    Raises
    ------
    ArgumentError
        If there are none.
    DataError
        If one cannot be read, or they do not fit together: made with other settings, of the same
        file, or with vectors of other lengths.
    """
    given = [summaries] if isinstance(summaries, (str, os.PathLike, AnswerSummary)) else summaries
    merger = SummaryMerger()
    for one in summary_places(given):
        if isinstance(one, AnswerSummary):
            merger.add(one, one.name)
        else:
            merger.add(read_summary(one), os.fspath(one))
    if merger.first is None:
        raise ArgumentError("summaries", got="none", takes="at least one summary")
    return merger.merged()


class SummaryMerger:
    """Merges summaries as they come, of which few are held; in any order they give the same."""

    def __init__(self) -> None:
        self.first: AnswerSummary | None = None
        self._name = ""
        self._held: list[AnswerSummary] = []
        self._waiting = self._rows = 0
        self._sums: dict[tuple[str, str], list[float]] = {}

    def add(self, summary: AnswerSummary, name: str) -> None:
        """Merge a summary; `name` is what messages call it.

        Raises
        ------
        DataError
            As `merge`.
        """
        if self.first is None:
            self.first, self._name = summary, name
        else:
            _check_alike(self.first, summary, self._name, name)
            if summary.dimensions and not self.first.dimensions:
                self.first, self._name = summary, name
        for label, total in summary.totals.items():
            for value, (_, number) in total.values.items():
                known = self._sums.get((label, value), [])
                self._sums[label, value] = _added_exactly(known, number)
        self._held.append(summary)
        self._waiting += len(summary.frame)
        if self._waiting >= max(_COMPACTED, self._rows) // 2:
            # The first one is not held beside what it was merged into.
            self.first = _together(self._held)
            self._held = [self.first]
            self._rows, self._waiting = len(self.first.frame), 0

    def merged(self) -> AnswerSummary:
        """Return the summary of all of them, of which there is at least one."""
        whole = _together(self._held)
        totals = {label: self._rounded(label, total) for label, total in whole.totals.items()}
        left_out = dict(sorted(whole.left_out.items()))
        return replace(whole, totals=totals, left_out=left_out)

    def _rounded(self, label: str, total: RoundSummary) -> RoundSummary:
        """Return the totals of a round with sums that were rounded once."""
        values = {
            name: (number, _rounded_sum(self._sums[label, name], total=added))
            for name, (number, added) in sorted(total.values.items())
        }
        return replace(total, values=values, groups=dict(sorted(total.groups.items())))


def _added_exactly(partials: Sequence[float], number: float) -> list[float]:
    """Return floats whose exact sum is that of `partials` and `number` (Shewchuk 1997)."""
    kept = []
    for one in partials:
        large, small = (number, one) if abs(number) >= abs(one) else (one, number)
        number = large + small
        rest = small - (number - large)
        if rest and math.isfinite(rest):
            kept.append(rest)
    return [*kept, number]


def _rounded_sum(partials: Sequence[float], *, total: float) -> float:
    try:
        return math.fsum(partials)
    except (OverflowError, ValueError):
        return total


def read_summary(path: str | os.PathLike[str]) -> AnswerSummary:
    """Return the summary in a file, or in an object by its URL.

    Raises
    ------
    DataError
        If it is missing, damaged, no summary, or of another version.
    StoreError
        If the object store does not answer.
    """
    try:
        data = read_object(path)[0] if is_url(path) else Path(path).read_bytes()
        metadata = pl.read_parquet_metadata(io.BytesIO(data))
        record = json.loads(metadata[_KEY])
        if record["format_version"] != _FORMAT_VERSION:
            version = record["format_version"]
            takes = f"takes {_FORMAT_VERSION}; summarise with the same version of hayflick"
            raise DataError(f"{os.fspath(path)}: is of format version {version}, {takes}")
        frame = pl.read_parquet(io.BytesIO(data))
        if metadata[_DIGEST] != _digest(frame, metadata[_KEY]):
            raise ValueError
        settings = record["settings"] | {"values": tuple(record["settings"]["values"])}
        totals = {label: RoundSummary.of_record(one) for label, one in record["rounds"].items()}
        return AnswerSummary(
            settings=SummarySettings(**settings),
            frame=frame,
            totals=totals,
            files=tuple(SummarisedFile(**file) for file in record["files"]),
            failed=record["failed"],
            left_out=record["left_out"],
            bad=record["bad"],
        )
    except StoreError:
        raise
    except OSError as fault:
        reason = (fault.strerror or "cannot be read").lower()
        raise DataError(f"{os.fspath(path)}: {reason}") from None
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
    ):
        remedy = "make it again with `hayflick summarise`"
        raise DataError(f"{os.fspath(path)}: is no summary, or damaged; {remedy}") from None


def _digest(frame: pl.DataFrame, record: str) -> str:
    """Return the hash of the cells and of the record, whatever version has written them."""
    found = hashlib.sha256(record.encode())
    for name in sorted(frame.columns):
        column = frame[name]
        found.update(name.encode() + column.is_null().to_numpy().tobytes())
        if column.dtype == pl.List:
            found.update(column.list.len().to_numpy().tobytes())
            column = column.explode()
        if column.dtype == pl.String:
            found.update(column.str.len_bytes().fill_null(0).to_numpy().tobytes())
            found.update(str(column.str.join("").item()).encode())
        else:
            found.update(column.fill_null(0).to_numpy().tobytes())
    return found.hexdigest()


def summary_of(source: Any) -> AnswerSummary | None:
    """Return the summary that is given, or those of which the paths are given, merged; else None.

    Raises
    ------
    ArgumentError
        If summaries and other files are given together.
    """
    many = isinstance(source, (list, tuple))
    given = list(source) if many else [source]
    are = [
        isinstance(one, AnswerSummary)
        or (isinstance(one, (str, os.PathLike)) and os.fspath(one).endswith(SUFFIX))
        for one in given
    ]
    if not any(are):
        return None
    if not all(are):
        other = given[are.index(False)]
        takes = "summaries alone, or answers alone"
        remedy = "summarise the others first: hayflick summarise"
        raise ArgumentError("source", got=f"{other} beside a summary", takes=takes, remedy=remedy)
    return merge(given)


def check_settled(options: Mapping[str, object]) -> None:
    """Refuse options for reading answers beside a summary, which has been read."""
    for name, given in options.items():
        if given:
            takes = "no such option beside a summary, whose answers were read before"
            remedy = f"give it to `hayflick summarise`, then merge and watch without {name}"
            raise ArgumentError(name, got=str(given), takes=takes, remedy=remedy)


def thinned(frame: pl.DataFrame, capacity: int) -> pl.DataFrame:
    """Return the answers of each label that have the smallest priorities, and hold no others."""
    kept = _thinned(frame, "label", capacity)
    # A column of texts that was filtered goes on holding the texts that it was filtered from.
    texts = [one for one in kept.get_columns() if one.dtype == pl.String]
    return kept.with_columns(pl.Series(one.name, one.to_list(), dtype=pl.String) for one in texts)


def _thinned(frame: pl.DataFrame, of: str, capacity: int) -> pl.DataFrame:
    if len(frame) <= capacity:
        return frame
    return frame.filter(pl.col("priority").rank("ordinal").over(of) <= capacity)


def _check_alike(first: AnswerSummary, other: AnswerSummary, name: str, named: str) -> None:
    """Refuse summaries that were made with other settings, or have vectors of other lengths."""
    one, two = asdict(first.settings), asdict(other.settings)
    for key, value in one.items():
        if value != two[key]:
            option = key.replace("_", "-")
            differ = f"{option} is {value!r} in {name}, and {two[key]!r} in {named}"
            raise DataError(f"the summaries were made with other settings: {differ}")
    if first.frame.schema != other.frame.schema:
        columns = sorted(set(first.frame.columns) ^ set(other.frame.columns))
        raise DataError(f"{named}: has other columns than {name}: {', '.join(columns)}")
    lengths = first.dimensions, other.dimensions
    if all(lengths) and lengths[0] != lengths[1]:
        has = f"has vectors of {lengths[1]} numbers, {name} of {lengths[0]}"
        raise DataError(f"{named}: {has}; use one embedder for all")


def _together(summaries: Sequence[AnswerSummary]) -> AnswerSummary:
    if len(summaries) == 1:
        return summaries[0]
    files = sorted((file for one in summaries for file in one.files), key=lambda file: file.order)
    _check_once(files)
    places = {(file.name, file.sha256): place for place, file in enumerate(files)}
    frames = [
        one.frame.with_columns(
            pl.col("file").replace_strict(
                list(range(len(one.files))),
                [places[file.name, file.sha256] for file in one.files],
                return_dtype=pl.Int32,
            )
        )
        for one in summaries
    ]
    first = summaries[0]
    read = {file.name for file in files}
    totals: dict[str, list[RoundSummary]] = {}
    for one in summaries:
        for label, total in one.totals.items():
            totals.setdefault(label, []).append(total)
    return AnswerSummary(
        settings=first.settings,
        frame=thinned(pl.concat(frames).sort("file", "row", "part"), first.settings.capacity),
        totals={label: reduce(RoundSummary.merge, totals[label]) for label in sorted(totals)},
        files=tuple(files),
        failed={
            name: why
            for one in summaries
            for name, why in sorted(one.failed.items())
            if name not in read
        },
        left_out=dict(sum((Counter(one.left_out) for one in summaries), Counter())),
        bad=sum(one.bad for one in summaries),
    )


def _check_once(files: Iterable[SummarisedFile]) -> None:
    names: dict[str, str] = {}
    for file in files:
        if file.answers and file.sha256 in names:
            same = f"{file.name} holds the same bytes as {names[file.sha256]}"
            raise DataError(f"{same}; summarise and merge each file once")
        names[file.sha256] = file.name


def _first(order: RoundOrder, start: str | None) -> int:
    found = 1 if start is None else order.number_of(start)
    if found is None:
        shown = f"{order.names[0]} … {order.names[-1]}"
        raise ArgumentError("from", got=str(start), takes=f"the name of a round: {shown}")
    return found


def _told_apart(frame: pl.DataFrame, settings: SummarySettings) -> pl.DataFrame:
    """Return answers without columns of a log that tell nothing apart, as `watch` leaves out."""
    from hayflick.corpus.found_rounds import RoundSearch

    if settings.text is not None or not {"group", "prompt"} & set(frame.columns):
        return frame
    named = {"group": settings.group, "prompt": settings.prompt, "by": "time"}
    search = RoundSearch(
        frame=frame,
        files=(),
        every=settings.every,
        time_zone=settings.time_zone,
        named=frozenset(name for name, column in named.items() if column is not None),
    )
    return search.with_rounds(search.found())[0]
