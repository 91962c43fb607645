"""Vectors that are made where a partition is read."""

import json
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import numpy as np
import pytest

import hayflick as hf
from hayflick.cli.main import main
from hayflick.monitor import partitions

READING = {"by": "round", "text": "answer", "group": "model"}
HASHING = "hashing:dimensions=64"


def parts(folder, number=3):
    draw = random.Random(6)
    paths = [folder / f"part-{place}.jsonl" for place in range(number)]
    for path in paths:
        rows = [
            {
                "round": 1 + row % 8,
                "answer": " ".join(draw.choices("abcdefgh", k=5)) if row % 11 else "  ",
                "model": draw.choice("xy"),
            }
            for row in range(120)
        ]
        path.write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    return paths


@pytest.fixture
def models(monkeypatch):
    """In the place of sentence-transformers; a list of the models that were loaded."""
    loaded = []

    class Model:
        def __init__(self, name, **_):
            loaded.append(name)

        def encode(self, texts, **_):
            return np.array([[text.count(one) for one in "abcd"] for text in texts], np.float32)

    library = ModuleType("sentence_transformers")
    library.SentenceTransformer = Model
    monkeypatch.setitem(sys.modules, "sentence_transformers", library)
    monkeypatch.setattr(partitions, "_KEPT", {})
    return loaded


def test_they_are_those_that_watch_makes(tmp_path):
    paths = parts(tmp_path)
    whole = hf.watch(paths, **READING, baseline=4, embedder=HASHING)
    there = hf.summarise(paths, **READING, embedder=HASHING)
    assert there.settings.embedder == whole.settings["embedder"]
    assert there.dimensions == 64
    saved = there.save(tmp_path / "a.summary")
    for summary in (there, saved):
        watched = hf.watch(summary, baseline=4)
        assert watched.settings["embedder"] == whole.settings["embedder"]
        assert watched.to_dict()["readings"] == whole.to_dict()["readings"]
        assert watched.to_dict()["charts"] == whole.to_dict()["charts"]


def test_each_process_loads_a_model_once(tmp_path, models):
    paths = parts(tmp_path)
    with ThreadPoolExecutor(3) as threads:
        there = hf.summarise(paths, **READING, embedder="sentence:mini", executor=threads)
        assert models == ["mini"]
        # Of a large model, the vectors are made where the files are read.
        watched = hf.watch(paths, **READING, embedder="sentence:mini", executor=threads, baseline=4)
        assert models == ["mini"]
    here = hf.summarise(paths, **READING, embedder="sentence:mini")
    assert there.frame.equals(here.frame)
    whole = hf.watch(paths, **READING, embedder="sentence:mini", baseline=4)
    assert watched.to_dict()["readings"] == whole.to_dict()["readings"]
    assert watched.settings["embedder"] == whole.settings["embedder"]


def test_other_embedders_are_refused(tmp_path, models):
    one, two, three = parts(tmp_path)
    first = hf.summarise(one, **READING, embedder=HASHING)
    for embedder in ("sentence:mini", "hashing:dimensions=32", None):
        with pytest.raises(hf.HayflickError, match="embedder is 'hashing"):
            hf.merge([first, hf.summarise(two, **READING, embedder=embedder)])
    with pytest.raises(hf.HayflickError, match="embedder: got none, takes the one of the summary"):
        hf.summarise(three, like=first)
    with pytest.raises(hf.HayflickError, match="vectors were made by sentence:model=mini"):
        hf.summarise(three, like=first, embedder="sentence:mini")
    assert hf.merge([first, hf.summarise(two, like=first, embedder=HASHING)]).dimensions == 64
    with pytest.raises(hf.HayflickError, match="takes the one that the vectors"):
        hf.watch(first, embedder="sentence:mini", baseline=4)
    with pytest.raises(hf.HayflickError, match="none beside vectors"):
        hf.summarise(one, by="round", vectors="vector", embedder=HASHING)
    with pytest.raises(hf.HayflickError, match="none where the answers have no texts"):
        hf.summarise(one, by="round", values=("round",), log="none", embedder=HASHING)
    with pytest.raises(hf.HayflickError, match="embedder"):
        hf.summarise(one, **READING, embedder="word2vec")
    with ThreadPoolExecutor(1) as threads, pytest.raises(hf.HayflickError, match="cache: got"):
        hf.watch(
            one, **READING, embedder="sentence:mini", executor=threads, cache=tmp_path / "cache"
        )


def test_the_command_line_names_the_embedder(tmp_path, capsys):
    (path,) = parts(tmp_path, 1)
    out = str(tmp_path / "a.summary")
    how = ["--by", "round", "--text", "answer", "--embedder", HASHING, "--format", "json"]
    assert main(["summarise", str(path), *how, "-o", out]) == 0
    assert json.loads(capsys.readouterr().out)["settings"]["embedder"].startswith("hashing:")
    assert hf.merge([out]).dimensions == 64
