"""Families of a few numbers against drawing every item, and n-gram models by tokens."""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

import hayflick as hf
from hayflick.chains.bernoulli import Bernoulli
from hayflick.chains.gaussian import Gaussian
from hayflick.chains.ngram import NGram
from hayflick.laws.gaussian_scale import gaussian_scale
from hayflick.papers.suresh2024.figures import FIGURES, figures, write_docstrings
from pairs import Result, duration, ratio, seconds

WIKITEXT = Path(__file__).parents[2] / "shared" / "data" / "wikitext2-500k.txt"
_LOOP_RUNS = 100


def bernoulli_items(probability: float, samples: int, generations: int, runs: int) -> np.ndarray:
    """Draw the samples of every run and round, one after the other."""
    rng = np.random.default_rng(1)
    path = np.empty((runs, generations + 1))
    for run in range(runs):
        path[run, 0] = probability
        for generation in range(1, generations + 1):
            ones = rng.binomial(1, path[run, generation - 1], samples)
            path[run, generation] = ones.mean()
    return path


def gaussian_items(samples: int, generations: int, runs: int) -> np.ndarray:
    """Draw the samples of all runs at once, round by round."""
    rng = np.random.default_rng(1)
    path = np.empty((generations + 1, 2, runs))
    path[0] = [[0.0], [1.0]]
    for generation in range(1, generations + 1):
        mean, deviation = path[generation - 1]
        items = rng.normal(mean, deviation, (samples, runs))
        path[generation] = items.mean(axis=0), items.std(axis=0, ddof=1)
    return path


def results() -> Iterator[Result]:
    settings = {"generations": 50, "samples": 10_000}
    yield ratio(
        f"Bernoulli, p = 0.001, n = 10,000, 50 rounds, 5,000 runs (the loop: {_LOOP_RUNS} runs, "
        "times 50)",
        ours=lambda: hf.simulate(Bernoulli(0.001), replicates=5000, seed=1, **settings),
        alternative=lambda: bernoulli_items(0.001, 10_000, 50, _LOOP_RUNS),
        described=("`hf.simulate`", "loop over `rng.binomial(1, p, n)`"),
        target=500.0,
        pairs=9,
        scale=5000 / _LOOP_RUNS,
    )
    settings = {"generations": 200, "samples": 100}
    yield ratio(
        "Gaussian, n = 100, 200 rounds, 10,000 runs",
        ours=lambda: hf.simulate(Gaussian(0.0, 1.0), replicates=10_000, seed=1, **settings),
        alternative=lambda: gaussian_items(100, 200, 10_000),
        described=("`hf.simulate`", "`rng.normal` of all items at once"),
        target=40.0,
        pairs=5,
    )
    yield duration(
        "Gaussian scale law, n = 10, 200 generations",
        task=lambda: gaussian_scale(10, generations=200).survival(-4.6),
        described="`gaussian_scale(...).survival`",
        target=0.05,
        runs=9,
    )
    yield from _ngrams()
    yield duration(
        f"all {len(FIGURES)} figures of Suresh et al. (without drawing them)",
        task=lambda: list(figures(corpus=_corpus())),
        described="`hayflick.papers.suresh2024`",
        target=120.0,
        runs=1,
    )


def _ngrams() -> Iterator[Result]:
    for order, target in ((2, 30e6), (5, 5e6)):
        model = NGram.from_text(_corpus(), order=order)
        tokens = 64 * 10 * model.total
        yield throughput(
            f"n-gram model of order {order}, {model.total:,} words: trained and written, 64 runs",
            task=partial(hf.simulate, model, replicates=64, generations=10, threads=2, seed=1),
            tokens=tokens,
            target=target,
        )
    model = NGram.from_text(_corpus(), order=2)
    yield duration(
        f"bigram model, one replicate, 10 generations of {model.total:,} words",
        task=lambda: hf.simulate(model, replicates=1, generations=10, seed=1),
        described="`hf.simulate`",
        target=1.0,
        runs=5,
    )


def throughput(name: str, *, task: Callable[[], object], tokens: int, target: float) -> Result:
    """Return how many tokens a second are made, after one warm-up."""
    task()
    times = sorted(seconds(task) for _ in range(3))
    rate = tokens / statistics.median(times)
    return Result(
        name=name,
        ours="`hf.simulate`, 2 threads",
        alternative="",
        figure=f"{rate / 1e6:.0f} million tokens/s",
        target=f"≥ {target / 1e6:g} million/s",
        met=rate >= target,
    )


def _corpus() -> str:
    """Return half a million words of WikiText-2 where they are, else of docstrings."""
    if WIKITEXT.exists():
        return str(WIKITEXT)
    path = Path(tempfile.gettempdir()) / f"hayflick-docstrings-{os.getuid()}.txt"
    if not path.exists():
        write_docstrings(path)
    return str(path)
