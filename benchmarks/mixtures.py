"""Shares of synthetic texts in mixtures: whether the interval by words holds them, and how wide."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from hayflick.auditing.word_share import word_share
from pairs import Result

MIXTURES, MIXED, REFERENCE, TYPES, TOPICS, WORDS = 200, 20_000, 5_000, 3_000, 20, 60


def results() -> Iterator[Result]:
    """Estimate the share of synthetic texts in mixtures, with new references for each."""
    rng = np.random.default_rng(2)
    human = 1.0 / np.arange(1, TYPES + 1)
    laws = (human, human * np.exp(rng.normal(0.0, 0.35, TYPES)))
    topics = np.exp(rng.normal(0.0, 1.0, (TOPICS, TYPES)))

    def texts(law: NDArray[np.float64], number: int) -> list[str]:
        # A text has a topic, so that its words depend on one another.
        of_topics = rng.multinomial(number, np.full(TOPICS, 1.0 / TOPICS))
        written: list[str] = []
        for topic, size in zip(topics, of_topics, strict=True):
            heights = np.cumsum(law * topic)
            drawn = np.searchsorted(heights, rng.random((size, WORDS)) * heights[-1])
            written += [" ".join(map(str, row)) for row in drawn.tolist()]
        return written

    held, noted, widths, off = 0, 0, [], []
    for share in np.linspace(0.0, 0.9, MIXTURES):
        generated = int(rng.binomial(MIXED, share))
        mixed = texts(laws[0], MIXED - generated) + texts(laws[1], generated)
        references = [texts(law, REFERENCE) for law in laws]
        found = word_share(mixed, human=references[0], model=references[1])
        held += bool(found.low <= share <= found.high)
        noted += bool(found.notes)
        widths.append(found.high - found.low)
        off.append(abs((found.uncorrected or 0.0) - share))
    yield Result(
        name=f"share of synthetic texts, {MIXTURES} mixtures of {MIXED:,} texts with topics, "
        f"references of {REFERENCE:,}: coverage of the 95 % interval",
        ours="`word_share`",
        alternative="",
        figure=f"{held / MIXTURES:.3f}",
        target="≥ 0.93",
        met=held / MIXTURES >= 0.93,
    )
    width, error = float(np.mean(widths)), float(np.mean(off))
    yield Result(
        name="the same: mean width",
        ours=f"`word_share`: a misfit is wrongly noted in {noted / MIXTURES:.1%}",
        alternative=f"likelihood of independent words: off by {error:.3f} on average",
        figure=f"{width:.3f}",
        target="≤ 0.06",
        met=width <= 0.06,
    )
