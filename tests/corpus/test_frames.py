"""Data in memory is read as files are; what is no data, and what no path can be, is refused."""

import random
import uuid

import polars as pl
import pytest

import hayflick as hf
from hayflick.core.errors import ArgumentError, DataError
from hayflick.corpus.frames import as_table

DRAW = random.Random(14)
WORDS = ["rain", "moon", "salt", "stone", "bread", "window", "plum", "river", "fish", "paper"]
ANSWERS = [
    (number // 20 + 1, "ab"[number % 2], " ".join(DRAW.choices(WORDS, k=6)))
    for number in range(400)
]


def counts(path, column="label", **options):
    law = hf.Discrete.from_file(path, column=column, **options)
    return dict(zip(law.symbols, law.weights.tolist(), strict=True))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a\0b", "holds a character that no path can"),
        ("a" * 300, "the path is too long"),
        ("a/" * 4000 + "b", "the path is too long"),
        ("\ud800", "holds a character that no path can"),
    ],
)
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet", ".xlsx", ".json", ".txt"])
def test_paths_that_no_file_can_have(name, message, suffix):
    path = f"{name}{suffix}"
    with pytest.raises(DataError, match=message):
        hf.forecast(path)
    with pytest.raises(DataError, match=message):
        hf.plan(path)
    with pytest.raises(DataError, match=message):
        hf.reserve(path, size=2)
    if suffix not in (".json", ".txt"):
        with pytest.raises(DataError, match=message):
            hf.watch(path, by="round", text="answer")


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        ({"a": {"b": 2}}, ArgumentError, "takes counts .* or columns"),
        ({"a": "text", "b": 2}, ArgumentError, "takes counts .* or columns"),
        ({"a": [1], "b": [1, 2]}, DataError, "columns of 1 and of 2 cells"),
        ([["a"], ["b"]], DataError, "holds a list, takes text"),
        (["\ud800"], DataError, "holds half a character"),
        ([], DataError, "holds no symbol"),
        ({}, DataError, "holds no symbol"),
        (None, ArgumentError, "source: got None"),
        (7, ArgumentError, "source: got 7"),
    ],
)
def test_what_is_no_data_is_refused(source, error, message):
    with pytest.raises(error, match=message):
        hf.forecast(source)


def test_every_function_takes_data_in_memory(tmp_path):
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pl.DataFrame(ANSWERS, schema=["round", "model", "answer"], orient="row")
    path = tmp_path / "a.csv"
    frame.write_csv(path)
    few = {"generations": 3, "replicates": 8}
    how = {"column": "answer", "tokenizer": "auto"}
    for source in (frame, frame.lazy(), pd.DataFrame(frame.to_dict(as_series=False))):
        assert counts(source, **how) == counts(path, **how)
        expected = hf.forecast(path, **how, **few).to_dict()
        found = hf.forecast(source, **how, **few).to_dict()
        assert found["surviving_fraction"] == expected["surviving_fraction"]
        plans = [hf.plan(one, **how, **few).to_dict() for one in (source, path)]
        assert plans[0]["designs"] == plans[1]["designs"]
        stored = hf.reserve(source, **how, size=3)
        assert [row["answer"] for row in stored.items] == [
            row["answer"] for row in hf.reserve(path, **how, size=3).items
        ]
        runs = hf.simulate("discrete", corpus=source, seed=1, **how, **few)
        assert runs.equals(hf.simulate("discrete", corpus=path, seed=1, **how, **few))
        watched = hf.watch(source, by="round", text="answer")
        assert (
            watched.readings[""][0].values
            == hf.watch(path, by="round", text="answer").readings[""][0].values
        )


def test_objects_that_have_a_name_are_labels():
    one = uuid.UUID(int=7)
    assert hf.forecast([one, one, None], generations=1, replicates=0).sources[0].rows == 3
    pd = pytest.importorskip("pandas", reason="pandas is not installed")
    months = pd.Series(pd.period_range("2026-01", periods=3, freq="M")).tolist()
    assert as_table({"month": months})["month"].to_list() == ["2026-01", "2026-02", "2026-03"]


def test_sets_are_no_labels():
    with pytest.raises(DataError, match="holds a set, takes text"):
        hf.forecast([{1, 2}, {3}], generations=1, replicates=0)
