"""`summarise`: read the answers of files in a stream, and keep what merges and can be watched."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from typing_extensions import override

from hayflick.core.checks import whole_number
from hayflick.core.errors import ArgumentError, DataError, HayflickError
from hayflick.core.notes import translatable
from hayflick.core.progress import Progress, silent
from hayflick.corpus.answer_columns import AnswerFields
from hayflick.corpus.answer_rows import AnswerRows
from hayflick.corpus.files import InputFile, InputFiles
from hayflick.corpus.instants import instants_of
from hayflick.corpus.log_inputs import answer_input, is_lines, preset_of
from hayflick.corpus.normalization import normalized_expression
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.tables import check_format
from hayflick.corpus.windows import MOST_PERIODS, Windows, earliest, shortest_length, zone_named
from hayflick.embed.embedder import Embedder, parse_embedder
from hayflick.monitor.partitions import Partition, kept_embedder, read_partitions, with_vectors
from hayflick.monitor.round_summary import RoundSummary
from hayflick.monitor.summaries import (
    AnswerSummary,
    SummarisedFile,
    SummaryMerger,
    SummarySettings,
    read_summary,
    thinned,
)

CAPACITY = 20_000
"""The largest number of answers of a round that are kept, unless another one is given."""

_DAY = timedelta(days=1)


def summarise(
    source: Any,
    *,
    by: str | None = None,
    text: str | None = None,
    log: str | None = None,
    group: str | None = None,
    prompt: str | None = None,
    values: Sequence[str] = (),
    vectors: str | None = None,
    every: str | None = None,
    time_zone: str | None = None,
    skip_bad: bool = False,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    capacity: int = CAPACITY,
    like: str | os.PathLike[str] | AnswerSummary | None = None,
    embedder: str | Embedder | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> AnswerSummary:
    r"""Summarise the answers in files: a sample of each round, and exact totals.

    Files are read a few rows at a time, a workbook by its sheet: memory does not grow with their
    size or number.

    Parameters
    ----------
    source
        A file, several, or a folder.
    by, text, log, group, prompt, values, vectors, time_zone, skip_bad, encoding, normalize, table
        As of `hayflick.watch`; vectors are a column.
    every
        Length of a round where `by` holds times, or of the times of a log: a length whose rounds
        begin at the same times whatever the first time is.
    capacity
        The largest number of answers of a round that are kept. A round that has no more is kept
        whole, and is watched as its files would be.
    like
        A summary whose settings are taken; then no others may be given, except the embedder, which
        must be the same. None for none.
    embedder
        Turns the texts of the answers that are kept into vectors, where the files are read: an
        embedder, or one in the grammar of `hayflick.embed.embedder`. Each process loads its model
        once. None to leave that to `hayflick.watch`.
    executor
        Where the files are read, each by itself: processes or a cluster; see
        `hayflick.simulation.executors.open_executor`. The summary is the same everywhere. None for
        one after the other in this process.
    progress
        Called with how far reading has come.

    Raises
    ------
    DataError
        If no file can be read. Of several files, those that cannot are named in `failed`; what
        may be a passing reason, such as a lost connection, is tried three times.
    ArgumentError
        If an argument is out of its range, or rounds would have to be found.
    ExecutorError
        If the scheduler of a cluster is lost.
    StoreError
        If an object store does not answer for any of the files.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import hayflick as hf
    >>> days = Path(tempfile.mkdtemp())
    >>> for day in (1, 2):
    ...     _ = (days / f"{day}.csv").write_text(f"day,answer\n{day},yes\n{day},no\n")
    ...     found = summarise(days / f"{day}.csv", by="day", text="answer")
    ...     _ = found.save(days / f"{day}.summary")
    >>> hf.merge([days / "2.summary", days / "1.summary"]).answers
    4
    """
    given = answer_input(source)
    if not isinstance(given, InputFiles):
        raise ArgumentError("source", got="data in memory", takes="files, or a folder of them")
    settings = SummarySettings(
        by=by,
        text=text,
        log=log,
        group=group,
        prompt=prompt,
        values=tuple(values),
        vectors=vectors,
        every=every,
        time_zone=time_zone,
        normalize=normalize,
        capacity=whole_number("capacity", capacity, at_least=1),
    )
    known = None
    if like is not None:
        known = like if isinstance(like, AnswerSummary) else read_summary(like)
        settings = _like(known, settings)
    _check(settings)
    _check_embedder(embedder, settings, None if known is None else known.settings.embedder)
    reader = _Reader(
        replace(settings, embedder=None),
        skip_bad=skip_bad,
        encoding=encoding,
        table=table,
        embedder=embedder,
    )
    partitions = [Partition(file, _named(file)) for file in given.files]
    merger, failed = SummaryMerger(), {}
    for name, found in read_partitions(reader, partitions, executor=executor, progress=progress):
        if isinstance(found, HayflickError):
            failed[name] = found
        else:
            merger.add(found, name)
    if merger.first is None:
        raise next(failed[one.name] for one in partitions)
    whole = merger.merged()
    if not whole.answers:
        raise DataError(f"{given.name}: holds no answer that can be used")
    if known is not None and whole.settings.embedder != known.settings.embedder:
        made, takes = whole.settings.embedder, known.settings.embedder
        raise DataError(f"vectors were made by {made}, those of the summary of like by {takes}")
    return replace(whole, failed={name: str(failed[name]) for name in sorted(failed)})


def _like(known: AnswerSummary, given: SummarySettings) -> SummarySettings:
    """Return the settings of a summary; others beside it are refused."""
    plain = {"values": (), "normalize": "nfc", "capacity": CAPACITY}
    for name, value in vars(given).items():
        if name != "embedder" and value not in (plain.get(name), getattr(known.settings, name)):
            takes = f"{getattr(known.settings, name)!r}, as the summary of like has"
            raise ArgumentError(name, got=value, takes=takes)
    return known.settings


def _check_embedder(
    embedder: str | Embedder | None, settings: SummarySettings, like: str | None
) -> None:
    """Refuse an embedder where there are vectors, and none or another one where a summary has."""
    if embedder is None:
        if like is not None:
            takes = f"the one of the summary of like, {like}"
            raise ArgumentError("embedder", got="none", takes=takes)
        return
    if isinstance(embedder, str):
        parse_embedder(embedder)
    if settings.vectors is not None:
        raise ArgumentError("embedder", got=str(embedder), takes="none beside vectors")


def _check(settings: SummarySettings) -> None:
    """Refuse rounds that would have to be found, or that begin where the first time is."""
    if settings.vectors is not None and settings.vectors.endswith(".npy"):
        takes = "a column of lists of numbers: a file of vectors belongs to no partition"
        raise ArgumentError("vectors", got=settings.vectors, takes=takes)
    if settings.by is None and settings.every is None:
        takes = "the column of rounds, or of times with every"
        remedy = "of a log, give every (--every 1d): windows that are found differ by partition"
        raise ArgumentError("by", got="nothing", takes=takes, remedy=remedy)
    if settings.time_zone is not None:
        zone_named(settings.time_zone)
    if settings.every is None:
        if settings.time_zone is not None:
            takes = "every beside it, such as 1d"
            raise ArgumentError("time_zone", got=settings.time_zone, takes=takes)
        return
    length = shortest_length(settings.every)
    if settings.every.endswith(("m", "min", "h")):
        alike = _DAY % length == timedelta(0) and length <= _DAY
        if not alike or not _keeps_step(settings.time_zone, length):
            takes = "minutes or hours that divide a day, and the steps of the zone's clock; or days"
            remedy = "other rounds begin at other times, depending on the first one; such as 1h, 1d"
            raise ArgumentError("every", got=settings.every, takes=takes, remedy=remedy)


def _keeps_step(name: str | None, length: timedelta) -> bool:
    """Return whether windows begin at the same times before and after the clock is changed."""
    if name is None:
        return True
    zone = zone_named(name)
    at = (datetime(year, month, 1, tzinfo=zone) for year in range(1990, 2040) for month in (1, 7))
    offsets = {one.utcoffset() or timedelta(0) for one in at}
    return all((one - min(offsets)) % length == timedelta(0) for one in offsets)


def _named(file: InputFile) -> str:
    return file.path.as_posix() if file.shown == str(file.path) else file.shown


@dataclass(kw_only=True)
class _SampledRows(AnswerRows):
    """Rows of which every frame is handed on as it is full, so that few are held at a time."""

    sample: _Sample

    @override
    def _flush(self) -> None:
        super()._flush()
        frame = self._frames.pop()
        if self.fields.columns.vector_column is not None:
            vectors = [vector.tolist() for vector in self._vectors]
            frame = frame.with_columns(pl.Series("vector", vectors, dtype=pl.List(pl.Float32)))
            self._vectors = []
        self.left_out += self.sample.add(frame, self.fields.roles)


@dataclass(kw_only=True)
class _Sample:
    """The answers of a file that are kept so far, and the totals of all of them."""

    settings: SummarySettings
    key: bytes
    frames: list[pl.DataFrame] = field(default_factory=list)
    waiting: int = 0
    kept: int = 0
    totals: dict[str, RoundSummary] = field(default_factory=dict)

    def add(self, frame: pl.DataFrame, roles: Sequence[str]) -> Counter[str]:
        """Take further answers, and return the number of those without a round, by reason."""
        normalize = self.settings.normalize
        frame = frame.with_columns(
            normalized_expression(pl.col(role), normalize) for role in roles
        ).with_columns(part=pl.int_range(pl.len(), dtype=pl.Int32).over("row"))
        timed = frame.filter(pl.col("by").is_not_null())
        without = Counter({translatable("answers without a time"): len(frame) - len(timed)})
        if timed.is_empty():
            self.frames.append(self._shaped(timed.with_columns(label=pl.col("by"))))
            return +without
        labelled = self._shaped(self._labelled(timed))
        for (label,), answers in labelled.partition_by(
            "label", as_dict=True, maintain_order=True
        ).items():
            total = _totals(answers)
            known = self.totals.get(str(label))
            self.totals[str(label)] = total if known is None else known.merge(total)
        if len(self.totals) > MOST_PERIODS:
            by = self.settings.by or "time"
            raise DataError(f"the column {by!r} gives more than {MOST_PERIODS:,} rounds")
        self.frames.append(labelled)
        self.waiting += len(labelled)
        if self.waiting > max(2 * self.kept, 100_000):
            self.whole()
        return +without

    def whole(self) -> pl.DataFrame:
        """Return the answers that are kept."""
        whole = thinned(pl.concat(self.frames), self.settings.capacity)
        self.frames, self.kept, self.waiting = [whole], len(whole), 0
        return whole

    def _labelled(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return answers with the label of their round, or of the window that their time is in."""
        every = self.settings.every
        if every is None:
            return frame.with_columns(label=pl.col("by"))
        zone = None if self.settings.time_zone is None else zone_named(self.settings.time_zone)
        labels = frame["by"].unique(maintain_order=True)
        instants, _ = instants_of(labels, zone)
        windows = Windows(every, zone, earliest(instants))
        names = list(map(windows.name, windows.starts_of(instants).to_list()))
        return frame.with_columns(label=pl.col("by").replace_strict(labels.to_list(), names))

    def _shaped(self, frame: pl.DataFrame) -> pl.DataFrame:
        rows = zip(frame["row"].to_list(), frame["part"].to_list(), strict=True)
        priorities = [_priority(row, part, self.key) for row, part in rows]
        frame = frame.with_columns(
            pl.col("label").cast(pl.String),
            file=pl.lit(0, pl.Int32),
            priority=pl.Series(priorities, dtype=pl.UInt64),
        )
        return frame.drop("by", "place").select(pl.col(sorted(frame.drop("by", "place").columns)))


def _priority(row: int, part: int, key: bytes) -> int:
    digest = hashlib.blake2b(b"%d:%d" % (row, part), key=key, digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _totals(answers: pl.DataFrame) -> RoundSummary:
    text = answers["text"].fill_null("") if "text" in answers.columns else None
    groups = answers["group"].fill_null("").value_counts() if "group" in answers.columns else None
    values = {}
    for name in answers.columns:
        if name.startswith("value "):
            known = answers[name].drop_nulls()
            values[name.removeprefix("value ")] = (len(known), float(known.sum()))
    return RoundSummary(
        answers=len(answers),
        empty=0 if text is None else int((text.str.strip_chars() == "").sum()),
        letters=0 if text is None else int(text.str.len_chars().sum()),
        groups={} if groups is None else dict(groups.iter_rows()),
        values=values,
    )


@dataclass(frozen=True, eq=False)
class _Reader:
    """How a file is read, by any process or machine."""

    settings: SummarySettings
    skip_bad: bool = field(kw_only=True)
    encoding: str = field(kw_only=True)
    table: TableFormat | None = field(kw_only=True)
    embedder: str | Embedder | None = field(kw_only=True)

    def __call__(self, partition: Partition, progress: Progress) -> AnswerSummary:
        """Read a file."""
        with partition.file.on_disk(progress=progress) as path:
            try:
                return self._summary(partition, path, progress)
            except DataError as fault:
                # Wherever it is read, it has the name that it was given by.
                shown = (str(part).replace(str(path), partition.name) for part in fault.args)
                fault.args = tuple(shown)
                raise

    def _summary(self, partition: Partition, path: Path, progress: Progress) -> AnswerSummary:
        settings, file = self.settings, replace(partition.file, path=path, is_fetched=True)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
        sample = _Sample(settings=settings, key=digest.digest())
        columns = settings.columns
        alone = InputFiles((file,), file.name)
        preset = preset_of(alone, columns, settings.log, encoding=self.encoding, table=self.table)
        if preset is None and settings.by is None:
            takes = "the column of times beside every"
            raise ArgumentError("by", got="nothing", takes=takes)
        rows = _SampledRows(
            fields=AnswerFields(columns=columns, log=preset),
            skip_bad=self.skip_bad,
            given=self.table,
            normalize=settings.normalize,
            sample=sample,
        )
        rows.begin(partition.name, file.partitions, preset)
        if is_lines(path):
            if self.table is not None:
                check_format(self.table, path)
            rows.add_lines(path, encoding=self.encoding, progress=progress)
        else:
            rows.add_table(path, encoding=self.encoding, progress=progress)
        rows._flush()
        answers = sum(total.answers for total in sample.totals.values())
        read = SummarisedFile(
            name=partition.name, sha256=digest.hexdigest(), rows=rows.read, answers=answers
        )
        frame = sample.whole()
        if self.embedder is not None:
            embedder = kept_embedder(self.embedder)
            frame = with_vectors(frame, embedder)
            settings = replace(settings, embedder=embedder.id)
        return AnswerSummary(
            settings=settings,
            frame=frame,
            totals={label: sample.totals[label] for label in sorted(sample.totals)},
            files=(read,),
            left_out=dict(rows.left_out),
            bad=rows.bad.total,
        )
