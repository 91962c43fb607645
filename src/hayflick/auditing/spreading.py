"""Phrases that spread: more of the latest texts have them than of the pool."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

import numpy as np

from hayflick.auditing.shingles import Hashes
from hayflick.core.arrays import Integers

_FEWEST_TEXTS = 100
_FEWEST = 5
_SURPLUS = 3.0
_SLOTS = 1 << 20
_LONGEST = 2_000


class PhraseWatch:
    """Counts phrases in the latest texts exactly, and those of the pool in a table of fixed size.

    Parameters
    ----------
    window
        Number of the latest texts.
    """

    def __init__(self, window: int) -> None:
        self.window = window
        self._latest: deque[Hashes] = deque()
        self._counts: Counter[int] = Counter()
        # The least of two counts in tables with other slots: never less than the true number.
        self._pool = np.zeros((2, _SLOTS), np.uint32)
        self._pool_texts = 0

    def add_to_pool(self, phrases: list[Hashes]) -> None:
        """Count the phrases of texts of the pool."""
        self._pool_texts += len(phrases)
        together = np.concatenate(phrases) if phrases else np.empty(0, np.uint64)
        for table, slots in zip(self._pool, self._slots(together), strict=True):
            np.add.at(table, slots, np.uint32(1))

    def add(self, phrases: Hashes) -> None:
        """Count the phrases of the latest text, and forget those of the first of the window.

        Of a very long text, 2,000 of its phrases are counted.
        """
        phrases = phrases[:_LONGEST].copy()
        self._latest.append(phrases)
        self._counts.update(phrases.tolist())
        if len(self._latest) > self.window:
            for one in self._latest.popleft().tolist():
                self._counts[one] -= 1
                if not self._counts[one]:
                    del self._counts[one]

    def spreading(self, phrases: Hashes, share: float) -> tuple[int, float] | None:
        """Return the phrase of a text that is in most of the latest ones, with its share of them.

        None if none is in more than `share` of them, this one included, and three times as
        frequent as in the pool.
        """
        texts = max(len(self._latest) + 1, _FEWEST_TEXTS)
        least = max(_FEWEST, share * texts)
        numbers = {one: self._counts[one] + 1 for one in phrases.tolist() if one in self._counts}
        often = [one for one, number in numbers.items() if number > least]
        if often and self._pool_texts:
            slots = self._slots(np.array(often, np.uint64))
            in_pool = np.minimum(self._pool[0][slots[0]], self._pool[1][slots[1]])
            shares = in_pool / self._pool_texts
            often = [
                one
                for one, known in zip(often, shares.tolist(), strict=True)
                if numbers[one] / texts > _SURPLUS * known
            ]
        if not often:
            return None
        most = max(often, key=lambda one: (numbers[one], one))
        return most, numbers[most] / (len(self._latest) + 1)

    @staticmethod
    def _slots(phrases: Hashes) -> tuple[Integers, Integers]:
        mask = np.uint64(_SLOTS - 1)
        low, high = phrases & mask, (phrases >> np.uint64(40)) & mask
        return low.astype(np.int64), high.astype(np.int64)

    def arrays(self) -> dict[str, Any]:
        """Return what a file keeps."""
        latest = list(self._latest)
        return {
            "pool_phrases": self._pool,
            "pool_texts": np.array([self._pool_texts]),
            "latest": np.concatenate([np.empty(0, np.uint64), *latest]),
            "latest_sizes": np.array([one.size for one in latest], np.int64),
        }

    @classmethod
    def of_arrays(cls, window: int, arrays: Mapping[str, Any]) -> PhraseWatch:
        """Return what a file has kept.

        Raises
        ------
        ValueError
            If the arrays do not fit together.
        """
        watch = cls(window)
        pool, latest, sizes = (arrays[name] for name in ("pool_phrases", "latest", "latest_sizes"))
        if pool.shape != watch._pool.shape or pool.dtype != np.uint32 or sizes.sum() != latest.size:
            raise ValueError("pool_phrases")
        watch._pool, watch._pool_texts = pool, int(arrays["pool_texts"][0])
        for one in np.split(latest, np.cumsum(sizes)[:-1]) if sizes.size else ():
            watch.add(one)
        return watch
