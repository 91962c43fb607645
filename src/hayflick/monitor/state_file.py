"""The file of the state of a watched stream: what it holds, as plain values."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from hayflick.core.errors import DataError, OutputError
from hayflick.core.notes import Note
from hayflick.core.object_stores import is_url
from hayflick.core.output import check_not_input
from hayflick.core.records import Reading
from hayflick.corpus.answer_rows import BadRows
from hayflick.corpus.answers import Answers
from hayflick.corpus.continuing import Beginning, ReadPart
from hayflick.detection.power import DetectableLoss
from hayflick.diversity.group_mix import GroupMix
from hayflick.diversity.lexical import NgramCounts
from hayflick.diversity.observing import CommonSizes, Observer
from hayflick.diversity.prompt_pairs import PromptMix
from hayflick.monitor.alarms import KnownAlarms
from hayflick.monitor.changed_phrases import phrased_rounds
from hayflick.monitor.state import KeptRound, StreamState
from hayflick.monitor.stream_health import StreamHealth

if TYPE_CHECKING:
    from hayflick.storage.watch_records import WatchRecords

FORMAT_VERSION = 2
"""Version of the records; to be raised too when a number is measured in another way."""


@contextmanager
def held_state(path: str | os.PathLike[str]) -> Iterator[StateFile]:
    """Hold the file of a state, from reading to writing it; or an object of a store, by its URL.

    Raises
    ------
    DataError
        If it is damaged, or belongs to something else.
    OutputError
        If it cannot be written, or another call holds it for half a minute, or has written the
        object meanwhile.
    StoreError
        If the object store does not answer.
    """
    from hayflick.storage.watch_records import watch_records

    with watch_records(path) as records:
        yield StateFile(records)


def check_state(state: str | os.PathLike[str], inputs: Sequence[str | os.PathLike[str]]) -> None:
    """Refuse a state that is an input.

    Raises
    ------
    OutputError
        If it is one.
    """
    if not is_url(state):
        check_not_input(Path(state), inputs)
    elif state in inputs:
        raise OutputError(f"{state}: is the input; choose another name")


def read_health(path: str | os.PathLike[str]) -> StreamHealth:
    """Return how the stream of a state is after its last round; the file is only read.

    Raises
    ------
    DataError
        If it is damaged, holds no rounds, or belongs to something else.
    """
    from hayflick.storage.watch_records import read_watch_part

    name, record = read_watch_part(path, "health")
    if record is None:
        raise DataError(
            f"{name}: does not say how the stream is; one more call of watch with this state "
            "writes it down"
        )
    try:
        return StreamHealth(**record)
    except TypeError:
        raise DataError(f"{name}: the state of the stream is damaged; begin with another") from None


class StateFile:
    """The file of a state, which this call holds."""

    def __init__(self, records: WatchRecords) -> None:
        self._records = records
        self._unposted: dict[str, Any] = {}
        self.name = records.name

    def read(self) -> StreamState | None:
        """Return the state; None for a new file.

        Raises
        ------
        DataError
            If it is damaged, or was written by another version.
        """
        parts = self._records.parts()
        if not parts:
            return None
        try:
            version = parts["stream"]["format_version"]
            if version == FORMAT_VERSION:
                self._unposted = dict(parts["unposted"])
                return _state(parts, self._records.rounds())
        except (ValueError, TypeError, KeyError, LookupError, pl.exceptions.PolarsError):
            raise self._records.damaged() from None
        raise DataError(
            f"{self.name}: is a state of format_version {version!r:.20}, this version of hayflick "
            f"reads {FORMAT_VERSION}; begin with another state"
        )

    def write(self, state: StreamState, *, known: StreamState | None, health: StreamHealth) -> None:
        """Write a state; the rounds that were closed before stay as they are."""
        count = len(state.rounds)
        first = 1 if known is None else len(known.rounds)
        kept = set(phrased_rounds(count, _baseline(state)))
        rounds = [_round_record(one) for one in state.rounds[first - 1 :]]
        texts = {
            str(number): list(one.texts)
            for number, one in enumerate(state.rounds, start=1)
            if one.texts is not None and number in kept
        }
        parts = {**_records_of(state), "texts": texts, "unposted": self._unposted}
        parts["health"] = asdict(health)
        self._records.replace(parts, rounds, first=first)

    def unposted(self) -> dict[str, KnownAlarms]:
        """Return what was known when the last notice was posted, by web hook that lacks one.

        Raises
        ------
        DataError
            If the file is damaged.
        """
        try:
            found = self._records.parts()["unposted"]
            return {hook: _alarms(one["charts"], one["rounds"]) for hook, one in found.items()}
        except (ValueError, TypeError, LookupError, AttributeError):
            raise self._records.damaged() from None

    def write_unposted(self, unposted: Mapping[str, KnownAlarms]) -> None:
        """Write what `unposted` returns, and nothing else."""
        records = {
            hook: {"rounds": known.rounds, "charts": _alarm_records(known)}
            for hook, known in unposted.items()
        }
        self._records.replace_part("unposted", records)


def _alarm_records(known: KnownAlarms) -> list[list[Any]]:
    return [[*key, stands] for key, stands in known.charts.items()]


def _alarms(records: Sequence[Any], rounds: int) -> KnownAlarms:
    charts = {(metric, group, text): stands for metric, group, text, stands in records}
    return KnownAlarms(rounds, charts)


def _baseline(state: StreamState) -> int:
    return int(state.settings["baseline"])


def _records_of(state: StreamState) -> dict[str, Any]:
    """Return the parts of a state as plain values."""
    return {
        "stream": {
            "format_version": FORMAT_VERSION,
            "settings": dict(state.settings),
            "names": state.names,
            "typical": [list(state.typical_first), list(state.typical_last)],
            "alarms": _alarm_records(state.alarms),
            "powers": {
                name: [asdict(one) for one in found] for name, found in state.powers.items()
            },
            "earlier_bad": asdict(state.earlier_bad),
        },
        "part": {
            **asdict(replace(state.part, notes=())),
            "notes": [[note.message, dict(note.values)] for note in state.part.notes],
        },
        "observer": observer_record(state.observer),
        "last": _answers_record(state.last),
    }


def _state(parts: Mapping[str, Any], rounds: Sequence[Any]) -> StreamState:
    stream, texts = parts["stream"], parts["texts"]
    names = tuple(stream["names"])
    kept = tuple(
        KeptRound(
            readings=_readings(record["readings"], number, name),
            answers=record["answers"],
            digest=record["digest"],
            texts=texts.get(str(number)),
        )
        for number, (name, record) in enumerate(zip(names, rounds, strict=True), start=1)
    )
    return StreamState(
        settings=stream["settings"],
        part=_part(parts["part"]),
        names=names,
        observer=observer_of(parts["observer"]),
        rounds=kept,
        last=_answers(parts["last"], names),
        typical_first=stream["typical"][0],
        typical_last=stream["typical"][1],
        alarms=_alarms(stream["alarms"], len(names)),
        powers={
            name: tuple(DetectableLoss(**one) for one in found)
            for name, found in stream["powers"].items()
        },
        earlier_bad=_bad(stream["earlier_bad"]),
    )


def _bad(record: Mapping[str, Any]) -> BadRows:
    return BadRows(record["total"], [(row, reason) for row, reason in record["first"]])


def _part(record: Mapping[str, Any]) -> ReadPart:
    known = dict(record)
    for name in ("names", "labels", "groups"):
        known[name] = tuple(known[name])
    known["first_bad"] = tuple((row, reason) for row, reason in known["first_bad"])
    known["notes"] = tuple(Note(message, **values) for message, values in known["notes"])
    beginning = known["beginning"]
    known["beginning"] = None if beginning is None else Beginning(**beginning)
    return ReadPart(**known)


def _round_record(kept: KeptRound) -> dict[str, Any]:
    readings = {group: reading_record(reading) for group, reading in kept.readings.items()}
    return {"readings": readings, "answers": kept.answers, "digest": kept.digest}


def reading_record(reading: Reading) -> dict[str, Any]:
    """Return the numbers of a reading as plain values."""
    return {
        "values": dict(reading.values),
        "scores": {name: array_text(scores) for name, scores in reading.scores.items()},
    }


def reading_of(record: Mapping[str, Any], number: int, *, group: str, label: str) -> Reading:
    """Return the reading of a round whose numbers `reading_record` returned."""
    scores = {name: array_of(text) for name, text in record["scores"].items()}
    return Reading(number, record["values"], scores, group, label)


def _readings(record: Mapping[str, Any], number: int, label: str) -> dict[str, Reading]:
    return {
        group: reading_of(one, number, group=group, label=label) for group, one in record.items()
    }


def array_text(array: np.ndarray[Any, Any]) -> str:
    """Return numbers as text, to the last bit."""
    return base64.b64encode(np.asarray(array, "<f8").tobytes()).decode()


def array_of(text: str) -> np.ndarray[Any, Any]:
    """Return the numbers that `array_text` wrote."""
    return np.frombuffer(base64.b64decode(text, validate=True), "<f8").astype(np.float64)


def _matrix_record(matrix: np.ndarray[Any, Any] | None) -> dict[str, Any] | None:
    if matrix is None:
        return None
    return {
        "kind": matrix.dtype.str,
        "shape": matrix.shape,
        "numbers": base64.b64encode(np.ascontiguousarray(matrix).tobytes()).decode(),
    }


def _matrix(record: Mapping[str, Any] | None) -> np.ndarray[Any, Any] | None:
    if record is None:
        return None
    numbers = np.frombuffer(base64.b64decode(record["numbers"], validate=True), record["kind"])
    return numbers.reshape(record["shape"]).copy()


def _words_record(counts: NgramCounts) -> dict[str, Any]:
    """Return the words of a baseline; no number is made from its longer phrases."""
    return {"texts": counts.texts, **counts.tables[0].to_dict(as_series=False)}


def _words(record: Mapping[str, Any], tokenizer: str) -> NgramCounts:
    table = pl.DataFrame(
        {"symbol": record["symbol"], "number": record["number"]},
        schema={"symbol": pl.String, "number": pl.Int64},
    )
    return NgramCounts(tokenizer, (table,), record["texts"])


def observer_record(observer: Observer) -> dict[str, Any]:
    """Return what measures a stream as plain values."""
    baseline = observer.baseline
    return {
        "scale": observer.scale,
        "between_scale": observer.between_scale,
        "sizes": {
            group: {"words": one.words, "answers": one.answers, "mix": one.mix and asdict(one.mix)}
            for group, one in observer.sizes.items()
        },
        "tokenizer": observer.tokenizer,
        "words": None if baseline is None else _words_record(baseline),
        "words_of_groups": {name: _words_record(one) for name, one in observer.baselines.items()},
        "vectors": _matrix_record(observer.baseline_vectors),
        "must_keep": dict(observer.must_keep),
        "slow": sorted(observer.slow),
        "groups": observer.groups and asdict(observer.groups),
        "seed": observer.seed,
    }


def observer_of(record: Mapping[str, Any]) -> Observer:
    """Return what `observer_record` wrote."""
    words, sizes = record["words"], {}
    for group, one in record["sizes"].items():
        mix = one["mix"]
        if mix is not None:
            pairs = tuple((first, second) for first, second in mix["pairs"])
            mix = PromptMix(tuple(mix["prompts"]), pairs)
        sizes[group] = CommonSizes(one["words"], one["answers"], mix)
    return Observer(
        scale=record["scale"],
        between_scale=record["between_scale"],
        sizes=sizes,
        tokenizer=record["tokenizer"],
        baseline=None if words is None else _words(words, record["tokenizer"]),
        baselines={
            name: _words(one, record["tokenizer"])
            for name, one in record["words_of_groups"].items()
        },
        baseline_vectors=_matrix(record["vectors"]),
        must_keep=record["must_keep"],
        slow=frozenset(record["slow"]),
        groups=record["groups"] and GroupMix(**record["groups"]),
        seed=record["seed"],
    )


def _answers_record(answers: Answers) -> dict[str, Any]:
    return {
        "columns": answers.frame.to_dict(as_series=False),
        "vectors": _matrix_record(answers.vectors),
    }


def _answers(record: Mapping[str, Any], names: tuple[str, ...]) -> Answers:
    columns = record["columns"]
    kinds: dict[str, Any] = {
        name: pl.Int64
        if name in ("row", "round")
        else pl.Float64
        if name.startswith("value ")
        else pl.String
        for name in columns
    }
    frame = pl.DataFrame(columns, schema=kinds)
    return Answers("state", names, frame, _matrix(record["vectors"]))
