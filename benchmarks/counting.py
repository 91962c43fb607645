"""Counting the words of a long text: speed against Python's Counter, and memory."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hayflick.corpus.reading import read_corpus
from pairs import Result, ratio

TEXT = Path(__file__).parents[1] / "build" / "bench" / "text-100mb.txt"
WORDS, TYPES = 13_000_000, 900_000
# The kernel's own high-water mark: getrusage's also counts the parent before the fork.
_PEAK = (
    "import re, sys; from hayflick.corpus.reading import read_corpus; "
    "read_corpus(sys.argv[1]); "
    "print(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])"
)


def make_text(path: Path) -> None:
    """Write about 100 MB of words under a Zipf law, with capitals, commas and line ends."""
    rng = np.random.default_rng(1)
    letters = rng.integers(ord("a"), ord("z") + 1, size=(2 * TYPES, 10)).astype(np.uint8)
    lengths = rng.integers(3, 11, size=2 * TYPES)
    spelled = (bytes(row[:n]).decode() for row, n in zip(letters, lengths, strict=True))
    words = np.array(list(dict.fromkeys(spelled))[:TYPES], dtype=object)
    law = (np.arange(TYPES) + 2.7) ** -1.05
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(WORDS // 1_000_000):
            drawn = words[rng.choice(TYPES, size=1_000_000, p=law / law.sum())]
            capital, mark = rng.random((2, drawn.size))
            drawn[capital < 0.1] = [word.capitalize() for word in drawn[capital < 0.1]]
            ends = np.where(mark < 0.06, ", ", np.where(mark < 0.11, ".\n", " "))
            file.write("".join(drawn + ends.astype(object)))


def with_counter(path: Path) -> Counter[str]:
    text = path.read_text(encoding="utf-8")
    return Counter(re.findall(r"\w+", text.lower()))


def peak_megabytes(path: Path) -> int:
    """Return the largest memory of a process that counts a file."""
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(path)], capture_output=True, text=True, check=True
    )
    return int(done.stdout) // 1024


def results() -> Iterator[Result]:
    if not TEXT.exists():
        make_text(TEXT)
    counts, expected = read_corpus(TEXT).counts, with_counter(TEXT)
    assert dict(zip(counts.symbols, counts.numbers.tolist(), strict=True)) == expected
    size = TEXT.stat().st_size / 1e6
    yield ratio(
        f"counting {size:.0f} MB of text with {counts.types:,} types",
        ours=lambda: read_corpus(TEXT),
        alternative=lambda: with_counter(TEXT),
        described=("`read_corpus`", r'`Counter(re.findall(r"\w+", text.lower()))`'),
        target=6.0,
        pairs=5,
    )
    fourfold = TEXT.with_name("text-400mb.txt")
    with open(fourfold, "wb") as file:
        for _ in range(4):
            file.write(TEXT.read_bytes())
    once, four = peak_megabytes(TEXT), peak_megabytes(fourfold)
    fourfold.unlink()
    yield Result(
        name="memory for the same types in a file four times as long",
        ours=f"`read_corpus`: {once} MB, then {four} MB",
        alternative="",
        figure=f"{four / once:.2f} ×",
        target="≤ 1.2 ×",
        met=four <= 1.2 * once,
    )
