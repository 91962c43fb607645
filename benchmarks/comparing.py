"""How often the intervals of `compare` hold, and what it finds.

Two sets drawn without replacement from one text differ by chance alone, so all intervals should
hold the ratio 1: those of every trial together count as one. Texts are counted and embedded once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

import wikitext
from hayflick.corpus.tokenizers import tokenizer_named
from hayflick.embed.embedder import embed_all, parse_embedder
from hayflick.monitor.comparison import AnswerSet, MeasuredDifferences, differences
from pairs import Result

TRIALS, SPLITS, SMALL = 500, 200, 100
STREAMS = wikitext.TEXT.parent / "streams"
_NO_PROMPTS = 1


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts, counted and embedded once."""

    words: sparse.csr_array
    vectors: NDArray[np.float64]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Texts:
        """Return texts with their words and vectors."""
        frame = pl.LazyFrame({"text": texts, "row": np.arange(len(texts))})
        tokens = tokenizer_named("words").tokens(frame).collect()
        words = tokens["symbol"].rank("dense").to_numpy().astype(np.int64) - 1
        ones = np.ones(words.size, np.int64)
        cells = (tokens["row"].to_numpy(), words)
        counts = sparse.coo_array((ones, cells), shape=(len(texts), int(words.max()) + 1))
        vectors = np.concatenate(list(embed_all(parse_embedder("hashing"), texts)))
        return cls(sparse.csr_array(counts), vectors.astype(np.float64))

    def taken(self, places: NDArray[np.int64], prompts: NDArray[np.int64]) -> AnswerSet:
        """Return some of the texts as the answers to prompts."""
        return AnswerSet(prompts=prompts, words=self.words[places], vectors=self.vectors[places])


def results() -> Iterator[Result]:
    if wikitext.is_there():
        texts = Texts.of(wikitext.pieces().texts.tolist())
        for old, new in ((100, 100), (40, 40), (40, 160)):
            yield _coverage(texts, old, new, prompts=_NO_PROMPTS)
        yield _coverage(texts, 10, 10, prompts=10)
        yield _coverage(texts, 5, 20, prompts=10)
        yield _coverage(texts, 1, 1, prompts=60)
    if STREAMS.exists():
        yield from _of_streams()


def _coverage(texts: Texts, old: int, new: int, *, prompts: int) -> Result:
    """Return how often all intervals hold; `old` and `new` are answers to each prompt."""
    size = texts.vectors.shape[0]
    held, widths = 0, []
    for trial in range(TRIALS):
        rng = np.random.default_rng((trial, old, new, prompts))
        # Neighbouring pieces are of one article: a prompt is a stretch of the text.
        stretch = size // prompts
        drawn = [k * stretch + rng.permutation(stretch)[: old + new] for k in range(prompts)]
        sides = (
            (np.concatenate([one[:old] for one in drawn]), old),
            (np.concatenate([one[old:] for one in drawn]), new),
        )
        sets = [texts.taken(at, np.repeat(np.arange(prompts), each)) for at, each in sides]
        found = differences(*sets, seed=trial)
        held += not _differs(found)
        widths.append([np.log(one.high / one.low) / 2 for one in found.differences])
    asked = f"{old} and {new} answers" + ("" if prompts == 1 else f" to each of {prompts} prompts")
    width = np.mean(widths, axis=0)
    return Result(
        name=f"intervals of {asked}, WikiText in pieces of 30 words",
        ours=f"half widths {', '.join(f'{one:.1%}' for one in width)}",
        alternative="",
        figure=f"all hold in {held / TRIALS:.1%} of {TRIALS}",
        target="≥ 93 %",
        met=held >= 0.93 * TRIALS,
    )


def _differs(found: MeasuredDifferences) -> bool:
    return any(one.differs for one in found.differences)


def _of_streams() -> Iterator[Result]:
    for name in ("a-inspiration", "c-rephrase"):
        rows = _rows(STREAMS / f"{name}.jsonl")
        texts = Texts.of([row["answer"] for row in rows])
        order = sorted({row["generation"] for row in rows})
        first, last = (
            np.flatnonzero([row["generation"] in part for row in rows])
            for part in (order[:10], order[-10:])
        )
        differ = 0
        for trial in range(SPLITS):
            drawn = np.random.default_rng(trial).permutation(first)
            halves = np.array_split(drawn, 2)
            sets = [texts.taken(half, np.zeros(half.size, np.int64)) for half in halves]
            differ += _differs(differences(*sets, seed=trial))
        yield Result(
            name=f"two random halves of the first ten generations of {name}",
            ours=f"{first.size // 2} answers on each side",
            alternative="",
            figure=f"{differ} of {SPLITS} splits differ",
            target="≤ 8 %",
            met=differ <= 0.08 * SPLITS,
        )
        yield _found(name, texts, first, last)


def _found(name: str, texts: Texts, first: NDArray[np.int64], last: NDArray[np.int64]) -> Result:
    """Return how often few answers show that the last generations have fewer words."""
    found = 0
    for trial in range(SMALL):
        rng = np.random.default_rng((trial, 1))
        sides = (rng.permutation(first)[:40], rng.permutation(last)[:40])
        sets = [texts.taken(side, np.zeros(40, np.int64)) for side in sides]
        numbers = {one.metric: one for one in differences(*sets, seed=trial).differences}
        found += numbers["effective_words"].fell
    lost = name.startswith("a-")
    return Result(
        name=f"40 answers of the first ten generations of {name}, 40 of the last ten",
        ours="effective number of words",
        alternative="",
        figure=f"lower in {found} of {SMALL}",
        target="≥ 80 %" if lost else "documented",
        met=not lost or found >= 0.8 * SMALL,
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
