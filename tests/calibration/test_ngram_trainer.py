"""The example of a trainer that needs Python alone, by its commands and in a loop."""

import random
import shlex
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

import hayflick as hf

NGRAM = Path(__file__).parents[2] / "examples" / "trainers" / "ngram.py"
PROGRAM = [sys.executable, str(NGRAM)]


@pytest.fixture
def data(tmp_path):
    """Return a file of 4,000 words, 400 of them different, few of them often."""
    rng = random.Random(1)
    law = [1 / (place + 2) for place in range(400)]
    words = [f"word{place}" for place in rng.choices(range(400), law, k=4000)]
    path = tmp_path / "words.txt"
    path.write_text("\n".join(" ".join(words[n : n + 25]) for n in range(0, 4000, 25)))
    return path


def written(data, out, *, items, seed, order=3):
    model = out.with_suffix(".model")
    subprocess.run([*PROGRAM, "train", data, model, "--order", str(order)], check=True)
    subprocess.run([*PROGRAM, "generate", model, str(items), out, str(seed)], check=True)
    return out.read_text().split()


def test_it_writes_as_many_words_of_the_data_as_asked(data, tmp_path):
    words = written(data, tmp_path / "a.txt", items=2010, seed=1)
    assert len(words) == 2010
    assert set(words) <= set(data.read_text().split())
    assert written(data, tmp_path / "b.txt", items=2010, seed=1) == words
    assert written(data, tmp_path / "c.txt", items=2010, seed=2) != words


def test_without_a_context_it_draws_words_as_often_as_they_are(data, tmp_path):
    words = Counter(written(data, tmp_path / "a.txt", items=40_000, seed=1, order=1))
    real = Counter(data.read_text().split())
    for word, count in real.most_common(5):
        # The scatter of a count is at most its root: five of them.
        assert abs(words[word] - 10 * count) < 5 * (10 * count) ** 0.5


def test_a_single_word_goes_on_for_ever(tmp_path):
    data = tmp_path / "one.txt"
    data.write_text("Ho")
    assert written(data, tmp_path / "a.txt", items=30, seed=1) == ["ho"] * 30


def test_a_loop_records_its_rounds(data, tmp_path):
    program = shlex.join(PROGRAM)
    settings = {
        "data": str(data),
        "rounds": 3,
        "train": f"{program} train {{data}} {{model}}",
        "generate": f"{program} generate {{model}} {{n}} {{out}} {{seed}}",
    }
    run = hf.loop(settings, out=tmp_path / "run")
    assert [one.items for one in run.rounds] == [4000] * 4
    kept = run.record.kept
    assert all(later <= earlier for earlier, later in pairwise(kept))
    assert 0.5 < kept[-1] < kept[1] < 1.0
