"""Run the user's own trainer for some rounds, and record what is left of the real data.

A round trains a model on the training set of the round before, has it write, and makes the next
training set of that by the regime.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from hayflick.calibration.loop_record import (
    LoopFolder,
    LoopRound,
    LoopState,
    changed_settings,
    counts_over,
    data_mark,
    open_folder,
    remove,
    same_data,
)
from hayflick.calibration.loop_result import LoopRun
from hayflick.calibration.loop_settings import (
    LocatedSettings,
    LoopSettings,
    Settings,
    regime_file,
    regime_of,
)
from hayflick.calibration.processes import HoursUsed, TimeLimits
from hayflick.calibration.trainer import Trainer, TrainerFunction, trainer_of
from hayflick.calibration.training_sets import TrainingData, open_data, prepare_data
from hayflick.core.checks import positive_number
from hayflick.core.effort import LONG_S, Effort
from hayflick.core.errors import ArgumentError, DataError, HayflickError
from hayflick.core.notes import Note
from hayflick.core.progress import Progress, silent
from hayflick.core.records import Mix
from hayflick.core.source import Source
from hayflick.corpus.frames import input_path

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


def quiet(message: str) -> None:
    """Print nothing."""


def loop(
    settings: Settings,
    *,
    trainer: TrainerFunction | None = None,
    out: str | os.PathLike[str] | None = None,
    folder: str | os.PathLike[str] | None = None,
    hours: float | None = None,
    say: Say = quiet,
    progress: Progress = silent,
) -> LoopRun:
    """Run a trainer until all rounds are recorded, or go on where an earlier call has stopped.

    Then a resampler is calibrated on them, as by `hayflick.calibrate`, and written into the folder
    as ``calibration.json``, unless the settings say ``calibrate = false``.

    Parameters
    ----------
    settings
        A TOML file such as ``trainer.toml``, its values by key, or settings.
    trainer
        A function of (data_path, n, out_path, seed) that learns from the data and writes n items,
        in place of the commands of the settings.
    out
        Folder of the run, made if it is missing. The default is beside the file of the settings,
        with ``-run`` behind its name.
    folder
        Where files that the settings name are looked up and commands run; None for the folder of
        their file, or the present one.
    hours
        Hours that the trainer may take in all, in place of those of the settings.
    say
        Called with every message for the user.
    progress
        Called with the rounds that are done, in parts of a round.

    Raises
    ------
    ArgumentError
        If a setting is not understood, or has changed since the run began.
    DataError
        If the data cannot be read, or what the trainer has written cannot be used.
    OutputError
        If the folder cannot be written, or holds something else.
    TrainerError
        If the trainer fails or takes longer than its timeout. The next call goes on.

    Examples
    --------
    >>> import random, tempfile
    >>> def bigrams(data_path, n, out_path, seed):
    ...     words = Path(data_path).read_text().split()
    ...     drawn = random.Random(seed).choices(words, k=n)
    ...     _ = Path(out_path).write_text(" ".join(drawn))
    >>> with tempfile.TemporaryDirectory() as place:
    ...     real = Path(place, "real.txt")
    ...     _ = real.write_text("so it is and so it was " * 20)
    ...     run = loop({"data": str(real), "rounds": 2}, trainer=bigrams, out=f"{place}/run")
    >>> [one.items for one in run.rounds], run.finished
    ([140, 140, 140], True)
    """
    return _run(settings, trainer, out, folder, hours, say, progress, most=None)


def step_loop(
    settings: Settings,
    *,
    trainer: TrainerFunction | None = None,
    out: str | os.PathLike[str] | None = None,
    folder: str | os.PathLike[str] | None = None,
    hours: float | None = None,
    say: Say = quiet,
    progress: Progress = silent,
) -> LoopRun:
    """Record the next round of a loop, and return; for schedulers.

    Parameters and errors are those of `loop`. Where all rounds are done, they are calibrated.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> def repeat(data_path, n, out_path, seed):
    ...     words = Path(data_path).read_text().split()
    ...     Path(out_path).write_text(" ".join((words * 2)[1 : n + 1]))
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "real.txt").write_text("the cat sat on the mat " * 20)
    >>> settings = {"data": "real.txt", "rounds": 3, "calibrate": False}
    >>> run = step_loop(settings, trainer=repeat, out=folder / "run", folder=folder)
    >>> len(run.rounds), run.finished
    (2, False)
    """
    return _run(settings, trainer, out, folder, hours, say, progress, most=1)


def _run(
    settings: Settings,
    function: TrainerFunction | None,
    out: str | os.PathLike[str] | None,
    folder: str | os.PathLike[str] | None,
    hours: float | None,
    say: Say,
    progress: Progress,
    *,
    most: int | None,
) -> LoopRun:
    located = LocatedSettings.of(settings, folder=folder)
    if hours is not None:
        changed = located.values.model_copy(update={"hours": positive_number("hours", hours)})
        located = replace(located, values=changed)
    trainer = trainer_of(located, function)
    data = input_path(located.folder / located.values.data)
    if not data.exists():
        raise DataError(f"{data}: no such file; {located.name} names it as data")
    with open_folder(located.run_folder(out)) as kept:
        rounds = _begun(located, data, kept, trainer, say, progress)
        last = located.values.rounds if most is None else rounds.state.done + most
        stopped = None
        while stopped is None and rounds.state.done < min(last, located.values.rounds):
            stopped = rounds.step()
        run = LoopRun.read(kept.path, stopped=stopped)
        if run.finished and run.settings.calibrate:
            return _calibrated(run, located, progress)
        return run


def _calibrated(run: LoopRun, located: LocatedSettings, progress: Progress) -> LoopRun:
    """Return a run with its calibration, which is written beside its rounds."""
    # Loaded once all rounds are there.
    from hayflick.calibration.calibrate import calibrate_rounds
    from hayflick.calibration.reading import read_rounds

    folder = LoopFolder(run.folder)
    files = [folder.counts_file(one.round) for one in run.rounds]
    try:
        regime = regime_of(run.settings, run.source, located.folder)
        read = read_rounds(files, regime=regime, progress=progress)
        found = calibrate_rounds(read, seed=run.settings.seed, progress=progress)
    except HayflickError as fault:
        remove(folder.calibration)
        remove(folder.calibration.with_suffix(".html"))
        return replace(run, uncalibrated=str(fault))
    # The counts tell neither the name of the real data nor how they were split.
    first, *others = found.rounds.sources
    named = replace(run.source, notes=(*run.source.notes, *first.notes))
    rounds = replace(found.rounds, sources=(named, *others))
    found = replace(found, rounds=rounds)
    found.save(folder.calibration, force=True)
    return replace(run, calibrated=found)


def _begun(
    located: LocatedSettings,
    path: Path,
    kept: LoopFolder,
    trainer: Trainer,
    say: Say,
    progress: Progress,
) -> LoopRounds:
    """Return the rounds of a loop that begins, or goes on."""
    state = kept.state()
    lost = kept.clean(-1 if state is None else state.done)
    data: TrainingData
    if state is None:
        if not trainer.seeded:
            say("note: no command has {seed}: a round that is done again will differ")
        state, data = _first_round(located, path, kept, progress)
    else:
        _refuse_changes(located, path, state, kept)
        copy = kept.data_file(0, _suffix(state.sources[0]))
        data = open_data(copy, state.sources[0])
        spent = state.spent + lost
        state = replace(state, settings=located.values, folder=str(located.folder), spent=spent)
        kept.write_state(state)
    return LoopRounds(located, kept, trainer, state, data, say, progress)


def _suffix(source: Source) -> str:
    return ".txt" if source.column is None else ".csv"


def _first_round(
    located: LocatedSettings, path: Path, kept: LoopFolder, progress: Progress
) -> tuple[LoopState, TrainingData]:
    """Record the real data, which are round 0."""
    values = located.values
    data = prepare_data(
        path,
        kept.attempt("real"),
        column=values.column,
        tokenizer=values.tokenizer,
        encoding=values.encoding,
        progress=progress,
    )
    counts = data.count(data.path)
    regime = regime_of(values, data.source, located.folder)
    for number in range(1, values.rounds + 1):
        # A reserve that is too large, say, is refused before any work.
        regime.mix(number, samples=values.samples or counts.total)
    mark = data_mark(path, copy=data.path, source=data.source)
    source = replace(data.source, sha256=mark["sha256"])
    copy = kept.data_file(0, data.suffix)
    os.replace(data.path, copy)
    kept.write_counts(0, counts)
    first = LoopRound(0, counts.total, counts.types, seconds={})
    sources = (source, *getattr(regime, "sources", ()))
    state = LoopState(values, str(located.folder), sources, mark, (first,))
    kept.write_state(state)
    return state, data.at(copy)


def _refuse_changes(
    located: LocatedSettings, path: Path, state: LoopState, kept: LoopFolder
) -> None:
    changed = changed_settings(state.settings, located.values)
    if changed:
        shown = "; ".join(
            f"{key} was {old!r} and is {new!r}" for key, (old, new) in changed.items()
        )
        takes = f"what the run in {kept.path} began with"
        remedy = "set it back, or name another folder with --out"
        raise ArgumentError(located.name, got=shown, takes=takes, remedy=remedy)
    if not same_data(path, state.data):
        began = f"is not what the run in {kept.path} began with"
        raise DataError(f"{path}: {began}; restore it, or name another folder with --out")
