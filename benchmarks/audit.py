"""Planted near duplicates among a million texts, and effective numbers of items."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.auditing.duplicates import Duplicates, find_duplicates
from hayflick.auditing.effective_items import effective_items
from pairs import Result, ratio

TEXTS = Path(__file__).parents[1] / "build" / "bench" / "near-duplicates-1m.parquet"
ITEMS, COPIES, WORDS, EDITS, VOCABULARY = 1_000_000, 100_000, 60, 5, 30_000
COMPARED = 5_000
DRAWN = 400
_FIND = """
import re, sys, time
import polars as pl
from hayflick.auditing.duplicates import find_duplicates
find_duplicates(["compile", "first"])
texts = pl.read_parquet(sys.argv[1])["text"]
start = time.perf_counter()
found = find_duplicates(texts)
seconds = time.perf_counter() - start
pl.Series("cluster", found.cluster).to_frame().write_parquet(sys.argv[2])
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print(seconds, peak)
"""
_AUDIT = """
import re, sys, time
import hayflick as hf
hf.audit({"text": ["compile first", "compile first"]}, text="text")
start = time.perf_counter()
found = hf.audit(sys.argv[1], text="text")
seconds = time.perf_counter() - start
peak = re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1]
print(seconds, peak, found.duplicates.redundant)
"""


def planted(items: int, copies: int) -> list[str]:
    """Return texts under a Zipf law, the last ones edited copies of the first ones."""
    rng = np.random.default_rng(1)
    spelled = np.array([np.base_repr(7 * rank + 36**2, 36).lower() for rank in range(VOCABULARY)])
    heights = np.cumsum(1.0 / np.arange(1, VOCABULARY + 1))

    def draw(*shape: int) -> NDArray[np.int64]:
        return np.searchsorted(heights, rng.random(shape) * heights[-1])

    words = draw(items - copies, WORDS)
    edited = words[:copies].copy()
    places = np.argsort(rng.random((copies, WORDS)), axis=1)[:, :EDITS]
    np.put_along_axis(edited, places, draw(copies, EDITS), axis=1)
    return [" ".join(row) for row in spelled[np.concatenate([words, edited])]]


def pairwise(texts: list[str]) -> int:
    """Return how many pairs are near duplicates, comparing all of them."""
    tokens = (re.findall(r"\w+", text.lower()) for text in texts)
    sets = [set(itertools.pairwise(words)) for words in tokens]
    near = 0
    for place, one in enumerate(sets):
        for other in sets[place + 1 :]:
            common = len(one & other)
            near += 2 * common >= len(one) + len(other) - common
    return near


def results() -> Iterator[Result]:
    if not TEXTS.exists():
        TEXTS.parent.mkdir(parents=True, exist_ok=True)
        pl.Series("text", planted(ITEMS, COPIES)).to_frame().write_parquet(TEXTS)
    answer = TEXTS.with_name("near-duplicates-found.parquet")
    command = [sys.executable, "-c", _FIND, str(TEXTS), str(answer)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, kilobytes = map(float, done.stdout.split())
    name = f"near duplicates: {COPIES:,} copies, {EDITS} edits in {WORDS} words, {ITEMS:,} texts"
    yield Result(
        name=name,
        ours="`find_duplicates`",
        alternative="",
        figure=f"{seconds:.3g} s, {kilobytes / 1e6:.2f} GB",
        target="< 120 s, < 3 GB",
        met=seconds < 120.0 and kilobytes < 3e6,
    )
    cluster = pl.read_parquet(answer)["cluster"].to_numpy()
    recall, precision = found_and_right(cluster)
    yield Result(
        name="the same: recall, and share of the found ones that are planted",
        ours="`find_duplicates`",
        alternative="",
        figure=f"{recall:.4f}, {precision:.4f}",
        target="≥ 0.95, ≥ 0.95",
        met=min(recall, precision) >= 0.95,
    )
    few = planted(COMPARED, COMPARED // 10)

    def ours() -> Duplicates:
        return find_duplicates(few)

    yield ratio(
        f"near duplicates among {COMPARED:,} texts of {WORDS} words",
        ours=ours,
        alternative=lambda: pairwise(few),
        described=("`find_duplicates`", "all pairs, sets of Python"),
        target=20.0,
        pairs=1,
    )
    yield from effective()
    yield whole_audit()


def whole_audit() -> Result:
    """Audit the million texts by the command."""
    lines = TEXTS.with_suffix(".jsonl")
    if not lines.exists():
        pl.read_parquet(TEXTS).write_ndjson(lines)
    done = subprocess.run(
        [sys.executable, "-c", _AUDIT, str(lines)], capture_output=True, text=True, check=True
    )
    seconds, kilobytes, redundant = map(float, done.stdout.split()[-3:])
    return Result(
        name=f"`hayflick audit` of {ITEMS:,} texts in JSON lines: time, memory, copies",
        ours="duplicates, effective items, phrases, templates, scripts, lengths",
        alternative="",
        figure=f"{seconds:.3g} s, {kilobytes / 1e6:.2f} GB, {redundant:,.0f}",
        target="< 120 s, < 3 GB",
        met=seconds < 120.0 and kilobytes < 3e6,
    )


def effective() -> Iterator[Result]:
    """Draw data sets from known distributions, and see whether the interval holds the number."""
    rng = np.random.default_rng(3)
    ranks = np.arange(1, 101)
    for name, weights, items in (
        ("Zipf over 100 kinds", 1.0 / ranks, 300),
        ("equal over 30 kinds", np.ones(30), 200),
        ("geometric", 0.6 ** ranks[:30], 150),
    ):
        chances = weights / weights.sum()
        kinds = np.array([f"k{kind} is one of the kinds {kind} k" for kind in range(len(chances))])
        squares = float((chances**2).sum())
        held = 0
        for _ in range(DRAWN):
            texts = pl.Series(rng.choice(kinds, items, p=chances).tolist())
            found = effective_items(texts, find_duplicates(texts, similarity=1.0))
            truth = 1.0 / (1.0 / items + (1.0 - 1.0 / items) * _with_alike(kinds, chances, squares))
            held += bool(found.low <= truth <= found.high)
        yield _coverage(f"effective items, {items} items, {name}", held / DRAWN)


def _with_alike(kinds: NDArray[np.str_], chances: NDArray[np.float64], squares: float) -> float:
    """Return the mean squared similarity of two items, whose kinds share words."""
    sets = [set(itertools.pairwise(kind.split())) for kind in kinds]
    total = squares
    for one, other in itertools.combinations(range(len(sets)), 2):
        common = len(sets[one] & sets[other])
        alike = common / (len(sets[one]) + len(sets[other]) - common)
        total += 2.0 * chances[one] * chances[other] * alike**2
    return total


def _coverage(name: str, share: float) -> Result:
    return Result(
        name=f"{name}: coverage of the 95 % interval in {DRAWN} data sets",
        ours="`effective_items`",
        alternative="",
        figure=f"{share:.3f}",
        target="≥ 0.92",
        met=share >= 0.92,
    )


def found_and_right(cluster: NDArray[np.int64]) -> tuple[float, float]:
    """Return the share of copies that are with their original, and of what is found."""
    originals, copies = cluster[:COPIES], cluster[-COPIES:]
    together = int(np.count_nonzero((originals == copies) & (originals >= 0)))
    redundant = np.count_nonzero(cluster >= 0) - (cluster.max() + 1)
    return together / COPIES, together / max(int(redundant), 1)
