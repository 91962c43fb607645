"""Fits of planted trainers, coverage of their forecasts, and a recorded language model.

    python benchmarks calibration

Records are drawn with plain numpy by the code of the tests: 50,000 items a round over some 4,000
types of a Zipf-like law. The recorded rounds are research data and no part of the project:
`shared/data/rounds-t1` beside its folder.

What is typical of the model's error, and that the first transition is left out where it differs,
was chosen on the recorded rounds here and on some fifteen other runs, so this record is no test of
those choices; `trainers` has runs that were made afterwards.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from planted_records import real_counts, record_of

from hayflick.calibration.diagnoses import diagnose, find_drift
from hayflick.calibration.fit import Fit, fit_resampler
from hayflick.calibration.likelihood import pairs_of
from hayflick.calibration.prediction import Prediction, predict
from hayflick.calibration.record import Record
from hayflick.chains.resampler import Resampler
from pairs import Result

ROUNDS = Path(__file__).parents[2] / "shared" / "data" / "rounds-t1"
RUNS, TYPES, ITEMS, AHEAD = 100, 4000, 50_000, 5
FIRST_SEED, DRIFT_SEED = 30_000, 40_000
NOISE = {"log_size": 1.3, "size_power": 0.45}


def results() -> Iterator[Result]:
    yield from _recorded()
    yield from _recovered("the ideal chain", Resampler(), parameters=("sharpening",))
    both = ("sharpening", "return_weight")
    for sharpening in (1.1, 0.95):
        trainer = Resampler(sharpening, **NOISE, return_weight=0.05)
        yield from _recovered(f"planted b = {sharpening}", trainer, parameters=both)
    yield from _coverage()
    yield from _drift()
    yield _first()
    yield _time()


def _recorded() -> Iterator[Result]:
    if not ROUNDS.is_dir():
        print(f"left out, for {ROUNDS} is not there", flush=True)
        return
    rounds = [Counter((ROUNDS / f"round{k}.txt").read_text().split()) for k in range(9)]
    symbols = tuple(rounds[0])
    counts = np.array([[one[symbol] for symbol in symbols] for one in rounds])
    none = np.zeros(8, np.int64), np.zeros(len(symbols), np.int64)
    record = Record(symbols, counts, *none)
    for seen, target in ((4, 0.035), (3, 0.06)):
        known, kept = record.first(seen), record.kept[seen:]
        found = predict(known, fit_resampler(known), ahead=len(kept))
        error = float(np.abs(found.share - kept).max())
        inside = int(_inside(found, kept).sum())
        curves = (
            f"{one.name} {np.abs(one.share - kept).max():.3f}"
            for one in found.naive
            if one.share is not None
        )
        yield Result(
            name=f"recorded language model, rounds 0 to {seen - 1}: largest error up to round 8",
            ours=f"`hayflick calibrate`; {inside} of {len(kept)} shares within the interval, "
            f"mean half-width {_half_width(found):.3f}",
            alternative=", ".join(curves),
            figure=f"{error:.4f}",
            target=f"≤ {target}" + (", all within" if seen == 4 else ""),
            met=error <= target and (inside == len(kept) or seen == 3),
        )


def _recovered(name: str, trainer: Resampler, *, parameters: tuple[str, ...]) -> Iterator[Result]:
    fits = [fit_resampler(record_of(trainer, seed=seed, real=_real(seed))) for seed in range(RUNS)]
    for parameter in parameters:
        planted = getattr(trainer, parameter)
        right = sum(_within_two(fit, parameter, planted) for fit in fits)
        yield _count(f"{name}: {parameter} within two standard errors", right, least=90)
    true = trainer.effective_share(10.0)
    shares = np.array([fit.resampler.effective_share(10.0) for fit in fits])
    right = int((np.abs(shares / true - 1.0) <= 0.05).sum())
    yield _count(f"{name}: n_e/n at ten occurrences ({true:.3f}) within 5 %", right, least=90)


def _within_two(fit: Fit, parameter: str, planted: float) -> bool:
    error = fit.standard_error(parameter)
    return error is not None and abs(getattr(fit.resampler, parameter) - planted) <= 2.0 * error


def _count(name: str, right: int, *, least: int) -> Result:
    return Result(
        name, "`fit_resampler`", "", f"{right} of {RUNS} runs", f"≥ {least}", right >= least
    )


@dataclass(frozen=True)
class Campaign:
    """Forecasts of simulated trainers, and what really came.

    Parameters
    ----------
    inside
        Whether each interval five rounds ahead holds what came.
    half_widths, errors
        Of the same forecasts.
    found
        Names of the diagnoses of each record.
    """

    inside: list[bool]
    half_widths: list[float]
    errors: list[float]
    found: list[set[str]]


def _trainer(seed: int) -> Resampler:
    """Draw a trainer: b from .95 to 1.1, n_e/n at one occurrence from .69 to .95."""
    rng = np.random.default_rng([seed, 7])
    return Resampler(
        rng.uniform(0.95, 1.1),
        rng.uniform(0.8, 3.0),
        rng.uniform(0.1, 0.7),
        float(rng.choice([0.0, 0.01, 0.05])),
    )


@cache
def _campaign(drift: float, seen: int) -> Campaign:
    campaign = Campaign([], [], [], [])
    # Seeds that no choice was made on.
    for seed in range(FIRST_SEED, FIRST_SEED + 2 * RUNS):
        record = record_of(
            _trainer(seed), rounds=seen + AHEAD, seed=seed, real=_real(seed), drift=drift
        )
        known, came = record.first(seen), record.kept[-1]
        fit = fit_resampler(known)
        found = predict(known, fit, ahead=AHEAD, replicates=100, seed=seed)
        campaign.inside.append(bool(found.low[-1] <= came <= found.high[-1]))
        campaign.half_widths.append(float(found.high[-1] - found.low[-1]) / 2.0)
        campaign.errors.append(abs(float(found.share[-1]) - came))
        campaign.found.append({one.name for one in diagnose(known, fit) if one.found})
    return campaign


def _coverage() -> Iterator[Result]:
    for drift, seen, target in ((0.0, 4, 0.85), (0.01, 4, None), (0.01, 5, None)):
        campaign = _campaign(drift, seen)
        share = float(np.mean(campaign.inside))
        moving = f" whose b drifts by {drift} a transition" if drift else ""
        yield Result(
            name=f"{2 * RUNS} trainers drawn at random{moving}, {seen} rounds: 90 % intervals "
            "five rounds ahead",
            ours=f"mean half-width {np.mean(campaign.half_widths):.3f}, "
            f"mean error {np.mean(campaign.errors):.4f}",
            alternative="",
            figure=f"{share:.1%} hold what came",
            target="reported" if target is None else f"≥ {target:.0%}",
            met=target is None or share >= target,
        )


def _drift() -> Iterator[Result]:
    # More runs than elsewhere: at four rounds the power is close to the target.
    runs = 6 * RUNS
    for drift, seen in ((0.01, 4), (0.01, 5), (0.0, 4), (0.0, 5)):
        share = sum(_drifts(seed, drift, seen) for seed in range(DRIFT_SEED, DRIFT_SEED + runs))
        share /= runs
        yield Result(
            name=f"drift found, {drift} a transition, {seen} rounds",
            ours="`diagnose`",
            alternative="",
            figure=f"{share:.1%} of {runs} runs",
            target="≥ 80%" if drift else "≤ 8%",
            met=share >= 0.8 if drift else share <= 0.08,
        )
    names = ("fit", "first transition", "memory", "unexplained loss")
    steady = _campaign(0.0, 4).found
    shares = {name: float(np.mean([name in found for found in steady])) for name in names}
    yield Result(
        name="other diagnoses found where the chain is right, each called at 1 %",
        ours="`diagnose`",
        alternative="",
        figure=", ".join(f"{name} {share:.1%}" for name, share in shares.items()),
        target="≤ 4%",
        met=max(shares.values()) <= 0.04,
    )


def _drifts(seed: int, drift: float, seen: int) -> bool:
    record = record_of(_trainer(seed), rounds=seen, seed=seed, real=_real(seed), drift=drift)
    found = find_drift(pairs_of(record), fit_resampler(record))
    return found is not None and found.found


def _first() -> Result:
    """Plant a step from real text that differs as on the recorded language model."""
    first = Resampler(1.016, 0.75, 0.42, 0.01)
    later = Resampler(1.016, 2.1, 0.42, 0.01)
    found = 0
    for seed in range(RUNS):
        record = record_of(later, first=first, seed=seed, real=_real(seed))
        diagnoses = diagnose(record, fit_resampler(record))
        found += any(one.name == "first transition" and one.found for one in diagnoses)
    return _count("first transition found where its size is e^0.75, later e^2.1", found, least=90)


def _time() -> Result:
    """Fit and time four rounds of a million items over 50,000 types."""
    trainer = Resampler(1.05, **NOISE, return_weight=0.05)
    record = record_of(trainer, real=real_counts(55_000, 1_000_000))
    mixed = record_of(trainer, real=real_counts(55_000, 1_000_000), fresh=100_000)
    seconds = []
    for one in (record, mixed):
        start = time.process_time()
        fit_resampler(one)
        seconds.append(time.process_time() - start)
    return Result(
        name=f"fit of {len(record.symbols):,} types, four rounds of 1,000,000 items",
        ours=f"`fit_resampler`; a tenth fresh: {seconds[1]:.2g} s",
        alternative="",
        figure=f"{seconds[0]:.2g} s",
        target="< 5 s",
        met=max(seconds) < 5.0,
    )


@cache
def _real(seed: int) -> np.ndarray:
    return real_counts(TYPES, ITEMS, seed=seed)


def _inside(found: Prediction, kept: np.ndarray) -> np.ndarray:
    return (found.low <= kept) & (kept <= found.high)


def _half_width(found: Prediction) -> float:
    return float(np.mean(found.high - found.low)) / 2.0


if __name__ == "__main__":
    for result in results():
        print(f"{result.name}: {result.ours} {result.alternative}: {result.figure}", flush=True)
