"""Take summaries into a stream: what `hayflick summarise` has made of files of answers.

The answers that a summary holds are candidates for the samples of their rounds, and its totals are
added to theirs. Each file is taken once, by its hash.
"""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from hayflick.core.display_text import display_text
from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.instants import instants_of
from hayflick.corpus.numbers import LARGEST_VALUE
from hayflick.corpus.windows import zone_named
from hayflick.monitor.round_summary import RoundSummary
from hayflick.monitor.summaries import AnswerSummary, read_summary
from hayflick.service.ingest import Receipt
from hayflick.service.ingest_items import read_group
from hayflick.service.placement import Placed, place
from hayflick.service.problems import Problem
from hayflick.service.redaction import Redact, redaction
from hayflick.service.round_samples import RoundSample, key_of_file, most_measured, priority_of
from hayflick.service.service import Service
from hayflick.service.settings import Limits
from hayflick.service.stream_settings import StreamSettings
from hayflick.service.streams import settings_of
from hayflick.storage.accounts import Principal
from hayflick.storage.answers import AnswerRow, recent_groups, vector_bytes
from hayflick.storage.rounds import add_parcels, known_parcels
from hayflick.storage.streams import StreamRow, check_stream_name, stream_named

_MOST_ROWS = 1_000_000
_MOST_NAMED, _LONGEST_NAME = 5, 200
_MOST_COUNTED = 10**15
_VALUE = "value "
_FAULTS = (LookupError, TypeError, ValueError, ArithmeticError, pl.exceptions.PolarsError)
_SHA256 = re.compile("[0-9a-f]{64}")
_DAMAGED = "is no summary, or damaged; make it again with `hayflick summarise`"


def ingest_summary(
    service: Service, principal: Principal, stream_name: str, body: bytes
) -> Future[Receipt]:
    """Return the receipt of a summary, once it is durable.

    Parameters
    ----------
    service
        The service.
    principal
        Who sends it.
    stream_name
        The stream, which there must be, with a capacity.
    body
        The file that `hayflick summarise` has written.

    Raises
    ------
    Problem
        If it is no summary, or too large. What can be found only in the store, such as that it was
        made with other settings than the stream's, is raised by the future instead.
    WriterBusy
        If too many requests wait.
    """
    try:
        check_stream_name(stream_name)
    except ArgumentError as fault:
        raise Problem(422, str(fault)) from None
    parcel = _Parcel.of(body, service.settings.limits, redaction(service.settings.redact))

    def job(connection: sa.Connection) -> Receipt:
        now = service.clock.now()
        stream = stream_named(connection, principal.project, stream_name, lock=True)
        if stream is None:
            remedy = "make it first, with the summaries' every and a capacity"
            raise Problem(404, f"there is no stream {stream_name!r}: {remedy}")
        return parcel.store(connection, stream, settings_of(stream), now=now)

    return service.writer.submit(job)


@dataclass(frozen=True, eq=False)
class _Parcel:
    """A summary on its way into the store: its rows by label."""

    summary: AnswerSummary
    rows: Mapping[str, Sequence[dict[str, Any]]]

    @classmethod
    def of(cls, body: bytes, limits: Limits, redact: Redact | None) -> _Parcel:
        """Return what a body holds."""
        if not body:
            raise Problem(422, "the request holds no summary")
        with tempfile.TemporaryDirectory(prefix="hayflick-") as folder:
            path = Path(folder) / "body.summary"
            path.write_bytes(body)
            try:
                summary = read_summary(path)
            except DataError as fault:
                raise Problem(422, str(fault).replace(str(path), "the body")) from None
            except RecursionError:
                raise Problem(422, f"the body {_DAMAGED}") from None
        try:
            return cls(summary, _rows(summary, limits, redact))
        except _FAULTS:
            raise Problem(422, f"the body {_DAMAGED}") from None

    def store(
        self, connection: sa.Connection, stream: StreamRow, settings: StreamSettings, *, now: float
    ) -> Receipt:
        """Take the summary into a stream, in a job of the writer."""
        _check_settings(self.summary, stream, settings)
        digests = {bytes.fromhex(file.sha256): file.name for file in self.summary.files}
        known = known_parcels(connection, stream.id, digests)
        answers = self.summary.answers
        if known == digests.keys():
            return Receipt(accepted=0, duplicates=answers, late=0, rounds=())
        if known:
            again = _named([digests[one] for one in sorted(known, key=digests.__getitem__)])
            remedy = "summarise each file once, or send those that are new by themselves"
            raise Problem(409, f"the stream has taken {again} before: {remedy}")
        self._check_contents(connection, stream, settings)
        placed = self._placed(connection, stream, settings, now=now)
        notes = self._notes()
        late = 0
        for label, where in placed.items():
            total = self.summary.totals[label]
            if where.late:
                late += total.answers
            else:
                self._add(connection, stream, settings, where, label, notes, now=now)
        add_parcels(connection, stream.id, digests, now=now)
        rounds = dict.fromkeys(where.name for where in placed.values() if where.name)
        return Receipt(accepted=answers, duplicates=0, late=late, rounds=tuple(rounds), notes=notes)

    def _add(
        self,
        connection: sa.Connection,
        stream: StreamRow,
        settings: StreamSettings,
        where: Placed,
        label: str,
        notes: tuple[str, ...],
        *,
        now: float,
    ) -> None:
        common = {"stream": stream.id, "round": where.round, "late": False, "received": now}
        rows: list[AnswerRow] = [
            {**common, "at": where.at, "weight": 1, **row}  # type: ignore[typeddict-item]
            for row in self.rows.get(label, ())
        ]
        sample = RoundSample.stored(connection, stream.id, where.round)
        sample.totals = sample.totals.merge(self.summary.totals[label])
        sample.notes = tuple(dict.fromkeys((*sample.notes, *notes)))
        sample.add(connection, stream.id, where.round, rows, settings)
        sample.store(connection, stream.id, where.round)

    def _placed(
        self, connection: sa.Connection, stream: StreamRow, settings: StreamSettings, *, now: float
    ) -> dict[str, Placed]:
        """Return where the rounds of the summary go, and count their answers."""
        labels = [one for one, total in self.summary.totals.items() if total.answers]
        begins = _begins(labels, settings.time_zone)
        ahead = [one for one, at in zip(labels, begins, strict=True) if at > now]
        if ahead:
            raise Problem(422, f"the round {ahead[0]!r} begins in the future: look at the times")
        weights = [self.summary.totals[one].answers for one in labels]
        items = list(zip(begins, weights, strict=True))
        placed = place(connection, stream, settings, items, now=now)
        for label, at, where in zip(labels, begins, placed, strict=True):
            if where.name and _begins([where.name], settings.time_zone) != [at]:
                fault = f"the round {label!r} is no round of the stream, which has {where.name!r}"
                raise Problem(422, f"{fault}: summarise with its every and time_zone")
        return dict(zip(labels, placed, strict=True))

    def _check_contents(
        self, connection: sa.Connection, stream: StreamRow, settings: StreamSettings
    ) -> None:
        """Refuse more groups than the stream may have, and vectors of another length."""
        groups = {one for total in self.summary.totals.values() for one in total.groups if one}
        most = settings.most_groups
        known = recent_groups(connection, stream.id, stream.measured_round)
        if len(known | groups) > most and not groups <= known:
            new = min(groups - known)
            remedy = "summarise fewer, or raise the limit"
            detail = f"the group {new!r} is one too many: the stream takes {most} (most_groups)"
            raise Problem(422, f"{detail}; {remedy}")
        held, size = vector_bytes(connection, stream.id), 4 * self.summary.dimensions
        lengths = {len(row["vector"] or b"") for rows in self.rows.values() for row in rows}
        if stream.kind == "vectors" and lengths != {size}:
            raise Problem(422, "vector: some answers have none, or of another length")
        if stream.kind == "vectors" and held not in (None, size):
            got = f"got vectors of {size // 4} numbers, takes {(held or 0) // 4}"
            raise Problem(422, f"vector: {got}, as those before")

    def _notes(self) -> tuple[str, ...]:
        """Return what is missing in the summary."""
        if not self.summary.failed:
            return ()
        missing = _named(sorted(self.summary.failed))
        return (f"could not be summarised, and is missing: {missing}",)


def _rows(
    summary: AnswerSummary, limits: Limits, redact: Redact | None
) -> dict[str, list[dict[str, Any]]]:
    """Return what is stored of the answers of a summary, by label.

    Whoever may send can write any file: what it holds is taken for nothing.
    """
    frame = summary.frame
    if len(frame) > _MOST_ROWS:
        takes = f"at most {_MOST_ROWS:,}: give a smaller --capacity, or fewer files"
        raise Problem(413, f"the summary holds {len(frame):,} answers, takes {takes}")
    texts = [one for one in ("text", "prompt", "group") if one in frame.columns]
    size = sum(frame[one].str.len_bytes().sum() for one in texts)
    if size > limits.unpacked:
        raise Problem(413, f"its texts have {size:,} bytes, takes at most {limits.unpacked:,}")
    files = [file.sha256 for file in summary.files]
    settings = summary.settings
    if not all(map(_SHA256.fullmatch, files)) or not isinstance(summary.failed, dict):
        raise ValueError
    if type(settings.capacity) is not int or not all(type(one) is str for one in settings.values):
        raise ValueError
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in frame.iter_rows(named=True):
        key = key_of_file(files[row["file"]], row["row"], row["part"])
        if priority_of(key, 0) != row["priority"]:
            raise Problem(422, "the summary was made by another version: make it again")
        rows.setdefault(row["label"], []).append(_answer(row, key, limits, redact))
    for label, total in summary.totals.items():
        _check_total(total, len(rows.get(label, ())))
    if not rows.keys() <= summary.totals.keys():
        raise ValueError
    return rows


def _check_total(total: RoundSummary, kept: int) -> None:
    """Refuse sums that no answers have."""
    counts = (total.answers, total.empty, total.letters, *total.groups.values())
    if not all(type(one) is int and 0 <= one <= _MOST_COUNTED for one in counts):
        raise ValueError
    if not max(kept, total.empty, sum(total.groups.values())) <= total.answers:
        raise ValueError
    for name in total.groups:
        _group(name)
    for number, value in total.values.values():
        if type(number) is not int or not 0 <= number <= total.answers or not math.isfinite(value):
            raise ValueError


def _answer(
    row: Mapping[str, Any], key: str, limits: Limits, redact: Redact | None
) -> dict[str, Any]:
    """Return what is stored of an answer."""
    numbers = {
        name.removeprefix(_VALUE): number
        for name, number in row.items()
        if name.startswith(_VALUE) and number is not None
    }
    if not all(abs(number) <= LARGEST_VALUE for number in numbers.values()):
        raise ValueError
    vector = row.get("vector")
    if vector is not None:
        vector = np.array(vector, "<f4")
        if not 0 < vector.size <= limits.vector or not np.isfinite(vector).all():
            raise ValueError
        vector = vector.tobytes()
    return {
        "key": key,
        "digest": row["priority"].to_bytes(8) * 2,
        "group": _group(row.get("group")),
        "prompt": _text(row.get("prompt"), limits, redact),
        "text": _text(row.get("text"), limits, redact),
        "vector": vector,
        "numbers": json.dumps(numbers, allow_nan=False) if numbers else None,
    }


def _group(group: str | None) -> str | None:
    try:
        return read_group(group)
    except ValueError as fault:
        raise Problem(422, str(fault)) from None


def _text(text: str | None, limits: Limits, redact: Redact | None) -> str | None:
    if text is None:
        return None
    if len(text) > limits.text:
        raise Problem(413, f"a text has {len(text):,} characters, takes at most {limits.text:,}")
    return (text if redact is None else redact(text)).replace("\0", "\N{REPLACEMENT CHARACTER}")


def _check_settings(summary: AnswerSummary, stream: StreamRow, settings: StreamSettings) -> None:
    """Refuse a summary that was made with other settings than the stream has."""
    if settings.capacity is None:
        remedy = 'make a stream with a capacity, such as {"every": "1d", "capacity": 20000}'
        raise Problem(409, f"the stream {stream.name!r} stores all answers of a round: {remedy}")
    made = summary.settings
    kind = "vectors" if summary.dimensions else "answers"
    if stream.kind != kind:
        raise Problem(409, f"the stream {stream.name!r} holds {stream.kind}, the summary {kind}")
    zone = made.time_zone or "UTC"
    values = ", ".join(sorted(made.values)) or "none"
    for name, got, takes in (
        ("every", made.every, settings.every),
        ("time-zone", zone, settings.time_zone),
        ("normalize", made.normalize, "nfc"),
        ("value", values, ", ".join(sorted(settings.values)) or "none"),
    ):
        if got != takes:
            detail = f"{name} is {got} in the summary, and {takes} in the stream {stream.name!r}"
            raise Problem(422, f"{detail}: summarise with the stream's settings")
    least = most_measured(settings)
    if made.capacity < least:
        detail = f"the summary keeps {made.capacity:,} answers of a round, the stream {least:,}"
        raise Problem(422, f"{detail}: summarise with --capacity {least} or more")


def _begins(labels: Sequence[str], zone: str) -> list[float]:
    """Return when rounds begin, in seconds since 1970."""
    if not labels:
        return []
    try:
        instants, _ = instants_of(pl.Series(labels, dtype=pl.String), zone_named(zone))
    except DataError as fault:
        raise Problem(422, f"the rounds of the summary: {fault}") from None
    found: list[datetime] = instants.to_list()
    return [one.replace(tzinfo=UTC).timestamp() for one in found]


def _named(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    shown = [display_text(one, longest=_LONGEST_NAME) for one in names[:_MOST_NAMED]]
    return ", ".join(shown) + (f" and {more:,} more" if more > 0 else "")
