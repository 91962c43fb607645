"""WikiText in pieces of 30 words: the answers of streams in which nothing changes, or what we say.

The text is research data and not part of the project: `shared/data/wikitext2-500k.txt` beside the
project's folder. Where it is absent, campaigns say so and leave out what takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from hayflick.corpus.answers import Answers
from hayflick.embed.embedder import embed_all, parse_embedder

TEXT = Path(__file__).parents[2] / "shared" / "data" / "wikitext2-500k.txt"
WORDS = 30
PROMPTS = 10


def is_there() -> bool:
    """Return whether the text is there; say so if it is not."""
    if not TEXT.exists():
        print(f"left out, for {TEXT} is not there", flush=True)
    return TEXT.exists()


@dataclass(frozen=True, eq=False)
class Pieces:
    """All pieces with their vectors; articles follow one another, so tenths differ in subject."""

    texts: NDArray[np.object_]
    vectors: NDArray[np.float32]


@cache
def pieces() -> Pieces:
    """Return the pieces of the text, embedded once."""
    words = TEXT.read_text(encoding="utf-8").split()
    texts = [
        " ".join(words[start : start + WORDS]) for start in range(0, len(words) - WORDS, WORDS)
    ]
    vectors = np.concatenate(list(embed_all(parse_embedder("hashing"), texts)))
    return Pieces(np.array(texts, dtype=object), vectors)


def shuffled(
    rng: np.random.Generator, *, rounds: int, each: int, prompts: bool, groups: int
) -> Answers:
    """Return a healthy stream: pieces without replacement in random order.

    A prompt is a tenth of the text, and every round has as many answers to each. The group of an
    answer is random.
    """
    found = pieces()
    size = len(found.texts)
    columns: dict[str, Any] = {}
    if prompts:
        tenth = size // PROMPTS
        number = rounds * each // PROMPTS
        drawn = [k * tenth + rng.permutation(tenth)[:number] for k in range(PROMPTS)]
        places = np.stack(drawn, axis=1).ravel()
        columns["prompt"] = [f"question {place // tenth}" for place in places]
    else:
        places = rng.permutation(size)[: rounds * each]
    if groups:
        columns["group"] = [f"model {one}" for one in rng.integers(0, groups, places.size)]
    return answers_of(found.texts[places].tolist(), found.vectors[places], each, columns)


def answers_of(
    texts: list[str] | None,
    vectors: NDArray[np.float32] | None,
    each: int,
    columns: Mapping[str, Any],
) -> Answers:
    """Return answers, `each` a round, in the order given; texts, vectors or both."""
    size = len(texts if texts is not None else vectors)
    rounds = size // each
    numbers = {"row": np.arange(1, size + 1), "round": np.repeat(np.arange(1, rounds + 1), each)}
    found = {} if texts is None else {"text": texts}
    frame = pl.DataFrame({**numbers, **found, **columns})
    return Answers("made to order", tuple(map(str, range(1, rounds + 1))), frame, vectors)


def losing(rng: np.random.Generator, kept: Sequence[float], *, each: int) -> Answers:
    """Return a stream that loses types at random; their places are redrawn among the others.

    Parameters
    ----------
    rng
        Draws the pieces, the order in which types are lost, and the words in their places.
    kept
        The share of types that are left, by round.
    each
        Answers a round.
    """
    words = " ".join(pieces().texts).split(" ")
    types, numbers = np.unique(words, return_inverse=True)
    lines = numbers.reshape(-1, WORDS)[rng.permutation(len(pieces().texts))]
    rank = rng.permutation(types.size)
    texts: list[str] = []
    for place, share in enumerate(kept):
        lines_now = lines[place * each : (place + 1) * each].copy()
        alive = numbers[rank[numbers] < share * types.size]
        gone = rank[lines_now] >= share * types.size
        lines_now[gone] = rng.choice(alive, gone.sum())
        texts += [" ".join(line) for line in types[lines_now]]
    return answers_of(texts, None, each, {})
