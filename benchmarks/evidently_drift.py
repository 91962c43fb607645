"""The same answers through Evidently's four embedding-drift methods and the guaranteed chart.

Evidently is no dependency of this project; with it installed beside hayflick,

    python benchmarks/evidently_drift.py

prints the table of docs/monitoring.md. Answers are Gaussian in 32 dimensions, 200 a round, after
20 healthy rounds. Evidently compares each round with 1,000 answers of these; *calibrated* means
that its threshold is the score that one in 1,000 healthy rounds exceeds, found by simulation,
which no user can do without a thousand healthy rounds. The chart has the same rate, from
the 20 rounds alone.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator

import numpy as np

from hayflick.core.records import Reading
from hayflick.detection.guaranteed import GuaranteedChart
from hayflick.diversity.pairs import disjoint_pairs, median_squared_distance, pair_scores

ANSWERS, DIMENSIONS, BASELINE, REFERENCE = 200, 32, 20, 1000
ROUNDS, RUNS, HEALTHY_ROUNDS, RATE = 20, 40, 1000, 0.001
SCENARIOS = {
    "healthy": (1.0, 0.0),
    "spread halved": (0.5, 0.0),
    "spread x 0.9": (0.9, 0.0),
    "mean moved by 0.5": (1.0, 0.5),
}

Score = Callable[[np.ndarray, np.ndarray], tuple[float, bool]]


def methods() -> dict[str, Score]:
    """Return Evidently's methods at their defaults: score and verdict of a round."""
    import pandas
    from evidently.legacy.metrics.data_drift import embedding_drift_methods as evidently

    def wrapped(method: Callable[..., tuple[float, bool, str]]) -> Score:
        def score(current: np.ndarray, reference: np.ndarray) -> tuple[float, bool]:
            frames = (pandas.DataFrame(rows) for rows in (current, reference))
            value, drifted, _ = method(*frames)
            return float(value), bool(drifted)

        return score

    kinds = (evidently.model, evidently.ratio, evidently.distance, evidently.mmd)
    return {kind.__name__: wrapped(kind()) for kind in kinds}


def answers(rng: np.random.Generator, width: float = 1.0, shift: float = 0.0) -> np.ndarray:
    """Return one round; the mean moves by `shift` in all."""
    moved = shift / math.sqrt(DIMENSIONS)
    return width * rng.normal(size=(ANSWERS, DIMENSIONS)) + moved


def verdicts_of_evidently(
    score: Score, threshold: float | None, width: float, shift: float
) -> Iterator[list[bool]]:
    """Yield the verdicts of every run, round by round."""
    for run in range(RUNS):
        rng = np.random.default_rng((1, run))
        reference = rng.normal(size=(REFERENCE, DIMENSIONS))
        found = [score(answers(rng, width, shift), reference) for _ in range(ROUNDS)]
        yield [drifted if threshold is None else value > threshold for value, drifted in found]


def verdicts_of_chart(width: float, shift: float) -> Iterator[list[bool]]:
    """Yield the same of the guaranteed chart at its defaults."""
    for run in range(RUNS):
        rng = np.random.default_rng((1, run))
        baseline = [answers(rng) for _ in range(BASELINE)]
        pairs = [disjoint_pairs(ANSWERS, rng=rng) for _ in range(BASELINE + ROUNDS)]
        first = [
            (rows[p.first], rows[p.second]) for rows, p in zip(baseline[:4], pairs[:4], strict=True)
        ]
        scale = median_squared_distance(
            *(np.concatenate(ends) for ends in zip(*first, strict=True))
        )
        rows = [*baseline[4:], *(answers(rng, width, shift) for _ in range(ROUNDS))]
        readings = [
            Reading(t, scores={"spread": pair_scores(x[p.first], x[p.second], scale=scale)})
            for t, (x, p) in enumerate(zip(rows, pairs[4:], strict=True), start=5)
        ]
        chart = GuaranteedChart(readings[: BASELINE - 4], tolerance=0.05, false_alarms=RATE)
        yield [chart.update(reading).alarm for reading in readings[BASELINE - 4 :]]


def calibrated(score: Score) -> float:
    """Return the score that one in 1,000 healthy rounds exceeds."""
    rng = np.random.default_rng(2)
    scores = [
        score(answers(rng), rng.normal(size=(REFERENCE, DIMENSIONS)))[0]
        for _ in range(HEALTHY_ROUNDS)
    ]
    return float(np.quantile(scores, 1.0 - RATE, method="higher"))


def row(name: str, runs: Callable[[float, float], Iterator[list[bool]]]) -> str:
    """Return a row of the table."""
    cells = [name]
    for scenario, (width, shift) in SCENARIOS.items():
        alarms = np.array(list(runs(width, shift)))
        if scenario == "healthy":
            cells.append(f"{alarms.mean():.1%} of rounds")
            continue
        delays = [int(np.argmax(run)) + 1 if run.any() else math.inf for run in alarms]
        median = float(np.median(delays))
        seen = f"round {median:g}" if math.isfinite(median) else f"not in {ROUNDS} rounds"
        cells.append(f"{seen} ({np.isfinite(delays).mean():.0%})")
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    print(f"| method | {' | '.join(SCENARIOS)} |")
    print("| --- | --- | --- | --- | --- |")
    print(row("hayflick: guaranteed chart", verdicts_of_chart), flush=True)
    for name, score in methods().items():
        for kind, threshold in (("defaults", None), ("calibrated", calibrated(score))):
            print(
                row(
                    f"Evidently: {name}, {kind}",
                    lambda width, shift, s=score, t=threshold: verdicts_of_evidently(
                        s, t, width, shift
                    ),
                ),
                flush=True,
            )


if __name__ == "__main__":
    main()
