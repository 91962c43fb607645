import numpy as np
import pytest

import hayflick as hf
from hayflick.core.source import Source

TEXT = Source("a.txt", tokenizer="words")
SETTINGS = {"generations": 50, "replicates": 0}


def text_of(counts):
    return hf.Discrete.from_counts(counts, source=TEXT)


def letters(number):
    return "".join(chr(ord("a") + int(digit)) for digit in f"{number:04d}")


@pytest.fixture(scope="module")
def tail():
    counts = {letters(number): 1 + number // 100 for number in range(6000)}
    counts |= {f"19{number}": 1 for number in range(10, 99)}
    return text_of({**counts, "the": 100_000})


def test_lost_words_of_a_text_stand_for_different_counts(tail):
    risks = hf.forecast(tail, **SETTINGS).most_at_risk
    counts = [risk.count for risk in risks]
    assert len({risk.symbol for risk in risks}) == 10
    assert counts == sorted(counts)
    assert counts[0] <= 2
    assert len(set(counts)) >= 6
    assert max(counts) > 15
    assert all(risk.survival < 0.55 for risk in risks)
    assert all(risk.symbol.isalpha() for risk in risks)


def test_they_are_drawn_by_the_seed(tail):
    first, again, other = (
        [risk.symbol for risk in hf.forecast(tail, seed=seed, **SETTINGS).most_at_risk]
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_numbers_come_last():
    counts = {str(number): 1 for number in range(100, 150)}
    result = hf.forecast(text_of({**counts, "rare": 2, "often": 1000}), **SETTINGS)
    symbols = [risk.symbol for risk in result.most_at_risk]
    assert symbols[0] == "rare"
    assert symbols[1].isdigit()


def test_where_little_is_lost_the_rarest_are_named():
    model = text_of({"one": 40, "two": 60, "three": 900})
    result = hf.forecast(model, regime=hf.Fresh(0.9), **SETTINGS)
    assert result.most_at_risk[0].symbol == "one"


def test_labels_are_the_rarest():
    model = hf.Discrete.from_counts(
        {f"l{number}": number for number in range(1, 30)}, source=Source("a.csv", column="label")
    )
    result = hf.forecast(model, **SETTINGS)
    assert [risk.count for risk in result.most_at_risk] == list(range(1, 11))
    assert np.isfinite(result.mass_lost).all()
