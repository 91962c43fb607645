"""Carry out the rounds of a loop: train, let write, make the next training set, record it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hayflick.calibration.loop_record import LoopFolder, LoopRound, LoopState, counts_over, remove
from hayflick.calibration.loop_settings import LocatedSettings, LoopSettings, regime_file, regime_of
from hayflick.calibration.processes import HoursUsed, TimeLimits
from hayflick.calibration.trainer import Trainer
from hayflick.calibration.training_sets import TrainingData
from hayflick.core.effort import LONG_S, Effort
from hayflick.core.errors import DataError
from hayflick.core.notes import Note
from hayflick.core.progress import Progress
from hayflick.core.records import Mix

Say = Callable[[str], None]

_MUCH_NEW = 0.01
_LARGEST_EXTRA = 1 << 26
_MOST_TIMES_LONGER = 100


class LoopRounds:
    """The rounds of a loop, one after another."""

    def __init__(
        self,
        located: LocatedSettings,
        kept: LoopFolder,
        trainer: Trainer,
        state: LoopState,
        data: TrainingData,
        say: Say,
        progress: Progress,
    ) -> None:
        self.state = state
        self._located, self._kept, self._trainer, self._data = located, kept, trainer, data
        self._say, self._progress = say, progress
        self._regime = regime_of(located.values, state.sources[0], located.folder)
        self._first = kept.counts(0)

    @property
    def _values(self) -> LoopSettings:
        return self._located.values

    @property
    def _number(self) -> int:
        return self.state.done + 1

    def step(self) -> Note | None:
        """Record the next round; return why it could not be begun or finished in time."""
        left = self._seconds_left()
        expected = sum(self._last_seconds().values())
        if left is not None and (left <= 0.0 or expected > left):
            return self._out_of_time(expected)
        start = time.monotonic()
        training_set = self._kept.data_file(self.state.done, self._data.suffix)
        if not training_set.exists():
            raise DataError(
                f"{training_set}: is missing, and round {self._number} is trained on it; "
                "name another folder with --out to begin again"
            )
        samples = self._values.samples or self._first.total
        mix = self._regime.mix(self._number, samples=samples)
        try:
            seconds, written = self._written(training_set, mix)
        except HoursUsed:
            return self._out_of_time(0.0)
        made, done = self._made(training_set, written, mix)
        own = max(0.0, time.monotonic() - start - sum(seconds.values()))
        self._commit(made, replace(done, seconds=seconds, own_seconds=own))
        return None

    def _seconds_left(self) -> float | None:
        hours = self._values.hours
        return None if hours is None else 3600.0 * hours - self.state.spent

    def _last_seconds(self) -> Mapping[str, float]:
        return self.state.rounds[-1].seconds or {}

    def _out_of_time(self, expected: float) -> Note:
        values = {
            "done": self.state.done,
            "rounds": self._values.rounds,
            "hours": f"{self._values.hours:g}",
            "used": f"{self.state.spent / 3600.0:.2g}",
        }
        if expected:
            return Note(
                "{done} of {rounds} rounds are done in {used} of the stated {hours} hours; the next"
                " one would take about {expected} hours more",
                **values,
                expected=f"{expected / 3600.0:.2g}",
            )
        return Note(
            "{done} of {rounds} rounds are done, and the stated {hours} hours are used", **values
        )

    def _written(self, training_set: Path, mix: Mix[Any]) -> tuple[dict[str, float], Path | None]:
        """Return the seconds of the stages, and the file that the trainer has written."""
        number, kept = self._number, self._kept
        seconds: dict[str, float] = {}
        if not mix.generated:
            return seconds, None
        values: dict[str, object] = {"round": number, "n": mix.generated}
        for place, stage in enumerate(self._trainer.stages[:-1]):
            trained = kept.trained(number)
            if trained is None:
                folder = kept.attempt(stage)
                (folder / "model").mkdir()
                values |= {"model": _model(folder), "seed": self._seed(place)}
                values["data"] = self._copied(training_set, stage, folder)
                seconds[stage] = self._carry_out(stage, values, folder, seconds)
                _refuse_no_model(folder, stage, number)
                kept.write_trained(number, folder, seconds)
            else:
                folder, seconds = trained
            values["model"] = _model(folder)
        stage = self._trainer.stages[-1]
        folder = kept.attempt(stage)
        out = folder / f"generated{self._data.suffix}"
        values |= {"out": out.resolve(), "seed": self._seed(len(self._trainer.stages) - 1)}
        values["data"] = self._copied(training_set, stage, folder)
        seconds[stage] = self._carry_out(stage, values, folder, seconds)
        self._check_output(out, stage, mix.generated, training_set)
        return seconds, out

    def _copied(self, training_set: Path, stage: str, folder: Path) -> Path | None:
        """Return a copy for a stage: what a trainer does to its data changes no record."""
        if not self._trainer.reads(stage):
            return None
        copy = folder / f"data{self._data.suffix}"
        shutil.copyfile(training_set, copy)
        return copy.resolve()

    def _carry_out(
        self, stage: str, values: Mapping[str, object], place: Path, before: Mapping[str, float]
    ) -> float:
        """Return the seconds that a stage took; they are recorded whether it fails or not."""
        start = time.monotonic()
        limits = TimeLimits(self._values.timeout, self._seconds_left())

        def tick(taken: float) -> None:
            whole = sum(self._last_seconds().values())
            part = min((sum(before.values()) + taken) / whole, 0.99) if whole else 0.0
            self._progress("rounds", self.state.done + part, self._values.rounds)

        tick(0.0)
        try:
            self._trainer.run(stage, values, place=place, limits=limits, tick=tick)
        finally:
            taken = time.monotonic() - start
            self.state = replace(self.state, spent=self.state.spent + taken)
            self._kept.write_state(self.state)
        return taken

    def _seed(self, stage: int) -> int:
        """Return the seed of a stage, which a resumed round has again."""
        sequence = np.random.SeedSequence(self._values.seed, spawn_key=(self._number, stage))
        # Some libraries take seeds of 31 bits only.
        return int(sequence.generate_state(1)[0]) >> 1

    def _check_output(self, out: Path, stage: str, wanted: int, training_set: Path) -> None:
        what = f"{stage}, round {self._number}"
        if not out.is_file():
            kind = "is no file" if out.exists() else "was not written"
            raise DataError(f"{what}: {out} {kind}, though the command ended well")
        size = out.stat().st_size
        if not size:
            raise DataError(f"{what}: {out} is empty, {wanted:,} {self._data.unit} were wanted")
        bytes_an_item = training_set.stat().st_size / self.state.rounds[-1].items
        largest = _LARGEST_EXTRA + int(_MOST_TIMES_LONGER * bytes_an_item * wanted)
        if size > largest:
            got = f"holds {size:,} bytes for {wanted:,} {self._data.unit}"
            raise DataError(f"{what}: {out} {got}, more than the {largest:,} that are read")

    def _made(
        self, training_set: Path, written: Path | None, mix: Mix[Any]
    ) -> tuple[Path, LoopRound]:
        """Return the training set that is made of what was written, and what is known of it."""
        data, number = self._data, self._number
        rng = np.random.default_rng(
            np.random.SeedSequence(self._values.seed, spawn_key=(number, 1 << 16))
        )
        made = self._kept.attempt("made") / f"made{data.suffix}"
        cut = 0
        if written is not None:
            cut = data.take(written, made, wanted=mix.generated).cut
        else:
            data.take_none(made)
        real = []
        if mix.reserve is not None:
            file = regime_file(self._values, self._located.folder)
            real.append(data.stored(file, mix.reserve))
        if mix.fresh:
            real.append(data.draw(mix.fresh, rng))
        if real:
            data.mix(made, real, rng)
        if mix.accumulate:
            both = made.with_name(f"both{data.suffix}")
            data.join([training_set, made], both)
            made = both
        counts = data.count(made)
        self._kept.write_counts(number, counts)
        held = counts_over(self._first, counts)
        return made, LoopRound(
            number,
            counts.total,
            counts.types,
            kept=float(np.count_nonzero(held) / held.size),
            new=float(1.0 - held.sum() / counts.total),
            fresh=mix.fresh,
            stored=mix.reserved,
            cut=cut,
        )

    def _commit(self, made: Path, done: LoopRound) -> None:
        """Record a round: before the last step it has not happened, after it it has."""
        kept, suffix, number = self._kept, self._data.suffix, done.round
        os.replace(made, kept.data_file(number, suffix))
        kept.keep(number, models=self._values.keep_models)
        self.state = replace(self.state, rounds=(*self.state.rounds, done))
        kept.write_state(self.state)
        kept.finish()
        if not self._values.keep_texts and number > 1:
            remove(kept.data_file(number - 1, suffix))
        self._progress("rounds", number, self._values.rounds)
        self._say_done(done)

    def _say_done(self, done: LoopRound) -> None:
        unit = self._data.unit
        seconds = done.seconds or {}
        times = ", ".join(f"{stage} {took:.3g} s" for stage, took in seconds.items())
        self._say(
            f"round {done.round} of {self._values.rounds}: {done.items:,} {unit}, "
            f"{done.kept:.1%} of the types are left" + (f" ({times})" if times else "")
        )
        left = (self._values.rounds - done.round) * sum(seconds.values())
        if left > LONG_S:
            self._say(str(Effort("the rest", seconds=left)))
        if done.cut:
            self._say(f"note: {done.cut:,} {unit} more than wanted were written, and cut")
        if done.new > _MUCH_NEW:
            self._say(
                f"note: {done.new:.1%} of the items of round {done.round} are of types that the "
                "real data do not hold; does the trainer split text differently?"
            )


def _model(folder: Path) -> Path:
    # In a folder of its own, so that its path may also be the beginning of several names.
    return (folder / "model" / "model").resolve()


def _refuse_no_model(folder: Path, stage: str, number: int) -> None:
    if not any((folder / "model").iterdir()):
        remedy = "let it write its model there, as a file or a folder"
        raise DataError(f"{stage}, round {number}: wrote nothing to {{model}}; {remedy}")
