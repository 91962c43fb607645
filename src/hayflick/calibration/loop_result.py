"""The rounds of a loop that are done, read from its folder."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from hayflick.calibration.loop_record import LoopFolder, LoopRound, counts_over
from hayflick.calibration.loop_settings import LoopSettings, regime_of
from hayflick.calibration.record import Record
from hayflick.core.display import Result
from hayflick.core.errors import DataError
from hayflick.core.notes import Note
from hayflick.core.reproducibility import provenance
from hayflick.core.source import Source
from hayflick.corpus.counts import Counts

if TYPE_CHECKING:
    from hayflick.calibration.calibration_result import Calibration


@dataclass(frozen=True, eq=False, kw_only=True)
class LoopRun(Result):
    """The rounds of a loop that are done.

    Parameters
    ----------
    folder
        Where they are recorded: ``round0.json``, ``round1.json``, … hold their counts.
    settings
        What the loop does.
    rounds
        The rounds that are done, from round 0, the real data.
    sources
        What was read: the real data, and the files of the regime.
    spent
        Seconds that the trainer took in all, failures included.
    stopped
        Why it stopped before its last round; None where it did not.
    calibrated
        The calibration on all rounds; None before the last round, and for a run that was read.
    uncalibrated
        Why all rounds allow none; empty elsewhere.
    """

    folder: Path
    settings: LoopSettings
    rounds: tuple[LoopRound, ...]
    sources: tuple[Source, ...] = ()
    spent: float
    stopped: Note | None = None
    calibrated: Calibration | None = field(default=None, repr=False)
    uncalibrated: str = ""

    @classmethod
    def read(cls, folder: str | os.PathLike[str], *, stopped: Note | None = None) -> Self:
        """Return the rounds that are recorded in a folder.

        Raises
        ------
        DataError
            If it holds no loop, or a damaged one.
        """
        place = Path(folder)
        state = LoopFolder(place).state()
        if state is None:
            raise DataError(f"{place}: holds no loop; begin one with hayflick loop")
        return cls(
            folder=place,
            settings=state.settings,
            rounds=state.rounds,
            sources=state.sources,
            spent=state.spent,
            stopped=stopped,
        )

    def __repr__(self) -> str:
        done = f"{len(self.rounds) - 1} of {self.settings.rounds} rounds"
        return f"LoopRun({str(self.folder)!r}, {done})"

    @property
    def source(self) -> Source:
        """What the real data were read from."""
        return self.sources[0]

    @property
    def finished(self) -> bool:
        """Whether all rounds are done."""
        return len(self.rounds) > self.settings.rounds

    @property
    def calibration(self) -> Path | None:
        """The file of the calibration; None where there is none."""
        file = LoopFolder(self.folder).calibration
        return file if file.exists() else None

    @cached_property
    def record(self) -> Record:
        """The counts of all rounds, over the types of round 0.

        Raises
        ------
        DataError
            If a file of counts is damaged, or the regime keeps earlier rounds, which no record
            of successive training sets can hold.
        """
        folder = LoopFolder(self.folder)
        counts = [folder.counts(one.round) for one in self.rounds]
        first = counts[0]
        stored = _stored_counts(self.settings, self.source, Path(self._named_in))
        return Record(
            first.symbols,
            np.stack([counts_over(first, one) for one in counts]),
            np.array([one.fresh for one in self.rounds[1:]], np.int64),
            np.zeros(first.types, np.int64) if stored is None else counts_over(first, stored),
            self.sources,
        )

    @property
    def _named_in(self) -> str:
        state = LoopFolder(self.folder).state()
        return "" if state is None else state.folder

    def provenance(self) -> dict[str, Any]:
        """Return what the rounds were made with."""
        values = self.settings.model_dump(mode="json", exclude={"seed"}, exclude_none=True)
        return provenance(values, seed=self.settings.seed)


def _stored_counts(values: LoopSettings, source: Source, folder: Path) -> Counts | None:
    mix = regime_of(values, source, folder).mix(1, samples=1 << 50)
    if mix.accumulate:
        takes = "a regime without accumulation: each training set follows from the one before"
        raise DataError(f"record: got {values.regime}, takes {takes}")
    return mix.reserve
