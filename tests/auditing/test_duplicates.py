"""Near duplicates against all pairs, whatever the order, the script and the length."""

import itertools
import random

import networkx as nx
import numpy as np
import polars as pl
import pytest

from hayflick.auditing import duplicates as module
from hayflick.auditing.duplicates import Bands, bands_for, find_duplicates
from hayflick.core.errors import ArgumentError, DataError, EffortError
from hayflick.corpus.tokenizers import Mixed

WORDS = [f"w{number}" for number in range(3000)]


def edited(text, edits, draw, *, words=WORDS):
    """Return a text of words with some replaced, deleted, inserted or swapped."""
    tokens = text.split()
    for _ in range(edits):
        place = draw.randrange(len(tokens) - 1)
        kind = draw.choice(["replace", "replace", "delete", "insert", "swap"])
        if kind == "replace":
            tokens[place] = draw.choice(words)
        elif kind == "delete":
            del tokens[place]
        elif kind == "insert":
            tokens.insert(place, draw.choice(words))
        else:
            tokens[place], tokens[place + 1] = tokens[place + 1], tokens[place]
    return " ".join(tokens)


def planted(number, copies, *, seed=1, edits=5, length=60):
    """Return texts, then edited copies of the first ones."""
    draw = random.Random(seed)
    weights = [1 / (rank + 1) for rank in range(len(WORDS))]
    texts = [" ".join(draw.choices(WORDS, weights, k=length)) for _ in range(number)]
    return texts + [edited(text, edits, draw) for text in texts[:copies]]


def shingles(text):
    tokens = Mixed().split(text)
    return set(itertools.pairwise(tokens)) if len(tokens) > 1 else {tuple(tokens)}


def pairwise(texts, similarity):
    """Return the clusters of texts by comparing every pair: slow and obvious."""
    sets = [shingles(text) for text in texts]
    graph = nx.Graph()
    graph.add_nodes_from(range(len(texts)))
    for one, other in itertools.combinations(range(len(texts)), 2):
        common = len(sets[one] & sets[other])
        if common >= similarity * (len(sets[one]) + len(sets[other]) - common) - 1e-9:
            graph.add_edge(one, other)
    return {frozenset(found) for found in nx.connected_components(graph) if len(found) > 1}


def clusters(found):
    """Return the rows of every cluster."""
    rows = {}
    for row, cluster in enumerate(found.cluster.tolist()):
        if cluster >= 0:
            rows.setdefault(cluster, []).append(row)
    return {frozenset(rows) for rows in rows.values()}


@pytest.mark.parametrize("similarity", [0.4, 0.5, 0.8])
def test_the_clusters_are_those_of_all_pairs(similarity):
    texts = planted(250, 100) + planted(20, 0, length=3) + planted(40, 40, length=8, edits=1)
    texts += texts[:5]
    found = find_duplicates(
        texts, similarity=similarity, recall=0.9999 if similarity > 0.5 else 0.98
    )
    expected = pairwise(texts, similarity)
    assert len(expected) > 10
    missed = expected - clusters(found)
    assert len(missed) <= 0.02 * len(expected)
    # Never a pair that is not similar: every cluster lies inside one of all pairs.
    for rows in clusters(found):
        assert any(rows <= other for other in expected)


def test_edited_copies_are_found_and_nothing_else():
    texts = planted(4000, 400)
    found = find_duplicates(texts)
    right = (found.cluster[:400] == found.cluster[4000:]) & (found.cluster[:400] >= 0)
    assert right.mean() >= 0.95
    assert right.sum() / found.redundant >= 0.95


def test_the_stated_recall_is_that_of_pairs_at_the_threshold():
    draw = random.Random(5)
    pairs = []
    for number in range(600):
        # 40 pairs of words in a row, and as many of one's own on both sides: similarity 1/2.
        tokens = [f"t{number}-{place}" for place in range(31)]
        own = [[f"{side}{number}-{place}" for place in range(10)] for side in "ab"]
        pairs += [" ".join(tokens + own[0]), " ".join(tokens + own[1])]
    order = list(range(len(pairs)))
    draw.shuffle(order)
    # 30 common pairs of 50: similarity 0.6.
    found = find_duplicates([pairs[place] for place in order], similarity=0.6, recall=0.8)
    stated = found.bands.recall(0.6)
    assert stated >= 0.8
    error = np.sqrt(stated * (1 - stated) / 600)
    assert found.sizes.size / 600 == pytest.approx(stated, abs=4 * error)


def test_the_order_of_rows_and_the_threads_change_nothing():
    texts = planted(600, 200) + planted(30, 0)[:30]
    found = find_duplicates(texts, threads=1)
    order = np.random.default_rng(2).permutation(len(texts))
    shuffled = find_duplicates([texts[place] for place in order], threads=2)
    np.testing.assert_array_equal(shuffled.cluster, found.cluster[order])
    assert shuffled.clusters == found.clusters
    np.testing.assert_array_equal(shuffled.sizes, found.sizes)


def test_a_large_bucket_is_compared_in_part_and_that_is_said(monkeypatch):
    monkeypatch.setattr(module, "_BUCKET_COMPARISONS", 10)
    texts = [f"one and the same beginning of all of them {number}" for number in range(400)]
    texts += [
        " ".join(f"x{number} y{number}" for number in range(start, start + 9)) for start in range(2)
    ]
    found = find_duplicates(texts, similarity=0.9)
    assert found.sizes.size == 0
    assert found.notes == ()
    found = find_duplicates(texts, similarity=0.6)
    assert found.sizes.tolist()[0] == 400
    assert "were left out" in str(found.notes[0])


@pytest.mark.parametrize(
    "alphabet",
    [
        "日本語の文章を少し変えた写しも見つけるべきだが空白がないので文字の組で比べる",
        "ภาษาไทยไม่มีช่องว่างระหว่างคำจึงต้องเทียบเป็นคู่อักษร",
        "这段文字没有空格所以必须按相邻两个字来比较才能找到近似的副本",
    ],
    ids=["ja", "th", "zh"],
)
def test_scripts_without_spaces(alphabet):
    draw = random.Random(4)
    letters = sorted(set(alphabet)) + [chr(0x4E00 + place) for place in range(300)]
    if not "\u3041" <= alphabet[3] <= "\u9fff":
        letters = sorted(set(alphabet))
    texts = ["".join(draw.choices(letters, k=120)) for _ in range(200)]
    copies = []
    for text in texts[:50]:
        written = list(text)
        for place in draw.sample(range(120), 5):
            written[place] = draw.choice(letters)
        copies.append("".join(written))
    found = find_duplicates(texts + copies)
    right = (found.cluster[:50] == found.cluster[200:]) & (found.cluster[:50] >= 0)
    assert right.mean() >= 0.95
    assert found.redundant == 50


def test_short_texts_and_texts_without_words():
    texts = [
        "Yes.",
        "yes",
        "No",
        "!!!",
        "!!!",
        "???",
        "the cat",
        "The  CAT!",
        "ｙｅｓ",
        "🙂",
        "🙂 ",
    ]
    found = find_duplicates(texts)
    assert clusters(found) == {
        frozenset({0, 1, 8}),
        frozenset({3, 4}),
        frozenset({6, 7}),
        frozenset({9, 10}),
    }


def test_blank_rows_are_counted_and_in_no_cluster():
    found = find_duplicates(["", None, " \n", "a b c", "a b c"])
    assert (found.items, found.blank, found.different, found.exact) == (5, 3, 1, 1)
    assert found.cluster.tolist() == [-1, -1, -1, 0, 0]
    only = find_duplicates([None, ""])
    assert (only.blank, only.different, only.exact, only.redundant) == (2, 0, 0, 0)


def test_spellings_count_as_written_without_normalization():
    texts = ["Straße 1", "STRASSE 1", "straße 1"]
    assert find_duplicates(texts).different == 1
    assert find_duplicates(texts, normalize="none").different == 3


def test_clusters_are_listed_with_their_most_frequent_texts():
    texts = ["a b c d"] * 3 + ["a b c d e"] * 5 + ["x y z"] * 2 + ["alone here"]
    found = find_duplicates(texts, listed=1)
    [largest] = found.clusters
    assert (largest.size, largest.texts) == (8, 2)
    assert largest.examples == ("a b c d e", "a b c d")
    assert found.sizes.tolist() == [8, 2]
    assert found.redundant == 8


def test_progress_ends_with_every_stage():
    told = []
    find_duplicates(["a b", "c d"], progress=lambda *stage: told.append(stage))
    assert [stage for stage, done, total in told if done == total] == [
        "splitting texts",
        "comparing texts",
    ]


@pytest.mark.parametrize("similarity", [0.2, 0.5, 0.77, 0.9, 0.999])
@pytest.mark.parametrize("recall", [0.6, 0.95])
def test_bands_have_the_stated_recall_and_no_more_rows_would_do(similarity, recall):
    bands = bands_for(similarity, recall=recall)
    assert bands.recall(similarity) >= recall
    assert bands.number * bands.rows <= 512
    more = bands.rows + 1
    assert Bands(512 // more, more).recall(similarity) < recall or similarity == 0.999


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ({"similarity": 0}, "similarity"),
        ({"similarity": 1.1}, "similarity"),
        ({"recall": 1}, "recall"),
        ({"similarity": 0.19}, "similarity"),
        ({"shingle": 0}, "shingle"),
        ({"tokenizer": "letters"}, "tokenizer"),
        ({"normalize": "lower"}, "normalize"),
        ({"threads": 0}, "threads"),
        ({"listed": -1}, "listed"),
    ],
)
def test_settings_out_of_range_are_refused(setting, named):
    with pytest.raises(ArgumentError, match=named):
        find_duplicates(["a b", "c d"], **setting)


@pytest.mark.parametrize(
    "texts", [[], [1, 2], ["a", 1], [b"a"], [["a"]], ["\ud800"], pl.Series([1.5]), 3, None]
)
def test_what_is_no_text_is_refused(texts):
    with pytest.raises(DataError, match="texts: "):
        find_duplicates(texts)


def test_a_column_of_categories_has_texts():
    column = pl.Series(["a b", "a b", None], dtype=pl.Categorical)
    assert find_duplicates(column).sizes.tolist() == [2]


def test_one_text_is_refused():
    with pytest.raises(ArgumentError, match="one text"):
        find_duplicates("a b c")


def test_more_memory_than_there_is_is_refused(monkeypatch):
    monkeypatch.setattr("hayflick.core.effort.machine_memory", lambda: 10.0)
    with pytest.raises(EffortError, match="near duplicates among 2 texts"):
        find_duplicates(["a b", "c d"])
