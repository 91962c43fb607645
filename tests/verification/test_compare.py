"""The intervals of a comparison hold together as often as they say."""

import numpy as np
import pytest
from scipy import sparse

from hayflick.monitor import comparison
from hayflick.monitor.comparison import AnswerSet, differences

TRIALS, WORDS, KINDS = 60, 12, 300
SHARES = 1.0 / np.arange(1, KINDS + 1)


def drawn(rng, prompts):
    """Return answers whose words, vectors and value depend on nothing but chance."""
    size = prompts.size
    words = rng.choice(KINDS, (size, WORDS), p=SHARES / SHARES.sum())
    cells = (np.repeat(np.arange(size), WORDS), words.ravel())
    counts = sparse.coo_array((np.ones(words.size, np.int64), cells), shape=(size, KINDS))
    return AnswerSet(
        prompts=prompts,
        words=sparse.csr_array(counts),
        vectors=rng.normal(size=(size, 8)) + prompts[:, None] % 3,
        values={"length": rng.gamma(2.0, size=size)},
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (np.zeros(40, int), np.zeros(40, int)),
        (np.zeros(30, int), np.zeros(120, int)),
        (np.repeat(np.arange(5), 8), np.repeat(np.arange(5), 8)),
        (np.arange(40), np.arange(40)),
    ],
    ids=["40 and 40", "30 and 120", "5 prompts", "40 prompts asked once"],
)
def test_all_intervals_hold_together(old, new, monkeypatch):
    monkeypatch.setattr(comparison, "HALF_SAMPLES", 160)
    held = 0
    for trial in range(TRIALS):
        rng = np.random.default_rng((trial, new.size))
        found = differences(drawn(rng, old), drawn(rng, new), seed=trial)
        held += not any(one.differs for one in found.differences)
    # Three standard errors below 95 %.
    assert held >= 52
