"""Which texts of a stream are kept for phrases and typical answers, and what they show.

The last rounds, as many as the baseline has, are compared with the baseline. Of each round a
bounded sample is kept, whatever the length of the stream.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hayflick.corpus.answers import Answers
from hayflick.diversity.phrases import PhraseCounts, Template, templates

Texts: TypeAlias = Mapping[int, Sequence[str]]
"""Texts by the number of their round."""

# Phrases take a hundred times as much memory as their texts.
_PHRASED_TEXTS, _PHRASED_BYTES = 20_000, 4_000_000
_MOST_TEMPLATES = 20
_TYPICAL = 5


def phrased_rounds(rounds: int, baseline: int) -> list[int]:
    """Return the numbers of the rounds whose texts are compared: the baseline and the last ones.

    Examples
    --------
    >>> phrased_rounds(7, 2), phrased_rounds(3, 2)
    ([1, 2, 6, 7], [1, 2, 3])
    """
    return [*range(1, baseline + 1), *range(max(baseline, rounds - baseline) + 1, rounds + 1)]


def sampled_texts(
    answers: Answers, rounds: Iterable[int], *, baseline: int, seed: int
) -> dict[int, list[str]]:
    """Return a random sample of the texts of some rounds; none without texts."""
    if "text" not in answers.frame.columns:
        return {}
    numbers = answers.frame["round"].to_numpy()
    found: dict[int, list[str]] = {}
    for number in rounds:
        low, high = np.searchsorted(numbers, [number, number + 1])
        texts = answers.frame["text"][int(low) : int(high)].drop_nulls()
        size = max(1, int(texts.str.len_bytes().sum()))
        share = min(1.0, _PHRASED_BYTES / baseline / size)
        most = max(1, min(_PHRASED_TEXTS // baseline, math.ceil(len(texts) * share)))
        found[number] = (texts.sample(most, seed=seed) if len(texts) > most else texts).to_list()
    return found


def changed_phrases(texts: Texts, *, rounds: int, baseline: int) -> tuple[Template, ...]:
    """Return phrases that are newly frequent or lost in the last rounds since the baseline.

    Parameters
    ----------
    texts
        What `sampled_texts` returned for `phrased_rounds`.
    rounds, baseline
        Number of rounds, and of those in the baseline.
    """
    numbers = phrased_rounds(rounds, baseline)
    before, now = PhraseCounts.frequent(
        [
            [text for number in side for text in texts.get(number, ())]
            for side in (numbers[:baseline], numbers[baseline:])
        ]
    )
    if not before.texts or not now.texts:
        return ()
    return templates(now, baseline=before, most=_MOST_TEMPLATES)


def typical(texts: Sequence[str], vectors: NDArray[Any]) -> list[str]:
    """Return the different texts that are nearest to the mean of all."""
    gaps = vectors - vectors.mean(axis=0)
    order = np.argsort(np.einsum("ij,ij->i", gaps, gaps), kind="stable")
    return list(dict.fromkeys(texts[int(place)] for place in order))[:_TYPICAL]
