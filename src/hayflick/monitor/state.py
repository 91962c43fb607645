"""The state of a watched stream: what `watch` keeps so that the next call reads on from there.

Kept are the readings of all rounds with their scores, what they were measured with, samples of
texts for phrases, and the rows of the last round, which may grow: it is measured again. Charts run
again on the readings, so that they may change from call to call. How it is written is in
`hayflick.monitor.state_file`.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from hayflick.core.errors import DataError, listed
from hayflick.core.notes import Note
from hayflick.core.progress import Progress
from hayflick.core.records import Reading
from hayflick.core.source import Source
from hayflick.corpus.answer_rows import BadRows
from hayflick.corpus.answers import Answers
from hayflick.corpus.continuing import ReadPart, check_order
from hayflick.detection.power import DetectableLoss
from hayflick.diversity.observing import Observer
from hayflick.monitor.alarms import KnownAlarms
from hayflick.monitor.changed_phrases import Texts, phrased_rounds, sampled_texts, typical
from hayflick.monitor.measuring import Measured, Measurement, measure_rounds

_MOST_POWERS = 50


@dataclass(frozen=True, eq=False, kw_only=True)
class MeasuredStream:
    """The measured rounds of a stream, and the texts that a result shows.

    Parameters
    ----------
    measured
        The readings of all rounds.
    answers, bad
        Number of answers, and the rows that were skipped.
    texts
        Samples of texts for phrases.
    typical_first, typical_last
        Typical answers of the first and of the last round.
    known
        What was known before; None without a state, or with a new one.
    powers
        What charts can detect on this baseline.
    sources
        The state.
    """

    measured: Measured
    answers: int
    bad: BadRows
    texts: Texts
    typical_first: Sequence[str]
    typical_last: Sequence[str]
    known: StreamState | None
    powers: dict[str, tuple[DetectableLoss, ...]] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()

    def state(
        self,
        answers: Answers,
        settings: Mapping[str, Any],
        alarms: KnownAlarms,
        *,
        earlier_bad: BadRows,
    ) -> StreamState:
        """Return what the next call goes on from; parameters are those of `StreamState`."""
        closed = () if self.known is None else self.known.rounds[:-1]
        later = kept_rounds(answers, self.measured, self.texts, first=len(closed) + 1)
        return StreamState(
            settings=settings,
            part=answers.part or ReadPart(),
            names=answers.rounds,
            observer=self.measured.observer,
            rounds=(*closed, *later),
            last=last_round(answers),
            typical_first=self.typical_first,
            typical_last=self.typical_last,
            alarms=alarms,
            powers=dict(list(self.powers.items())[-_MOST_POWERS:]),
            earlier_bad=earlier_bad,
        )


def measured_stream(
    answers: Answers,
    settings: Measurement,
    known: StreamState | None,
    *,
    bad: BadRows,
    cache: str | os.PathLike[str] | None,
    progress: Progress,
) -> MeasuredStream:
    """Measure answers, those alone that are not closed in what is known."""
    before = None if known is None else known.measured
    measured = measure_rounds(answers, settings, cache=cache, progress=progress, known=before)
    baseline, closed = settings.baseline, 0 if before is None else len(before.rounds)
    wanted = [one for one in phrased_rounds(len(answers.rounds), baseline) if one > closed]
    texts: dict[int, Sequence[str]] = {} if known is None else known.texts
    texts |= sampled_texts(answers, wanted, baseline=baseline, seed=settings.seed)
    first, last = (known.typical_first, known.typical_last) if known is not None else ([], [])
    if measured.samples:
        first = first or typical(*measured.samples[0])
        last = typical(*measured.samples[-1])
    return MeasuredStream(
        measured=measured,
        answers=len(answers.frame) + (0 if known is None else known.closed_answers),
        bad=bad,
        texts=texts,
        typical_first=first,
        typical_last=last,
        known=known,
        powers={} if known is None else dict(known.powers),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class KeptRound:
    """A round that is known.

    Parameters
    ----------
    readings
        By group.
    answers
        Number of answers.
    digest
        Hash of its rows.
    texts
        A sample of its texts; None where no phrase takes them.
    """

    readings: Mapping[str, Reading]
    answers: int
    digest: str
    texts: Sequence[str] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class StreamState:
    """What is known of a stream after a call.

    Parameters
    ----------
    settings
        How the stream is read and measured, by the name of the option.
    part
        What was read of the input.
    names
        Names of the rounds.
    observer
        What measures every round.
    rounds
        The rounds; the last one may grow.
    last
        The answers of the last round.
    typical_first, typical_last
        Typical answers of the first and of the last round.
    alarms
        The charts, and whether they alarm.
    powers
        What charts can detect on the baseline, by their settings.
    earlier_bad
        Rows that were skipped in files before the one that `part` is about.
    """

    settings: Mapping[str, Any]
    part: ReadPart
    names: tuple[str, ...]
    observer: Observer
    rounds: tuple[KeptRound, ...]
    last: Answers
    typical_first: Sequence[str]
    typical_last: Sequence[str]
    alarms: KnownAlarms
    powers: Mapping[str, tuple[DetectableLoss, ...]] = field(default_factory=dict)
    earlier_bad: BadRows = field(default_factory=BadRows)

    @property
    def measured(self) -> Measured:
        """The rounds that are closed: all but the last one."""
        return Measured(self.observer, tuple(one.readings for one in self.rounds[:-1]))

    @property
    def closed_answers(self) -> int:
        """Number of answers in them."""
        return sum(one.answers for one in self.rounds[:-1])

    @property
    def texts(self) -> dict[int, Sequence[str]]:
        """The samples of texts, by the number of the round."""
        numbered = enumerate((one.texts for one in self.rounds), start=1)
        return {number: texts for number, texts in numbered if texts is not None}

    def check_settings(self, settings: Mapping[str, Any], *, name: str) -> None:
        """Refuse settings that the known rounds were not measured with.

        Parameters
        ----------
        settings
            Those of this call.
        name
            Name of the state, for the message.

        Raises
        ------
        DataError
            If one differs; the message names it with both values.
        """
        for option, value in settings.items():
            before = self.settings.get(option)
            if before != value:
                was = "without it" if before is None else f"with {before}"
                now = "has none" if value is None else f"has {value}"
                raise DataError(
                    f"{name}: --{option}: its rounds were measured {was}, and this call {now}; "
                    "give the same as before, or begin with another state"
                )


def digest_of(answers: Answers, low: int, high: int) -> str:
    """Return the hash of some rows: all that is measured of them.

    Parameters
    ----------
    answers
        The answers.
    low, high
        The first row of the frame, and the one behind the last.
    """
    frame, whole = answers.frame[low:high], hashlib.sha256()
    for name in sorted(set(frame.columns) - {"row", "round"}):
        cells = frame[name]
        whole.update(f"{name}\0".encode())
        if cells.dtype == pl.String:
            sizes = cells.str.len_bytes().fill_null(-1)
            whole.update(np.asarray(sizes.to_numpy(), "<i8").tobytes())
            whole.update("".join(cells.drop_nulls().to_list()).encode())
        else:
            whole.update(np.asarray(cells.fill_null(np.nan).to_numpy(), "<f8").tobytes())
    if answers.vectors is not None:
        whole.update(np.asarray(answers.vectors[low:high], "<f4").tobytes())
    return whole.hexdigest()


def kept_rounds(
    answers: Answers, measured: Measured, texts: Texts, *, first: int
) -> Iterator[KeptRound]:
    """Yield what is kept of every round from the `first` on."""
    numbers = answers.frame["round"].to_numpy()
    for number in range(first, len(answers.rounds) + 1):
        low, high = map(int, np.searchsorted(numbers, [number, number + 1]))
        yield KeptRound(
            readings=measured.rounds[number - 1],
            answers=high - low,
            digest=digest_of(answers, low, high),
            texts=texts.get(number),
        )


def last_round(answers: Answers) -> Answers:
    """Return the answers of the last round."""
    numbers = answers.frame["round"].to_numpy()
    low = int(np.searchsorted(numbers, len(answers.rounds)))
    return _rows(answers, low, len(numbers))


def open_part(answers: Answers, state: StreamState | None, *, name: str) -> Answers:
    """Return the answers from the last known round on; all of them without a state.

    Parameters
    ----------
    answers
        What this call has read.
    state
        What is known.
    name
        Name of the state, for messages.

    Raises
    ------
    DataError
        If rows of a round that is closed turn up, or are not those that are known.
    """
    if state is None:
        return answers
    answers = _renumbered(answers, state)
    last = len(state.rounds)
    closed = int(np.searchsorted(answers.frame["round"].to_numpy(), last))
    if answers.continued:
        if closed:
            _refuse_late(answers, state, closed)
    else:
        _check_closed(answers, state, closed, name)
    rest = _rows(answers, closed, len(answers.frame))
    kept = len(state.last.frame)
    if not answers.continued and _begins_with(rest, state.last):
        return rest
    if closed and not answers.continued and _holds(rest, state.last, number=last):
        # Of several files each has grown, so that new answers stand between those that are known.
        return rest
    if closed and not answers.continued:
        raise _changed(answers, state.names[-1], name)
    if not kept:
        return rest
    return _joined(state.last, rest)


def _renumbered(answers: Answers, state: StreamState) -> Answers:
    """Return answers that were not read from a table with the rounds that are known before them."""
    if answers.part is not None:
        return answers
    names = [*state.names, *(name for name in answers.rounds if name not in set(state.names))]
    order = {name: number for number, name in enumerate(names, start=1)}
    numbers = [order[name] for name in answers.rounds]
    if numbers != sorted(numbers):
        known = [name for name in names if name not in set(answers.rounds)]
        check_order(state.names, [*known, *answers.rounds])
    places = pl.Series(numbers)[answers.frame["round"] - 1]
    return replace(answers, rounds=tuple(names), frame=answers.frame.with_columns(round=places))


def _refuse_late(answers: Answers, state: StreamState, closed: int) -> None:
    rounds = answers.frame["round"][:closed].unique(maintain_order=True)
    names = listed([state.names[number - 1] for number in rounds.to_list()], most=5)
    row = int(answers.frame["row"][:closed].to_numpy().min())
    raise DataError(
        f"{answers.name}: line {row} and others belong to the rounds {names}, behind rows of "
        f"{state.names[-1]!r}: the state has closed them; begin with another state to read all "
        "again, or remove these lines"
    )


def _check_closed(answers: Answers, state: StreamState, closed: int, name: str) -> None:
    """Refuse rows of closed rounds that are not those that are known."""
    numbers = answers.frame["round"].to_numpy()[:closed]
    for number in np.unique(numbers).tolist():
        low, high = np.searchsorted(numbers, [number, number + 1])
        if digest_of(answers, int(low), int(high)) != state.rounds[number - 1].digest:
            raise _changed(answers, state.names[number - 1], name)


def _changed(answers: Answers, round_name: str, name: str) -> DataError:
    return DataError(
        f"{answers.name}: the answers of round {round_name!r} are not those that {name} knows; "
        "if the file was corrected, or is another stream, begin with another state"
    )


def _rows(answers: Answers, low: int, high: int) -> Answers:
    vectors = None if answers.vectors is None else answers.vectors[low:high]
    return replace(answers, frame=answers.frame[low:high], vectors=vectors)


def _begins_with(rest: Answers, last: Answers) -> bool:
    count = len(last.frame)
    if len(rest.frame) < count:
        return False
    return digest_of(rest, 0, count) == digest_of(last, 0, count)


def _holds(rest: Answers, last: Answers, *, number: int) -> bool:
    """Return whether a round has all its known answers, in whichever order."""
    size = int((rest.frame["round"] == number).sum())
    found = Counter(digest_of(rest, row, row + 1) for row in range(size))
    known = Counter(digest_of(last, row, row + 1) for row in range(len(last.frame)))
    return known <= found


def _joined(last: Answers, rest: Answers) -> Answers:
    frame = pl.concat([last.frame.select(rest.frame.columns), rest.frame])
    vectors = rest.vectors
    if vectors is not None and last.vectors is not None:
        found = [one for one in (last.vectors, vectors) if len(one)]
        vectors = np.concatenate(found) if found else vectors
    return replace(rest, frame=frame, vectors=vectors)


def bad_rows(answers: Answers, state: StreamState | None) -> tuple[BadRows, BadRows]:
    """Return the rows that were skipped in earlier files, and all of them.

    Parameters
    ----------
    answers
        What this call has read.
    state
        What is known.
    """
    if state is None:
        return BadRows(), answers.bad
    earlier, numbers = state.earlier_bad, answers.frame["round"].to_numpy()
    if answers.continued and not _is_another_file(answers, state):
        return earlier, _together(earlier, answers.bad)
    # A file that holds what is known as well counts all its rows.
    holds_all = not answers.continued and bool((numbers < len(state.rounds)).any())
    known = BadRows(state.part.bad, list(state.part.first_bad))
    earlier = BadRows() if holds_all else _together(earlier, known)
    return earlier, _together(earlier, answers.bad)


def _is_another_file(answers: Answers, state: StreamState) -> bool:
    parts = (answers.part, state.part)
    sizes = [0 if one is None or one.beginning is None else one.beginning.size for one in parts]
    return sizes[0] < sizes[1]


def _together(before: BadRows, later: BadRows) -> BadRows:
    return BadRows(before.total + later.total, [*before.first, *later.first][:20])


def state_source(path: str | os.PathLike[str], state: StreamState | None) -> Source:
    """Return the source of a state that this call has gone on from."""
    known = 0 if state is None else len(state.rounds)
    note = Note("{rounds} rounds were known from the state", rounds=f"{known:,}")
    return Source(Path(path).name, role="state", notes=(note,))
