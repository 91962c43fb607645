"""The scatter of vectors against sums in numpy and distances in scipy; counting n-grams."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import pdist

from hayflick.diversity.lexical import NgramCounts
from hayflick.diversity.scatter import Scatter
from pairs import Result, duration, ratio

VECTORS, DIMENSION = 1_000_000, 384
ANSWERS, WORDS, TYPES = 1_000_000, 12, 50_000
# What is allocated while a summary is made, the vectors themselves aside.
_GROWTH = """
import sys, tracemalloc
import numpy as np
from hayflick.diversity.scatter import Scatter
rows = np.random.default_rng(1).standard_normal((int(sys.argv[1]), 384), dtype=np.float32)
Scatter.of(rows)
tracemalloc.start()
for _ in range(5):
    Scatter.of(rows)
print(tracemalloc.get_traced_memory()[1])
"""


def two_pass(vectors: NDArray[np.float32]) -> float:
    """Return M2 around the mean in float64, in pieces that fit into memory."""
    pieces = np.array_split(vectors, 50)
    mean = sum(piece.sum(axis=0, dtype=np.longdouble) for piece in pieces) / len(vectors)
    squares = (((piece - mean.astype(np.float64)) ** 2).sum(dtype=np.float64) for piece in pieces)
    return float(sum(squares))


def peak_bytes(rows: int) -> int:
    """Return the most memory that the summary of `rows` vectors takes beside them."""
    command = [sys.executable, "-c", _GROWTH, str(rows)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def results() -> Iterator[Result]:
    rng = np.random.default_rng(1)
    vectors = rng.standard_normal((VECTORS, DIMENSION), dtype=np.float32)
    yield against_sums(vectors)
    vectors += np.float32(1e4)
    error = abs(Scatter.of(vectors).m2 / two_pass(vectors) - 1.0)
    del vectors
    yield Result(
        name="the same 10,000 deviations from 0: relative error of M2",
        ours="`Scatter.of`",
        alternative="two passes in float64",
        figure=f"{error:.1e}",
        target="≤ 1e-12",
        met=error <= 1e-12,
    )
    few, many = peak_bytes(VECTORS // 4), peak_bytes(VECTORS)
    yield Result(
        name=f"memory of the summary: {VECTORS // 4:,} vectors, then {VECTORS:,}",
        ours=f"`Scatter.of`: {few / 1e6:.2f} MB, then {many / 1e6:.2f} MB",
        alternative="",
        figure=f"{many / few:.2f} ×",
        target="≤ 1.2 ×",
        met=many <= 1.2 * few,
    )
    yield against_distances(rng.standard_normal((5000, DIMENSION)))
    texts = answers(rng)
    yield duration(
        f"runs of 1 to 3 words in {ANSWERS:,} answers of {WORDS} words",
        task=lambda: NgramCounts.of(texts),
        described="`NgramCounts.of`",
        target=20.0,
        runs=1,
    )


def against_sums(vectors: NDArray[np.float32]) -> Result:
    return ratio(
        f"scatter of {VECTORS:,} × {DIMENSION} float32 vectors",
        ours=lambda: Scatter.of(vectors),
        alternative=lambda: (vectors.sum(0), (vectors * vectors).sum()),
        described=("`Scatter.of`", "`X.sum(0)`, `(X * X).sum()`"),
        target=3.0,
        pairs=9,
    )


def against_distances(vectors: NDArray[np.float64]) -> Result:
    ours, theirs = Scatter.of(vectors).frobenius_norm, np.sqrt(2.0 * (pdist(vectors) ** 2).sum())
    assert ours is not None
    assert abs(ours / theirs - 1.0) <= 1e-10
    return ratio(
        f"‖D‖_F of 5,000 × {DIMENSION} vectors, equal to 1e-10",
        ours=lambda: Scatter.of(vectors).frobenius_norm,
        alternative=lambda: np.sqrt(2.0 * (pdist(vectors) ** 2).sum()),
        described=("`Scatter.of`", "`pdist`"),
        target=200.0,
        pairs=5,
    )


def answers(rng: np.random.Generator) -> list[str]:
    """Return answers of words under a Zipf law: nine in ten of their triples are different."""
    law = (np.arange(TYPES) + 2.7) ** -1.05
    words = np.array([f"w{rank}" for rank in range(TYPES)], dtype=object)
    drawn = words[rng.choice(TYPES, size=(ANSWERS, WORDS), p=law / law.sum())]
    return [" ".join(answer) for answer in drawn.tolist()]
