"""Run the user's own trainer for some rounds, and record what is left of the real data.

A round trains a model on the training set of the round before, has it write, and makes the next
training set of that by the regime.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from hayflick.calibration.loop_record import (
    LoopFolder,
    LoopRound,
    LoopState,
    changed_settings,
    data_mark,
    open_folder,
    remove,
    same_data,
)
from hayflick.calibration.loop_result import LoopRun
from hayflick.calibration.loop_rounds import LoopRounds, Say
from hayflick.calibration.loop_settings import LocatedSettings, Settings, regime_of
from hayflick.calibration.trainer import Trainer, TrainerFunction, trainer_of
from hayflick.calibration.training_sets import TrainingData, open_data, prepare_data
from hayflick.core.checks import positive_number
from hayflick.core.errors import ArgumentError, DataError, HayflickError
from hayflick.core.progress import Progress, silent
from hayflick.core.source import Source
from hayflick.corpus.frames import input_path


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
