"""What was measured of a stream of answers, by this call of `watch` and by earlier ones."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hayflick.core.progress import Progress
from hayflick.core.source import Source
from hayflick.corpus.answer_rows import BadRows
from hayflick.corpus.answers import Answers
from hayflick.corpus.continuing import ReadPart
from hayflick.detection.power import DetectableLoss
from hayflick.monitor.alarms import KnownAlarms
from hayflick.monitor.changed_phrases import Texts, phrased_rounds, sampled_texts, typical
from hayflick.monitor.measuring import Measured, Measurement, measure_rounds
from hayflick.monitor.state import StreamState, kept_rounds, last_round

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
