import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.embed.embedder import content_hash


class Counting:
    """Remembers what it was asked; a text's vector holds its length."""

    id = "counting"

    def __init__(self, dimensions=2):
        self.dimensions = dimensions
        self.asked = []

    def embed(self, texts):
        self.asked.append(list(texts))
        return np.array([[len(text)] * self.dimensions for text in texts], np.float32)


@pytest.fixture
def cache(tmp_path):
    with hf.Database(tmp_path / "kept.db") as database:
        yield hf.EmbeddingCache(database, embedder="counting")


TEXTS = ["aaa", "b", "aaa", "cc", "b", "b", "dddd"]


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 100])
@pytest.mark.parametrize("cached", ["with a cache", "without"])
def test_vectors_come_in_the_order_of_the_texts(cache, batch, cached):
    kept = cache if cached == "with a cache" else None
    parts = list(hf.embed_all(Counting(), iter(TEXTS), cache=kept, batch=batch))
    assert [len(part) for part in parts][:-1] == [batch] * (len(parts) - 1)
    assert np.concatenate(parts)[:, 0].tolist() == [len(text) for text in TEXTS]


def test_the_same_as_all_at_once():
    texts = [f"answer {number % 7} of many" for number in range(50)]
    embedder = hf.HashingEmbedder()
    parts = list(hf.embed_all(embedder, texts, batch=8))
    assert np.array_equal(np.concatenate(parts), embedder.embed(texts))


def test_a_text_is_embedded_once_in_a_batch_and_once_with_a_cache(cache):
    plain, kept = Counting(), Counting()
    list(hf.embed_all(plain, TEXTS, batch=3))
    list(hf.embed_all(kept, TEXTS, batch=3, cache=cache))
    assert plain.asked == [["aaa", "b"], ["cc", "b"], ["dddd"]]
    assert kept.asked == [["aaa", "b"], ["cc"], ["dddd"]]
    list(hf.embed_all(kept, reversed(TEXTS), cache=cache))
    assert len(kept.asked) == 3


def test_what_was_handed_out_is_kept(cache):
    class Failing(Counting):
        def embed(self, texts):
            if "cc" in texts:
                raise KeyboardInterrupt
            return super().embed(texts)

    stream = hf.embed_all(Failing(), TEXTS, batch=3, cache=cache)
    next(stream)
    with pytest.raises(KeyboardInterrupt):
        next(stream)
    assert set(cache.get_many([content_hash(text) for text in TEXTS])) == {
        content_hash("aaa"),
        content_hash("b"),
    }


def test_only_what_is_needed_is_read():
    texts = iter(TEXTS)
    next(hf.embed_all(Counting(), texts, batch=3))
    assert next(texts) == "cc"


def test_progress_counts_texts():
    told = []
    list(hf.embed_all(Counting(), TEXTS, batch=3, progress=lambda *report: told.append(report)))
    assert told == [("Embedding", 3, 7), ("Embedding", 6, 7), ("Embedding", 7, 7)]


def test_no_texts():
    assert list(hf.embed_all(Counting(), [])) == []


def test_blank_texts_are_not_kept(tmp_path):
    embedder = hf.HashingEmbedder(dimensions=8)
    with hf.Database(tmp_path / "kept.db") as database:
        cache = hf.EmbeddingCache(database, embedder=embedder.id)
        for _ in range(2):
            (part,) = hf.embed_all(embedder, ["plum", " "], cache=cache)
            assert np.isnan(part[1]).all()
            assert np.isfinite(part[0]).all()
        assert list(cache.get_many([content_hash("plum"), content_hash(" ")])) == [
            content_hash("plum")
        ]


def test_dimensions_that_change_are_refused(cache):
    list(hf.embed_all(Counting(2), ["b"], cache=cache))
    with pytest.raises(
        DataError, match="counting: vectors of 2 and of 3 dimensions; did the model"
    ):
        list(hf.embed_all(Counting(3), ["b", "aaa"], cache=cache))
    embedder = Counting(2)
    stream = hf.embed_all(embedder, TEXTS, batch=3)
    next(stream)
    embedder.dimensions = 5
    with pytest.raises(DataError, match="vectors of 2 and of 5 dimensions"):
        next(stream)


def test_what_is_no_text_is_named():
    with pytest.raises(DataError, match="text 5: is None, takes a string"):
        list(hf.embed_all(Counting(), ["a", "b", "c", "d", None], batch=2))
    with pytest.raises(ArgumentError, match="batch: got 0"):
        hf.embed_all(Counting(), [], batch=0)


def test_halves_of_characters_have_a_hash():
    assert len({content_hash(text) for text in ("\ud800", "\udc00", "?", "")}) == 4
