"""Tables of runs, and the choice of a tokenizer."""

import numpy as np
import polars as pl
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError
from hayflick.corpus.tokenizers import Words, add_table, merged_counts, no_counts
from hayflick.diversity.lexical import chosen_tokenizer, count_ngrams
from hayflick.diversity.phrases import PhraseCounts
from hayflick.diversity.repetition import compression_ratio, duplicate_rate


def counts(tables):
    return [dict(table.iter_rows()) for table in tables]


def test_runs_once_per_text_and_every_time():
    texts = ["so so so", "so so"]
    every = count_ngrams(texts, tokenizer=Words(), lengths=[1, 2])
    once = count_ngrams(texts, tokenizer=Words(), lengths=[1, 2], once_per_text=True)
    assert counts(every) == [{"so": 5}, {"so so": 3}]
    assert counts(once) == [{"so": 2}, {"so so": 2}]


def test_texts_without_a_token_leave_nothing():
    assert counts(count_ngrams(["", "?"], tokenizer=Words(), lengths=[1, 2])) == [{}, {}]
    assert counts(count_ngrams([], tokenizer=Words(), lengths=[3])) == [{}]


def test_tables_are_summed_where_they_have_doubled():
    waiting = []
    table = pl.DataFrame({"symbol": ["a", "b"], "number": [1, 2]})
    lengths = []
    for _ in range(5):
        add_table(waiting, table)
        lengths.append(len(waiting))
    assert lengths == [1, 2, 1, 2, 1]
    assert counts([merged_counts(waiting)]) == [{"a": 5, "b": 10}]


def test_a_sum_of_nothing_is_a_table():
    assert merged_counts([]).schema == merged_counts([no_counts()] * 2).schema
    assert merged_counts([no_counts()]).is_empty()


def test_the_tokenizer_of_a_name_or_of_the_texts():
    assert chosen_tokenizer("lines", samples=["今天"]).name == "lines"
    assert chosen_tokenizer("auto", samples=["a plain text"]).name == "mixed"
    assert chosen_tokenizer("auto", samples=[]).name == "mixed"
    with pytest.raises(ArgumentError, match="tokenizer: got thai"):
        chosen_tokenizer("thai", samples=[])


@pytest.mark.parametrize(
    "take", [hf.NgramCounts.of, PhraseCounts.of, compression_ratio, duplicate_rate]
)
def test_one_text_is_not_taken_for_its_letters(take):
    with pytest.raises(ArgumentError, match="texts: got one text, takes several, in a list"):
        take("so it is")


def test_several_sets_in_one_go_are_those_counted_alone(rng):
    words = np.array(["the", "cat", "sat", "雨が", "Café", "🙂"])
    parts = [
        [" ".join(rng.choice(words, rng.integers(0, 6))) for _ in range(number)]
        for number in (5, 0, 1, 40)
    ]
    together = hf.NgramCounts.of_each(parts, tokenizer="mixed")
    for found, part in zip(together, parts, strict=True):
        alone = hf.NgramCounts.of(part, tokenizer="mixed")
        assert found.texts == alone.texts == len(part)
        for ours, theirs in zip(found.tables, alone.tables, strict=True):
            assert ours.schema == theirs.schema
            assert ours.sort("symbol").equals(theirs.sort("symbol"))
    assert hf.NgramCounts.of_each([], tokenizer="words") == []
    ends_empty = hf.NgramCounts.of_each([["a b"], [], ["a"], [], []], tokenizer="words")
    assert [counts.types() for counts in ends_empty] == [2, 0, 1, 0, 0]
