"""How rounds of numbers are read: a file for each round, or one table of all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from hayflick.calibration.number_record import NumberRecord, record_of_moments, refuse_few
from hayflick.chains.fit_checks import checked_source, gaussian_checks
from hayflick.core.arrays import Floats
from hayflick.core.errors import ArgumentError, DataError, listed
from hayflick.core.notes import Note
from hayflick.core.protocols import Regime
from hayflick.core.source import Source
from hayflick.corpus.frames import is_in_memory
from hayflick.corpus.numbers import NumericTable, read_number_groups, read_numbers
from hayflick.corpus.rounds import round_order
from hayflick.corpus.table_format import TableFormat
from hayflick.regimes.replace import Replace


def read_number_rounds(
    rounds: Any,
    *,
    columns: Sequence[str] | None = None,
    by: str | None = None,
    regime: Regime = Replace(),
    table: TableFormat | None = None,
    encoding: str = "utf-8",
) -> NumberRecord:
    """Return the record of rounds of numbers; see `hayflick.calibration.numbers.calibrate_numbers`.

    Raises
    ------
    ArgumentError
        If an argument does not fit another.
    DataError
        If a round cannot be read, rounds have different columns, or the record cannot be used.
    """
    names = [columns] if isinstance(columns, str) else columns
    if by is not None:
        return _of_table(rounds, names, by, regime, table, encoding)
    if not isinstance(rounds, (list, tuple)) or isinstance(rounds, (str, bytes)):
        takes = "a list: the real data, then the numbers of every round"
        remedy = "one table of all rounds takes by, the column of the round"
        raise ArgumentError("rounds", got=type(rounds).__name__, takes=takes, remedy=remedy)
    read = [_numbers(place, one, names, table, encoding) for place, one in enumerate(rounds)]
    if len({len(one.columns) for one in read}) > 1:
        raise DataError("rounds: have different columns; name those that all of them have")
    sources = tuple(
        checked_source(one, found, gaussian_checks(found.values, found.columns), encoding=encoding)
        for one, found in zip(rounds, read, strict=True)
        if not is_in_memory(one)
    )
    values = [one.values for one in read]
    return _record(values, read[0].columns if read else (), regime, sources)


def _numbers(
    place: int, one: Any, columns: Sequence[str] | None, table: TableFormat | None, encoding: str
) -> NumericTable:
    """Return the numbers of one round; arrays are taken as they are."""
    if isinstance(one, np.ndarray) and one.dtype.kind in "fiu" and one.ndim in (1, 2):
        values = one.reshape(len(one), -1).astype(np.float64)
        if not np.isfinite(values).all():
            raise DataError(f"round {place}: holds NaN or infinity; takes finite numbers")
        numbers = range(values.shape[1])
        names = tuple(columns or (["numbers"] if len(numbers) == 1 else map(str, numbers)))
        if len(names) != len(numbers):
            raise ArgumentError("columns", got=len(names), takes=f"{len(numbers)} names")
        return NumericTable(values, names, f"round {place}")
    return read_numbers(one, columns=columns, given=table, encoding=encoding)


def _of_table(
    rounds: Any,
    columns: Sequence[str] | None,
    by: str,
    regime: Regime,
    table: TableFormat | None,
    encoding: str,
) -> NumberRecord:
    one = rounds[0] if isinstance(rounds, (list, tuple)) and len(rounds) == 1 else rounds
    if isinstance(one, (list, tuple)) and any(isinstance(name, str | os.PathLike) for name in one):
        takes = "nothing beside several files, each of which is a round"
        raise ArgumentError("by", got=by, takes=takes)
    read, labels = read_number_groups(one, by=by, columns=columns, given=table, encoding=encoding)
    order = round_order(labels.unique(maintain_order=True).to_list())
    places = np.array([order.places[label] for label in labels.to_list()], dtype=np.int64)
    values = [read.values[places == number] for number in range(1, len(order.names) + 1)]
    ends = [gaussian_checks(own, read.columns) for own in values[:1] + values[-1:]]
    found = tuple({check.name + check.column: check for own in ends for check in own}.values())
    sources = (checked_source(one, read, found, encoding=encoding),)
    return _record(values, read.columns, regime, sources, order.notes)


def _record(
    values: Sequence[Floats],
    columns: tuple[str, ...],
    regime: Regime,
    sources: tuple[Source, ...],
    notes: tuple[Note, ...] = (),
) -> NumberRecord:
    refuse_few(len(values))
    small = next((place for place, own in enumerate(values) if len(own) < 2), None)
    if small is not None:
        number = len(values[small])
        raise DataError(
            f"round {small} has {number} numbers in {listed(columns)}, takes at least 2"
        )
    ends = [gaussian_checks(own, columns) for own in (*values[:1], *values[-1:])]
    checks = tuple({check.name + check.column: check for own in ends for check in own}.values())
    moments = np.array([_moments(own) for own in values]).reshape(len(values), 4, -1)
    means, variances, kurtosis, sizes = np.moveaxis(moments, 0, -1)
    return record_of_moments(
        means,
        variances,
        sizes,
        regime=regime,
        columns=columns,
        kurtosis=kurtosis,
        sources=sources,
        notes=notes,
        checks=checks,
    )


def _moments(values: Floats) -> Floats:
    """Return mean, variance, excess kurtosis and number by column, shape ``(4, columns)``."""
    mean, variance = values.mean(axis=0), values.var(axis=0, ddof=1)
    unit = np.where(variance > 0.0, np.sqrt(variance), 1.0)
    kurtosis = (((values - mean) / unit) ** 4).mean(axis=0) - 3.0
    sizes = np.full(values.shape[1], float(len(values)))
    return np.stack([mean, variance, kurtosis, sizes])
