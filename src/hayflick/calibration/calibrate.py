"""What is a trainer like, and what comes next? Recorded rounds to a resampler and a forecast."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from hayflick.calibration.calibration_result import Calibration, SufficientShare
from hayflick.calibration.curve_calibration import CurveCalibration, calibrate_curve
from hayflick.calibration.curve_fit import read_curve
from hayflick.calibration.diagnoses import diagnose, later_fit
from hayflick.calibration.fit import Fit, fit_resampler
from hayflick.calibration.goodness import goodness
from hayflick.calibration.likelihood import pairs_of
from hayflick.calibration.numbers import NumbersFit, calibrate_numbers
from hayflick.calibration.prediction import predict
from hayflick.calibration.reading import RecordedRounds, read_rounds
from hayflick.calibration.record import Record
from hayflick.calibration.simulated_rounds import RoundItems, parameters_of, simulate_kept
from hayflick.chains.resampler import Resampler
from hayflick.core import checks
from hayflick.core.effort import Effort, expect
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.progress import Progress, silent
from hayflick.core.protocols import Regime
from hayflick.core.reproducibility import stream
from hayflick.corpus.reading import read_corpus
from hayflick.corpus.table_format import TableFormat

DEFAULT_AHEAD = 5
DEFAULT_REPLICATES = 200

_CELL_S, _CELL_BYTES = 1e-7, 60.0
_CELLS_AT_ONCE = 2_000_000
_SEARCH_CELLS, _SEARCH_RUNS = 50_000, 32
_STEPS = 10


def calibrate(
    sources: Any,
    *,
    by: str | None = None,
    text: str | None = None,
    column: str | None = None,
    values: Sequence[str] | None = None,
    curve: Any = None,
    regime: str | Regime = "replace",
    tokenizer: str | None = None,
    encoding: str = "utf-8",
    normalize: str = "nfc",
    table: TableFormat | None = None,
    ahead: int = DEFAULT_AHEAD,
    keep: float | None = None,
    replicates: int = DEFAULT_REPLICATES,
    seed: int = 1,
    progress: Progress = silent,
) -> Calibration | CurveCalibration | NumbersFit:
    """Calibrate a resampler on recorded rounds of a trainer, and forecast its next rounds.

    Parameters
    ----------
    sources
        The real data, then the training set of each round in their order: texts, folders of
        texts, tables, JSON objects of symbol: count, or the same in memory. With `by`, one table
        of all rounds, the first of them the real data.
    by, text
        Columns of that table: the round, and the text that is split into tokens.
    column
        A column of labels, in place of `text`, or of the table of each round.
    values
        Columns of numbers, in place of `text` and `column`: the trainer is then that of a Gaussian,
        see `hayflick.calibrate_numbers`.
    curve
        The shares of the types that the rounds held, where no counts were kept, beside the real
        data alone: see `hayflick.calibration.curve_fit.read_curve`.
    regime
        What each round was trained on, and will be: a regime or its name in the grammar of the
        command line, such as ``"fresh:0.05"``.
    tokenizer, encoding, normalize, table
        How the inputs are read; see `hayflick.corpus.reading.read_corpus`. All rounds are split
        as the real data are.
    ahead
        Number of rounds to forecast.
    keep
        Share of the real types to keep; the answer says how much fresh data keeps it. What the
        last recorded round holds where None.
    replicates
        Simulated runs; of numbers there are 4,000.
    seed
        Of the simulation.
    progress
        Called with the progress of reading and of the simulation.

    Raises
    ------
    DataError
        If a round cannot be read, or the rounds tell too little of a trainer.
    ArgumentError
        If an argument is out of its range, or does not fit another.

    Examples
    --------
    >>> rounds = [[40, 30, 20, 6, 3, 1], [44, 30, 18, 6, 2, 0], [46, 32, 17, 5, 0, 0]]
    >>> counts = [{f"w{k}": n for k, n in enumerate(row) if n} for row in rounds]
    >>> trainer = calibrate(counts, ahead=2, replicates=20)
    >>> round(trainer.parameters["sharpening"].value, 1), len(trainer.forecast)
    (1.2, 2)
    """
    _check(ahead=ahead, keep=keep, replicates=replicates, seed=seed)
    if curve is not None:
        given = {"by": by, "text": text, "values": values, "keep": keep}
        return _calibrate_curve(
            sources,
            curve,
            regime=regime,
            refused=given,
            how={
                "column": column,
                "tokenizer": tokenizer,
                "encoding": encoding,
                "normalize": normalize,
                "table": table,
                "progress": progress,
            },
            running={"ahead": ahead, "replicates": replicates, "seed": seed, "progress": progress},
        )
    if values is not None:
        given = {"text": text, "column": column, "tokenizer": tokenizer, "keep": keep}
        for name, value in given.items():
            if value is not None:
                raise ArgumentError(
                    name, got=value, takes="nothing beside values, which are numbers"
                )
        return calibrate_numbers(
            sources,
            by=by,
            columns=values,
            regime=regime,
            ahead=ahead,
            seed=seed,
            table=table,
            encoding=encoding,
        )
    rounds = read_rounds(
        sources,
        by=by,
        text=text,
        column=column,
        regime=regime,
        tokenizer=tokenizer,
        encoding=encoding,
        normalize=normalize,
        table=table,
        progress=progress,
    )
    return calibrate_rounds(
        rounds, ahead=ahead, keep=keep, replicates=replicates, seed=seed, progress=progress
    )


def _calibrate_curve(
    sources: Any,
    curve: Any,
    *,
    regime: str | Regime,
    refused: Mapping[str, object],
    how: Mapping[str, Any],
    running: Mapping[str, Any],
) -> CurveCalibration:
    """Calibrate on a curve of shares beside the real data."""
    for name, value in refused.items():
        if value is not None:
            takes = "nothing beside a curve, which is calibrated on the real data alone"
            raise ArgumentError(name, got=value, takes=takes)
    described = regime if isinstance(regime, str) else regime.describe()
    if described != "replace":
        takes = "replace beside a curve; for other regimes record the counts of the rounds"
        raise ArgumentError("regime", got=described, takes=takes)
    inputs = list(sources) if isinstance(sources, list | tuple) else [sources]
    if len(inputs) != 1:
        takes = "the real data alone beside a curve"
        raise ArgumentError("sources", got=f"{len(inputs)} inputs", takes=takes)
    found = read_curve(curve, encoding=how["encoding"], table=how["table"])
    corpus = read_corpus(inputs[0], **how)
    corpus = replace(corpus, source=replace(corpus.source, role="corpus"))
    return calibrate_curve(corpus, found, **running)


def calibrate_rounds(
    rounds: RecordedRounds,
    *,
    ahead: int = DEFAULT_AHEAD,
    keep: float | None = None,
    replicates: int = DEFAULT_REPLICATES,
    seed: int = 1,
    progress: Progress = silent,
) -> Calibration:
    """Calibrate a resampler on rounds that were read; see `calibrate`."""
    _check(ahead=ahead, keep=keep, replicates=replicates, seed=seed)
    record = rounds.record
    expect(progress, _effort(record, ahead, replicates))
    fit = _fitted(record)
    prediction = predict(
        record,
        fit,
        ahead=ahead,
        regime=rounds.regime,
        replicates=replicates,
        seed=seed,
        progress=progress,
    )
    # As the forecast: from the later transitions alone where the first one differs.
    ahead_fit = later_fit(pairs_of(record), fit) or fit
    wanted = math.floor(100.0 * record.kept[-1]) / 100.0 if keep is None else keep
    return Calibration(
        rounds=rounds,
        fit=fit,
        prediction=prediction,
        diagnoses=diagnose(record, fit),
        classes=goodness(record, fit),
        fresh=_fresh_share(
            record, ahead_fit.resampler, wanted, ahead, seed=seed, progress=progress
        ),
        runs=replicates,
        seed=seed,
    )


def _fitted(record: Record) -> Fit:
    try:
        return fit_resampler(record)
    except ArgumentError as fault:
        # A best value beyond what any trainer has.
        raise DataError(
            f"record: no resampler fits these rounds ({fault}): are they rounds of one trainer, in "
            "their order, and is the real data in them stated?"
        ) from None


def _check(*, ahead: int, keep: float | None, replicates: int, seed: int) -> None:
    checks.whole_number("ahead", ahead, at_least=1, at_most=1000)
    checks.whole_number("replicates", replicates, at_least=20, at_most=100_000)
    checks.whole_number("seed", seed, at_least=0)
    if keep is not None:
        checks.share("keep", keep)


def _effort(record: Record, ahead: int, replicates: int) -> Effort:
    """Return what the forecasts take: three of them, and the search for fresh data."""
    types = len(record.symbols)
    cells = ahead * types * (3.0 * replicates + _STEPS * _search_runs(types))
    work = f"simulating {replicates:,} runs of {ahead:,} rounds"
    return Effort(work, seconds=cells * _CELL_S, memory=_CELL_BYTES * max(types, _CELLS_AT_ONCE))


def _search_runs(types: int) -> int:
    return max(4, min(_SEARCH_RUNS, _SEARCH_CELLS // types))


def _fresh_share(
    record: Record, resampler: Resampler, keep: float, ahead: int, *, seed: int, progress: Progress
) -> SufficientShare:
    """Find the smallest share of fresh data in every round that keeps enough on average.

    Every share is tried with the fitted parameters and the same random numbers.
    """
    size, stored = int(record.sizes[-1]), int(record.stored.sum())
    runs = _search_runs(len(record.symbols))
    parameters = parameters_of(resampler, runs)

    def kept(share: float) -> float:
        fresh = min(math.floor(share * size + 0.5), size - stored)
        generated = np.full(ahead, size - stored - fresh)
        mixing = RoundItems(generated, np.full(ahead, fresh), record.stored)
        shares = simulate_kept(
            parameters, record.counts[-1], mixing, law=record.real_law, rng=stream(seed, block=1)
        )
        return float(shares[-1].mean())

    stage = "trying shares of fresh data"
    progress(stage, 0, _STEPS + 2)
    if kept(0.0) >= keep:
        progress(stage, _STEPS + 2, _STEPS + 2)
        return SufficientShare(keep, 0.0)
    if kept(1.0) < keep:
        progress(stage, _STEPS + 2, _STEPS + 2)
        return SufficientShare(keep, None)
    low, high = 0.0, 1.0
    for step in range(_STEPS):
        progress(stage, step + 2, _STEPS + 2)
        middle = (low + high) / 2.0
        low, high = (low, middle) if kept(middle) >= keep else (middle, high)
    progress(stage, _STEPS + 2, _STEPS + 2)
    return SufficientShare(keep, high)
