"""Readings to hold rules against: of a recorded run, or of a table of answers."""

from __future__ import annotations

import os
from pathlib import Path

from hayflick.core.errors import DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.records import Reading
from hayflick.corpus.answer_columns import AnswerColumns
from hayflick.corpus.answers import read_answers
from hayflick.monitor.watching.watch import watch


def readings_of_run(path: str | os.PathLike[str]) -> tuple[Reading, ...]:
    """Return the readings of the first run in a file of ``hayflick simulate``.

    Raises
    ------
    DataError
        If it cannot be read, or holds no runs.
    """
    import xarray

    try:
        with xarray.open_dataset(path, engine="h5netcdf") as opened:
            runs = opened.isel(replicate=0).load()
    except (OSError, ValueError, KeyError) as fault:
        raise DataError(f"{path}: is no file of hayflick simulate --out ({fault})") from None
    series = {name: runs[name].values for name in runs if runs[name].dims == ("generation",)}
    if not series:
        raise DataError(f"{path}: holds no numbers by generation")
    return tuple(
        Reading(k, {str(name): float(values[k]) for name, values in series.items()})
        for k in range(1, runs.sizes["generation"])
    )


def readings_of_answers(
    path: str | os.PathLike[str],
    *,
    by: str,
    text: str | None,
    baseline: int = 10,
    progress: Progress = silent,
) -> tuple[Reading, ...]:
    """Return the readings of a table of answers, all answers together.

    Parameters
    ----------
    path
        The table.
    by, text
        Its columns of the round and of the answers.
    baseline
        Rounds at the beginning that are taken for healthy.
    progress
        Told how far reading and measuring have come.

    Raises
    ------
    DataError, ArgumentError
        If the answers cannot be used.
    """
    columns = AnswerColumns(by=by, text=text)
    answers = read_answers(Path(path), columns=columns, progress=progress)
    watched = watch(answers, baseline=baseline, charts=(), progress=progress)
    return watched.readings[""]
