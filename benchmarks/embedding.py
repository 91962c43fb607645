"""The built-in embedder against scikit-learn's hasher and sparse projection, and in memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.preprocessing import normalize
from sklearn.random_projection import SparseRandomProjection

from hayflick.embed.embedder import embed_all
from hayflick.embed.hashing import DIMENSIONS, HashingEmbedder
from pairs import Result, ratio, seconds

HERE = Path(__file__).parent
TEXTS, ALL, TYPES, WORDS = 20_000, 1_000_000, 20_000, 15
TARGET_SECONDS, TARGET_MEGABYTES = 50.0, 2000
# The process's own high-water mark: getrusage's also counts the parent before the fork.
_PEAK = (
    "import re, embedding; embedding.embed_everything(); "
    "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
)


def answers(number: int) -> list[str]:
    """Return answers of up to 15 words under a Zipf law."""
    rng = np.random.default_rng(5)
    letters = rng.integers(ord("a"), ord("z") + 1, size=(TYPES, 10)).astype(np.uint8)
    lengths = rng.integers(2, 10, size=TYPES)
    spelled = np.array(
        [bytes(row[:n]).decode() for row, n in zip(letters, lengths, strict=True)], dtype=object
    )
    law = (np.arange(TYPES) + 2.7) ** -1.05
    sizes = rng.integers(5, WORDS + 1, size=number)
    drawn = spelled[rng.choice(TYPES, size=int(sizes.sum()), p=law / law.sum())]
    return [" ".join(part) for part in np.split(drawn, np.cumsum(sizes)[:-1])]


def embed_everything() -> None:
    for _ in embed_all(HashingEmbedder(), answers(ALL)):
        pass


def peak_megabytes() -> int:
    """Return the largest memory of a process that makes and embeds all answers."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK], capture_output=True, text=True, check=True, cwd=HERE
    )
    return int(done.stdout) // 1024


def results() -> Iterator[Result]:
    texts, embedder = answers(TEXTS), HashingEmbedder()
    hasher = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), norm=None)
    # Fitting looks at the shape alone: as stateless as ours.
    projection = SparseRandomProjection(DIMENSIONS, random_state=0, dense_output=True)
    projection.fit(hasher.transform(texts[:1]))

    def with_scikit_learn() -> object:
        return normalize(projection.transform(hasher.transform(texts)))

    yield ratio(
        f"embedding {TEXTS:,} answers of at most {WORDS} words",
        ours=lambda: embedder.embed(texts),
        alternative=with_scikit_learn,
        described=("`HashingEmbedder`", "`HashingVectorizer`, `SparseRandomProjection`"),
        target=10.0,
        pairs=5,
    )
    everything = answers(ALL)
    time = seconds(lambda: sum(len(part) for part in embed_all(embedder, everything)))
    yield Result(
        name=f"embedding {ALL:,} answers of at most {WORDS} words",
        ours="`embed_all` with `HashingEmbedder`",
        alternative="",
        figure=f"{time:.3g} s, {ALL / time:,.0f} a second",
        target=f"< {TARGET_SECONDS:g} s",
        met=time < TARGET_SECONDS,
    )
    peak = peak_megabytes()
    yield Result(
        name="the same, memory with the answers",
        ours="`embed_all` with `HashingEmbedder`",
        alternative="",
        figure=f"{peak} MB",
        target=f"< {TARGET_MEGABYTES} MB",
        met=peak < TARGET_MEGABYTES,
    )
