"""A resampler from less than recorded counts: the share of the types that each round kept.

A curve of shares tells the sharpening and the trainer's noise apart badly: both lose types. What
is typical of trained models is therefore taken in as a weak prior, and the errors show what the
curve left open.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri

from hayflick.calibration.prediction import TYPICAL_ERROR, interval
from hayflick.calibration.simulated_rounds import RoundItems, parameters_of, simulate_kept
from hayflick.chains.resampler import PARAMETERS, Resampler
from hayflick.core.arrays import Floats, Integers
from hayflick.core.documents import read_json
from hayflick.core.errors import ArgumentError, DataError
from hayflick.core.reproducibility import stream
from hayflick.core.source import Source
from hayflick.corpus.compression import content_suffix
from hayflick.corpus.frames import Table, as_table, holds_counts, input_path, is_in_memory
from hayflick.corpus.numbers import parse_numbers
from hayflick.corpus.reading import source_of
from hayflick.corpus.table_format import TableFormat
from hayflick.corpus.table_kinds import OpenTable
from hayflick.corpus.tables import TABLE_SUFFIXES, is_table, open_table

_SHARES = ("share", "retention", "kept")
_WHAT = "the rounds of a curve: objects with round and share"


@dataclass(frozen=True, eq=False)
class Curve:
    """The shares of rounds 1, 2, and so on.

    Parameters
    ----------
    shares
        Share of the real types in each, shape ``(rounds,)``.
    sizes
        Items of each; None where they are not stated.
    source
        What was read.
    """

    shares: Floats
    sizes: tuple[int, ...] | None
    source: Source


def read_curve(curve: Any, *, encoding: str = "utf-8", table: TableFormat | None = None) -> Curve:
    """Return a curve of shares by round.

    Parameters
    ----------
    curve
        A table with the columns ``round`` and ``share`` (or ``retention``, ``kept``), and
        ``items`` if rounds differ in size; the same as JSON; or in memory: shares from round 1
        on, shares by round, or a frame. Round 0, the real data, may be left out.
    encoding, table
        See `hayflick.corpus.tables.open_table`.

    Raises
    ------
    ArgumentError
        If it is something else.
    DataError
        If it cannot be read, a share is no number from 0 to 1, or a round is missing.

    Examples
    --------
    >>> read_curve([0.9, 0.8, 0.72]).shares.tolist()
    [0.9, 0.8, 0.72]
    """
    name = "curve"
    if isinstance(curve, str | os.PathLike):
        path = input_path(curve)
        name = str(path)
        if content_suffix(path) == ".json":
            found = _cells(read_json(path, what=_WHAT), name)
            return _curve(found, name, Source.of(path, role="curve"))
        if not is_table(path):
            kinds = ", ".join((".json", *TABLE_SUFFIXES))
            raise DataError(f"{path}: is no table; a curve takes {kinds}")
        given: Table = path
    elif is_in_memory(curve) or isinstance(curve, Sequence):
        return _curve(_cells(curve, name), name, Source("curve in memory", role="curve"))
    else:
        takes = "a table with the columns round and share, or shares from round 1 on"
        raise ArgumentError("curve", got=curve, takes=takes)
    with open_table(given, given=table, encoding=encoding) as opened:
        columns = _columns(opened, table)
        notes = opened.notes
    rows = len(columns["share"])
    source = source_of(given, role="curve", encoding=encoding, rows=rows, notes=notes)
    return _curve(columns, name, source)


def _cells(found: Any, name: str) -> dict[str, list[float]]:
    """Return the columns of a curve that is in memory."""
    if isinstance(found, dict) and not holds_counts(found):
        found = {key: value for key, value in found.items() if not isinstance(value, int | float)}
    if holds_counts(found):
        if not found:
            raise DataError(f"{name}: holds no round")
        return {
            "round": [_number(key, name, "round") for key in found],
            "share": [_number(value, name, "share") for value in found.values()],
        }
    if isinstance(found, list | tuple | np.ndarray) and all(np.isscalar(one) for one in found):
        shares = [_number(one, name, "share") for one in found]
        first = 0 if shares and shares[0] == 1.0 else 1
        return {"round": [float(first + k) for k in range(len(shares))], "share": shares}
    try:
        frame = as_table(found)
    except (ArgumentError, TypeError):
        raise DataError(f"{name}: takes {_WHAT}") from None
    try:
        with open_table(frame) as opened:
            return _columns(opened, None)
    except DataError as fault:
        raise DataError(f"{name}: {str(fault).removeprefix('the table: ')}") from None


def _columns(opened: OpenTable, table: TableFormat | None) -> dict[str, list[float]]:
    named = next((name for name in _SHARES if name in opened.columns), _SHARES[0])
    wanted = {"round": "round", "share": named}
    if "items" in opened.columns:
        wanted["items"] = "items"
    found = {}
    for role, name in wanted.items():
        cells = opened.labels(opened.choose(name)).collect()["text"]
        decimal = None if table is None else table.decimal
        parsed = parse_numbers(cells, decimal=decimal, semicolons=opened.semicolons)
        if parsed.wrong is not None or parsed.missing:
            row = parsed.wrong[0] if parsed.wrong else int(parsed.numbers.is_null().arg_true()[0])
            held = repr(parsed.wrong[1]) if parsed.wrong else "nothing"
            line = opened.lines_of([row])[0]
            raise DataError(
                f"{opened.path}: line {line}, column {name!r}: holds {held}, takes a number"
            )
        found[role] = parsed.numbers.to_list()
    return found


def _number(value: Any, name: str, what: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise DataError(f"{name}: {what}: got {value!r}, takes a number") from None


def _curve(columns: Mapping[str, Sequence[float]], name: str, source: Source) -> Curve:
    """Return columns as a curve without gaps."""
    rounds = np.array(columns["round"], dtype=np.float64)
    shares = np.array(columns["share"], dtype=np.float64)
    wrong = ~((shares >= 0.0) & (shares <= 1.0))
    if wrong.any():
        got = shares[wrong][0]
        raise DataError(f"{name}: share: got {got:g}, takes a number from 0 to 1, such as 0.85")
    order = np.argsort(rounds, kind="stable")
    kept = order[rounds[order] != 0.0]
    if not np.array_equal(rounds[kept], np.arange(1.0, kept.size + 1.0)):
        listed = ", ".join(f"{one:g}" for one in rounds[kept][:10])
        takes = "takes 1, 2, 3 and so on, each once (0 is the real data)"
        raise DataError(f"{name}: round: got {listed or 'none'}, {takes}")
    if kept.size < POINTS_NEEDED:
        raise DataError(
            f"{name}: the shares of {kept.size} rounds give no reading; takes those of at least "
            f"{POINTS_NEEDED}, or the counts of two rounds"
        )
    sizes = None
    if "items" in columns:
        items = np.array(columns["items"], dtype=np.float64)[kept]
        if not ((items >= 1.0) & (items < 2.0**53) & (items == np.floor(items))).all():
            raise DataError(f"{name}: items: takes whole numbers from 1")
        sizes = tuple(items.astype(np.int64).tolist())
    return Curve(shares[kept], sizes, source)


POINTS_NEEDED = 3
# Means and deviations of b and s over recorded runs of small language models; u is about .25.
_TYPICAL, _SPREAD = np.array([1.0, 3.0]), np.array([0.1, 1.0])
_TYPICAL_POWER = 0.25
_MODEL_ERROR = 0.005
_STEPS = np.array([0.02, 0.3])
_LOWEST, _HIGHEST = np.array([0.3, -4.0]), np.array([3.0, 12.0])
_CELLS, _FEWEST, _MOST = 400_000, 4, 32


@dataclass(frozen=True, eq=False)
class CurveFit:
    """A resampler that was fitted to a curve of shares.

    Parameters
    ----------
    resampler
        The resampler with the covariance of its errors.
    fixed
        Parameters that a curve says nothing of.
    recorded
        The recorded shares, shape ``(rounds,)``.
    shares
        What the resampler expects in their place.
    deviation
        Root of the mean squared difference from the recorded shares.
    """

    resampler: Resampler
    fixed: tuple[str, ...]
    recorded: Floats
    shares: Floats
    deviation: float


def fit_curve(
    real: Integers, sizes: Sequence[int], shares: Sequence[float], *, seed: int = 0
) -> CurveFit:
    """Return the resampler whose rounds keep the recorded shares of the types.

    The sharpening and one dispersion are fitted; nothing lost comes back, and no real data is
    added.

    Parameters
    ----------
    real
        Counts of the real data, shape ``(types,)``.
    sizes
        Items of each round after the real data.
    shares
        Share of the real types that each of them holds.
    seed
        Seed of the simulation that the shares are held against.

    Raises
    ------
    DataError
        If there are fewer than three rounds, or the shares are none.

    Examples
    --------
    >>> real = np.repeat([1, 2, 5, 20, 100], [200, 100, 50, 20, 5])
    >>> found = fit_curve(real, [1550] * 4, [0.70, 0.55, 0.46, 0.39])
    >>> found.fixed, bool(0.9 < found.resampler.sharpening < 1.1)
    (('size_power', 'return_weight'), True)
    """
    from scipy.optimize import least_squares

    recorded = np.asarray(shares, dtype=np.float64)
    _check(real, sizes, recorded)
    counts = np.asarray(real)[np.asarray(real) > 0].astype(np.int64)
    generated = np.asarray(sizes, dtype=np.int64)
    mixing = RoundItems(generated, np.zeros_like(generated), np.zeros_like(counts))
    replicates = int(np.clip(_CELLS // counts.size, _FEWEST, _MOST))
    law = counts / counts.sum()
    error = np.sqrt(recorded * (1.0 - recorded) / counts.size + _MODEL_ERROR**2)

    def expected(values: Floats) -> Floats:
        parameters = parameters_of(_resampler(values), replicates)
        rng = stream(seed, block=0)
        kept: Floats = simulate_kept(parameters, counts, mixing, law=law, rng=rng).mean(axis=1)
        return kept

    def residuals(values: Floats) -> Floats:
        off = (expected(values) - recorded) / error
        return np.concatenate([off, (values - _TYPICAL) / _SPREAD])

    def slopes(values: Floats) -> Floats:
        # Steps beyond the scatter of the simulation.
        moves = np.diag(_STEPS)
        columns = [(residuals(values + one) - residuals(values - one)) for one in moves]
        return np.stack(columns, axis=1) / (2.0 * _STEPS)

    margin = 1.5 * _STEPS
    bounds = _LOWEST + margin, _HIGHEST - margin
    found = least_squares(residuals, _TYPICAL, jac=slopes, bounds=bounds, xtol=1e-3, max_nfev=25)
    kept = expected(found.x)
    # Residuals beyond the stated error widen the errors.
    scale = max(1.0, float(np.mean(((kept - recorded) / error) ** 2)))
    covariance = np.zeros((len(PARAMETERS),) * 2)
    covariance[:2, :2] = scale * np.linalg.inv(found.jac.T @ found.jac)
    return CurveFit(
        resampler=_resampler(found.x, tuple(map(tuple, covariance.tolist()))),
        fixed=("size_power", "return_weight"),
        recorded=recorded,
        shares=kept,
        deviation=math.sqrt(float(np.mean((kept - recorded) ** 2))),
    )


@dataclass(frozen=True, eq=False)
class CurvePrediction:
    """Shares of the real types in the rounds after a curve.

    Parameters
    ----------
    rounds
        Their numbers, counted from the real data (0), shape ``(rounds,)``.
    share
        Expected share in each.
    low, high
        Ends of the 90 % interval.
    """

    rounds: Integers
    share: Floats
    low: Floats
    high: Floats


def predict_curve(
    real: Integers,
    sizes: Sequence[int],
    fit: CurveFit,
    *,
    ahead: int = 5,
    replicates: int = 200,
    seed: int = 0,
) -> CurvePrediction:
    """Return the forecast of the rounds after a curve, each as large as the last one.

    Parameters
    ----------
    real, sizes
        Those of the fit.
    fit
        What `fit_curve` returned.
    ahead
        Number of rounds.
    replicates
        Simulated runs.
    seed
        Seed of the simulation.
    """
    counts = np.asarray(real)[np.asarray(real) > 0].astype(np.int64)
    generated = np.array([*sizes, *[sizes[-1]] * ahead], dtype=np.int64)
    mixing = RoundItems(generated, np.zeros_like(generated), np.zeros_like(counts))
    drawn = fit.resampler.draw_parameters(stream(seed, block=1), replicates)
    law = counts / counts.sum()
    kept = simulate_kept(drawn, counts, mixing, law=law, rng=stream(seed, block=0))
    known = len(sizes)
    # Only runs near the recorded curve tell of its next rounds: they start where it ended.
    moved = kept[known:] * (fit.recorded[-1] / np.maximum(kept[known - 1], 1e-12))
    model = TYPICAL_ERROR * np.sqrt(moved.mean(axis=1) * np.arange(1.0, ahead + 1.0))
    share = moved.mean(axis=1)
    reach = float(ndtri(0.95)) * np.sqrt(moved.var(axis=1, ddof=1) + model**2)
    low, high = interval(share, reach, highest=float(fit.recorded[-1]))
    return CurvePrediction(np.arange(known + 1, known + 1 + ahead), share, low, high)


def _resampler(
    values: Floats, covariance: tuple[tuple[float, ...], ...] | None = None
) -> Resampler:
    return Resampler(
        sharpening=float(values[0]),
        log_size=float(values[1]),
        size_power=_TYPICAL_POWER,
        covariance=covariance,
    )


def _check(real: Integers, sizes: Sequence[int], shares: Floats) -> None:
    if len(sizes) != shares.size:
        raise DataError(f"curve: {len(sizes)} sizes of rounds, but {shares.size} shares")
    if shares.size < POINTS_NEEDED:
        raise DataError(
            f"curve: the shares of {shares.size} rounds give no reading: at least "
            f"{POINTS_NEEDED} rounds are needed, or the counts of two transitions"
        )
    if not (np.isfinite(shares).all() and (shares >= 0.0).all() and (shares <= 1.0).all()):
        raise DataError("curve: a share of the types is a number from 0 to 1")
    if min(sizes) < 1:
        raise DataError("curve: a round holds at least one item")
    if np.count_nonzero(real) < 2:
        raise DataError("curve: the counts of at least two types of the real data are needed")
